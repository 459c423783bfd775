"""Write a study as a campaign: one folder per calculation with its VASP input set, and a job-array script.

Example: nanoslab write cdse_nanosheet.yaml my-campaign --potcars ~/potpaw_PBE.54

Writing the same study again changes nothing. A campaign made by 'nanoslab run' gets VASP input sets in the same
folders. Results, and files edited by hand, are never overwritten. Without a POTCAR library (--potcars,
PMG_VASP_PSP_DIR or VASP_PP_PATH) every folder gets a POTCAR.spec that lists the datasets to concatenate.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from nanoslab.cli.output import add_json_option, print_json, print_records
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from nanoslab.driver.vasp_campaign import WrittenCampaign
    from nanoslab.studies.result import Cell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("study", type=Path, help="study file; 'nanoslab new' prints examples")
    add("campaign", type=Path, help="campaign folder, new or existing")
    add("--potcars", type=Path, metavar="DIR", help="your POTCAR library (default: from the environment)")
    words = "dataset to use instead of the one that the VASP manual recommends; repeatable"
    add("--dataset", action="append", default=[], metavar="Pb=Pb", help=words)
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    from nanoslab.cli.campaign.screening import ready_study
    from nanoslab.driver.vasp_campaign import write_vasp_campaign
    from nanoslab.studies.study_file import load_calculations, load_study
    from nanoslab.vasp.inputs.deck import open_library
    from nanoslab.vasp.inputs.potcar import PotcarLibrary

    library: PotcarLibrary | Path | None = arguments.potcars
    if arguments.dataset:
        found = open_library(library) if library else None
        library = PotcarLibrary(roots=found.roots if found else (), datasets=dict(map(_dataset, arguments.dataset)))
    study_file = ready_study(arguments.study)
    structure_files = load_study(study_file).structure_files
    calculations = load_calculations(study_file)
    written = write_vasp_campaign(study_file, calculations, arguments.campaign, library, structure_files)
    if arguments.json:
        decks = [{**asdict(deck), "folder": str(deck.folder)} for deck in written.decks]
        print_json({"campaign": str(written.folder), "decks": decks, "notes": list(written.notes)})
    else:
        _print(written)


def _dataset(word: str) -> tuple[str, str]:
    element, _, dataset = word.partition("=")
    if not (element and dataset):
        raise InputError("--dataset", expected="ELEMENT=DATASET, such as Pb=Pb_d", got=repr(word))
    return element, dataset


def _print(written: WrittenCampaign) -> None:
    columns: dict[str, Cell] = {
        "calculation": "name",
        "role": "role",
        "formula": "formula",
        "atoms": "n_atoms",
        "k-points": lambda deck: "x".join(map(str, deck["kpoints"])),
        "POTCAR": lambda deck: "yes" if deck["has_potcar"] else "spec",
        "deck": "change",
    }
    print_records(map(asdict, written.decks), columns)
    remarks: dict[str, list[str]] = {}
    for deck in written.decks:
        for remark in deck.remarks:
            remarks.setdefault(remark, []).append(deck.name)
    for remark, names in remarks.items():
        some = ", ".join(names) if len(names) <= 3 else f"{names[0]}, {names[1]} and {len(names) - 2} more"
        print(f"note: {remark} ({some})")
    for note in written.notes:
        print(f"note: {note}")
    print(f"\n{len(written.decks)} decks in {written.folder}; on the cluster: bash submit.sh")
    if not all(deck.has_potcar for deck in written.decks):
        print("POTCARs are missing: give --potcars DIR, or set PMG_VASP_PSP_DIR or VASP_PP_PATH, and write again")
