"""An image with its scale, its counting noise, and the dose at which a difference between two shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanoslab.errors import InputError
from nanoslab.measure.imaging.potential import FieldOfView

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image on a scale.

    Attributes
    ----------
    values
        Expected signal per incident electron: 1 in vacuum for HRTEM, the scattered fraction for HAADF; or counts of
        electrons. Shape (x, y).
    field
        The rectangle it shows.
    """

    values: Array
    field: FieldOfView

    def __post_init__(self) -> None:
        """Make the array read-only."""
        self.values.setflags(write=False)


def counted_image(image: Image, dose_e_per_A2: float, seed: int = 0) -> Image:
    """Counts of a perfect detector at a dose: Poisson, independent in every pixel."""
    _require_dose(dose_e_per_A2)
    expected = np.clip(image.values, 0.0, None) * dose_e_per_A2 * np.prod(image.field.pixel)
    return Image(values=np.random.default_rng(seed).poisson(expected).astype(float), field=image.field)


def rose_dose(image: Image, changed: Image, criterion: float = 5.0) -> float:
    """Dose at which a known change of an image stands out of the counting noise [e/Å²].

    The signal-to-noise ratio of the best filter for Poisson counts is sqrt(dose sum (I - I')²/((I + I')/2) dA); it
    must reach the criterion, 5 by Rose (Adv. Electron. 1 (1948) 131). Nobody who does not know where and what to look
    for sees it earlier. Infinite where the two images do not differ.

    Examples
    --------
    >>> field = FieldOfView(corner=(0, 0), lengths=(1.0, 1.0), shape=(1, 1))
    >>> grey, black = (Image(values=np.array([[v]]), field=field) for v in (1.0, 0.9))
    >>> round(rose_dose(grey, black))
    2375
    """
    if image.values.shape != changed.values.shape:
        raise InputError("changed", expected=f"shape {image.values.shape}", got=f"{changed.values.shape}")
    mean = np.clip((image.values + changed.values) / 2, 1e-300, None)
    information = float(np.sum((image.values - changed.values) ** 2 / mean) * np.prod(image.field.pixel))
    return float(criterion**2 / information) if information > 0 else float("inf")


def _require_dose(dose: float) -> None:
    if not (np.isfinite(dose) and dose > 0):
        raise InputError("dose", expected="a dose above 0 e/Å²", got=dose)
