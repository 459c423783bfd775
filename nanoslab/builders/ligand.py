"""Ligands by name, each with its geometry, binding atoms, charge and provenance, and layers of them on facets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from ase import Atoms
from ase.io import read

from nanoslab.errors import InputError, unknown_name
from nanoslab.files import data_folder

_FACES: dict[str, tuple[str, ...]] = {"lower": ("lower",), "upper": ("upper",), "both": ("lower", "upper")}
#: beyond any packing of molecules [1/nm²]
_LARGEST_COVERAGE = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LigandRecord:
    """All that is known of a ligand, with its provenance."""

    name: str
    what: str
    aliases: tuple[str, ...]
    #: Hill formula, and SMILES
    formula: str
    smiles: str
    formal_charge: int  #: charge of the ligand as it is [e]
    binding_group: str  #: ``carboxyl`` (neutral acid), ``carboxylate`` or ``amine``
    #: binding mode -> indices of the atoms that touch the metal; the first mode is the usual one
    binding_atoms: Mapping[str, tuple[int, ...]]
    made: str
    relaxed: Mapping[str, Any]
    source: str


def ligand_names() -> tuple[str, ...]:
    """Names of the ligands."""
    return tuple(sorted(path.stem for path in _folder().glob("*.json")))


def ligand_record(name: str) -> LigandRecord:
    """What is known of a ligand, by its name or an alias."""
    records = {known: _read_record(_folder() / f"{known}.json") for known in ligand_names()}
    found = records.get(name) or next((record for record in records.values() if name in record.aliases), None)
    if found is None:
        raise unknown_name("ligand", name, records)
    return found


def ligand(name: str) -> Atoms:
    """Return the isolated, relaxed molecule, its centre at the origin."""
    record = ligand_record(name)
    atoms: Atoms = read(_folder() / f"{record.name}.xyz", format="xyz")
    return atoms


@dataclass(frozen=True, slots=True, kw_only=True)
class LigandLayer:
    """Ligands of one kind on the facing planes of a double slab."""

    name: str  #: one of `ligand_names`
    #: ligands per nm² or per cell on every chosen face, or two numbers for the lower and the upper one; one per cell
    #: when neither is given
    coverage: float | tuple[float, float] | None = None
    count: int | tuple[int, int] | None = None
    face: Literal["lower", "upper", "both"] = "lower"  #: which slab they bind to
    #: ``monodentate``, ``chelating`` (two atoms on one metal) or ``bridging`` (on two metals); the usual one of the
    #: ligand when not given
    binding: str | None = None

    def __post_init__(self) -> None:
        if self.face not in _FACES:
            raise InputError("face", expected="lower, upper or both", got=repr(self.face), advice="give lower")
        if self.coverage is not None and self.count is not None:
            raise InputError("coverage", expected="a coverage or a count", got="both", advice="leave one of them out")
        record, mode = self.record, self.mode
        if set(record.binding_atoms) == {"monodentate"} != {mode}:
            only = f"monodentate, the one way in which the {record.binding_group} group of {record.name} binds"
            raise InputError("binding", expected=only, got=repr(mode), advice="leave it out")
        if mode not in record.binding_atoms:
            raise unknown_name("binding", mode, record.binding_atoms)

    @property
    def record(self) -> LigandRecord:
        """All that is known of the ligand."""
        return ligand_record(self.name)

    @property
    def mode(self) -> str:
        """How the ligands bind."""
        return self.binding or next(iter(self.record.binding_atoms))

    @property
    def binding_atoms(self) -> tuple[int, ...]:
        """Atoms of the ligand that touch the metal."""
        return self.record.binding_atoms[self.mode]

    def numbers(self, area_nm2: float) -> dict[str, int]:
        """Face -> number of ligands on a cell of that area."""
        faces = _FACES[self.face]
        given = self.coverage if self.coverage is not None else 1 if self.count is None else self.count
        each = list(given) if isinstance(given, Sequence) else [given] * len(faces)
        if len(each) != len(faces):
            expected = "two numbers for both faces only"
            raise InputError("coverage", expected=expected, got=each, advice="choose face both")
        if wrong := [one for one in each if self.coverage is None and (one != int(one) or one < 0)]:
            raise InputError("count", expected="a number of ligands per face", got=wrong[0], advice="give 1")
        numbers = [int(one) if self.coverage is None else _of_coverage(one, area_nm2) for one in each]
        if not any(numbers):
            raise InputError("coverage", expected="a ligand on one face at least", got=each, advice="raise it")
        return dict(zip(faces, numbers, strict=True))


def _of_coverage(coverage: float, area_nm2: float) -> int:
    number = round(coverage * area_nm2) if 0 <= coverage < _LARGEST_COVERAGE else -1
    if number < (1 if coverage else 0):
        expected = f"one ligand or more in {area_nm2:.2f} nm², from {1.0 / area_nm2:.2f} per nm²"
        got, advice = f"{coverage:g} per nm²", "raise it, or make the cell larger"
        raise InputError("coverage", expected=expected, got=got, advice=advice)
    return number


def _folder() -> Path:
    return data_folder("structures") / "molecules"


@cache
def _read_record(path: Path) -> LigandRecord:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    modes = {mode: tuple(atoms) for mode, atoms in document.pop("binding_atoms").items()}
    return LigandRecord(**{**document, "aliases": tuple(document["aliases"])}, binding_atoms=modes)
