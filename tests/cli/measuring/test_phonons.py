"""``nanoslab phonons``: computes here, or writes decks; remembers its structure; says what is imaginary."""

import json
from pathlib import Path
from shutil import copytree, rmtree

import numpy as np
import pytest
import vasp_writers as writers
from ase.build import fcc111
from ase.calculators.emt import EMT
from ase.io import read, write

from nanoslab.builders import build_nanosheet
from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.campaign import load_campaign
from nanoslab.cli.main import Parser, main
from nanoslab.cli.measuring import phonons
from nanoslab.driver.vasp_campaign import write_vasp_campaign
from nanoslab.errors import FileError, InputError

MESH = ("--kpoints", "9", "9", "1")
EMT_ENGINE = ("--engine", "ase.calculators.emt:EMT", "--mesh", "2", "2", "1")


def call(*arguments: str) -> None:
    parser = Parser()
    phonons.add_arguments(parser)
    phonons.run(parser.parse_args(list(arguments)))


@pytest.fixture
def structure(tmp_path: Path) -> str:
    sheet = fcc111("Cu", (1, 1, 2), vacuum=6.0, periodic=True)
    sheet.info = {}
    write(tmp_path / "sheet.extxyz", sheet)
    return str(tmp_path / "sheet.extxyz")


def test_an_engine_computes_and_a_second_call_reads(
    structure: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [structure, str(tmp_path / "phonons"), *EMT_ENGINE]
    call(*command, "--json")
    document = json.loads(capsys.readouterr().out)
    assert document["n_atoms"] == 2
    assert document["n_modes"] == 4 * 6
    assert np.shape(document["velocity_covariance_m2_per_s2"]) == (2, 3, 3)
    assert document["free_energy_eV_per_atom"][0] > 0 > document["free_energy_eV_per_atom"][-1]
    results = {path: path.stat().st_mtime_ns for path in tmp_path.glob("phonons/*/*/result.json")}
    Path(structure).unlink()
    call(*command)
    assert "modes are imaginary" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in results} == results
    with pytest.raises(InputError, match="another folder"):
        call(*command, "--distance", "0.02")


def test_without_an_engine_there_are_decks(structure: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(structure, str(tmp_path / "decks"), *MESH)
    assert "decks" in capsys.readouterr().out
    names = [calculation.name for calculation in load_campaign(tmp_path / "decks").calculations]
    assert names[:2] == ["cell-phonon-000", "cell-phonon-001"]
    assert all((tmp_path / "decks" / name / "POSCAR").is_file() for name in names)


def incar(folder: Path) -> dict[str, str]:
    pairs = (line.split("=", 1) for line in (folder / "INCAR").read_text().splitlines() if "=" in line)
    return {tag.strip(): value.strip() for tag, value in pairs}


def kpoints(folder: Path) -> list[int]:
    return [int(word) for word in (folder / "KPOINTS").read_text().splitlines()[3].split()]


def test_the_mesh_of_a_supercell_has_the_density_of_that_of_the_cell(structure: str, tmp_path: Path) -> None:
    """9 points over 2 cells are 5, rounded up; 9 over 3 are 3; the preset's own mesh is taken where it has one."""
    call(structure, str(tmp_path / "asked"), *MESH, "--supercell", "2", "3", "1")
    call(structure, str(tmp_path / "preset"), "--preset", "ma2023-wurtzite")
    for name, expected in (("asked", [5, 3, 1]), ("preset", [2, 2, 1])):
        folders = sorted((tmp_path / name).glob("cell-phonon-*"))
        assert len(folders) > 1
        assert all(kpoints(folder) == expected for folder in folders)
    with pytest.raises(InputError, match="--kpoints"):
        call(structure, str(tmp_path / "nothing"))
    assert not (tmp_path / "nothing").exists()


def test_a_polar_sheet_keeps_its_dipole_correction(tmp_path: Path) -> None:
    """Zinc blende between a Cd and a Se face is polar, the sheet between two Cd faces is not."""
    for name, faces in (("polar", ("Cd", "Se")), ("alike", ("Cd", "Cd"))):
        sheet = build_nanosheet("CdSe-zincblende", "001", 3, termination=faces)
        sheet.info = {}
        write(tmp_path / f"{name}.vasp", sheet, sort=True)
        call(str(tmp_path / f"{name}.vasp"), str(tmp_path / name), *MESH, "--supercell", "1", "1", "1")
    decks = [incar(folder) for folder in sorted((tmp_path / "polar").glob("cell-phonon-*"))]
    assert len(decks) > 1
    assert all((deck["LDIPOL"], deck["IDIPOL"]) == (".TRUE.", "3") for deck in decks)
    assert "LDIPOL" not in incar(tmp_path / "alike" / "cell-phonon-000")


def test_a_file_of_a_campaign_brings_all_settings_of_its_calculation(structure: str, tmp_path: Path) -> None:
    settings = Settings(
        source="own", cutoff_energy=350.0, smearing_width=0.02, kpoints=(6, 6, 1), dipole_correction=True,
        spin_polarized=True, extra={"LREAL": False}, relax="ions",
    )  # fmt: skip
    sheet = read(structure)
    sheet.set_initial_magnetic_moments([2.0, 1.5])
    calculation = Calculation(name="sheet", role=Role(kind="pristine"), atoms=sheet, settings=settings)
    (tmp_path / "study.yaml").write_text("study: own\n")
    write_vasp_campaign(tmp_path / "study.yaml", [calculation], tmp_path / "campaign")
    contcar = tmp_path / "campaign" / "sheet" / "CONTCAR"
    contcar.write_bytes((tmp_path / "campaign" / "sheet" / "POSCAR").read_bytes())
    call(str(contcar), str(tmp_path / "decks"))
    deck = incar(tmp_path / "decks" / "cell-phonon-001")
    assert {tag: deck[tag] for tag in ("ENCUT", "SIGMA", "LDIPOL", "ISPIN", "LREAL", "EDIFF", "NSW")} == {
        "ENCUT": "350", "SIGMA": "0.02", "LDIPOL": ".TRUE.", "ISPIN": "2", "LREAL": ".FALSE.", "EDIFF": "1e-08",
        "NSW": "0",
    }  # fmt: skip
    assert kpoints(tmp_path / "decks" / "cell-phonon-001") == [3, 3, 1]
    moments = load_campaign(tmp_path / "decks").calculations[1].atoms.get_initial_magnetic_moments()
    assert moments.tolist() == [2.0] * 4 + [1.5] * 4


def emt_as_vasprun(calculation: Calculation) -> bytes:
    """What VASP would have written, had it the energies and forces of EMT."""
    atoms = calculation.atoms.copy()
    atoms.calc = EMT()
    energy = atoms.get_potential_energy()
    step = writers.Step(
        electrons=((energy + 1e-9, energy + 1e-9), (energy, energy)),
        forces=atoms.get_forces(),
        positions=atoms.get_scaled_positions(wrap=False),
        stress_kB=0.1,
    )
    run = writers.Run(
        species=[("Cu", len(atoms), "PAW_PBE Cu 22Jun2005")],
        cell=atoms.cell.array,
        steps=(step,),
        tags={"NSW": "0", "IBRION": "-1"},
    )
    text: bytes = writers.vasprun(run)
    return text


def test_decks_that_were_run_say_what_an_engine_says(
    structure: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Forces are printed to 1e-8 eV/Å and displacements are 0.01 Å: 1e-6 eV/Å² in the force constants."""
    call(structure, str(tmp_path / "engine"), *EMT_ENGINE, "--json")
    expected = json.loads(capsys.readouterr().out)
    relaxed = next((tmp_path / "engine" / "relaxation").glob("*/final.extxyz"))
    command = [str(relaxed), str(tmp_path / "decks"), "--mesh", "2", "2", "1", "--json", *MESH]
    call(*command)
    for calculation in load_campaign(tmp_path / "decks").calculations:
        (tmp_path / "decks" / calculation.name / "vasprun.xml").write_bytes(emt_as_vasprun(calculation))
    capsys.readouterr()
    call(*command)
    found = json.loads(capsys.readouterr().out)
    assert found["comparable"]["potentials"] == {"Cu": "PAW_PBE Cu 22Jun2005"}
    for key in ("energy_eV_per_atom", "free_energy_eV_per_atom", "entropy_eV_per_K_per_atom"):
        assert found[key] == pytest.approx(expected[key], abs=1e-5), key
    sheet = read(relaxed)
    sheet.calc = EMT()
    assert found["energy_eV_per_atom"] == pytest.approx(sheet.get_potential_energy() / len(sheet), abs=1e-7)


def test_decks_of_which_the_perfect_one_was_not_run_are_named(structure: str, tmp_path: Path) -> None:
    call(structure, str(tmp_path / "decks"), *MESH)
    for calculation in load_campaign(tmp_path / "decks").calculations[1:]:
        (tmp_path / "decks" / calculation.name / "vasprun.xml").write_bytes(emt_as_vasprun(calculation))
    with pytest.raises(InputError, match=r"cell-phonon-000: .*not run yet"):
        call(structure, str(tmp_path / "decks"), *MESH)


def test_a_folder_without_the_perfect_supercell_is_completed(
    structure: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [structure, str(tmp_path / "phonons"), *EMT_ENGINE, "--json"]
    call(*command)
    whole = capsys.readouterr().out
    rmtree(tmp_path / "phonons" / "cell-phonon-000")
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("phonons/cell-*/*/result.json")}
    call(*command)
    assert capsys.readouterr().out == whole
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.fixture
def old_folder(tmp_path: Path) -> Path:
    """What version 0.1 left of the sheet of `structure`."""
    copytree(Path(__file__).parent / "phonons_version_1", tmp_path / "old")
    return tmp_path / "old"


def test_a_folder_of_an_older_version_gives_the_same_numbers(
    old_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is computed again, and the folder is a campaign of a study from then on."""
    before = json.loads((old_folder / "thermal.json").read_text())
    results = {path: path.read_bytes() for path in old_folder.glob("*/*/result.json")}
    call(str(old_folder / "sheet.extxyz"), str(old_folder), *EMT_ENGINE, "--json")
    now = json.loads(capsys.readouterr().out)
    for key, value in before.items():
        if isinstance(value, list | float) and key != "symbols":
            # the last digits: phonopy's physical constants, and coordinates of a POSCAR
            assert np.ravel(now[key]) == pytest.approx(np.ravel(value), rel=2e-5, abs=1e-7), key
        else:
            assert now[key] == value or key == "structure", key
    assert {path: path.read_bytes() for path in results} == results
    assert main(["analyze", str(old_folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_modes"] == now["n_modes"]


def test_a_folder_of_an_older_version_goes_on(old_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Version 0.1.0 computed no perfect supercell; what is missing is computed, what is there stays."""
    before = json.loads((old_folder / "thermal.json").read_text())
    rmtree(old_folder / "cell-phonon-000")
    table = old_folder / "calculations.tsv"
    rows = table.read_text().splitlines(keepends=True)
    table.write_text("".join(row for row in rows if "phonon-000" not in row))
    kept = {path: path.stat().st_mtime_ns for path in old_folder.glob("cell-*/*/result.json")}
    call(str(old_folder / "sheet.extxyz"), str(old_folder), *EMT_ENGINE, "--json")
    now = json.loads(capsys.readouterr().out)
    assert now["free_energy_eV_per_atom"] == pytest.approx(before["free_energy_eV_per_atom"], abs=1e-6)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_wrong_input_is_named(structure: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="structure file"):
        call(str(tmp_path / "nothing.vasp"), str(tmp_path / "p"))
    with pytest.raises(InputError, match="0 K"):
        call(structure, str(tmp_path / "p"), "--temperatures", "-5")
