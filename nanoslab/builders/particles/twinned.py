"""Multiply twinned particles of fcc metals: decahedra and icosahedra."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from ase import Atoms
from ase.cluster import Decahedron, Icosahedron

from nanoslab.builders.particles.particle import box, summarize
from nanoslab.builders.particles.sites import bond_graph
from nanoslab.builders.recipe import describe_lattice, describe_source, require_positive
from nanoslab.builders.stacking import BOND_REACH, conventional_cell, shortest_distance
from nanoslab.crystals import load_crystal, make_recipe
from nanoslab.errors import InputError
from nanoslab.structure_types import AnyStructure
from nanoslab.symmetry import crystal_symmetry

#: shells or edge lengths up to here are tried [atoms]
_LARGEST = 40


def build_twinned(
    crystal: str | Path | AnyStructure,
    kind: Literal["decahedron", "icosahedron"],
    diameter: float,
    *,
    vacuum: float = 10.0,
    lattice: str | None = None,
) -> Atoms:
    """Mackay icosahedron or Marks decahedron of an fcc metal, of the closed shell nearest in size.

    Parameters
    ----------
    crystal, lattice, vacuum
        As for `build_particle`.
    diameter
        Of the sphere with the same volume at bulk density [nm].

    Examples
    --------
    >>> build_twinned("Pt-fcc", "icosahedron", 2.0).get_chemical_formula()
    'Pt309'
    """
    cell = conventional_cell(load_crystal(crystal, lattice))
    symmetry = crystal_symmetry(cell)
    if symmetry.number != 225 or len(cell) != 4:
        got = f"{cell.get_chemical_formula()}, {symmetry.symbol}"
        raise InputError(
            "crystal", expected="an fcc metal", got=got, advice="decahedra and icosahedra are of fcc metals"
        )
    edge, symbol = float(cell.cell.lengths()[0]), cell[0].symbol
    wanted = np.pi / 6.0 * (10.0 * require_positive("diameter", diameter, "nm")) ** 3 / (edge**3 / 4.0)
    if kind == "icosahedron":
        sizes = {k: (10 * k**3 - 15 * k**2 + 11 * k - 3) // 3 for k in range(2, _LARGEST)}
        shells = min(sizes, key=lambda k: abs(np.log(sizes[k] / wanted)))
        atoms = Icosahedron(symbol, shells, edge)
    else:
        made = {p: Decahedron(symbol, p, p, 1, edge) for p in range(2, _LARGEST // 2) if p < 4 or p**3 < 1.2 * wanted}
        shells = min(made, key=lambda p: abs(np.log(len(made[p]) / wanted)))
        atoms = made[shells]
    atoms = Atoms(atoms.symbols, positions=atoms.positions)
    bonded = bond_graph(atoms.positions, BOND_REACH * shortest_distance(cell))
    summary = summarize(atoms, {symbol: 0.0}, len(atoms) * edge**3 / 4.0, np.asarray(bonded.sum(axis=1)))
    boxed = box(atoms, vacuum)
    boxed.info["recipe"] = make_recipe(
        "particle",
        crystal=describe_source(crystal),
        lattice=describe_lattice(crystal, lattice),
        shape=kind,
        diameter_nm=diameter,
        shells=shells,
        vacuum=vacuum,
    )
    boxed.info["ledger"] = summary.to_dict()
    return boxed
