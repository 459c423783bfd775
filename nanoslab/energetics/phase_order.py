"""Which of several sheets is the most stable at a composition, and where that changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

Curve = list[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseChange:
    """Composition at which the most stable phase changes: the one with more anions before, with fewer after."""

    anion_to_cation: float
    before: str
    after: str


def phase_changes(curves: Mapping[str, Sequence[tuple[float, float]]]) -> tuple[PhaseChange, ...]:
    """Compositions at which the lowest of several curves is another one, from many anions to few.

    At equal composition the energies of formation per atom differ by the energies per atom alone, so the answer does
    not depend on the reference elements.

    Parameters
    ----------
    curves
        Phase -> (anions per cation, energy of formation from the elements [eV per atom]) of each sheet; of several
        sheets at one composition the lowest counts. Between them energies are interpolated on a straight line, beyond
        them a phase has none.

    Examples
    --------
    >>> phase_changes({"wurtzite": [(1.0, -0.76), (0.8, -0.64)], "zinc blende": [(1.0, -0.70), (0.8, -0.68)]})
    (PhaseChange(anion_to_cation=0.88, before='wurtzite', after='zinc blende'),)
    """
    lowest = {phase: _lowest(points) for phase, points in curves.items()}
    changes = []
    for one, other in combinations(lowest, 2):
        for composition, before, after in _crossings(one, lowest[one], other, lowest[other]):
            height = _energy(lowest[one], composition)
            rivals = [_energy(lowest[phase], composition) for phase in lowest if phase not in (one, other)]
            if all(np.isnan(rival) or rival >= height for rival in rivals):
                changes.append(PhaseChange(anion_to_cation=round(composition, 6), before=before, after=after))
    return tuple(sorted(changes, key=lambda change: -change.anion_to_cation))


def _lowest(points: Sequence[tuple[float, float]]) -> Curve:
    return sorted({x: min(other for same, other in points if same == x) for x, _ in points}.items())


def _energy(curve: Curve, composition: float) -> float:
    x, y = zip(*curve, strict=True)
    return float(np.interp(composition, x, y, left=np.nan, right=np.nan))


def _crossings(one: str, first: Curve, other: str, second: Curve) -> list[tuple[float, str, str]]:
    """Compositions where two piecewise straight curves cross, with the phase lower above and below each."""
    grid = sorted({x for x, _ in (*first, *second)}, reverse=True)
    differences = [(x, _energy(first, x) - _energy(second, x)) for x in grid]
    differences = [(x, difference) for x, difference in differences if not np.isnan(difference) and difference]
    found = []
    for (x, above), (lower_x, below) in pairwise(differences):
        if above * below < 0:
            crossing = x + (lower_x - x) * above / (above - below)
            found.append((crossing, one if above < 0 else other, one if below < 0 else other))
    return found
