"""The threshold of one direction: bisected, or scanned upwards as the slow oracle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from nanoslab.beam.checks import require_positive
from nanoslab.beam.displacement.flight import Flight
from nanoslab.beam.displacement.outcome import OUTCOMES
from nanoslab.errors import InputError, unknown_name

Fly = Callable[[float], Flight]

#: factor by which a bracket that does not hold the threshold is moved
GROWTH = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for.

    Attributes
    ----------
    bracket
        Energies between which the threshold is expected [eV]; moved where it is not.
    tolerance
        Width of the interval that is left [eV].
    ceiling
        Highest energy tried [eV].
    counts
        Outcomes that count as displaced: ``left`` alone for a surface under the beam; with ``hopped`` and ``replaced``
        for damage that stays inside.
    """

    bracket: tuple[float, float] = (5.0, 25.0)
    tolerance: float = 0.1
    ceiling: float = 150.0
    counts: tuple[str, ...] = ("left",)

    def __post_init__(self) -> None:
        low, high = self.bracket
        if not 0 <= low < high <= self.ceiling < inf:
            raise InputError(
                "bracket", expected=f"two rising energies from 0 to {self.ceiling:g} eV", got=list(self.bracket)
            )
        require_positive("tolerance of the threshold", self.tolerance, "eV")
        for word in self.counts:
            if word not in OUTCOMES[:3]:
                raise unknown_name("counts", word, OUTCOMES[:3])
        if not self.counts:
            raise InputError("counts", expected=f"one or more of {', '.join(OUTCOMES[:3])}", got="none")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundThreshold:
    """The threshold of one direction lies between two flights.

    Attributes
    ----------
    low, high
        Highest energy below that did not displace, 0 if none was tried, and lowest that did, infinite if none up to
        the ceiling [eV].
    flights
        All of them, by energy.
    """

    low: float
    high: float
    flights: tuple[Flight, ...]

    @property
    def energy(self) -> float:
        """Middle of the interval [eV]; infinite where nothing displaced."""
        return (self.low + self.high) / 2

    @property
    def drift(self) -> float:
        """Largest change of the total energy in any flight [eV]."""
        return max(flight.drift for flight in self.flights)

    @property
    def undecided(self) -> tuple[float, ...]:
        """Energies of flights whose time was over before they were decided [eV]."""
        return tuple(flight.energy for flight in self.flights if flight.outcome == "undecided")


def bisect_threshold(fly: Fly, search: Search = Search()) -> FoundThreshold:
    """Lowest energy that displaces, by bisection; outcomes are taken to change once in the bracket.

    Parameters
    ----------
    fly
        Flight at a transferred energy [eV]; asked for each energy once.
    search
        What is looked for.

    Examples
    --------
    >>> def fly(energy):
    ...     return Flight(energy, "left" if energy > 21.5 else "returned", None, 0.0, 100.0, 200, 1.2, 2.0)
    >>> found = bisect_threshold(fly)
    >>> found.low < 21.5 < found.high, found.high - found.low <= 0.1, len(found.flights)
    (True, True, 10)
    """
    flights: list[Flight] = []

    def displaces(energy: float) -> bool:
        flights.append(fly(energy))
        return flights[-1].outcome in search.counts

    low, high = search.bracket
    if displaces(high):
        while low > search.tolerance and displaces(low):
            low, high = low / GROWTH, low
        low = low if low > search.tolerance else 0.0
    else:
        while high < search.ceiling:
            low, high = high, min(high * GROWTH, search.ceiling)
            if displaces(high):
                break
        else:
            return _found(high, inf, flights)
    while high - low > search.tolerance:
        middle = (low + high) / 2
        low, high = (low, middle) if displaces(middle) else (middle, high)
    return _found(low, high, flights)


def scan_threshold(fly: Fly, energies: Sequence[float], counts: Sequence[str] = ("left",)) -> FoundThreshold:
    """Lowest energy that displaces, by trying rising energies one by one: the slow oracle of `bisect_threshold`.

    Examples
    --------
    >>> def fly(energy):
    ...     return Flight(energy, "left" if energy > 21.5 else "returned", None, 0.0, 100.0, 200, 1.2, 2.0)
    >>> found = scan_threshold(fly, [20.0, 21.0, 22.0, 23.0])
    >>> found.low, found.high
    (21.0, 22.0)
    """
    if not len(energies) or not np.all(np.diff(energies) > 0):
        raise InputError("energies of the scan", expected="rising numbers", got=list(energies))
    flights: list[Flight] = []
    below = 0.0
    for energy in energies:
        flights.append(fly(energy))
        if flights[-1].outcome in counts:
            return _found(below, energy, flights)
        below = energy
    return _found(below, inf, flights)


def _found(low: float, high: float, flights: Sequence[Flight]) -> FoundThreshold:
    return FoundThreshold(low=low, high=high, flights=tuple(sorted(flights, key=lambda flight: flight.energy)))
