"""Subset orbits: counts and members against brute force over all subsets, for groups of many kinds."""

from itertools import combinations, permutations
from math import comb

import numpy as np
import pytest

from nanoslab.builders.subset_orbits import count_orbits, enumerate_orbits


def closed(generators: list[tuple[int, ...]]) -> np.ndarray:
    group = {tuple(range(len(generators[0])))}
    while True:
        grown = group | {tuple(g[i] for i in h) for g in generators for h in group}
        if grown == group:
            return np.array(sorted(group))
        group = grown


def torus(n: int, m: int) -> np.ndarray:
    """Translations and inversion of an n x m lattice with two sites per cell, the second moved by the inversion."""

    def number(i: int, j: int, s: int) -> int:
        return ((i % n) * m + j % m) * 2 + s

    sites = [(i, j, s) for i in range(n) for j in range(m) for s in range(2)]
    return closed(
        [
            tuple(number(i + 1, j, s) for i, j, s in sites),
            tuple(number(i, j + 1, s) for i, j, s in sites),
            tuple(number(-i, -j - s, 1 - s) for i, j, s in sites),
        ]
    )


GROUPS = {
    "identity": np.array([range(6)]),
    "cycle": closed([(1, 2, 3, 4, 5, 6, 0)]),
    "all": np.array(list(permutations(range(5)))),
    "two orbits": closed([(1, 2, 0, 4, 3, 5, 6, 7)]),
    "torus": torus(2, 3),
}


def brute_force(group: np.ndarray, size: int) -> dict[tuple[int, ...], int]:
    kinds: dict[tuple[int, ...], int] = {}
    for subset in combinations(range(group.shape[1]), size):
        first = min(tuple(sorted(row[list(subset)])) for row in group)
        kinds[first] = kinds.get(first, 0) + 1
    return kinds


@pytest.mark.parametrize("name", GROUPS)
def test_every_kind_comes_once_with_its_number(name: str) -> None:
    group = GROUPS[name]
    for size in range(group.shape[1] + 1):
        kinds = brute_force(group, size)
        subsets, degeneracies = enumerate_orbits(group, size)
        images = {min(tuple(sorted(row[subset])) for row in group) for subset in subsets}
        assert count_orbits(group, size) == len(kinds) == len(subsets) == len(images)
        for subset, degeneracy in zip(subsets, degeneracies, strict=True):
            assert kinds[min(tuple(sorted(row[subset])) for row in group)] == degeneracy
        assert degeneracies.sum() == comb(group.shape[1], size)


def test_levels_take_one_point_of_each() -> None:
    swap_within = closed([(1, 0, 2, 3, 5, 4)])
    subsets, degeneracies = enumerate_orbits(swap_within, 3, np.array([0, 0, 1, 2, 2, 2]))
    assert degeneracies.sum() == 2 * 1 * 3
    assert {tuple(s) for s in subsets} == {(0, 2, 3), (0, 2, 4), (0, 2, 5)}


def test_more_than_64_points_need_a_second_word() -> None:
    group = closed([tuple((i + 1) % 70 for i in range(70))])
    subsets, degeneracies = enumerate_orbits(group, 2)
    # distances 1 to 35 around a ring of 70
    assert len(subsets) == 35 == count_orbits(group, 2)
    assert sorted(degeneracies) == [35] + [70] * 34


def test_counting_does_not_enumerate() -> None:
    group = closed([tuple((i + 1) % 60 for i in range(60))])
    # necklaces of 60 beads, 30 black: sum over d | 30 of phi(d) C(60/d, 30/d) / 60
    phi = {1: 1, 2: 1, 3: 2, 5: 4, 6: 2, 10: 4, 15: 8, 30: 8}
    assert count_orbits(group, 30) == sum(phi[d] * comb(60 // d, 30 // d) for d in phi) // 60
