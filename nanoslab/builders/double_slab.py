"""Two {001} slabs of one compound facing each other across a gap, on one or two twisted lattices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from numpy.typing import NDArray

from nanoslab.builders.column_lattice import ColumnLattice, column_lattice
from nanoslab.builders.polyomino import Cell
from nanoslab.builders.summary import StructureSummary, sheet_ledger
from nanoslab.errors import InputError, unknown_name
from nanoslab.structure_types import AnyStructure

#: values of `Atoms.get_tags()`
LOWER, UPPER, NECK, LIGAND = 1, 2, 3, 4

#: largest index of the coincidence cells that a twist is looked for among
_LARGEST_COINDEX = 12
_TWIST_TOLERANCE = 0.01
_OPTIONS = ("lateral", "planes", "shift", "twist", "vacuum", "fixed_planes")


@dataclass(frozen=True, kw_only=True)
class DoubleSlab:
    """Two facing slabs, described; `build_double_slab` makes the atoms."""

    lattice: ColumnLattice  #: the compound
    #: surface-to-surface distance [Å], a plane counted as one plane spacing thick: n missing planes leave a gap of n
    #: spacings. The centres of the facing planes are one spacing farther apart.
    gap: float
    #: columns along the two sides of the cell; with a twist, the cell is the smallest repeat of the coincidence cell
    #: with at least that many columns' length along each side
    lateral: tuple[int, int] = (6, 6)
    planes: int = 4  #: atomic planes of each slab
    #: registry shift of the upper slab, in column spacings along the two axes of the lower slab
    shift: tuple[float, float] = (0.0, 0.0)
    twist: float = 0.0  #: rotation of the upper slab about the normal [degree]
    vacuum: float = 15.0  #: empty height between the outer faces across the cell border, centre to centre [Å]
    fixed_planes: int = 0  #: planes frozen at the outer face of each slab

    def __post_init__(self) -> None:
        _check(self)

    @property
    def gap_planes(self) -> int:
        """Even number of missing planes that comes nearest to the gap, at least 2."""
        return max(2, 2 * round(self.gap / self.lattice.plane_spacing / 2.0))

    @property
    def facing_distance(self) -> float:
        """Distance between the centres of the two facing planes [Å]."""
        return self.gap + self.lattice.plane_spacing

    @property
    def height(self) -> float:
        """Third edge of the cell [Å]."""
        return 2.0 * (self.planes - 1) * self.lattice.plane_spacing + self.facing_distance + self.vacuum

    @cached_property
    def columns(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sides of the cell in columns of the lower and of the upper lattice; rows, shape (2, 2) each."""
        return _coincidence(self)

    @property
    def sides(self) -> tuple[float, float]:
        """Lengths of the two sides of the cell [Å]."""
        first, second = np.linalg.norm(self.columns[0], axis=1) * self.lattice.spacing
        return float(first), float(second)

    @property
    def area_nm2(self) -> float:
        """In-plane area of the cell [nm²]."""
        return self.sides[0] * self.sides[1] / 100.0

    @property
    def parameters(self) -> dict[str, Any]:
        """What recipes record of it, units in the key names."""
        return {
            **self.lattice.parameters,
            "lateral": list(self.lateral),
            "planes": self.planes,
            "gap_planes": self.gap_planes,
            "gap_A": self.gap,
            "facing_distance_A": self.facing_distance,
            "shift": list(self.shift),
            "twist_degree": self.twist,
            "vacuum_A": self.vacuum,
            "fixed_planes": self.fixed_planes,
            "spacing_A": self.lattice.spacing,
            "plane_spacing_A": self.lattice.plane_spacing,
            "bond_length_A": self.lattice.bond_length,
        }

    @property
    def plane_heights(self) -> NDArray[np.float64]:
        """Heights of all planes above the lowest one, those that would fill the gap included [Å]."""
        slab = np.arange(self.planes) * self.lattice.plane_spacing
        gap = slab[-1] + self.facing_distance * np.arange(1, self.gap_planes + 1) / (self.gap_planes + 1)
        return np.concatenate([slab, gap, slab[-1] + self.facing_distance + slab])


def describe_double_slab(
    crystal: str | Path | AnyStructure,
    *,
    gap: float | None = None,
    gap_planes: int | None = None,
    lattice: str | None = None,
    lattice_constant: float | None = None,
    **options: Any,
) -> DoubleSlab:
    """Double slab of a crystal, its gap given in missing planes or in Å (two planes when neither).

    Parameters
    ----------
    crystal, lattice, lattice_constant
        Name of a rock-salt or zinc-blende crystal, a structure file of one, or its atoms; see `column_lattice`.
    gap, gap_planes
        Gap [Å], or in missing planes.
    options
        Other fields of `DoubleSlab`: lateral, planes, shift, twist, vacuum, fixed_planes.

    Examples
    --------
    >>> describe_double_slab("PbSe-rocksalt", gap_planes=2, planes=4, lattice="experimental").gap
    6.126
    """
    if unknown := [name for name in options if name not in _OPTIONS]:
        known = (*_OPTIONS, "gap", "gap_planes", "lattice", "lattice_constant")
        raise unknown_name("option of the double slab", unknown[0], known)
    if gap is not None and gap_planes is not None:
        raise InputError("gap", expected="planes or Å", got="both", advice="leave one of them out")
    columns = column_lattice(crystal, lattice=lattice, lattice_constant=lattice_constant)
    gap_planes = 2 if gap_planes is None else gap_planes
    if gap_planes < 2 or gap_planes % 2:
        expected = f"an even number from 2, so that a column holds whole {columns.cation}-{columns.anion} pairs"
        raise InputError("gap planes", expected=expected, got=gap_planes, advice="give 2")
    return DoubleSlab(lattice=columns, gap=gap_planes * columns.plane_spacing if gap is None else gap, **options)


def summarize_double_slab(slab: DoubleSlab, atoms: Atoms) -> StructureSummary:
    """Summary from the lowest plane to the highest, also where the gap is wider than the vacuum."""
    apart = atoms.copy()
    apart.cell[2, 2] += 2.0 * slab.height
    return replace(sheet_ledger(apart), vacuum=float(atoms.cell[2, 2] - np.ptp(atoms.positions[:, 2])))


def build_double_slab(slab: DoubleSlab, *, neck: Sequence[Cell] = (), neck_planes: Sequence[int] = ()) -> Atoms:
    """Two slabs and, on the continued lower lattice, chosen planes of the gap (from 0 at the bottom) of chosen columns.

    Grouped by species, cations first; tags 1, 2, 3 for lower slab, upper slab, neck. Each species keeps that order, so
    the double slab's atoms come in the same order with and without a neck.
    """
    lattice, planes, last = slab.lattice, slab.planes, 2 * slab.planes + slab.gap_planes
    below, above = slab.columns
    sites = [(LOWER, below, (i, j, k)) for k in range(planes) for i, j in _columns_inside(below)]
    sites += [(UPPER, above, (i, j, k)) for k in range(last - planes, last) for i, j in _columns_inside(above)]
    sites += [(NECK, below, (i, j, planes + k)) for k in neck_planes for i, j in neck]
    sites.sort(key=lambda site: lattice.species(*site[2]) != lattice.cation)
    cell = np.diag([*slab.sides, slab.height])
    shift = np.array(slab.shift) @ np.linalg.inv(below)
    heights = slab.plane_heights + slab.vacuum / 2.0
    positions = []
    for tag, columns, site in sites:
        in_plane = lattice.position(*site)[:2] / lattice.spacing @ np.linalg.inv(columns)
        in_plane = in_plane + shift if tag == UPPER else in_plane
        positions.append([*(in_plane @ cell[:2, :2]), heights[site[2]]])
    atoms = Atoms([lattice.species(*site) for *_, site in sites], positions=positions, cell=cell, pbc=True)
    atoms.set_tags([tag for tag, *_ in sites])
    atoms.wrap()
    outer = {*range(slab.fixed_planes), *range(last - slab.fixed_planes, last)}
    if outer:
        atoms.set_constraint(FixAtoms(indices=[n for n, (*_, site) in enumerate(sites) if site[2] in outer]))
    return atoms


def _columns_inside(sides: NDArray[np.int64]) -> list[Cell]:
    """Integer points of the half-open parallelogram, row by row."""
    corners = np.array([[0, 0], sides[0], sides[1], sides[0] + sides[1]])
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    points = np.array([(x, y) for y in range(y0, y1 + 1) for x in range(x0, x1 + 1)])
    inside = points @ np.linalg.inv(sides)
    chosen = points[np.all((inside > -1e-9) & (inside < 1.0 - 1e-9), axis=1)]
    return [(int(x), int(y)) for x, y in chosen]


def _coincidence(slab: DoubleSlab) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sides of the common cell of the two lattices, from the rotation 2 atan(n / m) of a square lattice."""
    turn = 90.0 if slab.lattice.kind == "rocksalt" else 180.0
    twist = slab.twist % turn
    if min(twist, turn - twist) < _TWIST_TOLERANCE:
        sides = np.diag(slab.lateral)
        return sides, sides
    pairs = [(m, n) for m in range(_LARGEST_COINDEX + 1) for n in range(1, _LARGEST_COINDEX + 1) if math.gcd(m, n) == 1]
    angles = {pair: math.degrees(2.0 * math.atan2(pair[1], pair[0])) for pair in pairs}
    m, n = min(pairs, key=lambda pair: (round(abs(angles[pair] - twist), 3), pair[0] ** 2 + pair[1] ** 2))
    if abs(angles[m, n] - twist) > _TWIST_TOLERANCE:
        expected = "an angle at which the two lattices coincide in a cell of moderate size"
        nearest = f"give {angles[m, n]:.2f}, the nearest"
        raise InputError("twist", expected=expected, got=f"{slab.twist:g}°", advice=nearest)
    lower, upper = np.array([[m, n], [-n, m]]), np.array([[m, -n], [n, m]])
    if (m + n) % slab.lattice.lateral_period:
        mix = np.array([[1, 1], [-1, 1]])
        lower, upper = mix @ lower, mix @ upper
    side = float(np.linalg.norm(lower[0]))
    repeats = np.diag([math.ceil(count / side - 1e-9) for count in slab.lateral])
    return repeats @ lower, repeats @ upper


def _check(slab: DoubleSlab) -> None:
    """Refuse the first thing that cannot be built."""
    lattice, bond, period = slab.lattice, slab.lattice.bond_length, slab.lattice.lateral_period
    size, even = "{} x {}".format(*slab.lateral), " ".join(str(count + count % 2) for count in slab.lateral)
    both = f"{lattice.cation} and {lattice.anion}"
    alternate = f"even numbers of columns, so that {both} alternate across the cell border"
    two_planes = f"two missing planes are {2.0 * lattice.plane_spacing:.2f} Å"
    one_bond = f"at least one bond, {bond:.2f} Å"
    turned = (*slab.shift, slab.twist)
    for fine, where, expected, got, advice in (
        (min(slab.lateral) >= period, "lateral", f"at least {period} columns each way", size, "give 6 6"),
        (not any(count % period for count in slab.lateral), "lateral", alternate, size, f"give {even}"),
        (slab.planes >= 1, "planes", "at least 1 per slab", slab.planes, "give 4"),
        (0 <= slab.fixed_planes <= slab.planes, "fixed planes", f"0 to {slab.planes}", slab.fixed_planes, "give 0"),
        (bond - 1e-6 <= slab.gap < math.inf, "gap", one_bond, f"{slab.gap:g} Å", two_planes),
        (bond <= slab.vacuum < math.inf, "vacuum", one_bond, f"{slab.vacuum:g} Å", "give 15"),
        (all(map(math.isfinite, turned)), "shift, twist", "finite numbers", turned, "give 0"),
    ):
        if not fine:
            raise InputError(where, expected=expected, got=got, advice=advice)
