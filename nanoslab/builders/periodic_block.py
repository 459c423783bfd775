"""Bulk crystal in a block whose sides are those of a slab."""

from __future__ import annotations

import numpy as np
from ase import Atoms

from nanoslab.builders.column_lattice import ColumnLattice
from nanoslab.builders.recipe import make_recipe
from nanoslab.errors import InputError


def build_block(lattice: ColumnLattice, lateral: tuple[int, int]) -> Atoms:
    """Build bulk crystal as columns: the sides of a slab, and about as high as its first side is long.

    Parameters
    ----------
    lattice
        The compound.
    lateral
        Columns along the two sides.

    Examples
    --------
    >>> from nanoslab.builders.column_lattice import column_lattice
    >>> block = build_block(column_lattice("PbSe-rocksalt"), (6, 6))
    >>> str(block.symbols), bool(np.ptp(block.cell.lengths()) < 1e-9)
    ('Pb108Se108', True)
    """
    if min(lateral) < 1 or any(count % lattice.lateral_period for count in lateral):
        raise InputError("lateral", expected=f"multiples of {lattice.lateral_period}", got=lateral, advice="give 6 6")
    side = lateral[0] * lattice.spacing
    planes = lattice.plane_period * max(1, round(side / lattice.plane_spacing / lattice.plane_period))
    sites = [(i, j, k) for k in range(planes) for j in range(lateral[1]) for i in range(lateral[0])]
    sites.sort(key=lambda site: lattice.species(*site) != lattice.cation)
    atoms = Atoms(
        [lattice.species(*site) for site in sites],
        positions=[lattice.position(*site) for site in sites],
        cell=np.diag([side, lateral[1] * lattice.spacing, planes * lattice.plane_spacing]),
        pbc=True,
    )
    atoms.wrap()
    atoms.info["recipe"] = make_recipe(
        "block",
        crystal=lattice.name,
        lattice=lattice.lattice,
        lattice_constant_A=lattice.lattice_constant,
        lateral=list(lateral),
        planes=planes,
    )
    return atoms
