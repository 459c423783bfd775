"""Where the most stable phase changes: straight lines whose crossings are known."""

import pytest

from nanoslab.energetics.phase_order import phase_changes


def changes(**curves: list[tuple[float, float]]) -> list[tuple[float, str, str]]:
    return [(change.anion_to_cation, change.before, change.after) for change in phase_changes(curves)]


def test_two_straight_lines_cross_where_algebra_says() -> None:
    # a: -1 + (1 - x), b: -0.9 + 0.5 (1 - x): equal at 1 - x = 0.2
    assert changes(a=[(1.0, -1.0), (0.5, -0.5)], b=[(1.0, -0.9), (0.5, -0.65)]) == [(pytest.approx(0.8), "a", "b")]


def test_points_need_not_stand_at_the_same_compositions() -> None:
    a = [(1.0, -1.0), (0.75, -0.75), (0.5, -0.5)]
    assert changes(a=a, b=[(1.0, -0.9), (0.6, -0.7)]) == [(pytest.approx(0.8), "a", "b")]


def test_the_lowest_sheet_of_a_composition_counts() -> None:
    b = [(1.0, -0.9), (0.5, -0.65), (0.5, -0.2)]
    assert changes(a=[(1.0, -1.0), (0.5, -0.5)], b=b) == [(pytest.approx(0.8), "a", "b")]


def test_nothing_is_said_beyond_the_last_point_or_without_a_crossing() -> None:
    assert changes(a=[(1.0, -1.0), (0.9, -0.9)], b=[(1.0, -0.9), (0.9, -0.85)]) == []
    assert changes(a=[(1.0, -1.0)], b=[(0.5, -2.0)]) == []
    b = [(1.0, -0.9), (0.9, -0.9), (0.8, -1.2)]
    assert changes(a=[(1.0, -1.0), (0.9, -0.95)], b=b) == []
    assert changes(a=[(1.0, -1.0)]) == []


def test_a_crossing_above_a_third_phase_is_none() -> None:
    a, b = [(1.0, -1.0), (0.5, -0.5)], [(1.0, -0.9), (0.5, -0.65)]
    assert changes(a=a, b=b, c=[(1.0, -2.0), (0.5, -2.0)]) == []


def test_a_phase_that_is_lower_for_a_while_gives_two_changes_in_order() -> None:
    b = [(1.0, -0.9), (0.8, -1.1), (0.6, -0.9)]
    found = changes(a=[(1.0, -1.0), (0.6, -1.0)], b=b)
    assert found == [(pytest.approx(0.9), "a", "b"), (pytest.approx(0.7), "b", "a")]
