"""Shapes of particles: spheres, ellipsoids, rods, platelets, hollow shells, and polyhedra by Wulff's construction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, HalfspaceIntersection, QhullError

from nanoslab.builders.face import parse_face
from nanoslab.builders.recipe import require_positive
from nanoslab.builders.stacking import BOND_REACH, is_hexagonal, shortest_distance
from nanoslab.errors import InputError, unknown_name
from nanoslab.species import cations_first
from nanoslab.symmetry import point_operations

Vector = NDArray[np.float64]
Kind = Literal["sphere", "ellipsoid", "rod", "platelet", "shell", "wulff"]
KINDS = ("sphere", "ellipsoid", "rod", "platelet", "shell", "wulff")
#: length (of ellipsoid and rod), thickness and void that are taken when none is given, in diameters
_USUAL = {"ellipsoid": 2.0, "rod": 3.0, "platelet": 0.25, "shell": 0.5}
#: which option each kind has beside the diameter
_OWN = {"ellipsoid": "length", "rod": "length", "platelet": "thickness", "shell": "void"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is cut from a crystal.

    Attributes
    ----------
    kind
        One of `KINDS`.
    diameter
        Of the sphere or shell; across the axis of the others; of the sphere with the same volume for ``wulff`` [nm].
    length
        Along the axis, of an ellipsoid or of a rod with its round ends [nm]; two or three diameters when not given.
    thickness
        Of a round platelet along the axis [nm]; a quarter of the diameter when not given.
    void
        Diameter of the empty middle of a shell [nm]; half the diameter when not given.
    axis
        Face whose normal is the axis; 0001 of a hexagonal crystal and 001 of others when not given.
    facets
        Face -> surface energy or distance from the centre; only ratios matter. Every face stands for all that the
        point group makes the same; ``111A`` and ``111B`` are the cation and the anion side of a polar face.
    """

    kind: Kind = "sphere"
    diameter: float
    length: float | None = None
    thickness: float | None = None
    void: float | None = None
    axis: str | None = None
    facets: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        """Refuse an option that another kind of shape has, and sizes that no particle has."""
        if self.kind not in KINDS:
            raise unknown_name("shape", self.kind, KINDS)
        require_positive("diameter", self.diameter, "nm")
        for name in ("length", "thickness", "void"):
            value = getattr(self, name)
            if value is None:
                continue
            if _OWN.get(self.kind) != name:
                owners = " or ".join(kind for kind, own in _OWN.items() if own == name)
                raise InputError(name, expected=f"none for a {self.kind}", got=value, advice=f"{owners} has one")
            require_positive(name, value, "nm")
        if (self.kind == "wulff") != (self.facets is not None):
            expected = "faces with their energies" if self.kind == "wulff" else f"none for a {self.kind}"
            raise InputError("facets", expected=expected, got=self.facets, advice="give --shape wulff --facet 111=1")
        limits = {"shell": (0.0, self.diameter), "rod": (self.diameter, np.inf)}
        low, high = limits.get(self.kind, (0.0, np.inf))
        if not low <= self.extent <= high:
            raise InputError(
                _OWN[self.kind], expected=f"{low:g} to {high:g} nm", got=f"{self.extent:g} nm", advice="change it"
            )

    @property
    def extent(self) -> float:
        """Length, thickness or void, whichever the kind has [nm]; 0 for the others."""
        given = {"length": self.length, "thickness": self.thickness, "void": self.void}.get(_OWN.get(self.kind, ""))
        return _USUAL.get(self.kind, 0.0) * self.diameter if given is None else given

    @property
    def parameters(self) -> dict[str, Any]:
        """What a recipe records."""
        own = {f"{_OWN[self.kind]}_nm": self.extent} if self.kind in _OWN else {}
        facets = {} if self.facets is None else {"facets": dict(self.facets)}
        return {"shape": self.kind, "diameter_nm": self.diameter, **own, "axis": self.axis, **facets}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A shape laid over a crystal: inside are sizes from `hollow` to 1, all of them within `reach` [Å]."""

    size: Callable[[Vector], Vector]
    reach: float
    hollow: float = 0.0

    def inside(self, sizes: Vector) -> NDArray[np.bool_]:
        """Which sizes are within the shape."""
        return np.asarray((sizes <= 1.0 + 1e-9) & (sizes >= self.hollow - 1e-9))


def lay(shape: Shape, cell: Atoms) -> Cut:
    """Cut of a crystal, given by its conventional cell, about the origin."""
    radius = 5.0 * shape.diameter
    if shape.kind in ("sphere", "shell"):
        return Cut(size=lambda r: _norm(r) / radius, reach=radius, hollow=shape.extent / shape.diameter)
    if shape.kind == "wulff":
        normals = facet_normals(cell, shape.facets or {})
        scale = 2.0 * radius * (np.pi / 6.0 / polyhedron(normals).volume) ** (1.0 / 3.0)
        corners = polyhedron(normals).points
        return Cut(size=lambda r: (r @ normals.T).max(axis=1) / scale, reach=scale * float(_norm(corners).max()))
    along = axis_direction(cell, shape.axis)
    half = 5.0 * shape.extent

    def ellipsoid(r: Vector) -> Vector:
        height = r @ along
        return np.sqrt(np.maximum(_norm(r) ** 2 - height**2, 0.0) / radius**2 + (height / half) ** 2)

    def rod(r: Vector) -> Vector:
        height = np.clip(r @ along, radius - half, half - radius)
        return _norm(r - height[:, None] * along) / radius

    def platelet(r: Vector) -> Vector:
        height = r @ along
        return np.maximum(np.abs(height) / half, np.sqrt(np.maximum(_norm(r) ** 2 - height**2, 0.0)) / radius)

    size = {"ellipsoid": ellipsoid, "rod": rod, "platelet": platelet}[shape.kind]
    return Cut(size=size, reach=float(np.hypot(half, radius)) if shape.kind == "platelet" else max(half, radius))


def axis_direction(cell: Atoms, face: str | None) -> Vector:
    """Unit normal of a face; of 0001 or 001 when none is given."""
    hexagonal = is_hexagonal(cell)
    miller = parse_face(face or ("0001" if hexagonal else "001"), hexagonal=hexagonal)
    normal = np.asarray(miller) @ np.asarray(cell.cell.reciprocal())
    return np.asarray(normal / np.linalg.norm(normal))


def facet_normals(cell: Atoms, facets: Mapping[str, float]) -> Vector:
    """Outward normals of all faces divided by their energies, shape (n_faces, 3)."""
    reciprocal = np.asarray(cell.cell.reciprocal())
    rotations = point_operations(cell)
    normals = []
    for face, energy in facets.items():
        far = require_positive(f"facet {face}", energy, "in any unit")
        for image in np.unique(_miller(cell, face) @ rotations, axis=0):
            normal = image @ reciprocal
            normals.append(normal / np.linalg.norm(normal) / far)
    return np.array(normals)


def _miller(cell: Atoms, face: str) -> NDArray[np.intp]:
    """Indices of a face; ``A`` and ``B`` behind them choose the side where the cation, the anion has one bond cut.

    A cation whose single bond points out of the face ends side A: the sum of its bonds' cubed components is positive.
    """
    side = face[-1] if face[-1:] in ("A", "B") else ""
    miller = np.array(parse_face(face.removesuffix(side), hexagonal=is_hexagonal(cell)))
    if not side:
        return miller
    normal = miller @ np.asarray(cell.cell.reciprocal())
    first, vectors = neighbor_list("iD", cell, BOND_REACH * shortest_distance(cell))
    cation = cell.symbols[first] == cations_first(cell.get_chemical_symbols())[0]
    polarity = float(((vectors[cation] @ normal / np.linalg.norm(normal)) ** 3).sum())
    if abs(polarity) < 1e-3:
        advice = "leave A or B out: both sides are alike"
        raise InputError(f"facet {face}", expected="a polar face", got="one without a polarity", advice=advice)
    return np.asarray(miller if (polarity > 0) == (side == "A") else -miller)


def polyhedron(normals: Vector) -> ConvexHull:
    """Polyhedron of all points whose products with the normals are at most 1."""
    try:
        closed = ConvexHull(normals).equations[:, -1].max() < -1e-9
    except QhullError:
        closed = False
    if not closed:
        raise InputError(
            "facets",
            expected="faces that enclose a crystal",
            got=f"{len(normals)} faces of an open shape",
            advice="add the faces of its open ends",
        )
    return ConvexHull(
        HalfspaceIntersection(np.column_stack([normals, -np.ones(len(normals))]), np.zeros(3)).intersections
    )


def facet_areas(cell: Atoms, facets: Mapping[str, float], positions: Vector | None = None) -> dict[str, float]:
    """Share of every kind of facet in the surface of Wulff's polyhedron, or of the convex hull of atoms.

    Parameters
    ----------
    cell
        Conventional cell of the crystal.
    facets
        Face -> surface energy, as for `Shape`.
    positions
        Atoms of a particle in the orientation of the cell [Å], shape (n, 3): every triangle of their hull counts for
        the face whose normal is nearest to its own, within 5 degrees, or for ``other``.

    Returns
    -------
    Face -> share of the area, 1 in all. Atoms of the hull lie up to a plane below the surface and edges are blunt, so
    shares of a particle approach those of the polyhedron as one over its diameter.

    Examples
    --------
    >>> from nanoslab.crystals import crystal
    >>> shares = facet_areas(crystal("PbSe-rocksalt"), {"001": 1.0, "111": 1.2})
    >>> {face: round(share, 3) for face, share in shares.items()}
    {'001': 0.701, '111': 0.299}
    """
    hull = polyhedron(facet_normals(cell, facets)) if positions is None else ConvexHull(positions)
    triangles = hull.points[hull.simplices]
    areas = 0.5 * _norm(np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]))
    nearest = np.full(len(areas), np.cos(np.radians(5.0)))
    kind = np.full(len(areas), len(facets))
    for number, face in enumerate(facets):
        normals = facet_normals(cell, {face: 1.0})
        alike = (hull.equations[:, :3] @ normals.T).max(axis=1)
        kind = np.where(alike > nearest, number, kind)
        nearest = np.maximum(alike, nearest)
    names = [*facets, "other"]
    shares = {name: float(areas[kind == number].sum() / areas.sum()) for number, name in enumerate(names)}
    return shares if shares["other"] > 1e-12 else {face: shares[face] for face in facets}


def _norm(vectors: Vector) -> Vector:
    return np.asarray(np.linalg.norm(vectors, axis=1))
