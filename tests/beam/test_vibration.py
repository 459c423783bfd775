"""Velocity averages against closed limits, quadrature, and phonopy's own thermal motion."""

import numpy as np
import pytest
from scipy.constants import atomic_mass, hbar, k
from scipy.integrate import quad

from nanoslab.beam import (
    classical_velocity_variance,
    debye_velocity_variance,
    displacement_cross_section,
    dos_velocity_variance,
    phonopy_velocity_covariance,
    velocity_tensors,
    velocity_variance_along,
)
from nanoslab.beam.phonon_vibration import mean_mode_energy
from nanoslab.errors import InputError


def test_independent_numbers() -> None:
    """12C with 1287 K, Se with 181 K, classical Se [m²/s²], computed independently to 6 digits."""
    assert debye_velocity_variance(12.0, 1287, 300) == pytest.approx(3.67644e5, rel=2e-6)
    assert debye_velocity_variance(12.0, 1287, 0) == pytest.approx(3.34397e5, rel=2e-6)
    assert debye_velocity_variance("Se", 181, 300) == pytest.approx(3.21579e4, rel=2e-6)
    assert classical_velocity_variance("Se", 300) == pytest.approx(3.15855e4, rel=2e-6)


@pytest.mark.parametrize("temperature", [1.0, 20.0, 77.0, 300.0, 2000.0])
@pytest.mark.parametrize("debye", [40.0, 181.0, 2230.0])
def test_debye_equals_the_average_over_its_density_of_states(temperature: float, debye: float) -> None:
    top = k * debye / hbar

    def integrand(w: float) -> float:
        half = hbar * w / (2 * k * temperature)
        return 3 * w**2 / top**3 * hbar * w / 2 / np.tanh(half)

    expected = quad(integrand, 0, top, epsrel=1e-10)[0] / (112.414 * atomic_mass)
    assert debye_velocity_variance("Cd", debye, temperature) == pytest.approx(expected, rel=1e-7)


def test_zero_point_motion_and_classical_limit() -> None:
    assert debye_velocity_variance("C", 1000, 0) == pytest.approx(3 * k * 1000 / (8 * 12.011 * atomic_mass), rel=1e-7)
    assert debye_velocity_variance("C", 1000, 1e-3) == pytest.approx(debye_velocity_variance("C", 1000, 0), rel=1e-9)
    # the leading quantum correction is (θ/T)²/20
    hot = debye_velocity_variance("Pb", 105, 3000) / classical_velocity_variance("Pb", 3000)
    assert hot == pytest.approx(1 + (105 / 3000) ** 2 / 20, abs=1e-7)
    assert classical_velocity_variance("Pb", 0) == 0


def test_density_of_states_of_one_frequency_is_an_oscillator() -> None:
    frequency, temperature = 6.0, 150.0
    grid = np.linspace(0, 12, 4001)
    density = np.exp(-((grid - frequency) ** 2) / (2 * 0.01**2))
    quantum = hbar * 2 * np.pi * frequency * 1e12
    expected = quantum / 2 / np.tanh(quantum / (2 * k * temperature)) / (32.06 * atomic_mass)
    assert dos_velocity_variance(grid, density, 32.06, temperature) == pytest.approx(expected, rel=1e-5)
    assert dos_velocity_variance(grid, 7 * density, 32.06, temperature) == pytest.approx(expected, rel=1e-5)


def test_mean_energy_of_soft_and_hard_modes() -> None:
    energies = mean_mode_energy([-0.05, 0.0, 1e-9, 50.0], 300)
    assert energies[:3] == pytest.approx([k * 300 / 1.602176634e-19] * 3, rel=1e-9)
    assert energies[3] == pytest.approx(mean_mode_energy(50.0, 0), rel=1e-3)


class Springs:
    """An Einstein crystal as phonopy says it: two atoms, three branches each, every branch along one axis."""

    frequencies_per_axis = np.array([[2.0, 2.0, 8.0], [3.0, 5.0, 7.0]])

    class Primitive:
        masses = np.array([112.414, 78.971])

    class Mesh:
        def __init__(self, weights: tuple[int, ...] = (1, 1, 1, 1)) -> None:
            self.weights = np.array(weights)
            self.frequencies = np.tile(Springs.frequencies_per_axis.ravel(), (len(weights), 1))
            self.eigenvectors = np.tile(np.eye(6, dtype=complex) * 1j, (len(weights), 1, 1))

    def __init__(self, **options: tuple[int, ...]) -> None:
        self.mesh, self.primitive = self.Mesh(**options), self.Primitive()


def test_covariance_of_an_anisotropic_einstein_crystal() -> None:
    tensors = velocity_tensors(Springs(), 77.0)
    assert phonopy_velocity_covariance(Springs(), 77.0) == pytest.approx(tensors)  # its name of before
    for atom, mass in enumerate(Springs.Primitive.masses):
        for axis, frequency in enumerate(Springs.frequencies_per_axis[atom]):
            quantum = hbar * 2 * np.pi * frequency * 1e12
            expected = quantum / 2 / np.tanh(quantum / (2 * k * 77)) / (mass * atomic_mass)
            assert tensors[atom, axis, axis] == pytest.approx(expected, rel=1e-7)
    assert tensors == pytest.approx(np.transpose(tensors, (0, 2, 1)))
    along_c = velocity_variance_along(tensors, [0, 0, -3.0])
    assert along_c == pytest.approx(tensors[:, 2, 2])
    assert velocity_variance_along(tensors, [1, 1, 0])[1] == pytest.approx((tensors[1, 0, 0] + tensors[1, 1, 1]) / 2)


def test_covariance_of_a_real_phonopy_calculation() -> None:
    """Al with EMT: isotropic by symmetry, kT/M when hot, equal to its projected density of states."""
    from ase import Atoms
    from ase.build import bulk
    from ase.calculators.emt import EMT
    from phonopy import Phonopy
    from phonopy.structure.atoms import PhonopyAtoms

    cell = bulk("Al", a=3.994, cubic=True)
    unit = PhonopyAtoms(cell=cell.cell[:], scaled_positions=cell.get_scaled_positions(), symbols=["Al"] * 4)
    phonon = Phonopy(unit, supercell_matrix=2 * np.eye(3, dtype=int), primitive_matrix="F")
    phonon.generate_displacements(distance=0.02)
    forces = []
    for displaced in phonon.supercells_with_displacements:
        atoms = Atoms("Al32", cell=displaced.cell, scaled_positions=displaced.scaled_positions, pbc=True)
        atoms.calc = EMT()
        forces.append(atoms.get_forces())
    phonon.forces = np.array(forces)
    phonon.produce_force_constants()
    phonon.run_mesh([8, 8, 8], with_eigenvectors=True, is_mesh_symmetry=False)
    tensor, hot = (velocity_tensors(phonon, kelvin)[0] for kelvin in (300.0, 6000.0))
    assert tensor == pytest.approx(np.eye(3) * tensor[0, 0], rel=1e-6, abs=tensor[0, 0] * 1e-6)
    assert hot[0, 0] == pytest.approx(classical_velocity_variance("Al", 6000), rel=1e-3)
    struck = [displacement_cross_section("Al", 200, 16, velocity_variance=one) for one in (tensor, tensor[0, 0])]
    assert struck[0] == pytest.approx(struck[1], rel=1e-3)
    phonon.run_projected_dos()
    dos = phonon.projected_dos
    from_dos = dos_velocity_variance(dos.frequency_points, dos.projected_dos[0], 26.9815385, 300.0)
    # the tetrahedra of the density of states on an 8x8x8 mesh
    assert from_dos == pytest.approx(tensor[0, 0], rel=0.01)


def test_what_phonopy_must_have_done_is_said() -> None:
    with pytest.raises(InputError, match="is_mesh_symmetry=False"):
        velocity_tensors(Springs(weights=(1, 2)), 300)
    bare = Springs()
    bare.mesh.eigenvectors = None
    with pytest.raises(InputError, match="with_eigenvectors=True"):
        velocity_tensors(bare, 300)


def test_imaginary_modes_move_with_their_classical_energy() -> None:
    """Equipartition: <M v²/2> = kT/2 along a coordinate, whatever the potential along it."""
    unstable = Springs()
    unstable.mesh.frequencies[:, 0] = -1.5
    along_x = velocity_tensors(unstable, 300.0)[0, 0, 0]
    assert along_x == pytest.approx(classical_velocity_variance(Springs.Primitive.masses[0], 300.0))


def test_bad_arguments_are_one_line() -> None:
    with pytest.raises(InputError, match="temperature"):
        debye_velocity_variance("Se", 181, -1)
    with pytest.raises(InputError, match="temperature"):
        classical_velocity_variance("Se", -1)
    with pytest.raises(InputError, match="Debye temperature"):
        debye_velocity_variance("Se", 0, 300)
    with pytest.raises(InputError, match="density of states"):
        dos_velocity_variance([0, 1, 2], [0, 0, 0], 12, 300)
    with pytest.raises(InputError, match="density of states"):
        dos_velocity_variance([0, 2, 1], [0, 1, 1], 12, 300)
    with pytest.raises(InputError, match="beam direction"):
        velocity_variance_along([np.eye(3)], [0, 0, 0])
