"""Distances of atoms that stand on a lattice, from how often each lattice vector joins two of them.

The number of pairs that a lattice vector joins is the autocorrelation of the occupied sites (the Patterson function),
which a Fourier transform gives for all vectors at once: the distances of 100,000 atoms as cut from a crystal take a
fraction of a second, and are the same numbers as counted pair by pair.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfftn, next_fast_len, rfftn
from scipy.spatial import cKDTree

Array = NDArray[np.float64]

#: atoms this far from a common lattice are not on it [Å]
_TOLERANCE = 1e-4
#: more kinds of sites than this (a supercell of displaced atoms) are counted pair by pair
_MOST_SITES = 32
#: neighbours whose vectors may be those of the lattice, and atoms at the centre on which they are tried
_NEIGHBOURS, _PROBES = 150, 30


def lattice_pairs(points: Array, elements: NDArray[np.int_]) -> Iterator[tuple[int, int, Array, Array]] | None:
    """Element, element, distances [Å] and numbers of pairs, each pair of atoms once; None where there is no lattice.

    Points have shape (atoms, 3), elements are numbers of shape (atoms,).
    """
    vectors = _translations(points, elements)
    if vectors is None:
        return None
    fractions = (points - points[0]) @ np.linalg.inv(vectors)
    cells = np.floor(fractions + 1e-3).astype(int)
    offsets = (fractions - cells) @ vectors
    keys = np.column_stack([elements, np.rint(offsets / _TOLERANCE).astype(int)])
    _, first, site = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    if len(first) > _MOST_SITES:
        return None
    return _correlations(cells - cells.min(axis=0), site.ravel(), vectors, offsets[first], elements[first])


def _correlations(
    cells: NDArray[np.int_], site: NDArray[np.int_], vectors: Array, offsets: Array, elements: NDArray[np.int_]
) -> Iterator[tuple[int, int, Array, Array]]:
    shape = [next_fast_len(int(2 * n + 1), real=True) for n in cells.max(axis=0) + 1]
    waves = []
    for number in range(len(offsets)):
        occupied = np.zeros(shape)
        occupied[tuple(cells[site == number].T)] = 1.0
        waves.append(rfftn(occupied))
    for i in range(len(offsets)):
        for j in range(i, len(offsets)):
            numbers = np.rint(irfftn(waves[i] * waves[j].conj(), shape))
            steps = np.argwhere(numbers)
            count = numbers[tuple(steps.T)]
            steps = np.where(steps > np.array(shape) // 2, steps - shape, steps)
            distances = np.linalg.norm(steps @ vectors + offsets[i] - offsets[j], axis=1)
            if i == j:
                moved = steps.any(axis=1)
                distances, count = distances[moved], count[moved] / 2
            yield int(elements[i]), int(elements[j]), distances, count


def _translations(points: Array, elements: NDArray[np.int_]) -> Array | None:
    """Three short vectors (rows) that take atoms of the middle to atoms of their own element, if any."""
    if len(points) <= _NEIGHBOURS:
        return None
    tree = cKDTree(points)
    _, middle = tree.query(points.mean(axis=0), _PROBES)
    _, near = tree.query(points[middle[0]], _NEIGHBOURS)
    candidates = points[near] - points[middle[0]]
    candidates = candidates[(elements[near] == elements[middle[0]]) & (np.arange(_NEIGHBOURS) > 0)]
    gap, hit = tree.query(points[middle][:, None] + candidates[None])
    same = (gap < _TOLERANCE) & (elements[np.minimum(hit, len(points) - 1)] == elements[middle][:, None])
    found: list[Array] = []
    for vector in candidates[same.mean(axis=0) > 0.9]:
        trial = np.array([*found, vector])
        # volume over the product of lengths: neither parallel to the first nor in the plane of the first two
        if np.sqrt(abs(np.linalg.det(trial @ trial.T))) > 0.2 * np.prod(np.linalg.norm(trial, axis=1)):
            found.append(vector)
        if len(found) == 3:
            return np.array(found)
    return None
