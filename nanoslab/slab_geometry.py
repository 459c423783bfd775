"""Heights along a slab's normal, its vacuum, its planes and its bonds: each idea once, with one tolerance.

The first two lattice vectors span the slab; up is the side of that plane to which the third vector points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.neighborlist import natural_cutoffs, neighbor_list
from ase.units import GPa
from numpy.typing import NDArray

from nanoslab.errors import InputError
from nanoslab.species import cations_first

#: A step in height larger than this starts the next plane [Å]. Closer planes that a sheet is built of: the two of a
#: (111) or (0001) bilayer, a third of a bond apart, 0.82 Å in ZnSe and 0.87 Å in CdSe. Larger steps inside one plane:
#: 0.74 Å in the relaxed surface of CdSe (11-20), GPAW. Displacements of 0.1 Å leave steps up to 0.45 Å inside a plane
#: and down to 0.83 Å between those of zinc blende (001) (300 draws, cells up to 5 x 5); in larger cells two may merge.
PLANE_TOLERANCE = 0.8
#: Two atoms closer than this times the sum of their covalent radii are bonded: 3.3 Å in CdSe, between its first (2.6)
#: and second shell (4.3); 3.3 Å in PbSe, between 3.1 and 4.4.
BOND_FACTOR = 1.25
#: No sheet is thinner than this to its stress [Å]: the layer spacing of graphite, for a single plane of atoms.
THINNEST = 3.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """One atomic plane: its atoms, their mean height above the slab's lowest nucleus, their range of heights [Å]."""

    indices: tuple[int, ...]
    counts: Mapping[str, int]
    height: float
    rumpling: float

    @property
    def species(self) -> str:
        """Species of the plane, cations first, such as ``Cd`` or ``CdSe``."""
        return "".join(self.counts)


def slab_normal(atoms: Atoms) -> NDArray[np.float64]:
    """Unit vector across the plane of the first two lattice vectors, on the side of the third; shape (3,)."""
    if atoms.cell.rank != 3:
        got, advice = atoms.cell.tolist(), "give it a cell with a vacuum"
        raise InputError("slab", expected="three lattice vectors", got=got, advice=advice)
    normal = np.cross(atoms.cell[0], atoms.cell[1])
    return np.asarray(normal * np.sign(normal @ atoms.cell[2]) / np.linalg.norm(normal))


def slab_heights(atoms: Atoms) -> tuple[NDArray[np.float64], float]:
    """Heights above the lowest nucleus (n_atoms,) and the period along the normal [Å].

    The widest gap along the normal is taken as the vacuum, wherever the slab lies in the cell, so the vacuum is the
    period less the largest height.
    """
    normal = slab_normal(atoms)
    if not len(atoms):
        raise InputError("slab", expected="atoms", got="none", advice="build it first")
    period = float(atoms.cell[2] @ normal)
    heights = np.asarray(atoms.positions @ normal) % period
    above = (heights - widest_gap(heights, period)[1]) % period
    # rounding may leave the lowest nucleus just below one full period
    return np.where(above > period - 1e-9, 0.0, above), period


def widest_gap(values: NDArray[np.float64], period: float = 1.0) -> tuple[float, float]:
    """Width of the widest gap between periodic values, and the value at which it ends."""
    levels = np.sort(values)
    gaps = np.diff(levels, append=levels[0] + period)
    widest = int(gaps.argmax())
    return float(gaps[widest]), float(levels[(widest + 1) % len(levels)])


def empty_height(atoms: Atoms) -> float:
    """Widest layer without atoms along the normal [Å]; 0 where there are no three lattice vectors."""
    if atoms.cell.rank != 3:
        return 0.0
    heights, period = slab_heights(atoms)
    return period - float(heights.max())


def in_plane_area(atoms: Atoms) -> float:
    """Area of the cell in the plane [Å²]."""
    return float(np.linalg.norm(np.cross(atoms.cell[0], atoms.cell[1])))


def sheet_stress(atoms: Atoms) -> NDArray[np.float64]:
    """Stress xx, yy, xy of a sheet whose plane is xy [kbar], from a calculator that knows it; shape (3,).

    It acts on the thickness between the outermost nuclei, not on the vacuum; `THINNEST` for a thinner sheet.
    """
    heights, period = slab_heights(atoms)
    stress = atoms.get_stress()[[0, 1, 5]] * period / max(float(heights.max()), THINNEST)
    return np.asarray(stress / (0.1 * GPa))


def upright_slab(atoms: Atoms) -> Atoms:
    """Same slab without constraints, whole in its cell, with the third lattice vector along the normal.

    Where a slab's images lie across the vacuum says nothing about the slab, and would hide its symmetry.
    """
    heights, period = slab_heights(atoms)
    normal = slab_normal(atoms)
    below = heights - atoms.positions @ normal
    upright = atoms.copy()
    upright.set_constraint()
    upright.positions += np.rint((below - below.min()) / period)[:, None] * np.asarray(atoms.cell[2])
    upright.cell[2] = period * normal
    return upright


def plane_numbers(heights: NDArray[np.float64], tolerance: float = PLANE_TOLERANCE) -> NDArray[np.intp]:
    """Plane of every atom, counted from the bottom: a step higher than the tolerance [Å] starts the next one."""
    order = np.argsort(heights, kind="stable")
    numbers = np.empty(len(heights), dtype=np.intp)
    numbers[order] = np.cumsum(np.diff(heights[order], prepend=heights[order[0]]) > tolerance)
    return numbers


def find_planes(
    atoms: Atoms, tolerance: float = PLANE_TOLERANCE, heights: NDArray[np.float64] | None = None
) -> tuple[Plane, ...]:
    """Atomic planes of a slab from the bottom up; a step in height (n_atoms,) above the tolerance [Å] starts one."""
    heights = slab_heights(atoms)[0] if heights is None else heights
    numbers = plane_numbers(heights, tolerance)
    symbols = np.array(atoms.get_chemical_symbols())
    return tuple(
        Plane(
            indices=tuple(members.tolist()),
            counts={species: int((symbols[members] == species).sum()) for species in cations_first(symbols[members])},
            height=round(float(heights[members].mean()), 9),
            rumpling=float(np.ptp(heights[members])),
        )
        for members in (np.flatnonzero(numbers == number) for number in range(int(numbers.max()) + 1))
    )


def find_bonds(atoms: Atoms, quantities: str = "ij") -> Any:
    """Every bond from both its ends, as `ase.neighborlist.neighbor_list` gives it by its letters for quantities."""
    return neighbor_list(quantities, atoms, natural_cutoffs(atoms, mult=BOND_FACTOR))
