"""Results of a campaign: tables here, and results.json, CSV files, plots and report.html in its folder.

Example: nanoslab analyze my-campaign --source vasp
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from nanoslab.cli.output import add_json_option, print_json, print_study_tables
from nanoslab.errors import InputError, MismatchError

if TYPE_CHECKING:
    from nanoslab.campaign import Campaign
    from nanoslab.studies.study import StudyResult


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("campaign", type=Path, help="folder written by 'nanoslab write' or 'nanoslab run'")
    parser.add_argument(
        "--source", help="whose runs to read: vasp, or the name of an engine (default: the only one there)"
    )
    parser.add_argument("--allow-unconverged", action="store_true", help="use runs that are not converged, marked (!)")
    parser.add_argument("--allow-mismatch", action="store_true", help="subtract energies of differing settings, noted")
    parser.add_argument("--no-files", action="store_true", help="print only; leave the folder as it is")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    """Analyze, print, and write the files."""
    analyze_campaign(
        arguments.campaign,
        source=arguments.source,
        allow_unconverged=arguments.allow_unconverged,
        allow_mismatch=arguments.allow_mismatch,
        write_files=not arguments.no_files,
        as_json=arguments.json,
    )


def analyze_campaign(
    folder: Path,
    *,
    source: str | None = None,
    allow_unconverged: bool = False,
    allow_mismatch: bool = False,
    write_files: bool = True,
    as_json: bool = False,
) -> None:
    """Print the study's answer and write it beside the runs; refused runs are an error after that.

    Raises
    ------
    MismatchError
        If a run exists but cannot be used; everything that can be said was said before.
    """
    from nanoslab.campaign import collect, load_campaign
    from nanoslab.studies.study_file import load_study

    campaign = load_campaign(folder)
    study = load_study(campaign.study_file)
    chosen = _source(campaign, source)
    results = collect(campaign, chosen)
    result = study.analyze(results, allow_unconverged=allow_unconverged, allow_mismatch=allow_mismatch)
    files = _write_files(folder, chosen, result) if write_files else []
    if as_json:
        print_json({"campaign": str(folder), "source": chosen, **result.to_dict(), "files": [str(f) for f in files]})
    else:
        print_study_tables(result.tables())
        for name, reason in result.missing:
            print(f"no result: {name} ({reason})")
        for file in files:
            print(f"wrote {file}")
    if result.refused:
        name, reason = result.refused[0]
        more = f" (and {len(result.refused) - 1} more, see results.json)" if len(result.refused) > 1 else ""
        raise MismatchError(
            f"{len(result.refused)} refused; {name}", expected="a run to be used", got=f"{reason}{more}"
        )


def _source(campaign: Campaign, asked: str | None) -> str:
    from nanoslab.campaign import available_sources

    sources = available_sources(campaign)
    if asked is not None:
        return asked
    if len(sources) == 1:
        return sources[0]
    if not sources:
        raise InputError(
            campaign.folder,
            expected="at least one finished run",
            got="none",
            advice="run VASP in its folders, or 'nanoslab run' it with an embedded engine",
        )
    raise InputError(
        "--source", expected=f"one of {', '.join(sources)}", got="nothing", advice="say whose runs to read"
    )


def _write_files(folder: Path, source: str, result: StudyResult) -> list[Path]:
    from nanoslab.report.files import write_results

    return write_results(folder / "results" / source, result)
