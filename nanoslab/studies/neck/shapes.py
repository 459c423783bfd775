"""Which cross-sections a neck study computes, what a screen keeps of them, and their short words for folder names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from nanoslab.builders.double_slab import DoubleSlab
from nanoslab.builders.neck import build_neck_of_shape, columns_for_pairs, largest_extent, require_room
from nanoslab.builders.neck_shapes import NeckShape, distinct_neck_shapes, most_compact_shapes, neck_shape
from nanoslab.errors import InputError
from nanoslab.studies.double_slab_study import Count

#: how many shapes of every size: the most compact ones, or all that fit the cell
Shapes = Count | Literal["all"]
Cell = tuple[int, int]
_CODE = re.compile(r"([0-9a-f]+(?:\.[0-9a-f]+)*)(?:-o([01])([01]))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeChoice:
    """What decides which shapes of the sizes [pairs] are computed."""

    sizes: tuple[int, ...]
    shapes: Shapes = 1
    empty_columns: int = 2  #: at least, between a neck and its periodic images
    screened: Mapping[str, float] = field(default_factory=dict)  #: shape code -> energy of the screen [eV]
    keep: int = 1  #: of every size of the screen


def chosen_shapes(slab: DoubleSlab, choice: ShapeChoice) -> list[NeckShape]:
    """Shapes of all sizes: those the screen kept, or else the most compact."""
    of_size = _kept_shapes if choice.screened else _candidate_shapes
    return [shape for pairs in choice.sizes for shape in of_size(slab, choice, pairs)]


def _candidate_shapes(slab: DoubleSlab, choice: ShapeChoice, pairs: int) -> tuple[NeckShape, ...]:
    """Shapes of one size that fit the cell: the most compact, or all."""
    columns = columns_for_pairs(slab, pairs)
    require_room(slab, columns, choice.empty_columns)
    box = largest_extent(slab, choice.empty_columns)
    if choice.shapes == "all":
        found = tuple(sorted(distinct_neck_shapes(slab, columns, box=box), key=lambda shape: shape.rank))
    else:
        found = most_compact_shapes(slab, columns, choice.shapes, box=box)
    if not found:
        # says how large the cell must be
        build_neck_of_shape(slab, most_compact_shapes(slab, columns, 1)[0], empty_columns=choice.empty_columns)
    return found


def _kept_shapes(slab: DoubleSlab, choice: ShapeChoice, pairs: int) -> tuple[NeckShape, ...]:
    columns = columns_for_pairs(slab, pairs)
    own = sorted((energy, code) for code, energy in choice.screened.items() if len(shape_cells(code)) == columns)
    if not own:
        expected, advice = f"at least one energy of a neck of {pairs} pairs", "remove 'screened' and screen again"
        raise InputError("screened", expected=expected, got="none", advice=advice)
    return tuple(neck_shape(slab, shape_cells(code)) for _, code in own[: choice.keep])


def shape_code(cells: Sequence[Cell]) -> str:
    """Return one hexadecimal number per row, its bits the columns, and the parity of an odd corner after ``-o``."""
    x0, y0 = min(x for x, _ in cells), min(y for _, y in cells)
    rows = [0] * (max(y for _, y in cells) - y0 + 1)
    for x, y in cells:
        rows[y - y0] |= 1 << (x - x0)
    origin = f"-o{x0 % 2}{y0 % 2}" if x0 % 2 or y0 % 2 else ""
    return ".".join(f"{row:x}" for row in rows) + origin


def shape_cells(code: str) -> tuple[Cell, ...]:
    """Return the columns of a code, sorted."""
    match = _CODE.fullmatch(code)
    if match is None:
        raise InputError("shape", expected="hexadecimal rows such as 7.7.7", got=repr(code), advice="mend the name")
    x0, y0 = int(match[2] or 0), int(match[3] or 0)
    rows = [int(row, 16) for row in match[1].split(".")]
    cells = [(x + x0, y + y0) for y, row in enumerate(rows) for x in range(row.bit_length()) if row >> x & 1]
    return tuple(sorted(cells))
