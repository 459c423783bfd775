"""``nanoslab build neck`` as a user meets it."""

import json

import numpy as np
import pytest
from ase.io import read

from nanoslab.cli.main import main


def document(capsys, *arguments):
    assert main(["build", "neck", "PbSe-rocksalt", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_nine_pairs_as_the_issue_counts_them(capsys, tmp_path):
    target = tmp_path / "POSCAR"
    said = document(
        capsys, "--lateral", "6", "6", "--planes", "4", "--gap-planes", "2", "--pairs", "9", "-o", str(target)
    )
    assert (said["schema"], said["n_pairs"], said["n_columns"]) == (1, 9, 9)
    assert said["ledger"]["formal_charge"] == 0
    assert said["ledger"]["counts"] == {"Pb": 153, "Se": 153}
    assert round(said["width_nm"], 1) == 0.9
    atoms = read(target, format="vasp")
    neck = atoms[said["neck_indices"]]
    assert sorted(neck.get_chemical_symbols()) == ["Pb"] * 9 + ["Se"] * 9
    assert np.ptp(neck.positions[:, 2]) == pytest.approx(said["gap_A"] / 2)
    assert json.loads((tmp_path / "POSCAR.json").read_text())["recipe"]["builder"] == "neck"


def test_no_pairs_is_the_double_slab(capsys):
    said = document(capsys, "--pairs", "0", "--gap", "6.0", "--planes", "2")
    assert said["n_atoms"] == 144
    assert said["gap_A"] == 6.0
    assert said["facing_distance_A"] == pytest.approx(6.0 + 6.2086 / 2)
    assert said["n_planes"] == 4


def test_all_distinct_shapes_get_a_folder_each(capsys, tmp_path):
    said = document(
        capsys, "--pairs", "4", "--planes", "1", "--lateral", "6", "6", "--all-distinct", "-o", str(tmp_path / "all")
    )
    listed = json.loads((tmp_path / "all" / "necks.json").read_text())["structures"]
    assert len(said["structures"]) == 5
    assert listed == said["structures"]
    assert [entry["perimeter"] for entry in listed] == [8, 10, 10, 10, 10]
    assert sum(entry["degeneracy"] for entry in listed) == 19
    for entry in listed:
        assert len(read(entry["file"], format="vasp")) == 72 + 8


def test_most_compact_and_counts(capsys, tmp_path):
    said = document(capsys, "--pairs", "9", "--planes", "1", "--most-compact", "2", "-o", str(tmp_path))
    assert [entry["perimeter"] for entry in said["structures"]] == [12, 14]
    said = document(capsys, "--pairs", "7", "--count-only")
    assert (said["n_distinct"], said["n_fitting"]) == (108, 66)


def test_a_filament_does_not_bridge(capsys):
    said = document(capsys, "--pairs", "1", "--planes", "2", "--gap-planes", "4", "--filament-planes", "2")
    assert (said["n_pairs"], said["n_columns"], said["n_planes"]) == (1, 1, 6)


def test_the_table_names_gap_and_neck(capsys):
    assert main(["build", "neck", "CdSe-zincblende", "--pairs", "2", "--planes", "2"]) == 0
    printed = capsys.readouterr().out
    assert "2 pairs in 2 columns" in printed
    assert "nothing written" in printed


@pytest.mark.parametrize(
    "arguments",
    [
        ["--lateral", "5", "6"],
        ["--pairs", "25"],
        ["--gap", "1.5"],
        ["--pairs", "5", "--all-distinct", "-o", "x"],
        ["--pairs", "5", "--all-distinct"],
        ["--pairs", "5", "--most-compact", "0", "-o", "x"],
        ["--pairs", "30", "--lateral", "4", "4", "--most-compact", "1", "-o", "x"],
        ["--columns", "0,0", "1,1"],
        ["--columns", "0,0", "--all-distinct", "-o", "x"],
        ["--filament-planes", "9", "--pairs", "1"],
        ["--lattice-constant", "0"],
        ["--lattice", "lda"],
    ],
)
def test_bad_input_is_one_line_and_two(refused, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    refused("build", "neck", "PbSe-rocksalt", *arguments)
    assert list(tmp_path.iterdir()) == []


def test_columns_that_are_no_numbers_are_a_usage_error(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["build", "neck", "PbSe-rocksalt", "--columns", "a"])
    assert caught.value.code == 2
    assert "I,J" in capsys.readouterr().err
