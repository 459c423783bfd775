"""Clusters: the tetrahedral series against a public structure, sizing curves both ways, a search that repeats."""

from collections import Counter
from itertools import pairwise

import networkx
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.lj import LennardJones
from ase.formula import Formula
from ase.neighborlist import neighbor_list
from scipy.sparse.csgraph import connected_components

from nanoslab.builders.clusters.candidates import build_candidate, candidate_names, candidate_record
from nanoslab.builders.clusters.search import Search, search_cluster
from nanoslab.builders.clusters.sizing import sizing_curve, sizing_curves
from nanoslab.builders.clusters.tetrahedral import build_tetrahedral_cluster, tetrahedral_counts
from nanoslab.calculation import Settings
from nanoslab.engines import engine
from nanoslab.errors import InputError

#: numbers computed from CdSe_T5.xyz of github.com/diffpy/add2019-diffpy-cmi (commit b718ae1), a = 6.077 Å; the file
#: carries no licence and is not shipped: Weisfeiler-Lehman hash of its bonds, and how often its distances occur
PUBLIC_HASH = "e12d5de5e0db9875131a2a6aeabed71e"
PUBLIC_BONDS = {("Se", 4): 35, ("Cd", 4): 4, ("Cd", 3): 24, ("Cd", 2): 24, ("Cd", 1): 4}
PUBLIC_DISTANCES = {
    ("Cd", "Cd"): {0.7071: 210, 1.0: 60, 1.2247: 240, 1.4142: 120, 1.5811: 120, 1.7321: 40},
    ("Cd", "Se"): {0.433: 140, 0.8292: 240, 1.0897: 240, 1.299: 160, 1.479: 240},
    ("Se", "Se"): {0.7071: 120, 1.0: 30, 1.2247: 120, 1.4142: 60, 1.5811: 48},
}


def bond_graph(atoms: Atoms) -> networkx.Graph:
    graph = networkx.Graph()
    for index, atom in enumerate(atoms):
        graph.add_node(index, species=atom.symbol)
    i, j = neighbor_list("ij", atoms, 3.0)
    graph.add_edges_from(zip(i.tolist(), j.tolist(), strict=True))
    return graph


def test_the_public_cluster_has_our_bonds_and_distances() -> None:
    cluster = build_tetrahedral_cluster("CdSe-zincblende", 5)
    graph = bond_graph(cluster)
    assert networkx.weisfeiler_lehman_graph_hash(graph, node_attr="species", iterations=6) == PUBLIC_HASH
    assert Counter((graph.nodes[i]["species"], degree) for i, degree in graph.degree) == PUBLIC_BONDS
    distances = cluster.get_all_distances()
    edge = 4.0 / 3.0**0.5 * distances[distances > 0].min()
    symbols = np.array(cluster.get_chemical_symbols())
    for (one, other), expected in PUBLIC_DISTANCES.items():
        pairs = (symbols[:, None] == one) & (symbols == other)
        found = distances[np.triu(pairs, 1) if one == other else pairs] / edge
        for distance, number in expected.items():
            assert np.count_nonzero(np.abs(found - distance) < 3e-4) == number


@pytest.mark.parametrize("order", range(1, 8))
def test_the_series_is_neutral_as_whole_numbers_and_as_structures(order: int) -> None:
    cations, anions, ligands = tetrahedral_counts(order)
    assert 2 * cations - 2 * anions - ligands == 0
    cluster = build_tetrahedral_cluster("CdSe-zincblende", order, ligand="Cl")
    assert cluster.symbols.formula.count() == {"Cd": cations, "Se": anions, "Cl": ligands}
    assert cluster.info["ledger"]["formal_charge"] == 0
    assert cluster.info["recipe"]["closest_contact_bonds"] >= 0.8


def test_faults_of_clusters_are_one_line() -> None:
    with pytest.raises(InputError, match="a zinc-blende crystal"):
        build_tetrahedral_cluster("CdSe-wurtzite", 5)
    with pytest.raises(InputError, match="one of charge -1"):
        build_tetrahedral_cluster("CdSe-zincblende", 5, ligand="octylamine")
    with pytest.raises(InputError, match="order"):
        tetrahedral_counts(0)
    with pytest.raises(InputError, match="345 to 700 nm"):
        sizing_curve("CdSe-Yu2003").diameter(1200.0)
    with pytest.raises(InputError, match="did you mean CdSe-Yu2003"):
        sizing_curve("CdSe-Yu")


@pytest.mark.parametrize(
    ("peak", "diameter", "units"), [(350, 1.09, 12), (380, 1.37, 25), (403, 1.58, 38), (437, 1.85, 61), (467, 2.06, 84)]
)
def test_the_table_of_palencia_2020_both_ways(peak: float, diameter: float, units: int) -> None:
    # printed diameters (doi:10.1039/d0nr05879c); 467 nm gives 2.08 nm by the polynomial, 2.06 is printed
    curve = sizing_curve("CdSe-Yu2003")
    assert curve.diameter(peak) == pytest.approx(diameter, abs=0.021)
    assert curve.wavelength(diameter) == pytest.approx(peak, abs=3.0)
    assert curve.n_units(diameter) == units


@pytest.mark.parametrize("curve", sizing_curves(), ids=lambda curve: curve.name)
def test_curves_rise_and_are_their_own_inverse(curve: object) -> None:
    peaks = np.linspace(*curve.wavelengths, 100)
    diameters = [curve.diameter(float(peak)) for peak in peaks]
    assert np.all(np.diff(diameters) > 0)
    assert [curve.wavelength(d) for d in diameters[5::30]] == pytest.approx(peaks[5::30].tolist())
    assert curve.n_units(diameters[50]) > 10


def test_two_curves_of_one_compound_agree_in_the_middle_of_their_ranges() -> None:
    both = [curve.diameter(570.0) for curve in sizing_curves("CdSe")]
    assert both[0] == pytest.approx(both[1], rel=0.1)


@pytest.mark.parametrize("name", candidate_names())
def test_a_shipped_candidate_is_whole_neutral_and_says_how_it_was_found(name: str) -> None:
    cluster, record = build_candidate(name), candidate_record(name)
    assert cluster.info["ledger"]["formal_charge"] == 0
    assert cluster.symbols.formula.count() == Formula(name.replace("CdSe", "(CdSe)")).count()
    distances = cluster.get_all_distances() + 9.0 * np.eye(len(cluster))
    assert distances.min() > 2.2  # no two atoms nearer than 85 % of a bond
    assert connected_components(distances < 3.2)[0] == 1
    like = {("Cd", "Cd"): 2.6, ("Se", "Se"): 2.6, ("S", "S"): 2.6}
    assert not len(neighbor_list("i", cluster, like))  # no bonds between like atoms
    first = record["engines"][0]
    assert record["energy_eV"] == pytest.approx(first["lowest_energy_eV"])
    assert first["relaxed"] == len(first["energies_above_lowest_eV"])
    assert record["search"]["starts"] == sum(record["search"]["starts_by_kind"].values())
    assert record["largest_force_eV_per_A"] <= 0.06
    assert record["not_searched"].startswith("not searched:")


def test_the_shipped_cdse13_is_a_minimum_of_the_engine_that_found_it() -> None:
    # CHGNet's energy of the shipped file, as recorded: the file and the number belong together
    pytest.importorskip("chgnet")
    cluster = build_candidate("CdSe13", vacuum=16.0)
    cluster.calc = engine("chgnet").calculator(cluster, Settings(source="test"))
    assert cluster.get_potential_energy() == pytest.approx(candidate_record("CdSe13")["energy_eV"], abs=2e-3)
    assert np.abs(cluster.get_forces()).max() < 0.05


def test_a_cluster_that_was_not_searched_is_refused_with_those_that_were() -> None:
    with pytest.raises(InputError, match="CdSe13"):
        build_candidate("CdSe14")


def test_a_search_finds_the_known_minimum_and_repeats() -> None:
    # LJ7 is the pentagonal bipyramid at -16.505384 (Cambridge Cluster Database), whatever the start
    start = Atoms("Ar7", positions=np.random.default_rng(3).uniform(0, 2.2, (7, 3)))
    found = search_cluster(start, LennardJones(rc=50.0), Search(hops=12, seed=1, temperature=3000.0))
    assert found.energy == pytest.approx(-16.505384, abs=0.02)
    again = search_cluster(start, LennardJones(rc=50.0), Search(hops=12, seed=1, temperature=3000.0))
    assert np.array_equal(found.atoms.positions, again.atoms.positions)
    assert found.atoms.info["recipe"]["parameters"]["seed"] == 1
    energies = [energy for energy, _ in found.minima]
    assert energies[0] == found.energy
    assert all(later - one > 2e-3 for one, later in pairwise(energies))
    assert energies[1] == pytest.approx(-15.935, abs=0.002)  # LJ7's second minimum, the capped octahedron
