"""Atoms that leave only where their way is free: geometry, conservation, the law of a column, the limits."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from nanoslab.beam import (
    Irradiation,
    SiteEnergy,
    Target,
    bond_counting_thresholds,
    classical_velocity_variance,
    displacement_cross_section,
    etch_sites,
    layers_along,
    site_thresholds,
    surviving_fraction,
)
from nanoslab.beam.loss.paths import Surroundings, open_across_vacuum
from nanoslab.beam.loss.recoils import recoils
from nanoslab.beam.loss.repulsion import closest_approach, zbl_energy
from nanoslab.beam.loss.site_etching import INSIDE, LEFT
from nanoslab.builders import build_nanosheet
from nanoslab.errors import InputError


def sheet(repeat: int = 3) -> Atoms:
    return build_nanosheet("CdSe-wurtzite", "11-20", monolayers=5).repeat((repeat, repeat, 1))


def energies(se: float = 5.12, cd: float = 9.0) -> list[SiteEnergy]:
    return [SiteEnergy(element="Se", energy=se), SiteEnergy(element="Cd", energy=cd)]


def under(doses: object, **changes: object) -> Irradiation:
    return Irradiation(beam_energy_keV=200, doses_e_per_A2=doses, **changes)


def test_atoms_far_apart_follow_the_exponential_law() -> None:
    cloud = Atoms("Se200", positions=np.indices((10, 10, 2)).reshape(3, -1).T * 12.0)
    pairs = cloud + Atoms("Cd200", positions=cloud.positions + np.array([0, 0, 2.6]))
    thresholds = site_thresholds(pairs, energies(cd=50.0))
    doses = [2e5, 1e6]
    etching = etch_sites(pairs, thresholds, under(doses), n_runs=10, seed=3)
    p = surviving_fraction(displacement_cross_section("Se", 200, 5.12, masses="isotopes"), np.array(doses))
    sigma = np.sqrt(200 * p * (1 - p) / 10)
    assert np.all(np.abs(etching.mean_counts("Se") - 200 * p) < 3.5 * sigma)
    assert set(etching.outcomes["Se"]["exit face"][:, -1] + etching.counts["Se"][:, -1]) == {200}


def test_an_atom_above_another_stays_and_is_counted() -> None:
    """The electrons fly down: Se below leaves through the exit face, Se above Cd is stopped by it."""
    column = Atoms("SeCd", positions=[[0, 0, 0], [0, 0, 2.6]])
    covered = Atoms("CdSe", positions=[[0, 0, 0], [0, 0, 2.6]])
    free, stopped = (
        etch_sites(atoms, site_thresholds(atoms, energies(6.5, 50.0)), under([1e9]), n_runs=20)
        for atoms in (column, covered)
    )
    assert free.counts["Se"].max() == 0
    assert free.outcomes["Se"]["exit face"].min() == 1
    assert free.outcomes["Cd"]["freed"].min() == 1
    assert stopped.counts["Se"].min() == 1
    assert stopped.outcomes["Se"]["interstitial"].min() > 0, "Cd needs 50 eV: it cannot be replaced"
    up = under([1e9], beam_direction=(0, 0, 3.0))
    turned = etch_sites(covered, site_thresholds(covered, energies(6.5, 50.0)), up, n_runs=3)
    assert turned.counts["Se"].max() == 0


def test_a_light_blow_does_not_replace_and_a_hard_one_does() -> None:
    covered = Atoms("CdSe", positions=[[0, 0, 0], [0, 0, 2.6]])
    rows = [SiteEnergy(element="Se", energy=6.0), SiteEnergy(element="Cd", energy=5.5)]
    still = {element: Target(element=element) for element in ("Cd", "Se")}
    etching = etch_sites(covered, site_thresholds(covered, rows), under([1e8], targets=still), n_runs=1)
    # 4 m M/(m + M)² = 0.969: all recoils from 6 eV on hand over at least 5.8 eV
    assert etching.outcomes["Se"]["replacement"][0, 0] > 0 == etching.outcomes["Se"]["interstitial"][0, 0]


def test_atoms_are_conserved_and_the_exit_face_goes_first() -> None:
    atoms = sheet()
    before = atoms.copy()
    doses = np.linspace(0, 1e6, 6)
    etching = etch_sites(atoms, site_thresholds(atoms, energies()), under(doses), n_runs=6, seed=2)
    for element, by in etching.outcomes.items():
        start = atoms.get_chemical_symbols().count(element)
        left = sum(by[name] for name in LEFT)
        assert np.array_equal(etching.counts[element] + left, np.full_like(left, start))
        assert np.array_equal(etching.layer_counts[element].sum(axis=0), etching.counts[element])
        assert all(np.all(np.diff(by[name], axis=1) >= 0) for name in (*LEFT, *INSIDE))
    lost = etching.layer_counts["Se"][:, :, 0] - etching.layer_counts["Se"][:, :, -1]
    assert np.all(lost.mean(axis=1)[0] > 2 * lost.mean(axis=1)[1:])
    assert lost[2:].sum() < 0.1 * lost.sum()
    assert atoms == before
    again = etch_sites(atoms, site_thresholds(atoms, energies()), under(doses), n_runs=6, seed=2)
    assert again.to_dict() == etching.to_dict()


def test_a_repeated_cell_loses_the_same_share() -> None:
    small, large = (
        etch_sites(atoms, site_thresholds(atoms, energies()), under([3e5]), n_runs=runs, seed=5)
        for atoms, runs in ((sheet(2), 90), (sheet(3), 40))
    )
    shares = [1 - e.counts["Se"][:, 0] / n for e, n in ((small, 40), (large, 90))]
    errors = [s.std(ddof=1) / np.sqrt(len(s)) for s in shares]
    assert shares[0].mean() == pytest.approx(shares[1].mean(), abs=3.5 * np.hypot(*errors))


def test_first_in_the_way_is_the_nearest_that_is_left() -> None:
    chain = Atoms("SeCdSeCd", positions=[[0, 0, 0], [0, 0, -2.6], [0, 0, -5.2], [4, 0, -1]])
    around = Surroundings(chain, {"Se": 5.0, "Cd": 5.0})
    alive = np.ones(4, dtype=bool)
    down, side = np.array([0, 0, -1.0]), np.array([1.0, 0, 0])
    assert around.first_in_the_way(0, down, alive) == 1
    alive[1] = False
    assert around.first_in_the_way(0, down, alive) == 2
    assert around.first_in_the_way(0, -down, alive) is None
    assert around.first_in_the_way(0, side, alive) == 3, "1 Å off the path, closer than the two can come"


def test_the_other_side_of_the_vacuum_is_not_in_the_way() -> None:
    atoms = sheet(1)
    atoms.wrap()
    shifted = atoms.copy()
    shifted.translate([0, 0, 0.5 * atoms.cell[2, 2]])
    shifted.wrap()  # the sheet now crosses the edge of the cell
    for one in (atoms, shifted):
        opened = open_across_vacuum(one)
        assert opened.pbc.tolist() == [True, True, False]
        assert np.ptp(opened.positions[:, 2]) < 12
        assert sorted(layers_along(one).tolist()) == sorted(layers_along(atoms).tolist())
    assert open_across_vacuum(bulk("CdSe", "zincblende", a=6.05)).pbc.all()


def test_recoils_have_the_moments_of_the_differential_cross_section() -> None:
    target = Target(element="Se", model="rutherford")
    found = recoils(target, 200, 3.0)
    random = np.random.default_rng(0)
    drawn = np.array([found.draw(random)[1] for _ in range(20000)])
    top = found.largest_energy
    # dσ/dT ~ 1/T²: the mean energy is ln(top/low)/(1/low - 1/top)
    expected = np.log(top / 3.0) / (1 / 3.0 - 1 / top)
    assert drawn.min() >= 2.99
    assert drawn.mean() == pytest.approx(expected, abs=4 * drawn.std() / np.sqrt(len(drawn)))


def test_a_moving_atom_may_pass_below_its_threshold() -> None:
    target = Target(element="Se", velocity_variance=classical_velocity_variance("Se", 300))
    found = recoils(target, 200, 6.9)
    assert found.cosines[0] ** 2 * found.largest_energy < 6.2
    planar = recoils(target, 200, 4.0, escape="planar")
    assert np.interp(0.5, planar.cumulative, planar.cosines) > 0.85


def test_site_energies_the_most_particular_wins_and_bonds_fill_the_rest() -> None:
    atoms = sheet(1)
    rows = [
        SiteEnergy(element="Se", energy=4.47, n_neighbours=3, source="DFT surface"),
        SiteEnergy(element="Se", energy=5.24, n_neighbours=4, layer=2, source="DFT layer 2"),
        SiteEnergy(element="Se", energy=5.39, n_neighbours=4, source="DFT layer 3"),
        SiteEnergy(element="Cd", energy=8.0),
    ]
    found = site_thresholds(atoms, rows)
    layers = layers_along(atoms)
    for atom in np.flatnonzero(atoms.symbols == "Se"):
        depth = min(layers[atom], 6 - layers[atom])
        full = {1: 5.39, 2: 5.24, 3: 5.39}[depth]
        assert found.by_neighbours[atom].tolist() == pytest.approx([0, 4.47 / 3, 4.47 * 2 / 3, 4.47, full])
        assert found.sources[atom] == {1: "DFT surface", 2: "DFT layer 2", 3: "DFT layer 3"}[depth]
    assert found.by_neighbours[atoms.symbols == "Cd", 1:].tolist() == [[8.0] * 4] * 10
    with pytest.raises(ValueError, match="read-only"):
        found.by_neighbours[0, 0] = 1


def test_bond_counting_is_linear_in_the_bonds() -> None:
    found = bond_counting_thresholds(sheet(1), {"Cd": 2.33, "Se": 2.33})
    assert found.by_neighbours[0].tolist() == pytest.approx([0, 1.165, 2.33, 3.495, 4.66])


def test_universal_repulsion() -> None:
    """Two bare nuclei at short range, and an independent number: H-H at 1 Å, 14.3996 φ(1/0.2342) eV."""
    from ase.units import Bohr, Hartree

    assert zbl_energy("Cd", "Se", 1e-6) == pytest.approx(48 * 34 * Hartree * Bohr / 1e-6, rel=1e-4)
    x = 1 / (0.8854 * Bohr / 2)
    phi = 0.18175 * np.exp(-3.1998 * x) + 0.50986 * np.exp(-0.94229 * x) + 0.28022 * np.exp(-0.4029 * x)
    phi += 0.02817 * np.exp(-0.20162 * x)
    assert zbl_energy("H", "H", 1.0) == pytest.approx(14.399645 * phi, rel=1e-6)
    assert zbl_energy("Cd", "Se", closest_approach("Cd", "Se", 6.0)) == pytest.approx(6.0, rel=1e-5)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"escape": "sphere-averaged"}, "spherical or planar"),
        ({"beam_direction": (0, 0, 0)}, "beam direction"),
        ({"n_runs": 0}, "number of runs"),
        ({"doses_e_per_A2": [2, 1]}, "increasing"),
        ({"beam_energy_keV": 2e5}, "did you mean 200"),
    ],
)
def test_bad_arguments_are_one_line(change: dict, named: str) -> None:
    atoms = sheet(1)
    change = dict(change)
    runs = change.pop("n_runs", 20)
    beam = Irradiation(**{"beam_energy_keV": 200, "doses_e_per_A2": [1e6], **change})
    with pytest.raises(InputError, match=named):
        etch_sites(atoms, site_thresholds(atoms, energies()), beam, n_runs=runs)


def test_an_element_without_energy_is_named() -> None:
    with pytest.raises(InputError, match="an energy for Cd"):
        site_thresholds(sheet(1), energies()[:1])
    with pytest.raises(InputError, match="an energy for Se"):
        bond_counting_thresholds(sheet(1), {"Cd": 2.0})
    with pytest.raises(InputError, match="those of 20 atoms"):
        etch_sites(sheet(1), site_thresholds(sheet(2), energies()), under([1.0]))


def test_a_relaxation_that_moves_nothing_changes_nothing() -> None:
    atoms, beam = sheet(2), under([3e6])
    thresholds = site_thresholds(atoms, energies())
    seen = []

    def rest(left: Atoms) -> Atoms:
        seen.append(len(left))
        return left.copy()

    still = etch_sites(atoms, thresholds, beam, n_runs=2, seed=4)
    relaxed = etch_sites(atoms, thresholds, beam, relax=rest, n_runs=2, seed=4)
    assert relaxed.to_dict() == still.to_dict()
    assert seen[0] == len(atoms) - 1
    assert len(seen) == sum(2 * len(atoms.symbols.search(e)) - n.sum() for e, n in still.counts.items())


def test_after_a_relaxation_neighbours_and_thresholds_are_those_of_where_atoms_are() -> None:
    """Se leaves Cd; what is left then moves apart, so that the last Se has no bond and is freed."""
    chain = Atoms("SeCdSe", positions=[[0, 0, 0], [0, 0, 2.6], [0, 0, 5.2]])
    rows = [SiteEnergy(element="Se", energy=4.0), SiteEnergy(element="Cd", energy=50.0)]

    def part(left: Atoms) -> Atoms:
        moved = left.copy()
        moved.positions[:, 0] += 10.0 * np.arange(len(left))
        return moved

    thresholds = site_thresholds(chain, rows)
    still = etch_sites(chain, thresholds, under([1e9]), n_runs=4)
    parted = etch_sites(chain, thresholds, under([1e9]), relax=part, n_runs=4)
    assert still.counts["Se"].tolist() == [[1]] * 4, "the upper Se has Cd in its way"
    assert parted.counts["Se"].max() == 0
    assert parted.outcomes["Se"]["freed"].min() == 1
    assert chain.positions[0, 0] == 0

    with pytest.raises(InputError, match="relaxation between losses: expected CdSe in the same order"):
        etch_sites(chain, thresholds, under([1e9]), relax=lambda left: left[::-1], n_runs=1)
