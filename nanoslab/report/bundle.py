"""A campaign as a bundle for strangers: structures in formats others read, and all that its tables are made from."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ase.io
from ase.db import connect

from nanoslab import __version__
from nanoslab.calculation import Run
from nanoslab.campaign.names import CALCULATION_FILE, CAMPAIGN_FILE, STRUCTURES, STUDY_FILE
from nanoslab.engines.result_files import FAILURE, FINAL, RESULT, RunRecord, write_result
from nanoslab.errors import FileError
from nanoslab.files import sha256, write_atomically
from nanoslab.report.files import write_results
from nanoslab.structure_types import to_structure

if TYPE_CHECKING:
    from ase import Atoms

    from nanoslab.campaign import Campaign
    from nanoslab.studies.result import StudyResult

OPTIMADE_VERSION = "1.2.0"
#: where VASP's results stand in a bundle: as plain numbers, for its files hold licensed potentials
PLAIN_VASP = "vasp-results"


def write_bundle(folder: Path, campaign: Campaign, source: str, runs: Sequence[Run], result: StudyResult) -> list[Path]:
    """Write the bundle into a folder that does not exist yet; returns its files.

    ``campaign/`` is the campaign with the results of one source: ``nanoslab analyze`` makes every table of ``tables/``
    from it. ``structures.extxyz``, ``structures.json`` (a database of ASE) and ``optimade.json`` (entries of OPTIMADE)
    hold the final structures; ``provenance.json`` the versions and the hash of every file.
    """
    if folder.exists():
        raise FileError(folder, expected="a folder that is not there yet", got="one that is", advice="give another -o")
    kept = PLAIN_VASP if source == "vasp" else source
    folder.mkdir(parents=True)
    _copy_campaign(folder / "campaign", campaign)
    for run in runs:
        name = run.calculation.name
        _copy_result(run, campaign.folder / name / source, folder / "campaign" / name / kept)
    write_results(folder / "tables", result)
    images = [(run, _labelled(run)) for run in runs if run.result.atoms is not None]
    stream = io.StringIO()
    ase.io.write(stream, [atoms for _, atoms in images], format="extxyz")
    write_atomically(folder / "structures.extxyz", stream.getvalue())
    with connect(folder / "structures.json", type="json", use_lock_file=False) as database:
        for run, atoms in images:
            known = {"name": run.calculation.name, "role": run.calculation.role.kind}
            database.write(atoms, key_value_pairs={**known, "level_of_theory": run.result.level_of_theory})
    entries = [optimade_entry(run, atoms) for run, atoms in images]
    meta = {"api_version": OPTIMADE_VERSION, "data_returned": len(entries), "more_data_available": False}
    _write_json(folder / "optimade.json", {"data": entries, "meta": meta})
    _write_json(folder / "provenance.json", _provenance(folder, campaign, kept))
    return sorted(path for path in folder.rglob("*") if path.is_file())


def optimade_entry(run: Run, atoms: Atoms) -> dict[str, Any]:
    """One structure with OPTIMADE's properties (by pymatgen), energies under ``_nanoslab_`` with their units."""
    from pymatgen.core import Structure
    from pymatgen.io.optimade import OptimadeStructureAdapter

    bare = atoms.copy()
    bare.set_constraint()
    structure = to_structure(bare)
    if not isinstance(structure, Structure):
        expected, advice = "a structure in a cell", "its engine gave no cell"
        raise FileError(run.result.path, expected=expected, got="none", advice=advice)
    found = OptimadeStructureAdapter.get_optimade_structure(structure)["attributes"]
    attributes = json.loads(json.dumps(found, default=str))
    own = {
        "_nanoslab_energy_eV": run.result.energy,
        "_nanoslab_max_free_force_eV_per_A": run.result.max_free_force,
        "_nanoslab_converged": run.result.converged,
        "_nanoslab_level_of_theory": run.result.level_of_theory,
        "_nanoslab_role": run.calculation.role.kind,
    }
    return {"id": run.calculation.name, "type": "structures", "attributes": {**attributes, **own}}


def _labelled(run: Run) -> Atoms:
    """Final structure with its energy and its name."""
    found: Any = run.result.atoms
    atoms: Atoms = found.copy()
    atoms.calc = found.calc
    atoms.info = {"name": run.calculation.name, "role": run.calculation.role.kind, "converged": run.result.converged}
    return atoms


def _copy_campaign(target: Path, campaign: Campaign) -> None:
    """Study, list of calculations, structure files it names, and every calculation; no result yet."""
    target.mkdir()
    for name in (STUDY_FILE, CAMPAIGN_FILE):
        if (campaign.folder / name).is_file():
            shutil.copyfile(campaign.folder / name, target / name)
    if (campaign.folder / STRUCTURES).is_dir():
        shutil.copytree(campaign.folder / STRUCTURES, target / STRUCTURES)
    for calculation in campaign.calculations:
        (target / calculation.name).mkdir()
        shutil.copyfile(
            campaign.folder / calculation.name / CALCULATION_FILE, target / calculation.name / CALCULATION_FILE
        )


def _copy_result(run: Run, source: Path, target: Path) -> None:
    """Result of one calculation: an engine's files as they are, VASP's as plain numbers."""
    found = [source / name for name in (RESULT, FINAL, FAILURE) if (source / name).is_file()]
    if not found and not run.result.found:
        return
    target.mkdir()
    for path in found:
        shutil.copyfile(path, target / path.name)
    if not found:
        write_result(target, _plain_record(run, target.name), run.result.atoms)


def _plain_record(run: Run, engine: str) -> RunRecord:
    result = run.result
    return RunRecord(
        name=result.name,
        engine=engine,
        level_of_theory=result.level_of_theory,
        fingerprint="",
        energy=result.energy,
        max_free_force=result.max_free_force,
        converged=result.converged,
        problems=result.problems,
        comparable=result.comparable,
        findings=result.findings,
    )


def _provenance(folder: Path, campaign: Campaign, source: str) -> dict[str, Any]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    hashes = {path.relative_to(folder).as_posix(): sha256(path.read_bytes()) for path in files}
    again = f"nanoslab analyze campaign --source {source}"
    return {"schema": 1, "nanoslab": __version__, "campaign": campaign.folder.name, "tables": again, "sha256": hashes}


def _write_json(path: Path, document: dict[str, Any]) -> None:
    write_atomically(path, json.dumps(document, indent=2, allow_nan=False) + "\n")
