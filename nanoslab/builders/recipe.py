"""What every built structure carries: how it was built, and atoms grouped by species with cations first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from nanoslab.crystals import crystal_names
from nanoslab.errors import InputError
from nanoslab.species import cations_first
from nanoslab.structure_types import AnyStructure, as_atoms


def recipe_value(atoms: Atoms, *keys: str) -> Any:
    """Entry of the recipe that a structure carries; an error where a file was edited and lacks it."""
    value: Any = atoms.info.get("recipe")
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            where, advice = f"recipe: {'.'.join(keys)}", "the file was edited; write the campaign again, results stay"
            raise InputError(where, expected="what the builder wrote", got="nothing", advice=advice)
        value = value[key]
    return value


def describe_source(source: str | Path | AnyStructure) -> Any:
    """Name, path or recipe of what a builder started from, as plain JSON."""
    if isinstance(source, str | Path):
        return str(source)
    atoms = as_atoms(source)
    return atoms.info.get("recipe", atoms.get_chemical_formula())


def describe_lattice(source: str | Path | AnyStructure, lattice: str | None) -> str | None:
    """Name of the lattice constants that were used; none for a structure of the user's own."""
    return (lattice or "pbe") if isinstance(source, str | Path) and str(source) in crystal_names() else None


def group_by_species(atoms: Atoms) -> Atoms:
    """Copy with cations first, and within a species from the bottom up."""
    rank = {element: place for place, element in enumerate(cations_first(atoms.get_chemical_symbols()))}
    x, y, z = np.round(atoms.positions.T, 6)
    order = np.lexsort((x, y, z, [rank[symbol] for symbol in atoms.get_chemical_symbols()]))
    grouped: Atoms = atoms[order]
    return grouped


#: what no sheet exceeds: a larger number is a typing error, and would fill the memory before it failed
MOST = 10_000


def require_whole_number(where: str, value: object, minimum: int = 1, maximum: int | None = None) -> int:
    """Refuse anything but a whole number from a minimum up, to a maximum where there is one."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < minimum:
        raise InputError(where, expected=f"a whole number of at least {minimum}", got=repr(value), advice="change it")
    if maximum is not None and value > maximum:
        raise InputError(where, expected=f"at most {maximum}", got=repr(value), advice="change it")
    return int(value)


def require_positive(where: str, value: object, unit: str) -> float:
    """Refuse anything but a number above zero and within reason."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < float("inf"):
        raise InputError(where, expected=f"a length above 0 {unit}", got=repr(value), advice="15 Å is usual")
    if value > MOST:
        raise InputError(where, expected=f"at most {MOST} {unit}", got=repr(value), advice="15 Å is usual")
    return float(value)
