"""The neck study through the commands: run, resume, screen, write, analyze."""

import json
import shutil
from pathlib import Path

import pytest

from nanoslab.cli.main import main

BONDS = Path(__file__).parents[2] / "studies"
ENGINE = "bond_model:BondModel"
FILE = """\
study: pbse-neck
title: bonds
relax: none
crystal: PbSe-rocksalt
planes: 1
pairs: [1, 2, 3, 4, 6, 9]
compare: {source: Wang 2020, critical_pairs: 9}
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(BONDS))
    monkeypatch.setenv("NANOSLAB_TRUSTED_ENGINES", ENGINE)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "study.yaml"
    path.write_text(FILE)
    return path


def analyzed(folder, capsys):
    capsys.readouterr()
    assert main(["analyze", folder, "--no-files", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_campaign_runs_and_resumes_to_the_same_answer(file, capsys):
    assert main(["write", str(file), "study"]) == 0
    command = ["run", "study", "--engine", ENGINE, "--jobs", "1", "--quiet"]
    assert main(command) == 0
    first = analyzed("study", capsys)
    assert {neck["n_pairs"]: neck["delta_energy_eV"] for neck in first["necks"]} == {1: 3, 2: 4, 3: 5, 4: 4, 6: 4, 9: 3}
    assert first["critical_pairs"] == pytest.approx(4.0)
    assert first["critical_pairs_interval"] == [3.0, 7.0]
    assert first["level_of_theory"] == ENGINE
    finished = sorted(Path("study").glob("*/*/result.json"))
    assert len(finished) == 8
    times = [path.stat().st_mtime_ns for path in finished[1:]]
    shutil.rmtree(finished[0].parent)  # as if nobody had begun it
    assert main(command) == 0
    assert analyzed("study", capsys)["necks"] == first["necks"]
    assert [path.stat().st_mtime_ns for path in finished[1:]] == times


def test_a_study_edited_after_the_run_is_told_and_the_user_chooses(file, capsys, refused):
    command = ["run", "study", "--engine", ENGINE, "--jobs", "1", "--quiet"]
    assert main(["write", str(file), "study"]) == 0
    assert main(command) == 0
    first = analyzed("study", capsys)
    copy = Path("study/study.yaml")
    copy.write_text(FILE.replace("planes: 1", "lattice: experimental\nplanes: 1"))
    Path("cluster.yaml").write_text("backend: local\nvasp: {std: vasp_std}\n")
    for words in (["analyze", "study"], command, ["submit", "study", "--cluster", "cluster.yaml"]):
        assert "other values of lattice; write it again with 'nanoslab write study/study.yaml study'" in refused(*words)
    # written again, the results would be those of another lattice
    assert "differs in structure" in refused("write", copy, "study")
    # another paper to compare with changes no calculation: nothing is to be written again
    copy.write_text("# mine\n" + FILE.replace("Wang 2020, critical_pairs: 9", "ours, critical_pairs: 7"))
    again = analyzed("study", capsys)
    assert again["necks"] == first["necks"]
    assert again != first


@pytest.mark.slow
def test_a_study_file_runs_to_its_page(file, capsys):
    assert main(["run", str(file), "--engine", ENGINE, "--jobs", "1", "--quiet"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "critical size 4.0 pairs" in printed
    assert "Wang 2020: critical size 9 pairs" in printed
    assert f"Level of theory: {ENGINE}" in printed
    assert list(Path("study").rglob("*.html"))
    assert not [path for name in ("INCAR", "POSCAR", "vasp.json") for path in Path("study").rglob(name)]


def test_a_screen_comes_before_the_decks(file, capsys):
    file.write_text(FILE + f"screen: {{engine: '{ENGINE}', shapes: 3, keep: 2}}\n")
    assert main(["write", str(file), "campaign", "--json"]) == 0
    captured = capsys.readouterr()
    written = json.loads(captured.out)
    assert "study.screened.yaml" in captured.err
    names = [deck["name"] for deck in written["decks"]]
    assert len(names) == 2 + 1 + 1 + 2 + 2 + 2 + 2
    record = json.loads(Path("campaign/neck-09-7.7.7/calculation.json").read_text())
    assert record["role"]["screening_energy_eV"] == 3.0
    assert "screened:" in Path("campaign/study.yaml").read_text()
    assert main(["write", "study.screened.yaml", "campaign", "--json"]) == 0
    assert {deck["change"] for deck in json.loads(capsys.readouterr().out)["decks"]} == {"unchanged"}


def test_a_screened_study_runs_with_another_engine(file, capsys):
    file.write_text(FILE + f"screen: {{engine: '{ENGINE}', shapes: 2, keep: 1}}\n")
    assert main(["write", str(file), "campaign"]) == 0
    assert main(["run", "campaign", "--engine", f"{ENGINE}:strength=0.5", "--jobs", "1", "--quiet"]) == 0
    document = analyzed("campaign", capsys)
    for shape in document["shapes"]:
        assert shape["delta_energy_eV"] == pytest.approx(0.5 * shape["screening_delta_energy_eV"])
    assert document["screen"].startswith("10 shapes screened")
