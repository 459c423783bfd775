"""Lattice spacings in an image, from its Fourier transform, and the reflections of a crystal that have them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from nanoslab.errors import InputError
from nanoslab.measure.imaging.image import Image
from nanoslab.measure.scattering.form_factors import form_factors

#: the transform is sampled this many times finer than the image alone would
_PADDING = 3
#: a peak must stand above the ring of its frequency by this many times the mean power of noise: chance 1e-5 a pixel
_ABOVE_NOISE = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spacing:
    """One peak of the Fourier transform: spacing [Å], direction of its wave vector from x [degrees], share of power."""

    spacing: float
    angle_degrees: float
    power: float


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedSpacing:
    """A spacing and the reflections that have it: indices, spacing in the crystal [Å] and relative deviation."""

    measured: Spacing
    hkl: tuple[int, int, int]
    crystal_spacing: float

    @property
    def strain(self) -> float:
        """Measured over crystal spacing less 1."""
        return self.measured.spacing / self.crystal_spacing - 1.0


def image_spacings(image: Image, shortest: float = 1.0, weakest: float = 0.02) -> tuple[Spacing, ...]:
    """Spacings of the lattice fringes of an image, strongest first, one of each +-k.

    Peaks of the power spectrum under a Hann window, located between its samples by a parabola through the logarithm:
    good to about a hundredth of the width of a peak, one over the size of the image.

    Parameters
    ----------
    shortest
        Smallest spacing looked for [Å].
    weakest
        Least power, over that of the strongest peak.
    """
    values = image.values - image.values.mean()
    if min(values.shape) < 16 or not np.any(values):
        got = f"{values.shape[0]} x {values.shape[1]} pixels" + ("" if np.any(values) else ", all alike")
        raise InputError("image", expected="at least 16 x 16 pixels that differ", got=got)
    window = np.outer(np.hanning(values.shape[0]), np.hanning(values.shape[1]))
    shape = tuple(_PADDING * n for n in values.shape)
    power = np.fft.fftshift(np.abs(np.fft.fft2(values * window, shape)) ** 2)
    kx, ky = (np.fft.fftshift(np.fft.fftfreq(n, d)) for n, d in zip(shape, image.field.pixel, strict=True))
    k = np.hypot(kx[:, None], ky[None, :])
    lowest = 3.0 / min(image.field.lengths)
    noise = np.median(power[k > 0.8 * k.max()]) / np.log(2)
    peaks = (power == maximum_filter(power, 2 * _PADDING + 1)) & (k > lowest) & (k <= 1 / shortest)
    peaks &= power > max(weakest * power[peaks].max(initial=0.0), _ABOVE_NOISE * noise)
    found = []
    for i, j in np.argwhere(peaks):
        if not (0 < i < shape[0] - 1 and 0 < j < shape[1] - 1) or (kx[i], ky[j]) < (0.0, 0.0):
            continue
        x = kx[i] + _vertex(power[i - 1 : i + 2, j]) * (kx[1] - kx[0])
        y = ky[j] + _vertex(power[i, j - 1 : j + 2]) * (ky[1] - ky[0])
        angle = float(np.degrees(np.arctan2(y, x)))
        found.append(Spacing(spacing=float(1 / np.hypot(x, y)), angle_degrees=angle, power=float(power[i, j])))
    total = sum(peak.power for peak in found)
    shares = [Spacing(spacing=p.spacing, angle_degrees=p.angle_degrees, power=p.power / total) for p in found]
    return tuple(sorted(shares, key=lambda peak: -peak.power))


def index_spacings(
    spacings: tuple[Spacing, ...], crystal: Atoms, tolerance: float = 0.03
) -> tuple[IndexedSpacing | None, ...]:
    """Reflection of a crystal nearest to each spacing, within a relative tolerance; None where there is none.

    A reflection counts if its structure factor is above 3 % of that of atoms all in phase. Of the indices of one
    spacing the last in alphabetical order is named, such as (2, 2, 0).
    """
    reflections = _reflections(crystal, min((peak.spacing for peak in spacings), default=1.0) * (1 - tolerance))
    found: list[IndexedSpacing | None] = []
    for peak in spacings:
        near = [(abs(peak.spacing / d - 1), hkl, d) for hkl, d in reflections if abs(peak.spacing / d - 1) <= tolerance]
        if not near:
            found.append(None)
            continue
        _, hkl, d = min(near, key=lambda entry: (round(entry[0], 6), tuple(-n for n in entry[1])))
        found.append(IndexedSpacing(measured=peak, hkl=hkl, crystal_spacing=d))
    return tuple(found)


def _reflections(crystal: Atoms, shortest: float) -> list[tuple[tuple[int, int, int], float]]:
    """Indices and spacings [Å] of the reflections of a crystal down to a spacing."""
    if crystal.cell.rank != 3:
        raise InputError("crystal", expected="three lattice vectors", got=f"{crystal.cell.rank}")
    reciprocal = crystal.cell.reciprocal().array
    limits = (np.linalg.norm(crystal.cell.array, axis=1) / shortest).astype(int)
    hkl = np.array([n for n in product(*(range(-m, m + 1) for m in limits)) if n > (0, 0, 0)])
    lengths = np.linalg.norm(hkl @ reciprocal, axis=1)
    hkl, lengths = hkl[lengths <= 1 / shortest], lengths[lengths <= 1 / shortest]
    elements = list(dict.fromkeys(crystal.get_chemical_symbols()))
    factors = form_factors(elements, 2 * np.pi * lengths, "electron")
    rows = [elements.index(symbol) for symbol in crystal.get_chemical_symbols()]
    phases = np.exp(2j * np.pi * hkl @ crystal.get_scaled_positions().T)
    amplitude = np.abs(np.sum(phases * factors[rows].T, axis=1)) / factors[rows].sum(axis=0)
    kept = amplitude**2 > 1e-3
    return [(tuple(n), float(1 / length)) for n, length in zip(hkl[kept].tolist(), lengths[kept], strict=True)]


def _vertex(three: NDArray[np.float64]) -> float:
    """Place of the maximum of a parabola through the logarithms of three powers, in samples from the middle one."""
    left, middle, right = np.log(np.maximum(three, 1e-300))
    curvature = left - 2 * middle + right
    return float(np.clip((left - right) / (2 * curvature), -0.5, 0.5)) if curvature < 0 else 0.0
