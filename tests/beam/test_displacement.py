"""Dynamic thresholds against wells of known depth, the two-body limit, closed cross-sections, and a slow scan."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene, mx2
from ase.calculators.emt import EMT
from ase.calculators.fd import calculate_numerical_forces
from ase.calculators.morse import MorsePotential
from ase.constraints import FixAtoms
from ase.units import fs, kB

from nanoslab.beam import (
    Target,
    classical_velocity_variance,
    displacement_cross_section,
    natural_target,
    threshold_beam_energy,
)
from nanoslab.beam.displacement.cross_section import DirectionalThreshold, directional_cross_section
from nanoslab.beam.displacement.directions import hemisphere, outward, require_outward, site_rotations
from nanoslab.beam.displacement.flight import Flight, Following, follow
from nanoslab.beam.displacement.outcome import Fate, Places
from nanoslab.beam.displacement.search import Search, bisect_threshold, scan_threshold
from nanoslab.beam.displacement.splice import SplicedCalculator
from nanoslab.beam.displacement.starts import force_constants, thermal_start
from nanoslab.beam.loss.repulsion import closest_approach, zbl_energy
from nanoslab.beam.phonon_vibration import mean_mode_energy
from nanoslab.errors import InputError

UP = (0.0, 0.0, 1.0)

#: two atoms that stay together are never at rest: after this time they will not part any more
SHORT = Following(time_fs=150.0)


def morse(depth: float) -> MorsePotential:
    return MorsePotential(epsilon=depth, r0=1.5, rho0=4.0, rcut1=30.0, rcut2=31.0)


def pair(symbols: str, depth: float, *, fixed: bool) -> Atoms:
    atoms = Atoms(symbols, positions=[[0, 0, 0], [0, 0, 1.5]])
    if fixed:
        atoms.set_constraint(FixAtoms([0]))
    atoms.calc = morse(depth)
    return atoms


def threshold(atoms: Atoms, index: int, direction: tuple[float, float, float], bracket: tuple[float, float]) -> float:
    search = Search(bracket=bracket, tolerance=0.03)
    return bisect_threshold(lambda energy: follow(atoms, index, direction, energy, SHORT), search).energy


def test_with_a_rigid_neighbour_the_threshold_is_the_depth_of_the_well() -> None:
    assert threshold(pair("CH", 2.0, fixed=True), 1, UP, (1.0, 3.0)) == pytest.approx(2.0, abs=0.02)


def test_among_rigid_neighbours_the_threshold_is_the_binding_energy() -> None:
    square = [[1.5, 0, 0], [-1.5, 0, 0], [0, 1.5, 0], [0, -1.5, 0]]
    atoms = Atoms("C4H", positions=[*square, [0, 0, 0.0]], constraint=FixAtoms(range(4)))
    atoms.calc = morse(1.0)  # all four at the bottom of their wells, 4 x 1 eV, and not one at another's
    alone = atoms[:4]
    alone.calc = morse(1.0)
    binding = alone.get_potential_energy() - atoms.get_potential_energy()
    assert binding == pytest.approx(4.0, abs=1e-6)
    assert threshold(atoms, 4, UP, (2.0, 6.0)) == pytest.approx(binding, abs=0.03)


@pytest.mark.parametrize(
    ("symbols", "mass", "partner"),
    [("CH", 1.008, 12.011), pytest.param("HC", 12.011, 1.008, marks=pytest.mark.slow)],
)
def test_a_free_partner_takes_its_share_of_the_momentum(symbols: str, mass: float, partner: float) -> None:
    """Only the energy of the relative motion, T M/(m + M), can part the two: E_d = D (m + M)/M."""
    expected = 1.0 * (mass + partner) / partner
    found = threshold(pair(symbols, 1.0, fixed=False), 1, UP, (0.5 * expected, 1.5 * expected))
    assert found == pytest.approx(expected, rel=0.02, abs=0.02)


def test_bisection_and_a_slow_scan_find_the_same_to_a_tenth_of_an_ev() -> None:
    atoms = pair("CN", 3.0, fixed=False)

    def fly(energy: float) -> Flight:
        return follow(atoms, 1, (0.3, 0.0, 1.0), energy, SHORT)

    fast = bisect_threshold(fly, Search(bracket=(4.0, 9.0)))
    slow = scan_threshold(fly, np.arange(fast.low - 0.15, fast.high + 0.2, 0.1))
    assert fast.energy == pytest.approx(slow.energy, abs=0.1)
    assert fast.high - fast.low <= 0.1


def test_a_bracket_that_does_not_hold_the_threshold_is_moved() -> None:
    def fly(energy: float) -> Flight:
        return Flight(energy, "left" if energy > 21.5 else "returned", None, 0.0, 0.0, 1, 1.0, 1.0)

    for bracket in ((1.0, 3.0), (40.0, 90.0), (0.0, 100.0)):
        found = bisect_threshold(fly, Search(bracket=bracket))
        assert found.low <= 21.5 < found.high <= found.low + 0.1
    assert bisect_threshold(fly, Search(bracket=(1.0, 3.0), ceiling=20.0)).energy == np.inf
    energies = [flight.energy for flight in found.flights]
    assert energies == sorted(set(energies)), "no energy is flown twice"


def test_the_energy_drifts_with_the_square_of_the_step() -> None:
    atoms = pair("C2", 3.0, fixed=True)
    drifts = [
        follow(atoms, 1, UP, 2.0, Following(step_A=1.0, longest_step_fs=step, time_fs=25.0)).drift
        for step in (0.4, 0.2)
    ]
    assert drifts[0] / drifts[1] == pytest.approx(4.0, rel=0.25)


def test_the_flight_does_not_change_its_atoms_and_turns_with_them() -> None:
    atoms = pair("CN", 2.0, fixed=False)
    before = atoms.copy()
    turned = atoms.copy()
    turned.rotate(70, (1, 2, 3))
    turned.calc = morse(2.0)
    first = follow(atoms, 1, atoms.positions[1], 6.0)
    second = follow(turned, 1, turned.positions[1], 6.0)
    assert atoms == before
    assert (first.outcome, first.gone) == (second.outcome, second.gone) == ("left", 1)
    assert first.time_fs == pytest.approx(second.time_fs, rel=1e-6)


# what became of the atoms


def square(n: int = 4) -> Atoms:
    places = np.indices((n, n)).reshape(2, -1).T * 2.5
    positions = np.column_stack([places, np.full(len(places), 10.0)])
    return Atoms(f"C{n * n}", positions=positions, cell=[2.5 * n, 2.5 * n, 20], pbc=True)


def settled(moved: dict[int, list[float]]) -> str | None:
    atoms = square()
    fate = Fate(Places(atoms), 5, 4.0, 50.0)
    now = atoms.copy()
    now.set_velocities(np.zeros((16, 3)))
    for atom, position in moved.items():
        now.positions[atom] = position
    for time in np.arange(0.0, 300.0, 5.0):
        fate.update(now, np.zeros((16, 3)), float(time))
        if fate.outcome:
            break
    return fate.outcome


def test_outcomes_are_told_from_places() -> None:
    places = square().positions
    assert settled({}) == "returned"
    assert settled({5: [*places[5][:2], 10.8]}) == "returned", "within half the distance of the neighbours"
    assert settled({5: [*places[5][:2], 12.0]}) == "hopped"
    assert settled({5: list(places[6]), 6: list(places[5])}) == "replaced"
    assert settled({5: list(places[6]), 6: [*places[6][:2], 12.0]}) == "replaced"
    assert settled({9: [*places[9][:2], 12.0]}) == "hopped", "the kicked atom is home, another is not"


def test_places_are_the_same_in_a_skewed_cell_and_across_its_edges() -> None:
    sheet = graphene(size=(3, 3, 1), vacuum=8.0)
    sheet.pbc = True
    places = Places(sheet)
    assert places.radii == pytest.approx(0.71, abs=0.01)
    shifted = sheet.positions + np.array([2, -3, 0]) @ sheet.cell.array
    assert places.of(shifted).tolist() == list(range(18))


def test_a_sheet_that_drifts_as_a_whole_stays_at_its_places() -> None:
    atoms = square()
    fate = Fate(Places(atoms), 5, 4.0, 50.0)
    atoms.set_velocities(np.zeros((16, 3)))
    for step in range(30):
        atoms.positions[:, 2] += 0.2
        fate.update(atoms, np.zeros((16, 3)), 5.0 * step)
    assert fate.outcome == "returned"


# repulsion


@pytest.fixture(scope="module")
def spliced() -> SplicedCalculator:
    return SplicedCalculator(morse(3.0), ("C", "N"))


def test_two_atoms_close_by_repel_as_the_universal_repulsion_and_far_off_as_the_engine(
    spliced: SplicedCalculator,
) -> None:
    low, high = closest_approach("C", "N", 100.0), closest_approach("C", "N", 30.0)

    def energy(distance: float, calculator: object) -> float:
        atoms = Atoms("CN", positions=[[1, 1, 1], [1, 1, 1 + distance]])
        atoms.calc = calculator
        return float(atoms.get_potential_energy())

    for r in np.linspace(0.65 * low, low, 7):
        assert energy(r, spliced) == pytest.approx(float(zbl_energy("C", "N", r)), rel=1e-3)
    for r in (high, 1.2 * high, 2.5):
        assert energy(r, spliced) == energy(r, morse(3.0))


def test_spliced_forces_are_the_slope_of_the_spliced_energy(spliced: SplicedCalculator) -> None:
    random = np.random.default_rng(1)
    for distance in (0.6, 0.8, 0.95, 1.3):
        atoms = Atoms("CNC", positions=[[0, 0, 0], [0.1, distance, 0.2], [2, 1, 0]])
        atoms.positions += random.normal(0, 0.01, (3, 3))
        atoms.calc = spliced
        analytic = atoms.get_forces()
        assert analytic == pytest.approx(calculate_numerical_forces(atoms, eps=1e-5), rel=1e-3, abs=1e-2)


# directions


def test_the_quadrature_is_exact_for_smooth_functions_of_the_direction() -> None:
    nodes = hemisphere((1, 2, 2), 5, 12)
    axis = np.array([1, 2, 2]) / 3
    cosines = nodes.vectors @ axis
    assert nodes.vectors[0] == pytest.approx(axis)
    assert np.linalg.norm(nodes.vectors, axis=1) == pytest.approx(1)
    for power in range(9):
        assert nodes.weights @ cosines**power == pytest.approx(1 / (power + 1))
    across = nodes.vectors - cosines[:, None] * axis
    assert nodes.weights @ across == pytest.approx(0, abs=1e-12)
    assert np.einsum("n,ni,nj->ij", nodes.weights, across, across) == pytest.approx(
        (np.eye(3) - np.outer(axis, axis)) / 3
    )


def test_symmetry_leaves_ten_of_37_directions_in_graphene() -> None:
    sheet = graphene(vacuum=8.0)
    sheet.pbc = True
    near = sheet.positions[1] - sheet.positions[0]
    nodes = hemisphere(UP, 4, 12, rotations=site_rotations(sheet, 0), zero=near)
    assert (len(nodes.weights), len(nodes.distinct)) == (37, 10)
    # any function with the symmetry of the site is the same at equivalent directions
    neighbours = np.array([near @ rotation.T for rotation in site_rotations(sheet, 0)])
    values = (np.maximum(nodes.vectors @ neighbours.T, 0) ** 3).sum(axis=1)
    assert values == pytest.approx(values[nodes.same_as])


def test_the_way_out_of_a_sheet() -> None:
    sheet = mx2("MoS2", vacuum=8.0)
    sheet.pbc = True
    top, bottom = np.argmax(sheet.positions[:, 2]), np.argmin(sheet.positions[:, 2])
    assert outward(sheet, int(top)) == pytest.approx([0, 0, 1])
    assert outward(sheet, int(bottom)) == pytest.approx([0, 0, -1])
    assert outward(bulk("Cu"), 0) is None
    require_outward(sheet, int(top), (1, 0, 0.5))
    with pytest.raises(InputError, match=f"direction of atom {top}: expected one out of the slab, got 0 0 -1, into it"):
        require_outward(sheet, int(top), (0, 0, -1))


# cross-sections


def alike(energy: float, axis: tuple[float, float, float] = UP, n: int = 5) -> DirectionalThreshold:
    nodes = hemisphere(axis, n, 12)
    return DirectionalThreshold(
        vectors=nodes.vectors, energies=np.full(len(nodes.weights), energy), weights=nodes.weights
    )


@pytest.mark.parametrize("energy", [2.25, 5.12, 6.5])
@pytest.mark.parametrize("beam", [UP, (1.0, -1.0, 0.5)])
def test_a_threshold_alike_in_all_directions_gives_the_spherical_total(energy: float, beam: tuple) -> None:
    found = directional_cross_section(Target(element="Se"), 200, alike(energy, beam), beam)
    assert found == pytest.approx(displacement_cross_section("Se", 200, energy), rel=1e-5)
    variance = classical_velocity_variance("Se", 300)
    warm = directional_cross_section(natural_target("Se"), 200, alike(energy, beam), beam)
    expected = displacement_cross_section("Se", 200, energy, masses="isotopes", velocity_variance=variance)
    assert warm == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("energy", [2.25, 5.12])
def test_the_momentum_along_the_normal_gives_the_planar_total(energy: float) -> None:
    nodes = hemisphere(UP, 8, 24)
    cosines = np.maximum(nodes.vectors[:, 2], 1e-3)
    planar = DirectionalThreshold(vectors=nodes.vectors, energies=energy / cosines**2, weights=nodes.weights)
    found = directional_cross_section(Target(element="Se"), 200, planar, UP)
    # 1/E_d is a polynomial here; what is left is the interpolation between 24 azimuths
    assert found == pytest.approx(displacement_cross_section("Se", 200, energy, escape="planar"), rel=3e-3)


def test_the_cross_section_opens_at_the_voltage_of_the_threshold() -> None:
    opens = threshold_beam_energy("C", 21.14)
    target = Target(element="C")
    assert directional_cross_section(target, 0.999 * opens, alike(21.14), UP) == 0.0
    assert directional_cross_section(target, 1.02 * opens, alike(21.14), UP) > 0.0


def test_half_of_the_directions_closed_halve_the_cross_section() -> None:
    nodes = hemisphere(UP, 6, 48)
    open_side = nodes.vectors[:, 0] > -1e-9
    energies = np.where(open_side, 4.0, np.inf)
    one_side = DirectionalThreshold(vectors=nodes.vectors, energies=energies, weights=nodes.weights)
    found = directional_cross_section(Target(element="Se"), 200, one_side, UP)
    assert found == pytest.approx(displacement_cross_section("Se", 200, 4.0) / 2, rel=0.06)
    assert one_side.mean == np.inf
    assert one_side.minimum == 4.0


# thermal starts


def copper() -> Atoms:
    atoms = bulk("Cu", cubic=True).repeat((2, 2, 2))
    atoms.calc = EMT()
    return atoms


def test_maxwell_starts_have_the_temperature_and_no_momentum() -> None:
    atoms = copper()
    starts = [thermal_start(atoms, "maxwell", 300.0, seed) for seed in range(60)]
    kinetic = np.mean([start.get_kinetic_energy() for start in starts])
    # 3 (N - 1) degrees of freedom; 60 starts of 93 leave 1.9 %
    assert kinetic == pytest.approx(1.5 * kB * 300 * 31, rel=0.06)
    assert starts[0].get_momenta().sum(axis=0) == pytest.approx(0, abs=1e-9)
    assert starts[0].get_array("places") == pytest.approx(atoms.positions)
    again = thermal_start(atoms, "maxwell", 300.0, 0)
    assert np.array_equal(again.get_velocities(), starts[0].get_velocities())
    assert not np.array_equal(again.get_velocities(), starts[1].get_velocities())


@pytest.mark.parametrize(
    ("motion", "temperature"), [("harmonic", 0.0), ("harmonic", 300.0), ("harmonic-classical", 300.0)]
)
def test_harmonic_starts_hold_half_of_the_energy_of_their_modes(motion: str, temperature: float) -> None:
    atoms = copper()
    constants = force_constants(atoms)
    roots = np.repeat(atoms.get_masses(), 3) ** -0.5
    squares = np.linalg.eigvalsh(constants * np.outer(roots, roots))[3:]
    terahertz = np.sqrt(squares) / (2 * np.pi) * fs * 1e3
    energy = mean_mode_energy(terahertz, temperature) if motion == "harmonic" else np.full(93, kB * temperature)
    kinetic = [
        thermal_start(atoms, motion, temperature, seed, force_constants=constants).get_kinetic_energy()
        for seed in range(60)
    ]
    assert np.mean(kinetic) == pytest.approx(energy.sum() / 2, rel=0.06)


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (lambda: Search(bracket=(5.0, 3.0)), "two rising energies"),
        (lambda: Search(counts=("gone",)), "counts"),
        (lambda: Search(tolerance=0.0), "tolerance of the threshold"),
        (lambda: Following(time_fs=-1.0), "time_fs"),
        (lambda: follow(pair("C2", 1.0, fixed=True), 1, (0, 0, 0), 5.0), "direction of the kick"),
        (lambda: follow(pair("C2", 1.0, fixed=True), 7, UP, 5.0), "an index below 2"),
        (lambda: follow(pair("C2", 1.0, fixed=True), 0, UP, 5.0), "fixed"),
        (lambda: thermal_start(copper(), "boltzmann", 300.0, 0), "motion"),
        (lambda: thermal_start(copper(), "harmonic", 300.0, 0), "force constants"),
        (lambda: alike(-1.0), "thresholds by direction"),
    ],
)
def test_bad_arguments_are_one_line(fault, named: str) -> None:
    with pytest.raises(InputError, match=named) as caught:
        fault()
    assert "\n" not in str(caught.value)
