"""Symmetry of crystals and sheets (spglib): space group, standard cells, and how operations permute the atoms."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import spglib
from ase import Atoms
from ase.geometry import find_mic
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from nanoslab.errors import InputError

#: positions that differ by less than this are the same [Å]
TOLERANCE = 1e-3
#: a third of the shortest bonds there are: beyond it any two positions are the same [Å]
MOST_TOLERANCE = 0.3


class CrystalSymmetry(NamedTuple):
    """Space group: number in the International Tables, and Hermann-Mauguin symbol."""

    number: int
    symbol: str


def crystal_symmetry(atoms: Atoms, tolerance: float = TOLERANCE) -> CrystalSymmetry:
    """Space group of a structure; positions nearer than the tolerance [Å] are the same."""
    found = _call(spglib.get_symmetry_dataset, atoms, tolerance)
    return CrystalSymmetry(number=int(found.number), symbol=str(found.international))


def standard_cell(atoms: Atoms, *, to_primitive: bool, tolerance: float = TOLERANCE) -> Atoms:
    """Conventional or primitive cell in the orientation of the structure, nothing idealized."""
    lattice, scaled, numbers = _call(
        spglib.standardize_cell, atoms, tolerance, to_primitive=to_primitive, no_idealize=True
    )
    return Atoms(numbers, cell=lattice, scaled_positions=scaled, pbc=True)


def point_operations(atoms: Atoms, tolerance: float = TOLERANCE) -> NDArray[np.intp]:
    """Rotations of the space group in fractional coordinates, without doubles, shape (n_operations, 3, 3)."""
    found = _call(spglib.get_symmetry_dataset, atoms, tolerance)
    return np.unique(np.asarray(found.rotations, dtype=np.intp), axis=0)


def rotations_about(atoms: Atoms, index: int, tolerance: float = TOLERANCE) -> NDArray[np.float64]:
    """Rotations and reflections of the structure that leave one atom in its place, Cartesian, shape (n, 3, 3)."""
    found = _call(spglib.get_symmetry_dataset, atoms, tolerance)
    here, lattice = atoms.get_scaled_positions(wrap=False)[index], atoms.cell.array.T
    shifts = found.rotations @ here + found.translations - here
    off = np.linalg.norm((shifts - np.round(shifts)) @ lattice.T, axis=1)
    fixing = np.unique(found.rotations[off < 2 * tolerance], axis=0)
    return np.asarray(lattice @ fixing @ np.linalg.inv(lattice))


def site_permutations(atoms: Atoms, tolerance: float = TOLERANCE) -> NDArray[np.intp]:
    """How every operation of the space group, lattice translations of a supercell included, permutes the atoms.

    Shape (n_operations, n_atoms), without doubles, the identity among them: row g sends atom i to atom row[i].
    """
    found = _call(spglib.get_symmetry_dataset, atoms, tolerance)
    scaled = atoms.get_scaled_positions(wrap=False)
    tree = cKDTree(_fold(scaled), boxsize=1.0)
    permutations = set()
    for rotation, translation in zip(found.rotations, found.translations, strict=True):
        images = scaled @ rotation.T + translation
        nearest = tree.query(_fold(images))[1]
        distances = find_mic((images - scaled[nearest]) @ atoms.cell.array, atoms.cell, pbc=True)[1]
        same_species = np.array_equal(atoms.numbers[nearest], atoms.numbers)
        if len(set(nearest.tolist())) != len(atoms) or not same_species or distances.max() > 3 * tolerance:
            expected = "a distance within which symmetry maps atoms onto atoms"
            raise InputError("tolerance", expected=expected, got=f"{tolerance} Å", advice="lower it")
        permutations.add(tuple(nearest.tolist()))
    return np.array(sorted(permutations), dtype=np.intp)


def _call(function: Callable[..., Any], atoms: Atoms, tolerance: float, **options: Any) -> Any:
    # spglib itself ends the process at a tolerance that is no length
    if not 0 < tolerance <= MOST_TOLERANCE:
        expected = f"a distance above 0 and at most {MOST_TOLERANCE} Å"
        raise InputError(
            "tolerance", expected=expected, got=tolerance, advice="0.001 for built sheets, 0.05 for relaxed ones"
        )
    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    found = None
    # spglib 2.7 says by an error what an older one says by None, and deprecates its way of saying that all is well
    with warnings.catch_warnings(), suppress(getattr(spglib, "SpglibError", ValueError)):
        warnings.simplefilter("ignore", DeprecationWarning)
        found = function(cell, symprec=tolerance, **options)
    if found is None:
        expected, got = "a periodic structure whose symmetry can be found", atoms.get_chemical_formula()
        advice = "check that no two atoms overlap and that the cell has three vectors"
        raise InputError("structure", expected=expected, got=got, advice=advice)
    return found


def _fold(scaled: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fractional coordinates in [0, 1), also where rounding gives 1."""
    folded = scaled % 1.0
    folded[folded >= 1.0] = 0.0
    return folded
