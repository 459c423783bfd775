"""Refusals of the beam room: one line each, scalars and arrays alike."""

from __future__ import annotations

from typing import Any

from nanoslab.errors import InputError

#: beam energies of the model [keV]; microscopes run from 20 to 1250 kV
LOWEST_BEAM_ENERGY_KEV, HIGHEST_BEAM_ENERGY_KEV = 1.0, 10_000.0


def smallest_and_largest(value: Any) -> tuple[float, float]:
    """Extremes of a number or an array; NaN wins, so that a comparison with it fails.

    Examples
    --------
    >>> smallest_and_largest(3)
    (3.0, 3.0)
    >>> smallest_and_largest([200, 300])
    (200.0, 300.0)
    """
    numbers = number_or_array(value)
    if not isinstance(numbers, float) and not numbers.size:
        raise InputError("numbers", expected="one or more", got="an empty array")
    return (numbers, numbers) if isinstance(numbers, float) else (float(numbers.min()), float(numbers.max()))


def require_positive(name: str, value: Any, unit: str, advice: str = "") -> None:
    """Refuse zero, negative, infinite and NaN.

    Examples
    --------
    >>> require_positive("threshold_energy", -1, "eV")
    Traceback (most recent call last):
    nanoslab.errors.InputError: threshold_energy: expected a number above 0 eV, got -1
    """
    low, high = smallest_and_largest(value)
    if not (low > 0 and high < float("inf")):
        raise InputError(name, expected=f"a number above 0 {unit}".rstrip(), got=_shown(value, low), advice=advice)


def require_not_negative(name: str, value: Any, unit: str, advice: str = "") -> None:
    """Refuse negative, infinite and NaN.

    Examples
    --------
    >>> require_not_negative("temperature", 0, "K")
    """
    low, high = smallest_and_largest(value)
    if not (low >= 0 and high < float("inf")):
        raise InputError(name, expected=f"a number of 0 {unit} or more", got=_shown(value, low), advice=advice)


def require_beam_energy(value: Any) -> None:
    """Refuse a beam energy that no microscope has, and guess at eV given for keV.

    Examples
    --------
    >>> require_beam_energy(200_000)
    Traceback (most recent call last):
    nanoslab.errors.InputError: beam energy: expected 1 to 10000 keV, got 200000; did you mean 200 keV?
    """
    low, high = smallest_and_largest(value)
    if low >= LOWEST_BEAM_ENERGY_KEV and high <= HIGHEST_BEAM_ENERGY_KEV:
        return
    bad = low if not low >= LOWEST_BEAM_ENERGY_KEV else high
    if 10_000 < bad <= 1e7:
        advice = f"did you mean {bad / 1000:g} keV?"
    elif 0.02 <= bad < 1:
        advice = f"did you mean {bad * 1000:g} keV?"
    else:
        advice = "give the voltage in kV, such as 200"
    raise InputError("beam energy", expected="1 to 10000 keV", got=f"{bad:.10g}", advice=advice)


def number_or_array(value: Any) -> Any:
    """A float for a plain number, a new float array for anything with a length.

    Examples
    --------
    >>> number_or_array(200)
    200.0
    """
    if isinstance(value, int | float):
        return float(value)
    import numpy as np

    return np.array(value, dtype=float) if np.ndim(value) else float(value)


def unit_vector(name: str, vector: Any) -> Any:
    """Array of length 1 in the direction of three numbers."""
    import numpy as np

    values = np.array(vector, dtype=float)
    length = float(np.linalg.norm(values)) if values.shape == (3,) else 0.0
    if not 0 < length < float("inf"):
        raise InputError(name, expected="three numbers, not all zero", got=vector)
    return values / length


def _shown(value: Any, low: float) -> str:
    return f"{value}" if isinstance(value, int | float) else f"{low:g} among them"
