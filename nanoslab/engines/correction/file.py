"""Corrections as JSON files: shipped ones by name, a user's own by path; the hash names them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nanoslab.engines.correction.model import Correction, LeftOut
from nanoslab.engines.correction.terms import WINDOW, Term
from nanoslab.errors import FileError, unknown_name
from nanoslab.files import data_folder, write_atomically

_DIGITS = 10


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, populate_by_name=True)


class _Term(_Strict):
    kind: Literal["atoms", "missing", "bonds"]
    species: str
    complete: float
    coefficient_eV: float


class _LeftOut(_Strict):
    name: str
    n_atoms: int
    energy_error_eV: float
    force_error_eV_per_A: float | None
    counts: bool


class _Document(_Strict):
    """The file as it must be."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    engine: str
    engine_options: dict[str, str]
    reference: str
    window: tuple[float, float] = WINDOW
    scale: float
    terms: list[_Term]
    environments: dict[str, list[list[float]]]
    shortest_A: dict[str, float]
    lone_atoms_eV: dict[str, float]
    elements_eV_per_atom: dict[str, float] = {}
    leave_one_out_error_eV: float
    left_out: list[_LeftOut]


def write_correction(path: Path, correction: Correction) -> None:
    """Write a correction as JSON; `read_correction` gives the same one back."""
    document = _Document(
        engine=correction.engine,
        engine_options=dict(correction.engine_options),
        reference=correction.reference,
        scale=correction.scale,
        terms=[_Term(**asdict(term), coefficient_eV=value) for term, value in correction.coefficients.items()],
        environments={symbol: rows.tolist() for symbol, rows in correction.environments.items()},
        shortest_A=dict(correction.shortest),
        lone_atoms_eV=dict(correction.lone_atoms),
        elements_eV_per_atom=dict(correction.elements),
        leave_one_out_error_eV=correction.error,
        left_out=[
            _LeftOut(
                name=point.name,
                n_atoms=point.n_atoms,
                energy_error_eV=point.energy_error,
                force_error_eV_per_A=point.force_error,
                counts=point.counts,
            )
            for point in correction.left_out
        ],
    )
    write_atomically(path, document.model_dump_json(by_alias=True, indent=1) + "\n")


def find_correction(name_or_path: str) -> Path:
    """File of a shipped correction, by its name, or of one that is named by its path.

    Raises
    ------
    InputError
        There is no shipped correction of this name.

    Examples
    --------
    >>> find_correction("cdse-gpaw").name
    'cdse-gpaw.json'
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+-]*", name_or_path):
        return Path(name_or_path)
    shipped = {path.stem: path for path in sorted((data_folder("workflows") / "corrections").glob("*.json"))}
    if name_or_path not in shipped:
        raise unknown_name("correction", name_or_path, [*shipped, "a path"])
    return shipped[name_or_path]


def read_correction(path: Path) -> tuple[Correction, str]:
    """Return a correction and the first digits of the file's SHA-256 sum.

    Raises
    ------
    FileError
        No such file, or not a correction.

    Examples
    --------
    >>> read_correction(find_correction("cdse-gpaw"))[0].species
    ('Cd', 'Se')
    """
    try:
        raw = path.read_bytes()
        document = _Document.model_validate_json(raw)
        correction = _correction(document)
    except OSError as error:
        raise FileError(path, expected="a correction in a file", got=error.strerror, advice="mend the path") from error
    except (ValidationError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise FileError(
            path,
            expected="a correction as fit_correction writes it",
            got=str(error).splitlines()[0],
            advice="fit it anew",
        ) from error
    if document.window != WINDOW:
        raise FileError(path, expected=f"window {WINDOW}", got=document.window, advice="fit it anew with this version")
    return correction, hashlib.sha256(raw).hexdigest()[:_DIGITS]


def base_options(name_or_path: str) -> str:
    """Options of the engine that a correction was fitted to, as they follow its name.

    Examples
    --------
    >>> base_options("cdse-gpaw")
    ':corrections=removed'
    """
    correction, _ = read_correction(find_correction(name_or_path))
    options = ",".join(f"{key}={value}" for key, value in correction.engine_options.items())
    return f":{options}" if options else ""


def _correction(document: _Document) -> Correction:
    return Correction(
        engine=document.engine,
        engine_options=document.engine_options,
        reference=document.reference,
        scale=document.scale,
        coefficients={
            Term(kind=row.kind, species=row.species, complete=row.complete): row.coefficient_eV
            for row in document.terms
        },
        environments={symbol: np.array(rows, dtype=float) for symbol, rows in document.environments.items()},
        shortest=document.shortest_A,
        lone_atoms=document.lone_atoms_eV,
        elements=document.elements_eV_per_atom,
        left_out=tuple(
            LeftOut(
                name=row.name,
                n_atoms=row.n_atoms,
                energy_error=row.energy_error_eV,
                force_error=row.force_error_eV_per_A,
                counts=row.counts,
            )
            for row in document.left_out
        ),
    )
