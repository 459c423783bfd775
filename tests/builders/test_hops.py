"""Ends of an atom's way: the same atoms in the same order, the shortest way across the borders of a skewed cell."""

import numpy as np
import pytest
from ase.build import bulk
from ase.constraints import FixScaled

from nanoslab.atom_paths import matched
from nanoslab.builders.hops import exchange, interstitial_hop, vacancy_hop
from nanoslab.crystals import crystal as build_crystal
from nanoslab.errors import InputError


@pytest.fixture
def crystal():
    atoms = build_crystal("CdSe-wurtzite").repeat((2, 2, 1))
    atoms.set_constraint(FixScaled(3, [True, False, True]))
    return atoms


def test_a_vacancy_goes_where_the_atom_came_from(crystal) -> None:
    first, second = [i for i, symbol in enumerate(crystal.symbols) if symbol == "Se"][:2]
    start, end = vacancy_hop(crystal, first, second)
    assert np.array_equal(start.numbers, end.numbers)
    assert len(start) == len(crystal) - 1
    # the two ends are one another's structure with the vacancy elsewhere
    moved = np.linalg.norm(end.positions - start.positions, axis=1)
    assert (moved > 1e-9).sum() == 1
    assert moved.max() == pytest.approx(crystal.get_distance(first, second, mic=True))
    assert len(start.constraints) == 1


def test_matching_undoes_a_permutation_and_whole_cells(crystal) -> None:
    random = np.random.default_rng(4)
    order = random.permutation(len(crystal))
    other = crystal[order]
    other.set_constraint()
    shift = random.normal(0, 0.1, (len(crystal), 3))
    other.positions += shift + other.cell.array.T.dot(random.integers(-1, 2, (3, len(crystal)))).T
    start, end = matched(crystal, other)
    assert np.array_equal(start.numbers, end.numbers)
    assert end.positions - start.positions == pytest.approx(shift[np.argsort(order)], abs=1e-9)


def test_two_swap_and_keep_everything_else(crystal) -> None:
    crystal.symbols[0] = "Zn"
    cadmium = next(i for i in range(1, len(crystal)) if crystal.symbols[i] == "Cd")
    start, end = exchange(crystal, 0, cadmium)
    assert np.linalg.norm(end.positions[0] - start.positions[0]) == pytest.approx(
        crystal.get_distance(0, cadmium, mic=True)
    )
    others = [i for i in range(len(crystal)) if i not in (0, cadmium)]
    assert np.array_equal(start.positions[others], end.positions[others])
    assert "which" in end.info["recipe"]["parameters"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda a: vacancy_hop(a, 0, 0), "two different atoms"),
        (lambda a: vacancy_hop(a, 0, 99), "an index from 0 to 31"),
        (lambda a: vacancy_hop(a, 0, _other(a)), "species that is missing"),
        (lambda a: exchange(a, 0, 1), "different species"),
        (lambda a: interstitial_hop(a, "H", a.positions[0], [0, 0, 1]), "1 Å or more from every atom"),
        (lambda a: matched(a, a[1:]), "the atoms of the start"),
        (lambda a: matched(a, _wider(a)), "the cell of the start"),
    ],
)
def test_impossible_ways_are_one_line(make, message: str) -> None:
    atoms = bulk("CdSe", "zincblende", a=6.0, cubic=True).repeat((2, 2, 1))
    atoms = atoms[np.argsort(atoms.get_chemical_symbols(), kind="stable")]
    with pytest.raises(InputError, match=message):
        make(atoms)


def _other(atoms) -> int:
    return next(i for i in range(len(atoms)) if atoms.numbers[i] != atoms.numbers[0])


def _wider(atoms):
    wider = atoms.copy()
    wider.set_cell(1.01 * wider.cell.array)
    return wider
