"""``nanoslab build sandwich`` as a user meets it."""

import pytest
from ase.io import read

from nanoslab.cli.main import main


def test_one_fragment_in_a_gap(answer, tmp_path):
    target = tmp_path / "POSCAR"
    arguments = ["build", "sandwich", "PbSe-rocksalt", "--ligand", "oleic-fragment", "--gap", "6.0", "--planes", "2"]
    said = answer(*arguments, "-o", target)
    assert (said["schema"], said["gap_A"], said["n_ligands"]) == (1, 6.0, 1)
    assert said["ledger"]["formal_charge"] == 0
    atoms = read(target, format="vasp")
    assert atoms[said["ligand_indices"][0]].get_chemical_formula(mode="hill") == "C10H18O2"


def test_a_scan_writes_a_folder_per_gap(answer, tmp_path):
    arguments = [
        "build",
        "sandwich",
        "PbSe-rocksalt",
        "--ligand",
        "formic-acid",
        "--planes",
        "1",
        "--lateral",
        "4",
        "4",
    ]
    said = answer(*arguments, "--gap-scan", "5", "6", "-o", tmp_path)
    assert [entry["gap_A"] for entry in said["structures"]] == [5.0, 6.0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gap-5.00", "gap-6.00"]


def test_one_slab_with_ligands(capsys, answer):
    arguments = ["build", "sandwich", "PbSe-rocksalt", "--ligand", "acetic-acid", "--planes", "2", "--one-slab"]
    said = answer(*arguments, "--coverage", "0.6")
    assert (said["gap_A"], said["n_ligands"], said["n_planes"]) == (None, 2, 2)
    assert main([*arguments, "--gap", "6"]) == 2
    assert "--gap: expected nothing beside --one-slab" in capsys.readouterr().err
    assert main(arguments) == 0
    assert "none, one slab" in capsys.readouterr().out


def test_the_table_names_ligand_and_charge(capsys):
    arguments = ["build", "sandwich", "PbSe-rocksalt", "--ligand", "oleate", "--gap", "18", "--planes", "1"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "-1 e each" in printed
    assert "oleate, chelating: 1 lower (0.29 per nm²)" in printed


@pytest.mark.parametrize(
    "arguments",
    [
        ["--ligand", "oleicacid", "--gap", "6"],
        ["--ligand", "oleic-fragment", "--gap", "1"],
        ["--ligand", "oleic-fragment", "--gap", "3.3"],
        ["--ligand", "formic-acid", "--gap-scan", "5", "5", "-o", "x"],
        ["--ligand", "formic-acid", "--gap-scan", "5", "6"],
        ["--ligand", "formic-acid", "--gap-scan", "5", "6", "--gap", "5", "-o", "x"],
        ["--ligand", "formic-acid", "--lateral", "5", "5"],
    ],
)
def test_bad_input_is_one_line_and_two(refused, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    refused("build", "sandwich", "PbSe-rocksalt", "--planes", "1", *arguments)
    assert list(tmp_path.iterdir()) == []
