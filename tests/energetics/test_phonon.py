"""Phonons: closed forms of springs, phonopy's own sums, NaCl's published numbers, and invariances."""

import warnings
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk, fcc111
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray
from phonopy.file_IO import parse_BORN
from scipy import constants

from nanoslab.calculation import CalculationResult, Settings
from nanoslab.energetics.phonon import (
    Displacements,
    displacements,
    force_constants,
    forces_of,
    phonon_calculations,
    phonon_modes,
)
from nanoslab.energetics.thermal import (
    BOLTZMANN_EV_PER_K,
    PhononModes,
    ThermalProperties,
    mean_square_displacements,
    thermal_properties,
    velocity_covariances,
)
from nanoslab.errors import InputError


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


def forces(displaced: Displacements, make: object) -> NDArray[np.float64]:
    collected = []
    for supercell in displaced.supercells:
        atoms = supercell.copy()
        atoms.calc = make(displaced)  # type: ignore[operator]
        collected.append(atoms.get_forces())
    return np.array(collected)


def springs(displaced: Displacements) -> Springs:
    return Springs(2.0, displaced.perfect)


def sheet_modes(sheet: Atoms, repeat: tuple[int, int, int] = (2, 2, 1)) -> PhononModes:
    displaced = displacements(sheet, repeat)
    return phonon_modes(sheet, repeat, force_constants(displaced, forces(displaced, lambda _: EMT())), (3, 3, 1))


def one_mode(frequency_THz: float, mass: float = 12.0) -> PhononModes:
    return PhononModes(
        frequencies_THz=np.full((1, 3), frequency_THz),
        eigenvectors=np.eye(3, dtype=complex).reshape(1, 1, 3, 3),
        masses=np.array([mass]),
    )


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
    displaced = displacements(crystal, (4, 4, 4))
    modes = phonon_modes(crystal, (4, 4, 4), force_constants(displaced, forces(displaced, springs)), (4, 4, 4))
    q = np.array([0.0, 0.25, 0.5, 0.75])
    sines = np.sin(np.pi * q) ** 2
    expected = 4 * 2.0 / crystal.get_masses()[0] * (sines[:, None, None] + sines[:, None] + sines)
    to_thz = np.sqrt(units._e / units._amu) * 1e10 / (2e12 * np.pi)
    frequencies = np.sort(np.repeat(np.sqrt(expected.ravel()), 3)) * to_thz
    np.testing.assert_allclose(np.sort(modes.frequencies_THz.ravel()), frequencies, atol=1e-4)


def test_two_masses_share_the_energy_and_differ_in_velocity() -> None:
    """Classical limit: M <v_z²> = kT for both atoms; high temperature 5000 K, highest quantum 0.04 eV."""
    crystal = bulk("CuAu", "rocksalt", a=6.0, cubic=True)
    displaced = displacements(crystal, (1, 1, 1))
    constants_found = force_constants(displaced, forces(displaced, springs))
    modes = phonon_modes(crystal, (1, 1, 1), constants_found, (2, 2, 2))
    velocities = velocity_covariances(modes, 5000.0)
    classical = constants.k * 5000.0 / (crystal.get_masses() * constants.atomic_mass)
    for atom in range(len(crystal)):
        np.testing.assert_allclose(velocities[atom], classical[atom] * np.eye(3), atol=2e-3 * classical[atom])


def test_one_oscillator_has_the_closed_forms() -> None:
    modes, kt, quantum = one_mode(5.0), BOLTZMANN_EV_PER_K * 300.0, constants.h * 5e12 / constants.e
    thermal = thermal_properties(modes, [0.0, 300.0])
    free = 3 * (quantum / 2 + kt * np.log(1 - np.exp(-quantum / kt)))
    assert thermal.free_energy == pytest.approx([1.5 * quantum, free], rel=1e-12)
    energy = 1.5 * quantum / np.tanh(quantum / (2 * kt))
    assert thermal.entropy[1] == pytest.approx((energy - free) / 300.0, rel=1e-12)
    mass, omega = 12.0 * constants.atomic_mass, 2 * np.pi * 5e12
    per_axis = energy / 3 * constants.e
    np.testing.assert_allclose(velocity_covariances(modes, 300.0)[0], per_axis / mass * np.eye(3), rtol=1e-12)
    expected = per_axis / (mass * omega**2) * 1e20
    np.testing.assert_allclose(mean_square_displacements(modes, 300.0)[0], expected * np.eye(3), rtol=1e-12)


def test_entropy_and_heat_capacity_are_derivatives_of_the_free_energy() -> None:
    modes = sheet_modes(copper_sheet())
    step = 0.01
    below, at, above = (thermal_properties(modes, [t]) for t in (200.0 - step, 200.0, 200.0 + step))
    assert at.entropy[0] == pytest.approx((below.free_energy[0] - above.free_energy[0]) / (2 * step), rel=1e-6)
    assert at.heat_capacity[0] == pytest.approx(200.0 * (above.entropy[0] - below.entropy[0]) / (2 * step), rel=1e-6)


def test_imaginary_modes_are_counted_and_shown() -> None:
    steady, unstable = one_mode(5.0), one_mode(5.0)
    unstable.frequencies_THz[0, 0] = -2.0
    thermal = thermal_properties(unstable, [300.0])
    assert (thermal.n_imaginary, thermal.n_modes, thermal.lowest_frequency_THz) == (1, 3, -2.0)
    assert thermal.to_dict()["n_imaginary_modes"] == 1
    two_thirds = thermal_properties(steady, [300.0]).free_energy[0] * 2 / 3
    assert thermal.free_energy[0] == pytest.approx(two_thirds)
    alone = thermal_properties(one_mode(2.0), [300.0]).free_energy[0] / 3
    assert thermal.free_energy_imaginary_as_real[0] == pytest.approx(two_thirds + alone)
    entropies = [thermal_properties(one_mode(f), [300.0]).entropy[0] for f in (5.0, 2.0)]
    assert thermal.entropy_imaginary_as_real[0] == pytest.approx(2 / 3 * entropies[0] + entropies[1] / 3)
    kt_over_mass = constants.k * 300.0 / (12.0 * constants.atomic_mass)
    assert velocity_covariances(unstable, 300.0)[0, 0, 0] == pytest.approx(kt_over_mass)


def test_thermal_properties_come_back_from_their_record() -> None:
    thermal = thermal_properties(one_mode(5.0), [0.0, 300.0])
    record = thermal.to_dict()
    assert ThermalProperties.from_dict(record).to_dict() == record
    with pytest.raises(InputError, match="entropy_eV_per_K_per_atom"):
        ThermalProperties.from_dict({**record, "entropy_eV_per_K_per_atom": [1.0]})


def test_translations_count_neither_as_imaginary_nor_as_modes() -> None:
    modes = sheet_modes(copper_sheet())
    assert modes.translational[0].sum() == 3
    assert modes.n_imaginary == 0
    assert modes.lowest_frequency_THz > 0.05


def test_the_sums_are_phonopys() -> None:
    """Independent code for the sums: phonopy's thermal properties of the same force constants and mesh.

    2e-5 covers its older values of the physical constants.
    """
    from phonopy import Phonopy
    from phonopy.structure.atoms import PhonopyAtoms

    sheet = copper_sheet()
    displaced = displacements(sheet, (2, 2, 1))
    found = force_constants(displaced, forces(displaced, lambda _: EMT()))
    ours = thermal_properties(phonon_modes(sheet, (2, 2, 1), found, (3, 3, 1)), [0.0, 100.0, 300.0])
    unit = PhonopyAtoms(
        symbols=sheet.get_chemical_symbols(),
        cell=sheet.cell.array,
        scaled_positions=sheet.get_scaled_positions(wrap=False),
    )
    phonon = Phonopy(unit, np.diag([2, 2, 1]), primitive_matrix="P")
    phonon.force_constants = found
    phonon.run_mesh([3, 3, 1], is_gamma_center=True)
    phonon.run_thermal_properties(temperatures=[0, 100, 300], exclude_gamma_acoustic=True)
    theirs = phonon.thermal_properties
    per_atom = 1000 / constants.N_A / constants.e / len(sheet)  # kJ/mol of cells -> eV per atom
    np.testing.assert_allclose(ours.free_energy, theirs.free_energy * per_atom, rtol=2e-5)
    np.testing.assert_allclose(ours.entropy, theirs.entropy * per_atom / 1000, rtol=2e-5, atol=1e-12)
    np.testing.assert_allclose(ours.heat_capacity, theirs.heat_capacity * per_atom / 1000, rtol=2e-5, atol=1e-12)


def test_nacl_has_its_published_thermal_properties(vasp_corpus: Path) -> None:
    """phonopy's documented NaCl example at 300 K: mesh 5x5x5, Born charges, per primitive cell.

    The published numbers (in phonopy's own tests, translations left out) come from the same VASP forces; 3e-4 covers
    e²/(4 pi epsilon_0), taken there as 14.4 eV Å, and charges rounded to five digits.
    """
    folder = vasp_corpus / "phonopy" / "NaCl"
    unit_cell = ase.io.read(folder / "POSCAR-unitcell", format="vasp")
    unit_cell.symbols = ["Na"] * 4 + ["Cl"] * 4
    unit_cell.set_masses([22.989769] * 4 + [35.453] * 4)  # the masses of the published run; ASE's chlorine is 35.45
    displaced = displacements(unit_cell, (2, 2, 2))
    assert len(displaced.supercells) == 2
    from_vasp = []
    for number in (1, 2):
        run = ase.io.read(folder / f"vasprun.xml-{number:03d}", format="vasp-xml")
        np.testing.assert_allclose(run.cell.array, displaced.supercells[number - 1].cell.array, atol=1e-6)
        from_vasp.append(run.get_forces(apply_constraint=False))
        from_vasp[-1] -= from_vasp[-1].mean(axis=0)
    primitive = [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    charges = born_charges(folder / "BORN", unit_cell, primitive)
    found = force_constants(displaced, np.array(from_vasp))
    modes = phonon_modes(unit_cell, (2, 2, 2), found, (5, 5, 5), charges=charges, primitive=primitive)
    thermal = thermal_properties(modes, [300.0])
    to_joule_per_mole = 2 * constants.e * constants.N_A
    assert thermal.free_energy[0] * to_joule_per_mole / 1000 == pytest.approx(-6.808753, abs=3e-4)
    assert thermal.entropy[0] * to_joule_per_mole == pytest.approx(74.268068, abs=3e-4)
    assert thermal.heat_capacity[0] * to_joule_per_mole == pytest.approx(47.838756, abs=3e-4)
    assert thermal.n_imaginary == 0
    sodium, chlorine = mean_square_displacements(modes, 300.0).diagonal(axis1=1, axis2=2).mean(axis=1)
    assert 0.01 < chlorine < 0.04  # X-ray B about 1.5 Å² for both ions at 300 K: <u²> = B/8pi² = 0.02 Å²
    assert 0.01 < sodium < 0.04


def born_charges(path: Path, unit_cell: Atoms, primitive: list[list[float]]) -> dict[str, NDArray[np.float64]]:
    from phonopy.structure.atoms import PhonopyAtoms
    from phonopy.structure.cells import get_primitive

    unit = PhonopyAtoms(
        symbols=unit_cell.get_chemical_symbols(),
        cell=unit_cell.cell.array,
        scaled_positions=unit_cell.get_scaled_positions(),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = parse_BORN(get_primitive(unit, np.array(primitive).T), filename=str(path))
    return {"born": read["born"], "dielectric": read["dielectric"]}


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
    expected = rotation.T @ velocity_covariances(one, 300.0) @ rotation
    np.testing.assert_allclose(velocity_covariances(other, 300.0), expected, rtol=1e-3, atol=10.0)


def test_displaced_cells_are_free_and_the_cell_is_left_alone() -> None:
    sheet = copper_sheet()
    sheet.set_constraint(FixAtoms([1]))
    before = sheet.copy()
    displaced = displacements(sheet, (2, 2, 1), distance=0.02)
    assert sheet == before
    assert all(not supercell.constraints for supercell in displaced.supercells)
    moved = np.linalg.norm(displaced.supercells[0].positions - displaced.perfect.positions, axis=1)
    assert moved.max() == pytest.approx(0.02, abs=1e-8)
    assert (moved > 1e-8).sum() == 1


def test_displaced_calculations_are_single_energies_of_the_same_density_of_k_points() -> None:
    settings = Settings(source="test", kpoints=(4, 3, 1), cutoff_energy=350.0)
    displaced = displacements(copper_sheet(), (2, 2, 1))
    made = phonon_calculations("sheet", displaced, settings)
    assert len(made) == 1 + len(displaced.supercells)
    assert made[0].atoms == displaced.perfect
    assert {c.settings.relax for c in made} == {"none"}
    assert made[0].settings.kpoints == (2, 2, 1)
    assert made[0].settings.cutoff_energy == 350.0
    assert [c.role.displacement for c in made] == list(range(len(made)))


def finished(atoms: Atoms, forces: NDArray[np.float64], *, converged: bool = True) -> CalculationResult:
    atoms = atoms.copy()
    atoms.calc = SinglePointCalculator(atoms, energy=-1.0, forces=forces)
    return CalculationResult(
        name="a", path="a/b", level_of_theory="x", energy=-1.0, atoms=atoms, converged=converged, problems=("cut",)
    )


def test_what_the_perfect_supercell_feels_is_no_answer_to_a_displacement() -> None:
    """A force field of any shape on top of all forces, as of an egg box, leaves the frequencies as they were."""
    sheet = copper_sheet()
    displaced = displacements(sheet, (2, 2, 1))
    clean = np.array([np.zeros((len(displaced.perfect), 3)), *forces(displaced, lambda _: EMT())])
    pull = np.random.default_rng(1).normal(0.0, 0.02, clean.shape[1:])
    frequencies = []
    for offset in (0.0 * pull, pull):
        runs = [finished(displaced.perfect, of_one + offset) for of_one in clean]
        modes = phonon_modes(sheet, (2, 2, 1), force_constants(displaced, forces_of(runs)), (2, 2, 1))
        frequencies.append(modes.frequencies_THz)
    np.testing.assert_allclose(frequencies[1], frequencies[0], atol=1e-6)  # translations are roots of 0


def test_the_perfect_supercell_is_the_cell_repeated() -> None:
    sheet = copper_sheet()
    sheet.calc = EMT()
    perfect = displacements(sheet, (2, 3, 1)).perfect
    perfect.calc = EMT()
    assert perfect.get_potential_energy() == pytest.approx(6 * sheet.get_potential_energy(), abs=1e-9)


def test_missing_forces_are_named() -> None:
    with pytest.raises(InputError, match="with forces"):
        forces_of([CalculationResult(name="a", path="a/b", level_of_theory="x", energy=-1.0, atoms=Atoms("Cu"))])
    with pytest.raises(InputError, match="converged run with forces, got cut"):
        forces_of([finished(Atoms("Cu"), np.zeros((1, 3)), converged=False)])
    with pytest.raises(InputError, match="shape"):
        force_constants(displacements(bulk("Cu"), (2, 2, 2)), np.zeros((3, 8, 3)))
    with pytest.raises(InputError, match="at least 1"):
        displacements(bulk("Cu"), (2, 0, 1))
