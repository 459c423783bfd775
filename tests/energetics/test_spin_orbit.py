"""Spin-orbit energies of free atoms."""

import pytest

from nanoslab.energetics.spin_orbit import spin_orbit_energy
from nanoslab.errors import InputError


def test_the_ground_level_of_selenium_lies_below_the_mean_of_its_term():
    # (5 * 0 + 3 * 1989.497 + 2534.36) / 9 = 944.76 per cm, and 8065.54 per cm are 1 eV
    assert spin_orbit_energy("Se") == pytest.approx(-944.761 / 8065.544, abs=1e-5)


def test_a_closed_shell_has_none():
    assert spin_orbit_energy("Cd") == 0.0


def test_levels_that_are_not_known_are_not_guessed():
    with pytest.raises(InputError, match="Atomic Spectra Database"):
        spin_orbit_energy("Te")
