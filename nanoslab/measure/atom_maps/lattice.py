"""Which site of a crystal's lattice every atom of a particle stands on, and the lattice that fits them best.

The assignment starts at an atom near the middle whose neighbours look most like the crystal's, in any orientation, and
grows along bonds: a neighbour belongs to a site if it lies near where the bond leads. Strains up to several percent do
not add up on the way, since every step starts from an atom; at a grain boundary or a twin it ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from nanoslab.errors import InputError

Array = NDArray[np.float64]
Ints = NDArray[np.int_]

#: an atom this far from where a bond leads, in nearest distances, is not on that site
_TOLERANCE = 0.25
#: atoms nearest to the middle that are tried as a start; enough of all atoms, so that no other start is tried
_SEEDS, _ENOUGH = 12, 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class LatticeMap:
    """Atoms on the sites of a lattice.

    Attributes
    ----------
    assigned
        Whether an atom stands on a site, shape (atoms,).
    sites
        Position of its site in the unstrained crystal [Å], shape (atoms, 3); NaN where it stands on none.
    neighbours, full_neighbours
        Occupied nearest sites of an atom, and how many the crystal has, shape (atoms,).
    deformation
        Matrix F of the affine fit x = origin + F X from sites to atoms, shape (3, 3).
    deformation_errors
        Standard errors of its elements from the scatter about the fit, shape (3, 3).
    scale, scale_error
        Cube root of det F: mean lattice constant over that of the crystal.
    scatter
        Root mean square distance of an atom from the fit along one direction [Å].
    """

    assigned: NDArray[np.bool_]
    sites: Array
    neighbours: Ints
    full_neighbours: Ints
    deformation: Array
    deformation_errors: Array
    scale: float
    scale_error: float
    scatter: float

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for array in (self.assigned, self.sites, self.neighbours, self.full_neighbours, self.deformation):
            array.setflags(write=False)

    @property
    def surface(self) -> NDArray[np.bool_]:
        """Atoms on a site with an empty nearest site, shape (atoms,)."""
        return self.assigned & (self.neighbours < self.full_neighbours)


@dataclass(frozen=True, slots=True)
class _Template:
    """Bonds from every atom of the crystal's cell: vectors [Å], atom at the end, cell of that atom; lists per atom."""

    numbers: Ints
    vectors: list[Array]
    ends: list[Ints]
    shifts: list[Ints]
    shortest: float


def map_lattice(atoms: Atoms, crystal: Atoms) -> LatticeMap:
    """Assign the atoms of one particle to the lattice of a crystal in any orientation, and fit the lattice.

    Parameters
    ----------
    atoms
        The particle, without periodic images.
    crystal
        Its unstrained crystal, such as from `nanoslab.crystals.load_crystal`; the same elements.

    Raises
    ------
    InputError
        Where fewer than four atoms can be assigned.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from ase.cluster import Octahedron
    >>> found = map_lattice(Octahedron("Pt", 6, latticeconstant=4.02), bulk("Pt", a=3.92, cubic=True))
    >>> round(found.scale - 1, 6)
    0.02551
    """
    template = _template(crystal)
    missing = set(atoms.get_chemical_symbols()) - set(crystal.get_chemical_symbols())
    if missing:
        expected = f"elements of the crystal ({crystal.get_chemical_formula()})"
        raise InputError("structure", expected=expected, got=", ".join(sorted(missing)))
    points = atoms.positions
    tree = cKDTree(points)
    _, seeds = tree.query(points.mean(axis=0), min(_SEEDS, len(points)))
    best: tuple[Ints, Ints] | None = None
    for seed in np.atleast_1d(seeds):
        for basis in np.flatnonzero(template.numbers == atoms.numbers[seed]):
            around = tree.query_ball_point(points[seed], 1.35 * template.shortest)
            frame = _orientation(points[around] - points[seed], template.vectors[basis])
            if frame is None:
                continue
            found = _grow(tree, atoms.numbers, template, (int(seed), int(basis)), frame)
            if best is None or np.sum(found[0] >= 0) > np.sum(best[0] >= 0):
                best = found
        if best is not None and np.mean(best[0] >= 0) > _ENOUGH:
            break
    if best is None or np.sum(best[0] >= 0) < 4:
        advice = "check the crystal and its lattice constants, within a tenth of the particle's"
        raise InputError("structure", expected="atoms on the lattice of the crystal", got="fewer than 4", advice=advice)
    return _fit(points, crystal, template, *best)


def _template(crystal: Atoms) -> _Template:
    if crystal.cell.rank != 3:
        raise InputError("crystal", expected="three lattice vectors", got=f"{crystal.cell.rank}")
    periodic = crystal.copy()
    periodic.pbc = True
    cutoff = 1.2 * float(neighbor_list("d", periodic, 6.0).min())
    i, j, vectors, shifts = neighbor_list("ijDS", periodic, cutoff)
    each = [np.flatnonzero(i == atom) for atom in range(len(crystal))]
    return _Template(
        np.asarray(crystal.numbers),
        [vectors[rows] for rows in each],
        [j[rows] for rows in each],
        [shifts[rows] for rows in each],
        cutoff / 1.2,
    )


def _orientation(found: Array, wanted: Array) -> Array | None:
    """Matrix that takes the bonds of the crystal to those found about an atom; of equivalent ones that nearest to 1."""
    lengths = np.linalg.norm(found, axis=1)
    found = found[lengths > 1e-6]
    if len(found) < len(wanted):
        return None
    first = wanted[0]
    second = wanted[np.argmin(np.abs(wanted @ first))]
    start = _triad(first, second)
    best, least = None, np.inf
    shortest = float(np.linalg.norm(wanted, axis=1).min())
    for a in found:
        for b in found:
            if np.linalg.norm(np.cross(a, b)) < 0.3 * np.linalg.norm(a) * np.linalg.norm(b):
                continue
            rotation = _triad(a, b).T @ start
            gaps = np.linalg.norm((wanted @ rotation.T)[:, None] - found[None], axis=2)
            nearest = gaps.argmin(axis=1)
            if gaps.min(axis=1).max() > 1.2 * _TOLERANCE * shortest or len(set(nearest.tolist())) < len(wanted):
                continue
            matrix = np.linalg.lstsq(wanted, found[nearest], rcond=None)[0].T
            misfit = float(np.linalg.norm(wanted @ matrix.T - found[nearest])) / shortest
            # orientations that the crystal does not tell apart differ by rounding alone
            merit = round(misfit, 6) - 1e-7 * float(np.trace(matrix))
            if merit < least and np.linalg.det(matrix) > 0:
                best, least = matrix, merit
    return best


def _triad(a: Array, b: Array) -> Array:
    """Right-handed orthonormal rows with the first along a, the second in the plane of a and b."""
    x = a / np.linalg.norm(a)
    z = np.cross(a, b)
    z /= np.linalg.norm(z)
    return np.array([x, np.cross(z, x), z])


def _grow(tree: cKDTree, numbers: Ints, template: _Template, start: tuple[int, int], frame: Array) -> tuple[Ints, Ints]:
    """Atom of the cell (-1: none) and cell of every atom, growing from one along bonds as the frame turns them."""
    basis, cells = np.full(tree.n, -1), np.zeros((tree.n, 3), dtype=int)
    basis[start[0]] = start[1]
    front, taken = [start[0]], {(start[1], 0, 0, 0)}
    while front:
        after = []
        for atom in front:
            kind = basis[atom]
            gaps, hits = tree.query(tree.data[atom] + template.vectors[kind] @ frame.T)
            near = gaps < _TOLERANCE * template.shortest
            for bond in np.flatnonzero(near):
                hit, end = int(hits[bond]), int(template.ends[kind][bond])
                cell = cells[atom] + template.shifts[kind][bond]
                site = (end, *cell.tolist())
                if basis[hit] < 0 and numbers[hit] == template.numbers[end] and site not in taken:
                    basis[hit], cells[hit] = end, cell
                    taken.add(site)
                    after.append(hit)
        front = after
    return basis, cells


def _fit(points: Array, crystal: Atoms, template: _Template, basis: Ints, cells: Ints) -> LatticeMap:
    assigned = basis >= 0
    sites = np.where(assigned[:, None], crystal.positions[basis] + cells @ crystal.cell.array, np.nan)
    x, y = sites[assigned] - sites[assigned].mean(axis=0), points[assigned] - points[assigned].mean(axis=0)
    if np.linalg.matrix_rank(x, tol=1e-3) < 3:
        raise InputError("structure", expected="atoms on the lattice in all directions", got="a plane or a line")
    inverse = np.linalg.inv(x.T @ x)
    matrix = (inverse @ x.T @ y).T
    rest = y - x @ matrix.T
    # along one direction; twelve parameters are fitted to three coordinates of every atom
    variance = float(np.sum(rest**2) / max(3 * len(x) - 12, 1))
    back = np.linalg.inv(matrix)
    scale = float(np.cbrt(np.linalg.det(matrix)))
    scale_variance = variance * sum(float(back[:, k] @ inverse @ back[:, k]) for k in range(3)) / 9
    occupied = {(int(b), *c) for b, c in zip(basis[assigned], cells[assigned].tolist(), strict=True)}
    neighbours, full = np.zeros(len(points), int), np.zeros(len(points), int)
    for atom in np.flatnonzero(assigned):
        ends, shifts = template.ends[basis[atom]], template.shifts[basis[atom]] + cells[atom]
        full[atom] = len(ends)
        neighbours[atom] = sum((int(e), *s) in occupied for e, s in zip(ends, shifts.tolist(), strict=True))
    return LatticeMap(
        assigned=assigned,
        sites=sites,
        neighbours=neighbours,
        full_neighbours=full,
        deformation=matrix,
        deformation_errors=np.tile(np.sqrt(variance * np.diag(inverse)), (3, 1)),
        scale=scale,
        scale_error=scale * float(np.sqrt(scale_variance)),
        scatter=float(np.sqrt(variance)),
    )
