"""Phonons of a sheet or crystal: static and free energy, imaginary modes, thermal motion of every atom.

Example: nanoslab phonons sheet.vasp phonons-wz --engine chgnet --supercell 2 2 1 --mesh 8 8 1

With an engine the structure is relaxed to 0.001 eV/Å first, all atoms free, and everything is computed here; killed,
the same command goes on. Without one, VASP decks of the perfect supercell and the displaced ones are written (the
structure must be the relaxed one); run them, then give the same command again. A file of a campaign (CONTCAR or
final.extxyz of a calculation) brings the settings of its calculation; the supercells get its k-points divided by the
supercell. The folder remembers its structure, settings and supercell. 'nanoslab free-energy' compares two such folders.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nanoslab.cli.output import add_json_option, print_json, print_study_tables
from nanoslab.driver.backend import engine_from_here
from nanoslab.errors import EngineError, FileError, InputError

if TYPE_CHECKING:
    from ase import Atoms

    from nanoslab.calculation import Calculation, CalculationResult, Settings

RECIPE = "phonons.json"
RELAXATION_TOLERANCE = 1e-3  # eV/Å


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("structure", type=Path, help="structure file, or a campaign's final.extxyz")
    parser.add_argument("folder", type=Path, help="where the supercells and results go; one level of theory")
    parser.add_argument(
        "--engine", type=engine_from_here, metavar="NAME[:options]", help="compute here (default: VASP decks)"
    )
    parser.add_argument("--supercell", type=int, nargs=3, default=[2, 2, 1], metavar="N", help="default: 2 2 1")
    parser.add_argument(
        "--mesh", type=int, nargs=3, default=[8, 8, 1], metavar="N", help="wave vectors (default: 8 8 1)"
    )
    parser.add_argument("--distance", type=float, default=0.01, metavar="A", help="displacement (default: 0.01 Å)")
    parser.add_argument("--temperatures", type=float, nargs="+", default=[0, 100, 200, 300, 400, 500, 600], metavar="K")
    parser.add_argument("--preset", help="level of theory (default: that of the calculation of the file, or ma2023)")
    parser.add_argument("--kpoints", type=int, nargs=3, metavar="N", help="mesh of the cell, not of the supercell")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes at a time (default: one per core, at most 8)")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    """Prepare, compute or collect, and print."""
    from nanoslab.calculation import Run
    from nanoslab.studies.phonons.cell import supercell_calculations
    from nanoslab.studies.phonons.study import PhononsStudy

    if min(arguments.temperatures) < 0:
        raise InputError("--temperatures", expected="0 K or more", got=min(arguments.temperatures))
    cell, settings = _cell(arguments)
    calculations = supercell_calculations("cell", cell, settings, arguments.supercell, arguments.distance)
    _write_decks(arguments.folder, calculations)
    results = _results(arguments, calculations)
    if results is None:
        print(f"wrote {len(calculations)} decks to {arguments.folder}; run them, then give the same command again")
        return
    runs = [Run(calculation=one, result=result) for one, result in zip(calculations, results, strict=True)]
    study = PhononsStudy(
        study="phonons",
        title=f"Vibrations of {cell.get_chemical_formula()}",
        structure=str(arguments.structure),
        mesh=arguments.mesh,
        temperatures=arguments.temperatures,
    )
    result = study.analyze(runs)
    for name, reason in (*result.refused, *result.missing):
        expected, advice = "a finished, converged run with forces", "run it, or continue it"
        raise InputError(arguments.folder / name, expected=expected, got=reason, advice=advice)
    document = {"structure": str(arguments.structure), **result.to_dict()}
    from nanoslab.files import write_atomically

    write_atomically(arguments.folder / "thermal.json", json.dumps({"schema": 1, **document}, indent=1) + "\n")
    if arguments.json:
        print_json(document)
    else:
        print_study_tables(result.tables())
        print(f"motion of every atom at {document['motion_temperature_K']:g} K in {arguments.folder / 'thermal.json'}")


def _cell(arguments: argparse.Namespace) -> tuple[Atoms, Settings]:
    """Return the structure whose phonons are asked for and its settings: remembered by the folder, or read."""
    from dataclasses import asdict

    from ase.io.jsonio import decode, encode

    from nanoslab.calculation import Settings
    from nanoslab.files import write_atomically
    from nanoslab.studies.phonons.cell import read_cell

    path = arguments.folder / RECIPE
    asked = {"supercell": arguments.supercell, "distance_A": arguments.distance, "engine": arguments.engine}
    if path.is_file():
        recipe = decode(path.read_text())
        kept = {key: recipe.get(key) for key in asked}
        if kept != asked:
            raise InputError(path, expected=f"{kept} again", got=asked, advice="take another folder for other options")
        remembered: Atoms = recipe["cell"]
        if "settings" not in recipe:  # folders of before did not remember them
            return remembered, _settings(arguments, remembered)
        kpoints = tuple(recipe["settings"]["kpoints"])
        return remembered, Settings(**{**recipe["settings"], "kpoints": kpoints})
    if not arguments.structure.is_file():
        raise FileError(arguments.structure, expected="a structure file", got="nothing")
    cell = read_cell(arguments.structure)
    settings = _settings(arguments, cell)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if arguments.engine is not None:
        cell = _relaxed(cell, settings, arguments.engine, arguments.folder)
    record = {"schema": 1, "structure": str(arguments.structure), **asked, "cell": cell, "settings": asdict(settings)}
    write_atomically(path, encode(record) + "\n")
    return cell, settings


def _settings(arguments: argparse.Namespace, cell: Atoms) -> Settings:
    """Return the settings of the cell: those of the calculation that the file belongs to, or of the preset."""
    from dataclasses import replace

    from nanoslab.campaign.format import read_calculation
    from nanoslab.campaign.names import CALCULATION_FILE
    from nanoslab.presets import preset
    from nanoslab.studies.phonons.cell import cell_settings

    kpoints = None if arguments.kpoints is None else tuple(arguments.kpoints)
    places = (arguments.structure.parent, arguments.structure.parent.parent)
    written = next((place for place in places if (place / CALCULATION_FILE).is_file()), None)
    if arguments.preset is None and written is not None:
        settings = read_calculation(written).settings
        return replace(settings, kpoints=kpoints or settings.kpoints)
    settings = preset(arguments.preset or "ma2023")
    if kpoints is None and not _samples_k_points(arguments.engine, cell, settings):
        kpoints = (1, 1, 1)
    return cell_settings(cell, settings, kpoints)


def _samples_k_points(engine_name: str | None, cell: Atoms, settings: Settings) -> bool:
    """Whether the mesh is part of what is computed: for VASP, and for engines that say so."""
    if engine_name is None:
        return True
    from nanoslab.engines import engine

    return "kpoints" in engine(engine_name).comparable(cell, settings)


def _relaxed(cell: Atoms, settings: Settings, engine_name: str, folder: Path) -> Atoms:
    from dataclasses import replace

    from nanoslab.calculation import Calculation, Role
    from nanoslab.engines import engine, run_calculation

    chosen = engine(engine_name)
    tight = replace(settings, relax="ions", force_tolerance=RELAXATION_TOLERANCE, max_ionic_steps=500)
    calculation = Calculation(name="relaxation", role=Role(kind="pristine"), atoms=cell, settings=tight)
    result = run_calculation(calculation, chosen, folder / "relaxation" / chosen.label)
    if result.atoms is None or not result.converged:
        raise EngineError(result.path, expected="a relaxed structure", got="; ".join(result.problems) or "none")
    relaxed = result.atoms.copy()
    relaxed.set_constraint()
    return relaxed


def _write_decks(folder: Path, calculations: Sequence[Calculation]) -> None:
    from nanoslab.driver.vasp_campaign import write_vasp_campaign

    write_vasp_campaign(folder / RECIPE, calculations, folder)


def _results(arguments: argparse.Namespace, calculations: Sequence[Calculation]) -> list[CalculationResult] | None:
    """Return results of the perfect and the displaced supercells in order; None when VASP has not run yet."""
    from nanoslab.campaign import load_campaign
    from nanoslab.driver.results import available_sources, collect

    if arguments.engine is None:
        campaign = load_campaign(arguments.folder)
        if "vasp" not in available_sources(campaign):
            return None
        found = collect(campaign, "vasp")
    else:
        from nanoslab.driver.run import run_campaign
        from nanoslab.engines import engine

        chosen = engine(arguments.engine)
        campaign = load_campaign(arguments.folder)
        for outcome in run_campaign(arguments.folder, arguments.engine, jobs=arguments.jobs):
            if outcome.state != "finished":
                raise EngineError(outcome.name, expected="forces", got="; ".join(outcome.problems))
        found = collect(campaign, chosen.label)
    return [found[calculation.name] for calculation in calculations]
