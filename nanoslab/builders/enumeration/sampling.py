"""Kinds of subsets drawn at random where there are too many to enumerate.

Every kind alike: draw a permutation g with a chance proportional to the subsets that it leaves as they are, then one of
those. A kind of size |G|/|S| holds the same number of pairs (g, subset), |G|, whatever its size, so all kinds are
equally likely (Dixon and Wilf, J. Algorithms 4, 205 (1983)). Every subset alike: the identity alone.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from nanoslab.builders.enumeration.counting import FixedSubsets
from nanoslab.builders.enumeration.orbits import Choice, Masks, canonical
from nanoslab.errors import InputError

#: draws for each one kept, beyond which filters leave too little to be found by drawing
MOST_DRAWS = 2000
_PORTION = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """What was drawn.

    Attributes
    ----------
    masks, degeneracies, times
        Distinct kinds, how many subsets are of the kind, and how often it was drawn; shapes (n, n_words), (n,), (n,).
    n_draws
        Draws in all, those that a filter refused included.
    """

    masks: Masks
    degeneracies: NDArray[np.intp]
    times: NDArray[np.intp]
    n_draws: int

    @property
    def passing(self) -> float:
        """Share of all kinds (or subsets, if each was drawn alike) that pass the filters, as the draws estimate it."""
        return float(self.times.sum() / self.n_draws)


def draw_orbits(choice: Choice, number: int, *, seed: int, each_orbit_alike: bool) -> Draws:
    """Draw with replacement; see `Draws`.

    Raises
    ------
    InputError
        If the filters refuse nearly everything.
    """
    source = random.Random(seed)  # noqa: S311  # physics, not secrets; whole numbers of any size
    numbers = np.random.default_rng(source.randrange(1 << 63))
    fixed = [FixedSubsets(choice, row) for row in choice.permutations] if each_orbit_alike else []
    limits = list(accumulate(one.number for one in fixed))
    kept: list[Masks] = []
    n_kept = n_draws = 0
    while n_kept < number:
        portion = min(_PORTION, 2 * (number - n_kept) + 8)
        members = _plain(choice, numbers, portion)
        for row in range(portion) if each_orbit_alike else ():
            one = fixed[bisect_right(limits, source.randrange(limits[-1]))]
            if not one.plain:
                members[row] = one.draw(source)
        passing = np.arange(portion)
        if choice.conflicts is not None:
            pairs = choice.conflicts[members[:, :, None], members[:, None, :]]
            passing = np.flatnonzero(~pairs.reshape(portion, -1).any(axis=1))
        taken = passing[: number - n_kept]
        n_draws += portion if len(taken) < number - n_kept else int(taken[-1]) + 1
        n_kept += len(taken)
        kept.append(choice.masks(members[taken]))
        if n_draws > MOST_DRAWS * max(number, 50) and n_kept < number:
            raise InputError(
                "sample",
                expected=f"filters that leave at least one way in {MOST_DRAWS}",
                got=f"{n_kept} of {n_draws} draws",
                advice="widen them, or enumerate what they leave",
            )
    masks, degeneracies = canonical(choice, np.concatenate(kept))
    distinct, first, times = np.unique(masks, axis=0, return_index=True, return_counts=True)
    return Draws(masks=distinct, degeneracies=degeneracies[first], times=times, n_draws=n_draws)


def _plain(choice: Choice, numbers: np.random.Generator, portion: int) -> NDArray[np.intp]:
    """Subsets drawn alike, rising, shape (portion, size)."""
    parts = []
    for start, end, size in zip(choice.starts, choice.ends, choice.sizes, strict=True):
        if size:
            keys = numbers.random((portion, end - start))
            parts.append(start + np.sort(np.argpartition(keys, size - 1, axis=1)[:, :size], axis=1))
    return np.concatenate(parts, axis=1)
