"""``nanoslab build nanocrystal``: what it prints, what it writes, and what it refuses."""

import json
from pathlib import Path

import pytest

from nanoslab.cli.main import main
from nanoslab.cli.structures import read_structure


def test_json_has_the_keys_of_the_other_builders(tmp_path: Path, answer) -> None:
    dot = answer("build", "nanocrystal", "CdSe-wurtzite", "--diameter", "1.5")
    sheet = answer("build", "nanosheet", "CdSe-wurtzite", "--face", "11-20", "--monolayers", "3")
    assert set(sheet) <= set(dot)
    assert set(sheet["ledger"]) == set(dot["ledger"])
    assert [dot[key] for key in ("n_planes", "thickness_A", "vacuum_A", "area_A2", "termination")] == [None] * 5
    assert dot["diameter_A"] == pytest.approx(15, abs=0.2)


def test_the_atoms_asked_for_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "dot.xyz"
    command = [
        "build",
        "nanocrystal",
        "CdSe-zincblende",
        "--atoms",
        "Cd=19",
        "Se=13",
        "--centre",
        "Cd",
        "-o",
        str(path),
    ]
    assert main(command) == 0
    assert "formal charge" in capsys.readouterr().out
    assert read_structure(path).get_chemical_formula() == "Cd19Se13"
    assert json.loads((tmp_path / "dot.xyz.json").read_text())["recipe"]["builder"] == "nanocrystal"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--atoms", "Cd"], "an element and a number"),
        (["--units", "9", "--facet", "111"], "a face and a distance"),
        (["--diameter", "-1"], "diameter: expected a length above 0 nm"),
    ],
)
def test_faults_are_one_line(options: list[str], words: str, refused) -> None:
    assert words in refused("build", "nanocrystal", "CdSe-zincblende", *options)
