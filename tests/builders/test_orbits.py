"""Orbits of subsets: counts and members against brute force over all subsets, for groups of many kinds."""

from collections import Counter
from itertools import combinations, permutations
from math import comb

import numpy as np
import pytest

from nanoslab.builders.enumeration.counting import count_orbits, count_subsets
from nanoslab.builders.enumeration.orbits import Choice, canonical, orbits
from nanoslab.builders.enumeration.sampling import draw_orbits
from nanoslab.errors import InputError


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


def ring(n: int) -> np.ndarray:
    return closed([tuple((i + 1) % n for i in range(n)), tuple(-i % n for i in range(n))])


#: group and where its classes end
GROUPS = {
    "identity": (np.array([range(6)]), (6,)),
    "cycle": (closed([(1, 2, 3, 4, 5, 6, 0)]), (7,)),
    "all": (np.array(list(permutations(range(5)))), (5,)),
    "two orbits": (closed([(1, 2, 0, 4, 3, 5, 6, 7)]), (8,)),
    "torus": (torus(2, 3), (12,)),
    "two species": (closed([(1, 2, 0, 4, 5, 3, 6, 7), (0, 2, 1, 3, 5, 4, 7, 6)]), (3, 8)),
    "three species": (closed([(1, 0, 3, 2, 4, 6, 5, 7)]), (2, 5, 8)),
}


def everything(choice: Choice) -> tuple[np.ndarray, np.ndarray]:
    parts = list(orbits(choice))
    return np.concatenate([one for one, _ in parts]), np.concatenate([one for _, one in parts])


def brute_force(choice: Choice) -> Counter[tuple[int, ...]]:
    kinds: Counter[tuple[int, ...]] = Counter()
    classes = np.searchsorted(choice.ends, range(choice.n_points), side="right")
    wanted = sorted(c for c, size in enumerate(choice.sizes) for _ in range(size))
    for subset in combinations(range(choice.n_points), sum(choice.sizes)):
        if sorted(classes[list(subset)]) == wanted and (
            choice.conflicts is None or not choice.conflicts[np.ix_(subset, subset)].any()
        ):
            kinds[first_image(choice, subset)] += 1
    return kinds


def first_image(choice: Choice, subset: tuple[int, ...]) -> tuple[int, ...]:
    return min(tuple(sorted(row[list(subset)].tolist())) for row in choice.permutations)


def all_sizes(ends: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [tuple(one) for one in np.ndindex(*(np.diff((0, *ends)) + 1))]


@pytest.mark.parametrize("name", GROUPS)
def test_every_kind_comes_once_with_its_number(name: str) -> None:
    group, ends = GROUPS[name]
    for sizes in all_sizes(ends):
        choice = Choice(group, ends, sizes)
        kinds = brute_force(choice)
        subsets, degeneracies = everything(choice)
        found = {first_image(choice, tuple(one)): int(n) for one, n in zip(subsets, degeneracies, strict=True)}
        assert found == dict(kinds)
        assert count_orbits(choice) == len(kinds) == len(subsets)
        assert degeneracies.sum() == count_subsets(choice)


@pytest.mark.parametrize("seed", range(6))
def test_pairs_that_conflict_never_come_together(seed: int) -> None:
    group, ends = ring(12), (12,)
    drawn = np.random.default_rng(seed).random(7) < 0.4
    distance = abs(np.subtract.outer(range(12), range(12)))
    conflicts = drawn[np.minimum(distance, 12 - distance)] & (distance > 0)
    for size in range(5):
        choice = Choice(group, ends, (size,), conflicts)
        subsets, degeneracies = everything(choice) if brute_force(choice) else (np.empty((0, size)), np.empty(0))
        kinds = brute_force(choice)
        assert {first_image(choice, tuple(map(int, one))) for one in subsets} == set(kinds)
        assert degeneracies.sum() == sum(kinds.values())


def test_one_point_of_each_class_also_where_operations_turn_the_classes_over() -> None:
    # a stack of three layers of two, turned upside down by the second operation
    group = closed([(1, 0, 3, 2, 5, 4), (4, 5, 2, 3, 0, 1)])
    choice = Choice(group, (2, 4, 6), (1, 1, 1))
    subsets, degeneracies = everything(choice)
    assert degeneracies.sum() == 8
    assert len(subsets) == len(brute_force(choice))


@pytest.mark.parametrize("n_points", [63, 64, 65, 70, 128, 129, 200])
def test_words_of_64_points_join_without_a_seam(n_points: int) -> None:
    group = closed([tuple((i + 1) % n_points for i in range(n_points))])
    subsets, degeneracies = everything(Choice(group, (n_points,), (2,)))
    # distances around the ring; that of half of it has half as many pairs
    assert len(subsets) == n_points // 2 == count_orbits(Choice(group, (n_points,), (2,)))
    assert degeneracies.sum() == comb(n_points, 2)
    triples, _ = everything(Choice(group, (n_points,), (3,)))
    assert len(triples) == count_orbits(Choice(group, (n_points,), (3,)))


def test_counting_does_not_enumerate() -> None:
    group = closed([tuple((i + 1) % 60 for i in range(60))])
    # necklaces of 60 beads, 30 black: sum over d | 30 of phi(d) C(60/d, 30/d) / 60
    phi = {1: 1, 2: 1, 3: 2, 5: 4, 6: 2, 10: 4, 15: 8, 30: 8}
    assert count_orbits(Choice(group, (60,), (30,))) == sum(phi[d] * comb(60 // d, 30 // d) for d in phi) // 60


def test_every_image_has_one_canonical_form_which_is_the_one_enumerated() -> None:
    group, ends = torus(3, 5), (30,)
    for size in (4, 26):
        choice = Choice(group, ends, (size,))
        numbers = np.random.default_rng(1)
        for members, degeneracies in orbits(choice):
            rows = group[numbers.integers(len(group), size=len(members))]
            images = choice.masks(np.take_along_axis(rows, members, axis=1))
            again, counts = canonical(choice, images)
            assert np.array_equal(again, choice.masks(members))
            assert np.array_equal(counts, degeneracies)


def chances(choice: Choice, each_orbit_alike: bool, number: int) -> dict[bytes, float]:
    draws = draw_orbits(choice, number, seed=3, each_orbit_alike=each_orbit_alike)
    return {mask.tobytes(): times / number for mask, times in zip(draws.masks, draws.times, strict=True)}


@pytest.mark.parametrize("sizes", [(2, 3), (1, 1), (3, 0)])
def test_draws_follow_the_orbits_or_their_sizes(sizes: tuple[int, int]) -> None:
    group, ends = GROUPS["two species"]
    choice = Choice(group, ends, sizes)
    rows, counts = everything(choice)
    kinds = {mask.tobytes(): int(n) for mask, n in zip(choice.masks(rows), counts, strict=True)}
    number = 20_000
    for alike in (True, False):
        drawn = chances(choice, alike, number)
        assert set(drawn) == set(kinds)
        for mask, degeneracy in kinds.items():
            expected = 1 / len(kinds) if alike else degeneracy / sum(kinds.values())
            # five standard deviations of a binomial
            assert drawn[mask] == pytest.approx(expected, abs=5 * (expected / number) ** 0.5)


def test_draws_come_again_from_a_seed_and_pass_the_filters() -> None:
    group = ring(40)
    distance = abs(np.subtract.outer(range(40), range(40)))
    conflicts = np.minimum(distance, 40 - distance) == 1
    choice = Choice(group, (40,), (5,), conflicts)
    first, again, other = (draw_orbits(choice, 500, seed=seed, each_orbit_alike=True) for seed in (0, 0, 1))
    assert np.array_equal(first.masks, again.masks)
    assert not np.array_equal(first.masks[:50], other.masks[:50])
    assert not any(conflicts[np.ix_(one, one)].any() for one in choice.members(first.masks))
    passing = len(everything(choice)[0]) / count_orbits(Choice(group, (40,), (5,)))
    assert first.passing == pytest.approx(passing, abs=5 * (passing * (1 - passing) / first.n_draws) ** 0.5)


def test_filters_that_leave_nothing_end_the_drawing() -> None:
    choice = Choice(ring(20), (20,), (3,), ~np.eye(20, dtype=bool))
    with pytest.raises(InputError, match="filters that leave at least one way"):
        draw_orbits(choice, 10, seed=0, each_orbit_alike=False)
    assert not list(orbits(choice))
