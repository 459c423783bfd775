"""Analyse a campaign: print tables, and write results.json, CSV files, plots and report.html to its folder.

report.html is a single file that works offline; the plots are in results/SOURCE/plots.

Example: nanoslab analyze my-campaign --source vasp --plots pdf
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nanoslab.cli.output import add_json_option, print_json, print_missing, print_study_tables
from nanoslab.errors import InputError, MismatchError

if TYPE_CHECKING:
    from nanoslab.campaign import Campaign
    from nanoslab.report.page_content import PageContent
    from nanoslab.studies.result import StudyResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an analysis leaves beside results.json and the CSV files: report.html; plots and views in a format."""

    page: bool = True
    plots: str | None = "svg"
    width: str = "single"
    views: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("campaign", type=Path, help="folder written by 'nanoslab write' or 'nanoslab run'")
    add("--source", help="runs to analyse: vasp, or the name of an engine (default: the only one present)")
    add("--allow-unconverged", action="store_true", help="use unconverged runs too, marked (!)")
    add("--allow-mismatch", action="store_true", help="subtract energies with different settings, and note it")
    words = "format of the plots (default: svg)"
    add("--plots", default="svg", choices=("pdf", "svg", "png", "eps", "none"), help=words)
    add("--width", choices=("single", "double"), default="single", help="of the plots: 8.5 or 17.5 cm")
    add("--views", action="store_true", help="also write side and top views of every structure")
    add("--no-page", action="store_true", help="do not write report.html")
    add("--no-files", action="store_true", help="print only, write no files")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    plots = None if arguments.plots == "none" else arguments.plots
    if arguments.views and (plots is None or arguments.no_files):
        raise InputError(
            "--views", expected="a format of plots and files to write", got="neither", advice="--plots pdf"
        )
    wanted = Wanted(page=not arguments.no_page, plots=plots, width=arguments.width, views=arguments.views)
    analyze_campaign(
        arguments.campaign,
        arguments.source,
        wanted=None if arguments.no_files else wanted,
        as_json=arguments.json,
        allow_unconverged=arguments.allow_unconverged,
        allow_mismatch=arguments.allow_mismatch,
    )


def analyze_campaign(
    folder: Path, source: str | None, *, wanted: Wanted | None = Wanted(), as_json: bool, **allowed: bool
) -> None:
    """Print the study's answer and write it beside the runs, unless nothing is wanted.

    Refused runs are an error after everything that can be said was said.
    """
    from nanoslab.campaign import load_campaign
    from nanoslab.driver.results import read_runs
    from nanoslab.studies.study_file import load_study

    campaign = load_campaign(folder)
    study = load_study(campaign.study_file)
    chosen = chosen_source(campaign, source)
    runs = read_runs(campaign, chosen)
    result = study.analyze(runs, **allowed)
    files = []
    if wanted is not None:
        from nanoslab.report.page_content import page_content

        files = _write_files(page_content(campaign, study, chosen, runs, result), result, campaign.folder, wanted)
    if as_json:
        print_json({"campaign": str(folder), "source": chosen, **result.to_dict(), "files": [str(f) for f in files]})
    else:
        print_study_tables(result.tables())
        print_missing(result.missing)
        _print_files(folder, files)
    if result.refused:
        name, reason = result.refused[0]
        more = f" (and {len(result.refused) - 1} more, see results.json)" if len(result.refused) > 1 else ""
        raise MismatchError(
            f"{len(result.refused)} refused; {name}", expected="a run to be used", got=f"{reason}{more}"
        )


def chosen_source(campaign: Campaign, asked: str | None) -> str:
    """Whose runs to read: as asked, or the only one there."""
    from nanoslab.driver.results import available_sources

    sources = available_sources(campaign)
    if asked is not None or len(sources) == 1:
        return asked or sources[0]
    if sources:
        expected, advice = f"one of {', '.join(sources)}", "say whose runs to read"
        raise InputError("--source", expected=expected, got="nothing", advice=advice)
    advice = "run VASP in its folders, or 'nanoslab run' it with an embedded engine"
    raise InputError(campaign.folder, expected="at least one finished run", got="none", advice=advice)


def _write_files(content: PageContent, result: StudyResult, campaign: Path, wanted: Wanted) -> list[Path]:
    from nanoslab.report.files import write_plots, write_results, write_views
    from nanoslab.report.page import write_page

    folder = campaign / "results" / content.source
    written = write_results(folder, result)
    if wanted.plots is not None:
        written += write_plots(folder / "plots", content.plots, wanted.plots, wanted.width)
    if wanted.views and wanted.plots is not None:
        written += write_views(folder / "structures", content.scenes, wanted.plots)
    if wanted.page:
        written.append(write_page(campaign / "report.html", content))
    return written


def _print_files(folder: Path, files: list[Path]) -> None:
    """One line per folder, the page last."""
    by_folder: dict[Path, list[str]] = {}
    for file in files:
        by_folder.setdefault(file.parent, []).append(file.name)
    for place, names in by_folder.items():
        print(f"wrote {place / names[0]}" if len(names) == 1 else f"wrote {len(names)} files in {place}/")
    if (folder / "report.html") in files:
        print(f"open {folder / 'report.html'} in a browser")
