"""Every structure a neck study needs: the bulk crystal, the double slab, and necks of every size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from nanoslab.builders.column_lattice import build_block
from nanoslab.builders.double_slab import DoubleSlab, describe_double_slab
from nanoslab.builders.neck import (
    build_neck_of_shape,
    columns_for_pairs,
    largest_extent,
    require_room,
)
from nanoslab.builders.neck_shapes import NeckShape, distinct_neck_shapes, most_compact_shapes, neck_shape
from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.errors import InputError
from nanoslab.studies.shape_code import shape_cells, shape_code

if TYPE_CHECKING:
    from nanoslab.studies.neck_study import NeckStudy, Shapes


def calculations(study: NeckStudy) -> tuple[Calculation, ...]:
    """Bulk, double slab, then the necks by size and compactness.

    Raises
    ------
    InputError
        The study asks for a screen that has not been run, or the cell is too small for a size.
    """
    if study.screen is not None and study.screened is None:
        raise InputError(
            "screen",
            expected="energies of the screened shapes in the study (screened:)",
            got="none yet",
            advice="run the screen first: nanoslab.studies.neck_screening, which 'write' and 'run' call",
        )
    slab = double_slab(study)
    settings = replace(study.settings.settings(), kpoints=study.kpoints, relax=study.relax)
    energies = screening_energies(study)
    return (*references(slab, settings), *necks(slab, chosen_shapes(study, slab), settings, study, energies))


def double_slab(study: NeckStudy) -> DoubleSlab:
    """The two slabs of a study."""
    return describe_double_slab(
        study.crystal,
        gap_planes=study.gap_planes,
        lattice=study.lattice,
        lattice_constant=study.lattice_constant,
        lateral=study.lateral,
        planes=study.planes,
        vacuum=study.vacuum,
        fixed_planes=study.fixed_planes,
    )


def references(slab: DoubleSlab, settings: Settings) -> tuple[Calculation, Calculation]:
    """Bulk crystal in a block with the sides of the slab, so that its k-points are the same, and the double slab.

    The bulk atoms are where symmetry holds them; they and the lattice stay as they are.
    """
    kx, ky, _ = settings.kpoints
    bulk = Calculation(
        name="bulk",
        role=Role(kind="bulk", label="bulk"),
        atoms=build_block(slab.lattice, slab.lateral),
        settings=replace(settings, kpoints=(kx, ky, kx), relax="none"),
    )
    bare = Calculation(
        name="double-slab",
        role=Role(kind="double-slab", label="double slab", n_pairs=0),
        atoms=build_neck_of_shape(slab, None),
        settings=settings,
    )
    return bulk, bare


def necks(
    slab: DoubleSlab,
    shapes: Iterable[NeckShape],
    settings: Settings,
    study: NeckStudy,
    energies: dict[str, float],
) -> Iterator[Calculation]:
    """One calculation per shape."""
    for shape in shapes:
        code = shape_code(shape.cells)
        n_pairs = shape.n_columns * slab.gap_planes // 2
        screened = {"screening_energy_eV": energies[code]} if code in energies else {}
        yield Calculation(
            name=f"neck-{n_pairs:02d}-{code}",
            role=Role(
                kind="neck", label=f"{n_pairs} pairs", n_pairs=n_pairs, shape=code, **shape.to_dict(), **screened
            ),
            atoms=build_neck_of_shape(slab, shape, empty_columns=study.empty_columns),
            settings=settings,
        )


def candidate_shapes(study: NeckStudy, slab: DoubleSlab, pairs: int, shapes: Shapes) -> tuple[NeckShape, ...]:
    """Shapes of one size that fit the cell: the most compact, or all."""
    columns = columns_for_pairs(slab, pairs)
    require_room(slab, columns, study.empty_columns)
    box = largest_extent(slab, study.empty_columns)
    if shapes == "all":
        found = tuple(sorted(distinct_neck_shapes(slab, columns, box=box), key=lambda shape: shape.rank))
    else:
        found = most_compact_shapes(slab, columns, shapes, box=box)
    if not found:
        # says how large the cell must be
        build_neck_of_shape(slab, most_compact_shapes(slab, columns, 1)[0], empty_columns=study.empty_columns)
    return found


def chosen_shapes(study: NeckStudy, slab: DoubleSlab) -> list[NeckShape]:
    """Shapes of all sizes: those the screen kept, or else the most compact."""
    if study.screen is None or study.screened is None:
        return [shape for pairs in study.pairs for shape in candidate_shapes(study, slab, pairs, study.shapes)]
    energies = screening_energies(study)
    chosen = []
    for pairs in study.pairs:
        columns = columns_for_pairs(slab, pairs)
        own = sorted((energy, code) for code, energy in energies.items() if len(shape_cells(code)) == columns)
        if not own:
            raise InputError(
                "screened",
                expected=f"at least one energy of a neck of {pairs} pairs",
                got="none",
                advice="remove the section 'screened' and screen again",
            )
        chosen += [neck_shape(slab, shape_cells(code)) for _, code in own[: study.screen.keep]]
    return chosen


def screening_energies(study: NeckStudy) -> dict[str, float]:
    """Shape code -> energy of the screen [eV]; empty without one."""
    return dict(study.screened or {})
