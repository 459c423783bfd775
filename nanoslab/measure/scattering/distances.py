"""Distances between all atoms of a structure, counted in narrow bins for every pair of elements."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from nanoslab.errors import InputError
from nanoslab.measure.scattering.lattice_distances import lattice_pairs
from nanoslab.structure_types import AnyStructure, as_atoms

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

#: atoms of a block against atoms of another: its arrays (1.5 MB) stay near the cache of one core
_ROWS, _COLUMNS = 512, 256


@dataclass(frozen=True, slots=True, kw_only=True)
class PairDistances:
    """Every distance of a structure, once per pair of atoms.

    Attributes
    ----------
    radii
        For every bin that holds a distance of any pair its middle, or the mean of its distances where that is known
        [Å], shape (bins,).
    counts
        For each pair of elements, pairs of atoms in each bin, shape (bins,).
    n_atoms
        Of each element.
    width
        Of a bin [Å]: a distance is off by half of it at most, its phase q r by q width / 2.
    """

    radii: NDArray[np.float64]
    counts: Mapping[tuple[str, str], NDArray[np.int64]]
    n_atoms: Mapping[str, int]
    width: float

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for array in (self.radii, *self.counts.values()):
            array.setflags(write=False)


def pair_distances(atoms: AnyStructure, width: float = 0.001) -> PairDistances:
    """Count all distances within a structure, taken as it stands without periodic images.

    Atoms on a lattice are counted by its vectors, others pair by pair with the memory of a block of 131,072 pairs and
    the bins, whatever the number of atoms, in single precision: 1e-5 Å at 20 nm, far below the width [Å] of a bin.

    Examples
    --------
    >>> from ase import Atoms
    >>> found = pair_distances(Atoms("CdSeCd", [(0, 0, 0), (2.6, 0, 0), (5.2, 0, 0)]), width=0.01)
    >>> found.radii.round(3).tolist(), found.counts["Cd", "Se"].tolist(), found.counts["Cd", "Cd"].tolist()
    ([2.605, 5.205], [2, 0], [0, 1])
    """
    atoms = as_atoms(atoms)
    if not len(atoms):
        raise InputError("structure", expected="atoms", got="none")
    if not 1e-5 <= width <= 0.1:
        raise InputError("width", expected="a bin width from 0.00001 to 0.1 Å", got=width)
    if not np.all(np.isfinite(atoms.positions)):
        raise InputError("structure", expected="finite positions", got="NaN or infinity", advice="check the file")
    points = atoms.positions - (atoms.positions.max(axis=0) + atoms.positions.min(axis=0)) / 2
    symbols = np.array(atoms.get_chemical_symbols())
    elements = list(dict.fromkeys(symbols.tolist()))
    number = np.array([elements.index(symbol) for symbol in symbols])
    n_bins = int(np.linalg.norm(np.ptp(points, axis=0)) / width) + 2
    on_lattice = lattice_pairs(points, number)
    full = {pair: np.zeros(n_bins, dtype=np.int64) for pair in combinations_with_replacement(elements, 2)}
    sums = np.zeros(n_bins)
    if on_lattice is not None:
        for a, b, distances, counts in on_lattice:
            bins = (distances / width).astype(np.intp)
            pair = elements[min(a, b)], elements[max(a, b)]
            full[pair] += np.rint(np.bincount(bins, counts, minlength=n_bins)).astype(np.int64)
            sums += np.bincount(bins, counts * distances, minlength=n_bins)
    else:
        scaled = [_near_together(points[number == each] / width) for each in range(len(elements))]
        for pair in full:
            first, second = (scaled[elements.index(element)] for element in pair)
            full[pair] = _count(first, second, n_bins, same=pair[0] == pair[1])
    total = np.sum(list(full.values()), axis=0)
    occupied = np.flatnonzero(total)
    radii = np.asarray((occupied + 0.5) * width if on_lattice is None else sums[occupied] / total[occupied], float)
    return PairDistances(
        radii=radii,
        counts={pair: counts[occupied] for pair, counts in full.items()},
        n_atoms={element: int(np.sum(symbols == element)) for element in elements},
        width=width,
    )


def _near_together(points: Array) -> Array:
    """The points in an order in which neighbours stand near one another, so that a block spans few distances."""
    return np.asarray(points[cKDTree(points, leafsize=_COLUMNS).indices])


def _count(first: Array, second: Array, n_bins: int, *, same: bool) -> Counts:
    """Counts of whole distances [bin widths] between two sets of points of shape (atoms, 3), each pair once."""
    total = np.zeros(n_bins, dtype=np.int64)
    with ThreadPoolExecutor() as pool:
        starts = range(0, len(second), _COLUMNS)
        for part in pool.map(lambda start: _count_columns(first, second, start, n_bins, same), starts):
            total += part
    return total


def _count_columns(first: Array, second: Array, start: int, n_bins: int, same: bool) -> Counts:
    """Distances of all points, or of a set with itself those from here on, to the points of one column."""
    total = np.zeros(n_bins, dtype=np.int64)
    column = second[start : start + _COLUMNS]
    # |a|² + |b|² - 2 a b about the middle of the column loses no digits: b is small, and a is about the distance
    centre = column.mean(axis=0)
    near = column - centre
    right = np.vstack([-2 * near.T, np.ones(len(column)), np.sum(near**2, axis=1)]).astype(np.float32)
    squared = np.empty((_ROWS, len(column)), np.float32)
    bins = np.empty((_ROWS, len(column)), np.int32)
    for row in range(start if same else 0, len(first), _ROWS):
        far = first[row : row + _ROWS] - centre
        left = np.column_stack([far, np.sum(far**2, axis=1), np.ones(len(far))]).astype(np.float32)
        distances, whole = squared[: len(far)], bins[: len(far)]
        np.sqrt(np.abs(np.matmul(left, right, out=distances), out=distances), out=distances)
        lowest = int(distances.min())
        np.copyto(whole, np.subtract(distances, np.float32(lowest), out=distances), casting="unsafe")
        # each pair of the column with itself once, and no atom with itself
        own = np.tril_indices(len(far), -1, len(column)) if same and row == start else slice(None)
        found = np.bincount(whole[own].ravel())
        total[lowest : lowest + len(found)] += found
    return total
