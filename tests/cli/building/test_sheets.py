"""`nanoslab build nanosheet` and `build vacancies`: keys others rely on, files that read back, manners."""

import json
from pathlib import Path

import ase.io
import numpy as np
import pytest
from pymatgen.io.vasp import Poscar

from nanoslab.builders import build_nanosheet
from nanoslab.cli.main import main

SHEET = ["build", "nanosheet", "CdSe-wurtzite", "--face", "11-20", "--monolayers", "7"]
KEYS = {"file", "formula", "n_atoms", "n_planes", "thickness_A", "vacuum_A", "area_A2", "termination", "ledger"}


def test_nanosheet_says_what_it_built(tmp_path: Path, answer) -> None:
    path = tmp_path / "POSCAR"
    said = answer(*SHEET, "-o", path)
    assert said["schema"] == 1
    assert set(said) >= KEYS
    assert (said["formula"], said["n_atoms"], said["n_planes"]) == ("Cd14Se14", 28, 7)
    assert said["termination"] == ["CdSe", "CdSe"]
    assert said["vacuum_A"] == pytest.approx(15)
    assert {"counts", "formal_charge", "dipole_eA"} <= set(said["ledger"])
    stored = json.loads((tmp_path / "POSCAR.json").read_text())
    assert stored == said


def test_poscar_reads_back_the_same_in_ase_and_pymatgen(tmp_path: Path, answer) -> None:
    path = tmp_path / "POSCAR"
    answer(*SHEET, "-o", path)
    sheet = build_nanosheet("CdSe-wurtzite", "11-20", 7)
    theirs = ase.io.read(path)
    assert theirs.get_chemical_symbols() == sheet.get_chemical_symbols()
    assert theirs.positions == pytest.approx(sheet.positions, abs=1e-9)
    assert theirs.constraints[0].index.tolist() == sheet.constraints[0].index.tolist()
    poscar = Poscar.from_file(path)
    assert poscar.site_symbols == ["Cd", "Se"]
    frozen = [i for i, flags in enumerate(poscar.selective_dynamics) if not any(flags)]
    assert frozen == sheet.constraints[0].index.tolist()
    assert np.allclose(poscar.structure.cart_coords, sheet.positions)


@pytest.mark.parametrize("name", ["sheet.vasp", "sheet.cif", "sheet.extxyz", "sheet.xyz", "POSCAR_7ML", "CONTCAR"])
def test_format_follows_the_file_name(tmp_path: Path, answer, name: str) -> None:
    path = tmp_path / name
    answer(*SHEET, "-o", path)
    again = ase.io.read(path, format="vasp" if "CAR" in name else None)
    assert again.get_chemical_formula() == "Cd14Se14"
    assert again.cell.cellpar() == pytest.approx(build_nanosheet("CdSe-wurtzite", "11-20", 7).cell.cellpar(), abs=1e-4)


def test_writing_twice_changes_nothing_and_nothing_is_overwritten(tmp_path: Path, answer, refused) -> None:
    path = tmp_path / "POSCAR"
    answer(*SHEET, "-o", path)
    first = path.read_bytes()
    answer(*SHEET, "-o", path)
    assert path.read_bytes() == first
    assert "would be lost" in refused(*SHEET, "--vacuum", 20, "-o", path)
    assert path.read_bytes() == first


def test_termination_repeat_and_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["build", "nanosheet", "CdSe-zincblende", "--face", "001", "--monolayers", "7", "--repeat", "2", "1"]
    assert main([*common, "--termination", "Cd", "Cd", "-o", str(tmp_path / "POSCAR")]) == 0
    out = capsys.readouterr().out
    assert "Cd16Se14" in out
    assert "Cd:Se 16:14 = 1:0.875" in out
    assert "4 e" in out
    assert main(common) == 0
    assert "nothing written" in capsys.readouterr().out


def test_vacancies_are_written_each_in_its_folder(tmp_path: Path, answer) -> None:
    slab, folder = tmp_path / "POSCAR", tmp_path / "vacancies"
    answer(*SHEET, "-o", slab)
    said = answer("build", "vacancies", slab, "--species", "Se", "--count", 1, "-o", folder)
    assert (said["n_distinct"], said["n_total"]) == (4, 14)
    assert [entry["degeneracy"] for entry in said["structures"]] == [4, 4, 4, 2]
    parent = ase.io.read(slab)
    for entry in said["structures"]:
        assert set(entry) >= KEYS | {"degeneracy", "removed_indices", "label"}
        atoms = ase.io.read(entry["file"])
        kept = [i for i in range(28) if i not in entry["removed_indices"]]
        assert atoms.positions == pytest.approx(parent.positions[kept], abs=1e-9)
    assert json.loads((folder / "vacancies.json").read_text()) == said
    again = answer("build", "vacancies", slab, "--species", "Se", "--count", 1, "-o", folder)
    assert again == said


def test_whole_layers_and_counts(tmp_path: Path, answer) -> None:
    slab = tmp_path / "sheet.extxyz"
    answer(*SHEET, "-o", slab)
    options = ("--species", "Se", "--count", "layer", "--region", "both", "-o", tmp_path / "v")
    both = answer("build", "vacancies", slab, *options)
    assert [entry["formula"] for entry in both["structures"]] == ["Cd14Se10"]
    before = sorted(tmp_path.rglob("*"))
    count = answer("build", "vacancies", slab, "--species", "Se", "--count", 7, "--count-only")
    assert count["n_total"] == 3432
    assert count["n_distinct"] < 3432
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["CdSe", "--face", "001", "--monolayers", "7"], "did you mean CdSe-wurtzite or CdSe-zincblende"),
        (["CdSe-wurtzite", "--face", "11-20", "--monolayers", "0"], "at least 1, got 0"),
        (["CdSe-wurtzite", "--face", "11-20", "--monolayers", "x"], "--monolayers"),
        (["CdSe-wurtzite", "--face", "11-20", "--monolayers", "7", "--vacuum", "-3"], "vacuum"),
        (["CdSe-wurtzite", "--face", "12-20", "--monolayers", "7"], "h + k + i = 0"),
        (["CdSe-wurtzite", "--face", "11-20", "--monolayers", "7", "--termination", "Cd", "Cd"], "CdSe/CdSe"),
        (["CdSe-wurtzite", "--face", "11-20", "--monolayers", "7", "-o", "sheet.foo"], "the format follows the name"),
    ],
)
def test_bad_sheets_end_in_one_line(refused, arguments: list[str], words: str) -> None:
    assert words in refused("build", "nanosheet", *arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--species", "Te", "-o", "v"], "did you mean Se"),
        (["--species", "Se"], "--output"),
        (["--species", "Se", "--count", "two", "-o", "v"], "'layer'"),
        (["--species", "Se", "--count", "99", "-o", "v"], "at most 14"),
        (["--species", "Se", "--region", "botom", "-o", "v"], "did you mean bottom"),
    ],
)
def test_bad_vacancies_end_in_one_line(tmp_path: Path, answer, refused, arguments: list[str], words: str) -> None:
    slab = tmp_path / "POSCAR"
    answer(*SHEET, "-o", slab)
    assert words in refused("build", "vacancies", slab, *arguments)


def test_missing_and_broken_slabs_are_named(tmp_path: Path, refused) -> None:
    assert "no such file" in refused("build", "vacancies", tmp_path / "POSCAR", "--species", "Se", "-o", "v")
    broken = tmp_path / "slab.cif"
    broken.write_text("data_\n_cell_length_a nonsense\n")
    assert "slab.cif" in refused("build", "vacancies", broken, "--species", "Se", "-o", "v")


def test_a_cif_says_that_it_forgets_the_frozen_atoms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SHEET, "-o", str(tmp_path / "sheet.cif")]) == 0
    assert "cannot say which atoms are frozen" in capsys.readouterr().out
    assert main([*SHEET, "--fix", "none", "-o", str(tmp_path / "free.cif")]) == 0
    assert "frozen: " not in capsys.readouterr().out


@pytest.mark.parametrize("tolerance", ["-1", "nan", "0", "5", "inf"])
def test_a_tolerance_that_is_no_small_length_is_refused(tmp_path: Path, answer, refused, tolerance: str) -> None:
    answer(*SHEET, "-o", tmp_path / "POSCAR")
    command = ("build", "vacancies", tmp_path / "POSCAR", "--species", "Se", "--count-only", f"--tolerance={tolerance}")
    assert "tolerance: expected a distance above 0 and at most 0.3 Å" in refused(*command)


def test_a_relaxed_sheet_is_told_of_the_tolerance_it_needs(tmp_path: Path, answer) -> None:
    sheet = build_nanosheet("CdSe-wurtzite", "11-20", 7)
    sheet.set_constraint()
    sheet.positions += np.random.default_rng(5).normal(scale=2e-3, size=sheet.positions.shape)
    sheet.write(tmp_path / "CONTCAR", format="vasp")
    command = ("build", "vacancies", tmp_path / "CONTCAR", "--species", "Se", "--count-only")
    said = answer(*command)
    assert (said["n_distinct"], said["notes"]) == (
        14,
        ["only 4 distinct at a tolerance of 0.05 Å: a relaxed sheet may want --tolerance"],
    )
    said = answer(*command, "--tolerance", "0.05")
    assert (said["n_distinct"], said["notes"]) == (4, [])


def test_charges_are_those_of_the_sheet_that_lost_the_atoms(tmp_path: Path, answer, refused) -> None:
    answer(*SHEET, "-o", tmp_path / "POSCAR")
    command = ("build", "vacancies", tmp_path / "POSCAR", "--species", "Cd", "--count", "14", "-o", tmp_path / "v")
    (built,) = answer(*command)["structures"]
    assert (built["formula"], built["ledger"]["formal_charge"]) == ("Se14", -28)
    assert "without folders" in refused(*command, "--file-name", "../POSCAR")


def test_a_sheet_that_would_freeze_whole_is_left_free_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["build", "nanosheet", "CdSe-wurtzite", "--face", "11-20", "--monolayers", "1", "--json"]
    assert main(command) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["frozen_atoms"] == 0
    assert told.err == "note: no atom is frozen, for --fix middle would freeze the whole sheet\n"
    assert main([*command, "--fix", "none"]) == 0
    assert not capsys.readouterr().err
