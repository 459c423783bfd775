"""Read VASP runs: energies, forces and convergence checks.

Folders are searched recursively. Every run has a row, including broken runs and files that are not runs.

example:
  nanoslab read campaign/ --csv runs.csv
"""

from __future__ import annotations

import csv
import io
import math
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from nanoslab.cli.output import add_json_option, print_json, print_records
from nanoslab.errors import FileError, InputError
from nanoslab.text import printable

if TYPE_CHECKING:
    from nanoslab.studies.result import Cell
    from nanoslab.vasp import RunResult
    from nanoslab.vasp.runs.find_runs import RunFiles

_MOST_IN_FULL = 12


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("runs", nargs="+", metavar="RUN", help="run folders, folders of runs, or single files")
    add("--csv", metavar="FILE", help="write all columns to a CSV file")
    add("--extxyz", metavar="FILE", help="write every ionic step of every run to an extended XYZ file")
    add(
        "--details",
        action="store_true",
        help="energy per atom, Fermi level, band gap, volume, moments, settings, time",
    )
    add("--failed", action="store_true", help="only runs that are not converged")
    add("--sort", choices=tuple(SORTED_BY), metavar="BY", help=f"lowest first, by {', '.join(SORTED_BY)}")
    add("--plot", metavar="FILE", help="draw energy, largest force and electronic steps against the ionic step")
    add("--jobs", type=int, metavar="N", help="parallel processes (default: one per core)")
    add("--quiet", action="store_true", help="no progress bar")
    add_json_option(parser)


def run(arguments: Namespace) -> None:
    from nanoslab.vasp.runs.find_runs import OUTPUT_NAMES, find_runs
    from nanoslab.vasp.runs.read_run import read_all

    if arguments.jobs is not None and arguments.jobs < 1:
        raise InputError("--jobs", expected="at least 1", got=arguments.jobs, advice="leave it out to use every core")
    files = list(find_runs(arguments.runs))
    if not any(found.has_outputs and not found.problem for found in files):
        expected, advice = OUTPUT_NAMES, "give a folder VASP ran in"
        raise FileError(", ".join(arguments.runs), expected=expected, got=_instead(files), advice=advice)
    results = list(_with_progress(read_all(files, arguments.jobs), len(files), quiet=arguments.quiet))
    counts = Counter(map(convergence_in_words, results))
    results = _chosen(results, arguments)
    if arguments.plot:
        from nanoslab.cli.runs.read_plot import plot_runs

        n_shown = plot_runs(results, Path(arguments.plot))
        print(f"wrote {arguments.plot}: {n_shown} of {len(results)} runs", file=sys.stderr)
    rows = [result.to_dict() for result in results]
    if arguments.details:
        for result, row in zip(results, rows, strict=True):
            gap = result.band_gap()
            row["band_gap_eV"] = None if gap is None else gap.energy
            row["band_gap_source"] = None if gap is None else gap.file
    if arguments.csv:
        _write_csv(rows, Path(arguments.csv))
    if arguments.extxyz:
        _write_extxyz(results, Path(arguments.extxyz))
    if arguments.json:
        print_json({"runs": rows, "verdicts": dict(counts)})
        return
    for one, row in zip(results, rows, strict=True):
        row |= {"formula": one.formula or "-", "convergence": convergence_in_words(one)}
    print_records(rows, _DETAILS if arguments.details else _COLUMNS)
    print()
    _print_problems([result for result in results if result.problems])
    for outcome, count in counts.most_common():
        print(f"{count:6d}  {outcome}")


def _with_progress(results: Iterator[RunResult], total: int, *, quiet: bool) -> Iterator[RunResult]:
    if quiet or not sys.stderr.isatty() or total < 2:
        yield from results
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(results, description="reading", total=total, console=Console(stderr=True), transient=True)


_COLUMNS: dict[str, Cell] = {
    "run": "path",
    "formula": lambda run: run["formula"] or "-",
    "E0 [eV]": "energy_eV:.5f",
    "max F": "max_free_force_eV_per_A:.3f",
    "steps": "n_ionic_steps",
    "convergence": "convergence",
}
#: columns of --details; a dash where the files do not say
_DETAILS: dict[str, Cell] = {
    "run": "path",
    "E0/atom [eV]": "energy_per_atom_eV:.5f",
    "Fermi [eV]": "fermi_energy_eV:.4f",
    "gap [eV]": "band_gap_eV:.3f",
    "volume [Å³]": "volume_A3:.2f",
    "moment [μB]": lambda run: " ".join(f"{one:.3f}" for one in run["magnetization_muB"] or ()) or "-",
    "largest on a site": lambda run: _largest_site(run["site_moments_muB"]),
    "cutoff [eV]": "cutoff_energy_eV:g",
    "mesh": lambda run: "x".join(map(str, run["kpoint_mesh"] or ())) or "-",
    "s/step": "seconds_per_ionic_step:.1f",
    "memory [MB]": "memory_MB:.0f",
}


def _largest_site(moments: Sequence[Any] | None) -> str:
    """Largest moment of an atom and its number from 0, as in JSON, where all are."""
    if not moments:
        return "-"
    sizes = [math.hypot(*one) if isinstance(one, list) else abs(one) for one in moments]
    return f"{max(sizes):.3f} (atom {sizes.index(max(sizes))})"


#: word for --sort -> key of a record
SORTED_BY = {
    "energy": "energy_eV",
    "energy-per-atom": "energy_per_atom_eV",
    "force": "max_free_force_eV_per_A",
    "volume": "volume_A3",
    "steps": "n_ionic_steps",
    "time": "elapsed_s",
}


def _chosen(results: Sequence[RunResult], arguments: Namespace) -> list[RunResult]:
    """Those asked for; runs without the number that sorts come last."""
    kept = [result for result in results if not (arguments.failed and result.converged)]
    if arguments.sort:
        key = SORTED_BY[arguments.sort]
        kept.sort(key=lambda result: ((value := result.to_dict()[key]) is None, value or 0.0))
    return kept


_OUTCOMES: tuple[tuple[str, Callable[[RunResult], bool]], ...] = (
    ("ok", lambda r: r.converged),
    ("not run", lambda r: r.kind == "not run"),
    ("unreadable", lambda r: r.kind == "unreadable"),
    ("no energy", lambda r: r.energy is None),
    ("not finished", lambda r: not r.complete),
    ("electrons not converged", lambda r: r.electronic_converged is not True),
    ("ions not relaxed", lambda r: r.ionic_converged is False),
)


def convergence_in_words(result: RunResult) -> str:
    """A few words for a row; the problems in full are in JSON and CSV."""
    return next((words for words, applies in _OUTCOMES if applies(result)), "see problems")


def _print_problems(results: Sequence[RunResult]) -> None:
    """What is wrong, in full for a few runs."""
    if len(results) > _MOST_IN_FULL:
        print(f"{len(results)} runs have problems; --json or --csv tells them in words\n")
        return
    for result in results:
        print(printable(result.path))
        for problem in result.problems:
            print(fill(printable(problem), 100, initial_indent="  - ", subsequent_indent="    "))
    if results:
        print()


def _instead(files: Sequence[RunFiles]) -> str:
    if len(files) == 1 and files[0].problem:
        return files[0].problem
    return f"{len(files)} input sets that never ran" if files else "no run at all"


def _write_csv(rows: Sequence[dict[str, Any]], path: Path) -> None:
    from nanoslab.files import write_atomically
    from nanoslab.text import spreadsheet_cell

    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else ["path"])
    writer.writeheader()
    for row in rows:
        cells = {key: "; ".join(map(str, v)) if isinstance(v, list) else v for key, v in row.items()}
        writer.writerow({key: spreadsheet_cell(cell) for key, cell in cells.items()})
    write_atomically(path, text.getvalue())


def _write_extxyz(results: Iterable[RunResult], path: Path) -> None:
    from ase.io import write

    from nanoslab.files import write_atomically

    text = io.StringIO()
    for result in results:
        if result.final is None:
            sys.stderr.write(f"nanoslab: {printable(result.path)}: no structure of a finished step, not in {path}\n")
            continue
        try:
            images = result.trajectory()
        except FileError as error:
            sys.stderr.write(f"nanoslab: {printable(error)}, not in {path}\n")
            continue
        for atoms in images:
            atoms.info["run"] = printable(result.path)
            write(text, atoms, format="extxyz")
    write_atomically(path, text.getvalue())
