"""Hulls of sheets: pymatgen's phase diagrams, closed forms of the entropy, crossings of straight lines."""

from math import comb, log

import numpy as np
import pytest
from ase.units import kB
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition

from nanoslab.energetics.hull import (
    Ensemble,
    HullPoint,
    configurational_free_energy,
    crossings,
    heights_above_hull,
    lower_hull,
    sheet_hull,
)
from nanoslab.errors import InputError

ELEMENTS = {"Cd": -0.9, "Se": -3.5}


def ensemble(phase: str, cadmium: int, selenium: int, *energies: float) -> Ensemble:
    return Ensemble(
        phase=phase,
        counts={"Cd": cadmium, "Se": selenium},
        energies=np.array(energies),
        weights=np.ones(len(energies)),
    )


@pytest.mark.parametrize("seed", range(20))
def test_heights_are_those_of_pymatgens_phase_diagram(seed: int) -> None:
    numbers = np.random.default_rng(seed)
    made = [
        ensemble(str(i), int(numbers.integers(8, 15)), int(numbers.integers(6, 15)), -float(numbers.uniform(60, 90)))
        for i in range(12)
    ]
    # pymatgen's hull has the elements for its ends: here the two most extreme sheets are lowered until they span it too
    shares = [one.counts["Se"] / one.n_atoms for one in made]
    ours = sheet_hull(made, ELEMENTS, {}, 0.0)
    x = np.array([0.0, *shares, 1.0])
    y = np.array([0.0, *(point.formation_energy for point in ours), 0.0])
    entries = [PDEntry(Composition(dict(one.counts)), float(one.energies[0])) for one in made]
    ends = [PDEntry(Composition(element), energy) for element, energy in ELEMENTS.items()]
    diagram = PhaseDiagram([*entries, *ends])
    theirs = [diagram.get_e_above_hull(entry) for entry in entries]
    assert heights_above_hull(x, y)[1:-1] == pytest.approx(theirs, abs=1e-9)
    formed = [diagram.get_form_energy_per_atom(entry) for entry in entries]
    assert [point.formation_energy for point in ours] == pytest.approx(formed)


def test_corners_are_those_of_scipy_seen_from_below() -> None:
    from scipy.spatial import ConvexHull

    points = np.random.default_rng(0).random((200, 2))
    hull = ConvexHull(points)
    below = {
        int(i)
        for simplex, equation in zip(hull.simplices, hull.equations, strict=True)
        if equation[1] < 0
        for i in simplex
    }
    assert set(lower_hull(*points.T).tolist()) == below
    assert heights_above_hull(*points.T).min() == pytest.approx(0, abs=1e-12)


def test_of_two_sheets_of_one_composition_the_lower_is_a_corner() -> None:
    assert lower_hull([0, 1, 1, 2], [0.0, -1.0, -2.0, 0.0]).tolist() == [0, 2, 3]


@pytest.mark.parametrize("temperature", [10.0, 300.0, 2000.0])
def test_equal_energies_have_the_entropy_of_their_number(temperature: float) -> None:
    # 2 of 14 sites empty, all alike: F = E - kT ln C(14, 2)
    weights = np.array([4.0] * 22 + [3.0])
    free = configurational_free_energy(np.full(23, -5.0), weights, temperature)
    assert free == pytest.approx(-5.0 - kB * temperature * log(comb(14, 2)))


def test_free_energy_of_two_levels_is_the_closed_form_and_falls_with_temperature() -> None:
    gap, temperatures = 0.05, np.array([0.0, 1.0, 100.0, 300.0, 1000.0])
    free = [configurational_free_energy([0.0, gap], [1, 3], t) for t in temperatures]
    expected = [-kB * t * log(1 + 3 * np.exp(-gap / (kB * t))) for t in temperatures[1:]]
    assert free == pytest.approx([0.0, *expected], abs=1e-12)
    assert (np.diff(free) <= 0).all()


def test_energies_far_below_zero_do_not_overflow() -> None:
    assert configurational_free_energy([-1e5, -1e5 + 1], [1, 1], 1.0) == pytest.approx(-1e5)


def test_limits_count_every_atom() -> None:
    (point,) = sheet_hull([ensemble("a", 14, 13, -70.0)], ELEMENTS, {"rich:Cd": {"Cd": -0.9, "Se": -4.5}}, 0.0)
    assert point.limits["rich:Cd"] == pytest.approx(-70 + 14 * 0.9 + 13 * 4.5)
    assert point.formation_energy == pytest.approx((-70 + 14 * 0.9 + 13 * 3.5) / 27)
    assert point.above_hull == 0.0


def test_vibrations_shift_a_phase_by_their_energy_per_atom() -> None:
    both = [ensemble("a", 14, 14, -76.0), ensemble("b", 14, 14, -75.9)]
    plain, shifted = (sheet_hull(both, ELEMENTS, {}, 300.0, vibrations) for vibrations in (None, {"b": -0.01}))
    assert shifted[0].formation_energy == plain[0].formation_energy
    assert shifted[1].formation_energy == pytest.approx(plain[1].formation_energy - 0.01)


def line(phase: str, *points: tuple[float, float]) -> list[HullPoint]:
    return [
        HullPoint(phase=phase, counts={}, anion_to_cation=x, formation_energy=y, above_hull=0.0, limits={})
        for x, y in points
    ]


def at(share: float, energy: float) -> tuple[float, float]:
    """Composition by its share of anions."""
    return share / (1 - share), energy


def test_crossing_of_straight_lines_and_its_interval() -> None:
    # difference b - a = s - 0.46 on shares s of anions from 0.42 to 0.5: an uncertainty of 0.01 shifts it by 0.01
    points = [*line("a", at(0.5, 0.0), at(0.42, 0.0)), *line("b", at(0.5, 0.04), at(0.42, -0.04))]
    (found,) = crossings(points, 0.01)
    assert (found.before, found.after) == ("a", "b")
    assert found.anion_to_cation == pytest.approx(0.46 / 0.54, abs=1e-6)
    assert found.interval == (pytest.approx(0.45 / 0.55, abs=1e-6), pytest.approx(0.47 / 0.53, abs=1e-6))


def test_a_phase_counts_with_its_own_hull() -> None:
    between = line("b", at(0.46, 5.0))  # far above what two regions of the other compositions have
    points = [*line("a", at(0.5, 0.0), at(0.42, 0.0)), *line("b", at(0.5, 0.04), at(0.42, -0.04))]
    assert crossings([*points, *between], 0.01) == crossings(points, 0.01)


def test_two_crossings_keep_their_own_intervals() -> None:
    # b - a = 2 |s - 0.46| - 0.04, shifted by 0.01: b is lower between shares of 0.44 and 0.48
    points = [*line("a", at(0.5, 0.0), at(0.42, 0.0)), *line("b", at(0.5, 0.04), at(0.46, -0.04), at(0.42, 0.04))]
    into, out = crossings(points, 0.01)
    assert (into.before, into.after, out.before, out.after) == ("a", "b", "b", "a")
    for one, low, middle, high in ((into, 0.475, 0.48, 0.485), (out, 0.435, 0.44, 0.445)):
        shares = [value / (1 + value) for value in (one.interval[0], one.anion_to_cation, one.interval[1])]
        assert shares == pytest.approx([low, middle, high], abs=1e-6)


def test_an_interval_that_leaves_the_compositions_has_no_end_there() -> None:
    points = [*line("a", at(0.5, 0.0), at(0.42, 0.0)), *line("b", at(0.5, 0.04), at(0.42, -0.04))]
    (found,) = crossings(points, 0.05)
    assert found.interval == (None, None)
    assert found.anion_to_cation == pytest.approx(0.46 / 0.54, abs=1e-6)
    (barely,) = crossings([*line("a", at(0.5, 0.0), at(0.42, 0.0)), *line("b", at(0.5, 0.085), at(0.42, 0.005))], 0.01)
    assert barely.anion_to_cation is None
    assert barely.interval == (None, pytest.approx(0.425 / 0.575, abs=1e-6))
    assert crossings([*line("a", at(0.5, 0.0), at(0.42, 0.0)), *line("b", at(0.5, 1.0), at(0.42, 1.0))], 0.01) == ()


@pytest.mark.parametrize(
    ("energies", "weights", "temperature"), [([], [], 300), ([1.0], [0.0], 300), ([1.0], [1.0], -1), ([1.0], [1, 1], 0)]
)
def test_what_is_no_ensemble_is_refused(energies: list[float], weights: list[float], temperature: float) -> None:
    with pytest.raises(InputError):
        configurational_free_energy(energies, weights, temperature)


def test_a_missing_element_is_named() -> None:
    with pytest.raises(InputError, match="crystalline Se"):
        sheet_hull([ensemble("a", 1, 1, -3.0)], {"Cd": 0.0}, {}, 0.0)
