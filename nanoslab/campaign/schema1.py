"""Campaigns of version 0.1: the structure is a POSCAR, and ``calculation.json`` also speaks of VASP's files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms

from nanoslab.errors import FileError
from nanoslab.selective_dynamics import constraints_from_flags, free_components

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
    atoms.set_constraint(constraints_from_flags(free_components(read)[back]))
    return atoms
