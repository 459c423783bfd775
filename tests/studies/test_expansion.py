"""Cluster expansion of ways to lose atoms: exact for sums over pairs, and spanned by icet's own."""

import numpy as np
import pytest
from ase import Atoms

from nanoslab.builders import build_nanosheet
from nanoslab.builders.enumeration import Removal, removals
from nanoslab.studies.off_stoichiometry.expansion import fit_expansion, orbit_counts


def question(selenium: int = 2, cadmium: int = 1) -> Removal:
    atoms = build_nanosheet("CdSe-wurtzite", "11-20", 5, fix="none")
    return removals(atoms, {"Se": selenium, "Cd": cadmium})[0]


def pair_energies(one: Removal, removed: np.ndarray) -> np.ndarray:
    """A function of depth and of the distances of lost atoms, which every operation of the sheet keeps."""
    atoms = one.parent
    depth = np.abs(atoms.positions[:, 2] - atoms.positions[:, 2].mean())
    distances = atoms.get_all_distances(mic=True)
    single, pair = 0.3 * depth + atoms.numbers / 50, np.exp(-distances / 2)
    return np.array(
        [single[list(way)].sum() + sum(pair[i, j] for k, i in enumerate(way) for j in way[:k]) for way in removed]
    )


def all_ways(one: Removal) -> np.ndarray:
    return np.concatenate([block.removed for block in one.blocks()])


def test_sums_over_sites_and_pairs_are_predicted_to_the_last_digit() -> None:
    one = question()
    ways = all_ways(one)
    energies = pair_energies(one, ways)
    chosen = np.random.default_rng(0).permutation(len(ways))
    seen, hidden = np.split(chosen, [2 * len(ways) // 3])
    found = fit_expansion(one, ways[seen].tolist(), energies[seen])
    assert found is not None
    assert found.error < 0.05 * found.constant_error
    assert found.beats_a_constant
    shift = found.predict(ways) - energies
    assert np.ptp(shift[seen]) < 0.02
    assert np.std(shift[hidden]) < 0.05 * np.std(energies[hidden])


def test_images_of_a_way_have_its_energy() -> None:
    one = question()
    ways = all_ways(one)
    found = fit_expansion(one, ways.tolist(), np.random.default_rng(1).normal(size=len(ways)))
    points = np.array([[np.flatnonzero(one.sites.indices == atom)[0] for atom in way] for way in ways])
    for row in one.sites.permutations:
        assert found.predict(one.sites.indices[row[points]]) == pytest.approx(found.predict(ways), abs=1e-9)


def test_noise_does_not_beat_a_constant_and_one_way_each_gives_no_fit() -> None:
    one = question()
    ways = all_ways(one)
    found = fit_expansion(one, ways.tolist(), np.random.default_rng(2).normal(size=len(ways)))
    assert found.error > 0.97 * found.constant_error
    assert fit_expansion(one, ways[:1].tolist(), [0.0]) is None


def test_leaving_one_out_is_what_fitting_without_it_gives() -> None:
    one = question()
    ways = all_ways(one)[::7]
    energies = pair_energies(one, ways) + 0.2 * np.random.default_rng(3).normal(size=len(ways))
    errors = []
    for left in range(len(ways)):
        kept = np.delete(np.arange(len(ways)), left)
        rest = energies[kept].mean()
        errors.append(energies[left] - rest)
    found = fit_expansion(one, ways.tolist(), energies)
    assert found.constant_error == pytest.approx(np.sqrt(np.mean(np.square(errors))))


@pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")
def test_sites_and_pairs_are_those_of_icet() -> None:
    icet = pytest.importorskip("icet")
    one = question(2, 0)
    counts = orbit_counts(one, all_ways(one).tolist())
    primitive = one.parent.copy()
    primitive.pbc = True
    allowed = [["Se", "X"] if symbol == "Se" else ["Cd"] for symbol in primitive.get_chemical_symbols()]
    space = icet.ClusterSpace(primitive, [9.0], allowed, symprec=1e-3)
    vectors = []
    for way in all_ways(one):
        atoms: Atoms = primitive.copy()
        atoms.symbols[list(way)] = "X"
        vectors.append(space.get_cluster_vector(atoms))
    ours, theirs = (np.column_stack([np.ones(len(rows)), rows]) for rows in (counts, np.array(vectors)))
    both = np.column_stack([ours, theirs])
    assert np.linalg.matrix_rank(ours) == np.linalg.matrix_rank(theirs) == np.linalg.matrix_rank(both)
