"""Phonons: closed forms of springs, phonopy's own sums, NaCl's published numbers, and invariances."""

from collections.abc import Callable
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk, fcc111
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray
from phonopy import Phonopy
from phonopy.file_IO import parse_BORN
from phonopy.structure.atoms import PhonopyAtoms
from scipy import constants

from nanoslab.beam import velocity_tensors
from nanoslab.energetics.phonon import (
    ThermalProperties,
    displaced_supercells,
    mean_square_displacements,
    phonon_modes,
    thermal_properties,
)
from nanoslab.errors import InputError

BOLTZMANN_EV_PER_K = constants.k / constants.e
TO_THZ = np.sqrt(units._e / units._amu) * 1e10 / (2e12 * np.pi)  # of sqrt(eV/Å²/u)
#: phonopy's physical constants are of 1986 to 2006
OLD_CONSTANTS = 2e-5


class Springs(Calculator):
    """Harmonic springs, equal along all directions, between nearest neighbours; the energy of displacements only."""

    implemented_properties = ["energy", "forces"]  # noqa: RUF012

    def __init__(self, stiffness: float, reference: Atoms) -> None:
        super().__init__()
        self.stiffness = stiffness
        self.reference = reference

    def calculate(self, atoms: Atoms | None = None, properties: object = None, changes: object = all_changes) -> None:
        super().calculate(atoms, properties, changes)
        moved = self.atoms.positions - self.reference.positions
        moved -= np.round(moved @ np.linalg.inv(self.atoms.cell.array)) @ self.atoms.cell.array
        i, j = neighbor_list("ij", self.reference, 1.05 * neighbor_list("d", self.reference, 3.2).min())
        stretch = moved[i] - moved[j]
        forces = np.zeros((len(self.atoms), 3))
        np.add.at(forces, i, -self.stiffness * stretch)
        self.results = {"energy": self.stiffness * float((stretch**2).sum()) / 4, "forces": forces}


def forces(supercells: tuple[Atoms, ...], make: Callable[[Atoms], Calculator]) -> NDArray[np.float64]:
    collected = []
    for supercell in supercells:
        atoms = supercell.copy()
        atoms.calc = make(supercells[0])
        collected.append(atoms.get_forces())
    return np.array(collected)


def modes(
    cell: Atoms,
    repeat: tuple[int, int, int],
    mesh: tuple[int, int, int],
    make: Callable[[Atoms], Calculator] = lambda perfect: Springs(2.0, perfect),
) -> Phonopy:
    supercells = displaced_supercells(cell, repeat)
    return phonon_modes(supercells, repeat, forces(supercells, make), mesh)


def sheet_modes(sheet: Atoms, repeat: tuple[int, int, int] = (2, 2, 1)) -> Phonopy:
    return modes(sheet, repeat, (3, 3, 1), lambda _: EMT())


def one_mode(*frequencies_THz: float, mass: float = 12.0) -> Phonopy:
    """One atom in a well with these frequencies along x, y, z; its one wave vector is not Gamma."""
    unit = PhonopyAtoms(symbols=["C"], cell=3.0 * np.eye(3), scaled_positions=[[0, 0, 0]], masses=[mass])
    phonon = Phonopy(unit, np.eye(3, dtype=int), primitive_matrix="P")
    along = np.resize(frequencies_THz, 3)
    phonon.force_constants = np.diag(np.sign(along) * mass * (along / TO_THZ) ** 2).reshape(1, 1, 3, 3)
    phonon.run_mesh([1, 1, 1], shift=[0.5, 0, 0], is_mesh_symmetry=False, with_eigenvectors=True)
    return phonon


def copper_sheet() -> Atoms:
    """Relaxed by hand with EMT: three planes, forces below 1e-4 eV/Å."""
    from ase.optimize import BFGS

    sheet = fcc111("Cu", (1, 1, 3), vacuum=6.0, periodic=True)
    sheet.calc = EMT()
    BFGS(sheet, logfile=None).run(1e-4, 100)
    sheet.calc = None
    return sheet


def test_a_simple_cubic_lattice_of_springs_has_its_dispersion() -> None:
    """omega² = (4k/m) sum over axes of sin²(q_i a/2), from the equation of motion."""
    crystal = bulk("Cu", "sc", a=3.0)
    q = np.array([0.0, 0.25, 0.5, 0.75])
    sines = np.sin(np.pi * q) ** 2
    expected = 4 * 2.0 / crystal.get_masses()[0] * (sines[:, None, None] + sines[:, None] + sines)
    frequencies = np.sort(np.repeat(np.sqrt(expected.ravel()), 3)) * TO_THZ
    found = modes(crystal, (4, 4, 4), (4, 4, 4)).mesh.frequencies
    np.testing.assert_allclose(np.sort(found.ravel()), frequencies, atol=1e-4)


def test_two_masses_share_the_energy_and_differ_in_velocity() -> None:
    """Classical limit: M <v_z²> = kT for both atoms; high temperature 5000 K, highest quantum 0.04 eV."""
    crystal = bulk("CuAu", "rocksalt", a=6.0, cubic=True)
    velocities = velocity_tensors(modes(crystal, (1, 1, 1), (2, 2, 2)), 5000.0)
    classical = constants.k * 5000.0 / (crystal.get_masses() * constants.atomic_mass)
    for atom in range(len(crystal)):
        np.testing.assert_allclose(velocities[atom], classical[atom] * np.eye(3), atol=2e-3 * classical[atom])


def test_one_oscillator_has_the_closed_forms() -> None:
    phonon, kt, quantum = one_mode(5.0), BOLTZMANN_EV_PER_K * 300.0, constants.h * 5e12 / constants.e
    thermal = thermal_properties(phonon, [0.0, 300.0])
    free = 3 * (quantum / 2 + kt * np.log(1 - np.exp(-quantum / kt)))
    assert thermal.free_energy == pytest.approx([1.5 * quantum, free], rel=OLD_CONSTANTS)
    energy = 1.5 * quantum / np.tanh(quantum / (2 * kt))
    assert thermal.entropy[1] == pytest.approx((energy - free) / 300.0, rel=OLD_CONSTANTS)
    mass, omega = 12.0 * constants.atomic_mass, 2 * np.pi * 5e12
    per_axis = energy / 3 * constants.e
    velocities = per_axis / mass * np.eye(3)
    np.testing.assert_allclose(velocity_tensors(phonon, 300.0)[0], velocities, rtol=OLD_CONSTANTS, atol=1e-2)
    expected = per_axis / (mass * omega**2) * 1e20 * np.eye(3)
    np.testing.assert_allclose(
        mean_square_displacements(phonon, 300.0)[0], expected, rtol=2 * OLD_CONSTANTS, atol=1e-12
    )
    dulong_petit = 3 * BOLTZMANN_EV_PER_K
    assert thermal_properties(phonon, [3000.0]).heat_capacity[0] == pytest.approx(dulong_petit, rel=1e-3)


def test_entropy_and_heat_capacity_are_derivatives_of_the_free_energy() -> None:
    phonon, step = sheet_modes(copper_sheet()), 0.01
    below, at, above = (thermal_properties(phonon, [t]) for t in (200.0 - step, 200.0, 200.0 + step))
    assert at.entropy[0] == pytest.approx((below.free_energy[0] - above.free_energy[0]) / (2 * step), rel=1e-6)
    assert at.heat_capacity[0] == pytest.approx(200.0 * (above.entropy[0] - below.entropy[0]) / (2 * step), rel=1e-6)


def test_imaginary_modes_are_counted_and_shown() -> None:
    unstable = one_mode(-2.0, 5.0, 5.0)
    thermal = thermal_properties(unstable, [300.0])
    assert (thermal.n_imaginary, thermal.n_modes) == (1, 3)
    assert thermal.lowest_frequency_THz == pytest.approx(-2.0)
    assert thermal.to_dict()["n_imaginary_modes"] == 1
    steady, soft = (thermal_properties(one_mode(frequency), [300.0]) for frequency in (5.0, 2.0))
    assert thermal.free_energy[0] == pytest.approx(steady.free_energy[0] * 2 / 3)
    as_real = steady.free_energy[0] * 2 / 3 + soft.free_energy[0] / 3
    assert thermal.free_energy_imaginary_as_real[0] == pytest.approx(as_real)
    assert thermal.entropy_imaginary_as_real[0] == pytest.approx(steady.entropy[0] * 2 / 3 + soft.entropy[0] / 3)
    kt_over_mass = constants.k * 300.0 / (12.0 * constants.atomic_mass)
    assert velocity_tensors(unstable, 300.0)[0, 0, 0] == pytest.approx(kt_over_mass)


def test_thermal_properties_come_back_from_their_record() -> None:
    thermal = thermal_properties(one_mode(5.0), [0.0, 300.0])
    record = thermal.to_dict()
    assert ThermalProperties.from_dict(record).to_dict() == record
    with pytest.raises(InputError, match="entropy_eV_per_K_per_atom"):
        ThermalProperties.from_dict({**record, "entropy_eV_per_K_per_atom": [1.0]})
    with pytest.raises(ValueError, match="read-only"):
        thermal.free_energy[0] = 1.0


def test_translations_count_neither_as_imaginary_nor_as_modes() -> None:
    """The free energy is that of the oscillators without the three translations, summed here one by one."""
    phonon = sheet_modes(copper_sheet())
    thermal = thermal_properties(phonon, [0.0, 300.0])
    assert (np.abs(phonon.mesh.frequencies) < 0.05).sum() == 3
    assert thermal.n_imaginary == 0
    assert thermal.lowest_frequency_THz > 0.05
    frequencies = np.sort(np.abs(phonon.mesh.frequencies).ravel())[3:]
    quanta, kt = constants.h * 1e12 / constants.e * frequencies, BOLTZMANN_EV_PER_K * 300.0
    summed = np.sum(quanta / 2 + kt * np.log(-np.expm1(-quanta / kt))) / (9 * 3)
    assert thermal.free_energy == pytest.approx([quanta.sum() / 2 / (9 * 3), summed], rel=OLD_CONSTANTS)


def test_nacl_has_its_published_thermal_properties(vasp_corpus: Path) -> None:
    """phonopy's documented NaCl example at 300 K: mesh 5x5x5, Born charges, per primitive cell.

    The published numbers (in phonopy's own tests, translations left out) come from the same VASP forces; 3e-4 covers
    e²/(4 pi epsilon_0), taken there as 14.4 eV Å, and charges rounded to five digits.
    """
    folder = vasp_corpus / "phonopy" / "NaCl"
    unit_cell = ase.io.read(folder / "POSCAR-unitcell", format="vasp")
    unit_cell.symbols = ["Na"] * 4 + ["Cl"] * 4
    unit_cell.set_masses([22.989769] * 4 + [35.453] * 4)  # the masses of the published run; ASE's chlorine is 35.45
    displaced = displaced_supercells(unit_cell, (2, 2, 2))
    assert len(displaced) == 3
    from_vasp = [np.zeros((64, 3))]
    for number in (1, 2):
        run = ase.io.read(folder / f"vasprun.xml-{number:03d}", format="vasp-xml")
        np.testing.assert_allclose(run.cell.array, displaced[number].cell.array, atol=1e-6)
        from_vasp.append(run.get_forces(apply_constraint=False))
    whole = phonon_modes(displaced, (2, 2, 2), from_vasp, (1, 1, 1))
    primitive = [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    phonon = Phonopy(whole.unitcell, np.diag([2, 2, 2]), primitive_matrix=primitive)
    phonon.force_constants = whole.force_constants
    factor = {"factor": units.Hartree * units.Bohr}  # e²/(4 pi epsilon_0) [eV Å]
    phonon.nac_params = parse_BORN(phonon.primitive, filename=str(folder / "BORN")) | factor
    phonon.run_mesh([5, 5, 5], is_mesh_symmetry=False, with_eigenvectors=True, is_gamma_center=True)
    thermal = thermal_properties(phonon, [300.0])
    to_joule_per_mole = 2 * constants.e * constants.N_A
    assert thermal.free_energy[0] * to_joule_per_mole / 1000 == pytest.approx(-6.808753, abs=3e-4)
    assert thermal.entropy[0] * to_joule_per_mole == pytest.approx(74.268068, abs=3e-4)
    assert thermal.heat_capacity[0] * to_joule_per_mole == pytest.approx(47.838756, abs=3e-4)
    assert thermal.n_imaginary == 0
    sodium, chlorine = mean_square_displacements(phonon, 300.0).diagonal(axis1=1, axis2=2).mean(axis=1)
    assert 0.01 < chlorine < 0.04  # X-ray B about 1.5 Å² for both ions at 300 K: <u²> = B/8pi² = 0.02 Å²
    assert 0.01 < sodium < 0.04


def test_the_orientation_turns_the_tensors_and_nothing_else() -> None:
    sheet = copper_sheet()
    turned = sheet.copy()
    turned.rotate(35, (1, 2, 3), rotate_cell=True)
    turned.positions += [0.4, 0.1, 0.3]
    rotation = np.linalg.inv(sheet.cell.array) @ turned.cell.array
    one, other = sheet_modes(sheet), sheet_modes(turned)
    np.testing.assert_allclose(
        thermal_properties(other, [300.0]).free_energy, thermal_properties(one, [300.0]).free_energy, atol=1e-6
    )
    expected = rotation.T @ velocity_tensors(one, 300.0) @ rotation
    np.testing.assert_allclose(velocity_tensors(other, 300.0), expected, rtol=1e-3, atol=10.0)


def test_displaced_cells_are_free_and_the_cell_is_left_alone() -> None:
    sheet = copper_sheet()
    sheet.set_constraint(FixAtoms([1]))
    before = sheet.copy()
    perfect, *displaced = displaced_supercells(sheet, (2, 2, 1), distance=0.02)
    assert sheet == before
    assert all(not supercell.constraints for supercell in displaced)
    moved = np.linalg.norm(displaced[0].positions - perfect.positions, axis=1)
    assert moved.max() == pytest.approx(0.02, abs=1e-8)
    assert (moved > 1e-8).sum() == 1


def test_what_the_perfect_supercell_feels_is_no_answer_to_a_displacement() -> None:
    """A force field of any shape on top of all forces, as of an egg box, leaves the frequencies as they were."""
    sheet = copper_sheet()
    supercells = displaced_supercells(sheet, (2, 2, 1))
    clean = forces(supercells, lambda _: EMT())
    pull = np.random.default_rng(1).normal(0.0, 0.02, clean.shape[1:])
    one, other = (phonon_modes(supercells, (2, 2, 1), clean + offset, (2, 2, 1)) for offset in (0.0, pull))
    # translations are roots of 0
    np.testing.assert_allclose(other.mesh.frequencies, one.mesh.frequencies, atol=1e-6)


def test_the_perfect_supercell_is_the_cell_repeated() -> None:
    sheet = copper_sheet()
    sheet.calc = EMT()
    perfect = displaced_supercells(sheet, (2, 3, 1))[0]
    perfect.calc = EMT()
    assert perfect.get_potential_energy() == pytest.approx(6 * sheet.get_potential_energy(), abs=1e-9)


def test_what_does_not_fit_is_named() -> None:
    crystal = bulk("CuAu", "rocksalt", a=6.0)
    supercells = displaced_supercells(crystal, (2, 2, 2))
    with pytest.raises(InputError, match="shape"):
        phonon_modes(supercells, (2, 2, 2), np.zeros((2, 16, 3)), (1, 1, 1))
    with pytest.raises(InputError, match="another order"):
        phonon_modes([crystal * (2, 2, 2)] * 3, (2, 2, 2), np.zeros((3, 16, 3)), (1, 1, 1))
    rattled = supercells[0].copy()
    rattled.rattle(0.01)
    with pytest.raises(InputError, match="one atom moved in each, got 16"):
        phonon_modes([supercells[0], rattled, rattled], (2, 2, 2), np.zeros((3, 16, 3)), (1, 1, 1))
    with pytest.raises(InputError, match="at least 1"):
        displaced_supercells(bulk("Cu"), (2, 0, 1))
    with pytest.raises(InputError, match="above 0"):
        displaced_supercells(bulk("Cu"), (2, 2, 1), distance=0.0)
