"""Every structure a neck study needs: the bulk crystal, the double slab, and necks of every size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nanoslab.builders.column_lattice import build_block
from nanoslab.builders.double_slab import DoubleSlab
from nanoslab.builders.neck import build_neck_of_shape
from nanoslab.calculation import Calculation, Settings
from nanoslab.studies.neck.roles import BulkRole, DoubleSlabRole, NeckRole
from nanoslab.studies.neck.shape_code import shape_code
from nanoslab.studies.neck.shapes import ShapeChoice, chosen_shapes


def reference_calculations(slab: DoubleSlab, settings: Settings) -> tuple[Calculation, Calculation]:
    """Bulk crystal in a block with the sides of the slab, so that its k-points are the same, and the double slab.

    The bulk atoms are where symmetry holds them; they and the lattice stay as they are.
    """
    kx, ky, _ = settings.kpoints
    bulk = Calculation(
        name="bulk",
        role=BulkRole(label="bulk"),
        atoms=build_block(slab.lattice, slab.lateral),
        settings=replace(settings, kpoints=(kx, ky, kx), relax="none"),
    )
    bare = Calculation(
        name="double-slab",
        role=DoubleSlabRole(label="double slab"),
        atoms=build_neck_of_shape(slab, None),
        settings=settings,
    )
    return bulk, bare


def neck_calculations(slab: DoubleSlab, choice: ShapeChoice, settings: Settings) -> Iterator[Calculation]:
    """One calculation per shape, by size and compactness."""
    for shape in chosen_shapes(slab, choice):
        code = shape_code(shape.cells)
        n_pairs = shape.n_columns * slab.gap_planes // 2
        yield Calculation(
            name=f"neck-{n_pairs:02d}-{code}",
            role=NeckRole(
                label=f"{n_pairs} pairs",
                n_pairs=n_pairs,
                shape=code,
                screening_energy_eV=choice.screened.get(code),
                **shape.to_dict(),
            ),
            atoms=build_neck_of_shape(slab, shape, empty_columns=choice.empty_columns),
            settings=settings,
        )
