"""Compute a campaign on this machine with an embedded engine; if interrupted, the same command continues.

For a study file, the campaign is written first and analysed at the end. No VASP files are written; 'nanoslab write'
adds them to the same folder.

Example: nanoslab run cdse_nanosheet.yaml --engine chgnet
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.output import add_json_option, print_json, print_records
from nanoslab.driver.backend import engine_from_here
from nanoslab.errors import EngineError, FileError, InputError

if TYPE_CHECKING:
    from nanoslab.driver.run import Ended
    from nanoslab.engines import Engine
    from nanoslab.studies.result import Cell


#: an energy that still falls after so many extensions has no minimum to be found
ROUNDS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("campaign", type=Path, metavar="CAMPAIGN|STUDY.yaml", help="campaign folder, or a study file")
    words = "chgnet, xtb, gpaw, cp2k, or your own code, ./file.py:factory or module:factory (default: chgnet)"
    add("--engine", type=engine_from_here, default="chgnet", metavar="NAME[:options]", help=words)
    add("--jobs", type=int, metavar="N", help="parallel processes (default: one per core, at most 8)")
    words = "campaign folder for a study file (default: its name)"
    add("--campaign", type=Path, dest="folder", metavar="DIR", help=words)
    words = "only calculations with matching names, such as 'wz-*', and those they start from"
    add("--only", metavar="PATTERN", help=words)
    add(
        "--extend",
        action="store_true",
        help=f"gap study: while its lowest energy lies at an end, add gaps there and go on (at most {ROUNDS} times)",
    )
    add("--wall-time", type=float, metavar="H", help="stop after this many hours, between two steps")
    add("--quiet", action="store_true", help="no progress bar")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    from nanoslab.cli.campaign.submit import interrupt
    from nanoslab.engines import engine

    if arguments.jobs is not None and arguments.jobs < 1:
        raise InputError("--jobs", expected="at least 1", got=arguments.jobs)
    if arguments.wall_time is not None and arguments.wall_time <= 0:
        raise InputError("--wall-time", expected="hours above 0", got=arguments.wall_time)
    chosen = engine(arguments.engine)
    deadline = None if arguments.wall_time is None else time.time() + 3600 * arguments.wall_time
    signal.signal(signal.SIGTERM, interrupt)
    if arguments.extend:
        _require_extendable(arguments.campaign)
    folder, study_file = _campaign_folder(arguments, deadline)
    outcomes = _computed(folder, arguments, deadline)
    if arguments.extend and study_file is not None:
        outcomes = _extended(folder, study_file, chosen.label, lambda: _computed(folder, arguments, deadline), outcomes)
    analyze = study_file is not None and _all_ended(outcomes)
    if arguments.json and not analyze:
        print_json(_document(folder, chosen, outcomes))
    elif not arguments.json:
        _print_summary(folder, chosen, outcomes)
    if analyze:
        from nanoslab.cli.campaign.analyze import analyze_campaign

        analyze_campaign(folder, chosen.label, as_json=arguments.json)
    _raise_for(outcomes)


def _require_extendable(given: Path) -> None:
    """Refuse before anything is computed what could not be extended at the end."""
    from nanoslab.studies.gap.extension import extendable_study

    if given.is_dir():
        raise InputError("--extend", expected="a study file", got=f"the campaign {given}", advice="give its study")
    if given.is_file():
        extendable_study(given)


def _computed(folder: Path, arguments: argparse.Namespace, deadline: float | None) -> tuple[Ended, ...]:
    from nanoslab.campaign.graph import select
    from nanoslab.cli.campaign.progress import progress_bar
    from nanoslab.driver.drive import read_plan
    from nanoslab.driver.run import run_campaign

    total = len(select(read_plan(folder), () if arguments.only is None else (arguments.only,)))
    silent = arguments.quiet or arguments.json or not sys.stderr.isatty()
    with nullcontext() if silent else progress_bar(total) as on_event:
        return run_campaign(
            folder, arguments.engine, only=arguments.only, jobs=arguments.jobs, deadline=deadline, on_event=on_event
        )


def _all_ended(outcomes: Sequence[Ended]) -> bool:
    return all(outcome.state in ("finished", "skipped") for outcome in outcomes)


def _extended(
    folder: Path,
    study_file: Path,
    label: str,
    compute: Callable[[], tuple[Ended, ...]],
    outcomes: tuple[Ended, ...],
) -> tuple[Ended, ...]:
    """Outcomes after the gaps that the study proposes were computed too, until it proposes none."""
    from nanoslab.studies.gap.extension import extended_campaign

    for _ in range(ROUNDS):
        if not _all_ended(outcomes):
            break
        longer = extended_campaign(study_file, folder, label)
        if longer is None:
            break
        print(f"the scan is extended: the study is now {longer}", file=sys.stderr)
        study_file, outcomes = longer, compute()
    return outcomes


def _campaign_folder(arguments: argparse.Namespace, deadline: float | None) -> tuple[Path, Path | None]:
    """Return the campaign, written first when a study file was given, and the study file it was written from."""
    given, asked = arguments.campaign, arguments.folder
    if given.is_dir():
        if asked is not None:
            raise InputError("--campaign", expected="only with a study file", got=asked, advice="leave it out")
        return given, None
    if not given.is_file():
        raise FileError(given, expected="a campaign folder or a study file", got="nothing", advice="see 'nanoslab new'")
    from nanoslab.campaign import write_campaign
    from nanoslab.cli.campaign.screening import ready_study
    from nanoslab.studies.study_file import load_calculations, load_study

    folder = asked or Path(given.stem)
    study_file = ready_study(given, jobs=arguments.jobs, deadline=deadline, quiet=arguments.quiet or arguments.json)
    write_campaign(study_file, load_calculations(study_file), folder, load_study(study_file).structure_files)
    return folder, study_file


def _rows(folder: Path, engine: Engine, outcomes: Sequence[Ended]) -> list[dict[str, Any]]:
    from nanoslab.engines import read_record

    rows = []
    for outcome in outcomes:
        place = folder / outcome.name / engine.label
        record = read_record(place) if outcome.state in ("finished", "skipped") else {}
        row = {"name": outcome.name, "state": outcome.state, "converged": False, "n_steps": 0}
        said = ("energy_eV", "max_free_force_eV_per_A", "converged", "n_steps", "wall_time_s")
        row |= {key: record.get(key, row.get(key)) for key in said}
        rows.append({**row, "problems": list(outcome.problems), "already_there": outcome.already_there})
    return rows


def _document(folder: Path, engine: Engine, outcomes: Sequence[Ended]) -> dict[str, Any]:
    return {
        "campaign": str(folder),
        "engine": engine.label,
        "level_of_theory": engine.level_of_theory,
        "calculations": _rows(folder, engine, outcomes),
    }


def _print_summary(folder: Path, engine: Engine, outcomes: Sequence[Ended]) -> None:
    columns: dict[str, Cell] = {
        "calculation": "name",
        "state": lambda row: "not usable" if row["state"] == "finished" and not row["converged"] else row["state"],
        "energy/eV": "energy_eV:.4f",
        "force/eV/Å": "max_free_force_eV_per_A:.3f",
        "steps": "n_steps",
        "problems": lambda row: "; ".join(row["problems"]),
    }
    print(f"{engine.level_of_theory}; files in {folder}/*/{engine.label}/")
    print_records(_rows(folder, engine, outcomes), columns)
    print()


def _raise_for(outcomes: Sequence[Ended]) -> None:
    """Failures and unfinished calculations are the user's to know: exit code 2."""
    left = [outcome for outcome in outcomes if outcome.state in ("failed", "unfinished")]
    if left:
        said = "; ".join(f"{outcome.name} ({', '.join(outcome.problems)})" for outcome in left)
        where, advice = f"{len(left)} of {len(outcomes)} calculations", "run the same command again to go on"
        raise EngineError(where, expected="all to end", got=said, advice=advice)
