"""Symmetry of a particle in a box: rotations and reflections about its centre, whatever the box would allow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from nanoslab.errors import InputError
from nanoslab.slab_geometry import widest_gap

Vector = NDArray[np.float64]


def is_particle(atoms: Atoms, least_vacuum: float) -> bool:
    """Whether empty space surrounds the atoms on all sides, or nothing repeats them."""
    if not atoms.pbc.any() or atoms.cell.rank < 3:
        return True
    heights = 1 / np.linalg.norm(np.asarray(atoms.cell.reciprocal()), axis=1)
    scaled = atoms.get_scaled_positions()
    return all(widest_gap(scaled[:, axis])[0] * heights[axis] >= least_vacuum for axis in range(3))


def particle_positions(atoms: Atoms) -> Vector:
    """Positions about the centre of a particle, whole also where the border of the cell cuts it, (n_atoms, 3) [Å]."""
    positions = atoms.positions
    if atoms.pbc.any() and atoms.cell.rank == 3:
        scaled = atoms.get_scaled_positions()
        for axis in range(3):
            scaled[:, axis] = (scaled[:, axis] - widest_gap(scaled[:, axis])[1] + 1e-9) % 1.0
        positions = scaled @ atoms.cell.array
    return np.asarray(positions - positions.mean(axis=0))


def particle_permutations(atoms: Atoms, tolerance: float) -> NDArray[np.intp]:
    """How every operation of the point group permutes the atoms, shape (n_operations, n_atoms), without doubles.

    Two atoms of rare kinds (species, distance from the centre) fix an operation; every pair of atoms of the same kinds
    at the same angle is tried, with both hands.
    """
    positions = particle_positions(atoms)
    tree = cKDTree(positions)
    found = {tuple(range(len(atoms)))}
    for rotation in _candidates(atoms.numbers, positions, tolerance):
        distances, nearest = tree.query(positions @ rotation.T)
        alike = np.array_equal(atoms.numbers[nearest], atoms.numbers) and len(np.unique(nearest)) == len(atoms)
        if alike and distances.max() <= 3 * tolerance:
            found.add(tuple(nearest.tolist()))
    return np.array(sorted(found), dtype=np.intp)


def _candidates(numbers: NDArray[np.intp], positions: Vector, tolerance: float) -> Iterator[Vector]:
    radii = np.linalg.norm(positions, axis=1)
    alike = (numbers[:, None] == numbers) & (abs(radii[:, None] - radii) <= 3 * tolerance)
    # few of a kind, and far out: fewer to try, and a direction that is known well
    order = [i for i in np.lexsort((-radii, alike.sum(axis=1))).tolist() if radii[i] > 0.5]
    first = order[0] if order else -1
    areas = np.linalg.norm(np.cross(positions[first], positions), axis=1)
    across = [i for i in order if areas[i] > 0.3 * radii[first] * radii[i]]
    if not across:
        raise InputError(
            "particle", expected="atoms that do not lie on a line", got=f"{len(radii)} atoms", advice="give more atoms"
        )
    second = across[0]
    back = np.asarray(np.linalg.inv(_frame(positions[first], positions[second], 1.0)))
    angle = positions[first] @ positions[second]
    slack = 6 * tolerance * (radii[first] + radii[second])
    for i in np.flatnonzero(alike[first]):
        for j in np.flatnonzero(alike[second]):
            if abs(positions[i] @ positions[j] - angle) > slack:
                continue
            for hand in (1.0, -1.0):
                left, _, right = np.linalg.svd(_frame(positions[i], positions[j], hand) @ back)
                yield left @ right


def _frame(one: Vector, other: Vector, hand: float) -> Vector:
    """Columns: two vectors and what is perpendicular to them, to the one or the other side."""
    normal = np.cross(one, other)
    return np.column_stack([one, other, hand * normal])
