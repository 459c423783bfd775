"""Thermal motion in three dimensions: Monte Carlo of the collisions, the noncentral chi law, published limits."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.stats import ncx2, norm

from nanoslab.beam import (
    Facet,
    classical_velocity_variance,
    differential_cross_section,
    displacement_cross_section,
    electron_speed,
    element_data,
    facets_cross_section,
    max_recoil_speed,
    max_transferred_energy,
    tilted_cross_section,
)
from nanoslab.beam.closed_form import closed_form, prefactor_barn
from nanoslab.errors import InputError

SE = classical_velocity_variance("Se", 300)
LARGEST = max_transferred_energy("Se", 200)
TENSORS = {
    "isotropic": np.eye(3),
    "stiff along x": np.diag([0.4, 1.5, 1.0]),
    "turned": np.array([[1, 0.3, 0.2], [0.3, 1.4, -0.5], [0.2, -0.5, 0.8]]),
}


def monte_carlo(threshold: float, tensor: NDArray, normal: tuple[float, ...] | None = None) -> tuple[float, float]:
    """Mean and standard error [barn] for Se at 200 kV, McKinley-Feshbach: sample velocities and recoils, count."""
    random, n = np.random.default_rng(7), 1_000_000
    fastest = max_recoil_speed("Se", 200)
    needed = fastest * np.sqrt(threshold / LARGEST)
    slowest = max(needed - 7 * np.sqrt(np.linalg.eigvalsh(tensor).max()), 0.1 * needed)
    y_max = (fastest / slowest) ** 2
    y = 1 + (y_max - 1) * random.random(n)
    cosine, phi = y**-0.5, 2 * np.pi * random.random(n)
    sine = np.sqrt(1 - cosine**2)
    recoil = (fastest * cosine)[:, None] * np.column_stack([sine * np.cos(phi), sine * np.sin(phi), cosine])
    after = random.multivariate_normal(np.zeros(3), tensor, n) + recoil
    speed = np.linalg.norm(after, axis=1) if normal is None else after @ np.array(normal)
    beta = electron_speed(200)
    ratio = closed_form("mckinley-feshbach", 34, beta).ratio(cosine)
    values = prefactor_barn(34, beta) * (y_max - 1) * ratio * (speed >= needed)
    return float(values.mean()), float(values.std() / np.sqrt(n))


@pytest.mark.parametrize("share", [5.12 / LARGEST, 1.0, 1.2])
@pytest.mark.parametrize("name", TENSORS)
def test_spherical_escape_equals_a_monte_carlo_of_collisions(name: str, share: float) -> None:
    tensor = SE * TENSORS[name]
    expected, error = monte_carlo(share * LARGEST, tensor)
    found = displacement_cross_section(
        "Se", 200, share * LARGEST, model="mckinley-feshbach", velocity_variance=tensor.tolist()
    )
    assert found == pytest.approx(expected, abs=4 * error)
    assert error < 0.06 * expected


@pytest.mark.parametrize("tilt", [0.0, 40.0])
def test_a_surface_asks_for_the_momentum_along_its_normal(tilt: float) -> None:
    normal = (np.sin(np.radians(tilt)), 0.0, np.cos(np.radians(tilt)))
    tensor = SE * TENSORS["turned"]
    expected, error = monte_carlo(4.0, tensor, normal)
    options = {"model": "mckinley-feshbach", "velocity_variance": tensor}
    assert tilted_cross_section("Se", 200, 4.0, tilt, **options) == pytest.approx(expected, abs=4 * error)
    if tilt == 0:
        planar = displacement_cross_section("Se", 200, 4.0, escape="planar", **options)
        assert planar == pytest.approx(expected, abs=4 * error)
        facet = Facet(normal=(0, 0, 1), area=1.0)
        there = facets_cross_section("Se", 200, 4.0, [facet], beam_direction=(0, 0, 1), **options)
        assert there == pytest.approx(planar, rel=1e-6)


@pytest.mark.parametrize(("kv", "threshold"), [(200, 6.8), (200, 5.0), (300, 11.5), (120, 4.5), (200, 9.97)])
def test_motion_alike_in_all_directions_is_the_noncentral_chi_law(kv: float, threshold: float) -> None:
    """An independent law of |v + u|, scipy's, integrated over scipy's quadrature."""
    largest, fastest, s = max_transferred_energy("Se", kv), max_recoil_speed("Se", kv), np.sqrt(SE)
    needed = fastest * np.sqrt(threshold / largest)

    def integrand(u: float) -> float:
        energy = largest * (u / fastest) ** 2
        chance = ncx2.sf((needed / s) ** 2, 3, (u / s) ** 2)
        return float(differential_cross_section("Se", kv, energy) * 2 * energy / u * chance)

    edges = sorted({0.6 * needed, needed - 2 * s, needed, needed + 4 * s, fastest})
    edges = [edge for edge in edges if edge <= fastest]
    expected = sum(quad(integrand, a, b, epsrel=1e-8)[0] for a, b in pairwise(edges))
    found = displacement_cross_section("Se", kv, threshold, velocity_variance=SE)
    assert found == pytest.approx(expected, rel=2e-6)
    tensor = displacement_cross_section("Se", kv, threshold, velocity_variance=SE * np.eye(3))
    assert tensor == pytest.approx(found, rel=2e-5)


def test_planar_motion_is_the_normal_law_of_one_axis() -> None:
    largest, fastest, s = LARGEST, max_recoil_speed("Se", 200), np.sqrt(SE)
    needed = fastest * np.sqrt(5.0 / largest)

    def integrand(x: float) -> float:
        chance = norm.sf((needed - fastest * x) / s)
        return float(differential_cross_section("Se", 200, largest * x) * largest * chance)

    expected = quad(integrand, 0.4, 1, epsrel=1e-9, points=[needed / fastest])[0]
    found = displacement_cross_section("Se", 200, 5.0, escape="planar", velocity_variance=SE)
    assert found == pytest.approx(expected, rel=1e-6)


def test_three_dimensions_over_one() -> None:
    """Se at 200 kV, 300 K: three dimensions over Meyer's formula for motion along the beam, as measured by others."""
    fastest = max_recoil_speed("Se", 200)
    for threshold, expected in ((5.12, 1.06), (LARGEST, 1.13), (1.2 * LARGEST, 1.28), (1.5 * LARGEST, 1.55)):

        def along(v: float, threshold: float = threshold) -> float:
            still = displacement_cross_section("Se", 200, threshold / (1 + v / fastest) ** 2)
            return float(np.exp(-(v**2) / (2 * SE)) / np.sqrt(2 * np.pi * SE) * still)

        start = max(fastest * (np.sqrt(threshold / LARGEST) - 1), -9 * np.sqrt(SE))
        one = quad(along, start, start + 12 * np.sqrt(SE), epsrel=1e-8, limit=200)[0]
        three = displacement_cross_section("Se", 200, threshold, velocity_variance=SE)
        assert three / one == pytest.approx(expected, abs=0.01)


def test_motion_along_the_beam_alone_is_meyers_formula() -> None:
    """12C, E_d 21.14 eV, <v_z²> 3.17e5 m²/s², MF, computed independently with the static formula of E_max.

    Motion along the beam leaves a little momentum across it, which the formula leaves out: 1.5 % far below threshold.
    """
    expected = {85: 2.281e-4, 90: 5.413e-3, 95: 6.013e-2, 100: 3.449e-1, 110: 2.481}
    for kv, barn in expected.items():
        found = displacement_cross_section(
            "C",
            kv,
            21.14,
            model="mckinley-feshbach",
            masses=12.0,
            velocity_variance=np.diag([0, 0, 3.17e5]),
            kinematics="static",
        )
        assert found == pytest.approx(barn, rel=2e-2)


@pytest.mark.parametrize("escape", ["spherical", "planar"])
def test_turning_tensor_about_the_beam_changes_nothing(escape: str) -> None:
    angle = 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    tensor = SE * TENSORS["turned"]
    options = {"escape": escape, "masses": "isotopes"}
    first = displacement_cross_section("Se", 200, 6.0, velocity_variance=tensor, **options)
    turned = displacement_cross_section("Se", 200, 6.0, velocity_variance=turn @ tensor @ turn.T, **options)
    assert turned == pytest.approx(first, rel=1e-7)


def test_more_motion_gives_more_below_threshold_and_none_gives_the_static_total() -> None:
    cold, hot = (displacement_cross_section("Se", 200, 8.0, velocity_variance=factor * SE) for factor in (1, 2))
    assert 0 < cold < hot
    still = displacement_cross_section("Se", 200, 5.0)
    assert displacement_cross_section("Se", 200, 5.0, velocity_variance=np.zeros((3, 3))) == still
    assert element_data("Se").mass > 0


@pytest.mark.parametrize(
    ("tensor", "named"),
    [
        ([[1, 0], [0, 1]], "3 x 3"),
        (np.array([[1, 2, 0], [0, 1, 0], [0, 0, 1]]), "symmetric"),
        (np.diag([1.0, -1.0, 1.0]), "no negative variance"),
        (np.diag([1.0, np.nan, 1.0]), "finite"),
    ],
)
def test_a_wrong_tensor_is_one_line(tensor: NDArray, named: str) -> None:
    with pytest.raises(InputError, match=named):
        displacement_cross_section("Se", 200, 5.0, velocity_variance=tensor)


def test_a_mean_over_surfaces_of_every_direction_takes_one_number() -> None:
    with pytest.raises(InputError, match="sphere-averaged"):
        displacement_cross_section("Se", 200, 5.0, escape="sphere-averaged", velocity_variance=np.eye(3))
