"""Rates of thermally activated steps, and activation energies from measured rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase.units import kB
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student_t

from nanoslab.errors import InputError

THZ = 1e12


def arrhenius_rate(prefactor: float, barrier: float, temperature: ArrayLike) -> NDArray[np.float64]:
    """Return k = A exp(-E / kT) in the unit of the prefactor.

    Parameters
    ----------
    prefactor
        A, in any unit: 1/s for a rate, nm²/s for a diffusivity.
    barrier
        E [eV].
    temperature
        One or more [K].

    Raises
    ------
    InputError
        The prefactor or a temperature is not above zero, or the barrier is not a number.

    Examples
    --------
    >>> f"{float(arrhenius_rate(1e13, 1.0, 300.0)):.3g}"
    '0.000159'
    """
    temperatures = np.asarray(temperature, dtype=float)
    if not (np.isfinite(prefactor) and prefactor > 0):
        raise InputError("prefactor", expected="a number above 0", got=prefactor)
    if not np.isfinite(barrier):
        raise InputError("barrier", expected="an energy [eV]", got=barrier)
    if not np.all(np.isfinite(temperatures) & (temperatures > 0)):
        raise InputError("temperature", expected="above 0 K", got=temperature)
    return np.asarray(prefactor * np.exp(-barrier / (kB * temperatures)))


def harmonic_prefactor(minimum_THz: Sequence[float], saddle_THz: Sequence[float]) -> float:
    """Return the attempt frequency [1/s] of harmonic transition state theory.

    Product of the frequencies at the minimum over that of the real ones at the saddle
    (Vineyard, J. Phys. Chem. Solids 3 (1957) 121, eq. 13).

    Parameters
    ----------
    minimum_THz
        Frequencies at the minimum, the three translations of a crystal left out.
    saddle_THz
        Frequencies at the saddle, as many, exactly one of them negative: an imaginary mode is written so.

    Raises
    ------
    InputError
        Their number differs, the minimum has an imaginary mode, or the saddle has another number than one.

    Examples
    --------
    >>> round(harmonic_prefactor([2.0, 4.0, 5.0], [-3.0, 4.0, 5.0]))
    2000000000000
    """
    minimum, saddle = np.sort(np.asarray(minimum_THz, float)), np.sort(np.asarray(saddle_THz, float))
    if len(minimum) != len(saddle):
        raise InputError("saddle_THz", expected=f"{len(minimum)} frequencies as at the minimum", got=len(saddle))
    if (minimum <= 0).any():
        advice = "relax it further, or leave out the translations"
        raise InputError("minimum_THz", expected="real frequencies above 0", got=minimum[0], advice=advice)
    n_imaginary = int((saddle <= 0).sum())
    if n_imaginary != 1:
        advice = "none is no saddle, more is a saddle of higher order: refine it"
        raise InputError("saddle_THz", expected="one imaginary mode", got=n_imaginary, advice=advice)
    return float(np.exp(np.log(minimum).sum() - np.log(saddle[1:]).sum()) * THZ)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrheniusFit:
    """Straight line through ln k against 1/T."""

    #: Activation energy with its interval at `confidence` [eV]
    barrier: float
    barrier_interval: tuple[float, float]
    #: In the unit of the rates
    prefactor: float
    prefactor_interval: tuple[float, float]
    r_squared: float  #: share of the variance of ln k explained
    confidence: float  #: of the intervals

    @property
    def beats_constant(self) -> bool:
        """Whether the interval of the activation energy leaves zero out."""
        return self.barrier_interval[0] > 0 or self.barrier_interval[1] < 0


def fit_arrhenius(temperatures: Sequence[float], rates: Sequence[float], *, confidence: float = 0.95) -> ArrheniusFit:
    """Fit k = A exp(-E / kT) by least squares of ln k; intervals are Student's.

    Parameters
    ----------
    temperatures
        At least three [K].
    rates
        At each of them, above zero, in any unit.
    confidence
        Of the intervals, between 0 and 1.

    Raises
    ------
    InputError
        Fewer than three points, one temperature only, or a rate that is not above zero.

    Examples
    --------
    >>> kelvin = [500.0, 520.0, 540.0, 560.0]
    >>> fit = fit_arrhenius(kelvin, arrhenius_rate(1e12, 1.7, kelvin))
    >>> round(fit.barrier, 9), round(fit.prefactor / 1e12, 6), fit.beats_constant
    (1.7, 1.0, True)
    """
    kelvin, k = np.asarray(temperatures, float), np.asarray(rates, float)
    if len(kelvin) != len(k) or len(k) < 3 or np.ptp(kelvin) == 0:
        raise InputError(
            "rates",
            expected="at least three, at different temperatures, one for each",
            got=f"{len(k)} at {len(kelvin)}",
        )
    if not (np.all(np.isfinite(k)) and k.min() > 0 and kelvin.min() > 0):
        raise InputError("rates", expected="rates and temperatures above 0", got=f"{k.min():g} at {kelvin.min():g} K")
    if not 0 < confidence < 1:
        raise InputError("confidence", expected="between 0 and 1", got=confidence)
    design = np.column_stack([np.ones_like(k), -1 / (kB * kelvin)])
    # centred, so that the two parameters are not told apart by the last digits
    centre = design[:, 1].mean()
    design[:, 1] -= centre
    logarithms = np.log(k)
    (level, barrier), *_ = np.linalg.lstsq(design, logarithms, rcond=None)
    residual = logarithms - design @ (level, barrier)
    variance = float(residual @ residual) / (len(k) - 2)
    spread = float(student_t.ppf((1 + confidence) / 2, len(k) - 2))
    barrier_error = spread * np.sqrt(variance / (design[:, 1] @ design[:, 1]))
    log_prefactor = level - barrier * centre
    prefactor_error = np.hypot(spread * np.sqrt(variance / len(k)), barrier_error * centre)
    total = float(((logarithms - logarithms.mean()) ** 2).sum())
    return ArrheniusFit(
        barrier=float(barrier),
        barrier_interval=(float(barrier - barrier_error), float(barrier + barrier_error)),
        prefactor=float(np.exp(log_prefactor)),
        prefactor_interval=(
            float(np.exp(log_prefactor - prefactor_error)),
            float(np.exp(log_prefactor + prefactor_error)),
        ),
        r_squared=1 - float(residual @ residual) / total if total else 0.0,
        confidence=confidence,
    )
