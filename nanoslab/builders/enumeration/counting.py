"""How many kinds of subsets there are, and subsets that a permutation leaves as they are, without making the others."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from math import comb, prod

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from nanoslab.builders.enumeration.orbits import Choice

#: (class, length) of every cycle of a permutation, sorted
Cycles = tuple[tuple[int, int], ...]


def count_orbits(choice: Choice) -> int:
    """Number of kinds of subsets (Cauchy-Frobenius, also called Burnside); conflicts must be none."""
    return sum(times * _ways(cycles, choice.sizes) for cycles, times in cycle_types(choice).items()) // len(
        choice.permutations
    )


def count_subsets(choice: Choice) -> int:
    """Number of all subsets: a product of binomial coefficients."""
    lengths = (end - start for start, end in zip(choice.starts, choice.ends, strict=True))
    return prod(comb(n, k) for n, k in zip(lengths, choice.sizes, strict=True))


def cycle_types(choice: Choice) -> Counter[Cycles]:
    """How many permutations have which cycles."""
    return Counter(_cycles(choice, row)[0] for row in choice.permutations)


class FixedSubsets:
    """Subsets that one permutation leaves as they are: unions of whole cycles.

    Parameters
    ----------
    choice
        What is asked.
    permutation
        Shape (n_points,).
    """

    def __init__(self, choice: Choice, permutation: NDArray[np.intp]) -> None:
        self.choice = choice
        cycles, self.labels = _cycles(choice, permutation)
        classes = np.searchsorted(choice.ends, np.arange(choice.n_points), side="right")
        self.of_class = [np.unique(self.labels[classes == c]) for c in range(len(choice.sizes))]
        self.lengths = np.bincount(self.labels, minlength=choice.n_points)
        self.number = _ways(cycles, choice.sizes)
        self.plain = permutation.tolist() == list(range(choice.n_points))

    def draw(self, source: random.Random) -> NDArray[np.intp]:
        """One of them, all equally likely, shape (size,)."""
        taken: list[int] = []
        for cycles, size in zip(self.of_class, self.choice.sizes, strict=True):
            lengths = self.lengths[cycles].tolist()
            tails = [_polynomial(lengths[i:], size) for i in range(len(lengths) + 1)]
            left = size
            for i, length in enumerate(lengths):
                with_it = tails[i + 1][left - length] if length <= left else 0
                if source.randrange(tails[i][left]) < with_it:
                    taken.append(int(cycles[i]))
                    left -= length
        return np.flatnonzero(np.isin(self.labels, taken))


def _cycles(choice: Choice, permutation: NDArray[np.intp]) -> tuple[Cycles, NDArray[np.intp]]:
    """Class and length of every cycle, and the cycle of every point."""
    points = np.arange(choice.n_points)
    graph = csr_array((np.ones(len(points)), (points, permutation)), shape=(len(points), len(points)))
    labels = connected_components(graph)[1]
    first = np.unique(labels, return_index=True)[1]
    classes = np.searchsorted(choice.ends, first, side="right")
    return tuple(sorted(zip(classes.tolist(), np.bincount(labels).tolist(), strict=True))), labels


def _ways(cycles: Cycles, sizes: Sequence[int]) -> int:
    """Unions of whole cycles of the sizes asked for, a factor for every class."""
    return prod(_polynomial([length for c, length in cycles if c == one], k)[k] for one, k in enumerate(sizes))


def _polynomial(lengths: Sequence[int], size: int) -> list[int]:
    """Coefficients of the product of (1 + x^length) up to x^size."""
    ways = [1] + [0] * size
    for length in lengths:
        for total in range(size, length - 1, -1):
            ways[total] += ways[total - length]
    return ways
