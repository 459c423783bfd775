"""The command: one row per run, tidy, and exit codes that scripts can rely on."""

import csv
import json
from pathlib import Path

import ase.io
import pytest
import vasp_writers as writers

from nanoslab.cli.main import main


@pytest.fixture
def campaign(tmp_path):
    good = writers.Run(steps=(writers.shifted(-20.0), writers.Step()))
    bad = writers.Run(steps=(writers.shifted(-19.0, n=60, last_change=0.1),))
    for name, run in (("good", good), ("bad", bad)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vasprun.xml").write_bytes(writers.vasprun(run))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "OUTCAR").write_bytes(b"nothing")
    (tmp_path / "deck").mkdir()
    (tmp_path / "deck" / "INCAR").write_text("NSW = 0\n")
    (tmp_path / "deck" / "POSCAR").write_text(writers.poscar(good))
    return tmp_path


def test_one_row_per_run_and_counts_at_the_end(campaign, capsys):
    assert main(["read", str(campaign)]) == 0
    out = capsys.readouterr().out
    assert str(campaign / "good") in out  # nothing is cut where the output goes into a file or a pipe
    assert [line.split()[0].rsplit("/", 1)[-1] for line in out.splitlines()[2:6]] == ["bad", "broken", "deck", "good"]
    assert "-20.60000" in out
    assert "  - electrons not converged in ionic step 1 of 1" in out
    assert out.splitlines()[-4:] == [
        "     1  electrons not converged", "     1  unreadable", "     1  not run", "     1  ok",
    ]  # fmt: skip


def test_json_is_one_document(campaign, answer):
    document = answer("read", campaign)
    assert document["schema"] == 1
    rows = {Path(row["path"]).name: row for row in document["runs"]}
    assert set(rows) == {"good", "bad", "broken", "deck"}
    assert rows["good"]["converged"] is True
    assert rows["bad"]["electronic_converged"] is False
    assert rows["broken"]["energy_eV"] is None
    assert rows["broken"]["problems"]


def test_csv_has_every_run_and_all_keys(campaign, capsys):
    target = campaign / "runs.csv"
    assert main(["read", str(campaign), "--csv", str(target)]) == 0
    with target.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 4
    assert {"path", "energy_eV", "problems", "sources"} <= set(rows[0])


def test_extxyz_has_every_ionic_step(campaign, capsys):
    target = campaign / "steps.xyz"
    assert main(["read", str(campaign / "good"), str(campaign / "broken"), "--extxyz", str(target)]) == 0
    images = ase.io.read(target, index=":", format="extxyz")
    assert [image.get_potential_energy() for image in images] == [-20.1, writers.Step().energy]
    assert "not in" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["nothing"], ["empty"], ["deck"]])
def test_nothing_to_read_is_one_line_and_exit_code_2(campaign, refused, arguments):
    (campaign / "empty").mkdir()
    assert refused("read", campaign / arguments[0]).startswith("nanoslab: ")


def test_jobs_must_be_positive(campaign, refused):
    assert "--jobs" in refused("read", campaign, "--jobs", "0")


def test_on_a_terminal_no_row_is_wider_than_it(campaign, capsys, monkeypatch):
    monkeypatch.setattr("nanoslab.cli.output.width", lambda: 80)
    assert main(["read", str(campaign)]) == 0
    table = capsys.readouterr().out.split("\n\n")[0]
    assert all(len(line) <= 80 for line in table.splitlines())


def test_a_stray_file_is_a_row_and_ends_nothing(campaign, capsys):
    stray = campaign / "notes.txt"
    stray.write_text("remember the milk\n")
    (campaign / "gone").symlink_to("nowhere")
    assert main(["read", *sorted(map(str, campaign.iterdir())), "--json"]) == 0
    rows = {Path(row["path"]).name: row for row in json.loads(capsys.readouterr().out)["runs"]}
    assert set(rows) == {"good", "bad", "broken", "deck", "gone", "notes.txt"}
    assert "something else" in rows["notes.txt"]["problems"][0]
    assert rows["good"]["converged"] is True
    assert main(["read", str(stray)]) == 2
    assert "something else" in capsys.readouterr().err


def test_hostile_names_neither_drive_the_terminal_nor_a_spreadsheet(campaign, capsys, monkeypatch):
    folder = campaign / "=cmd|calc\x1b[31m\u202e"
    folder.mkdir()
    (folder / "OUTCAR").write_bytes(b"nothing")
    (campaign / "good").rename(campaign / "-2+3 good")
    target = campaign / "runs.csv"
    assert main(["read", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["path"] == str(folder)
    monkeypatch.chdir(campaign)
    assert main(["read", ".", folder.name, "--csv", str(target)]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out
    with target.open(newline="") as stream:
        assert [row["path"][:2] for row in csv.DictReader(stream)][-1] == "'="
