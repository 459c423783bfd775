"""Vibrations of some atoms of a structure, all others held: enough to tell a minimum from a saddle."""

from __future__ import annotations

import numpy as np
from ase import Atoms, units
from numpy.typing import NDArray

#: displacement of the central differences [Å]
DISPLACEMENT = 0.01
#: eV/Å²/u to (2 pi THz)²
THZ_PER_ROOT = np.sqrt(units._e / units._amu) * 1e10 / (2 * np.pi * 1e12)


def frequencies_THz(atoms: Atoms, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """Frequencies of the chosen atoms by central differences of the forces, rising; imaginary ones below zero."""
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
    eigenvalues = np.linalg.eigvalsh((hessian + hessian.T) / 2 / np.outer(roots, roots))
    return np.asarray(np.sign(eigenvalues) * np.sqrt(np.abs(eigenvalues)) * THZ_PER_ROOT)
