"""What a sheet shows of its in-plane lattice when looked at along its normal: spacings and how strong they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms

from nanoslab.measure.sheet import lateral_spacings


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetReflection:
    """One reflection of the zone along the normal.

    Attributes
    ----------
    h, k
        Indices of the in-plane cell; of each +-(h, k) one.
    spacing
        Between the rows [Å].
    intensity
        Kinematic, of point scatterers with the weight of their atomic number, against the forward beam (0 to 1).
    """

    h: int
    k: int
    spacing: float
    intensity: float


def sheet_reflections(atoms: Atoms, shortest: float = 1.5, weakest: float = 0.1) -> tuple[SheetReflection, ...]:
    """Reflections of a sheet seen along its normal, largest spacing first.

    Parameters
    ----------
    atoms
        The first two lattice vectors span the plane.
    shortest
        Smaller spacings are left out [Å].
    weakest
        Weaker ones are left out; centrings extinguish some altogether.

    Returns
    -------
    tuple of SheetReflection
        Invariant under translation and repetition of the sheet, except for the indices of a larger cell.

    Examples
    --------
    >>> from ase.build import bulk, surface
    >>> sheet = surface(bulk("CdSe", "zincblende", a=6.05, cubic=True), (0, 0, 1), 4, vacuum=8, periodic=True)
    >>> [(r.h, r.k, round(r.spacing, 3)) for r in sheet_reflections(sheet, 2.0)]
    [(2, -2, 2.139), (2, 2, 2.139)]
    """
    fractions = atoms.get_scaled_positions(wrap=False)[:, :2]
    weights = atoms.numbers.astype(float)
    found = []
    for h, k, spacing in lateral_spacings(atoms, shortest):
        amplitude = abs(np.sum(weights * np.exp(2j * np.pi * (fractions @ (h, k))))) / weights.sum()
        if amplitude**2 >= weakest:
            found.append(SheetReflection(h=h, k=k, spacing=spacing, intensity=float(amplitude**2)))
    return tuple(found)
