"""How close two atoms come: the universal screened repulsion of Ziegler, Biersack and Littmark (ZBL).

Notes
-----
V(r) = (Z₁Z₂ e²/4πε₀ r) φ(r/a), a = 0.8854 a₀/(Z₁^0.23 + Z₂^0.23), φ the sum of four exponentials; J. F. Ziegler, J.
P. Biersack and U. Littmark, The Stopping and Range of Ions in Solids (Pergamon, 1985). Good to about 10 % above some
tens of eV; at the few eV of knock-on it is used for the size of an atom in the way only.
"""

from __future__ import annotations

import numpy as np
from ase.data import atomic_numbers
from ase.units import Bohr, Hartree
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from nanoslab.beam.checks import require_positive

Array = NDArray[np.float64]

#: weights and decay constants of the universal screening function
SCREENING = ((0.18175, 3.19980), (0.50986, 0.94229), (0.28022, 0.40290), (0.02817, 0.20162))


def zbl_energy(first: str, second: str, distance: ArrayLike) -> Array:
    """Repulsion of two atoms at a distance [Å], in eV.

    Parameters
    ----------
    first, second
        Chemical symbols.
    distance
        Any shape [Å], above 0.
    """
    require_positive("distance", distance, "Å")
    r = np.asarray(distance, dtype=float)
    charges = atomic_numbers[first], atomic_numbers[second]
    length = 0.8854 * Bohr / (charges[0] ** 0.23 + charges[1] ** 0.23)
    screened = sum(weight * np.exp(-decay * r / length) for weight, decay in SCREENING)
    return np.asarray(charges[0] * charges[1] * Hartree * Bohr / r * screened)


def closest_approach(first: str, second: str, energy: float) -> float:
    """Distance at which the repulsion reaches an energy [Å]: nothing slower comes closer."""
    require_positive("energy", energy, "eV")
    return float(brentq(lambda r: float(zbl_energy(first, second, r)) - energy, 1e-3, 50.0, xtol=1e-6))
