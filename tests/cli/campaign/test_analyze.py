"""The command on a campaign whose runs are files of an engine with a closed form."""

from __future__ import annotations

import json
from pathlib import Path

import ase.io
import pytest

from nanoslab.campaign import write_campaign
from nanoslab.cli.main import main
from nanoslab.studies.study_file import load_study

STUDY = """\
study: cdse-nanosheet
title: one sheet
sheets:
  - {phase: zinc blende, crystal: CdSe-zincblende, face: "001", monolayers: 3, termination: [Cd, Se], fix: none,
     kpoints: [4, 4, 1]}
series:
  - {name: surface, remove: Se, region: top, counts: [1]}
references:
  elements: {Cd: Cd-hcp, Se: Se-trigonal}
  bulk: false
"""


def run_closed_form(folder: Path, *, unconverged: str = "") -> None:
    """Leave what an engine leaves: -3 eV for each atom, 2 eV more for each that is lost."""
    from nanoslab.campaign import load_campaign

    for calculation in load_campaign(folder).calculations:
        place = folder / calculation.name / "closed"
        place.mkdir()
        lost = len(calculation.removed_indices)
        energy = {"element": -1.0, "atom": -0.5}.get(calculation.role.kind, -3.0) * len(calculation.atoms) + 2.0 * lost
        ase.io.write(place / "final.extxyz", calculation.atoms)
        bad = calculation.name == unconverged
        record = {
            "schema": 1,
            "name": calculation.name,
            "engine": "closed",
            "level_of_theory": "closed form",
            "energy_eV": energy,
            "max_free_force_eV_per_A": 0.001,
            "converged": not bad,
            "problems": ["forces too large"] if bad else [],
            "skipped": None,
            "comparable": {"code": "closed"},
            "versions": {"closed": "1"},
            "wall_time_s": 1.5,
            "finished": True,
        }
        (place / "result.json").write_text(json.dumps(record))


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    study = tmp_path / "study.yaml"
    study.write_text(STUDY)
    write_campaign(study, load_study(study).calculations(), tmp_path / "campaign")
    return tmp_path / "campaign"


def test_tables_files_plots_and_page(campaign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_closed_form(campaign)
    assert main(["analyze", str(campaign), "--views", "--plots", "png"]) == 0
    said = capsys.readouterr().out
    assert "Vacancies" in said
    assert f"open {campaign / 'report.html'} in a browser" in said
    results = campaign / "results" / "closed"
    document = json.loads((results / "results.json").read_text())
    # E_f with the free atom: 2 eV for the loss, 3 eV for the sheet's bonds, less 0.5 eV that the atom has anyway
    assert document["vacancies"][0]["formation_energy_eV"]["atom"] == pytest.approx(4.5)
    assert (results / "plots" / "energy_per_atom.png").read_bytes().startswith(b"\x89PNG")
    assert (results / "structures" / "zincblende-pristine.png").is_file()
    page = (campaign / "report.html").read_text()
    assert "closed form" in page
    assert "closed 1, nanoslab" in page


def test_the_page_is_the_same_each_time(campaign: Path) -> None:
    run_closed_form(campaign)
    command = ["analyze", str(campaign), "--plots", "none"]
    assert main(command) == 0
    first = (campaign / "report.html").read_bytes()
    assert main(command) == 0
    assert (campaign / "report.html").read_bytes() == first
    assert not (campaign / "results" / "closed" / "plots").exists()


def test_nothing_is_written_when_asked_so(campaign: Path, answer) -> None:
    run_closed_form(campaign)
    document = answer("analyze", campaign, "--no-files")
    assert document["schema"] == 1
    assert document["files"] == []
    assert not (campaign / "results").exists()
    assert not (campaign / "report.html").exists()


def test_a_refused_run_is_an_error_after_everything_was_said(
    campaign: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_closed_form(campaign, unconverged="zincblende-v_Se-surface-1")
    assert main(["analyze", str(campaign), "--plots", "none"]) == 2
    assert "forces too large" in capsys.readouterr().err
    page = (campaign / "report.html").read_text()
    assert "Not every run is used: 1 refused" in page


def test_before_any_run_the_advice_is_to_run(campaign: Path, refused) -> None:
    assert "nanoslab run" in refused("analyze", campaign)


def test_views_without_a_format_are_refused(campaign: Path, refused) -> None:
    assert "--plots pdf" in refused("analyze", campaign, "--views", "--plots", "none")
