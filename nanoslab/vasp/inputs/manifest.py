"""calculation.json: what a deck is, in one document that reads back to the same calculation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from nanoslab import __version__
from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.errors import FileError, InputError, NanoslabError
from nanoslab.vasp.poscar import read_poscar, species_order

SCHEMA = 1
MANIFEST = "calculation.json"
#: the POSCAR as it was written, once a job has put a relaxed structure in its place
INITIAL_POSCAR = "POSCAR.initial"

_REWRITE = "write the campaign again with 'nanoslab write': results stay"
_ADVICE = "move it away and write the campaign again: results stay"
_KEYS = ("name", "role", "tags", "settings", "starts_from", "removed_indices", "recipe", "poscar_order", "inputs")


def calculation_document(calculation: Calculation) -> dict[str, Any]:
    """Everything of a calculation but its coordinates, as plain JSON values.

    Raises
    ------
    InputError
        If a tag or the recipe holds something that JSON does not know.

    Examples
    --------
    >>> from ase import Atoms
    >>> calculation = Calculation(name="a", role=Role(kind="atom"), atoms=Atoms("Se"), settings=Settings(source="test"))
    >>> calculation_document(calculation)["settings"]["cutoff_energy"]
    400.0
    """
    atoms = calculation.atoms
    moments = atoms.get_initial_magnetic_moments().tolist() if atoms.has("initial_magmoms") else None
    document = {
        "schema": SCHEMA,
        "name": calculation.name,
        "role": calculation.role.kind,
        "tags": {k: v for k, v in calculation.role.model_dump(exclude={"kind"}, exclude_none=True).items() if v != ""},
        "settings": {field.name: getattr(calculation.settings, field.name) for field in fields(Settings)},
        "starts_from": calculation.starts_from,
        "removed_indices": calculation.removed_indices,
        "recipe": atoms.info.get("recipe"),
        "initial_magnetic_moments": moments,
        "poscar_order": species_order(atoms),
    }
    return {key: _plain(value, f"{calculation.name}: {key}") for key, value in document.items()}


def manifest_text(document: Mapping[str, Any]) -> str:
    """Text of the file: one stable order, readable."""
    return json.dumps(document, indent=2, sort_keys=True, allow_nan=False) + "\n"


def library_versions() -> dict[str, str]:
    """Versions of what wrote a deck."""
    return {"nanoslab": __version__, "ase": version("ase"), "pymatgen": version("pymatgen")}


def read_manifest(folder: Path) -> dict[str, Any]:
    """Document of a deck's folder, its schema and keys checked.

    Raises
    ------
    FileError
        If it is missing, no JSON, of another schema, or lacks something.
    """
    path = folder / MANIFEST
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FileError(path, expected="a deck written by nanoslab", got="no such file", advice=_REWRITE) from error
    except (OSError, ValueError, RecursionError) as error:
        raise FileError(path, expected="readable JSON", got=str(error), advice=_ADVICE) from error
    if not isinstance(document, dict):
        raise FileError(path, expected="named values", got=type(document).__name__, advice=_ADVICE)
    if document.get("schema") != SCHEMA:
        advice = f"it is of another version of nanoslab, or edited: {_ADVICE}"
        raise FileError(path, expected=f"schema {SCHEMA}", got=repr(document.get("schema")), advice=advice)
    missing = [key for key in _KEYS if key not in document]
    if missing or not isinstance(document["inputs"], dict):
        got = f"no {', '.join(missing) or 'inputs'}"
        raise FileError(path, expected=f"the keys {', '.join(_KEYS)}", got=got, advice=_ADVICE)
    return document


def read_deck(folder: Path) -> Calculation:
    """Read a deck back to the calculation it was written from, atoms in the order they had.

    Raises
    ------
    FileError
        If the manifest or the POSCAR is missing or broken, or they do not belong together.
    """
    document = read_manifest(folder)
    path = folder / MANIFEST
    poscar = next((p for p in (folder / INITIAL_POSCAR, folder / "POSCAR") if p.is_file()), folder / "POSCAR")
    if not poscar.is_file():
        raise FileError(poscar, expected="the structure of this calculation", got="no such file", advice=_REWRITE)
    atoms = read_poscar(poscar)
    order = document["poscar_order"]
    if not isinstance(order, list) or sorted(map(str, order)) != sorted(map(str, range(len(atoms)))):
        raise FileError(path, expected=f"an order of the {len(atoms)} atoms of {poscar.name}", got=_short(order))
    atoms = atoms[np.argsort(order)]
    atoms.info.clear()
    try:
        if document["recipe"] is not None:
            atoms.info["recipe"] = document["recipe"]
        if document.get("initial_magnetic_moments") is not None:
            atoms.set_initial_magnetic_moments(document["initial_magnetic_moments"])
        return Calculation(
            name=document["name"],
            role=Role(kind=document["role"], **document["tags"]),
            atoms=atoms,
            settings=_settings(document["settings"], path),
            starts_from=document["starts_from"],
            removed_indices=tuple(document["removed_indices"]),
        )
    except NanoslabError:
        raise
    except (TypeError, ValueError, KeyError) as error:
        raise FileError(path, expected="a calculation of nanoslab", got=str(error)) from error


def _settings(document: Mapping[str, Any], path: Path) -> Settings:
    names = {field.name for field in fields(Settings)}
    wrong = sorted(names.symmetric_difference(document))
    if wrong:
        raise FileError(f"{path}: settings", expected=f"the fields {', '.join(sorted(names))}", got=", ".join(wrong))
    first, second, third = document["kpoints"]
    return Settings(**{**document, "kpoints": (int(first), int(second), int(third))})


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item, where) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist(), where)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(item, where) for item in value]
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and np.isfinite(value)):
        return value
    raise InputError(where, expected="plain JSON values", got=f"{value!r} ({type(value).__name__})")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 60 else f"{text[:57]}..."
