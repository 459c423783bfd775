"""Loosened atoms: the limit without lifetime, MoS2 within its error bars, verdicts that admit what is unknown."""

from dataclasses import replace

import numpy as np
import pytest

from nanoslab.beam import (
    Excitation,
    displacement_cross_section,
    explain_loss,
    explanation_map,
    fit_excitation,
    ionisation_assisted_cross_section,
    measured_cross_sections,
    natural_target,
    surviving_fraction,
)
from nanoslab.beam.planning.mechanisms import ASSISTED, KNOCK_ON, LOW_THRESHOLD, UNKNOWN
from nanoslab.errors import InputError

SULPHUR = natural_target("S")
MEASURED = measured_cross_sections("MoS2", "S")
IONISED = Excitation(threshold_energy=0.66, probability=5.2e-4)


def test_without_lifetime_it_is_knock_on_to_the_last_digit() -> None:
    kilovolts = np.array([55.0, 60.0, 80.0, 90.0])
    still = displacement_cross_section(
        "S", kilovolts, 6.9, masses="isotopes", velocity_variance=SULPHUR.velocity_variance
    )
    dead = replace(IONISED, lifetime_s=0.0)
    assert ionisation_assisted_cross_section(SULPHUR, kilovolts, 6.9, dead) == pytest.approx(still, rel=1e-12)
    short = replace(IONISED, lifetime_s=1e-15)
    assert ionisation_assisted_cross_section(SULPHUR, kilovolts, 6.9, short) == pytest.approx(still, rel=1e-12)
    never = replace(IONISED, probability=0.0)
    assert np.array_equal(ionisation_assisted_cross_section(SULPHUR, kilovolts, 6.9, never), still)


def test_a_certain_excitation_is_knock_on_from_the_excited_state() -> None:
    sure = Excitation(threshold_energy=3.0, probability=1.0, reference_energy_keV=80.0)
    excited = displacement_cross_section("S", 80, 3.0, masses="isotopes", velocity_variance=SULPHUR.velocity_variance)
    assert ionisation_assisted_cross_section(SULPHUR, 80, 6.9, sure) == pytest.approx(excited, rel=1e-12)


def test_sulphur_of_mos2_lies_within_the_error_bars_from_30_to_80_kv() -> None:
    """Kretschmer et al. 2020. Pure knock-on misses the 60 kV point by five orders of magnitude."""
    points = MEASURED[1:]
    found = fit_excitation(SULPHUR, points, 6.9, IONISED)
    assert np.abs(found.deviations).max() < 1.2
    assert [abs(d) < 1 for d, p in zip(found.deviations, points, strict=True) if p.beam_energy_keV >= 55] == [True] * 2
    assert 6.4 < found.threshold_energy < 7.0, "density-functional theory has 6.5 to 6.9 eV"
    assert found.excitation.probability < 2e-3
    knock_on = displacement_cross_section(
        "S", 60, found.threshold_energy, masses="isotopes", velocity_variance=SULPHUR.velocity_variance
    )
    assert knock_on < 1e-3 * points[2].barn


def test_the_80_kv_point_is_met_without_having_been_fitted() -> None:
    """The excited state from 30, 40 and 60 kV, the ground state from theory (6.9 eV): 5.3 barn measured."""
    from scipy.optimize import least_squares

    points = MEASURED[1:4]

    def deviations(logs: np.ndarray) -> np.ndarray:
        trial = replace(IONISED, threshold_energy=float(np.exp(logs[0])), probability=float(np.exp(logs[1])))
        model = ionisation_assisted_cross_section(SULPHUR, np.array([p.beam_energy_keV for p in points]), 6.9, trial)
        return (model - [p.barn for p in points]) / [p.error_barn for p in points]

    logs = least_squares(deviations, np.log([0.66, 5e-4]), diff_step=1e-4).x
    trial = replace(IONISED, threshold_energy=float(np.exp(logs[0])), probability=float(np.exp(logs[1])))
    # 6.9 eV leaves 1.1 barn of knock-on: 1.3 barn below the measured one, 6.7 eV would meet it
    assert ionisation_assisted_cross_section(SULPHUR, 80, 6.9, trial) == pytest.approx(5.3, abs=1.5)


def test_chances_follow_bethe_and_the_lifetime() -> None:
    assert IONISED.chance(60) == pytest.approx(5.2e-4)
    chances = IONISED.chance(np.array([30.0, 60.0, 200.0]))
    assert np.all(np.diff(chances) < 0)
    halved = replace(IONISED, lifetime_s=IONISED.escape_time_s / np.log(2))
    assert halved.chance(60) == pytest.approx(IONISED.chance(60) / 2)
    assert replace(IONISED, probability=0.9).chance(5.0) == 1.0


def test_the_verdict_follows_the_cross_section_that_is_needed() -> None:
    loss = 0.2
    for dose in (1e1, 1e3, 1e5, 1e9):
        found = explain_loss("CdSe", "Se", loss, 200, dose)
        assert 1 - surviving_fraction(found.needed_barn, dose) == pytest.approx(loss)
        low, high = found.knock_on_barn
        if found.needed_barn <= low:
            assert found.verdict == KNOCK_ON
        elif found.needed_barn <= high:
            assert found.verdict == LOW_THRESHOLD
        else:
            assert found.verdict in (ASSISTED, UNKNOWN)
            assert "unknown" in found.verdict
    assert explain_loss("CdSe", "Se", loss, 200, 3.745e3).verdict == ASSISTED
    assert explain_loss("CdSe", "Se", loss, 200, 10.0).verdict == UNKNOWN


@pytest.mark.parametrize("material", ["CdSe", "PbSe"])
def test_more_dose_never_needs_more_than_less(material: str) -> None:
    order = [UNKNOWN, ASSISTED, LOW_THRESHOLD, KNOCK_ON]
    for row in explanation_map(material, "Se", 0.1, [60, 200, 300], np.geomspace(1, 1e12, 13)):
        ranks = [order.index(cell.verdict) for cell in row]
        assert ranks == sorted(ranks)
        assert row[0].to_dict()["knock_on_barn"][0] <= row[0].to_dict()["knock_on_barn"][1]


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: Excitation(threshold_energy=1.0, probability=1.5), "probability"),
        (lambda: Excitation(threshold_energy=-1.0, probability=0.5), "excited threshold"),
        (lambda: Excitation(threshold_energy=1.0, probability=0.5, lifetime_s=-1.0), "lifetime"),
        (lambda: fit_excitation(SULPHUR, MEASURED[:2], 6.9, IONISED), "three points"),
        (lambda: explain_loss("CdSe", "Te", 0.2, 200, 1e4), "one of CdSe"),
        (lambda: explain_loss("CdSe", "Se", 2.0, 200, 1e4), "20 % is 0.2"),
        (lambda: explain_loss("CdSe", "Se", 0.2, 200, 0.0), "dose"),
    ],
)
def test_bad_arguments_are_one_line(call: object, named: str) -> None:
    with pytest.raises(InputError, match=named):
        call()
