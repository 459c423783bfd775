"""`nanoslab etch`: composition against dose from the command line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read, write

from nanoslab.beam import displacement_cross_section, dose_for_composition
from nanoslab.cli.main import main


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    atoms = bulk("CdSe", "zincblende", a=6.05, cubic=True).repeat((5, 5, 2))
    atoms.center(vacuum=8, axis=2)
    write(tmp_path / "sheet.extxyz", atoms)
    return tmp_path / "sheet.extxyz"


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["etch", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_composition_follows_the_exponential(capsys: pytest.CaptureFixture[str], sheet: Path) -> None:
    options = ("--kv", "200", "--threshold", "Se=5.12", "Cd=8", "--static", "--dose", "3e5", "--ratio", "Se:Cd=0.8")
    found = document(capsys, str(sheet), *options)
    barn = displacement_cross_section("Se", 200, 5.12)
    assert found["cross_sections_barn"] == pytest.approx({"Cd": 0.0, "Se": barn})
    last = found["rows"][-1]
    n = len(read(sheet)) // 2
    p = np.exp(-barn * 1e-8 * 3e5)
    assert last["atoms"]["Cd"] == n
    assert last["atoms"]["Se"] == pytest.approx(n * p, abs=3 * np.sqrt(n * p * (1 - p) / 20))
    expected = dose_for_composition(0.0, barn, 0.8)
    sigma_dose = np.sqrt(0.8 * 0.2 / n / 20) / (0.8 * barn * 1e-8)
    assert found["dose_at_ratio_e_per_A2"] == pytest.approx(expected, abs=3.5 * sigma_dose)
    assert np.array(found["counts"]["Se"]).shape == (20, len(found["rows"]))


def test_a_dose_is_a_rate_times_a_time(capsys: pytest.CaptureFixture[str], sheet: Path) -> None:
    fixed = ("--kv", "200", "--threshold", "5", "--runs", "2")
    by_dose = document(capsys, str(sheet), *fixed, "--dose", "1e5")
    by_time = document(capsys, str(sheet), *fixed, "--dose-rate", "1e3", "--time", "100")
    assert by_dose == by_time


def test_what_the_first_run_leaves_is_written(capsys: pytest.CaptureFixture[str], sheet: Path, tmp_path: Path) -> None:
    left = tmp_path / "left.extxyz"
    options = ("--kv", "200", "--binding", "7", "--dose", "1e5", "--runs", "1", "-o", str(left))
    last = document(capsys, str(sheet), *options)["rows"][-1]["atoms"]
    atoms = read(left)
    assert {symbol: int((atoms.symbols == symbol).sum()) for symbol in last} == last
    assert 0 < len(atoms) < len(read(sheet))


def test_table_and_unreached_ratio(capsys: pytest.CaptureFixture[str], sheet: Path) -> None:
    options = ("--kv", "80", "--threshold", "9", "--static", "--dose", "1e3", "--ratio", "Se:Cd=0.8")
    assert main(["etch", str(sheet), *options]) == 0
    out = capsys.readouterr().out
    assert "Se:Cd = 0.8 at no dose up to there" in out
    assert "lower bound on damage" in out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ("--kv 200 --threshold 5", "--dose"),
        ("--kv 200 --threshold 5 --dose 1e5 --time 3", "--dose"),
        ("--kv 200 --threshold 5 --dose -1", "--dose"),
        ("--kv 200 --threshold Se=5 --dose 1e5", "an energy for Cd"),
        ("--kv 200 --threshold Te=5 --dose 1e5", "--threshold"),
        ("--kv 200 --dose 1e5", "--threshold"),
        ("--kv 200 --threshold 5 --binding 5 --dose 1e5", "--binding"),
        ("--kv 200000 --threshold 5 --dose 1e5", "did you mean 200 keV"),
        ("--kv 200 --threshold 5 --dose 1e5 --runs 0", "number of runs"),
        ("--kv 200 --threshold 5 --dose 1e5 --ratio Te:Cd=0.8", "--ratio"),
        ("--kv 200 --threshold 5 --dose 1e5 --ratio 0.8", "--ratio"),
        ("--kv 200 --threshold 5 --dose 1e5 --temperature -4", "temperature"),
    ],
)
def test_bad_input_is_one_line(capsys: pytest.CaptureFixture[str], sheet: Path, arguments: str, named: str) -> None:
    try:
        code = main(["etch", str(sheet), *arguments.split()])
    except SystemExit as leaving:  # argparse
        code = leaving.code
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert named in captured.err


def test_a_missing_file_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["etch", "/no/such/POSCAR", "--kv", "200", "--threshold", "5", "--dose", "1e5"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
