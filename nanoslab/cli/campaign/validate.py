"""Compare published values with those of every engine, in one table that includes those that disagree.

Reads finished campaigns, or by default the reference results that come with nanoslab.

Example: nanoslab validate
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nanoslab.cli.output import add_json_option, print_json, print_table

if TYPE_CHECKING:
    from nanoslab.campaign import Campaign
    from nanoslab.report.validation import AnalysedCampaign


#: kinds whose numbers have other sources than the energies of the rest
ALONE = frozenset({"displacement", "exposure", "barrier"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("campaigns", nargs="*", type=Path, metavar="CAMPAIGN", help="finished campaigns (default: the shipped results)")
    words = "published values to compare with (default: those of workflows/published); repeatable"
    add("--published", action="append", type=Path, metavar="FILE", help=words)
    add("--markdown", action="store_true", help="print the table as Markdown")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    from nanoslab.files import data_folder
    from nanoslab.report.validation import read_published, validation_rows

    workflows = data_folder("workflows")
    shipped = sorted(path.parent for path in (workflows / "reference_results").glob("*/study.yaml"))
    campaigns = [one for folder in arguments.campaigns or shipped for one in _analysed(folder)]
    files = arguments.published or sorted((workflows / "published").glob("*.yaml"))
    published = [read_published(path) for path in files]
    campaigns += [file.exposed() for file in published if file.exposures]
    rows = validation_rows(published, campaigns)
    if arguments.json:
        print_json({"levels_of_theory": _levels(campaigns), "quantities": [row.to_dict() for row in rows]})
        return
    for number, kinds in enumerate(_tables(row.published.study for row in rows)):
        own = [row for row in rows if row.published.study in kinds]
        sources = tuple(dict.fromkeys(campaign.source for campaign in campaigns if campaign.kind in kinds))
        columns = ["quantity", "paper", "deck", *sources]
        if number:
            print()
        if arguments.markdown:
            print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
            for row in own:
                print(f"| {' | '.join(row.cells(sources))} |")
        else:
            print_table(columns, [row.cells(sources) for row in own])
    print()
    for source, level in _levels(campaigns).items():
        print(f"{'- ' if arguments.markdown else ''}{source}: {level}")


def _tables(kinds: Iterable[str]) -> list[set[str]]:
    """Kinds of studies that share a table: those of energies in one, the beam's each in its own."""
    found = dict.fromkeys(kinds)
    together = set(found) - ALONE
    return [*([together] if together else []), *({kind} for kind in found if kind in ALONE)]


def _analysed(folder: Path) -> Iterator[AnalysedCampaign]:
    """What every source of energies in a campaign says."""
    from nanoslab.campaign import load_campaign
    from nanoslab.driver.results import available_sources, read_runs
    from nanoslab.report.validation import AnalysedCampaign
    from nanoslab.studies.study_file import load_study

    campaign = load_campaign(folder)
    study = load_study(campaign.study_file)
    symbols = (calculation.atoms.get_chemical_symbols() for calculation in campaign.calculations)
    elements, ready = frozenset(element for found in symbols for element in found), _decks_can_be_written(campaign)
    for source in available_sources(campaign):
        document = study.analyze(read_runs(campaign, source)).to_dict()
        yield AnalysedCampaign(kind=study.kind, source=source, elements=elements, document=document, deck_ready=ready)


def _decks_can_be_written(campaign: Campaign) -> bool:
    from nanoslab.errors import InputError
    from nanoslab.vasp.inputs.settings import incar, kpoints_text

    try:
        return all(c.procedure is None and incar(c).text() and kpoints_text(c) for c in campaign.calculations)
    except InputError:
        return False


def _levels(campaigns: Sequence[AnalysedCampaign]) -> dict[str, str]:
    levels: dict[str, list[str]] = {}
    for campaign in campaigns:
        level = str(campaign.document["level_of_theory"])
        if level and level not in levels.setdefault(campaign.source, []):
            levels[campaign.source].append(level)
    return {source: "; ".join(texts) for source, texts in levels.items()}
