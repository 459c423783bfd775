"""Reaction networks: closed forms, conservation, fits that recover what was put in."""

import numpy as np
import pytest
from scipy.linalg import expm

from nanoslab.errors import InputError
from nanoslab.kinetics import Reaction, fit_rates, growth_chain, isomer_fraction, solve_reactions


def test_isomers_follow_the_closed_form() -> None:
    times = np.linspace(0, 5, 20)
    steps = [
        Reaction(takes={"alpha": 1}, gives={"beta": 1}, rate_constant=0.7),
        Reaction(takes={"beta": 1}, gives={"alpha": 1}, rate_constant=0.2),
    ]
    course = solve_reactions(steps, {"alpha": 0.9, "beta": 0.1}, times)
    assert course.of("beta") == pytest.approx(isomer_fraction(0.7, 0.2, times, start=0.1), abs=1e-7)


def test_a_linear_chain_follows_the_matrix_exponential() -> None:
    constants, times = (3.0, 0.5, 1e3), [0.0, 0.1, 1.0, 10.0]
    chain = [Reaction(takes={str(i): 1}, gives={str(i + 1): 1}, rate_constant=k) for i, k in enumerate(constants)]
    course = solve_reactions(chain, {"0": 1.0}, times)
    matrix = np.zeros((4, 4))
    for i, k in enumerate(constants):
        matrix[i, i] -= k
        matrix[i + 1, i] += k
    for time, amounts in zip(times, course.amounts, strict=True):
        assert amounts == pytest.approx(expm(matrix * time)[:, 0], abs=1e-7)


def test_a_second_order_step_follows_the_closed_form() -> None:
    step = Reaction(takes={"A": 2}, gives={"B": 1}, rate_constant=0.3)
    course = solve_reactions([step], {"A": 2.0}, [0.0, 1.0, 10.0])
    assert course.of("A") == pytest.approx(2.0 / (1 + 2 * 0.3 * 2.0 * course.times_s), rel=1e-7)


def test_a_stiff_chain_with_way_back_keeps_every_monomer() -> None:
    chain = growth_chain((13, 19, 33, 66), (1e2, 1e-3, 1e-8), (1e1, 1e-6, 0.0))
    course = solve_reactions(chain, {"13": 1.0, "monomer": 100.0}, np.linspace(0, 1e6, 30))
    units = np.array([1 if name == "monomer" else int(name) for name in course.species])
    assert np.abs(course.amounts @ units / 113.0 - 1).max() < 1e-10
    clusters = np.array([name != "monomer" for name in course.species])
    assert np.abs(course.amounts @ clusters - 1).max() < 1e-10
    assert course.amounts.min() > -1e-9


def test_equal_sizes_in_equilibrium_have_the_ratio_of_their_rate_constants() -> None:
    chain = growth_chain((13, 19), (2.0,), (3.0,))
    end = solve_reactions(chain, {"13": 1.0, "monomer": 1e4}, [0.0, 1e3]).amounts[-1]
    # the rates are first order in the monomer and independent of it on the way back
    first, monomer, second = end
    assert second * 3.0 == pytest.approx(first * monomer * 2.0, rel=1e-6)


def test_intervals_of_fitted_rates_hold_the_truth_as_often_as_they_say() -> None:
    random, times = np.random.default_rng(3), np.linspace(0, 6, 25)
    true = isomer_fraction(0.5, 0.2, times)
    held = np.zeros(2)
    for _ in range(300):
        data = true + random.normal(0, 0.02, times.size)
        fit = fit_rates(lambda k: isomer_fraction(k[0], k[1], times), data, {"there": 1.0, "back": 1.0}, confidence=0.9)
        held += [low <= k <= high for (low, high), k in zip(fit.intervals, (0.5, 0.2), strict=True)]
    # two standard deviations of the binomial are 10
    assert np.abs(held - 270).max() < 15


def test_a_rate_constant_that_the_data_do_not_see_is_named() -> None:
    times = np.linspace(0, 1, 20)
    data = np.exp(-2 * times) + 1e-3 * np.sin(40 * times)
    with pytest.raises(InputError, match="unseen: expected a rate constant that the data determine"):
        fit_rates(lambda k: np.exp(-k[0] * times) + 0 * k[1], data, {"seen": 1.0, "unseen": 1.0})


def test_noise_is_no_course() -> None:
    noise = np.random.default_rng(1).normal(size=20)
    with pytest.raises(InputError, match="better than a constant"):
        fit_rates(lambda k: np.exp(-k[0] * np.arange(20.0)), noise, {"decay": 1.0})
