"""Phonons of a sheet or crystal: static and free energy, imaginary modes, thermal motion of the atoms.

Example: nanoslab phonons sheet.vasp phonons-wz --engine chgnet --supercell 2 2 1 --mesh 8 8 1

With --engine the structure is first relaxed to 0.001 eV/Å with all atoms free, and everything is computed on this
machine; if interrupted, the same command continues. Without --engine, VASP input sets of the perfect and the displaced
supercells are written; the structure must already be relaxed. Run them, then give the same command again. For a
CONTCAR or final.extxyz inside a campaign, the settings are those of its calculation, with the k-points divided by the
supercell. The folder is a campaign that 'nanoslab run', 'submit', 'status' and 'analyze' accept, and several folders
can be compared by 'nanoslab free-energy'.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.output import add_json_option, print_json, print_study_tables
from nanoslab.driver.backend import engine_from_here
from nanoslab.errors import EngineError, FileError, InputError

if TYPE_CHECKING:
    from nanoslab.calculation import Calculation
    from nanoslab.engines import Engine
    from nanoslab.studies.phonons.study import PhononsStudy

#: the relaxed cell with its settings, in the format of a calculation
CELL = "cell.json"
RELAXATION = "relaxation"
RELAXATION_TOLERANCE = 1e-3  # eV/Å
#: what folders remembered until version 0.1
RECIPE = "phonons.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("structure", type=Path, help="structure file; one inside a campaign brings its settings")
    add("folder", type=Path, help="folder for supercells and results, for one level of theory")
    words = "compute on this machine (default: write VASP input sets)"
    add("--engine", type=engine_from_here, metavar="NAME[:options]", help=words)
    add("--supercell", type=int, nargs=3, default=[2, 2, 1], metavar="N", help="supercell (default: 2 2 1)")
    add("--mesh", type=int, nargs=3, default=[8, 8, 1], metavar="N", help="mesh of wave vectors (default: 8 8 1)")
    add("--distance", type=float, default=0.01, metavar="A", help="displacement of the atoms (default: 0.01 Å)")
    add("--temperatures", type=float, nargs="+", default=[0, 100, 200, 300, 400, 500, 600], metavar="K")
    add("--preset", help="level of theory (default: that of the file's calculation, else ma2023)")
    add("--kpoints", type=int, nargs=3, metavar="N", help="k-point mesh of the unit cell, not of the supercell")
    add("--jobs", type=int, metavar="N", help="parallel processes (default: one per core, at most 8)")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    from nanoslab.campaign import load_campaign
    from nanoslab.campaign.names import STUDY_FILE
    from nanoslab.driver.results import available_sources, read_runs
    from nanoslab.engines import engine as engine_by_name
    from nanoslab.files import write_atomically

    if min(arguments.temperatures) < 0:
        raise InputError("--temperatures", expected="0 K or more", got=min(arguments.temperatures))
    engine = engine_by_name(arguments.engine) if arguments.engine else None
    has = {name: (arguments.folder / name).is_file() for name in (STUDY_FILE, CELL, RECIPE)}
    if not has[STUDY_FILE] or (has[RECIPE] and not has[CELL]):
        _begin(arguments, engine)
    study = _study(arguments, engine)
    _write_and_run(arguments, study, engine)
    campaign, source = load_campaign(arguments.folder), engine.label if engine else "vasp"
    if source not in available_sources(campaign):
        n = len(campaign.calculations)
        print(f"wrote {n} decks to {arguments.folder}; run them, then give the same command again")
        return
    asked = {"mesh": tuple(arguments.mesh), "temperatures": tuple(arguments.temperatures)}
    result = study.model_copy(update=asked).analyze(read_runs(campaign, source))
    for name, reason in (*result.refused, *result.missing):
        expected, advice = "a finished, converged run with forces", "run it, or continue it"
        raise InputError(arguments.folder / name, expected=expected, got=reason, advice=advice)
    document = {"structure": str(arguments.structure), **result.to_dict()}
    record = arguments.folder / "thermal.json"
    write_atomically(record, json.dumps({"schema": 1, **document}, indent=1) + "\n")
    if arguments.json:
        print_json(document)
    else:
        print_study_tables(result.tables())
        print(f"motion of every atom at {document['motion_temperature_K']:g} K in {record}")


def _begin(arguments: argparse.Namespace, engine: Engine | None) -> None:
    """Write the study of the folder and its cell, relaxed where there is an engine."""
    from nanoslab.campaign.format import calculation_document, document_text
    from nanoslab.campaign.names import STUDY_FILE
    from nanoslab.files import write_atomically

    folder, options = arguments.folder, {"supercell": arguments.supercell, "displacement": arguments.distance}
    if (folder / RECIPE).is_file():
        cell, options = _of_older_version(folder)
    else:
        cell = _cell(arguments, engine)
        cell = cell if engine is None else _relaxed(cell, engine, folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / CELL, document_text(calculation_document(cell)))
    fields: dict[str, Any] = {"study": "phonons", "title": f"Vibrations of {cell.atoms.get_chemical_formula()}"}
    fields |= {"structure": CELL, **options, "mesh": arguments.mesh, "temperatures": arguments.temperatures}
    text = "".join(f"{key}: {json.dumps(value)}\n" for key, value in fields.items())
    write_atomically(folder / STUDY_FILE, text)


def _cell(arguments: argparse.Namespace, engine: Engine | None) -> Calculation:
    """Return the cell of a structure file, with the settings of the calculation it belongs to or of a preset."""
    from nanoslab.calculation import Calculation, Role
    from nanoslab.campaign import read_calculation
    from nanoslab.campaign.names import CALCULATION_FILE
    from nanoslab.crystals import read_structure_file
    from nanoslab.presets import preset
    from nanoslab.studies.phonons.cell import cell_settings, free_cell

    path, kpoints = arguments.structure, arguments.kpoints and tuple(arguments.kpoints)
    if not path.is_file():
        raise FileError(path, expected="a structure file", got="nothing")
    atoms = free_cell(read_structure_file(path))
    folder = next((one for one in (path.parent, path.parent.parent) if (one / CALCULATION_FILE).is_file()), None)
    if folder is not None and arguments.preset is None:
        written = read_calculation(folder)
        settings = replace(written.settings, kpoints=kpoints or written.settings.kpoints)
        if written.atoms.has("initial_magmoms"):
            atoms.set_initial_magnetic_moments(free_cell(written.atoms).get_initial_magnetic_moments())
    else:
        settings = preset(arguments.preset or "ma2023")
        if engine is not None and "kpoints" not in engine.comparable(atoms, settings):
            kpoints = kpoints or (1, 1, 1)  # it samples no k-points, so nobody need say them
        settings = cell_settings(atoms, settings, kpoints)
    return Calculation(name="cell", role=Role(kind="pristine"), atoms=atoms, settings=settings)


def _relaxed(cell: Calculation, engine: Engine, folder: Path) -> Calculation:
    from nanoslab.engines import run_calculation

    tight = replace(cell.settings, relax="ions", force_tolerance=RELAXATION_TOLERANCE, max_ionic_steps=500)
    asked = replace(cell, name=RELAXATION, settings=tight)
    result = run_calculation(asked, engine, folder / RELAXATION / engine.label)
    if result.atoms is None or not result.converged:
        raise EngineError(result.path, expected="a relaxed structure", got="; ".join(result.problems) or "none")
    atoms = cell.atoms.copy()
    atoms.set_positions(result.atoms.positions)
    return replace(cell, atoms=atoms)


def _of_older_version(folder: Path) -> tuple[Calculation, dict[str, Any]]:
    """Return the cell and the options of a folder of an older version, with the settings its supercells were given."""
    from ase.io.jsonio import decode

    from nanoslab.campaign import read_calculation

    recipe = decode((folder / RECIPE).read_text(encoding="utf-8"))
    written = read_calculation(folder / "cell-phonon-001")
    first, second, third = (k * n for k, n in zip(written.settings.kpoints, recipe["supercell"], strict=True))
    settings = replace(written.settings, kpoints=(first, second, third))
    options = {"supercell": recipe["supercell"], "displacement": recipe["distance_A"]}
    return replace(written, name="cell", atoms=recipe["cell"], settings=settings), options


def _study(arguments: argparse.Namespace, engine: Engine | None) -> PhononsStudy:
    """Return the study of the folder, which must ask for what the command asks for."""
    from nanoslab.campaign.names import STUDY_FILE
    from nanoslab.studies.phonons.study import PhononsStudy
    from nanoslab.studies.study_file import load_study

    path = arguments.folder / STUDY_FILE
    study = load_study(path)
    if not isinstance(study, PhononsStudy):
        raise FileError(path, expected="a study of phonons", got=study.kind, advice="take another folder")
    relaxed_by = next((place.name for place in (arguments.folder / RELAXATION).glob("*")), None)
    kept = {"supercell": list(study.supercell), "distance_A": study.displacement, "engine": relaxed_by}
    label = engine.label if engine else None
    asked = {"supercell": arguments.supercell, "distance_A": arguments.distance, "engine": label}
    if kept != asked:
        raise InputError(path, expected=f"{kept} again", got=asked, advice="take another folder for other options")
    return study


def _write_and_run(arguments: argparse.Namespace, study: PhononsStudy, engine: Engine | None) -> None:
    """Write the campaign, with VASP input sets where there is no engine to compute it."""
    from nanoslab.campaign import write_campaign
    from nanoslab.campaign.names import STUDY_FILE

    what = (arguments.folder / STUDY_FILE, study.calculations(), arguments.folder)
    if engine is None:
        from nanoslab.driver.vasp_campaign import write_vasp_campaign

        write_vasp_campaign(*what, structure_files=(CELL,))
        return
    from nanoslab.driver.run import run_campaign

    write_campaign(*what, structure_files=(CELL,))
    for ended in run_campaign(arguments.folder, arguments.engine, jobs=arguments.jobs):
        if ended.state != "finished":
            raise EngineError(ended.name, expected="forces", got="; ".join(ended.problems))
