"""Kinetic Monte Carlo against the exponential law, a master equation, and its own seed."""

import pickle

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from nanoslab.beam import (
    Target,
    coordination_cross_sections,
    displacement_cross_section,
    etch,
    etch_by_coordination,
    site_cross_sections,
    surviving_fraction,
)
from nanoslab.beam.binding import neighbour_lists
from nanoslab.errors import InputError


def sheet(layers: int = 3, size: int = 4) -> Atoms:
    atoms = bulk("CdSe", "zincblende", a=6.05, cubic=True).repeat((size, size, layers))
    atoms.center(vacuum=8, axis=2)
    return atoms


def test_equal_sites_follow_the_exponential_within_three_sigma() -> None:
    atoms = sheet()
    barns = np.where(atoms.symbols == "Se", 140.0, 25.0)
    doses = np.array([1e5, 5e5, 1e6, 3e6])
    n_runs = 40
    etching = etch(atoms, barns, doses, n_runs=n_runs, seed=11)
    for symbol, barn in (("Se", 140.0), ("Cd", 25.0)):
        n = int((atoms.symbols == symbol).sum())
        p = surviving_fraction(barn, doses)
        sigma = np.sqrt(n * p * (1 - p) / n_runs)
        assert np.all(np.abs(etching.mean_counts(symbol) - n * p) < 3 * sigma)
        spread = etching.counts[symbol].std(axis=0, ddof=1)
        # the spread of 40 runs is known to 11 %, three times that
        assert spread == pytest.approx(np.sqrt(n * p * (1 - p)), rel=0.35)


def test_the_order_of_loss_follows_the_cross_sections() -> None:
    """The first of three atoms to go is atom i with probability σ_i/Σσ."""
    atoms = Atoms("CdSeTe", positions=np.eye(3) * 20)
    barns = np.array([100.0, 300.0, 600.0])
    first = [etch(atoms, barns, [1e12], n_runs=1, seed=seed).last_removed[0] for seed in range(2000)]
    found = np.bincount(first, minlength=3) / len(first)
    assert found == pytest.approx(barns / barns.sum(), abs=3 * 0.5 / np.sqrt(len(first)))


def test_updates_follow_the_master_equation_of_a_trimer() -> None:
    """A chain Se-Cd-Se whose middle atom is bound twice. States by what is left, solved as a linear system."""
    chain = Atoms("SeCdSe", positions=[[0, 0, 0], [0, 0, 2.6], [0, 0, 5.2]])
    ends, twice, once = 200.0, 50.0, 300.0
    tables = {"Se": [np.inf, ends], "Cd": [np.inf, once, twice]}
    dose, n_runs = 4e5, 4000
    etching = etch_by_coordination(chain, tables, [dose], n_runs=n_runs, seed=5)
    rate = 1e-8
    whole = np.exp(-(2 * ends + twice) * rate * dose)
    # whole -> pair at 2·ends; whole -> nothing at twice (both ends are freed); pair -> nothing at ends + once
    out, leave = (2 * ends + twice) * rate, (ends + once) * rate
    pair = 2 * ends * rate * (np.exp(-leave * dose) - np.exp(-out * dose)) / (out - leave)
    n_left = etching.counts["Se"][:, 0] + etching.counts["Cd"][:, 0]
    for left, probability in ((3, whole), (2, pair), (0, 1 - whole - pair)):
        sigma = np.sqrt(probability * (1 - probability) / n_runs)
        assert (n_left == left).mean() == pytest.approx(probability, abs=3.5 * sigma)
    assert set(n_left) <= {0, 2, 3}


def test_edges_go_first_where_binding_follows_neighbours() -> None:
    atoms = sheet(layers=2, size=3)
    tables = coordination_cross_sections(atoms, {"Cd": 4.5, "Se": 4.5}, 200)
    assert tables["Se"][4] == 0 < tables["Se"][2]
    assert tables["Cd"][2] > 0 == tables["Cd"][4]
    etching = etch_by_coordination(atoms, tables, [1e5], n_runs=1, seed=1)
    near = [len(n) for n in neighbour_lists(atoms)]
    assert near[etching.last_removed[0]] == 2


def test_coordination_table_is_the_cross_section_at_the_fraction_of_the_energy() -> None:
    target = Target(element="Se", model="mckinley-feshbach")
    table = coordination_cross_sections(sheet(), {"Cd": 4.5, "Se": 4.0}, 200, targets={"Se": target}, escape="planar")
    expected = displacement_cross_section("Se", 200, 2 * 4.0 * 2 / 4, model="mckinley-feshbach", escape="planar")
    assert table["Se"][2] == pytest.approx(expected, rel=1e-12)


def test_site_cross_sections_take_each_threshold() -> None:
    atoms = Atoms("CdSeSe")
    found = site_cross_sections(atoms, [np.inf, 5.12, 6.0], 200)
    expected = [0, *displacement_cross_section("Se", 200, [5.12, 6.0], masses="isotopes")]
    assert found == pytest.approx(expected, rel=1e-12)


def test_a_seed_repeats_and_another_does_not() -> None:
    atoms = sheet()
    barns = np.full(len(atoms), 100.0)
    before = atoms.copy()
    one, same, other = (etch(atoms, barns, [1e5, 1e6], n_runs=3, seed=seed) for seed in (4, 4, 5))
    assert one.last_removed == same.last_removed != other.last_removed
    assert np.array_equal(one.counts["Se"], same.counts["Se"])
    assert atoms == before
    assert barns.tolist() == [100.0] * len(atoms)
    assert pickle.loads(pickle.dumps(one)).to_dict() == one.to_dict()  # noqa: S301


def test_ratio_and_its_spread() -> None:
    atoms = sheet()
    barns = np.where(atoms.symbols == "Se", 200.0, 0.0)
    etching = etch(atoms, barns, [0.0, 1.1157e5, 1e12], n_runs=30, seed=2)
    mean, spread = etching.ratio("Se", "Cd")
    assert (mean[0], spread[0]) == (1, 0)
    # exp(-σD) = 0.8
    assert mean[1] == pytest.approx(0.8, abs=3 * spread[1] / np.sqrt(30))
    assert mean[2] == 0
    backward, _ = etching.ratio("Cd", "Se")
    assert np.isnan(backward[2])


def test_nothing_happens_without_cross_sections() -> None:
    atoms = sheet()
    etching = etch(atoms, np.zeros(len(atoms)), [1e30], n_runs=2)
    assert etching.last_removed == ()
    assert etching.mean_counts("Se")[0] == (atoms.symbols == "Se").sum()


@pytest.mark.parametrize(
    ("barns", "doses", "options", "named"),
    [
        ([1.0], [1.0], {}, "one for each of 2"),
        ([1.0, -1.0], [1.0], {}, "cross-sections"),
        ([1.0, np.nan], [1.0], {}, "cross-sections"),
        ([1.0, 1.0], [2.0, 1.0], {}, "increasing"),
        ([1.0, 1.0], [-1.0], {}, "doses"),
        ([1.0, 1.0], [1.0], {"n_runs": 0}, "number of runs"),
    ],
)
def test_bad_arguments_are_one_line(barns: list, doses: list, options: dict, named: str) -> None:
    with pytest.raises(InputError, match=named):
        etch(Atoms("CdSe"), barns, doses, **options)


def test_a_missing_element_is_named() -> None:
    pair = Atoms("CdSe", positions=[[0, 0, 0], [0, 0, 2.6]])
    with pytest.raises(InputError, match="a list for Se"):
        etch_by_coordination(pair, {"Cd": [1.0, 1.0]}, [1.0])
    with pytest.raises(InputError, match="an energy for Se"):
        coordination_cross_sections(pair, {"Cd": 3.0}, 200)
