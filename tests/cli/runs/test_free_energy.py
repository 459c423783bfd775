"""``nanoslab free-energy``: two real crystals of copper by EMT, and folders that do not fit together."""

import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.calculators.emt import EMT
from ase.filters import FrechetCellFilter
from ase.io import write
from ase.optimize import BFGS

from nanoslab.cli.main import main


def phonons(folder: Path, name: str, atoms: Atoms, *, mesh: int = 4) -> Path:
    write(folder / f"{name}.extxyz", atoms)
    command = ["phonons", str(folder / f"{name}.extxyz"), str(folder / name), "--engine", "ase.calculators.emt:EMT"]
    command += ["--supercell", "2", "2", "2", "--mesh", *[str(mesh)] * 3, "--jobs", "1"]
    assert main(command) == 0
    return folder / name


def relaxed(crystal: Atoms) -> Atoms:
    crystal.calc = EMT()
    BFGS(FrechetCellFilter(crystal), logfile=None).run(1e-4, 200)
    crystal.calc = None
    return crystal


@pytest.fixture(scope="module")
def copper(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("copper")
    fcc = phonons(folder, "fcc", relaxed(bulk("Cu", "fcc", a=3.6)))
    hcp = phonons(folder, "hcp", relaxed(bulk("Cu", "hcp", a=2.55, c=4.16)))
    return fcc, hcp


def test_two_crystals_differ_by_their_energies_and_vibrations(copper: tuple[Path, Path], answer) -> None:
    document = answer("free-energy", *copper)
    (comparison,) = document["comparisons"]
    fcc, hcp = (json.loads((folder / "thermal.json").read_text()) for folder in copper)
    static = hcp["energy_eV_per_atom"] - fcc["energy_eV_per_atom"]
    vibrations = np.subtract(hcp["free_energy_eV_per_atom"], fcc["free_energy_eV_per_atom"])
    assert comparison["static_difference_meV_per_atom"] == pytest.approx(1e3 * static)
    assert comparison["difference_meV_per_atom"] == pytest.approx(1e3 * (static + vibrations))
    assert document["schema"] == 1
    assert document["composition"] == {"Cu": 1}
    assert document["temperature_K"] == [0, 100, 200, 300, 400, 500, 600]
    assert document["phases"][1]["total_free_energy_eV_per_atom"] == pytest.approx(
        np.add(hcp["energy_eV_per_atom"], hcp["free_energy_eV_per_atom"])
    )


def test_the_static_difference_is_that_of_the_calculator_itself(copper: tuple[Path, Path], answer) -> None:
    energies = []
    for crystal in (relaxed(bulk("Cu", "fcc", a=3.6)), relaxed(bulk("Cu", "hcp", a=2.55, c=4.16))):
        crystal.calc = EMT()
        energies.append(crystal.get_potential_energy() / len(crystal))
    (comparison,) = answer("free-energy", *copper)["comparisons"]
    assert comparison["static_difference_meV_per_atom"] == pytest.approx(1e3 * (energies[1] - energies[0]), abs=1e-6)


def test_a_crystal_against_its_own_double_cell_is_alike(copper: tuple[Path, Path], tmp_path: Path, answer) -> None:
    """Cells of one and two atoms, wave vectors and supercells such that both hold the same modes."""
    fcc = relaxed(bulk("Cu", "fcc", a=3.6))
    write(tmp_path / "double.extxyz", fcc * (1, 1, 2))
    command = ["phonons", str(tmp_path / "double.extxyz"), str(tmp_path / "double"), "--jobs", "1"]
    command += ["--engine", "ase.calculators.emt:EMT", "--supercell", "2", "2", "1", "--mesh", "4", "4", "2"]
    assert main(command) == 0
    document = answer("free-energy", copper[0], tmp_path / "double")
    assert document["comparisons"][0]["difference_meV_per_atom"] == pytest.approx(np.zeros(7), abs=0.01)
    assert "alike" in document["comparisons"][0]["reading"]


def test_the_table_says_what_json_says_and_a_plot_is_written(
    copper: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], answer, refused
) -> None:
    fcc, hcp = copper
    (comparison,) = answer("free-energy", fcc, hcp)["comparisons"]
    assert main(["free-energy", str(fcc), str(hcp), str(fcc), "--plot", str(tmp_path / "phases.svg")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert comparison["reading"] in said
    assert f"Static: {comparison['static_difference_meV_per_atom']:.2f} meV/atom" in said
    assert f"600 {comparison['difference_meV_per_atom'][-1]:.2f}" in said
    assert "alike within" in said
    assert "EMT" in said
    assert "<svg" in (tmp_path / "phases.svg").read_text()
    assert "ending in" in refused("free-energy", fcc, hcp, "--plot", tmp_path / "phases.xyz")


def test_folders_that_do_not_fit_together_are_refused_in_one_line(
    copper: tuple[Path, Path], tmp_path: Path, refused
) -> None:
    fcc, hcp = copper
    silver = phonons(tmp_path, "silver", relaxed(bulk("Ag", "fcc", a=4.1)))
    assert "composition" in refused("free-energy", fcc, silver)
    assert "nanoslab phonons" in refused("free-energy", fcc, tmp_path / "nothing")
    (tmp_path / "broken").mkdir()
    for text in ("{", "[]", '{"energy_eV_per_atom": null}', '{"energy_eV_per_atom": "a"}'):
        (tmp_path / "broken" / "thermal.json").write_text(text)
        assert "thermal.json" in refused("free-energy", fcc, tmp_path / "broken")
    record = json.loads((hcp / "thermal.json").read_text())
    del record["energy_eV_per_atom"]
    (tmp_path / "broken" / "thermal.json").write_text(json.dumps(record))
    said = refused("free-energy", fcc, tmp_path / "broken")
    assert "energy_eV_per_atom" in said
    assert "again" in said


def test_another_level_of_theory_is_refused_unless_allowed(
    copper: tuple[Path, Path], tmp_path: Path, answer, refused
) -> None:
    fcc, hcp = copper
    record = json.loads((hcp / "thermal.json").read_text())
    (tmp_path / "thermal.json").write_text(json.dumps({**record, "comparable": {"code": "VASP"}}))
    assert "code VASP against" in refused("free-energy", fcc, tmp_path)
    (comparison,) = answer("free-energy", fcc, tmp_path, "--allow-mismatch")["comparisons"]
    assert "code VASP against" in comparison["notes"][0]
    (tmp_path / "thermal.json").write_text(json.dumps({**record, "displacement_A": 0.03}))
    assert "displacement (Å) 0.03 against 0.01" in refused("free-energy", fcc, tmp_path)


def test_a_sheet_that_is_no_minimum_has_its_imaginary_modes_said(tmp_path: Path, answer) -> None:
    """A stretched square lattice of copper in one plane buckles; the stacked sheet does not."""
    flat = Atoms("Cu", cell=[2.9, 2.9, 14.0], pbc=True)
    flat_folder = phonons(tmp_path, "flat", flat, mesh=3)
    firm = fcc111("Cu", (1, 1, 3), vacuum=6.0, periodic=True)
    firm.info = {}
    firm_folder = phonons(tmp_path, "firm", firm, mesh=3)
    document = answer("free-energy", firm_folder, flat_folder)
    (comparison,) = document["comparisons"]
    assert document["phases"][1]["n_imaginary_modes"] > 0
    assert "imaginary modes" in comparison["reading"]
    assert comparison["difference_meV_per_atom"] != comparison["difference_imaginary_as_real_meV_per_atom"]
