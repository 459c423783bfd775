"""Sheets of many compositions on one scale: free energies over many ways to lose atoms, lower hulls, crossings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from ase.units import kB
from numpy.typing import ArrayLike, NDArray

from nanoslab.energetics.phase_order import phase_changes
from nanoslab.energetics.vacancy import formation_energy_per_atom
from nanoslab.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """Ways in which a sheet can have one composition.

    Attributes
    ----------
    phase
        Which sheet.
    counts
        Element -> atoms left in the cell, cations first.
    energies
        Of every way that was computed, shape (n,) [eV per cell].
    weights
        How many ways each stands for: its degeneracy, or its share of all where ways were drawn at random; shape (n,).
    """

    phase: str
    counts: Mapping[str, int]
    energies: Array
    weights: Array

    def __post_init__(self) -> None:
        self.energies.flags.writeable = self.weights.flags.writeable = False

    @property
    def n_atoms(self) -> int:
        """Atoms in the cell."""
        return sum(self.counts.values())

    @property
    def anion_to_cation(self) -> float:
        """Atoms of the second element for each of the first."""
        cations, anions = self.counts.values()
        return anions / cations

    def free_energy(self, temperature: float) -> float:
        """Free energy of the cell with the entropy of its ways [eV]; see `configurational_free_energy`."""
        return configurational_free_energy(self.energies, self.weights, temperature)


@dataclass(frozen=True, slots=True, kw_only=True)
class HullPoint:
    """One composition of one phase at one temperature.

    Attributes
    ----------
    phase, counts, anion_to_cation
        As in `Ensemble`.
    formation_energy
        Free energy less that of the crystalline elements [eV per atom].
    above_hull
        Height above the lower hull of all sheets of all phases, straight between compositions [eV per atom].
    limits
        Name of the chemical potentials, such as ``rich:Cd`` -> free energy less that of the atoms there [eV per cell].
    """

    phase: str
    counts: Mapping[str, int]
    anion_to_cation: float
    formation_energy: float
    above_hull: float
    limits: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Composition at which another phase becomes the lower one, with what the uncertainty of energies leaves open.

    Attributes
    ----------
    before, after
        Lower phase with more anions, and with fewer.
    anion_to_cation
        Of the crossing; None where it lies beyond the compositions computed.
    interval
        Smallest and largest composition within the uncertainty; None on a side where it lies beyond those computed.
    """

    before: str
    after: str
    anion_to_cation: float | None
    interval: tuple[float | None, float | None]


def configurational_free_energy(energies: ArrayLike, weights: ArrayLike, temperature: float) -> float:
    """F = E_min - kT ln sum_i w_i exp(-(E_i - E_min) / kT) [eV]; the smallest energy at 0 K.

    Parameters
    ----------
    energies
        Of every way, shape (n,) [eV].
    weights
        How many ways each stands for, shape (n,).
    temperature
        [K].
    """
    values, numbers = np.asarray(energies, dtype=float), np.asarray(weights, dtype=float)
    if values.ndim != 1 or not values.size or values.shape != numbers.shape or not (numbers > 0).all():
        raise InputError("ensemble", expected="energies, each with a weight above 0", got=f"{values.size} energies")
    if not 0 <= temperature < np.inf:
        raise InputError("temperature", expected="at least 0 K", got=temperature)
    lowest = float(values.min())
    if temperature == 0:
        return lowest
    thermal = kB * temperature
    return float(lowest - thermal * np.log(numbers @ np.exp(-(values - lowest) / thermal)))


def lower_hull(x: ArrayLike, y: ArrayLike) -> NDArray[np.intp]:
    """Indices of the points that span the lower convex hull, by rising x (monotone chain, Andrew 1979)."""
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    chain: list[int] = []
    for i in np.lexsort((ys, xs)).tolist():
        if chain and xs[chain[-1]] == xs[i]:
            continue  # above one of the same composition
        while len(chain) > 1:
            a, b = chain[-2:]
            if (xs[b] - xs[a]) * (ys[i] - ys[a]) > (ys[b] - ys[a]) * (xs[i] - xs[a]):
                break
            chain.pop()
        chain.append(i)
    return np.array(chain, dtype=np.intp)


def heights_above_hull(x: ArrayLike, y: ArrayLike) -> Array:
    """How far every point lies above the lower hull of all, in the unit of y."""
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    corners = lower_hull(xs, ys)
    return np.asarray(ys - np.interp(xs, xs[corners], ys[corners]))


def sheet_hull(
    ensembles: Sequence[Ensemble],
    elements: Mapping[str, float],
    limits: Mapping[str, Mapping[str, float]],
    temperature: float,
    vibrations: Mapping[str, float] | None = None,
) -> tuple[HullPoint, ...]:
    """Free energies of formation of sheets of all compositions and phases, with their heights above their hull.

    Compositions are those of atoms, x = anions / all atoms, so that a straight line is a mixture of two sheets. The
    crystalline elements are the zero and no corners of the hull: a sheet that may fall apart into crystals lies above
    the hull with them whatever its vacancies.

    Parameters
    ----------
    ensembles
        One per phase and composition.
    elements
        Chemical potentials of the crystalline elements [eV per atom].
    limits
        Name -> chemical potentials at which excess energies are wanted [eV per atom].
    temperature
        [K].
    vibrations
        Phase -> vibrational free energy at that temperature [eV per atom], the same at all its compositions.
    """
    free = [one.free_energy(temperature) + (vibrations or {}).get(one.phase, 0.0) * one.n_atoms for one in ensembles]
    formed = [_formation(energy, one.counts, elements) for energy, one in zip(free, ensembles, strict=True)]
    shares = [list(one.counts.values())[1] / one.n_atoms for one in ensembles]
    heights = heights_above_hull(shares, formed)
    return tuple(
        HullPoint(
            phase=one.phase,
            counts=one.counts,
            anion_to_cation=one.anion_to_cation,
            formation_energy=formation,
            above_hull=float(height),
            limits={
                name: energy - sum(n * potentials[element] for element, n in one.counts.items())
                for name, potentials in limits.items()
            },
        )
        for one, energy, formation, height in zip(ensembles, free, formed, heights, strict=True)
    )


def crossings(points: Sequence[HullPoint], uncertainty: float) -> tuple[Crossing, ...]:
    """Where the lower of two phases changes, from many anions to few, with the interval of an uncertainty.

    Each phase counts with its own lower hull: a sheet of it may hold regions of two compositions.

    Parameters
    ----------
    points
        Of one temperature.
    uncertainty
        Of a difference between two phases [eV per atom]; the interval is that of the difference shifted up and down
        by it.
    """
    curves: dict[str, list[tuple[float, float]]] = {}
    for phase in dict.fromkeys(point.phase for point in points):
        own = [point for point in points if point.phase == phase]
        shares = [point.anion_to_cation / (1 + point.anion_to_cation) for point in own]
        energies = [point.formation_energy for point in own]
        curves[phase] = [(shares[i], energies[i]) for i in lower_hull(shares, energies)]
    found = []
    for before, after in permutations(curves, 2):
        here, early, late = (_changes(curves, before, after, shift) for shift in (0.0, -uncertainty, uncertainty))
        middles: list[float | None] = [*here] or ([None] if early or late else [])
        for middle in middles:
            highest = min((x for x in early if middle is None or x >= middle), default=None)
            lowest = max((x for x in late if middle is None or x <= middle), default=None)
            found.append(Crossing(before=before, after=after, anion_to_cation=middle, interval=(lowest, highest)))
    return tuple(sorted(found, key=lambda one: -(one.anion_to_cation or one.interval[1] or one.interval[0] or 0)))


def _changes(curves: Mapping[str, Sequence[tuple[float, float]]], before: str, after: str, shift: float) -> list[float]:
    """Anions per cation at which `after`, raised by a shift, comes below `before`."""
    pair = {before: curves[before], after: [(x, y + shift) for x, y in curves[after]]}
    changes = [one.anion_to_cation for one in phase_changes(pair) if (one.before, one.after) == (before, after)]
    return [round(share / (1 - share), 6) for share in changes]


def _formation(energy: float, counts: Mapping[str, int], elements: Mapping[str, float]) -> float:
    found = formation_energy_per_atom(energy, counts, elements)
    if found is None:
        missing = ", ".join(sorted(counts.keys() - elements.keys()))
        raise InputError("elements", expected=f"the energy of crystalline {missing}", got="none")
    return found
