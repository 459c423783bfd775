"""Energy of two facets against the gap between them: the minimum, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from nanoslab.errors import InputError

#: fewest gaps through which a spline says anything
FEWEST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class GapMinimum:
    """Lowest point of a spline: gap [Å], its jackknife standard deviation, energy [eV], second derivative [eV/Å²]."""

    gap: float
    energy: float
    uncertainty: float
    stiffness: float


def gap_minimum(gaps: Sequence[float], energies: Sequence[float]) -> GapMinimum:
    """Minimum of a cubic spline through the energies [eV] at different gaps [Å], in any order.

    Raises
    ------
    InputError
        There are fewer than five gaps, or the lowest energy is at an end of the range: the minimum lies outside.

    Examples
    --------
    >>> gaps = [4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    >>> minimum = gap_minimum(gaps, [0.1 * (gap - 6.3) ** 2 - 1.0 for gap in gaps])
    >>> round(minimum.gap, 6), round(minimum.energy, 6), round(minimum.stiffness, 6), minimum.uncertainty < 1e-6
    (6.3, -1.0, 0.2, True)
    """
    order = np.argsort(gaps)
    x, y = np.asarray(gaps, dtype=float)[order], np.asarray(energies, dtype=float)[order]
    if len(x) < FEWEST or len(x) != len(y) or np.any(np.diff(x) <= 0) or not np.isfinite([x, y]).all():
        raise InputError("gaps", expected=f"at least {FEWEST} different gaps with energies", got=x.tolist())
    lowest = int(y.argmin())
    if lowest in (0, len(x) - 1):
        end, more = ("narrowest", "narrower") if lowest == 0 else ("widest", "wider")
        got = f"the lowest energy at {x[lowest]:g} Å, the {end}"
        raise InputError("gaps", expected="gaps on both sides of the minimum", got=got, advice=f"compute {more} ones")
    place, energy, stiffness = _lowest_of_spline(x, y)
    others = np.array([_lowest_of_spline(np.delete(x, n), np.delete(y, n))[0] for n in range(len(x))])
    spread = float(np.sqrt((len(x) - 1) / len(x) * np.sum((others - others.mean()) ** 2)))
    return GapMinimum(gap=place, energy=energy, uncertainty=spread, stiffness=stiffness)


def next_gaps(gaps: Sequence[float], energies: Sequence[float]) -> tuple[float, ...]:
    """Two gaps beyond the end of the range [Å] that holds the lowest energy [eV]; none where it lies inside.

    They go on with the spacing at that end, and stay above 1 Å.

    Examples
    --------
    >>> next_gaps([4.0, 4.5, 5.0], [-2.0, -1.0, -0.5]), next_gaps([4.0, 4.5, 5.0], [-1.0, -2.0, -0.5])
    ((3.5, 3.0), ())
    """
    order = np.argsort(gaps)
    x, lowest = np.asarray(gaps, dtype=float)[order], int(np.argmin(np.asarray(energies)[order])) if len(gaps) else 0
    if len(x) < 2 or 0 < lowest < len(x) - 1:
        return ()
    end, step = (x[0], x[0] - x[1]) if lowest == 0 else (x[-1], x[-1] - x[-2])
    return tuple(round(float(gap), 3) for gap in (end + step, end + 2 * step) if gap > 1.0)


def _lowest_of_spline(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float, float]:
    spline = CubicSpline(x, y)
    stationary = spline.derivative().roots(extrapolate=False)
    places = np.array([x[0], x[-1], *stationary[np.isfinite(stationary)]])
    best = float(places[np.argmin(spline(places))])
    return best, float(spline(best)), float(spline(best, 2))
