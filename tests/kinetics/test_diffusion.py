"""Diffusion and moving fronts against closed forms; nothing is lost."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import erf

from nanoslab.errors import InputError
from nanoslab.kinetics import Reacting, darken, exchange_front, hollow, interdiffuse


def test_a_couple_follows_the_error_function() -> None:
    faces = np.linspace(0, 20, 101)
    middles = (faces[1:] + faces[:-1]) / 2
    profiles = interdiffuse((middles > 10).astype(float), faces, lambda x: np.full_like(x, 1e-2), [0, 100, 200])
    for time, x in zip(profiles.times_s[1:], profiles.fractions[1:], strict=True):
        assert x == pytest.approx((1 + erf((middles - 10) / np.sqrt(4e-2 * time))) / 2, abs=2e-3)


def test_a_sphere_in_a_solution_follows_the_series() -> None:
    # Crank, The Mathematics of Diffusion (1975), eq. 6.20: uptake of a sphere whose surface is held
    faces = np.linspace(0, 3, 76)
    times = np.array([0.0, 10.0, 100.0])
    profiles = interdiffuse(np.zeros(75), faces, lambda x: np.full_like(x, 1e-2), times, geometry="sphere", outside=1.0)
    n = np.arange(1, 400)[:, None]
    series = 1 - 6 / np.pi**2 * (np.exp(-1e-2 * n**2 * np.pi**2 * times / 9) / n**2).sum(axis=0)
    assert profiles.amounts_nm3 / (36 * np.pi) == pytest.approx(series, abs=3e-3)


@pytest.mark.parametrize("geometry", ["plane", "cylinder", "sphere"])
def test_closed_couples_keep_every_cation(geometry: str) -> None:
    faces = np.cumsum([0.0, *np.linspace(0.05, 0.2, 60)])  # cells of different widths
    start = (np.arange(60) > 25).astype(float)
    profiles = interdiffuse(start, faces, darken(1e-2, 1e-4), [0, 10, 1e4], geometry=geometry)  # type: ignore[arg-type]
    assert np.abs(profiles.amounts_nm3 / profiles.amounts_nm3[0] - 1).max() < 1e-10
    assert profiles.fractions.min() > -1e-6
    assert profiles.fractions.max() < 1 + 1e-6


@pytest.mark.parametrize("solubility", [0.01, 0.3, 0.8])
def test_a_plane_front_follows_neumanns_solution(solubility: float) -> None:
    root = brentq(lambda s: (1 - solubility) * s * np.sqrt(np.pi) * np.exp(s * s) * erf(s) - solubility, 1e-4, 3.0)
    times = np.array([100.0, 1000.0]) * 0.3 / solubility
    front = exchange_front(20.0, 1e-2, solubility, times, geometry="plane")
    assert 20 - front.radii_nm == pytest.approx(2 * root * np.sqrt(1e-2 * times), rel=1e-4)


def test_a_slow_front_in_a_sphere_follows_the_shrinking_core() -> None:
    # steady flux through the shell: t / tau = 1 - 3 x^2 + 2 x^3, tau = R^2 / (6 D solubility) at small solubility
    times = np.linspace(0, 0.9, 10) * 9 / (6 * 1e-2 * 1e-4)
    front = exchange_front(3.0, 1e-2, 1e-4, times)
    x = front.radii_nm / 3.0
    assert 1 - 3 * x**2 + 2 * x**3 == pytest.approx(np.linspace(0, 0.9, 10), abs=3e-4)


@pytest.mark.parametrize("geometry", ["plane", "cylinder", "sphere"])
def test_a_front_loses_no_cation_and_arrives(geometry: str) -> None:
    front = exchange_front(3.0, 1e-2, 0.2, [0.0, 50.0, 200.0, 1e5], geometry=geometry)  # type: ignore[arg-type]
    total = front.core_nm3 + front.shell_nm3 + front.left_nm3
    assert np.abs(total / total[0] - 1).max() < 1e-10
    assert (np.diff(front.radii_nm) <= 0).all()
    assert front.radii_nm[-1] == 0.0


@pytest.mark.parametrize(
    ("out", "inward", "expansion"), [(3.0, 1.0, 1.0), (3.0, 1.0, 1.69), (1.0, 0.0, 2.0), (0.0, 1.0, 0.7)]
)
def test_the_void_has_the_size_that_the_balance_of_atoms_leaves(out: float, inward: float, expansion: float) -> None:
    end = hollow(
        Reacting(radius_nm=4.0, outward_nm2_per_s=out, inward_nm2_per_s=inward, expansion=expansion), [0.0, 1e6]
    )
    assert (end.void_nm[-1] / 4.0) ** 3 == pytest.approx(1 - expansion * inward / (out + inward), abs=1e-9)
    shell = end.outer_nm**3 - end.inner_nm**3
    reacted = 4.0**3 - 3 * end.core_nm3 / (4 * np.pi)
    assert shell == pytest.approx(expansion * reacted, rel=1e-10, abs=1e-10)


def test_a_thin_shell_grows_with_the_root_of_time() -> None:
    times = np.array([0.0, 1.0, 4.0]) * 1e-4
    end = hollow(Reacting(radius_nm=50.0, outward_nm2_per_s=1.0, inward_nm2_per_s=1.0), times)
    thickness = end.outer_nm - end.inner_nm
    assert thickness[2] / thickness[1] == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"radius_nm": -1}, "radius_nm"),
        ({"solubility": 0}, "solubility"),
        ({"times_s": [3, 1]}, "times_s"),
        ({"geometry": "spere"}, "did you mean sphere"),
    ],
)
def test_bad_input_is_one_line(change: dict[str, object], named: str) -> None:
    given = {"radius_nm": 3.0, "diffusivity_nm2_per_s": 1e-2, "solubility": 0.1, "times_s": [0, 1], **change}
    with pytest.raises(InputError, match=named):
        exchange_front(**given)  # type: ignore[arg-type]
