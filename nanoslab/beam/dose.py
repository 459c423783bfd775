"""From a cross-section to rates, lifetimes and doses: arithmetic, for floats and arrays.

One barn is 1e-8 Å², so with a dose D in electrons per Å² an atom survives with exp(-1e-8 σ[barn] D).
"""

from __future__ import annotations

from math import inf, log, log1p
from typing import TYPE_CHECKING, Any

from nanoslab.beam.checks import number_or_array, require_not_negative, require_positive
from nanoslab.beam.constants import ELECTRONS_PER_A2_S_IN_A_PER_CM2
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

A2_PER_BARN = 1e-8


def dose_rate_from_current_density(current_density_A_per_cm2: float) -> float:
    """Dose rate of a beam [e/Å²/s].

    Examples
    --------
    >>> round(dose_rate_from_current_density(1.0), 6)
    624.150907
    """
    require_not_negative("current density", current_density_A_per_cm2, "A/cm²")
    return current_density_A_per_cm2 * ELECTRONS_PER_A2_S_IN_A_PER_CM2


def displacement_rate(cross_section_barn: ArrayLike, dose_rate_e_per_A2_s: float) -> Any:
    """Events per atom and second [1/s].

    Examples
    --------
    >>> displacement_rate(100, 1e4)
    0.01
    """
    require_not_negative("cross-section", cross_section_barn, "barn")
    require_not_negative("dose rate", dose_rate_e_per_A2_s, "e/Å²/s")
    return number_or_array(cross_section_barn) * A2_PER_BARN * dose_rate_e_per_A2_s


def lifetime(cross_section_barn: float, dose_rate_e_per_A2_s: float) -> float:
    """Mean time until the atom is hit [s]; infinite without events.

    Examples
    --------
    >>> lifetime(100, 1e4)
    100.0
    """
    rate = float(displacement_rate(cross_section_barn, dose_rate_e_per_A2_s))
    return 1 / rate if rate > 0 else inf


def dose_per_event(cross_section_barn: float) -> float:
    """Dose at which one event per atom is expected [e/Å²]; infinite for a cross-section of 0.

    Examples
    --------
    >>> dose_per_event(100)
    1000000.0
    """
    require_not_negative("cross-section", cross_section_barn, "barn")
    return 1 / (cross_section_barn * A2_PER_BARN) if cross_section_barn > 0 else inf


def surviving_fraction(cross_section_barn: ArrayLike, dose_e_per_A2: ArrayLike) -> Any:
    """Fraction of equal, independent atoms still in place, exp(-σD).

    Examples
    --------
    >>> round(surviving_fraction(100, 1e6), 6)
    0.367879
    """
    require_not_negative("cross-section", cross_section_barn, "barn")
    require_not_negative("dose", dose_e_per_A2, "e/Å²")
    exponent = number_or_array(cross_section_barn) * A2_PER_BARN * number_or_array(dose_e_per_A2)
    if isinstance(exponent, float):
        from math import exp

        return exp(-exponent)
    import numpy as np

    return np.exp(-exponent)


def dose_budget(cross_section_barn: float, allowed_loss: float) -> float:
    """Largest dose that takes no more than a fraction of the atoms, -ln(1 - loss)/σ [e/Å²].

    Parameters
    ----------
    allowed_loss
        Fraction of atoms that may be lost, between 0 and 1.

    Examples
    --------
    >>> round(dose_budget(100, 0.01), 1)
    10050.3
    """
    return -log1p(-_checked_fraction(allowed_loss)) * dose_per_event(cross_section_barn)


def allowed_cross_section(dose_e_per_A2: float, allowed_loss: float) -> float:
    """Largest cross-section with which a dose takes no more than a fraction of the atoms [barn].

    Examples
    --------
    >>> round(allowed_cross_section(1e6, 0.01), 4)
    1.005
    """
    require_positive("dose", dose_e_per_A2, "e/Å²")
    return -log1p(-_checked_fraction(allowed_loss)) / (dose_e_per_A2 * A2_PER_BARN)


def dose_for_composition(kept_cross_section_barn: float, lost_cross_section_barn: float, ratio: float) -> float:
    """Dose at which lost : kept has fallen from 1 : 1 to `ratio` : 1, all atoms of an element equal [e/Å²].

    exp(-(σ_lost - σ_kept) D) = ratio. Infinite when the first element does not go faster than the second.

    Parameters
    ----------
    kept_cross_section_barn, lost_cross_section_barn
        Of the element that stays richer, and of the one that is lost.
    ratio
        Such as 0.8 for Cd:Se = 1:0.8.

    Examples
    --------
    >>> round(dose_for_composition(0.0, 134.0, 0.8))
    166525

    See `nanoslab.beam.composition_doses` for what that says about measured nanosheets.
    """
    require_not_negative("cross-section", kept_cross_section_barn, "barn")
    if not 0 < ratio < 1:
        raise InputError("ratio", expected="a number between 0 and 1", got=ratio)
    faster = lost_cross_section_barn - kept_cross_section_barn
    return -log(ratio) * dose_per_event(faster) if faster > 0 else inf


def _checked_fraction(allowed_loss: float) -> float:
    if not 0 < allowed_loss < 1:
        raise InputError("allowed loss", expected="a fraction between 0 and 1", got=allowed_loss, advice="1 % is 0.01")
    return allowed_loss
