"""Energies to leave: sources, compounds, neighbours."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell

from nanoslab.beam import (
    mean_atomisation_energy,
    sublimation_energies,
    sublimation_energy,
    surface_binding_energies,
    threshold_interval,
)
from nanoslab.beam.binding import neighbour_lists
from nanoslab.errors import InputError


def slab(layers: int = 4) -> Atoms:
    """Zinc-blende (001), cut between Se (bottom) and Cd (top), with vacuum."""
    atoms = bulk("CdSe", "zincblende", a=6.05, cubic=True).repeat((1, 1, layers))
    atoms.center(vacuum=8, axis=2)
    return atoms


def test_sublimation_energies_are_the_published_ones() -> None:
    """0 K, as read in a public source; those used most here."""
    published = {"C": 7.37, "S": 2.85, "Zn": 1.35, "Se": 2.25, "Cd": 1.16, "Te": 2.23, "Au": 3.81, "Pb": 2.03, "W": 8.9}
    assert {symbol: sublimation_energy(symbol) for symbol in published} == published
    assert sublimation_energies()["Se"].energy == 2.25
    assert "Kittel" in sublimation_energies()["Se"].source
    with pytest.raises(InputError, match="--threshold At="):
        sublimation_energy("At")


def test_interval_is_five_thirds() -> None:
    assert threshold_interval(3.0) == pytest.approx((3.0, 5.0))
    with pytest.raises(InputError):
        threshold_interval(0.0)


def test_mean_atomisation_energy_counts_atoms() -> None:
    assert mean_atomisation_energy({"Cd": 1, "Se": 1}, -1.42) == pytest.approx((1.16 + 2.25 + 1.42) / 2)
    assert mean_atomisation_energy({"Cd": 3, "Se": 3}, -4.26) == pytest.approx((1.16 + 2.25 + 1.42) / 2)
    assert mean_atomisation_energy({"Se": 4}, 0.0) == pytest.approx(2.25)
    with pytest.raises(InputError, match="mean atomisation energy"):
        mean_atomisation_energy({"Cd": 1, "Se": 1}, 99.0)
    with pytest.raises(InputError, match="composition"):
        mean_atomisation_energy({}, 0.0)


def test_bulk_is_fully_coordinated_in_any_cell() -> None:
    skew = make_supercell(bulk("CdSe", "wurtzite", a=4.3, c=7.0), [[1, 0, 0], [1, 2, 0], [0, 1, 1]])
    assert [len(near) for near in neighbour_lists(skew)] == [4] * len(skew)
    assert surface_binding_energies(skew, {"Cd": 2.0, "Se": 3.0}) == pytest.approx(
        [2.0 if symbol == "Cd" else 3.0 for symbol in skew.get_chemical_symbols()]
    )
    rock_salt = bulk("PbSe", "rocksalt", a=6.12)
    assert [len(near) for near in neighbour_lists(rock_salt)] == [6, 6]


def test_surface_atoms_have_half_the_bonds_and_half_the_energy() -> None:
    atoms = slab()
    before = atoms.copy()
    energies = surface_binding_energies(atoms, {"Cd": 4.0, "Se": 6.0})
    heights = atoms.positions[:, 2]
    lowest, highest = np.isclose(heights, heights.min()), np.isclose(heights, heights.max())
    assert {*atoms.symbols[lowest], *atoms.symbols[highest]} == {"Cd", "Se"}
    full = np.where(atoms.symbols == "Cd", 4.0, 6.0)
    assert energies[lowest | highest] == pytest.approx(full[lowest | highest] / 2)
    assert energies[~(lowest | highest)] == pytest.approx(full[~(lowest | highest)])
    assert atoms == before


def test_energies_follow_a_permutation_of_the_atoms() -> None:
    atoms = slab()
    order = np.random.default_rng(3).permutation(len(atoms))
    energies = surface_binding_energies(atoms, {"Cd": 4.0, "Se": 6.0})
    assert surface_binding_energies(atoms[order], {"Cd": 4.0, "Se": 6.0}) == pytest.approx(energies[order])


def test_full_coordination_can_be_given() -> None:
    pair = Atoms("CdSe", positions=[[0, 0, 0], [0, 0, 2.6]])
    assert surface_binding_energies(pair, {"Cd": 4.0, "Se": 4.0}) == pytest.approx([4.0, 4.0])
    assert surface_binding_energies(pair, {"Cd": 4.0, "Se": 4.0}, {"Cd": 4, "Se": 4}) == pytest.approx([1.0, 1.0])
    with pytest.raises(InputError, match="an energy for Se"):
        surface_binding_energies(pair, {"Cd": 4.0})
    with pytest.raises(InputError, match="no bonds"):
        surface_binding_energies(Atoms("Se"), {"Se": 4.0})
