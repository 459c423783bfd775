"""Results as files and in a notebook: what is written reads back, and nothing is lost on the way."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest
from study_runs import runs_of

from nanoslab.errors import FileError, InputError
from nanoslab.report.files import write_plots, write_results, write_views
from nanoslab.report.page_content import PageContent
from nanoslab.report.plots import plots_of
from nanoslab.studies.study_file import load_study
from nanoslab.studies.vacancies.result import VacancyStudyResult


@pytest.fixture(scope="module")
def result(study_files: dict[str, str], closed_form, tmp_path_factory: pytest.TempPathFactory) -> VacancyStudyResult:
    file = tmp_path_factory.mktemp("study") / "study.yaml"
    file.write_text(study_files["vacancy"])
    study = load_study(file)
    made = study.analyze(runs_of(study.calculations(), closed_form(study.calculations())))
    assert isinstance(made, VacancyStudyResult)
    return made


def test_results_read_back_as_they_were(result: VacancyStudyResult, tmp_path: Path) -> None:
    write_results(tmp_path, result)
    document = json.loads((tmp_path / "results.json").read_text())
    assert document == {"schema": 1, **json.loads(json.dumps(result.to_dict()))}
    # by their text: a gap in a line is a NaN, which equals nothing
    assert repr(plots_of(document)) == repr(plots_of(result.to_dict()))


def test_csv_and_data_frame_hold_every_row_and_number(result: VacancyStudyResult, tmp_path: Path) -> None:
    write_results(tmp_path, result)
    rows = list(csv.DictReader((tmp_path / "vacancies.csv").read_text().splitlines()))
    frame = result.to_dataframe()
    assert len(rows) == len(frame) == len(result.vacancies)
    assert list(rows[0]) == list(frame.columns)
    for row, vacancy, energy in zip(rows, result.vacancies, frame["formation_energy_eV.atom"], strict=True):
        assert float(row["formation_energy_eV.atom"]) == vacancy.energy.formation_energies["atom"] == energy
    assert len(result.to_dataframe("sheets")) == 2


def test_unknown_records_are_refused_with_those_there_are(result: VacancyStudyResult) -> None:
    with pytest.raises(InputError, match="vacancies"):
        result.to_dataframe("vacancy")


def test_a_notebook_shows_every_table(result: VacancyStudyResult) -> None:
    shown = result._repr_html_()
    for table in result.tables():
        assert f"<caption>{table.title}</caption>" in shown
    assert shown.count("<tr>") == sum(1 + len(table.rows) for table in result.tables())


def test_plots_and_views_are_written_the_same_each_time(contents: dict[str, PageContent], tmp_path: Path) -> None:
    content = contents["neck"]
    first = [path.read_bytes() for path in write_plots(tmp_path, content.plots, "svg")]
    assert [path.read_bytes() for path in write_plots(tmp_path, content.plots, "svg")] == first
    views = write_views(tmp_path / "views", content.scenes[:2], "pdf")
    assert all(path.read_bytes().startswith(b"%PDF") for path in views)


def test_a_format_that_nobody_knows_is_refused(contents: dict[str, PageContent], tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"\.pdf"):
        write_plots(tmp_path, contents["gap"].plots, "docx")


def test_no_number_of_a_plot_is_invented(contents: dict[str, PageContent]) -> None:
    for content in contents.values():
        for plot in content.plots:
            assert plot.reading
            assert plot.level_of_theory == "closed form"
            assert all(math.isfinite(value) for series in plot.series for value in series.x)
