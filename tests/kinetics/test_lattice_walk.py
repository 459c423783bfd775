"""Kinetic Monte Carlo on a lattice: Boltzmann's distribution, Fick's law, the same walk from the same seed."""

from itertools import product

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.units import kB

from nanoslab.errors import InputError
from nanoslab.kinetics import ExchangeRates, walk_exchange
from nanoslab.kinetics.lattice_walk import _Events


def test_rates_of_every_event_and_its_reverse_are_in_detailed_balance() -> None:
    pairs = np.array([[0, 1], [1, 2], [2, 3], [3, 0], [0, 2]])
    surface = np.array([0, 3])
    energies = ExchangeRates(barrier=0.1, surface_barrier=0.05, unlike_pair=0.4, gain=0.3)
    kT = 0.2

    def energy(state: np.ndarray) -> float:
        return 0.4 * sum(state[i] != state[j] for i, j in pairs) - 0.3 * state.sum()

    for bits in product([False, True], repeat=4):
        start = np.array(bits)
        here = _Events(start, pairs, surface, energies, kT)
        for event in range(len(pairs) + len(surface)):
            if here.rates[event] == 0:
                continue
            there = _Events(start, pairs, surface, energies, kT)
            there.make(event)
            fresh = _Events(there.state, pairs, surface, energies, kT)
            assert there.rates == pytest.approx(fresh.rates, rel=1e-12)  # kept up to date
            ratio = here.rates[event] / there.rates[event]
            assert ratio == pytest.approx(np.exp(-(energy(there.state) - energy(start)) / kT), rel=1e-9)


def test_a_free_surface_site_is_occupied_as_boltzmann_says() -> None:
    # two sites, one neighbour each: both are surface only if one has fewer, so a chain of three
    chain = Atoms("Pb3", positions=[[0, 0, 0], [3, 0, 0], [6, 0, 0]])
    rates = ExchangeRates(barrier=0.3, surface_barrier=0.3, gain=0.03)
    walk = walk_exchange(chain, ("Pb", "Cd"), rates, 400, n_events=40)
    assert set(np.flatnonzero(walk.depths == 0)) == {0, 2}
    # long average over time by the embedded events
    total = weighted = 0.0
    state = _Events(np.zeros(3, bool), np.array([[0, 1], [1, 2]]), np.array([0, 2]), rates, kB * 400)
    random = np.random.default_rng(2)
    for _ in range(30000):
        step = 1 / state.rates.sum()
        total += step
        weighted += step * state.state.mean()
        state.make(int(np.searchsorted(np.cumsum(state.rates), random.random() * state.rates.sum())))
    expected = 1 / (1 + np.exp(-0.03 / (kB * 400)))
    assert weighted / total == pytest.approx(expected, abs=0.015)


def test_like_cations_spread_with_the_diffusivity_of_free_swaps() -> None:
    # a chain of sites along x: D = a^2 x rate of a swap, and the tracer profile tends to the error function's spread
    n, a = 60, 3.0
    chain = Atoms(f"Cd{n // 2}Pb{n // 2}", positions=np.column_stack([a * np.arange(n), np.zeros(n), np.zeros(n)]))
    rates = ExchangeRates(barrier=0.5, surface_barrier=50.0)
    k = 1e13 * np.exp(-0.5 / (kB * 500))
    spreads = []
    for seed in range(40):
        walk = walk_exchange(chain, ("Pb", "Cd"), rates, 500, n_events=300, seed=seed)
        crossed = walk.is_second[:, n // 2 :].sum(axis=1)
        last = int(np.searchsorted(walk.times_s, 25 / k))
        spreads.append(crossed[last - 1])
    # as many cross as sqrt(D t / pi) / a
    assert np.mean(spreads) == pytest.approx(np.sqrt(25 / np.pi), rel=0.2)


def test_the_same_seed_gives_the_same_walk_and_swaps_alone_change_no_composition() -> None:
    crystal = bulk("Pb", "fcc", a=5.0, cubic=True).repeat(3)
    crystal.symbols[::3] = "Cd"
    rates = ExchangeRates(barrier=0.5, surface_barrier=0.5, unlike_pair=-0.05)
    one, other = (walk_exchange(crystal, ("Pb", "Cd"), rates, 600, n_events=200, seed=7) for _ in range(2))
    assert np.array_equal(one.is_second, other.is_second)
    assert one.fractions == pytest.approx(one.fractions[0])  # a crystal has no surface
    assert not one.is_second.flags.writeable


def test_what_is_no_lattice_of_these_species_is_told() -> None:
    with pytest.raises(InputError, match="species"):
        walk_exchange(bulk("Cu"), ("Pb", "Cd"), ExchangeRates(barrier=1, surface_barrier=1), 300, n_events=1)
