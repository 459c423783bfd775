"""What the papers print beside what every engine gives: one table, wrong ones included.

Reads finished campaigns; without any, the reference results that come with nanoslab.

Example: nanoslab validate
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.output import add_json_option, print_json, print_table

if TYPE_CHECKING:
    from nanoslab.campaign import Campaign
    from nanoslab.report.validation import ValidationRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("campaigns", nargs="*", type=Path, metavar="CAMPAIGN", help="default: the shipped results")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    """Analyze every campaign with every source and lay the numbers side by side."""
    from nanoslab.files import data_folder
    from nanoslab.report.validation import validation_rows

    shipped = data_folder("workflows") / "reference_results"
    folders = arguments.campaigns or sorted(path.parent for path in shipped.glob("*/study.yaml"))
    documents: dict[tuple[str, str], dict[str, Any]] = {}
    decks: dict[str, bool] = {}
    for folder in folders:
        kind, ready, of_sources = _campaign(folder)
        decks[kind] = ready
        documents |= {(kind, source): document for source, document in of_sources.items()}
    rows = validation_rows(documents, decks)
    sources = tuple(dict.fromkeys(source for _, source in documents))
    if arguments.json:
        print_json({"levels_of_theory": _levels(documents), "quantities": [_record(row) for row in rows]})
        return
    columns = ["quantity", "paper", "deck", *sources]
    if arguments.markdown:
        print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
        for row in rows:
            print(f"| {' | '.join(row.cells(sources))} |")
    else:
        print_table(columns, [row.cells(sources) for row in rows])
    print()
    for source, level in _levels(documents).items():
        print(f"{'- ' if arguments.markdown else ''}{source}: {level}")


def _campaign(folder: Path) -> tuple[str, bool, dict[str, dict[str, Any]]]:
    """Kind of study, whether VASP decks of all its calculations can be written, and source -> its document."""
    from nanoslab.campaign import load_campaign
    from nanoslab.driver.results import available_sources, read_runs
    from nanoslab.studies.study_file import load_study

    campaign = load_campaign(folder)
    study = load_study(campaign.study_file)
    documents = {source: study.analyze(read_runs(campaign, source)).to_dict() for source in available_sources(campaign)}
    return study.kind, _decks_can_be_written(campaign), documents


def _decks_can_be_written(campaign: Campaign) -> bool:
    from nanoslab.errors import InputError
    from nanoslab.vasp.inputs.settings import incar, kpoints_text

    try:
        return all(incar(c).text() and kpoints_text(c) for c in campaign.calculations)
    except InputError:
        return False


def _levels(documents: dict[tuple[str, str], dict[str, Any]]) -> dict[str, str]:
    levels: dict[str, list[str]] = {}
    for (_, source), document in documents.items():
        level = str(document["level_of_theory"])
        if level and level not in levels.setdefault(source, []):
            levels[source].append(level)
    return {source: "; ".join(texts) for source, texts in levels.items()}


def _record(row: ValidationRow) -> dict[str, Any]:
    return {
        "quantity": row.quantity.name,
        "unit": row.quantity.unit,
        "paper": row.quantity.paper,
        "source": row.quantity.source,
        "deck_ready": row.deck_ready,
        "values": dict(row.values),
    }
