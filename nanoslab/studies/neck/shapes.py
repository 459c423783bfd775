"""Which cross-sections a neck study computes, and what a screen keeps of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nanoslab.builders.double_slab import DoubleSlab
from nanoslab.builders.neck import build_neck_of_shape, columns_for_pairs, largest_extent, require_room
from nanoslab.builders.neck_shapes import NeckShape, distinct_neck_shapes, most_compact_shapes, neck_shape
from nanoslab.errors import InputError
from nanoslab.studies.neck.fields import Shapes
from nanoslab.studies.neck.shape_code import shape_cells


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeChoice:
    """What decides which shapes are computed.

    Attributes
    ----------
    sizes
        In pairs.
    shapes
        How many of every size without a screen: the most compact, or ``all``.
    empty_columns
        At least, between a neck and its periodic images.
    screened, keep
        Shape code -> energy of the screen [eV], empty without one; and how many of every size go on.
    """

    sizes: tuple[int, ...]
    shapes: Shapes = 1
    empty_columns: int = 2
    screened: Mapping[str, float] = field(default_factory=dict)
    keep: int = 1


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
        raise InputError(
            "screened",
            expected=f"at least one energy of a neck of {pairs} pairs",
            got="none",
            advice="remove the section 'screened' and screen again",
        )
    return tuple(neck_shape(slab, shape_cells(code)) for _, code in own[: choice.keep])
