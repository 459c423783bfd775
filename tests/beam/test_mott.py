"""The Mott ratio against Dirac phase shifts, tables, a published fit and its limits."""

import numpy as np
import pytest
from dirac_oracle import ratio
from scipy.constants import alpha

from nanoslab.beam import electron_speed, mott_ratio
from nanoslab.beam.mott import SMALLEST_SINE, ratio_at_nodes
from nanoslab.errors import InputError

#: full Mott, theta = 30 60 90 120 150 180, computed independently to 6 digits
TABLE = {
    ("C", 6, 80): (0.997608, 0.956589, 0.890970, 0.821566, 0.769483, 0.750228),
    ("Se", 34, 80): (1.077227, 1.108222, 1.062621, 0.979067, 0.905728, 0.877201),
    ("C", 6, 200): (0.987293, 0.905513, 0.780807, 0.650908, 0.554034, 0.518306),
    ("S", 16, 200): (1.025447, 0.961215, 0.832203, 0.686084, 0.573172, 0.530936),
    ("Se", 34, 200): (1.102963, 1.100962, 0.980202, 0.804968, 0.656817, 0.599495),
    ("Cd", 48, 200): (1.155311, 1.240785, 1.157515, 0.968613, 0.789313, 0.717113),
    ("Pb", 82, 200): (1.133383, 1.553208, 1.843534, 1.799432, 1.591814, 1.483882),
    ("Au", 79, 300): (1.204065, 1.634299, 1.816943, 1.600580, 1.230919, 1.055844),
}

#: the fit of Lijian et al. (Radiat. Phys. Chem. 45 (1995) 235), coefficients of Boschini et al. (arXiv:1111.4042), at
#: theta = 45, 100, 160; its authors give 1 %, at worst 2 % for the heaviest
FIT = {
    (34, 150): (1.1129, 0.9652, 0.7184),
    (34, 500): (1.1185, 0.7877, 0.3342),
    (48, 150): (1.2003, 1.1349, 0.8624),
    (48, 500): (1.2487, 0.9735, 0.4037),
    (82, 250): (1.4071, 1.8608, 1.3749),
    (82, 500): (1.5276, 1.8773, 0.8621),
}


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_ratio_equals_an_independent_table(case: tuple[str, int, int]) -> None:
    _, atomic_number, kv = case
    assert mott_ratio(atomic_number, kv, [30, 60, 90, 120, 150, 180]) == pytest.approx(TABLE[case], abs=6e-7)


@pytest.mark.parametrize("case", FIT, ids=str)
def test_ratio_agrees_with_the_published_fit(case: tuple[int, int]) -> None:
    assert mott_ratio(*case, [45, 100, 160]) == pytest.approx(FIT[case], rel=0.02)


@pytest.mark.parametrize("atomic_number", [1, 30, 52, 74, 94])
@pytest.mark.parametrize("kv", [10, 60, 400, 1500])
def test_ratio_equals_dirac_phase_shifts(atomic_number: int, kv: float) -> None:
    angles = np.array([12.0, 40.0, 77.0, 133.0, 179.0])
    expected = [ratio(atomic_number, electron_speed(kv), float(np.radians(angle))) for angle in angles]
    # at 12 degrees and 10 keV the 140 waves of the oracle are the weaker side
    assert mott_ratio(atomic_number, kv, angles)[1:] == pytest.approx(expected[1:], rel=1e-8)
    assert mott_ratio(atomic_number, kv, angles)[0] == pytest.approx(expected[0], rel=1e-4)


def test_ratio_tends_to_the_second_born_approximation_for_light_nuclei() -> None:
    angles = np.array([20.0, 90.0, 170.0])
    sine = np.sin(np.radians(angles) / 2)
    beta = electron_speed(300)
    for atomic_number in (1, 2, 4):
        charge = alpha * atomic_number
        born = 1 - beta**2 * sine**2 + np.pi * charge * beta * sine * (1 - sine)
        # the next order is a few (αZ)²
        assert mott_ratio(atomic_number, 300, angles) == pytest.approx(born, abs=8 * charge**2)


def test_backward_scattering_vanishes_for_fast_electrons() -> None:
    """Helicity is conserved as β -> 1, so R(180°) falls like 1 - β²."""
    for atomic_number in (6, 79):
        fast, slow = mott_ratio(atomic_number, [1500, 750], 180)
        gammas = 1 - electron_speed(np.array([1500.0, 750.0])) ** 2
        assert fast / slow == pytest.approx(gammas[0] / gammas[1], rel=0.2)


def test_forward_scattering_is_rutherford_and_continuous() -> None:
    edge = np.degrees(2 * np.arcsin(SMALLEST_SINE))
    for atomic_number in (6, 48, 94):
        assert mott_ratio(atomic_number, 100, 0.0) == pytest.approx(1.0, abs=0)
        below, above = mott_ratio(atomic_number, 100, [edge * 0.9999, edge * 1.0001])
        assert below == pytest.approx(above, abs=2e-5)


def test_energies_and_angles_broadcast() -> None:
    table = mott_ratio(34, [[80], [200]], [30, 90, 150])
    assert table.shape == (2, 3)
    assert table[1, 1] == pytest.approx(mott_ratio(34, 200, 90))


def test_one_pass_over_many_energies_equals_single_ones() -> None:
    energies, sines = np.array([80.0, 200.0, 300.0]), np.array([0.1, 0.7])
    together = ratio_at_nodes(50, energies, sines)
    alone = np.concatenate([ratio_at_nodes(50, energies[i : i + 1], sines) for i in range(3)])
    assert together == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [((95, 200, 90), "1 to 94"), ((34, 5, 90), "10 to 1500"), ((34, 2000, 90), "10 to 1500"), ((34, 200, 190), "180")],
)
def test_what_the_series_was_not_checked_for_is_refused(arguments: tuple, named: str) -> None:
    with pytest.raises(InputError, match=named):
        mott_ratio(*arguments)
