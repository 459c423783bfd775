"""The ledger of a sheet: what it holds, its formal charge and dipole, its planes, thickness, vacuum and area."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.builders.recipe import cations_first, formal_charges
from nanoslab.errors import InputError

#: atoms whose heights differ by less than this lie in one plane [Å]
PLANE_TOLERANCE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """One atomic plane parallel to the sheet.

    Attributes
    ----------
    height
        Mean height above the lowest nucleus [Å].
    counts
        Atoms of every species in the cell.
    """

    height: float
    counts: Mapping[str, int]

    @property
    def species(self) -> str:
        """Species of the plane, cations first, such as ``Cd`` or ``CdSe``."""
        return "".join(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Everything to be counted on a sheet.

    Attributes
    ----------
    counts
        Atoms of every species, cations first.
    charges
        Formal charge of every species [e].
    planes
        Atomic planes from the bottom up.
    dipole
        Formal-charge dipole along the normal about the middle of the sheet [e Å]; 0 for a symmetric sheet.
    thickness
        Between the outermost nuclei, along the normal [Å].
    vacuum
        Between the outermost nuclei and the next image, along the normal [Å].
    area
        In-plane area of the cell [Å²].
    """

    counts: Mapping[str, int]
    charges: Mapping[str, float]
    planes: tuple[Plane, ...]
    dipole: float
    thickness: float
    vacuum: float
    area: float

    @property
    def formal_charge(self) -> float:
        """Sum of the formal charges [e]; 0 when the sheet is stoichiometric."""
        return sum(self.charges[species] * count for species, count in self.counts.items())

    @property
    def termination(self) -> tuple[str, str]:
        """Species of the lowest and of the highest plane."""
        return self.planes[0].species, self.planes[-1].species

    @property
    def ratio(self) -> str:
        """Counts and the ratio to the first species, such as ``14:12 = 1:0.857``."""
        numbers = list(self.counts.values())
        relative = ":".join(f"{number / numbers[0]:.4g}" for number in numbers)
        return f"{':'.join(map(str, numbers))} = {relative}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON, units in the key names."""
        return {
            "counts": dict(self.counts),
            "ratio": self.ratio,
            "formal_charges_e": dict(self.charges),
            "formal_charge": self.formal_charge,
            "dipole_eA": self.dipole,
            "n_planes": len(self.planes),
            "planes": [{"height_A": plane.height, "counts": dict(plane.counts)} for plane in self.planes],
            "termination": list(self.termination),
            "thickness_A": self.thickness,
            "vacuum_A": self.vacuum,
            "area_A2": self.area,
        }


def sheet_ledger(
    atoms: Atoms, *, charges: Mapping[str, float] | None = None, plane_tolerance: float = PLANE_TOLERANCE
) -> Ledger:
    """Ledger of a sheet whose vacuum lies along the third lattice vector.

    Parameters
    ----------
    atoms
        The sheet; it may lie across the cell border.
    charges
        Formal charge of every species [e]; from the common oxidation states when not given.
    plane_tolerance
        Largest difference in height of neighbours in one plane [Å].

    Examples
    --------
    >>> sheet = Atoms("CdSe", positions=[(0, 0, 1), (2, 2, 3)], cell=[4, 4, 14], pbc=True)
    >>> ledger = sheet_ledger(sheet)
    >>> ledger.termination, ledger.dipole, ledger.vacuum
    (('Cd', 'Se'), -4.0, 12.0)
    """
    if len(atoms) == 0 or atoms.cell.rank != 3:
        raise InputError("sheet", expected="atoms and three lattice vectors", got=atoms, advice="build it first")
    heights, period = unwrapped_heights(atoms)
    counts = Counter(atoms.get_chemical_symbols())
    if charges is None:
        charges = formal_charges(atoms.get_chemical_formula())
    charge = np.array([charges[symbol] for symbol in atoms.get_chemical_symbols()])
    thickness = float(np.ptp(heights))
    dipole = float(charge @ (heights - thickness / 2))
    return Ledger(
        counts={species: counts[species] for species in cations_first(counts)},
        charges={species: charges[species] for species in cations_first(counts)},
        planes=find_planes(atoms, plane_tolerance),
        dipole=0.0 if abs(dipole) < 1e-6 else dipole,
        thickness=thickness,
        vacuum=period - thickness,
        area=float(np.linalg.norm(np.cross(atoms.cell[0], atoms.cell[1]))),
    )


def unwrapped_heights(atoms: Atoms) -> tuple[NDArray[np.float64], float]:
    """Heights above the lowest nucleus (n_atoms,) and the period along the normal [Å].

    The largest empty interval along the normal is taken as the vacuum, wherever the sheet lies in the cell.

    Examples
    --------
    >>> unwrapped_heights(Atoms("Se2", positions=[(0, 0, 9), (0, 0, 1)], cell=[4, 4, 10], pbc=True))
    (array([0., 2.]), 10.0)
    """
    normal = np.cross(atoms.cell[0], atoms.cell[1])
    normal /= np.linalg.norm(normal)
    period = abs(float(atoms.cell[2] @ normal))
    heights = np.asarray(atoms.positions @ normal) % period
    levels = np.sort(heights)
    gaps = np.diff(levels, append=levels[0] + period)
    lowest = levels[(int(gaps.argmax()) + 1) % len(levels)]
    above = (heights - lowest) % period
    # rounding may leave the lowest nucleus just below one full period
    return np.where(above > period - 1e-9, 0.0, above), period


def upright_sheet(atoms: Atoms) -> Atoms:
    """Same sheet, whole in its cell, with the third lattice vector along the normal.

    Where a sheet's images lie across the vacuum says nothing about the sheet, and would hide its symmetry.

    Examples
    --------
    >>> leaning = Atoms("Se", cell=[[4, 0, 0], [0, 4, 0], [1.3, 0, 20]], pbc=True)
    >>> upright_sheet(leaning).cell.angles().tolist()
    [90.0, 90.0, 90.0]
    """
    heights, period = unwrapped_heights(atoms)
    normal = np.cross(atoms.cell[0], atoms.cell[1])
    normal *= np.sign(normal @ atoms.cell[2]) / np.linalg.norm(normal)
    along = np.asarray(atoms.positions @ normal)
    # heights are counted along a x b, which may point against the third vector
    rising = heights if np.cross(atoms.cell[0], atoms.cell[1]) @ normal > 0 else heights.max() - heights
    whole = np.rint((rising - along - (rising - along).min()) / period)
    upright = atoms.copy()
    upright.set_constraint()
    upright.positions += whole[:, None] * np.asarray(atoms.cell[2])
    upright.cell[2] = period * normal
    return upright


def plane_numbers(heights: NDArray[np.float64], tolerance: float) -> NDArray[np.intp]:
    """Plane of every atom, counted from the bottom: a step higher than the tolerance starts the next one.

    Examples
    --------
    >>> plane_numbers(np.array([2.0, 0.0, 0.05]), 0.1)
    array([1, 0, 0])
    """
    order = np.argsort(heights, kind="stable")
    steps = np.diff(heights[order], prepend=heights[order[0]]) > tolerance
    numbers = np.empty(len(heights), dtype=np.intp)
    numbers[order] = np.cumsum(steps)
    return numbers


def find_planes(atoms: Atoms, tolerance: float = PLANE_TOLERANCE) -> tuple[Plane, ...]:
    """Atomic planes of a sheet from the bottom up.

    Examples
    --------
    >>> sheet = Atoms("SeCd", positions=[(0, 0, 2), (2, 2, 0)], cell=[4, 4, 14], pbc=True)
    >>> [plane.species for plane in find_planes(sheet)]
    ['Cd', 'Se']
    """
    heights, _ = unwrapped_heights(atoms)
    numbers = plane_numbers(heights, tolerance)
    symbols = np.array(atoms.get_chemical_symbols())
    planes = []
    for number in range(int(numbers.max()) + 1):
        members = numbers == number
        counts = Counter(symbols[members].tolist())
        ordered = {species: counts[species] for species in cations_first(counts)}
        planes.append(Plane(height=round(float(heights[members].mean()), 9), counts=ordered))
    return tuple(planes)
