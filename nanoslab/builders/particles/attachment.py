"""Oriented attachment: two particles that face one another across a gap, with or without a neck."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ase import Atoms

from nanoslab.builders.double_slab import LOWER, NECK, UPPER, DoubleSlab, describe_double_slab
from nanoslab.builders.neck import columns_for_pairs
from nanoslab.builders.neck_shapes import most_compact_shapes
from nanoslab.builders.particles.particle import Surface, box, build_particle, summarize
from nanoslab.builders.particles.shapes import Shape
from nanoslab.builders.particles.sites import bond_graph, bond_lengths, require_apart
from nanoslab.builders.stacking import BOND_REACH
from nanoslab.crystals import load_crystal, make_recipe
from nanoslab.errors import InputError
from nanoslab.structure_types import AnyStructure


def build_attached_pair(
    crystal: str | Path | AnyStructure,
    shape: Shape,
    *,
    gap_planes: int = 2,
    pairs: int = 0,
    vacuum: float = 10.0,
    lattice: str | None = None,
) -> Atoms:
    """Two equal particles on one rock-salt lattice, {001} to {001}, and the most compact neck of a number of pairs.

    Wang 2020's geometry: two planes are missing between the facets, and the columns of a neck go on with the lattice.
    Cross-section, columns and species are those of `build_neck`.

    Parameters
    ----------
    crystal, shape, vacuum, lattice
        As for `build_particle`; a rock-salt crystal.
    gap_planes
        Missing planes, even.
    pairs
        Cation-anion pairs of the neck.

    Examples
    --------
    >>> cubes = build_attached_pair("PbSe-rocksalt", Shape(kind="wulff", diameter=2.5, facets={"001": 1.0}), pairs=4)
    >>> len(cubes.info["recipe"]["neck_indices"]), cubes.info["ledger"]["formal_charge"]
    (8, 0.0)
    """
    slab = describe_double_slab(load_crystal(crystal, lattice), gap_planes=gap_planes, lateral=(12, 12), planes=2)
    columns = slab.lattice
    if columns.kind != "rocksalt":
        got = f"a {columns.kind} one"
        raise InputError("crystal", expected="a rock-salt crystal", got=got, advice="take PbSe-rocksalt")
    one = build_particle(crystal, shape, Surface(), vacuum=vacuum, lattice=lattice)
    start = one.positions[one.symbols == columns.cation][0]
    indices = np.rint((one.positions - start) / columns.spacing).astype(int)
    top, height = int(indices[:, 2].max()), int(np.ptp(indices[:, 2])) + 1
    step = np.array([0, 0, height + gap_planes])
    step[0] = step.sum() % 2  # a lattice vector joins an even number of steps
    facing = {tuple(cell) for cell in indices[indices[:, 2] == top][:, :2]}
    above = {tuple(cell) for cell in (indices + step)[indices[:, 2] + step[2] == top + gap_planes + 1][:, :2]}
    cells = _neck_cells(slab, pairs, facing & above) if pairs else []
    neck = [(i, j, top + 1 + k) for i, j in cells for k in range(gap_planes)]
    sites = np.vstack([indices, indices + step, *(np.array([site]) for site in neck)])
    symbols = [columns.species(*site) for site in sites.tolist()]
    atoms = Atoms(symbols, positions=sites * columns.spacing)
    atoms.set_tags([LOWER] * len(one) + [UPPER] * len(one) + [NECK] * len(neck))
    cell = load_crystal(crystal, lattice)
    charges = one.info["ledger"]["formal_charges_e"]
    bonds = np.asarray(bond_graph(atoms.positions, BOND_REACH * columns.spacing).sum(axis=1))
    summary = summarize(atoms, charges, len(atoms) * cell.get_volume() / len(cell), bonds).to_dict()
    closest = require_apart(atoms, bond_lengths(cell), "give more planes for the gap")
    boxed = box(atoms, vacuum)
    recipe = make_recipe(
        "attached pair",
        particle=one.info["recipe"],
        gap_planes=gap_planes,
        gap_A=gap_planes * columns.plane_spacing,
        n_pairs=pairs,
        columns=[list(cell) for cell in cells],
        vacuum=vacuum,
    )
    recipe |= {"closest_contact_bonds": round(closest, 4)}
    recipe["neck_indices"] = np.flatnonzero(boxed.get_tags() == NECK).tolist()
    boxed.info = {"recipe": recipe, "ledger": summary}
    return boxed


def _neck_cells(slab: DoubleSlab, pairs: int, facing: set[tuple[int, ...]]) -> list[tuple[int, int]]:
    """Columns of the most compact neck, in the middle of the facing facets, which must hold all of them."""
    shape = most_compact_shapes(slab, columns_for_pairs(slab, pairs), 1)[0]
    cells = np.array(shape.cells)
    middle = np.array(sorted(facing)).mean(axis=0) if facing else np.zeros(2)
    for dx, dy in sorted(np.ndindex(5, 5), key=lambda s: (s[0] - 2) ** 2 + (s[1] - 2) ** 2):
        moved = cells + np.rint(middle - cells.mean(axis=0)).astype(int) + (dx - 2, dy - 2)
        if all(tuple(cell) in facing for cell in moved.tolist()):
            return [(int(i), int(j)) for i, j in moved]
    raise InputError(
        "pairs",
        expected=f"a neck within the {len(facing)} columns of the facing facets",
        got=f"{len(cells)} columns",
        advice="give fewer pairs or larger particles",
    )
