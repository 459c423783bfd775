"""Spherical and faceted nanocrystals of an exact composition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import ConvexHull, HalfspaceIntersection, QhullError, cKDTree

from nanoslab.builders import recipe
from nanoslab.builders.face import parse_face
from nanoslab.builders.stacking import BOND_REACH, conventional_cell, is_hexagonal, shortest_distance
from nanoslab.builders.summary import StructureSummary, count_species
from nanoslab.crystals import load_crystal, make_recipe
from nanoslab.errors import InputError, unknown_name
from nanoslab.species import cations_first, formal_charges
from nanoslab.symmetry import point_operations

Vector = NDArray[np.float64]
#: sites are laid out this many bond lengths beyond the shape, as room for atoms to move to
_MARGIN = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Sites of the crystal around the centre: species, positions, size of the shape that just holds them, bonds."""

    symbols: NDArray[np.str_]
    positions: Vector
    sizes: Vector
    bonded: csr_array


def build_nanocrystal(
    crystal: str | Path | Atoms,
    composition: int | Mapping[str, int],
    *,
    facets: Mapping[str, float] | None = None,
    centre: str = "bond",
    vacuum: float = 10.0,
    lattice: str | None = None,
) -> Atoms:
    """Nanocrystal with exactly the atoms asked for, cut as a sphere or along facets.

    Of every species, the sites nearest to the centre are taken: by distance, or by the size of the polyhedron whose
    faces lie at the given distances (Wulff's construction). Atoms then move to free sites with more bonds until no
    move gains a bond; ``fewest_bonds`` of the ledger says how well that went.

    Parameters
    ----------
    crystal, lattice
        As for `build_nanosheet`.
    composition
        Number of formula units, or atoms of every species such as ``{"Cd": 55, "Se": 45}``.
    facets
        Face -> distance from the centre, such as surface energies; only their ratios matter, and every face stands for
        all that the point group makes the same. A sphere when not given.
    centre
        A species (one of its atoms is the centre), or ``bond`` (the middle of a shortest distance).
    vacuum
        Smallest distance to the next image along each axis of the cubic cell [Å].

    Returns
    -------
    Atoms
        As of `build_nanosheet`.

    Examples
    --------
    >>> dot = build_nanocrystal("CdSe-wurtzite", 33)
    >>> dot.get_chemical_formula(), dot.info["ledger"]["formal_charge"], dot.info["ledger"]["fewest_bonds"]
    ('Cd33Se33', 0.0, 2)
    """
    cell = conventional_cell(load_crystal(crystal, lattice))
    counts = _counts(cell, composition)
    vacuum = recipe.require_positive("vacuum", vacuum, "Å")
    normals = _facet_normals(cell, facets)
    block, chosen = _cut(cell, counts, normals, _centre(cell, centre))
    _gain_bonds(block, chosen)
    atoms = Atoms(block.symbols[chosen], positions=block.positions[chosen])
    edge = float(np.ptp(atoms.positions, axis=0).max()) + vacuum
    atoms.set_cell([edge] * 3)
    atoms.pbc = True
    atoms.positions += edge / 2 - (atoms.positions.max(axis=0) + atoms.positions.min(axis=0)) / 2
    atoms = recipe.group_by_species(atoms)
    bonds = (block.bonded @ chosen.astype(np.intp))[chosen].tolist()
    atoms.info = {
        "recipe": make_recipe(
            "nanocrystal",
            crystal=recipe.describe_source(crystal),
            lattice=recipe.describe_lattice(crystal, lattice),
            composition=counts,
            facets=None if facets is None else dict(facets),
            centre=centre,
            vacuum=vacuum,
        ),
        "ledger": _summary(atoms, cell, bonds).to_dict(),
    }
    return atoms


def units_of_diameter(crystal: str | Path | Atoms, diameter_nm: float, *, lattice: str | None = None) -> int:
    """Formula units in the sphere of a diameter, at the volume that they have in the crystal; at least one."""
    cell = load_crystal(crystal, lattice)
    volume = np.pi / 6 * (10.0 * recipe.require_positive("diameter", diameter_nm, "nm")) ** 3
    units = len(cell) / len(cell.symbols.formula.reduce()[0])
    return max(1, round(float(volume / cell.get_volume() * units)))


def _counts(cell: Atoms, composition: int | Mapping[str, int]) -> dict[str, int]:
    species = cations_first(cell.get_chemical_symbols())
    if not isinstance(composition, Mapping):
        units = recipe.require_whole_number("composition", composition)
        unit = cell.symbols.formula.reduce()[0].count()
        return {element: units * unit[element] for element in species}
    for element in composition:
        if element not in species:
            raise unknown_name("composition", element, species)
    return {element: recipe.require_whole_number(element, composition.get(element, 0), 0) for element in species}


def _facet_normals(cell: Atoms, facets: Mapping[str, float] | None) -> Vector | None:
    """Outward normals divided by the distance of their face, shape (n_faces, 3)."""
    if facets is None:
        return None
    reciprocal = np.asarray(cell.cell.reciprocal())
    rotations = point_operations(cell)
    normals = []
    for face, distance in facets.items():
        far = recipe.require_positive(f"facet {face}", distance, "in any unit")
        miller = np.array(parse_face(face, hexagonal=is_hexagonal(cell)))
        for image in np.unique(miller @ rotations, axis=0):
            normal = image @ reciprocal
            normals.append(normal / np.linalg.norm(normal) / far)
    return np.array(normals)


def _centre(cell: Atoms, centre: str) -> Vector:
    if centre == "bond":
        i, vectors, lengths = neighbor_list("iDd", cell, BOND_REACH * shortest_distance(cell))
        nearest = int(np.argmin(lengths.round(6)))
        return np.asarray(cell.positions[i[nearest]] + vectors[nearest] / 2)
    species = cations_first(cell.get_chemical_symbols())
    if centre not in species:
        raise unknown_name("centre", centre, ["bond", *species])
    return np.asarray(cell.positions[cell.symbols == centre][0])


def _cut(
    cell: Atoms, counts: Mapping[str, int], normals: Vector | None, centre: Vector
) -> tuple[_Block, NDArray[np.bool_]]:
    """Block of sites, and which of them lie nearest to the centre."""
    # a composition far from the crystal's own needs the room of its most frequent species
    cells = max(number / (cell.symbols == element).sum() for element, number in counts.items())
    volume = cell.get_volume() * cells
    block = _block(cell, normals, centre, _radius(volume, normals) + _MARGIN * shortest_distance(cell))
    chosen = np.zeros(len(block.symbols), dtype=bool)
    for element, number in counts.items():
        sites = np.flatnonzero(block.symbols == element)
        chosen[sites[np.argsort(block.sizes[sites].round(6), kind="stable")[:number]]] = True
    return block, chosen


def _radius(volume: float, normals: Vector | None) -> float:
    """Distance of the farthest point of a shape of that volume from the centre [Å]."""
    if normals is None:
        return float((0.75 * volume / np.pi) ** (1 / 3))
    try:
        closed = ConvexHull(normals).equations[:, -1].max() < -1e-9
    except QhullError:
        closed = False
    if not closed:
        got, advice = f"{len(normals)} faces of an open shape", "add the faces of its open ends"
        raise InputError("facets", expected="faces that enclose a crystal", got=got, advice=advice)
    corners = HalfspaceIntersection(np.column_stack([normals, -np.ones(len(normals))]), np.zeros(3)).intersections
    scale = (volume / ConvexHull(corners).volume) ** (1 / 3)
    return float(scale * np.linalg.norm(corners, axis=1).max())


def _block(cell: Atoms, normals: Vector | None, centre: Vector, radius: float) -> _Block:
    heights = 1 / np.linalg.norm(np.asarray(cell.cell.reciprocal()), axis=1)
    repeats = np.ceil(radius / heights).astype(int) + 1
    grid = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in repeats), indexing="ij"), axis=-1).reshape(-1, 3)
    positions = ((grid @ cell.cell.array)[:, None] + (cell.positions - centre)).reshape(-1, 3)
    distances = np.linalg.norm(positions, axis=1)
    inside = distances < radius
    symbols = np.tile(np.array(cell.get_chemical_symbols()), len(grid))[inside]
    positions = positions[inside]
    pairs = cKDTree(positions).query_pairs(BOND_REACH * shortest_distance(cell), output_type="ndarray")
    first, second = np.concatenate([pairs, pairs[:, ::-1]]).T
    bonded = csr_array((np.ones(len(first), dtype=np.intp), (first, second)), shape=(len(positions), len(positions)))
    sizes = distances[inside] if normals is None else (positions @ normals.T).max(axis=1)
    return _Block(symbols=symbols, positions=positions, sizes=sizes, bonded=bonded)


def _gain_bonds(block: _Block, chosen: NDArray[np.bool_]) -> None:
    """Move atoms to free sites of their species while a move gains a bond; changes `chosen`."""
    while True:
        bonds = block.bonded @ chosen.astype(np.intp)
        moves = [move for element in np.unique(block.symbols) if (move := _best_move(block, chosen, bonds, element))]
        if not moves:
            return
        _, start, end = max(moves)
        chosen[start], chosen[end] = False, True


def _best_move(
    block: _Block, chosen: NDArray[np.bool_], bonds: NDArray[np.intp], element: str
) -> tuple[int, int, int] | None:
    """Gain in bonds, site to leave and site to take: outer ones are left first."""
    here = np.flatnonzero(chosen & (block.symbols == element))
    free = np.flatnonzero(~chosen & (block.symbols == element))
    if not len(here) or not len(free):
        return None
    start = here[np.lexsort((-block.sizes[here].round(6), bonds[here]))[0]]
    end = free[np.lexsort((block.sizes[free].round(6), -bonds[free]))[0]]
    # a site bonded to the one that is left would lose that bond
    gain = int(bonds[end] - bonds[start] - block.bonded[start, end])
    return (gain, int(start), int(end)) if gain > 0 else None


def _summary(atoms: Atoms, cell: Atoms, bonds: list[int]) -> StructureSummary:
    charges = formal_charges(cell.get_chemical_formula())
    charge = np.array([charges[symbol] for symbol in atoms.get_chemical_symbols()])
    species = cations_first(charges)
    return StructureSummary(
        counts=count_species(atoms, species),
        charges={one: charges[one] for one in species},
        formal_charge=float(charge.sum()),
        dipole=tuple((charge @ (atoms.positions - atoms.positions.mean(axis=0))).tolist()),
        diameter=float((6 * (len(atoms) * cell.get_volume() / len(cell)) / np.pi) ** (1 / 3)),
        fewest_bonds=min(bonds, default=0),
        mean_bonds=float(np.mean(bonds)),
    )
