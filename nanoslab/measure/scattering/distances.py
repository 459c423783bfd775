"""Distances between all atoms of a structure, counted in narrow bins for every pair of elements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from nanoslab.errors import InputError
from nanoslab.measure.scattering.lattice_distances import lattice_pairs
from nanoslab.structure_types import AnyStructure, as_atoms

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Counts = NDArray[np.int64]

#: atoms of a block against atoms of another: its arrays (8 MB) stay near the cache of one core
_ROWS, _COLUMNS = 128, 4096


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

    Atoms on a lattice are counted by its vectors, others pair by pair with the memory of a block of 524,288 pairs and
    the bins, whatever the number of atoms. For these, coordinates are rounded to single precision about the centre:
    1e-5 Å in a particle of 20 nm, far below the width [Å] of a bin.

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
        scaled = [np.ascontiguousarray(points[symbols == e].T / width, dtype=np.float32) for e in elements]
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


def _count(first: Single, second: Single, n_bins: int, *, same: bool) -> Counts:
    """Counts of whole distances [bin widths] between two sets of points of shape (3, atoms), each pair once."""
    total = np.zeros(n_bins, dtype=np.int64)
    with ThreadPoolExecutor() as pool:
        for part in pool.map(lambda start: _count_rows(first, second, start, n_bins, same), _starts(first.shape[1])):
            total += part
    if same:
        # every pair stands in the upper and the lower half of the table, and every atom against itself
        total[0] -= first.shape[1]
        total //= 2
    return total


def _starts(n: int) -> Iterator[range]:
    """Rows of the table for one task: enough of them that adding up the bins costs little."""
    step = 8 * _ROWS
    return (range(start, min(start + step, n), _ROWS) for start in range(0, n, step))


def _count_rows(first: Single, second: Single, starts: range, n_bins: int, same: bool) -> Counts:
    """Bins of the distances from some rows of atoms; of a set with itself, twice above the blocks on the diagonal."""
    total = np.zeros(n_bins, dtype=np.int64)
    for start in starts:
        rows = first[:, start : min(start + _ROWS, starts.stop), None]
        shape = (rows.shape[1], _COLUMNS)
        arrays = np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, np.intp)
        own = min(start + _ROWS, starts.stop) if same else 0
        if same:
            total += _bins(rows, second[:, start:own], arrays, n_bins)
        for column in range(own, second.shape[1], _COLUMNS):
            found = _bins(rows, second[:, column : column + _COLUMNS], arrays, n_bins)
            total += 2 * found if same else found
    return total


def _bins(rows: Single, columns: Single, arrays: tuple[Single, Single, NDArray[np.intp]], n_bins: int) -> Counts:
    """Histogram of the distances between a block of rows and of columns, in arrays that are used again."""
    squared, part, bins = (array[:, : columns.shape[1]] for array in arrays)
    np.subtract(rows[0], columns[0], out=squared)
    np.multiply(squared, squared, out=squared)
    for axis in (1, 2):
        np.subtract(rows[axis], columns[axis], out=part)
        np.multiply(part, part, out=part)
        np.add(squared, part, out=squared)
    np.copyto(bins, np.sqrt(squared, out=squared), casting="unsafe")
    return np.bincount(bins.ravel(), minlength=n_bins)
