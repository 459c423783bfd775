"""pymatgen's structures go in wherever Atoms do, with what VASP must know, and come back the same."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.constraints import FixAtoms, FixScaled
from pymatgen.core import Lattice, Molecule, Species, Structure

from nanoslab.builders import build_nanosheet, count_vacancies, distinct_vacancies, rattle_atoms, sheet_ledger
from nanoslab.calculation import Calculation, Role
from nanoslab.errors import InputError
from nanoslab.measure.scattering import pair_distances
from nanoslab.measure.sheet import measure_sheet
from nanoslab.presets import preset
from nanoslab.selective_dynamics import free_components
from nanoslab.structure_types import as_atoms, to_structure
from nanoslab.vasp import read_poscar, write_deck, write_poscar

SKEWED = [[4.0, 0.0, 0.0], [1.3, 3.9, 0.0], [0.4, -0.7, 12.0]]


def sheet_with_partly_frozen_atoms() -> Atoms:
    atoms = Atoms("Cd2Se2", cell=SKEWED, pbc=True)
    atoms.set_scaled_positions([[0, 0, 0.4], [0.5, 0.5, 0.5], [0.25, 0.25, 0.45], [0.75, 0.7, 0.55]])
    atoms.set_initial_magnetic_moments([1.0, -1.0, 0.0, 0.5])
    atoms.set_constraint([FixAtoms([0]), FixScaled([2], mask=(True, True, False))])
    return atoms


def test_there_and_back_is_the_same_structure_with_constraints_and_moments() -> None:
    atoms = sheet_with_partly_frozen_atoms()
    structure = to_structure(atoms)
    assert structure.site_properties["selective_dynamics"][0] == [False, False, False]
    back = as_atoms(structure)
    assert back.get_chemical_symbols() == atoms.get_chemical_symbols()
    np.testing.assert_allclose(back.positions, atoms.positions, atol=1e-12)
    np.testing.assert_allclose(back.cell.array, atoms.cell.array, atol=1e-12)
    np.testing.assert_array_equal(free_components(back), free_components(atoms))
    np.testing.assert_array_equal(back.get_initial_magnetic_moments(), [1.0, -1.0, 0.0, 0.5])


def test_pymatgen_itself_reads_the_same_selective_dynamics_from_our_poscar(tmp_path: Path) -> None:
    atoms = sheet_with_partly_frozen_atoms()
    write_poscar(to_structure(atoms), tmp_path / "POSCAR")
    read = Structure.from_file(tmp_path / "POSCAR")
    assert np.array(read.site_properties["selective_dynamics"]).tolist() == free_components(atoms).tolist()
    np.testing.assert_array_equal(free_components(as_atoms(read)), free_components(read_poscar(tmp_path / "POSCAR")))


def test_builders_and_measures_say_the_same_of_either_type() -> None:
    crystal = bulk("CdSe", "zincblende", a=6.05)
    as_pymatgen = Structure(Lattice(crystal.cell.array), ["Cd", "Se"], crystal.get_scaled_positions())
    sheet = build_nanosheet(crystal, "001", 3)
    given = build_nanosheet(as_pymatgen, "001", 3)
    np.testing.assert_allclose(given.positions, sheet.positions, atol=1e-9)
    structure = to_structure(sheet)
    assert sheet_ledger(structure) == sheet_ledger(sheet)
    assert measure_sheet(structure).planes == measure_sheet(sheet).planes
    assert count_vacancies(structure, "Se", 2) == count_vacancies(sheet, "Se", 2)
    ways = distinct_vacancies(structure, "Se", 1, "top"), distinct_vacancies(sheet, "Se", 1, "top")
    assert [way.label for way in ways[0]] == [way.label for way in ways[1]]
    np.testing.assert_allclose(rattle_atoms(structure, 0.1).positions, rattle_atoms(sheet, 0.1).positions, atol=1e-9)
    assert structure.properties["recipe"] == sheet.info["recipe"]
    assert structure.site_properties["selective_dynamics"] == free_components(sheet).tolist()


def test_an_input_set_is_the_same_from_either_type(tmp_path: Path) -> None:
    atoms = build_nanosheet("CdSe-zincblende", "001", 3)
    for name, given in (("ase", atoms), ("pymatgen", to_structure(atoms))):
        made = Calculation(name="sheet", role=Role(kind="pristine"), atoms=given, settings=preset("pbe"))
        write_deck(made, tmp_path / name)
    first, second = (read_poscar(tmp_path / name / "POSCAR") for name in ("ase", "pymatgen"))
    np.testing.assert_allclose(first.positions, second.positions, atol=1e-12)
    np.testing.assert_array_equal(free_components(first), free_components(second))
    assert (tmp_path / "ase" / "INCAR").read_bytes() == (tmp_path / "pymatgen" / "INCAR").read_bytes()


def test_a_molecule_is_one_without_a_cell_and_its_distances_are_those_of_ase() -> None:
    water = molecule("H2O")
    given = Molecule(water.get_chemical_symbols(), water.positions)
    assert not as_atoms(given).pbc.any()
    assert isinstance(to_structure(water), Molecule)
    np.testing.assert_array_equal(pair_distances(given).radii, pair_distances(water).radii)


def test_oxidation_states_are_left_out_and_their_spins_kept() -> None:
    cell = Structure(Lattice.cubic(4.2), [Species("Mn", 2, spin=5), Species("O", -2)], [[0, 0, 0], [0.5, 0.5, 0.5]])
    atoms = as_atoms(cell)
    assert atoms.get_chemical_symbols() == ["Mn", "O"]
    assert atoms.get_initial_magnetic_moments().tolist() == [5.0, 0.0]


@pytest.mark.parametrize(
    ("structure", "words"),
    [
        (Structure(Lattice.cubic(4), [{"Cd": 0.5, "Zn": 0.5}], [[0, 0, 0]]), "every site held by one element"),
        (Structure(Lattice.cubic(4), ["Cd"], [[0, 0, 0]], charge=2), r"got a charge of \+2 e"),
        ("POSCAR", "expected ase.Atoms, or a Structure or Molecule of pymatgen, got a str"),
    ],
)
def test_what_atoms_cannot_say_is_refused(structure: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        as_atoms(structure)
