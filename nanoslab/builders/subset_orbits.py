"""Subsets that a permutation group makes the same: how many there are, and one of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Permutations = NDArray[np.intp]
_WORD = 64
_CHUNK = 1 << 18


def count_orbits(permutations: Permutations, size: int) -> int:
    """Number of kinds of subsets of a size, without making them (Cauchy-Frobenius, also called Burnside).

    `permutations` holds every element of the group once, shape (n_operations, n_points).
    """
    cycle_types = Counter(_cycle_lengths(row) for row in permutations)
    fixed = sum(times * _fixed_subsets(lengths, size) for lengths, times in cycle_types.items())
    return fixed // len(permutations)


def enumerate_orbits(
    permutations: Permutations, size: int, levels: NDArray[np.intp] | None = None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """One subset of every kind, shape (n_kinds, size) in dictionary order, and how many are of its kind, (n_kinds,).

    Subsets grow one point at a time, and only those that are the first of their kind in dictionary order grow on: the
    beginning of such a subset is itself the first of its kind, so none is missed and none comes twice
    (orderly generation, Read 1978, doi:10.1016/S0167-5060(08)70325-X). With `levels`, shape (n_points,) and rising, the
    j-th point of a subset must have level j.
    """
    n_points = permutations.shape[1]
    if levels is None and 2 * size > n_points:
        rest, degeneracies = enumerate_orbits(permutations, n_points - size)
        # the complements of the rising subsets of a size fall in dictionary order
        return _complements(rest, n_points)[::-1], degeneracies[::-1]
    subsets = np.empty((1, 0), dtype=np.intp)
    stabilizers = np.array([len(permutations)], dtype=np.intp)
    for level in range(size):
        kept = [_first_of_kind(children, permutations) for children in _grown(subsets, n_points, level, levels)]
        subsets = np.concatenate([part[0] for part in kept])
        stabilizers = np.concatenate([part[1] for part in kept])
    return subsets, len(permutations) // stabilizers


def _grown(
    subsets: NDArray[np.intp], n_points: int, level: int, levels: NDArray[np.intp] | None
) -> Iterator[NDArray[np.intp]]:
    """Every subset with one later point more, in portions."""
    allowed = np.arange(n_points) if levels is None else np.flatnonzero(levels == level)
    portion = max(1, _CHUNK // max(1, len(allowed)))
    for start in range(0, len(subsets), portion):
        part = subsets[start : start + portion]
        last = part[:, -1] if level else np.full(len(part), -1)
        parents, points = np.nonzero(allowed[None, :] > last[:, None])
        yield np.column_stack([part[parents], allowed[points]])


def _first_of_kind(subsets: NDArray[np.intp], permutations: Permutations) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Subsets that come first of all their images, and how many permutations leave each as it is."""
    weights = _weights(permutations.shape[1])
    own = weights[subsets].sum(axis=1, dtype=np.uint64)
    alive = np.arange(len(subsets))
    stabilizers = np.zeros(len(subsets), dtype=np.intp)
    for permutation in permutations:
        images = weights[permutation[subsets[alive]]].sum(axis=1, dtype=np.uint64)
        earlier = np.zeros(len(alive), dtype=bool)
        equal = np.ones(len(alive), dtype=bool)
        for word in range(weights.shape[1]):
            earlier |= equal & (images[:, word] > own[alive, word])
            equal &= images[:, word] == own[alive, word]
        stabilizers[alive] += equal
        alive = alive[~earlier]
    return subsets[alive], stabilizers[alive]


def _weights(n_points: int) -> NDArray[np.uint64]:
    """One bit per point, the first point the highest: the larger sum is the earlier subset of two of one size."""
    points = np.arange(n_points)
    weights = np.zeros((n_points, -(-n_points // _WORD)), dtype=np.uint64)
    weights[points, points // _WORD] = np.uint64(1) << (_WORD - 1 - points % _WORD).astype(np.uint64)
    return weights


def _complements(subsets: NDArray[np.intp], n_points: int) -> NDArray[np.intp]:
    inside = np.zeros((len(subsets), n_points), dtype=bool)
    np.put_along_axis(inside, subsets, True, axis=1)
    return np.nonzero(~inside)[1].reshape(len(subsets), n_points - subsets.shape[1])


def _cycle_lengths(permutation: NDArray[np.intp]) -> tuple[int, ...]:
    points = np.arange(len(permutation))
    graph = csr_array((np.ones(len(points)), (points, permutation)), shape=(len(points), len(points)))
    return tuple(sorted(np.bincount(connected_components(graph)[1]).tolist()))


def _fixed_subsets(lengths: tuple[int, ...], size: int) -> int:
    """Subsets of a size made of whole cycles: the coefficient of x^size in the product of (1 + x^length)."""
    ways = [1] + [0] * size
    for length in lengths:
        for total in range(size, length - 1, -1):
            ways[total] += ways[total - length]
    return ways[size]
