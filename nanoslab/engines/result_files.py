"""The files of one calculation with one engine; ``result.json`` is written whole and last: it means finished."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import ase.io
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from nanoslab.calculation import CalculationResult
from nanoslab.errors import EngineError, FileError
from nanoslab.files import write_atomically

RESULT, FINAL, FAILURE = "result.json", "final.extxyz", "failure.json"
TRAJECTORY, JOURNAL, LOG = "trajectory.extxyz", "journal.jsonl", "run.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """Everything ``result.json`` says."""

    name: str
    engine: str
    level_of_theory: str
    fingerprint: str
    energy: float | None = None  # extrapolated to zero smearing [eV]; None for a skipped calculation
    max_free_force: float | None = None  # on a free component at the end [eV/Å]
    converged: bool = False
    problems: tuple[str, ...] = ()
    skipped: str | None = None  # the reason when the engine was never asked
    n_steps: int = 0
    n_evaluations: int = 0
    optimiser: str = "none"
    wall_time_s: float = 0.0  # after a resume that of the last stretch
    comparable: Mapping[str, Any] = field(default_factory=dict)  # must agree before energies are subtracted
    versions: Mapping[str, str] = field(default_factory=dict)
    findings: Mapping[str, Any] = field(default_factory=dict)  # what else came out; in the file where there is any

    def to_dict(self) -> dict[str, Any]:
        """Return the document of ``result.json``."""
        units = {"energy": "energy_eV", "max_free_force": "max_free_force_eV_per_A"}
        document = {units.get(field.name, field.name): getattr(self, field.name) for field in fields(self)}
        mappings = {"comparable": dict(self.comparable), "versions": dict(self.versions)}
        if not self.findings:
            del document["findings"]
        return {"schema": 1, **document, **mappings, "wall_time_s": round(self.wall_time_s, 2), "finished": True}


def is_finished(folder: str | os.PathLike[str]) -> bool:
    """Whether a calculation needs no more work with this engine."""
    return (Path(folder) / RESULT).is_file()


def write_result(folder: Path, record: RunRecord, atoms: Atoms | None) -> None:
    """Write the final structure, then the record; a failure noted earlier is forgotten."""
    if atoms is not None:
        write_atomically(folder / FINAL, structure_text(atoms))
    write_atomically(folder / RESULT, json.dumps(record.to_dict(), indent=2, allow_nan=False) + "\n")
    (folder / FAILURE).unlink(missing_ok=True)


def write_failure(folder: Path, name: str, engine: str, problem: str) -> None:
    """Note in words why a calculation has no result; it is tried again on the next run."""
    document = {"schema": 1, "name": name, "engine": engine, "problems": [problem], "finished": False}
    write_atomically(folder / FAILURE, json.dumps(document, indent=2) + "\n")


def read_record(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the document of ``result.json``, or of the failure when there is no result.

    Raises
    ------
    FileError
        Neither is there, or it is no JSON.

    Examples
    --------
    >>> read_record("no/such/folder")
    Traceback (most recent call last):
        ...
    nanoslab.errors.FileError: no/such/folder: expected result.json, got none; run 'nanoslab run' on its campaign first
    """
    for name in (RESULT, FAILURE):
        path = Path(folder) / name
        if not path.is_file():
            continue
        try:
            document = json.loads(path.read_text())
        except json.JSONDecodeError as broken:
            raise FileError(path, expected="JSON", got=broken, advice="delete it and run again") from broken
        if not isinstance(document, dict) or document.get("schema") != 1:
            raise FileError(path, expected='an object with "schema": 1', got=path.read_text()[:40])
        return document
    raise FileError(folder, expected=RESULT, got="none", advice="run 'nanoslab run' on its campaign first")


def foreign_result(folder: Path, name: str, fingerprint: str) -> EngineError | None:
    """Error for a result that is of something else than this calculation with this engine; None for its own."""
    if read_record(folder).get("fingerprint") == fingerprint:
        return None
    got = "one of another structure, other settings or other engine options"
    advice = "move that folder away to compute anew"
    return EngineError(folder, expected=f"a result of {name} as it is now", got=got, advice=advice)


def read_result(folder: str | os.PathLike[str]) -> CalculationResult:
    """Return what one calculation says with one engine.

    Parameters
    ----------
    folder
        ``CAMPAIGN/<calculation>/<engine>``.

    Returns
    -------
    CalculationResult
        A skipped or failed calculation has no energy, and its problems say why.

    Raises
    ------
    FileError
        The folder holds neither a result nor a failure.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_failure(Path(folder), "a", "emt", "killed")
    ...     read_result(folder).converged
    False
    """
    document = read_record(folder)
    final = Path(folder) / FINAL
    return CalculationResult(
        name=str(document.get("name", Path(folder).parent.name)),
        path=str(folder),
        level_of_theory=_level_of_theory(document),
        found=not document.get("skipped"),
        energy=document.get("energy_eV"),
        atoms=read_structure(final) if document.get("finished") and final.is_file() else None,
        converged=bool(document.get("converged", False)),
        problems=tuple(document.get("problems", ())),
        max_free_force=document.get("max_free_force_eV_per_A"),
        comparable=dict(document.get("comparable", {})),
        findings=dict(document.get("findings", {})),
    )


def _level_of_theory(document: Mapping[str, Any]) -> str:
    """In words, led by what the settings chose where the engine follows them."""
    text = str(document.get("level_of_theory", document.get("engine", "unknown")))
    comparable = document.get("comparable", {})
    if "cutoff_energy" not in comparable or text.startswith(str(comparable.get("functional"))):
        return text
    return f"{comparable['functional']}, plane waves to {comparable['cutoff_energy']:g} eV, {text}"


def structure_text(atoms: Atoms) -> str:
    """Extended XYZ of atoms with energy and forces, with the stress where it was asked for."""
    plain = Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    if atoms.calc is not None:
        known = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces(apply_constraint=False)}
        if "stress" in atoms.calc.results:
            known["stress"] = atoms.calc.results["stress"]
        plain.calc = SinglePointCalculator(plain, **known)
    stream = io.StringIO()
    ase.io.write(stream, plain, format="extxyz")
    return stream.getvalue()


def read_structure(path: Path) -> Atoms:
    """Return the atoms of a final structure."""
    atoms = ase.io.read(path, format="extxyz")
    if not isinstance(atoms, Atoms):
        raise FileError(path, expected="one structure", got=type(atoms).__name__)
    return atoms
