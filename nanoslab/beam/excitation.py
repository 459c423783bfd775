"""Ionisation-assisted displacement: the electron that strikes an atom has loosened it first.

Notes
-----
An electron that excites or ionises the specimen beside an atom, and hits its nucleus in the same flight, finds it more
loosely bound: the threshold is that of the excited state. With P the chance that it does, and that the excitation lives
until the atom is gone, the total is (Kretschmer et al., Nano Lett. 20 (2020) 2865; Speckmann et al., arXiv:2302.10529)

    σ(E) = (1 - P) σ_ground(E) + P σ_excited(E),     P = P_ref σ_B(E)/σ_B(E_ref) · exp(-t/τ).

σ_B is the asymptotic form of Bethe for excitation by a fast electron (Inokuti, Rev. Mod. Phys. 43 (1971) 297),

    σ_B ~ [ln(2mc² β²γ²/W) - β²]/β²,

W the energy it takes; t the time that the atom needs to leave and τ the lifetime of the excitation. Without lifetime
P = 0 and what is left is knock-on from the ground state, to the last digit. P_ref and the excited threshold stand for
many states and come from measured cross-sections (`fit_excitation`); the form holds from some 30 kV on, where Bethe's
does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nanoslab.beam.checks import number_or_array, require_beam_energy, require_not_negative, require_positive
from nanoslab.beam.closed_form import Escape
from nanoslab.beam.constants import ELECTRON_REST_ENERGY_EV
from nanoslab.beam.cross_section import named_exit
from nanoslab.beam.kinematics import electron_speed
from nanoslab.beam.tables.measured import MeasuredCrossSection
from nanoslab.beam.totals import Target, total_cross_section
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

#: fastest an atom is gone: some Å at the speed that a threshold of some eV gives [s]
ESCAPE_TIME_S = 1e-13


@dataclass(frozen=True, slots=True, kw_only=True)
class Excitation:
    """How the beam loosens atoms.

    Attributes
    ----------
    threshold_energy
        Energy that an atom needs to leave from the excited state [eV].
    probability
        Chance that an electron which strikes the atom has excited it, at the reference energy, without decay.
    reference_energy_keV
        Beam energy of that chance [keV].
    excitation_energy
        W, the energy that an excitation takes [eV]; enters by its logarithm.
    lifetime_s
        τ of the excitation [s]; infinite leaves it, 0 switches it off.
    escape_time_s
        t that the atom needs to leave [s].
    """

    threshold_energy: float
    probability: float
    reference_energy_keV: float = 60.0
    excitation_energy: float = 10.36
    lifetime_s: float = float("inf")
    escape_time_s: float = ESCAPE_TIME_S

    def __post_init__(self) -> None:
        require_positive("excited threshold", self.threshold_energy, "eV")
        require_beam_energy(self.reference_energy_keV)
        require_positive("excitation energy", self.excitation_energy, "eV")
        require_positive("escape time", self.escape_time_s, "s")
        if not 0 <= self.probability <= 1:
            raise InputError("probability of excitation", expected="0 to 1", got=self.probability)
        if not self.lifetime_s >= 0:
            raise InputError("lifetime", expected="0 s or more", got=self.lifetime_s)

    def chance(self, beam_energy_keV: ArrayLike) -> Any:
        """P at beam energies [keV], at most 1."""
        if self.lifetime_s == 0:
            return 0.0 * number_or_array(beam_energy_keV)
        grown = _bethe(beam_energy_keV, self.excitation_energy) / _bethe(
            self.reference_energy_keV, self.excitation_energy
        )
        lives = exp(-self.escape_time_s / self.lifetime_s)
        chance = np.minimum(self.probability * lives * grown, 1.0)
        return chance if np.ndim(chance) else float(chance)


def ionisation_assisted_cross_section(
    target: Target,
    beam_energy_keV: ArrayLike,
    threshold_energy: float,
    excitation: Excitation,
    *,
    escape: Escape = "spherical",
) -> Any:
    """Cross-section for displacement from the ground state and from the excited state together [barn].

    Parameters
    ----------
    target
        How the atom scatters and moves, such as `natural_target`.
    beam_energy_keV
        [keV]; a number or an array.
    threshold_energy
        Of the ground state [eV].
    excitation
        How the beam loosens atoms.

    Examples
    --------
    >>> from nanoslab.beam import natural_target
    >>> ionised = Excitation(threshold_energy=0.66, probability=5.2e-4)
    >>> ionisation_assisted_cross_section(natural_target("S"), [60, 80], 6.71, ionised).round(1)
    array([4.2, 5.2])
    """
    require_positive("threshold energy", threshold_energy, "eV")
    way = named_exit(escape)
    chance = excitation.chance(beam_energy_keV)
    ground = total_cross_section(target, beam_energy_keV, threshold_energy, way)
    if not np.any(chance):
        return ground
    excited = total_cross_section(target, beam_energy_keV, excitation.threshold_energy, way)
    return (1 - chance) * ground + chance * excited


class ExcitationFit(NamedTuple):
    """A fit to measured cross-sections.

    Attributes
    ----------
    threshold_energy
        Of the ground state [eV].
    excitation
        The excited state.
    deviations
        (model - measured)/error of every point.
    """

    threshold_energy: float
    excitation: Excitation
    deviations: tuple[float, ...]


def fit_excitation(
    target: Target, measured: Sequence[MeasuredCrossSection], threshold_energy: float, excitation: Excitation
) -> ExcitationFit:
    """Thresholds of ground and excited state and the chance of excitation that meet measured cross-sections best.

    Parameters
    ----------
    target
        How the atom scatters and moves.
    measured
        Three points or more.
    threshold_energy, excitation
        Where the search starts; what is not fitted (W, lifetime) stays.
    """
    from scipy.optimize import least_squares

    if len(measured) < 3:
        raise InputError("measured cross-sections", expected="three points or more", got=len(measured))
    kilovolts, barns, errors = np.array(measured, dtype=float).T
    require_not_negative("measured cross-sections", barns, "barn")
    require_positive("errors of the measured cross-sections", errors, "barn")

    def deviations(logs: Array) -> Array:
        ground, excited, probability = np.exp(logs)
        trial = replace(excitation, threshold_energy=float(excited), probability=float(min(probability, 1.0)))
        model = ionisation_assisted_cross_section(target, kilovolts, float(ground), trial)
        return np.asarray((model - barns) / errors)

    start = np.log([threshold_energy, excitation.threshold_energy, excitation.probability])
    found = least_squares(deviations, start, x_scale=[0.01, 0.1, 0.1], diff_step=1e-4)
    ground, excited, probability = np.exp(found.x)
    best = replace(excitation, threshold_energy=float(excited), probability=float(min(probability, 1.0)))
    return ExcitationFit(float(ground), best, tuple(deviations(found.x).tolist()))


def _bethe(beam_energy_keV: ArrayLike, excitation_energy: float) -> Any:
    """Bethe's cross-section up to a factor; 0 where the form is negative."""
    require_beam_energy(beam_energy_keV)
    beta2 = np.asarray(electron_speed(beam_energy_keV)) ** 2
    bracket = np.log(2 * ELECTRON_REST_ENERGY_EV * beta2 / (1 - beta2) / excitation_energy) - beta2
    return np.maximum(bracket, 0) / beta2
