"""Which ways go on to a dearer level of theory: the lowest, and those that differ most from what is chosen already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from nanoslab.builders.enumeration import Removal
from nanoslab.studies.off_stoichiometry.expansion import orbit_counts
from nanoslab.studies.off_stoichiometry.record import Way, with_least_energy


def chosen_ways(
    question: Removal, ways: Sequence[Way], *, keep: int, farthest: int
) -> list[tuple[Way, Literal["lowest", "farthest"]]]:
    """Lowest ways of one composition, then the farthest from all chosen in their sites and pairs, with the word why."""
    ordered = with_least_energy(ways)
    picked: list[tuple[Way, Literal["lowest", "farthest"]]] = [(way, "lowest") for way in ordered[:keep]]
    rows = orbit_counts(question, [way.removed for way in ordered])
    distances = np.linalg.norm(rows[:, None] - rows[None, : len(picked)], axis=2).min(axis=1, initial=np.inf)
    for _ in range(min(farthest, len(ordered) - len(picked))):
        best = int(np.argmax(distances))
        picked.append((ordered[best], "farthest"))
        distances = np.minimum(distances, np.linalg.norm(rows - rows[best], axis=1))
    return picked
