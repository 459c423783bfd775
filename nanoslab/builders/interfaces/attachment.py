"""Oriented attachment: two particles that face one another across a gap, with or without a neck."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull, QhullError

from nanoslab.builders.double_slab import LOWER, NECK, UPPER
from nanoslab.builders.interfaces.coincidence import face_frame, step_along
from nanoslab.builders.particles.balance import bond_rows
from nanoslab.builders.particles.particle import box, build_particle, summarize
from nanoslab.builders.particles.shapes import Shape
from nanoslab.builders.particles.sites import Sites, bond_graph, bond_lengths, require_apart, sites_within
from nanoslab.builders.recipe import require_whole_number
from nanoslab.builders.stacking import BOND_REACH, conventional_cell, shortest_distance
from nanoslab.crystals import load_crystal, make_recipe
from nanoslab.errors import InputError
from nanoslab.structure_types import AnyStructure
from nanoslab.symmetry import standard_cell

Vector = NDArray[np.float64]
_TOLERANCE = 0.05  # Å
#: the axis of a neck is tried at this many points along each side of the in-plane cell
_AXES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How two particles face one another.

    Attributes
    ----------
    face
        Facet of the lower particle that looks up, such as ``001``, ``111`` or ``11-20``; 001 or 0001 when not given.
    gap_planes
        Atomic planes missing between the facets; the fewest from 2 that the lattice allows when not given.
    pairs
        Formula units of the neck.
    """

    face: str = ""
    gap_planes: int | None = None
    pairs: int = 0


def build_attached_pair(
    crystal: str | Path | AnyStructure,
    shape: Shape,
    contact: Contact | None = None,
    *,
    vacuum: float = 10.0,
    lattice: str | None = None,
) -> Atoms:
    """Two equal particles on one lattice, facet to facet along z, and the most compact neck of a number of pairs.

    The lattice of the lower particle goes on through the gap and the upper one, as after oriented attachment. Of the
    sites in the gap the neck takes those nearest to one axis (least sum of squared distances, by HiGHS) that hold the
    formula units and give each atom two bonds; on rock-salt {001} these are the columns of Wang 2020 and `build_neck`.

    Parameters
    ----------
    crystal, shape, vacuum, lattice
        As for `build_particle`.
    contact
        Facet, gap and neck.

    Examples
    --------
    >>> cube = Shape(kind="wulff", diameter=2.5, facets={"001": 1.0})
    >>> cubes = build_attached_pair("PbSe-rocksalt", cube, Contact(pairs=4))
    >>> len(cubes.info["recipe"]["neck_indices"]), cubes.info["ledger"]["formal_charge"]
    (8, 0.0)
    """
    contact = contact or Contact()
    require_whole_number("pairs", contact.pairs, 0)
    one = build_particle(crystal, shape, vacuum=vacuum, lattice=lattice)
    cell = conventional_cell(load_crystal(crystal, lattice))
    frame, in_plane = face_frame(cell, contact.face)
    lower = one.positions @ frame.T
    origin = one.positions[0] - _basis_position(cell, one)
    upward = step_along(standard_cell(cell, to_primitive=True).cell.array, frame[2]) @ frame.T
    planes = _plane_heights((cell.positions + origin) @ frame[2], upward[2], lower[:, 2])
    step, gap_planes = _step(upward, in_plane, planes, contact.gap_planes)
    whole = one + one
    whole.positions = np.vstack([lower, lower + step])
    whole.set_tags([LOWER] * len(one) + [UPPER] * len(one))
    atoms = _with_neck(whole, cell, (frame, in_plane, origin), contact.pairs) if contact.pairs else whole
    charges = one.info["ledger"]["formal_charges_e"]
    bonds = np.asarray(bond_graph(atoms.positions, BOND_REACH * shortest_distance(cell)).sum(axis=1))
    summary = summarize(atoms, charges, len(atoms) * cell.get_volume() / len(cell), bonds).to_dict()
    facing = float(step[2] - np.ptp(lower[:, 2]))
    recipe = make_recipe(
        "attached pair",
        particle=one.info["recipe"],
        face=contact.face or None,
        gap_planes=gap_planes,
        # a plane counted as one spacing thick, as for two slabs
        gap_A=facing * gap_planes / (gap_planes + 1),
        facing_distance_A=facing,
        n_pairs=contact.pairs,
        vacuum=vacuum,
    )
    closest = require_apart(atoms, bond_lengths(cell), "give more planes for the gap")
    atoms.positions = atoms.positions @ frame
    atoms.rotate(frame[2], "z")  # the crystal's own axes where the facet is level in them
    boxed = box(atoms, vacuum)
    recipe |= {"closest_contact_bonds": round(closest, 4)}
    recipe["neck_indices"] = np.flatnonzero(boxed.get_tags() == NECK).tolist()
    boxed.info = {"recipe": recipe, "ledger": summary}
    return boxed


def _basis_position(cell: Atoms, one: Atoms) -> Vector:
    """Position in the cell of the site that the particle's first atom takes [Å]."""
    for site in cell[cell.symbols == one.symbols[0]]:
        steps = one.positions[:, None] - one.positions[0] + site.position - cell.positions
        fractions = steps @ np.linalg.inv(cell.cell.array)
        if (np.abs(fractions - np.rint(fractions)).max(axis=2).min(axis=1) < 1e-4).all():
            break
    return np.asarray(site.position)


def _plane_heights(basis: Vector, period: float, particle: Vector) -> tuple[Vector, int]:
    """Heights of the crystal's planes from the particle's lowest to 60 Å above its highest [Å], and which that is."""
    least, most = particle.min(), particle.max()
    repeats = period * np.arange(np.floor(least / period) - 1, np.ceil((most + 60.0) / period) + 1)
    heights = np.sort((basis[:, None] % period + repeats).ravel())
    heights = heights[(heights > least - _TOLERANCE) & (heights < most + 60.0)]
    planes = heights[np.append(True, np.diff(heights) > _TOLERANCE)]
    return planes, int(np.searchsorted(planes, most - _TOLERANCE))


def _step(upward: Vector, in_plane: Vector, laid: tuple[Vector, int], asked: int | None) -> tuple[Vector, int]:
    """Lattice vector from the lower to the upper particle [Å], and how many planes are missing between them."""
    planes, top = laid
    possible: dict[int, int] = {}
    for count in range(1, len(planes)):
        lowest = planes[0] + count * upward[2]
        missing = int(np.searchsorted(planes, lowest - _TOLERANCE)) - top - 1
        if missing >= 1 and lowest < planes[-1]:
            possible[missing] = count
    gap = min((one for one in possible if one >= 2), default=0) if asked is None else asked
    if gap not in possible:
        allowed = ", ".join(str(one) for one in sorted(possible)[:4])
        raise InputError(
            "gap planes", expected=f"a number that the lattice allows here: {allowed} ...", got=asked, advice="take one"
        )
    step = possible[gap] * upward
    ways = np.array(list(product((-1, 0, 1), repeat=2))) - np.rint(step[:2] @ np.linalg.inv(in_plane))
    sideways = step[:2] + ways @ in_plane
    return np.append(sideways[np.argmin(np.linalg.norm(sideways, axis=1).round(6))], step[2]), gap


def _with_neck(whole: Atoms, cell: Atoms, laid: tuple[Vector, Vector, Vector], pairs: int) -> Atoms:
    """The two particles with their neck; `laid` is the frame, the in-plane cell and the origin of the lattice [Å]."""
    frame, in_plane, origin = laid
    tags, positions = whole.get_tags(), whole.positions
    top, bottom = positions[tags == LOWER, 2].max(), positions[tags == UPPER, 2].min()
    bond = shortest_distance(cell) + _TOLERANCE  # a facet may be ragged: its atoms are those within a bond of the top
    near = np.abs(positions[:, 2, None] - (top, bottom)) < bond
    faces = [positions[(tags == one) & near[:, n]] for n, one in enumerate((LOWER, UPPER))]
    middle = np.append(np.mean([face[:, :2].mean(axis=0) for face in faces], axis=0), 0.5 * (top + bottom))
    reach = float(max(np.ptp(np.vstack(faces), axis=0).max(), bottom - top))
    charges = dict.fromkeys(cell.get_chemical_symbols(), 0.0)
    sites = sites_within(cell, charges, middle @ frame - origin, reach)
    free = sites.positions @ frame.T + middle
    within = (free[:, 2] > top + _TOLERANCE) & (free[:, 2] < bottom - _TOLERANCE)
    for face in faces:
        within &= _inside(face[:, :2], free[:, :2])
    symbols, free = sites.symbols[within], free[within]
    both = np.vstack([positions, free])
    bonded = bond_graph(both, BOND_REACH * shortest_distance(cell))
    every = Sites(symbols=np.append(whole.symbols, symbols), positions=both, charges=np.zeros(len(both)), bonded=bonded)
    fixed = np.arange(len(both)) < len(whole)
    rows = bond_rows(every, fixed, ~fixed, np.full(len(both), 2))
    unit = cell.symbols.formula.reduce()[0].count()
    rows += [LinearConstraint((symbols == one).astype(float), pairs * n, pairs * n) for one, n in unit.items()]
    best: tuple[float, NDArray[np.bool_]] | None = None
    for fraction in product(range(_AXES), repeat=2) if len(free) >= pairs * sum(unit.values()) else ():
        nearest = free[np.argmin(np.linalg.norm(free[:, :2] - middle[:2], axis=1).round(6)), :2]
        axis = nearest + np.array(fraction) / _AXES @ in_plane
        costs = ((free[:, :2] - axis) ** 2).sum(axis=1)
        found = milp(costs, integrality=np.ones(len(free)), bounds=Bounds(0, 1), constraints=rows)
        if found.x is not None and (best is None or found.fun < best[0] - 1e-6):
            best = float(found.fun), found.x > 0.5
    if best is None:
        got = f"{pairs} pairs for {len(free)} sites"
        expected = "a neck within the facing facets whose atoms have two bonds each"
        raise InputError("pairs", expected=expected, got=got, advice="give another number, or larger particles")
    neck = Atoms(symbols[best[1]], positions=free[best[1]], tags=[NECK] * int(best[1].sum()))
    joined = whole + neck
    graph = bond_graph(joined.positions, BOND_REACH * shortest_distance(cell))
    if connected_components(graph)[0] > 1:
        raise InputError("pairs", expected="a neck that bridges the gap", got=pairs, advice="give more pairs")
    return joined


def _inside(points: Vector, others: Vector) -> NDArray[np.bool_]:
    """Which others lie within the convex hull of points of a plane; none where those enclose no area."""
    try:
        equations = ConvexHull(points).equations
    except (QhullError, ValueError):
        return np.zeros(len(others), dtype=bool)
    return np.asarray((others @ equations[:, :2].T + equations[:, 2] < _TOLERANCE).all(axis=1))
