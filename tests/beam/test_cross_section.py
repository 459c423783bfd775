"""Totals against independent integrals, tables and limits."""

import numpy as np
import pytest
from dirac_oracle import bracket
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.constants import alpha, physical_constants
from scipy.integrate import quad

from nanoslab.beam import (
    angular_cross_section,
    cascade_cross_section,
    classical_velocity_variance,
    differential_cross_section,
    displacement_cross_section,
    electron_speed,
    element_data,
    max_transferred_energy,
    mott_ratio,
)
from nanoslab.beam.closed_form import closed_form_cross_section, legendre_nodes
from nanoslab.errors import InputError

MODELS = ("mott", "mckinley-feshbach", "rutherford")
ESCAPES = ("spherical", "planar", "sphere-averaged")
DISC_BARN = np.pi * physical_constants["classical electron radius"][0] ** 2 * 1e28

#: Rutherford, MF, Mott, planar MF, planar Mott [barn], computed independently
TABLE = {
    ("C", 200, 10.0): (66.8511, 54.0436, 54.2150, 14.8535, 14.9072),
    ("S", 120, 6.9): (116.6883, 83.6051, 85.9725, 37.2339, 38.2987),
    ("Se", 200, 2.25): (1244.782, 1033.431, 1163.946, 318.832, 365.850),
    ("Se", 300, 6.0): (250.994, 157.792, 181.548, 55.888, 64.703),
    ("Cd", 200, 1.16): (3841.187, 3588.481, 4417.902, 983.022, 1288.926),
    ("Pb", 200, 2.03): (917.695, 582.796, 1506.500, 250.388, 680.993),
    ("Au", 300, 3.81): (228.985, 109.198, 278.337, 48.520, 126.329),
}


def prefactor(atomic_number: int, beta: float) -> float:
    return DISC_BARN * atomic_number**2 * (1 - beta**2) / beta**4


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_totals_equal_an_independent_table(case: tuple[str, float, float]) -> None:
    found = [displacement_cross_section(*case, model=model) for model in reversed(MODELS)]
    found += [displacement_cross_section(*case, model=model, escape="planar") for model in (MODELS[1], MODELS[0])]
    assert found == pytest.approx(TABLE[case], abs=6e-4), "three decimals are printed"


@pytest.mark.parametrize(
    ("symbol", "kv", "threshold"),
    [("Zn", 200, 3.0), ("Te", 300, 5.5), ("W", 80, 0.5), ("Ag", 1000, 20.0), ("U", 30, 0.2), ("Bi", 1400, 2.0)],
)
def test_mott_totals_equal_an_integral_over_dirac_phase_shifts(symbol: str, kv: float, threshold: float) -> None:
    data, beta = element_data(symbol), electron_speed(kv)
    r = max_transferred_energy(symbol, kv) / threshold
    expected = prefactor(data.atomic_number, beta) * bracket(data.atomic_number, beta, r)
    assert displacement_cross_section(symbol, kv, threshold) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("symbol", ["H", "I", "Pu"])
@pytest.mark.parametrize("kv", [10.0, 120.0, 1500.0])
@pytest.mark.parametrize("fraction", [0.999, 0.03, 2e-5])
def test_mott_integrals_equal_adaptive_quadrature(symbol: str, kv: float, fraction: float) -> None:
    """The Chebyshev machinery and its straight line at small angles, against scipy on the ratio itself."""
    data, beta = element_data(symbol), electron_speed(kv)
    w = fraction**-0.5
    ratios = {}

    def ratio(sine: float) -> float:
        if sine not in ratios:
            ratios[sine] = float(mott_ratio(data.atomic_number, kv, float(np.degrees(2 * np.arcsin(sine)))))
        return ratios[sine]

    breaks = [s for s in (0.02, 0.1, 0.4) if 1 / w < s < 1]
    plain, _ = quad(lambda s: 2 * ratio(s) / s**3, 1 / w, 1, points=breaks or None, epsrel=1e-8, limit=200)
    sphere, _ = quad(
        lambda s: (1 - 1 / (w * s)) * ratio(s) / s**3, 1 / w, 1, points=breaks or None, epsrel=1e-8, limit=200
    )
    threshold = max_transferred_energy(symbol, kv) * fraction
    scale = prefactor(data.atomic_number, beta)
    # the last digits of (1 - fraction) are lost in the threshold itself
    assert displacement_cross_section(symbol, kv, threshold) == pytest.approx(scale * plain, rel=3e-7)
    found = displacement_cross_section(symbol, kv, threshold, escape="sphere-averaged")
    assert found == pytest.approx(scale * sphere, rel=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_totals_are_integrals_of_the_differential(model: str) -> None:
    largest = max_transferred_energy("Te", 250)
    expected, _ = quad(lambda t: differential_cross_section("Te", 250, t, model=model), 1.5, largest, epsrel=1e-9)
    assert displacement_cross_section("Te", 250, 1.5, model=model) == pytest.approx(expected, rel=1e-6)
    planar = np.sqrt(1.5 * largest)
    expected, _ = quad(lambda t: differential_cross_section("Te", 250, t, model=model), planar, largest, epsrel=1e-9)
    assert displacement_cross_section("Te", 250, 1.5, model=model, escape="planar") == pytest.approx(expected, rel=1e-6)


def test_angular_and_energy_forms_agree() -> None:
    largest, angle = max_transferred_energy("Pb", 200), 110.0
    energy = largest * np.sin(np.radians(angle) / 2) ** 2
    # dΩ = 4π dx, dT = E_max dx
    expected = differential_cross_section("Pb", 200, energy) * largest / (4 * np.pi)
    assert angular_cross_section("Pb", 200, angle) == pytest.approx(expected, rel=1e-12)
    # Rutherford's formula from the textbook: (Z r_e/2)² (1-β²)/β⁴ / sin⁴(θ/2)
    beta = electron_speed(200)
    radius = physical_constants["classical electron radius"][0] * 1e14
    textbook = (82 * radius / 2) ** 2 * (1 - beta**2) / beta**4 / np.sin(np.radians(55)) ** 4
    assert angular_cross_section("Pb", 200, angle, model="rutherford") == pytest.approx(textbook, rel=1e-7)


def test_published_example_of_egerton() -> None:
    """Z = 6, A = 12, E_d = 10 eV, 200 kV, as a public test of his program has it; his constants differ: 1e-3."""
    options = {"masses": 12.0}
    expected = {"rutherford": (66.9327, 21.6523), "mckinley-feshbach": (54.101, 14.863)}
    for model, (spherical, planar) in expected.items():
        assert displacement_cross_section("C", 200, 10, model=model, **options) == pytest.approx(spherical, rel=1e-3)
        found = displacement_cross_section("C", 200, 10, model=model, escape="planar", **options)
        assert found == pytest.approx(planar, rel=1e-3)


@given(
    atomic_number=st.integers(1, 94),
    kv=st.floats(10, 1500),
    threshold=st.floats(1e-2, 1e3),
    model=st.sampled_from(MODELS),
    escape=st.sampled_from(ESCAPES),
    variance=st.sampled_from([0.0, 1e2, 3e4, 4e5]),
    masses=st.sampled_from(["standard", "isotopes"]),
)
@settings(max_examples=60, deadline=None)
def test_totals_are_never_negative_and_vanish_below_threshold(  # noqa: PLR0917 (hypothesis)
    atomic_number: int, kv: float, threshold: float, model: str, escape: str, variance: float, masses: str
) -> None:
    from nanoslab.beam.elements import symbols

    symbol = symbols()[atomic_number - 1]
    barns = displacement_cross_section(
        symbol, kv, threshold, model=model, escape=escape, velocity_variance=variance, masses=masses
    )
    assert np.isfinite(barns)
    assert barns >= 0
    if masses == "standard" and variance == 0 and max_transferred_energy(symbol, kv) <= threshold:
        assert barns == 0


@given(symbol=st.sampled_from(["C", "S", "Se", "Cd", "Pb"]), kv=st.floats(20, 1200), model=st.sampled_from(MODELS))
@settings(max_examples=25, deadline=None)
def test_order_of_totals(symbol: str, kv: float, model: str) -> None:
    thresholds = max_transferred_energy(symbol, kv) * np.linspace(0.02, 1.1, 60)
    by_escape = [displacement_cross_section(symbol, kv, thresholds, model=model, escape=escape) for escape in ESCAPES]
    for barns in by_escape:
        assert np.all(np.diff(barns) <= 0), "a higher threshold can only lower a total"
    assert np.all(by_escape[1] <= by_escape[0]), "planar <= spherical"
    assert np.all(by_escape[2] <= by_escape[0] / 2), "no more than the half that flies outwards"


def test_mott_tends_to_mckinley_feshbach_for_light_nuclei() -> None:
    for symbol, tolerance in (("H", 3e-4), ("He", 1e-3), ("C", 1e-2)):
        mott, born = (displacement_cross_section(symbol, 300, 10, model=model) for model in MODELS[:2])
        assert mott == pytest.approx(born, rel=tolerance)


def test_the_error_of_mckinley_feshbach_near_threshold() -> None:
    """sigma_MF/sigma_Mott at threshold and 200 kV, computed independently to 3 digits."""
    known = {"C": 0.997, "S": 0.973, "Zn": 0.894, "Se": 0.862, "Cd": 0.720, "Te": 0.675, "Au": 0.376, "Pb": 0.348}
    for symbol, expected in known.items():
        threshold = max_transferred_energy(symbol, 200) * (1 - 1e-7)
        mott, born = (displacement_cross_section(symbol, 200, threshold, model=model) for model in MODELS[:2])
        assert born / mott == pytest.approx(expected, abs=6e-4)


def test_isotopes_of_an_element_with_one_isotope_change_nothing() -> None:
    for symbol in ("As", "I", "Au"):
        alone = displacement_cross_section(symbol, 300, 2.0, masses=element_data(symbol).isotopes[0].mass)
        assert displacement_cross_section(symbol, 300, 2.0, masses="isotopes") == pytest.approx(alone, rel=1e-12)


def test_isotopes_are_summed_by_abundance() -> None:
    parts = [(i.abundance, i.mass) for i in element_data("Se").isotopes]
    expected = sum(share * displacement_cross_section("Se", 200, 6.5, masses=mass) for share, mass in parts)
    assert displacement_cross_section("Se", 200, 6.5, masses="isotopes") == pytest.approx(expected, rel=1e-12)
    assert displacement_cross_section("Se", 200, 6.8) == 0
    # 0.73 barn with older abundances (MF)
    found = displacement_cross_section("Se", 200, 6.8, masses="isotopes", model="mckinley-feshbach")
    assert found == pytest.approx(0.73, abs=0.03)


def test_little_motion_tends_to_none() -> None:
    still = displacement_cross_section("Cd", 300, 3.0)
    assert displacement_cross_section("Cd", 300, 3.0, velocity_variance=1e-2) == pytest.approx(still, rel=1e-6)
    assert displacement_cross_section("Cd", 200, 6.0, velocity_variance=1e-2) == 0


def test_cascade_equals_its_definition() -> None:
    for model in MODELS:
        largest = max_transferred_energy("C", 200)

        def displaced(t: float, model: str = model) -> float:
            return max(1.0, t / 20) * differential_cross_section("C", 200, t, model=model)

        expected, _ = quad(displaced, 10, largest, points=[20], epsrel=1e-9)
        assert cascade_cross_section("C", 200, 10, model=model) == pytest.approx(expected, rel=1e-6)
    found = cascade_cross_section("C", 200, 10, model="mckinley-feshbach", masses=12.0)
    assert found == pytest.approx(60.7369, rel=1e-4)
    below = displacement_cross_section("C", 200, 30.0)
    assert cascade_cross_section("C", 200, 30.0) == pytest.approx(below, rel=1e-12)


@pytest.mark.parametrize("model", MODELS[1:])
@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("threshold", [0.5, 5.9, 6.7, 9.0])
@pytest.mark.parametrize("temperature", [0, 300])
def test_the_version_without_numpy_is_the_same(model: str, escape: str, threshold: float, temperature: float) -> None:
    data, variance = element_data("Se"), classical_velocity_variance("Se", temperature)
    light = closed_form_cross_section(
        34,
        data.masses_and_abundances,
        200.0,
        threshold,
        model=model,
        escape=escape,
        mass_times_velocity_variance=variance * data.mass,
    )
    options = {"model": model, "escape": escape, "masses": "isotopes", "velocity_variance": variance}
    assert light == pytest.approx(displacement_cross_section("Se", 200, threshold, **options), rel=1e-3, abs=1e-12)
    # the mean of the natural isotopes is 1e-6 off the standard mass, which enters <v_z²> of the array version
    assert light == pytest.approx(displacement_cross_section("Se", 200, threshold, **options), rel=1e-4, abs=1e-12)


def test_quadrature_without_numpy_is_numpys() -> None:
    nodes, weights = np.polynomial.legendre.leggauss(48)
    ours = np.array(sorted(legendre_nodes(48)))
    assert ours == pytest.approx(np.column_stack([nodes, weights]), abs=1e-14)


def test_energies_and_thresholds_broadcast() -> None:
    kv, thresholds = np.array([[120.0], [200.0], [300.0]]), np.array([2.0, 4.0, 6.0, 12.0])
    table = displacement_cross_section("Se", kv, thresholds, masses="isotopes", velocity_variance=3e4)
    assert table.shape == (3, 4)
    one = displacement_cross_section("Se", 200, 4.0, masses="isotopes", velocity_variance=3e4)
    assert table[1, 1] == pytest.approx(one, rel=1e-12)
    assert isinstance(one, float)
    assert kv.tolist() == [[120], [200], [300]]


@pytest.mark.parametrize(
    ("arguments", "options", "named"),
    [
        (("Se", 200, 0), {}, "threshold energy"),
        (("Se", 200, -1), {}, "threshold energy"),
        (("Se", 0, 5), {}, "beam energy"),
        (("Xx", 200, 5), {}, "element"),
        (("Se", 200, 5), {"model": "mot"}, "did you mean mott"),
        (("Se", 200, 5), {"escape": "plane"}, "did you mean planar"),
        (("Se", 200, 5), {"masses": "isotope"}, "did you mean isotopes"),
        (("Se", 200, 5), {"masses": -3.0}, "masses"),
        (("Se", 200, 5), {"velocity_variance": -1.0}, "velocity variance"),
    ],
)
def test_bad_arguments_are_one_line(arguments: tuple, options: dict, named: str) -> None:
    with pytest.raises(InputError, match=named) as caught:
        displacement_cross_section(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_alpha_is_that_of_the_oracle() -> None:
    assert alpha == pytest.approx(1 / 137.036, rel=1e-5)


def test_a_large_map_is_computed_in_parts() -> None:
    kv, thresholds = np.linspace(60, 300, 90)[:, None], np.linspace(1, 12, 60)
    table = displacement_cross_section("Se", kv, thresholds)
    for row, column in ((0, 0), (44, 13), (66, 40), (89, 59)):
        one = displacement_cross_section("Se", float(kv[row, 0]), float(thresholds[column]))
        assert table[row, column] == pytest.approx(one, rel=1e-12)
    with pytest.raises(InputError, match="an empty array"):
        displacement_cross_section("Se", np.array([]), 5.0)
