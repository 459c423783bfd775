"""Escape through tilted surfaces against the closed average over the sphere and a Monte Carlo."""

import numpy as np
import pytest

from nanoslab.beam import (
    Facet,
    displacement_cross_section,
    facets_cross_section,
    max_transferred_energy,
    tilted_cross_section,
)
from nanoslab.errors import InputError

MF = "mckinley-feshbach"

#: Se, 200 kV, E_s 2.25 eV, McKinley-Feshbach [barn], computed independently
TABLE = {0: 318.83, 15: 319.18, 30: 313.43, 45: 283.75, 60: 208.08, 75: 69.11, 90: 0.0}


@pytest.mark.parametrize("tilt", TABLE)
def test_tilts_equal_an_independent_table(tilt: float) -> None:
    assert tilted_cross_section("Se", 200, 2.25, tilt, model=MF) == pytest.approx(TABLE[tilt], abs=0.006)


@pytest.mark.parametrize("model", ["mott", MF, "rutherford"])
@pytest.mark.parametrize("variance", [0.0, 3e4])
def test_tilts_average_to_the_closed_form_of_the_sphere(model: str, variance: float) -> None:
    largest = max_transferred_energy("Se", 200)
    lowest = max(2 * np.sqrt(2.25 / largest) - 1, -1) if variance == 0 else -1
    nodes, weights = np.polynomial.legendre.leggauss(30)
    cosines = lowest + (1 - lowest) * (1 + nodes) / 2
    tilted = [
        tilted_cross_section("Se", 200, 2.25, float(np.degrees(np.arccos(c))), model=model, velocity_variance=variance)
        for c in cosines
    ]
    mean = weights @ tilted * (1 - lowest) / 2 / 2
    closed = displacement_cross_section(
        "Se", 200, 2.25, model=model, escape="sphere-averaged", velocity_variance=variance
    )
    # with motion the opening is a soft knee that 30 nodes over the tilts resolve to 5e-5
    assert mean == pytest.approx(closed, rel=1e-4 if variance else 1e-9)


@pytest.mark.parametrize("tilt", [20.0, 70.0, 120.0])
def test_a_tilt_equals_a_monte_carlo_over_recoils(tilt: float) -> None:
    """Rutherford recoils drawn one by one; 4e5 of them give 0.3 %."""
    random = np.random.default_rng(7)
    surface, largest = 0.2, max_transferred_energy("Se", 200)
    r = largest / surface
    y = 1 + (r - 1) * random.random(400_000)  # uniform in 1/T is Rutherford's law
    cosine = y**-0.5
    azimuth = 2 * np.pi * random.random(y.size)
    tau = np.radians(tilt)
    normal = cosine * np.cos(tau) + np.sqrt(1 - cosine**2) * np.sin(tau) * np.cos(azimuth)
    leaves = (normal > 0) & (largest / y * normal**2 >= surface)
    everything = displacement_cross_section("Se", 200, surface, model="rutherford")
    error = 4 * everything * np.sqrt(leaves.mean() / y.size)
    found = tilted_cross_section("Se", 200, surface, tilt, model="rutherford")
    assert found == pytest.approx(everything * leaves.mean(), abs=error)


def test_a_tilt_opens_where_the_normal_energy_suffices() -> None:
    """The largest normal energy is E_max cos⁴(τ/2)."""
    largest = max_transferred_energy("Cd", 300)
    for tilt in (10.0, 60.0, 110.0):
        normal = largest * np.cos(np.radians(tilt) / 2) ** 4
        assert tilted_cross_section("Cd", 300, normal * 1.0001, tilt) == 0
        assert tilted_cross_section("Cd", 300, normal * 0.999, tilt) > 0
    assert tilted_cross_section("Cd", 300, 1e-3, 180) == 0


def test_no_tilt_is_planar() -> None:
    planar = displacement_cross_section("Te", 300, 2.0, escape="planar", masses="isotopes", velocity_variance=2e4)
    for tilt in (0.0, 1e-7):
        found = tilted_cross_section("Te", 300, 2.0, tilt, masses="isotopes", velocity_variance=2e4)
        assert found == pytest.approx(planar, rel=1e-9)


def test_facets_are_weighted_by_area_and_do_not_care_for_lengths_or_rotation() -> None:
    facets = [Facet(normal=(0, 0, -2.0), area=3.0), Facet(normal=(1.0, 0, 0), area=1.0)]
    found = facets_cross_section("Se", 300, 1.0, facets)
    expected = (3 * tilted_cross_section("Se", 300, 1.0, 0) + tilted_cross_section("Se", 300, 1.0, 90)) / 4
    assert found == pytest.approx(expected, rel=1e-12)
    turned = [Facet(normal=(5.0, 0, 0), area=30.0), Facet(normal=(0, 1.0, 0), area=10.0)]
    again = facets_cross_section("Se", 300, 1.0, turned, beam_direction=(0.1, 0, 0))
    assert again == pytest.approx(expected, rel=1e-12)


def test_many_facets_of_a_sphere_tend_to_the_average() -> None:
    k = np.arange(200) + 0.5
    polar, azimuth = np.arccos(1 - 2 * k / k.size), np.pi * (1 + 5**0.5) * k
    normals = np.column_stack([np.cos(azimuth) * np.sin(polar), np.sin(azimuth) * np.sin(polar), np.cos(polar)])
    facets = [Facet(normal=tuple(normal), area=1.0) for normal in normals.tolist()]
    found = facets_cross_section("Se", 200, 2.25, facets, model=MF)
    # 200 points on the sphere: 1 %
    assert found == pytest.approx(
        displacement_cross_section("Se", 200, 2.25, model=MF, escape="sphere-averaged"), rel=1e-2
    )


@pytest.mark.parametrize(
    ("facets", "direction", "named"),
    [
        ([], (0, 0, 1), "facets"),
        ([Facet(normal=(0, 0, 0), area=1.0)], (0, 0, 1), "facet normal"),
        ([Facet(normal=(0, 0, 1), area=-1.0)], (0, 0, 1), "facet area"),
        ([Facet(normal=(0, 0, 1), area=1.0)], (0, 0, 0), "beam direction"),
    ],
)
def test_bad_facets_are_one_line(facets: list, direction: tuple, named: str) -> None:
    with pytest.raises(InputError, match=named):
        facets_cross_section("Se", 200, 2.25, facets, beam_direction=direction)


def test_bad_tilts_are_one_line() -> None:
    for tilt in (-1, 181, float("nan")):
        with pytest.raises(InputError, match="tilt"):
            tilted_cross_section("Se", 200, 2.25, tilt)
