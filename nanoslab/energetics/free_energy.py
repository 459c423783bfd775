"""Which of two phases of one composition is stable at which temperature.

F(T) = E + F_vib(T) per atom: static energy of the undisplaced cell and harmonic vibrations about it, at fixed cells.
Imaginary modes have no free energy; every answer is given with them left out and with them counted as real.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import gcd
from typing import Any

import numpy as np
from ase.formula import Formula
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline

from nanoslab.calculation import CalculationResult
from nanoslab.energetics.consistency import OTHER_PHASE, require_comparable, require_energy
from nanoslab.energetics.phonon import ThermalProperties
from nanoslab.errors import InputError, MismatchError

#: smaller differences are noise of forces converged to 0.001 eV/Å, not an order of phases [eV per atom]
RESOLUTION = 1e-5
#: roots nearer than this are one, found in two neighbouring intervals [K]
SAME_ROOT = 1e-6

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A structure with its vibrations per atom and its static energy."""

    name: str
    #: result of the undisplaced cell or supercell, at the level of theory of the forces; `comparable` may also hold the
    #: ``displacement`` [Å] behind them
    static: CalculationResult
    thermal: ThermalProperties

    @property
    def composition(self) -> dict[str, int]:
        """Counts of the elements, divided by what they have in common."""
        counts = Counter(sorted(_symbols(self.static)))
        common = gcd(*counts.values())
        return {element: count // common for element, count in counts.items()}

    @property
    def energy_per_atom(self) -> float:
        """Static energy [eV per atom]."""
        return require_energy(self.static) / len(_symbols(self.static))

    @property
    def free_energy(self) -> Array:
        """E + F_vib at the temperatures of `thermal`, imaginary modes left out [eV per atom]."""
        return np.asarray(self.energy_per_atom + self.thermal.free_energy)

    @property
    def free_energy_imaginary_as_real(self) -> Array:
        """The same with imaginary modes at the absolute value of their frequency [eV per atom]."""
        return np.asarray(self.energy_per_atom + self.thermal.free_energy_imaginary_as_real)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseComparison:
    """Free energy of a phase less that of a reference; negative where it is the stable one; mismatches in notes."""

    phase: Phase
    reference: Phase
    notes: tuple[str, ...] = ()

    @property
    def temperatures(self) -> Array:
        """Temperatures in increasing order, each once [K]."""
        return np.unique(self.phase.thermal.temperatures)

    @property
    def static_difference(self) -> float:
        """Difference of the static energies alone [eV per atom]."""
        return self.phase.energy_per_atom - self.reference.energy_per_atom

    @property
    def difference(self) -> Array:
        """Difference of E + F_vib at the temperatures, imaginary modes left out [eV per atom]."""
        return self._less(lambda one: one.free_energy)

    @property
    def difference_imaginary_as_real(self) -> Array:
        """The same with imaginary modes at the absolute value of their frequency [eV per atom]."""
        return self._less(lambda one: one.free_energy_imaginary_as_real)

    @property
    def crossings(self) -> tuple[float, ...]:
        """Where the difference changes its sign between the lowest and the highest temperature [K]."""
        return _crossings(self.temperatures, self.difference, -self._less(lambda one: one.thermal.entropy))

    @property
    def crossings_imaginary_as_real(self) -> tuple[float, ...]:
        """The same with imaginary modes at the absolute value of their frequency [K]."""
        entropy = self._less(lambda one: one.thermal.entropy_imaginary_as_real)
        return _crossings(self.temperatures, self.difference_imaginary_as_real, -entropy)

    def _less(self, values: Callable[[Phase], Array]) -> Array:
        increasing = np.unique(self.phase.thermal.temperatures, return_index=True)[1]
        return np.asarray(values(self.phase) - values(self.reference))[increasing]

    @property
    def undecided_temperatures(self) -> tuple[float, ...]:
        """Temperatures at which the sign of the difference depends on how imaginary modes are counted [K]."""
        differs = _signs(self.difference) != _signs(self.difference_imaginary_as_real)
        return tuple(self.temperatures[differs].tolist())

    @property
    def reading(self) -> str:
        """The answer in words, with what depends on imaginary modes."""
        answer = self._stable(self.difference, self.crossings)
        both = ((phase.name, phase.thermal) for phase in (self.phase, self.reference))
        counts = [f"{one.n_imaginary} of {one.n_modes} of {name}" for name, one in both if one.n_imaginary]
        if not counts:
            return f"{answer}. No mode is imaginary."
        shift = 1e3 * float(np.abs(self.difference_imaginary_as_real - self.difference).max())
        other = self._stable(self.difference_imaginary_as_real, self.crossings_imaginary_as_real)
        at = ", ".join(f"{t:g}" for t in self.undecided_temperatures)
        depends = f"At {at} K the answer depends on them and is not to be relied on"
        return (
            f"{answer}. That leaves out imaginary modes ({', '.join(counts)}); counted as real they shift the "
            f"difference by {shift:.2f} meV/atom at most, and {other}. "
            f"{depends if at else 'At no temperature does the sign change'}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values with units in the keys."""
        return {
            "phase": self.phase.name,
            "reference": self.reference.name,
            "static_difference_meV_per_atom": 1e3 * self.static_difference,
            "difference_meV_per_atom": (1e3 * self.difference).tolist(),
            "difference_imaginary_as_real_meV_per_atom": (1e3 * self.difference_imaginary_as_real).tolist(),
            "crossing_temperatures_K": list(self.crossings),
            "crossing_temperatures_imaginary_as_real_K": list(self.crossings_imaginary_as_real),
            "hangs_on_imaginary_modes_at_K": list(self.undecided_temperatures),
            "reading": self.reading,
            "notes": list(self.notes),
        }

    def _stable(self, difference: Array, crossings: Sequence[float]) -> str:
        bounds = [float(self.temperatures[0]), *crossings, float(self.temperatures[-1])]
        whole = f"at {bounds[0]:g} K" if bounds[0] == bounds[-1] else f"from {bounds[0]:g} to {bounds[-1]:g} K"
        if not _signs(difference).any():
            return f"{self.phase.name} and {self.reference.name} are alike within {1e3 * RESOLUTION:g} meV/atom {whole}"
        # the sign changes at every crossing, so the end that lies further from zero tells the sign at the start
        start = max(difference[0], difference[-1] * (-1) ** len(crossings), key=abs)
        first, second = (self.phase.name, self.reference.name)[:: 1 if start < 0 else -1]
        if not crossings:
            low, high = 1e3 * np.abs(difference).min(), 1e3 * np.abs(difference).max()
            return f"{first} is more stable {whole}, by {low:.2f} to {high:.2f} meV/atom"
        spans = [f"from {low:.0f} to {high:.0f} K" for low, high in pairwise(bounds)]
        later = [f"{(first, second)[i % 2]} {span}" for i, span in enumerate(spans) if i]
        return ", ".join([f"{first} is more stable {spans[0]}", *later])


def compare_phases(phase: Phase, reference: Phase, *, allow_mismatch: bool = False) -> PhaseComparison:
    """Subtract the free energy of a reference from that of another phase of the same composition.

    Crossings lie on the cubic through the differences whose slopes are the differences of entropy. Differences of
    settings may be noted instead of refused.

    Raises
    ------
    MismatchError
        The compositions or the levels of theory differ, or a static run is not converged.
    InputError
        The temperatures differ.
    """
    formula, wanted = (str(Formula.from_dict(one.composition)) for one in (phase, reference))
    if formula != wanted:
        expected = f"the composition of {reference.static.path}, {wanted}"
        advice = "compare phases of one composition; losing atoms is what 'nanoslab formation' is for"
        raise MismatchError(phase.static.path, expected=expected, got=formula, advice=advice)
    notes = require_comparable(phase.static, reference.static, OTHER_PHASE, allow_mismatch=allow_mismatch)
    for one in (phase, reference):
        require_energy(one.static)
    ours, theirs = phase.thermal, reference.thermal
    if not np.array_equal(ours.temperatures, theirs.temperatures):
        expected = f"those of {reference.name}, {theirs.temperatures.tolist()} K"
        got, advice = ours.temperatures.tolist(), "compute both at the same --temperatures"
        raise InputError(f"temperatures of {phase.name}", expected=expected, got=got, advice=advice)
    return PhaseComparison(phase=phase, reference=reference, notes=notes)


def _symbols(result: CalculationResult) -> list[str]:
    if result.atoms is None or not len(result.atoms):
        raise InputError(result.path, expected="a result with a structure", got="none")
    symbols: list[str] = result.atoms.get_chemical_symbols()
    return symbols


def _signs(difference: Array) -> NDArray[np.int64]:
    return np.where(np.abs(difference) < RESOLUTION, 0, np.sign(difference)).astype(np.int64)


def _crossings(temperatures: Array, difference: Array, slope: Array) -> tuple[float, ...]:
    """Temperatures at which a difference with known slopes changes its sign; touching zero is no change."""
    if len(temperatures) < 2 or not _signs(difference).any():
        return ()
    curve = CubicHermiteSpline(temperatures, difference, slope)
    found = np.sort(curve.roots(extrapolate=False))
    roots = found[np.isfinite(found)]
    roots = roots[np.diff(roots, prepend=-np.inf) > SAME_ROOT]
    bounds = np.concatenate([temperatures[:1], roots, temperatures[-1:]])
    between = _signs(curve((bounds[1:] + bounds[:-1]) / 2))
    # spans where the difference is noise belong to neither phase: what lies on both sides of them decides
    clear = np.flatnonzero(between)
    return tuple(
        float(bounds[before + 1] + bounds[after]) / 2
        for before, after in pairwise(clear)
        if between[before] != between[after]
    )
