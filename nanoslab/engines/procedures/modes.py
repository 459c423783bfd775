"""Vibrations of some atoms of a structure, all others held: enough to tell a minimum from a saddle."""

from __future__ import annotations

import numpy as np
from ase import Atoms, units
from numpy.typing import NDArray
from scipy.linalg import null_space, orth

#: displacement of the central differences [Å]
DISPLACEMENT = 0.01
#: eV/Å²/u to (2 pi THz)²
THZ_PER_ROOT = np.sqrt(units._e / units._amu) * 1e10 / (2 * np.pi * 1e12)
#: a rigid motion of everything is left out where its curvature is below this share of the largest one
FREE = 1e-3


def frequencies_THz(atoms: Atoms, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """Frequencies of the chosen atoms by central differences of the forces, rising; imaginary ones below zero.

    Translations, and rotations of a molecule, are left out where all atoms vibrate and nothing holds them.
    """
    free = atoms.copy()
    free.set_constraint()
    free.calc = atoms.calc
    rows = []
    for atom in chosen:
        for axis in range(3):
            forces = []
            for sign in (1, -1):
                moved = atoms.positions.copy()
                moved[atom, axis] += sign * DISPLACEMENT
                free.positions = moved
                forces.append(free.get_forces()[chosen].ravel())
            rows.append((forces[1] - forces[0]) / (2 * DISPLACEMENT))
    hessian = np.array(rows)
    roots = np.sqrt(np.repeat(atoms.get_masses()[chosen], 3))
    weighted = (hessian + hessian.T) / 2 / np.outer(roots, roots)
    if 1 < len(chosen) == len(atoms):
        rest = null_space(_free_motions(atoms, weighted).T)
        weighted = rest.T @ weighted @ rest
    eigenvalues = np.linalg.eigvalsh(weighted)
    return np.asarray(np.sign(eigenvalues) * np.sqrt(np.abs(eigenvalues)) * THZ_PER_ROOT)


def _free_motions(atoms: Atoms, weighted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Translations and rotations of everything that cost nothing, as orthonormal columns of shape (3 n, 0 to 6)."""
    masses = atoms.get_masses()
    arms = atoms.positions - atoms.get_center_of_mass()
    ways = [np.broadcast_to(axis, arms.shape) for axis in np.eye(3)] + [np.cross(axis, arms) for axis in np.eye(3)]
    motions = orth(np.array([(way * np.sqrt(masses)[:, None]).ravel() for way in ways]).T)
    costs, mixed = np.linalg.eigh(motions.T @ weighted @ motions)
    return np.asarray((motions @ mixed)[:, np.abs(costs) < FREE * np.abs(weighted).max()])
