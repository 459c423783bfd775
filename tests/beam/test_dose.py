"""Rates, lifetimes and budgets: closed forms and each other's inverses."""

from math import inf

import numpy as np
import pytest

from nanoslab.beam import (
    Target,
    composition_doses,
    displacement_cross_section,
    displacement_rate,
    dose_budget,
    dose_for_composition,
    dose_per_event,
    dose_rate_from_current_density,
    highest_safe_beam_energy,
    lifetime,
    surviving_fraction,
)
from nanoslab.errors import InputError


def test_units() -> None:
    """1 A/cm² is 624.150907 e/Å²/s; 100 barn at 1e4 e/Å²/s is one event in 100 s; one event at 1e8/σ e/Å²."""
    assert dose_rate_from_current_density(1.0) == pytest.approx(624.150907, rel=1e-9)
    assert displacement_rate(100.0, 1e4) == pytest.approx(1e-2)
    assert lifetime(100.0, 1e4) == pytest.approx(100.0)
    assert dose_per_event(100.0) == pytest.approx(1e6)
    assert lifetime(0.0, 1e4) == dose_per_event(0.0) == inf


def test_a_budget_loses_what_it_allows() -> None:
    for loss in (1e-9, 0.01, 0.5, 0.999):
        assert 1 - surviving_fraction(37.0, dose_budget(37.0, loss)) == pytest.approx(loss, rel=1e-6)
    assert dose_budget(0.0, 0.01) == inf
    assert surviving_fraction(np.array([0.0, 1e8]), 1.0) == pytest.approx([1, np.exp(-1)])


def test_composition_is_reached_at_its_dose() -> None:
    kept, lost = 20.0, 140.0
    dose = dose_for_composition(kept, lost, 0.8)
    assert surviving_fraction(lost, dose) / surviving_fraction(kept, dose) == pytest.approx(0.8, rel=1e-12)
    assert dose_for_composition(140.0, 140.0, 0.8) == inf


def test_doses_over_the_open_assumptions() -> None:
    """At 0.8 left of an element that alone is lost, σ D = ln 1.25; a lower threshold always needs less."""
    rows = composition_doses("Se", 0.8, 5.12, [200, 300])
    assert len(rows) == 8
    for row in rows:
        assert row.cross_section_barn * 1e-8 * row.dose_e_per_A2 == pytest.approx(np.log(1.25), rel=1e-12)
        assert row.threshold_energy in (5.12, pytest.approx(8.5333, abs=1e-4))
        assert row.to_dict()["threshold_energy_eV"] == row.threshold_energy
    doses = {(row.beam_energy_keV, row.threshold_energy, row.escape): row.dose_e_per_A2 for row in rows}
    assert doses[200, 5.12, "spherical"] < doses[200, 5.12, "planar"] < doses[200, rows[2].threshold_energy, "planar"]


def test_highest_safe_voltage_loses_what_it_allows() -> None:
    target = Target(element="Se", masses="isotopes", velocity_variance=3.2e4)
    safe = highest_safe_beam_energy({"Se": 5.12}, 1e6, 0.02, targets={"Se": target})
    barns = displacement_cross_section("Se", safe.beam_energy_keV, 5.12, masses="isotopes", velocity_variance=3.2e4)
    assert 1 - surviving_fraction(barns, 1e6) == pytest.approx(0.02, rel=1e-6)
    assert dose_budget(barns, 0.02) == pytest.approx(1e6, rel=1e-6)
    below = np.linspace(10, safe.beam_energy_keV, 100)[:-1]
    assert np.all(displacement_cross_section("Se", below, 5.12, masses="isotopes", velocity_variance=3.2e4) < barns)


def test_the_weakest_element_limits() -> None:
    thresholds = {"Cd": 3.0, "Se": 9.0}
    both = highest_safe_beam_energy(thresholds, 1e6, 0.01)
    assert both.limiting_element == "Cd"
    assert both.beam_energy_keV == pytest.approx(highest_safe_beam_energy({"Cd": 3.0}, 1e6, 0.01).beam_energy_keV)


def test_ends_of_the_range_are_told() -> None:
    nothing = highest_safe_beam_energy({"Pb": 500.0}, 1e6, 0.01)
    assert (nothing.beam_energy_keV, nothing.limiting_element) == (1500.0, None)
    always = highest_safe_beam_energy({"H": 0.01}, 1e9, 0.01)
    assert (always.beam_energy_keV, always.limiting_element) == (0.0, "H")


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: displacement_rate(10.0, -1.0), "dose rate"),
        (lambda: dose_rate_from_current_density(-1.0), "current density"),
        (lambda: dose_budget(10.0, 1.5), "allowed loss"),
        (lambda: dose_budget(10.0, 0.0), "allowed loss"),
        (lambda: surviving_fraction(10.0, -5.0), "dose"),
        (lambda: dose_for_composition(1.0, 2.0, 1.2), "ratio"),
        (lambda: highest_safe_beam_energy({"Se": 5.0}, 0.0, 0.1), "dose"),
        (lambda: highest_safe_beam_energy({}, 1e6, 0.1), "threshold energies"),
        (lambda: highest_safe_beam_energy({"Se": -5.0}, 1e6, 0.1), "threshold energy"),
    ],
)
def test_bad_arguments_are_one_line(call: object, named: str) -> None:
    with pytest.raises(InputError, match=named):
        call()
