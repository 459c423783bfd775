"""Campaigns of version 0.1: the structure is a POSCAR, and ``calculation.json`` also speaks of VASP's files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms, FixScaled

from nanoslab.errors import FileError

SCHEMA = 1
KEYS = ("name", "role", "tags", "settings", "starts_from", "removed_indices", "recipe", "poscar_order", "inputs")
#: the first is the start once a job has put a relaxed structure in its place
_POSCARS = ("POSCAR.initial", "POSCAR")


def structure(document: Mapping[str, Any], folder: Path) -> Atoms:
    """Start structure of a calculation, exactly as version 0.1 read it, so that its results still belong to it."""
    path = next((folder / name for name in _POSCARS if (folder / name).is_file()), folder / "POSCAR")
    if not path.is_file():
        advice = "put the POSCAR back from a copy"
        raise FileError(path, expected="the structure of this calculation", got="no such file", advice=advice)
    try:
        read = ase.io.read(path, format="vasp")
    except Exception as error:
        raise FileError(path, expected="a POSCAR", got=f"{type(error).__name__}: {error}") from error
    order, moments = document["poscar_order"], document.get("initial_magnetic_moments")
    if not isinstance(order, list) or sorted(map(str, order)) != sorted(map(str, range(len(read)))):
        raise FileError(folder, expected=f"a poscar_order of the {len(read)} atoms of {path.name}", got="another")
    back = np.argsort(order)
    atoms = Atoms(read.numbers[back], positions=read.positions[back], cell=read.cell, pbc=True, magmoms=moments)
    atoms.set_constraint(_constraints(read, back))
    return atoms


def _constraints(read: Atoms, back: np.ndarray[Any, Any]) -> list[FixAtoms | FixScaled]:
    """One FixAtoms, and one FixScaled per kind of partial freedom."""
    fixed = np.zeros((len(read), 3), dtype=bool)
    for constraint in read.constraints:
        fixed[constraint.get_indices()] |= getattr(constraint, "mask", np.ones(3, dtype=bool))
    fixed = fixed[back]
    whole = np.flatnonzero(fixed.all(axis=1))
    partial = fixed.any(axis=1) & ~fixed.all(axis=1)
    constraints: list[FixAtoms | FixScaled] = [FixAtoms(indices=whole)] if len(whole) else []
    for mask in np.unique(fixed[partial], axis=0):
        same = np.flatnonzero((fixed == mask).all(axis=1))
        constraints.append(FixScaled(same, mask=tuple(bool(flag) for flag in mask)))
    return constraints
