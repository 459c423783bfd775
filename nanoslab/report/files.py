"""A study's result as files: one JSON document, and a CSV for every list of records in it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.files import write_atomically
from nanoslab.plot_data import Plot
from nanoslab.report.draw import save, save_plot
from nanoslab.studies.result import StudyResult, flat_record, record_lists
from nanoslab.text import spreadsheet_cell

if TYPE_CHECKING:
    from nanoslab.report.structure_data import Scene


def write_results(folder: Path, result: StudyResult) -> list[Path]:
    """Write ``results.json`` and one CSV per list of records, replacing earlier ones; returns the paths."""
    document = {"schema": 1, **result.to_dict()}
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.csv"):
        stale.unlink()
    written = [folder / "results.json"]
    write_atomically(written[0], json.dumps(document, indent=2) + "\n")
    for key, records in record_lists(document).items():
        path = folder / f"{key}.csv"
        write_atomically(path, csv_text(records))
        written.append(path)
    return written


def write_plots(folder: Path, plots: Sequence[Plot], ending: str, width: str = "single") -> list[Path]:
    """Write every plot as ``NAME.ending``; plots of earlier analyses in that format go; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob(f"*.{ending}"):
        stale.unlink()
    paths = [folder / f"{plot.name}.{ending}" for plot in plots]
    for plot, path in zip(plots, paths, strict=True):
        save_plot(plot, path, width)
    return paths


def write_views(folder: Path, scenes: Sequence[Scene], ending: str) -> list[Path]:
    """Write side, front and top view of every structure as ``NAME.ending``; returns the paths."""
    from nanoslab.report.structure_views import views_figure

    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{scene.name}.{ending}" for scene in scenes]
    for scene, path in zip(scenes, paths, strict=True):
        save(views_figure(scene), path)
    return paths


def csv_text(records: Sequence[Mapping[str, Any]]) -> str:
    r"""Records as CSV, nested keys joined by dots, missing values empty.

    Examples
    --------
    >>> print(csv_text([{"label": "v_Se", "formation_energy_eV": {"atom": 5.1}}]), end="")
    label,formation_energy_eV.atom
    v_Se,5.1
    """
    flat = [flat_record(record) for record in records]
    columns = list(dict.fromkeys(key for record in flat for key in record))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=columns, restval="", lineterminator="\n")
    writer.writerow({column: spreadsheet_cell(column) for column in columns})
    writer.writerows({key: spreadsheet_cell(value) for key, value in record.items()} for record in flat)
    return stream.getvalue()
