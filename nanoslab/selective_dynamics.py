"""Which components of which atoms may move: ASE constraints and POSCAR flags.

VASP's ``T``/``F`` act along the lattice vectors. A constraint along Cartesian axes is translated when
the two say the same (fixing z of a slab whose a and b lie in the xy plane) and refused otherwise.
"""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms, FixCartesian, FixedLine, FixedPlane, FixScaled
from numpy.typing import ArrayLike, NDArray

from nanoslab.errors import InputError

_PARALLEL = 1e-6  # sine of an angle below which two directions are one


def free_components(atoms: Atoms) -> NDArray[np.bool_]:
    """Components along the lattice vectors that may move, from ASE's constraints; (n_atoms, 3), True for VASP's T."""
    free = np.ones((len(atoms), 3), dtype=bool)
    for constraint in atoms.constraints:
        free[constraint.get_indices()] &= _flags(constraint, np.asarray(atoms.cell))
    return free


def constraints_from_flags(free: ArrayLike) -> list[FixAtoms | FixScaled]:
    """ASE constraints of POSCAR flags (n_atoms, 3): one FixAtoms, and one FixScaled per kind of partial freedom."""
    fixed = ~np.asarray(free, dtype=bool).reshape(-1, 3)
    whole = np.flatnonzero(fixed.all(axis=1))
    constraints: list[FixAtoms | FixScaled] = [FixAtoms(indices=whole)] if len(whole) else []
    for mask in np.unique(fixed[fixed.any(axis=1) & ~fixed.all(axis=1)], axis=0):
        indices = np.flatnonzero((fixed == mask).all(axis=1))
        constraints.append(FixScaled(indices, mask=tuple(mask.tolist())))
    return constraints


def _flags(constraint: object, cell: NDArray[np.float64]) -> NDArray[np.bool_]:
    if isinstance(constraint, FixAtoms):
        return np.zeros(3, dtype=bool)
    if isinstance(constraint, FixScaled):
        return ~np.asarray(constraint.mask, dtype=bool)
    if isinstance(constraint, FixCartesian):
        axes = np.eye(3)[~np.asarray(constraint.mask, dtype=bool)]
    elif isinstance(constraint, FixedLine):
        axes = np.asarray(constraint.dir, dtype=float).reshape(1, 3)
    elif isinstance(constraint, FixedPlane):
        axes = np.linalg.svd(np.asarray(constraint.dir, dtype=float).reshape(1, 3))[2][1:]
    else:
        expected = "FixAtoms, FixScaled, FixCartesian, FixedPlane or FixedLine"
        advice = "VASP can only fix components of single atoms; remove the constraint or use another engine"
        raise InputError("constraints", expected=expected, got=type(constraint).__name__, advice=advice)
    return _lattice_flags(axes, cell, constraint)


def _lattice_flags(axes: NDArray[np.float64], cell: NDArray[np.float64], constraint: object) -> NDArray[np.bool_]:
    """Flags whose free lattice vectors span the same space as the orthonormal free `axes` (k, 3)."""
    directions = cell / np.linalg.norm(cell, axis=1, keepdims=True)
    outside = directions - directions @ axes.T @ axes
    free: NDArray[np.bool_] = np.linalg.norm(outside, axis=1) < _PARALLEL
    if free.sum() != len(axes):
        expected = "a constraint along lattice vectors, as VASP's selective dynamics has them"
        got = f"{constraint} in a cell whose vectors do not span the same directions"
        advice = "use FixScaled, or turn the cell so that its vectors lie along the axes"
        raise InputError("constraints", expected=expected, got=got, advice=advice)
    return free
