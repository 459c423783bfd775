"""Cross-sections of a neck: every way to place n columns on a facet that symmetry does not make the same."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.builders import polyomino
from nanoslab.builders.double_slab import NECK, DoubleSlab, build_double_slab
from nanoslab.builders.polyomino import Cell, LatticeSymmetry, Polyomino, perimeter, smallest_perimeter
from nanoslab.errors import InputError
from nanoslab.symmetry import site_permutations

#: columns along each side of the block that shows the symmetry: enough to tell a step from its reverse
_BLOCK = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class NeckShape:
    """One cross-section: its columns (i, j), sorted, and how many have a cation next to the lower slab."""

    cells: Polyomino
    n_cation_first: int

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return len(self.cells)

    @property
    def perimeter(self) -> int:
        """Free edges, in column spacings."""
        return perimeter(self.cells)

    @property
    def imbalance(self) -> int:
        """Difference between the numbers of cation-first and anion-first columns."""
        return abs(2 * self.n_cation_first - len(self.cells))

    @property
    def extent(self) -> tuple[int, int]:
        """Columns along the two axes."""
        first, second = np.ptp(np.array(self.cells), axis=0) + 1
        return int(first), int(second)

    @property
    def spread(self) -> float:
        """Mean square distance of the columns from their centre, in squared column spacings."""
        cells = np.array(self.cells, dtype=float)
        return round(float(((cells - cells.mean(axis=0)) ** 2).sum(axis=1).mean()), 9)

    @property
    def rank(self) -> tuple[int, int, float, Polyomino]:
        """Order of compactness: perimeter, then balance, then spread."""
        return self.perimeter, self.imbalance, self.spread, self.cells

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers."""
        return {
            "cells": [list(cell) for cell in self.cells],
            "n_columns": self.n_columns,
            "perimeter": self.perimeter,
            "n_cation_first": self.n_cation_first,
            "imbalance": self.imbalance,
        }


def neck_shape(slab: DoubleSlab, cells: Sequence[Cell]) -> NeckShape:
    """Shape made of given columns, which must be different and touch one another edge to edge."""
    if not cells or len(set(cells)) < len(cells) or not polyomino.is_connected(cells):
        expected, advice = "different columns that touch edge to edge", "give pairs of whole numbers such as 0,0 0,1"
        raise InputError("columns of the neck", expected=expected, got=list(cells), advice=advice)
    return _shape(slab, tuple(sorted(cells)))


@cache
def facet_symmetry(slab: DoubleSlab) -> LatticeSymmetry:
    """What the space group of the double slab does to the columns of its gap.

    Turning the double slab over exchanges cation-first and anion-first columns; together with the step to the next
    column that is a symmetry of rock salt, so there all columns are alike. In zinc blende the columns lie oblique and
    only one mirror is left. A registry shift leaves less.
    """
    block = replace(slab, lateral=(_BLOCK, _BLOCK), planes=(slab.planes - 1) % 4 + 1, fixed_planes=0)
    if not np.array_equal(*block.columns):
        expected = "no twist where shapes of necks are asked for"
        advice = "a neck continues one lattice; leave the twist out, or ask for 0 pairs"
        raise InputError("twist", expected=expected, got=f"{slab.twist:g}°", advice=advice)
    cells = [(i, j) for i in range(_BLOCK) for j in range(_BLOCK)]
    atoms = build_double_slab(block, neck=cells, neck_planes=range(block.gap_planes))
    columns = _columns_of(block, atoms, cells)
    _mark(atoms)
    found = {_action(row, columns) for row in site_permutations(atoms)}
    return LatticeSymmetry(operations=tuple(sorted(operation for operation in found if operation is not None)))


def distinct_neck_shapes(
    slab: DoubleSlab, n_columns: int, *, box: tuple[int, int] | None = None
) -> Iterator[NeckShape]:
    """Yield every shape of n columns within a box [columns] once, unordered, remembering none."""
    for cells in polyomino.distinct_polyominoes(n_columns, symmetry=facet_symmetry(slab), box=box):
        yield _shape(slab, cells)


def ranked_neck_shapes(slab: DoubleSlab, n_columns: int, *, box: tuple[int, int] | None = None) -> Iterator[NeckShape]:
    """Yield every shape of n columns once, by increasing perimeter, remembering none."""
    for level in range(smallest_perimeter(n_columns), 2 * n_columns + 3, 2):
        for cells in polyomino.polyominoes_of_perimeter(n_columns, level, symmetry=facet_symmetry(slab), box=box):
            yield _shape(slab, cells)


def most_compact_shapes(
    slab: DoubleSlab, n_columns: int, count: int, *, box: tuple[int, int] | None = None
) -> tuple[NeckShape, ...]:
    """Most compact shapes, at most `count`: least perimeter, then most balanced, then least spread."""
    best: list[NeckShape] = []
    for _, level in groupby(ranked_neck_shapes(slab, n_columns, box=box), key=lambda shape: shape.perimeter):
        best += heapq.nsmallest(count - len(best), level, key=lambda shape: shape.rank)
        if len(best) >= count:
            break
    return tuple(best)


def shape_degeneracy(slab: DoubleSlab, shape: NeckShape) -> int:
    """Return how many orientations of a shape on the facet the symmetry makes the same."""
    return polyomino.count_images(shape.cells, facet_symmetry(slab))


def _shape(slab: DoubleSlab, cells: Polyomino) -> NeckShape:
    first = sum(slab.lattice.species(i, j, slab.planes) == slab.lattice.cation for i, j in cells)
    return NeckShape(cells=cells, n_cation_first=first)


def _columns_of(block: DoubleSlab, atoms: Atoms, cells: Sequence[Cell]) -> dict[frozenset[int], Cell]:
    """Atoms of every column -> the column."""
    neck = np.flatnonzero(atoms.get_tags() == NECK)
    planes = np.unique(atoms.positions[neck, 2].round(6), return_inverse=True)[1]
    columns: dict[Cell, list[int]] = {cell: [] for cell in cells}
    for index, plane in zip(neck, planes, strict=True):
        offset = block.lattice.position(0, 0, block.planes + int(plane))[:2]
        x, y = np.round((atoms.positions[index, :2] - offset) / block.lattice.spacing).astype(int) % _BLOCK
        columns[int(x), int(y)].append(int(index))
    return {frozenset(members): cell for cell, members in columns.items()}


def _mark(atoms: Atoms) -> None:
    """Give the atoms of the gap other species, so that no operation carries them out of it."""
    neck = atoms.get_tags() == NECK
    spare = [number for number in range(1, 10) if number not in atoms.numbers]
    for number, other in zip(np.unique(atoms.numbers[neck]), spare, strict=False):
        atoms.numbers[neck & (atoms.numbers == number)] = other


def _action(
    permutation: NDArray[np.intp], columns: Mapping[frozenset[int], Cell]
) -> tuple[tuple[Cell, Cell], Cell] | None:
    """What an operation does to the columns, or None if it tears one apart."""
    images: dict[Cell, Cell] = {}
    for members, cell in columns.items():
        image = columns.get(frozenset(permutation[list(members)].tolist()))
        if image is None:
            return None
        images[cell] = image
    x, y = images[0, 0]
    (a, c), (b, d) = (_step(images[cell], (x, y)) for cell in ((1, 0), (0, 1)))
    return ((a, b), (c, d)), (x % 2, y % 2)


def _step(cell: Cell, start: Cell) -> Cell:
    """Shortest way between two columns of the repeated block."""
    half = _BLOCK // 2
    return (cell[0] - start[0] + half) % _BLOCK - half, (cell[1] - start[1] + half) % _BLOCK - half
