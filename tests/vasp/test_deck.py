"""Decks: complete, the same when written twice, and never over results or edits."""

import hashlib
import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.constraints import FixAtoms, FixScaled
from potcar_writer import fake_potcar, write_library

from nanoslab.calculation import Calculation, Role
from nanoslab.errors import FileError, InputError
from nanoslab.presets import preset
from nanoslab.vasp.inputs.deck import write_deck
from nanoslab.vasp.inputs.potcar import PotcarLibrary
from nanoslab.vasp.poscar import read_poscar

INPUTS = ("INCAR", "KPOINTS", "POSCAR", "POTCAR", "vasp.json")


pytestmark = pytest.mark.usefixtures("no_potcar_library")


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return write_library(tmp_path / "library")


@pytest.fixture
def sheet() -> Calculation:
    """Ungrouped on purpose, with whole and partial constraints, moments and a recipe."""
    atoms = Atoms(
        "SeCdSeCd",
        positions=[[0.1, 0.2, 8], [2, 2, 9.7], [2.1, 0, 11.3], [0, 2, 13]],
        cell=[[4.1, 0, 0], [-0.7, 4.3, 0], [0, 0, 25]],
        pbc=True,
        magmoms=[0.5, 0.0, -0.5, 0.0],
        constraint=[FixAtoms([1]), FixScaled([2], mask=(False, False, True))],
        info={"recipe": {"builder": "test", "parameters": {"monolayers": 2, "face": [1, 1, -2, 0]}}},
    )
    settings = replace(preset("ma2023-wurtzite"), spin_polarized=True, extra={"NCORE": 4})
    tags = {"phase": "wurtzite", "counts": {"Se": 2}}
    return Calculation(
        name="sheet",
        role=Role(kind="pristine", **tags),
        atoms=atoms,
        settings=settings,
    )


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir() if path.is_file()}


def test_a_deck_is_complete_and_in_one_order(sheet: Calculation, tmp_path: Path, library: Path) -> None:
    deck = write_deck(sheet, tmp_path / "deck", library)
    folder = tmp_path / "deck"
    assert sorted(path.name for path in folder.iterdir()) == sorted(INPUTS)
    assert (folder / "POSCAR").read_text().splitlines()[5:7] == ["Se  Cd", "2  2"]
    assert (folder / "POTCAR").read_text() == "".join(fake_potcar(f"PAW_PBE {e} 06Sep2000") for e in ("Se", "Cd"))
    assert "MAGMOM = 0.5 -0.5 2*0\n" in (folder / "INCAR").read_text()
    assert deck.has_potcar
    assert deck.potentials == ("PAW_PBE Se 06Sep2000", "PAW_PBE Cd 06Sep2000")


def test_what_vasp_cannot_be_asked_for_is_refused(sheet: Calculation, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"sheet: procedure: .* got kick; compute it with 'nanoslab run --engine'"):
        write_deck(replace(sheet, procedure="kick", parameters={"atom": 3}), tmp_path)


def test_the_input_set_is_that_of_the_calculation(sheet: Calculation, tmp_path: Path, library: Path) -> None:
    before = pickle.dumps(sheet)
    write_deck(sheet, tmp_path / "deck", library)
    back = read_poscar(tmp_path / "deck" / "POSCAR")[np.argsort([0, 2, 1, 3])]
    assert back.get_chemical_symbols() == ["Se", "Cd", "Se", "Cd"]
    assert np.array_equal(back.positions, sheet.atoms.positions)
    assert np.array_equal(back.cell, sheet.atoms.cell)
    assert repr(back.constraints) == repr(sheet.atoms.constraints)
    assert pickle.dumps(sheet) == before


def test_writing_twice_changes_nothing(sheet: Calculation, tmp_path: Path, library: Path) -> None:
    assert write_deck(sheet, tmp_path / "deck", library).change == "new"
    before = snapshot(tmp_path / "deck")
    assert write_deck(sheet, tmp_path / "deck", library).change == "unchanged"
    assert snapshot(tmp_path / "deck") == before


def test_the_manifest_holds_hashes_and_nothing_licensed(sheet: Calculation, tmp_path: Path, library: Path) -> None:
    deck = write_deck(sheet, tmp_path / "deck", library)
    text = (tmp_path / "deck" / "vasp.json").read_text()
    document = json.loads(text)
    for name, digest in document["inputs"].items():
        assert hashlib.sha256((tmp_path / "deck" / name).read_bytes()).hexdigest() == digest
    assert set(document["inputs"]) == {"INCAR", "KPOINTS", "POSCAR", "POTCAR"}
    assert [record["title"] for record in document["potcars"]] == list(deck.potentials)
    assert set(document["versions"]) == {"nanoslab", "pymatgen"}
    assert "SECRET" not in text + repr(deck)
    assert str(library) not in text


def test_without_a_library_the_datasets_are_named(sheet: Calculation, tmp_path: Path) -> None:
    lead = replace(sheet, atoms=Atoms("PbSe", positions=[[0, 0, 0], [3, 0, 0]], cell=[6, 6, 6], pbc=True))
    deck = write_deck(lead, tmp_path / "deck")
    assert (tmp_path / "deck" / "POTCAR.spec").read_text() == "Pb_d\nSe\n"
    assert not deck.has_potcar
    own = PotcarLibrary(roots=(), datasets={"Pb": "Pb"})
    assert write_deck(lead, tmp_path / "own", own).potentials == ("Pb", "Se")


def test_a_library_replaces_the_spec_and_its_absence_keeps_the_potcar(
    sheet: Calculation, tmp_path: Path, library: Path
) -> None:
    folder = tmp_path / "deck"
    write_deck(sheet, folder)
    assert write_deck(sheet, folder, library).change == "replaced"
    assert not (folder / "POTCAR.spec").exists()
    before = snapshot(folder)
    assert write_deck(sheet, folder).change == "unchanged"  # on a laptop without the library
    assert snapshot(folder) == before


def test_a_changed_calculation_replaces_an_untouched_deck(sheet: Calculation, tmp_path: Path, library: Path) -> None:
    folder = tmp_path / "deck"
    write_deck(sheet, folder, library)
    before = snapshot(folder)
    changed = replace(sheet, settings=replace(sheet.settings, cutoff_energy=500.0))
    assert write_deck(changed, folder, library).change == "replaced"
    after = snapshot(folder)
    assert {name for name in INPUTS if before[name] != after[name]} == {"INCAR", "vasp.json"}


@pytest.mark.parametrize(
    "result",
    ["OUTCAR", "OUTCAR.gz", "vasprun.xml", "OSZICAR", "CONTCAR", "WAVECAR", "OUTCAR.relax1"],
)
def test_a_folder_with_results_is_never_overwritten(
    sheet: Calculation, tmp_path: Path, library: Path, result: str
) -> None:
    folder = tmp_path / "deck"
    write_deck(sheet, folder, library)
    (folder / result).write_text("precious")
    before = snapshot(folder)
    moved = sheet.atoms.copy()
    moved.positions[0, 0] += 0.1
    with pytest.raises(FileError, match=r"no results, for VASP's input files would change \(POSCAR\)"):
        write_deck(replace(sheet, atoms=moved), folder, library)
    assert write_deck(sheet, folder, library).change == "unchanged"
    assert snapshot(folder) == before


def test_an_engines_result_lets_the_potcar_come_later(sheet: Calculation, tmp_path: Path, library: Path) -> None:
    write_deck(sheet, tmp_path / "deck")
    (tmp_path / "deck" / "chgnet").mkdir()
    (tmp_path / "deck" / "chgnet" / "result.json").write_text("{}")
    assert write_deck(sheet, tmp_path / "deck", library).has_potcar


def test_an_edited_deck_is_left_alone_or_refused(sheet: Calculation, tmp_path: Path, library: Path) -> None:
    folder = tmp_path / "deck"
    write_deck(sheet, folder, library)
    (folder / "INCAR").write_text("ENCUT = 350\n")
    deck = write_deck(sheet, folder, library)
    assert deck.remarks[-1] == "INCAR changed by hand since it was written: left as it is"
    assert (folder / "INCAR").read_text() == "ENCUT = 350\n"
    changed = replace(sheet, settings=replace(sheet.settings, cutoff_energy=500.0))
    with pytest.raises(FileError, match="INCAR: expected the file as it was written"):
        write_deck(changed, folder, library)


def test_a_deck_of_somebody_else_is_not_replaced(sheet: Calculation, tmp_path: Path, library: Path) -> None:
    (tmp_path / "deck").mkdir()
    (tmp_path / "deck" / "INCAR").write_text("mine\n")
    with pytest.raises(FileError, match="a file that nanoslab did not write"):
        write_deck(sheet, tmp_path / "deck", library)
    assert [path.name for path in (tmp_path / "deck").iterdir()] == ["INCAR"]


@pytest.mark.parametrize("survivors", [("POSCAR",), ("POSCAR", "INCAR", "POTCAR")])
def test_a_kill_in_the_middle_is_mended(
    sheet: Calculation, tmp_path: Path, library: Path, survivors: tuple[str, ...]
) -> None:
    folder = tmp_path / "deck"
    write_deck(sheet, folder, library)
    whole = {name: content for name, (_, content) in snapshot(folder).items()}
    for path in folder.iterdir():
        if path.name not in survivors:
            path.unlink()
    write_deck(sheet, folder, library)
    assert {name: content for name, (_, content) in snapshot(folder).items()} == whole


def test_a_started_child_keeps_its_first_poscar(sheet: Calculation, tmp_path: Path, library: Path) -> None:
    folder = tmp_path / "deck"
    write_deck(sheet, folder, library)
    (folder / "POSCAR").rename(folder / "POSCAR.initial")
    (folder / "POSCAR").write_text("relaxed\n")
    assert write_deck(sheet, folder, library).change == "unchanged"
    assert (folder / "POSCAR").read_text() == "relaxed\n"


def test_low_cutoffs_are_remarked(sheet: Calculation, tmp_path: Path) -> None:
    high = write_library(tmp_path / "high", cutoff=410.0)
    remarks = write_deck(sheet, tmp_path / "a", high).remarks
    assert "cutoff of 400 eV is below the 410 eV (ENMAX) of Se" in remarks
    crystal = replace(
        sheet,
        atoms=Atoms("CdSe", positions=[[0, 0, 0], [2, 2, 2]], cell=[4, 4, 4], pbc=True),
        settings=replace(sheet.settings, relax="cell"),
    )
    near = write_library(tmp_path / "near", cutoff=350.0)
    assert any("1.3 times ENMAX" in remark for remark in write_deck(crystal, tmp_path / "b", near).remarks)


def test_a_missing_potcar_leaves_no_half_deck(sheet: Calculation, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="POTCAR library"):
        write_deck(sheet, tmp_path / "deck", write_library(tmp_path / "poor", ("Cd",)))
    assert not (tmp_path / "deck").exists()


@pytest.mark.parametrize("potcars", [None, 3, ["x"], [{"dataset": "Se"}], [{}, {}]])
def test_a_spoilt_record_of_the_potcars_is_not_believed(
    sheet: Calculation, tmp_path: Path, library: Path, potcars: object
) -> None:
    write_deck(sheet, tmp_path / "deck", library)
    path = tmp_path / "deck" / "vasp.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "potcars": potcars}))
    assert write_deck(sheet, tmp_path / "deck", library).change == "replaced"
    path.write_text(json.dumps({**json.loads(path.read_text()), "potcars": potcars}))
    assert write_deck(sheet, tmp_path / "deck").potentials == ("Se", "Cd")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 7}', '{"schema": 1}', "[" * 100_000])
def test_a_broken_manifest_is_one_clear_error(sheet: Calculation, tmp_path: Path, text: str) -> None:
    write_deck(sheet, tmp_path / "deck")
    (tmp_path / "deck" / "vasp.json").write_text(text)
    with pytest.raises(FileError, match=r"vasp\.json.*move it away"):
        write_deck(sheet, tmp_path / "deck")
    (tmp_path / "deck" / "vasp.json").unlink()
    assert write_deck(sheet, tmp_path / "deck").change == "new"
