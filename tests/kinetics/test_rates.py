"""Activated rates: Vineyard's formula, detailed balance, honest intervals."""

import numpy as np
import pytest
from ase.units import kB

from nanoslab.errors import InputError
from nanoslab.kinetics import arrhenius_rate, fit_arrhenius, harmonic_prefactor


def test_forward_and_backward_rates_are_in_detailed_balance() -> None:
    minimum, saddle, end = [1.0, 2.0, 3.0], [-2.0, 2.5, 3.5], [1.5, 2.5, 3.0]
    forward = arrhenius_rate(harmonic_prefactor(minimum, saddle), 1.2, 600.0)
    backward = arrhenius_rate(harmonic_prefactor(end, saddle), 0.9, 600.0)
    # classical partition functions of the two minima
    expected = np.prod(minimum) / np.prod(end) * np.exp(-0.3 / (kB * 600.0))
    assert forward / backward == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("minimum", "saddle", "named"),
    [
        ([1.0, 2.0], [-1.0, 2.0, 3.0], "saddle_THz"),
        ([-1.0, 2.0], [-1.0, 2.0], "minimum_THz"),
        ([1.0, 2.0], [1.0, 2.0], "one imaginary mode, got 0"),
        ([1.0, 2.0], [-1.0, -2.0], "one imaginary mode, got 2"),
    ],
)
def test_what_is_no_saddle_is_told(minimum: list[float], saddle: list[float], named: str) -> None:
    with pytest.raises(InputError, match=named):
        harmonic_prefactor(minimum, saddle)


def test_intervals_of_an_activation_energy_hold_the_truth_as_often_as_they_say() -> None:
    random, kelvin = np.random.default_rng(5), np.linspace(420, 520, 6)
    true = arrhenius_rate(1e12, 1.7, kelvin)
    held = both = 0
    for _ in range(1000):
        fit = fit_arrhenius(kelvin, true * np.exp(random.normal(0, 0.2, 6)), confidence=0.9)
        held += fit.barrier_interval[0] <= 1.7 <= fit.barrier_interval[1]
        both += fit.prefactor_interval[0] <= 1e12 <= fit.prefactor_interval[1]
    # two standard deviations of the binomial are 19
    assert abs(held - 900) < 25
    # the interval of the prefactor adds two errors in quadrature, that of the level being the small one
    assert abs(both - 900) < 25


def test_rates_without_a_trend_do_not_beat_a_constant() -> None:
    assert not fit_arrhenius([400, 450, 500, 550], [1.0, 2.0, 0.5, 1.2]).beats_constant
