"""Minimum of E(gap): known curves, and an uncertainty that means something."""

import numpy as np
import pytest

from nanoslab.energetics.gap import gap_minimum
from nanoslab.errors import InputError

GAPS = np.array([4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 8.0, 9.0])


def morse(gap, depth=0.8, width=0.9, place=6.2):
    return depth * ((1 - np.exp(-width * (gap - place))) ** 2 - 1)


def test_a_cubic_is_found_exactly():
    """A cubic spline is exact for a cubic: (x - 6.1)² (1 + 0.05 (x - 6.1)) has its minimum at 6.1."""
    energies = 0.3 * (GAPS - 6.1) ** 2 * (1 + 0.05 * (GAPS - 6.1)) - 2.0
    low = gap_minimum(GAPS, energies)
    assert (low.gap, low.energy, low.stiffness) == pytest.approx((6.1, -2.0, 0.6))
    assert low.uncertainty == pytest.approx(0.0, abs=1e-8)


def test_a_morse_curve_is_found_within_its_uncertainty():
    low = gap_minimum(GAPS, morse(GAPS))
    assert low.gap == pytest.approx(6.2, abs=max(0.02, 2 * low.uncertainty))
    assert low.energy == pytest.approx(-0.8, abs=0.005)
    assert low.stiffness == pytest.approx(2 * 0.8 * 0.9**2, rel=0.1)
    assert low.uncertainty < 0.1


def test_the_order_of_the_gaps_does_not_matter():
    shuffled = np.random.default_rng(0).permutation(len(GAPS))
    assert gap_minimum(GAPS[shuffled], morse(GAPS[shuffled])) == gap_minimum(GAPS, morse(GAPS))


def test_shifting_gaps_and_energies_shifts_the_minimum():
    low, moved = gap_minimum(GAPS, morse(GAPS)), gap_minimum(GAPS + 1.0, morse(GAPS) + 5.0)
    assert (moved.gap - low.gap, moved.energy - low.energy) == pytest.approx((1.0, 5.0))
    assert moved.uncertainty == pytest.approx(low.uncertainty)


def test_the_uncertainty_grows_with_noise_and_covers_the_error():
    random = np.random.default_rng(3)
    errors, spreads = [], []
    for _ in range(200):
        low = gap_minimum(GAPS, morse(GAPS) + random.normal(0.0, 0.01, len(GAPS)))
        errors.append(low.gap - 6.2)
        spreads.append(low.uncertainty)
    # the jackknife of a spline errs on the large side, never far below the true scatter
    assert np.median(spreads) > 0.7 * np.std(errors)
    assert np.mean(np.abs(errors) < 3 * np.array(spreads)) > 0.9


@pytest.mark.parametrize(("gaps", "advice"), [(GAPS + 3.0, "narrower"), (GAPS - 4.0, "wider")])
def test_a_minimum_outside_the_range_is_refused(gaps, advice):
    with pytest.raises(InputError, match=f"compute {advice}"):
        gap_minimum(gaps, morse(gaps))


@pytest.mark.parametrize(
    ("gaps", "energies"),
    [
        ([5.0, 6.0, 7.0, 8.0], [1.0, 0.0, 1.0, 2.0]),
        ([5, 6, 6, 7, 8], [1, 0, 0, 1, 2]),
        ([5, 6, 7, 8, 9], [1, 0, np.nan, 1, 2]),
    ],
)
def test_too_few_or_wrong_gaps_are_refused(gaps, energies):
    with pytest.raises(InputError, match="at least 5 different gaps"):
        gap_minimum(gaps, energies)
