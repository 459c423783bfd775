"""Sites of a crystal around a point, and which of them are neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, covalent_radii
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from nanoslab.builders.stacking import BOND_REACH, shortest_distance
from nanoslab.errors import InputError, unknown_name
from nanoslab.species import cations_first

Vector = NDArray[np.float64]
#: no two atoms are nearer than this share of a bond
CLOSEST = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """Sites around the origin: species, positions [Å], formal charges [e], and the graph of bonds between them."""

    symbols: NDArray[np.str_]
    positions: Vector
    charges: Vector
    bonded: csr_array

    def bonds(self, chosen: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Bonds of every site to chosen ones."""
        return np.asarray(self.bonded @ chosen.astype(np.intp))

    def atoms(self, chosen: NDArray[np.bool_]) -> Atoms:
        """Chosen sites as atoms without a cell."""
        return Atoms(self.symbols[chosen], positions=self.positions[chosen])


def sites_within(cell: Atoms, charges: dict[str, float], centre: Vector, radius: float) -> Sites:
    """Sites of the crystal within a radius [Å] of a centre [Å], which becomes the origin."""
    heights = 1 / np.linalg.norm(np.asarray(cell.cell.reciprocal()), axis=1)
    repeats = np.ceil(radius / heights).astype(int) + 1
    grid = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in repeats), indexing="ij"), axis=-1).reshape(-1, 3)
    start = np.rint(np.linalg.solve(cell.cell.array.T, centre))
    positions = (((grid + start) @ cell.cell.array)[:, None] + (cell.positions - centre)).reshape(-1, 3)
    inside = np.linalg.norm(positions, axis=1) < radius
    symbols = np.tile(np.array(cell.get_chemical_symbols()), len(grid))[inside]
    return Sites(
        symbols=symbols,
        positions=positions[inside],
        charges=np.array([charges[symbol] for symbol in symbols]),
        bonded=bond_graph(positions[inside], BOND_REACH * shortest_distance(cell)),
    )


def bond_graph(positions: Vector, reach: float) -> csr_array:
    """Which positions lie within a distance [Å] of one another, as a sparse symmetric matrix of 0 and 1."""
    first, second = cKDTree(positions).query_pairs(reach, output_type="ndarray").T
    rows, columns = np.concatenate([first, second]), np.concatenate([second, first])
    return csr_array((np.ones(len(rows), dtype=np.intp), (rows, columns)), shape=(len(positions),) * 2)


def find_centre(cell: Atoms, centre: str) -> Vector:
    """Position of an atom of a species, or the middle of a shortest distance for ``bond`` [Å]."""
    if centre == "bond":
        i, _, vectors, lengths = neighbor_list("ijDd", cell, BOND_REACH * shortest_distance(cell))
        nearest = int(np.argmin(lengths.round(6)))
        return np.asarray(cell.positions[i[nearest]] + vectors[nearest] / 2)
    species = cations_first(cell.get_chemical_symbols())
    if centre not in species:
        raise unknown_name("centre", centre, ["bond", *species])
    return np.asarray(cell.positions[cell.symbols == centre][0])


def bond_lengths(*cells: Atoms) -> dict[frozenset[str], float]:
    """Shortest distance in the crystals of every pair of species that has one within 1.8 shortest distances [Å]."""
    lengths: dict[frozenset[str], float] = {}
    for cell in cells:
        first, second, distances = neighbor_list("ijd", cell, 1.8 * shortest_distance(cell))
        symbols = np.array(cell.get_chemical_symbols())
        for one, other, distance in zip(symbols[first], symbols[second], distances.round(6), strict=True):
            pair = frozenset((str(one), str(other)))
            lengths[pair] = min(float(distance), lengths.get(pair, np.inf))
    return lengths


def closest_contact(atoms: Atoms, lengths: dict[frozenset[str], float]) -> float:
    """Smallest distance of any two atoms in bond lengths: those of the crystals, else sums of covalent radii."""
    reach = max([*lengths.values(), 3.0])
    first, second = cKDTree(atoms.positions).query_pairs(reach, output_type="ndarray").T
    distances = np.linalg.norm(atoms.positions[first] - atoms.positions[second], axis=1)
    kinds, which = np.unique(atoms.get_chemical_symbols(), return_inverse=True)
    table = np.array([[bond_length(str(one), str(other), lengths) for other in kinds] for one in kinds])
    return float((distances / table[which[first], which[second]]).min(initial=np.inf))


def bond_length(one: str, other: str, lengths: dict[frozenset[str], float]) -> float:
    """Shortest distance of the two species in the crystals, or the sum of their covalent radii [Å]."""
    radii = float(covalent_radii[atomic_numbers[one]] + covalent_radii[atomic_numbers[other]])
    return lengths.get(frozenset((one, other)), radii)


def require_apart(atoms: Atoms, lengths: dict[frozenset[str], float], advice: str) -> float:
    """Closest contact [bond lengths]; an error when two atoms are nearer than 80 % of a bond."""
    closest = closest_contact(atoms, lengths)
    if closest < CLOSEST - 1e-6:
        got = f"{closest:.2f} of one"
        raise InputError("contacts", expected=f"no two atoms nearer than {CLOSEST:g} bonds", got=got, advice=advice)
    return closest
