"""Ligands by name: ``structures/molecules``, each with its geometry, binding atoms, charge and provenance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.io import read

from nanoslab.errors import InputError, unknown_name
from nanoslab.files import data_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class LigandRecord:
    """All that is known of a ligand, with its provenance.

    Attributes
    ----------
    name, what, aliases
        Short name, what it is in words, and other names.
    formula, smiles
        Hill formula, and SMILES.
    formal_charge
        Charge of the ligand as it is [e].
    binding_group
        ``carboxyl`` (neutral acid), ``carboxylate`` or ``amine``.
    binding_atoms
        Binding mode -> indices of the atoms that touch the metal; the first mode is the usual one.
    made, relaxed, source
        How the geometry was made, and with which method it was relaxed.
    """

    name: str
    what: str
    aliases: tuple[str, ...]
    formula: str
    smiles: str
    formal_charge: int
    binding_group: str
    binding_atoms: Mapping[str, tuple[int, ...]]
    made: str
    relaxed: Mapping[str, Any]
    source: str


def ligand_names() -> tuple[str, ...]:
    """Names of the ligands.

    Examples
    --------
    >>> "oleic-fragment" in ligand_names()
    True
    """
    return tuple(sorted(path.stem for path in _folder().glob("*.json")))


def ligand_record(name: str) -> LigandRecord:
    """Return what is known of a ligand.

    Parameters
    ----------
    name
        One of `ligand_names`, or an alias.

    Raises
    ------
    InputError
        There is no such ligand; the closest names are suggested.

    Examples
    --------
    >>> ligand_record("oleate").formal_charge
    -1
    """
    names = {name: name for name in ligand_names()}
    aliases = {alias: record for record in names for alias in _read_record(_folder() / f"{record}.json").aliases}
    known = {**aliases, **names}
    if name not in known:
        raise unknown_name("ligand", name, ligand_names())
    return _read_record(_folder() / f"{known[name]}.json")


def ligand(name: str) -> Atoms:
    """Return the isolated, relaxed molecule, its centre at the origin.

    Examples
    --------
    >>> ligand("oleic-fragment").get_chemical_formula(mode="hill")
    'C10H18O2'
    """
    record = ligand_record(name)
    atoms: Atoms = read(_folder() / f"{record.name}.xyz", format="xyz")
    return atoms


def binding_atoms(record: LigandRecord, mode: str | None) -> tuple[str, tuple[int, ...]]:
    """Return a binding mode (the usual one when not given) and its atoms.

    Examples
    --------
    >>> binding_atoms(ligand_record("oleate"), None)
    ('chelating', (0, 2))
    """
    chosen = mode or next(iter(record.binding_atoms))
    if chosen not in record.binding_atoms:
        if set(record.binding_atoms) == {"monodentate"}:
            raise InputError(
                "binding",
                expected=f"monodentate, the one way in which the {record.binding_group} group of {record.name} binds",
                got=repr(chosen),
                advice="leave it out",
            )
        raise unknown_name("binding", chosen, record.binding_atoms)
    return chosen, record.binding_atoms[chosen]


def _folder() -> Path:
    return data_folder("structures") / "molecules"


@cache
def _read_record(path: Path) -> LigandRecord:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    modes = {mode: tuple(atoms) for mode, atoms in document.pop("binding_atoms").items()}
    return LigandRecord(**{**document, "aliases": tuple(document["aliases"])}, binding_atoms=modes)
