"""Edge-connected sets of cells of a square lattice, each once under any symmetry, without holding them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from nanoslab.errors import InputError

Cell = tuple[int, int]
Polyomino = tuple[Cell, ...]

_BATCH = 8192
_PARITIES: tuple[Cell, ...] = ((0, 0), (0, 1), (1, 0), (1, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class LatticeSymmetry:
    """Operations matrix @ cell + translation of a decorated square lattice that repeats after two cells at most."""

    operations: tuple[tuple[tuple[Cell, Cell], Cell], ...]

    @property
    def origins(self) -> tuple[Cell, ...]:
        """Cells of the two-by-two block that no pure translation carries into an earlier one."""
        return tuple(cell for cell in _PARITIES if self._class_of(cell) == cell)

    @property
    def turns(self) -> bool:
        """Whether an operation exchanges the two axes."""
        return any(matrix[0][0] == 0 for matrix, _ in self.operations)

    def _class_of(self, cell: Cell) -> Cell:
        shifts = [shift for matrix, shift in self.operations if matrix == _UNIT]
        return min(((cell[0] + x) % 2, (cell[1] + y) % 2) for x, y in shifts)

    @property
    def coset_operations(self) -> tuple[tuple[tuple[Cell, Cell], Cell], ...]:
        """Operations that are not pure translations, one of each set that differs by a translation only."""
        found = {(matrix, self._class_of(shift)) for matrix, shift in self.operations if matrix != _UNIT}
        return tuple(sorted(found))

    def class_table(self) -> NDArray[np.int64]:
        """Return, for a cell modulo 2, the position of its class in `origins`; shape (2, 2)."""
        origins = self.origins
        return np.array([[origins.index(self._class_of((x, y))) for y in (0, 1)] for x in (0, 1)])


_UNIT = ((1, 0), (0, 1))
_SQUARE_MATRICES: tuple[tuple[Cell, Cell], ...] = tuple(
    matrix for a, b in product((1, -1), repeat=2) for matrix in (((a, 0), (0, b)), ((0, a), (b, 0)))
)

#: All cells alike, four-fold axes and mirrors: the free polyominoes.
FREE = LatticeSymmetry(operations=tuple((m, t) for m in _SQUARE_MATRICES for t in _PARITIES))
#: All cells alike, translations only: the fixed polyominoes.
FIXED = LatticeSymmetry(operations=tuple((_UNIT, t) for t in _PARITIES))


def distinct_polyominoes(
    n_cells: int, *, symmetry: LatticeSymmetry = FREE, box: Cell | None = None
) -> Iterator[Polyomino]:
    """Yield one polyomino of every class under a symmetry, as sorted cells with the corner at 0 (or an origin class).

    Fixed polyominoes come from Redelmeier's algorithm (Discrete Math. 36, 191, 1981; counts: OEIS A001168 fixed,
    A000105 free) in small batches; of each class the one with the smallest key is kept, so nothing is remembered. A
    class counts if one of its images, axes exchanged where the symmetry allows that, fits into the box.
    """
    if n_cells < 1:
        raise InputError("n_cells", expected="at least 1", got=n_cells, advice="a polyomino has cells")
    sides = range(1, n_cells + 1)
    allowed = {size for size in product(sides, sides) if _fits(size, box, symmetry)}
    yield from _one_of_every_class(_fixed_polyominoes(n_cells, allowed), symmetry)


def polyominoes_of_perimeter(
    n_cells: int, level: int, *, symmetry: LatticeSymmetry = FREE, box: Cell | None = None
) -> Iterator[Polyomino]:
    """Yield one polyomino of every class under a symmetry that has one perimeter [cell edges], remembering none.

    A polyomino has at least the perimeter of its bounding box, and 2 more for every gap in a row or a column, so
    compact ones are found box by box however many cells they have.
    """

    def fixed() -> Iterator[Polyomino]:
        sides = range(1, max(2, level // 2))
        for size in product(sides, sides):
            spare = level - 2 * sum(size)
            if spare < 0 or not sum(size) - 1 <= n_cells <= size[0] * size[1] or not _fits(size, box, symmetry):
                continue
            narrow, turned = min(size), size[0] > size[1]  # rows run along the shorter side
            for rows in _rows_in_box(narrow, max(size), n_cells, spare):
                cells = [(x, y) for y, row in enumerate(rows) for x in range(narrow) if row >> x & 1]
                if is_connected(cells):
                    yield tuple((y, x) for x, y in cells) if turned else tuple(cells)

    yield from _one_of_every_class(fixed(), symmetry)


def _one_of_every_class(fixed: Iterator[Polyomino], symmetry: LatticeSymmetry) -> Iterator[Polyomino]:
    while batch := list(islice(fixed, _BATCH)):
        yield from keep_smallest_images(batch, symmetry)


def keep_smallest_images(fixed: Sequence[Polyomino], symmetry: LatticeSymmetry) -> Iterator[Polyomino]:
    """Yield one polyomino of every class from some that lie at the origin and hold all of its fixed ones."""
    if not fixed:
        return
    for origin in symmetry.origins:
        placed = np.array(fixed) + np.array(origin)
        for cells in placed[_is_smallest_image(placed, symmetry)]:
            yield tuple(sorted((int(x), int(y)) for x, y in cells))


def count_images(cells: Sequence[Cell], symmetry: LatticeSymmetry) -> int:
    """Return how many polyominoes that no allowed translation makes the same belong to the class of one."""
    return len({tuple(keys[0].tolist()) for keys in _keys_of_images(np.array([cells]), symmetry)})


def perimeter(cells: Sequence[Cell]) -> int:
    """Return the number of free cell edges."""
    occupied = set(cells)
    return sum((x + dx, y + dy) not in occupied for x, y in occupied for dx, dy in _NEIGHBOURS)


def smallest_perimeter(n_cells: int) -> int:
    """Return the perimeter of the most compact polyomino, 2 ceil(2 sqrt(n)) (Harary and Harborth 1976)."""
    return 2 * (isqrt(4 * n_cells - 1) + 1)


def is_connected(cells: Sequence[Cell]) -> bool:
    """Return whether every cell is reached from the first over shared edges."""
    left = set(cells)
    edge = [left.pop()] if left else []
    while edge:
        x, y = edge.pop()
        found = {(x + dx, y + dy) for dx, dy in _NEIGHBOURS} & left
        left -= found
        edge.extend(found)
    return not left


_NEIGHBOURS = ((1, 0), (-1, 0), (0, 1), (0, -1))


def _fits(size: Cell, box: Cell | None, symmetry: LatticeSymmetry) -> bool:
    ways = [size, size[::-1]] if symmetry.turns else [size]
    return box is None or any(width <= box[0] and height <= box[1] for width, height in ways)


def _fixed_polyominoes(n_cells: int, allowed: set[Cell]) -> Iterator[Polyomino]:
    """Every fixed polyomino with an allowed bounding box, its corner at 0, once (Redelmeier)."""
    cells: list[Cell] = []

    def grow(untried: list[Cell], seen: set[Cell], left: int, right: int, top: int) -> Iterator[Polyomino]:
        last = len(cells) == n_cells - 1
        for place in range(len(untried)) if last else reversed(range(len(untried))):
            x, y = cell = untried[place]
            sides = min(left, x), max(right, x), max(top, y)
            if (sides[1] - sides[0] + 1, sides[2] + 1) not in allowed:
                continue
            if last:
                yield tuple((i - sides[0], j) for i, j in (*cells, cell))
                continue
            cells.append(cell)
            fresh = [other for other in _upper_neighbours(cell) if other not in seen]
            yield from grow(untried[:place] + fresh, seen.union(fresh), *sides)
            cells.pop()

    yield from grow([(0, 0)], {(0, 0)}, 0, 0, 0)


def _upper_neighbours(cell: Cell) -> list[Cell]:
    """Neighbours above the start, or right of it on its row, so that the start is the lowest cell."""
    around = ((cell[0] + dx, cell[1] + dy) for dx, dy in _NEIGHBOURS)
    return [(x, y) for x, y in around if y > 0 or (y == 0 and x >= 0)]


def _rows_in_box(width: int, height: int, n_cells: int, spare: int) -> Iterator[tuple[int, ...]]:
    """Rows of cells, as bits, that touch one another and all sides of a box; perimeter of the box and `spare`."""
    gaps = {row: 2 * (row & ~(row << 1)).bit_count() - 2 for row in range(1, 1 << width)}
    options = [(row, row.bit_count(), gap) for row, gap in gaps.items() if gap <= spare]

    def grow(rows: tuple[int, ...], left: int, spare: int, seen: int) -> Iterator[tuple[int, ...]]:
        more = height - len(rows) - 1
        if more < 0:
            if spare == 0 and seen == (1 << width) - 1:
                yield rows
            return
        for row, size, gap in options:
            reopened = row & seen & ~rows[-1] if rows else 0
            rest = spare - gap - 2 * reopened.bit_count()
            if rest >= 0 and more <= left - size <= more * width and (not rows or row & rows[-1]):
                yield from grow((*rows, row), left - size, rest, seen | row)

    return grow((), n_cells, spare, 0)


def _is_smallest_image(cells: NDArray[np.int64], symmetry: LatticeSymmetry) -> NDArray[np.bool_]:
    own, *images = _keys_of_images(cells, symmetry)
    smallest = np.ones(len(cells), dtype=bool)
    for change in (image - own for image in images):
        first = np.argmax(change != 0, axis=1)
        smallest &= np.take_along_axis(change, first[:, None], axis=1)[:, 0] >= 0
    return smallest


def _keys_of_images(cells: NDArray[np.int64], symmetry: LatticeSymmetry) -> Iterator[NDArray[np.int64]]:
    """Keys of polyominoes (n, n_cells, 2) as they are, then under every operation that is no pure translation."""
    table = symmetry.class_table()
    for matrix, shift in ((_UNIT, (0, 0)), *symmetry.coset_operations):
        yield _keys(cells @ np.array(matrix).T + np.array(shift), table)


def _keys(cells: NDArray[np.int64], table: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows that are equal for equal polyominoes up to allowed translations: class of the corner, then cells."""
    corner = cells.min(axis=1)
    shifted = cells - corner[:, None, :]
    codes = np.sort(shifted[..., 1] * cells.shape[1] + shifted[..., 0], axis=1)
    return np.concatenate([table[corner[:, 0] % 2, corner[:, 1] % 2][:, None], codes], axis=1)
