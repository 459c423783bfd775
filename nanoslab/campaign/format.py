"""``calculation.json``: everything of one calculation as plain JSON, its start structure to the last digit.

Constraints stand as ASE writes them (``FixAtoms``, ``FixScaled``...), so partially fixed atoms come back as they were.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.constraints import dict2constraint
from pydantic import TypeAdapter

from nanoslab import __version__
from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.campaign.names import CALCULATION_FILE, SCHEMA
from nanoslab.errors import FileError, InputError

#: constraints that fix components of single atoms: what every code can be told in its own way
CONSTRAINTS = ("FixAtoms", "FixScaled", "FixCartesian", "FixedPlane", "FixedLine")

_KEYS = ("name", "role", "settings", "starts_from", "removed_indices", "structure")
_REWRITE = "write the campaign again with 'nanoslab write': results stay"
_MOVE = "move it away and write the campaign again: results stay"
#: fields of the settings that campaigns of older versions lack; their defaults ask for nothing
_LATER = ("hubbard_u",)
_ROWS = re.compile(r'\[\n\s+([^][{}"]*?)\n\s+\]')


def calculation_document(calculation: Calculation) -> dict[str, Any]:
    """Everything of a calculation as plain JSON values."""
    document = {
        "schema": SCHEMA,
        "name": calculation.name,
        "role": calculation.role.model_dump(),
        "starts_from": calculation.starts_from,
        "removed_indices": calculation.removed_indices,
        "settings": {field.name: getattr(calculation.settings, field.name) for field in fields(Settings)},
        "recipe": calculation.atoms.info.get("recipe"),
        "structure": _structure(calculation),
        "versions": {"nanoslab": __version__, "ase": version("ase")},
    }
    if calculation.procedure is not None:
        document |= {"procedure": calculation.procedure, "parameters": calculation.parameters}
    return {key: _plain(value, f"{calculation.name}: {key}") for key, value in document.items()}


def document_text(document: Mapping[str, Any]) -> str:
    """Text of the file, with every row of numbers on one line."""
    text = json.dumps(document, indent=2, allow_nan=False)
    return _ROWS.sub(lambda row: f"[{' '.join(row[1].split())}]", text) + "\n"


def read_document(folder: Path) -> dict[str, Any]:
    """Document of a calculation's folder, its schema and keys checked; that of an older version as it is."""
    from nanoslab.campaign import schema1

    path = _file(folder)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FileError(path, expected="a calculation", got="no such file", advice=_REWRITE) from error
    except (OSError, ValueError, RecursionError) as error:
        raise FileError(path, expected="readable JSON", got=str(error), advice=_MOVE) from error
    if not isinstance(document, dict):
        raise FileError(path, expected="named values", got=type(document).__name__, advice=_MOVE)
    if document.get("schema") not in (schema1.SCHEMA, SCHEMA):
        advice = f"it is of another version of nanoslab, or edited: {_MOVE}"
        raise FileError(path, expected=f"schema {SCHEMA}", got=repr(document.get("schema")), advice=advice)
    keys = _KEYS if document["schema"] == SCHEMA else schema1.KEYS
    missing = [key for key in keys if key not in document]
    if missing:
        got = f"no {', '.join(missing)}"
        raise FileError(path, expected=f"the keys {', '.join(keys)}", got=got, advice=_MOVE)
    return document


def read_calculation(folder: Path) -> Calculation:
    """Read a calculation back as it was written, atoms in the order they had.

    Raises
    ------
    FileError
        If the file is missing or broken.
    """
    from nanoslab.campaign import schema1

    document, path = read_document(folder), _file(folder)
    try:
        if document["schema"] == schema1.SCHEMA:
            role, atoms = {**document["tags"], "kind": document["role"]}, schema1.structure(document, folder)
        else:
            role, atoms = document["role"], _atoms(document["structure"])
        if document["recipe"] is not None:
            atoms.info["recipe"] = document["recipe"]
        return Calculation(
            name=document["name"],
            role=Role.model_validate(role),
            atoms=atoms,
            settings=_settings(document["settings"], path),
            starts_from=document["starts_from"],
            removed_indices=tuple(document["removed_indices"]),
            procedure=TypeAdapter(str | None).validate_python(document.get("procedure")),
            parameters=TypeAdapter(dict[str, Any]).validate_python(document.get("parameters", {})),
        )
    except InputError as error:
        raise error.within(path) from error
    except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
        got = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]  # pydantic says it on several lines
        raise FileError(path, expected="a calculation", got=got, advice=_MOVE) from error


def _file(folder: Path) -> Path:
    """Calculation of a folder; a study may also start from one under another name."""
    return folder if folder.suffix == ".json" else folder / CALCULATION_FILE


def n_atoms(document: Mapping[str, Any]) -> int:
    """Atoms of a calculation, from its document alone."""
    return len(document["structure"]["symbols"] if document["schema"] == SCHEMA else document["poscar_order"])


def _structure(calculation: Calculation) -> dict[str, Any]:
    atoms = calculation.atoms
    for constraint in atoms.constraints:
        if (kind := type(constraint).__name__) not in CONSTRAINTS:
            where, advice = f"{calculation.name}: constraints", "fix components of single atoms only"
            raise InputError(where, expected=", ".join(CONSTRAINTS), got=kind, advice=advice)
    return {
        "symbols": atoms.get_chemical_symbols(),
        "cell_A": atoms.cell.array,
        "pbc": atoms.pbc,
        "positions_A": atoms.positions,
        "constraints": [constraint.todict() for constraint in atoms.constraints],
        "initial_magnetic_moments": atoms.get_initial_magnetic_moments() if atoms.has("initial_magmoms") else None,
        "tags": atoms.get_tags() if atoms.has("tags") else None,
    }


def _atoms(structure: Mapping[str, Any]) -> Atoms:
    """Start structure of a document, every number and constraint of it checked."""
    for constraint in structure["constraints"]:
        if constraint["name"] not in CONSTRAINTS:
            raise InputError("constraints", expected=", ".join(CONSTRAINTS), got=repr(constraint["name"]))
    atoms = Atoms(
        structure["symbols"],
        positions=np.array(structure["positions_A"], dtype=float).reshape(-1, 3),
        cell=np.array(structure["cell_A"], dtype=float).reshape(3, 3),
        pbc=structure["pbc"],
        tags=structure["tags"],
        magmoms=structure["initial_magnetic_moments"],
    )
    if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
        raise InputError("structure", expected="finite coordinates and lattice vectors", got="nan or infinity")
    atoms.set_constraint([dict2constraint(constraint) for constraint in structure["constraints"]])
    fixed = {int(i) for constraint in atoms.constraints for i in constraint.get_indices()}
    if not fixed <= set(range(len(atoms))):
        raise InputError("constraints", expected=f"indices of {len(atoms)} atoms", got=max(fixed))
    return atoms


def _settings(document: Mapping[str, Any], path: Path) -> Settings:
    names = {field.name for field in fields(Settings)}
    wrong = sorted(names.symmetric_difference(document) - ({*_LATER} - {*document}))
    if wrong:
        raise FileError(f"{path}: settings", expected=f"the fields {', '.join(sorted(names))}", got=", ".join(wrong))
    TypeAdapter(Settings).validate_python(document)
    # the values as they stand, not as pydantic would convert them: fingerprints of results hold 400 and 400.0 apart
    return Settings(**{**document, "kpoints": tuple(document["kpoints"])})


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
