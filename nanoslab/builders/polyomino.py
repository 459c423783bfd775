"""Edge-connected sets of cells of a square lattice, each once under any symmetry, without holding them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from nanoslab.errors import InputError

Cell = tuple[int, int]
Polyomino = tuple[Cell, ...]
#: width and height of the bounding box -> may a polyomino be that large? Must never turn True again as either grows.
Fits = Callable[[int, int], bool]

_BATCH = 8192
_PARITIES: tuple[Cell, ...] = ((0, 0), (0, 1), (1, 0), (1, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class LatticeSymmetry:
    """Symmetry of a decorated square lattice of cells, repeating after two cells at most.

    Attributes
    ----------
    operations
        Pairs (matrix, translation): cell -> matrix @ cell + translation; translations modulo 2.
    """

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
IDENTITY = (_UNIT, (0, 0))
_SQUARE_MATRICES: tuple[tuple[Cell, Cell], ...] = tuple(
    matrix for a, b in product((1, -1), repeat=2) for matrix in (((a, 0), (0, b)), ((0, a), (b, 0)))
)

#: All cells alike, four-fold axes and mirrors: the free polyominoes.
FREE = LatticeSymmetry(operations=tuple((m, t) for m in _SQUARE_MATRICES for t in _PARITIES))
#: All cells alike, translations only: the fixed polyominoes.
FIXED = LatticeSymmetry(operations=tuple((_UNIT, t) for t in _PARITIES))


def distinct_polyominoes(
    n_cells: int, *, symmetry: LatticeSymmetry = FREE, fits: Fits | None = None
) -> Iterator[Polyomino]:
    """Yield one polyomino of every class under a symmetry, as sorted cells.

    Fixed polyominoes come from Redelmeier's algorithm and pass in small batches; of each class the
    one with the smallest key is kept, so nothing has to be remembered.

    Parameters
    ----------
    n_cells
        Number of cells.
    symmetry
        Operations under which two polyominoes are the same.
    fits
        Largest bounding boxes; a class is yielded if one of its images with the axes as they are,
        or exchanged where the symmetry allows that, fits.

    Yields
    ------
    Cells with the smallest x and y at 0 (or at the origin class when cells are not all alike).

    Notes
    -----
    D. H. Redelmeier, Discrete Math. 36, 191 (1981). Counts: OEIS A001168 (fixed), A000105 (free).

    Examples
    --------
    >>> [sum(1 for _ in distinct_polyominoes(n)) for n in range(1, 7)]
    [1, 1, 2, 5, 12, 35]
    >>> [sum(1 for _ in distinct_polyominoes(n, symmetry=FIXED)) for n in range(1, 7)]
    [1, 2, 6, 19, 63, 216]
    """
    if n_cells < 1:
        raise InputError("n_cells", expected="at least 1", got=n_cells, advice="a polyomino has cells")
    for batch in _fixed_batches(n_cells, _either_way(fits or _anything, symmetry.turns)):
        yield from _smallest_images(batch, symmetry)


def keep_smallest_images(fixed: Sequence[Polyomino], symmetry: LatticeSymmetry) -> Iterator[Polyomino]:
    """Yield one polyomino of every class from a list that holds all of its fixed polyominoes."""
    if fixed:
        yield from _smallest_images(np.array(fixed), symmetry)


def count_images(cells: Sequence[Cell], symmetry: LatticeSymmetry) -> int:
    """Return how many polyominoes that no allowed translation makes the same belong to the class of one."""
    places = np.array([cells])
    table = symmetry.class_table()
    images = {tuple(_keys(places, table)[0].tolist())}
    for matrix, shift in symmetry.coset_operations:
        images.add(tuple(_keys(places @ np.array(matrix).T + np.array(shift), table)[0].tolist()))
    return len(images)


def perimeter(cells: Sequence[Cell]) -> int:
    """Return the number of free cell edges.

    Examples
    --------
    >>> perimeter([(0, 0), (1, 0), (0, 1), (1, 1)])
    8
    """
    occupied = set(cells)
    return sum((x + dx, y + dy) not in occupied for x, y in occupied for dx, dy in _NEIGHBOURS)


def smallest_perimeter(n_cells: int) -> int:
    """Return the perimeter of the most compact polyomino, 2 ceil(2 sqrt(n)) (Harary and Harborth 1976).

    Examples
    --------
    >>> [smallest_perimeter(n) for n in (1, 2, 3, 4, 9, 10)]
    [4, 6, 8, 8, 12, 14]
    """
    root = 0
    while root * root < 4 * n_cells:
        root += 1
    return 2 * root


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


def _anything(width: int, height: int) -> bool:  # noqa: ARG001
    return True


def _either_way(fits: Fits, turns: bool) -> Fits:
    return (lambda width, height: fits(width, height) or fits(height, width)) if turns else fits


def _fixed_batches(n_cells: int, fits: Fits) -> Iterator[NDArray[np.int64]]:
    """Yield arrays of shape (batch, n_cells, 2): every fixed polyomino that fits, once."""
    stems: list[list[Cell]] = []
    tips: list[list[Cell]] = []
    waiting = 0
    for stem, last in _stems(n_cells, fits):
        stems.append(stem)
        tips.append(last)
        waiting += len(last)
        if waiting >= _BATCH:
            yield _joined(stems, tips, n_cells, fits)
            stems, tips, waiting = [], [], 0
    if waiting:
        yield _joined(stems, tips, n_cells, fits)


def _joined(stems: list[list[Cell]], tips: list[list[Cell]], n_cells: int, fits: Fits) -> NDArray[np.int64]:
    heads = np.array(stems, dtype=np.int64).reshape(len(stems), n_cells - 1, 2)
    heads = np.repeat(heads, [len(tip) for tip in tips], axis=0)
    ends = np.array([cell for tip in tips for cell in tip], dtype=np.int64)
    cells = np.concatenate([heads, ends[:, None, :]], axis=1)
    cells -= cells.min(axis=1, keepdims=True)
    allowed = np.array([[fits(w, h) for h in range(1, n_cells + 1)] for w in range(1, n_cells + 1)])
    width, height = cells.max(axis=1).T
    return np.asarray(cells[allowed[width, height]])


def _stems(n_cells: int, fits: Fits) -> Iterator[tuple[list[Cell], list[Cell]]]:
    """Yield all but the last cell with every last cell that completes it (Redelmeier, without recursion)."""
    seen: set[Cell] = {(0, 0)}
    cells: list[Cell] = []
    untried: list[list[Cell]] = [[(0, 0)]]
    added: list[list[Cell]] = [[]]
    while untried:
        if len(cells) == n_cells - 1:
            yield list(cells), untried[-1]
            untried[-1] = []
        if not untried[-1]:
            untried.pop()
            seen.difference_update(added.pop())
            if cells:
                cells.pop()
            continue
        cell = untried[-1].pop()
        if not _still_fits(cells, cell, fits):
            continue
        fresh = [c for c in _upper_neighbours(cell) if c not in seen]
        seen.update(fresh)
        cells.append(cell)
        untried.append(untried[-1] + fresh)
        added.append(fresh)


def _upper_neighbours(cell: Cell) -> list[Cell]:
    """Neighbours above the start, or right of it on its row, so that the start is the lowest cell."""
    around = ((cell[0] + dx, cell[1] + dy) for dx, dy in _NEIGHBOURS)
    return [(x, y) for x, y in around if y > 0 or (y == 0 and x >= 0)]


def _still_fits(cells: list[Cell], cell: Cell, fits: Fits) -> bool:
    if fits is _anything:
        return True
    xs = [x for x, _ in cells] + [cell[0]]
    ys = [y for _, y in cells] + [cell[1]]
    return fits(max(xs) - min(xs) + 1, max(ys) - min(ys) + 1)


def _smallest_images(batch: NDArray[np.int64], symmetry: LatticeSymmetry) -> Iterator[Polyomino]:
    table = symmetry.class_table()
    for origin in symmetry.origins:
        placed = batch + np.array(origin)
        for cells in placed[_is_smallest_image(placed, symmetry, table)]:
            yield tuple(sorted((int(x), int(y)) for x, y in cells))


def _is_smallest_image(
    cells: NDArray[np.int64], symmetry: LatticeSymmetry, table: NDArray[np.int64]
) -> NDArray[np.bool_]:
    own = _keys(cells, table)
    smallest = np.ones(len(cells), dtype=bool)
    for matrix, shift in symmetry.coset_operations:
        image = _keys(cells @ np.array(matrix).T + np.array(shift), table)
        change = image - own
        first = np.argmax(change != 0, axis=1)
        smallest &= np.take_along_axis(change, first[:, None], axis=1)[:, 0] >= 0
    return smallest


def _keys(cells: NDArray[np.int64], table: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows that are equal for equal polyominoes up to allowed translations: class of the corner, then cells."""
    corner = cells.min(axis=1)
    shifted = cells - corner[:, None, :]
    codes = np.sort(shifted[..., 1] * cells.shape[1] + shifted[..., 0], axis=1)
    return np.concatenate([table[corner[:, 0] % 2, corner[:, 1] % 2][:, None], codes], axis=1)
