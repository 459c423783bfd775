"""Structures that are one up to symmetry are listed once; others are told apart."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc100

from nanoslab.builders import build_nanosheet, rattle_atoms
from nanoslab.measure.minima import SAME_DISTANCE, distance_between, distinct_minima, like_bonds


def distorted() -> Atoms:
    return rattle_atoms(build_nanosheet("CdSe-zincblende", "001", 3, fix="none"), 0.1, seed=4)


def test_distance_is_zero_under_translation_rotation_reflection_permutation_and_in_supercells() -> None:
    atoms = distorted()
    moved = atoms.copy()
    moved.rotate(33, (1, 1, 2), rotate_cell=True)
    moved.positions += (1.3, 0.2, -4.0)
    moved.set_cell(moved.cell.array * (1, 1, -1))
    moved.positions *= (1, 1, -1)
    order = np.random.default_rng(1).permutation(len(atoms))
    assert distance_between(atoms, moved[order]) < 1e-9
    assert distance_between(atoms, atoms * (2, 1, 1)) < 1e-9


def test_small_noise_is_the_same_and_another_dimer_is_not() -> None:
    atoms = build_nanosheet("CdSe-zincblende", "001", 7, repeat=((1, 1), (-1, 1)), termination=("Cd", "Se"), fix="none")
    assert distance_between(atoms, rattle_atoms(atoms, 0.005)) < SAME_DISTANCE
    top = [i for i in np.argsort(atoms.positions[:, 2])[-2:] if atoms.symbols[i] == "Se"]
    pair = atoms.copy()
    towards = pair.get_distance(int(top[0]), int(top[1]), mic=True, vector=True)
    pair.positions[top[0]] += 0.22 * towards
    pair.positions[top[1]] -= 0.22 * towards
    assert like_bonds(pair) == {"Se-Se": 1}
    assert not like_bonds(atoms)
    assert len(distinct_minima([atoms, pair], [0.0, -1.0])) == 2


def test_other_compositions_are_never_the_same() -> None:
    assert distance_between(bulk("Cu"), bulk("Au")) == float("inf")


def test_the_lowest_member_stands_for_its_group() -> None:
    slab = fcc100("Cu", (1, 1, 3), vacuum=8.0, periodic=True)
    [minimum] = distinct_minima([slab, slab * (2, 1, 1)], [-3.0, -6.003])
    assert minimum.members == (1, 0)
    assert minimum.energy_per_atom == pytest.approx(-1.0005)
