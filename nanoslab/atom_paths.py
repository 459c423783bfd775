"""Ways of all atoms from one structure to another: which atom goes where, and the structures between."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.geometry import find_mic
from ase.mep import NEB
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from nanoslab.errors import InputError

#: structures whose atoms all lie nearer than this are one [Å]
SAME = 0.1


def matched(start: Atoms, end: Atoms) -> tuple[Atoms, Atoms]:
    """Both structures, the atoms of the end in the order in which the start's move least.

    Atoms of a species are assigned so that the sum of the squared distances, across the borders of the cell, is
    least (Hungarian method).
    """
    if sorted(start.numbers) != sorted(end.numbers):
        got = end.get_chemical_formula()
        raise InputError("end", expected=f"the atoms of the start, {start.get_chemical_formula()}", got=got)
    if not np.allclose(start.cell.array, end.cell.array, atol=1e-3):
        advice = "give both the cell of one of them, or follow the strain in steps"
        raise InputError("end", expected="the cell of the start", got=end.cell.lengths().round(3), advice=advice)
    order = np.empty(len(start), int)
    for number in np.unique(start.numbers):
        mine, theirs = np.flatnonzero(start.numbers == number), np.flatnonzero(end.numbers == number)
        ways = end.positions[theirs][None, :] - start.positions[mine][:, None]
        _, distances = find_mic(ways.reshape(-1, 3), start.cell, start.pbc)
        rows, columns = linear_sum_assignment(distances.reshape(len(mine), -1) ** 2)
        order[mine[rows]] = theirs[columns]
    ordered = start.copy()
    ways, _ = find_mic(end.positions[order] - start.positions, start.cell, start.pbc)
    ordered.set_positions(start.positions + ways, apply_constraint=False)
    ordered.info = dict(end.info)
    return start.copy(), ordered


def interpolated(start: Atoms, end: Atoms, n_images: int) -> list[Atoms]:
    """Start, images between and end, with distances between atoms that change evenly; fixed atoms stay.

    Smidstrup, Pedersen, Stokbro and Jonsson, J. Chem. Phys. 140 (2014) 214106. Start and end are atom by atom the
    same, each atom of the end in the cell in which it is nearest, as `matched` leaves them.
    """
    if np.linalg.norm(end.positions - start.positions, axis=1).max() < SAME:
        advice = "the end is no minimum of its own: choose another one"
        raise InputError("end", expected="another minimum than the start's", got="the same structure", advice=advice)
    images = [start, *(start.copy() for _ in range(n_images)), end]
    NEB(images, method="improvedtangent").interpolate("idpp", apply_constraint=False)
    fixed = ~free_atoms(start)
    for image in images[1:-1]:
        image.positions[fixed] = start.positions[fixed]
    return images


def free_atoms(atoms: Atoms) -> NDArray[np.bool_]:
    """Which atoms can move in some direction, shape (n,)."""
    probe = np.ones((len(atoms), 3))
    for constraint in atoms.constraints:
        constraint.adjust_forces(atoms, probe)
    return np.asarray(probe.any(axis=1))
