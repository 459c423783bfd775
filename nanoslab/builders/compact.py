"""Polyominoes of one perimeter, found box by box, so that compact ones come at once however many cells they have."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import combinations, product

import numpy as np

from nanoslab.builders.polyomino import (
    FIXED,
    FREE,
    Cell,
    Fits,
    LatticeSymmetry,
    Polyomino,
    distinct_polyominoes,
    is_connected,
    keep_smallest_images,
    perimeter,
)

#: most ways of taking cells out of a box that are tried one by one
_MOST_REMOVALS = 200_000


def polyominoes_of_perimeter(
    n_cells: int, level: int, *, symmetry: LatticeSymmetry = FREE, fits: Fits | None = None
) -> Iterator[Polyomino]:
    """Yield one polyomino of every class under a symmetry that has one perimeter.

    A polyomino has at least the perimeter of its bounding box, and exactly that when it is convex
    along both axes: then it is the box less a staircase at each corner.

    Parameters
    ----------
    n_cells, symmetry, fits
        See `distinct_polyominoes`.
    level
        Perimeter in cell edges.

    Examples
    --------
    >>> [sum(1 for _ in polyominoes_of_perimeter(5, level)) for level in (8, 10, 12)]
    [0, 1, 11]
    """
    largest = max(1, level // 2 - 1)
    found: list[Polyomino] = []
    for width, height in product(range(1, largest + 1), repeat=2):
        allowed = fits is None or fits(width, height) or (symmetry.turns and fits(height, width))
        spare = width * height - n_cells
        if not allowed or spare < 0 or width + height - 1 > n_cells or 2 * (width + height) > level:
            continue
        if 2 * (width + height) == level:
            found += _convex_in_box(n_cells, width, height)
        else:
            found += [cells for cells in _all_in_box(n_cells, width, height) if perimeter(cells) == level]
    yield from keep_smallest_images(found, symmetry)


def _convex_in_box(n_cells: int, width: int, height: int) -> list[Polyomino]:
    spare = width * height - n_cells
    staircases = [stairs for size in range(spare + 1) for stairs in _staircases(size, width - 1, height - 1)]
    by_size = {size: [stairs for stairs in staircases if sum(stairs) == size] for size in range(spare + 1)}
    found = set()
    for sizes in product(range(spare + 1), repeat=4):
        if sum(sizes) != spare:
            continue
        for corners in product(*(by_size[size] for size in sizes)):
            cells = _box_less_corners(width, height, corners)
            if len(cells) == n_cells and is_connected(sorted(cells)) and _touches(cells, width, height):
                found.add(tuple(sorted(cells)))
    return sorted(found)


def _staircases(size: int, longest: int, rows: int) -> Iterator[tuple[int, ...]]:
    """Partitions of a size into at most so many parts of at most such a length, the longest first."""
    if size == 0:
        yield ()
        return
    if rows == 0:
        return
    for first in range(min(size, longest), 0, -1):
        for rest in _staircases(size - first, first, rows - 1):
            yield (first, *rest)


def _box_less_corners(width: int, height: int, corners: Iterable[tuple[int, ...]]) -> set[Cell]:
    cells = set(product(range(width), range(height)))
    for (right, upper), stairs in zip(product((False, True), repeat=2), corners, strict=True):
        for row, length in enumerate(stairs):
            y = height - 1 - row if upper else row
            cells -= {(width - 1 - x if right else x, y) for x in range(length)}
    return cells


def _touches(cells: Iterable[Cell], width: int, height: int) -> bool:
    places = np.array(list(cells))
    return tuple(places.min(axis=0)) == (0, 0) and tuple(places.max(axis=0)) == (width - 1, height - 1)


def _all_in_box(n_cells: int, width: int, height: int) -> Iterator[Polyomino]:
    """Every fixed polyomino with exactly this bounding box."""
    box = set(product(range(width), range(height)))
    if math.comb(len(box), n_cells) <= _MOST_REMOVALS:
        for removed in combinations(sorted(box), len(box) - n_cells):
            cells = tuple(sorted(box.difference(removed)))
            if _touches(cells, width, height) and is_connected(cells):
                yield cells
        return
    for cells in distinct_polyominoes(n_cells, symmetry=FIXED, fits=lambda w, h: w <= width and h <= height):
        if _touches(cells, width, height):
            yield cells
