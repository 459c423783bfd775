"""Write a campaign as a bundle that others can use: structures, energies, tables, and all that these are made from.

The bundle holds structures.extxyz, structures.json (a database of ASE), optimade.json (entries of OPTIMADE), tables/,
provenance.json and campaign/, from which 'nanoslab analyze' makes every table again. No VASP file goes into it.

Example: nanoslab export my-campaign --source gpaw -o bundle
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nanoslab.cli.output import add_json_option, print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("campaign", type=Path, help="finished campaign")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="new folder (default: CAMPAIGN-bundle)")
    parser.add_argument("--source", help="whose results: vasp, or the name of an engine (default: the only one there)")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    from nanoslab.campaign import load_campaign
    from nanoslab.cli.campaign.analyze import chosen_source
    from nanoslab.driver.results import read_runs
    from nanoslab.report.bundle import write_bundle
    from nanoslab.studies.study_file import load_study

    campaign = load_campaign(arguments.campaign)
    source = chosen_source(campaign, arguments.source)
    runs = read_runs(campaign, source)
    folder = arguments.output or Path(f"{campaign.folder.resolve().name}-bundle")
    files = write_bundle(folder, campaign, source, runs, load_study(campaign.study_file).analyze(runs))
    if arguments.json:
        print_json({"bundle": str(folder), "source": source, "files": [str(path) for path in files]})
    else:
        print(f"wrote {len(files)} files in {folder}; provenance.json says how to make the tables again")
