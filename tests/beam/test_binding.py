"""Energies to leave: sources, compounds, neighbours."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell

from nanoslab.beam import (
    bond_counting_energy,
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
    published = {"C": 7.37, "S": 2.85, "Zn": 1.35, "Se": 2.46, "Cd": 1.16, "Te": 2.23, "Au": 3.81, "Pb": 2.03, "W": 8.9}
    assert {symbol: sublimation_energy(symbol) for symbol in published} == published
    assert sublimation_energies()["Se"].energy == 2.46
    assert "Kittel" in sublimation_energies()["Se"].source
    with pytest.raises(InputError, match="--threshold At="):
        sublimation_energy("At")


def test_interval_is_five_thirds() -> None:
    assert threshold_interval(3.0) == pytest.approx((3.0, 5.0))
    with pytest.raises(InputError):
        threshold_interval(0.0)


def test_mean_atomisation_energy_counts_atoms() -> None:
    assert mean_atomisation_energy({"Cd": 1, "Se": 1}, -1.42) == pytest.approx((1.16 + 2.46 + 1.42) / 2)
    assert mean_atomisation_energy({"Cd": 3, "Se": 3}, -4.26) == pytest.approx((1.16 + 2.46 + 1.42) / 2)
    assert mean_atomisation_energy({"Se": 4}, 0.0) == pytest.approx(2.46)
    with pytest.raises(InputError, match=r"did you mean -1\.42"):
        mean_atomisation_energy({"Cd": 1, "Se": 1}, 1.42)
    with pytest.raises(InputError, match="composition"):
        mean_atomisation_energy({}, 0.0)


def test_bulk_is_fully_coordinated_in_any_cell() -> None:
    skew = make_supercell(bulk("CdSe", "wurtzite", a=4.3, c=7.0), [[1, 0, 0], [1, 2, 0], [0, 1, 1]])
    assert [len(near) for near in neighbour_lists(skew)] == [4] * len(skew)
    assert surface_binding_energies(skew, {"Cd": 2.0, "Se": 3.0}) == pytest.approx(
        [4.0 if symbol == "Cd" else 6.0 for symbol in skew.get_chemical_symbols()]
    )
    rock_salt = bulk("PbSe", "rocksalt", a=6.12)
    assert [len(near) for near in neighbour_lists(rock_salt)] == [6, 6]


def test_a_half_coordinated_site_costs_exactly_the_sublimation_energy() -> None:
    """As sublimation takes atoms from kinks; the same on a surface that halves the bonds."""
    for z in (4, 6, 12):
        assert bond_counting_energy(sublimation_energy("Se"), z // 2, z) == pytest.approx(2.46, rel=1e-15)
    atoms = slab()
    energies = surface_binding_energies(atoms, {"Cd": 2.4, "Se": 2.4})
    heights = atoms.positions[:, 2]
    lowest, highest = np.isclose(heights, heights.min()), np.isclose(heights, heights.max())
    assert {*atoms.symbols[lowest], *atoms.symbols[highest]} == {"Cd", "Se"}
    assert energies[lowest | highest] == pytest.approx(2.4)
    assert energies[~(lowest | highest)] == pytest.approx(4.8)


def test_taking_a_crystal_apart_costs_its_cohesive_energy() -> None:
    """Atom after atom, in any order, each at 2 E_coh z/Z of the neighbours it has left: E_coh per atom in all."""
    atoms = bulk("CdSe", "zincblende", a=6.05, cubic=True).repeat(2)
    near = neighbour_lists(atoms)
    alive, total = np.ones(len(atoms), dtype=bool), 0.0
    for atom in np.random.default_rng(1).permutation(len(atoms)):
        total += bond_counting_energy(2.33, int(alive[near[atom]].sum()), 4)
        alive[atom] = False
    assert total / len(atoms) == pytest.approx(2.33, rel=1e-12)


def test_surface_selenium_of_the_sheet_by_bonds() -> None:
    """CdSe (11-20), GPAW's PBE cohesive energy of 2.329 eV per atom: 3.49 eV by bonds, 4.47 eV by the same DFT."""
    from nanoslab.beam import lowest_threshold
    from nanoslab.builders import build_nanosheet

    sheet = build_nanosheet("CdSe-wurtzite", "11-20", monolayers=7)
    energies = surface_binding_energies(sheet, {"Cd": 2.329, "Se": 2.329})
    top = sheet.positions[:, 2] > sheet.positions[:, 2].max() - 0.5
    assert energies[top] == pytest.approx(3.49, abs=0.005)
    assert lowest_threshold("Se", "CdSe").energy > 3.49


def test_energies_follow_a_permutation_of_the_atoms() -> None:
    atoms = slab()
    order = np.random.default_rng(3).permutation(len(atoms))
    energies = surface_binding_energies(atoms, {"Cd": 4.0, "Se": 6.0})
    assert surface_binding_energies(atoms[order], {"Cd": 4.0, "Se": 6.0}) == pytest.approx(energies[order])


def test_full_coordination_can_be_given() -> None:
    pair = Atoms("CdSe", positions=[[0, 0, 0], [0, 0, 2.6]])
    assert surface_binding_energies(pair, {"Cd": 4.0, "Se": 4.0}) == pytest.approx([8.0, 8.0])
    assert surface_binding_energies(pair, {"Cd": 4.0, "Se": 4.0}, {"Cd": 4, "Se": 4}) == pytest.approx([2.0, 2.0])
    with pytest.raises(InputError, match="an energy for Se"):
        surface_binding_energies(pair, {"Cd": 4.0})
    with pytest.raises(InputError, match="no bonds"):
        surface_binding_energies(Atoms("Se"), {"Se": 4.0})
