"""Which ways go on to a dearer level of theory: the lowest, and those that differ most from what is chosen already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.slab_geometry import slab_heights
from nanoslab.studies.off_stoichiometry.record import Way, with_least_energy

#: distances are smeared by this, so that sites that nearly coincide count as near [Å]
WIDTH = 0.5
LONGEST = 12.0


def chosen_ways(
    sheet: Atoms, ways: Sequence[Way], *, keep: int, farthest: int
) -> list[tuple[Way, Literal["lowest", "farthest"]]]:
    """Lowest ways of one composition, then the farthest from all chosen, each with the word for why."""
    ordered = with_least_energy(ways)
    chosen, rest = ordered[:keep], ordered[keep:]
    picked: list[tuple[Way, Literal["lowest", "farthest"]]] = [(way, "lowest") for way in chosen]
    if not farthest or not rest:
        return picked
    rows = fingerprints(sheet, [way.removed for way in ordered])
    marks = {way.identifier: row for way, row in zip(ordered, rows, strict=True)}
    for _ in range(min(farthest, len(rest))):
        distances = [
            min(float(np.linalg.norm(marks[w.identifier] - marks[c.identifier])) for c in chosen) for w in rest
        ]
        best = rest.pop(int(np.argmax(distances)))
        chosen.append(best)
        picked.append((best, "farthest"))
    return picked


def fingerprints(sheet: Atoms, sets: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """Where lost atoms lie: depths, and distances from one another, by elements and smeared, a row for each set."""
    grid = np.arange(0.0, LONGEST + WIDTH, WIDTH)
    heights = slab_heights(sheet)[0]
    depths = np.minimum(heights, heights.max() - heights)
    distances = sheet.get_all_distances(mic=True)
    symbols = sheet.get_chemical_symbols()
    elements = sorted(set(symbols))
    keys = [(one,) for one in elements] + [(a, b) for a in elements for b in elements if a <= b]
    rows = np.zeros((len(sets), len(keys), len(grid)))
    for row, removed in zip(rows, sets, strict=True):
        for place, i in enumerate(removed):
            row[keys.index((symbols[i],))] += _bell(grid, float(depths[i]))
            for j in removed[place + 1 :]:
                row[keys.index(tuple(sorted((symbols[i], symbols[j]))))] += _bell(grid, float(distances[i, j]))
    return rows.reshape(len(sets), -1)


def _bell(grid: NDArray[np.float64], value: float) -> NDArray[np.float64]:
    return np.asarray(np.exp(-(((grid - value) / WIDTH) ** 2) / 2))
