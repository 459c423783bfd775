"""The tetrahedral series of zinc-blende clusters: Cd35Se20X30, Cd56Se35X42, Cd84Se56X56 ..."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from scipy.spatial import cKDTree

from nanoslab.builders.particles.ligands import Ligands
from nanoslab.builders.particles.particle import Surface, finish_particle
from nanoslab.builders.particles.sites import sites_within
from nanoslab.builders.recipe import describe_lattice, describe_source, require_whole_number
from nanoslab.builders.stacking import conventional_cell, shortest_distance
from nanoslab.crystals import load_crystal, make_recipe
from nanoslab.errors import InputError
from nanoslab.species import cations_first, formal_charges
from nanoslab.structure_types import AnyStructure
from nanoslab.symmetry import crystal_symmetry

_LARGEST = 40


def tetrahedral_counts(order: int) -> tuple[int, int, int]:
    """Cations, anions and ligands of charge -1 of a member of the series, neutral for charges +2 and -2.

    Cations are the points of a tetrahedron with ``order + 1`` along an edge; every anion has four of them.

    Examples
    --------
    >>> [tetrahedral_counts(order) for order in (4, 5, 6)]
    [(35, 20, 30), (56, 35, 42), (84, 56, 56)]
    """
    n = require_whole_number("order", order, 1, _LARGEST)
    return (n + 1) * (n + 2) * (n + 3) // 6, n * (n + 1) * (n + 2) // 6, (n + 1) * (n + 2)


def build_tetrahedral_cluster(
    crystal: str | Path | AnyStructure,
    order: int,
    *,
    ligand: str | None = None,
    vacuum: float = 10.0,
    lattice: str | None = None,
) -> Atoms:
    """Tetrahedron of a zinc-blende crystal with four (111)A faces, bare or with its ligands.

    Parameters
    ----------
    crystal, vacuum, lattice
        As for `build_particle`.
    order
        Place in the series: 4 is Cd35Se20X30.
    ligand
        Halide or molecule of charge -1; bare, and charged, when not given.

    Examples
    --------
    >>> build_tetrahedral_cluster("CdSe-zincblende", 5, ligand="Cl").get_chemical_formula()
    'Cd56Cl42Se35'
    """
    cell = conventional_cell(load_crystal(crystal, lattice))
    symmetry = crystal_symmetry(cell)
    if symmetry.number != 216 or len(cell) != 8:
        got = f"{cell.get_chemical_formula()}, {symmetry.symbol}"
        raise InputError("crystal", expected="a zinc-blende crystal", got=got, advice="take CdSe-zincblende")
    n_ligands = tetrahedral_counts(order)[2]
    anion = cations_first(cell.get_chemical_symbols())[1]
    charges = formal_charges(cell.get_chemical_formula())
    own = int(np.flatnonzero(cell.symbols == anion)[0])
    first, vectors = neighbor_list("iD", cell, 1.1 * shortest_distance(cell))
    bonds = vectors[first == own]
    edges = bonds[:3] - bonds[3]
    steps = np.array([s for s in np.ndindex(*(order + 1,) * 3) if sum(s) <= order])
    corner = cell.positions[own] + bonds[3]
    metals = corner + steps @ edges
    anions = cell.positions[own] + steps[steps.sum(axis=1) < order] @ edges
    middle = metals.mean(axis=0)
    radius = float(np.linalg.norm(corner - middle)) + 3.0 * shortest_distance(cell)
    sites = sites_within(cell, charges, middle, radius)
    chosen = np.zeros(len(sites.symbols), dtype=bool)
    chosen[cKDTree(sites.positions).query(np.vstack([metals, anions]) - middle)[1]] = True
    kind = None if ligand is None else Ligands(name=ligand, count=n_ligands)
    if kind is not None and (kind.charge != -1 or kind.salt):
        raise InputError("ligand", expected="one of charge -1", got=ligand, advice="give Cl or formate")
    recipe = make_recipe(
        "tetrahedral cluster",
        crystal=describe_source(crystal),
        lattice=describe_lattice(crystal, lattice),
        order=order,
        ligand=ligand,
        vacuum=vacuum,
    )
    return finish_particle(sites, chosen, cell, recipe, (Surface(ligands=kind), vacuum))
