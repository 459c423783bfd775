"""Spin-orbit energy of free atoms from measured levels: what scalar-relativistic density functionals leave out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ase.units import _c, _e, _hplanck

from nanoslab.errors import InputError

#: element -> (J, energy [1/cm]) of the levels of its ground term: NIST Atomic Spectra Database, Se I 4s2 4p4 3P
GROUND_TERM_LEVELS: Mapping[str, tuple[tuple[int, float], ...]] = MappingProxyType(
    {"Se": ((2, 0.0), (1, 1989.497), (0, 2534.36)), "Cd": ((0, 0.0),)}
)


def spin_orbit_energy(symbol: str) -> float:
    """Energy of the ground level of an atom relative to the mean of its ground term [eV].

    A calculation without spin-orbit coupling gives the mean, each level counted 2 J + 1 times. Added to a chemical
    potential ``atom`` it lowers the energy of formation by as much (the crystal's own is left out).
    """
    levels = GROUND_TERM_LEVELS.get(symbol)
    if levels is None:
        expected = f"one of {', '.join(GROUND_TERM_LEVELS)}"
        advice = "look up the levels of its ground term in the NIST Atomic Spectra Database"
        raise InputError(f"spin-orbit energy of {symbol}", expected=expected, got=symbol, advice=advice)
    mean = sum((2 * j + 1) * energy for j, energy in levels) / sum(2 * j + 1 for j, _ in levels)
    return float((min(energy for _, energy in levels) - mean) * 100.0 * _hplanck * _c / _e)
