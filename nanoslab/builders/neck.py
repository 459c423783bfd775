"""Two slabs with a neck: columns of atoms that continue the lattice across the gap."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list

from nanoslab.builders.double_slab import (
    NECK,
    UPPER,
    DoubleSlab,
    build_double_slab,
    describe_double_slab,
    summarize_double_slab,
)
from nanoslab.builders.neck_shapes import (
    NeckShape,
    distinct_neck_shapes,
    facet_symmetry,
    most_compact_shapes,
    neck_shape,
)
from nanoslab.builders.polyomino import Cell
from nanoslab.crystals import make_recipe
from nanoslab.errors import InputError
from nanoslab.structure_types import AnyStructure

Side = Literal["lower", "upper", "both"]

#: longest contact between a neck and the upper slab that counts as one, in bond lengths
_CONTACT = 1.15
_TIE = 1e-3
#: how far the planes of a neck may be stretched or pressed by a gap that is no whole number of planes
_LARGEST_STRAIN = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Filament:
    """Columns that do not bridge: how many planes they fill, from which slab."""

    planes: int
    side: Side = "lower"

    def filled(self, gap_planes: int) -> tuple[int, ...]:
        """Filled planes of a gap, counted from the lower slab."""
        largest = gap_planes if self.side != "both" else gap_planes // 2
        if not 1 <= self.planes <= largest:
            expected = f"1 to {largest} from {self.side} in a gap of {gap_planes} planes"
            advice = "leave it out for columns that bridge"
            raise InputError("filament planes", expected=expected, got=self.planes, advice=advice)
        lower = tuple(range(self.planes))
        upper = tuple(range(gap_planes - self.planes, gap_planes))
        return {"lower": lower, "upper": upper, "both": tuple(sorted({*lower, *upper}))}[self.side]


def build_neck(
    crystal: str | Path | AnyStructure,
    *,
    pairs: int = 0,
    columns: Sequence[Cell] | None = None,
    filament: Filament | None = None,
    empty_columns: int = 2,
    **slab: Any,
) -> Atoms:
    """Two {001} slabs and a neck of pairs between them on the continued lattice, grouped by species, cations first.

    Parameters
    ----------
    crystal, slab
        See `describe_double_slab`.
    pairs
        Cation-anion pairs in the most compact cross-section, in a gap of two planes one per column; 0 is the double
        slab.
    columns
        The cross-section instead, as columns (i, j).
    filament
        Fill these planes only, so that the columns do not bridge.
    empty_columns
        Fewest empty columns between a neck and its periodic image.

    Raises
    ------
    InputError
        The cell is too small for the neck, the lateral size breaks the order of the species, the gap is smaller than a
        bond, or the neck would not be stoichiometric.

    Examples
    --------
    >>> from collections import Counter
    >>> atoms = build_neck("PbSe-rocksalt", pairs=9, planes=2)
    >>> neck = atoms.info["recipe"]["neck_indices"]
    >>> Counter(atoms.symbols[neck]) == {"Pb": 9, "Se": 9}
    True
    """
    described = describe_double_slab(crystal, **slab)
    is_bare = not pairs and columns is None
    shape = None if is_bare else _chosen_shape(described, pairs, columns, filament, empty_columns)
    return build_neck_of_shape(described, shape, filament=filament, empty_columns=empty_columns)


def build_neck_of_shape(
    slab: DoubleSlab, shape: NeckShape | None, *, filament: Filament | None = None, empty_columns: int = 2
) -> Atoms:
    """Double slab with a neck of one cross-section, turned where only that way it fits; bare without a shape."""
    cells: tuple[Cell, ...] = ()
    filled: tuple[int, ...] = ()
    if shape is not None:
        cells = _placed(slab, shape, empty_columns)
        filled = filament.filled(slab.gap_planes) if filament else tuple(range(slab.gap_planes))
        _check_strain(slab)
    atoms = build_double_slab(slab, neck=cells, neck_planes=filled)
    neck = np.flatnonzero(atoms.get_tags() == NECK).tolist()
    if shape is not None:
        _check_stoichiometry(slab, atoms, neck)
        _check_contacts(slab, atoms)
    parameters = {
        **slab.parameters,
        "columns": [list(cell) for cell in cells],
        "filled_planes": list(filled),
        "n_pairs": len(cells) * len(filled) // 2,
    }
    atoms.info["recipe"] = {**make_recipe("neck", **parameters), "neck_indices": neck}
    atoms.info["ledger"] = summarize_double_slab(slab, atoms).to_dict()
    return atoms


def columns_for_pairs(slab: DoubleSlab, pairs: int, filament: Filament | None = None) -> int:
    """Return how many columns hold a number of pairs."""
    per_column = len(filament.filled(slab.gap_planes)) if filament else slab.gap_planes
    if pairs < 1 or 2 * pairs % per_column:
        expected = f"a number above 0 that fills whole columns of {per_column} atoms"
        advice = "give another number" if per_column % 2 else f"give {max(1, per_column // 2)} or its multiples"
        raise InputError("pairs", expected=expected, got=pairs, advice=advice)
    return 2 * pairs // per_column


def largest_extent(slab: DoubleSlab, empty_columns: int) -> tuple[int, int]:
    """Return the largest extent of a neck whose images stay far enough away [columns]."""
    if empty_columns < 0:
        raise InputError("empty columns", expected="0 or more", got=empty_columns, advice="give 2")
    return slab.lateral[0] - empty_columns, slab.lateral[1] - empty_columns


def require_room(slab: DoubleSlab, n_columns: int, empty_columns: int) -> None:
    """Refuse a cell that is too small for so many columns in any shape, and say how large it must be."""
    width, height = largest_extent(slab, empty_columns)
    if width < 1 or height < 1 or n_columns > width * height:
        side = math.isqrt(n_columns - 1) + 1
        raise _too_small(slab, (side, -(-n_columns // side)), empty_columns)


def _too_small(slab: DoubleSlab, extent: tuple[int, int], empty_columns: int) -> InputError:
    period = slab.lattice.lateral_period
    needed = [size + empty_columns + (size + empty_columns) % period for size in extent]
    return InputError(
        "lateral",
        expected=f"at least {needed[0]} x {needed[1]} columns for a neck of {extent[0]} x {extent[1]} "
        f"with {empty_columns} empty columns to its images",
        got="{} x {}".format(*slab.lateral),
        advice=f"give {needed[0]} {needed[1]}",
    )


def _chosen_shape(
    slab: DoubleSlab, pairs: int, columns: Sequence[Cell] | None, filament: Filament | None, empty_columns: int
) -> NeckShape:
    if columns is not None:
        shape = neck_shape(slab, columns)
        if pairs and columns_for_pairs(slab, pairs, filament) != shape.n_columns:
            raise InputError("pairs", expected=f"those of {shape.n_columns} columns", got=pairs, advice="leave it out")
        return shape
    count = columns_for_pairs(slab, pairs, filament)
    require_room(slab, count, empty_columns)
    odd = filament is not None and len(filament.filled(slab.gap_planes)) % 2
    box = largest_extent(slab, empty_columns)
    fitting = most_compact_shapes(slab, count, 1, box=box)
    if fitting and odd:
        balanced = (shape for shape in distinct_neck_shapes(slab, count, box=box) if shape.imbalance == 0)
        return min(balanced, key=lambda shape: shape.rank, default=fitting[0])
    return fitting[0] if fitting else most_compact_shapes(slab, count, 1)[0]


def _placed(slab: DoubleSlab, shape: NeckShape, empty_columns: int) -> tuple[Cell, ...]:
    """Columns of the shape in the middle of the cell, every one keeping its first species."""
    limit = largest_extent(slab, empty_columns)
    width, height = shape.extent
    cells = np.array(shape.cells)
    if (width > limit[0] or height > limit[1]) and facet_symmetry(slab).turns:
        cells, (width, height) = cells @ np.array([[0, 1], [-1, 0]]), (height, width)
    if width > limit[0] or height > limit[1]:
        raise _too_small(slab, shape.extent, empty_columns)
    step = (np.array(slab.lateral) - (width, height)) // 2 - cells.min(axis=0)
    step -= step % 2
    return tuple(sorted((int(x), int(y)) for x, y in cells + step))


def _check_strain(slab: DoubleSlab) -> None:
    strain = slab.facing_distance / ((slab.gap_planes + 1) * slab.lattice.plane_spacing) - 1.0
    if abs(strain) > _LARGEST_STRAIN:
        whole = slab.gap_planes * slab.lattice.plane_spacing
        expected = f"a gap that {slab.gap_planes} planes fill to within {_LARGEST_STRAIN:.0%}, near {whole:.2f} Å"
        raise InputError("gap", expected=expected, got=f"{slab.gap:g} Å", advice="give the gap in planes")


def _check_stoichiometry(slab: DoubleSlab, atoms: Atoms, neck: Sequence[int]) -> None:
    cation, anion = slab.lattice.cation, slab.lattice.anion
    counts = Counter(atoms.symbols[neck])
    if counts[cation] != counts[anion]:
        got = f"{counts[cation]} {cation} and {counts[anion]} {anion}"
        advice = "fill an even number of planes, or choose as many cation-first as anion-first columns"
        raise InputError("neck", expected="as many cations as anions", got=got, advice=advice)


def _check_contacts(slab: DoubleSlab, atoms: Atoms) -> None:
    if slab.shift == (0.0, 0.0):
        return
    first, second, distance = neighbor_list("ijd", atoms, _CONTACT * slab.lattice.bond_length)
    tags, numbers = atoms.get_tags(), atoms.numbers
    nearest = np.full((2, len(atoms)), np.inf)  # of an unlike and of a like atom of the upper slab
    meets = (tags[first] == NECK) & (tags[second] == UPPER)
    alike = (numbers[first] == numbers[second]).astype(int)
    np.minimum.at(nearest, (alike[meets], first[meets]), distance[meets])
    if wrong := int(np.count_nonzero(nearest[1] < nearest[0] - _TIE)):
        expected = "a registry in which the neck meets unlike atoms of the upper slab"
        got = f"{slab.shift[0]:g} {slab.shift[1]:g}, which puts {wrong} atoms over their own kind"
        advice = "shift by an even number of columns, or ask for 0 pairs"
        raise InputError("shift", expected=expected, got=got, advice=advice)
