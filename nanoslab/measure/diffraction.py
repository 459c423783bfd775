"""What a sheet shows of its in-plane lattice when looked at along its normal: spacings and how strong they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nanoslab.measure.sheet import lateral_spacings
from nanoslab.structure_types import AnyStructure, as_atoms


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetReflection:
    """One of each +-(h, k): spacing [Å], and kinematic intensity of points weighted by atomic number (0 to 1)."""

    h: int
    k: int
    spacing: float
    intensity: float


def sheet_reflections(atoms: AnyStructure, shortest: float = 1.5, weakest: float = 0.1) -> tuple[SheetReflection, ...]:
    """Reflections of a sheet seen along its normal, largest spacing first, down to a spacing [Å] and an intensity.

    Invariant under translation and repetition of the sheet, except for the indices of a larger cell.
    """
    atoms = as_atoms(atoms)
    fractions = atoms.get_scaled_positions(wrap=False)[:, :2]
    weights = atoms.numbers.astype(float)
    found = []
    for h, k, spacing in lateral_spacings(atoms, shortest):
        amplitude = abs(np.sum(weights * np.exp(2j * np.pi * (fractions @ (h, k))))) / weights.sum()
        if amplitude**2 >= weakest:
            found.append(SheetReflection(h=h, k=k, spacing=spacing, intensity=float(amplitude**2)))
    return tuple(found)
