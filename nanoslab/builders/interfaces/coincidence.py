"""Coincident cells of two crystal faces, and the strain that makes them meet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.builders.face import parse_face
from nanoslab.builders.particles.shapes import axis_direction
from nanoslab.builders.stacking import is_hexagonal
from nanoslab.errors import InputError
from nanoslab.symmetry import standard_cell

Vector = NDArray[np.float64]
#: a turn is met to within this [degree]
_TURN = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Coincidence:
    """One pair of in-plane cells of two faces that meet.

    Attributes
    ----------
    cells
        In-plane cell of the first and of the second crystal, each in the frame of its face, rows, shape (2, 2, 2) [Å].
    frames
        Rotations that take each crystal to the frame of its face, normal along z, shape (2, 3, 3).
    """

    cells: Vector
    frames: Vector

    @property
    def area(self) -> float:
        """Of the first crystal's cell [Å²]."""
        return float(abs(np.linalg.det(self.cells[0])))

    @property
    def stretch(self) -> Vector:
        """Symmetric stretch of the second crystal's face that makes it meet the first, shape (2, 2)."""
        return np.asarray(self._turn.T @ self._gradient)

    @property
    def strains(self) -> tuple[float, float]:
        """Principal strains of the second crystal where it meets the first wholly, the smaller first."""
        least, most = np.linalg.eigvalsh(self.stretch) - 1.0
        return float(least), float(most)

    @property
    def rotation(self) -> float:
        """In-plane rotation of the second crystal's cell axes against the first's [degree]."""
        return float(np.degrees(np.arctan2(self._turn[1, 0], self._turn[0, 0])))

    @property
    def _gradient(self) -> Vector:
        return np.asarray(self.cells[0].T @ np.linalg.inv(self.cells[1].T))

    @property
    def _turn(self) -> Vector:
        left, _, right = np.linalg.svd(self._gradient)
        return np.asarray(left @ right)

    def deformation(self, coherency: float, *, along_normal: bool) -> Vector:
        """Matrix that takes the second crystal onto the first, shape (3, 3).

        `coherency` is the share of the misfit that strain takes up: 1 for lattices that meet, 0 for a rotation alone.
        The normal keeps its length, or is stretched by the mean of the plane.
        """
        inner = np.eye(3)
        inner[:2, :2] = self._turn @ (np.eye(2) + coherency * (self.stretch - np.eye(2)))
        mean = float(np.sqrt(np.linalg.det(self.stretch)))
        inner[2, 2] = 1.0 + coherency * (mean - 1.0) * along_normal
        return np.asarray(self.frames[0].T @ inner @ self.frames[1])

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, units in the names."""
        cells = [cell.round(6).tolist() for cell in self.cells]
        return {"area_A2": self.area, "strains": list(self.strains), "rotation_degree": self.rotation, "cells_A": cells}


def coincident_cells(
    first: Atoms,
    second: Atoms,
    faces: tuple[str, str],
    *,
    rotation: float | None = None,
    largest_strain: float = 0.1,
    largest_area: float = 400.0,
) -> tuple[Coincidence, ...]:
    """Smallest coincident cells of two faces, by area, then by strain (Zur & McGill 1984, by pymatgen).

    Parameters
    ----------
    first, second
        Conventional cells.
    faces
        Face of the first and of the second crystal that meet.
    rotation
        Turn of the second crystal in the plane [degree], to within half a degree, as `Coincidence.rotation` counts it
        (see `rotation_of`); any turn when not given.
    largest_strain
        Of lengths and angles [fraction, rad].
    largest_area
        Of a cell [Å²].

    Examples
    --------
    >>> from nanoslab.crystals import crystal
    >>> lead, cadmium = (crystal(name, "experimental") for name in ("PbS-rocksalt", "CdS-zincblende"))
    >>> best = coincident_cells(lead, cadmium, ("001", "001"))[0]
    >>> bool(abs(best.strains[0] - (lead.cell[0, 0] / cadmium.cell[0, 0] - 1)) < 1e-9)
    True
    """
    from pymatgen.analysis.interfaces.zsl import ZSLGenerator  # slow to import

    if not 0 < largest_strain < 0.5:
        raise InputError("strain", expected="a fraction above 0 and below 0.5", got=largest_strain, advice="give 0.05")
    described = [face_frame(cell, face) for cell, face in zip((first, second), faces, strict=True)]
    planes = [np.hstack([in_plane, np.zeros((2, 1))]) for _, in_plane in described]
    frames = np.array([frame for frame, _ in described])
    smallest = max(abs(np.linalg.det(in_plane)) for _, in_plane in described)
    found: dict[tuple[float, ...], Coincidence] = {}
    # small cells first: the number of pairs grows with the square of the area
    for area in (
        *(smallest * 4.0**power for power in range(1, 6) if smallest * 4.0**power < largest_area),
        largest_area,
    ):
        generator = ZSLGenerator(
            max_area_ratio_tol=(1.0 + largest_strain) ** 2 - 1.0,
            max_area=area,
            max_length_tol=largest_strain,
            max_angle_tol=largest_strain,
        )
        for match in generator(planes[1], planes[0]):
            cells = np.array([match.substrate_sl_vectors, match.film_sl_vectors])[:, :, :2]
            for way in _ways(Coincidence(cells=cells, frames=frames), every=rotation is not None):
                turned = 0.0 if rotation is None else (way.rotation - rotation + 180.0) % 360.0 - 180.0
                if max(map(abs, way.strains)) <= largest_strain and abs(turned) <= _TURN:
                    key = (round(way.area, 4), *(round(abs(strain), 6) for strain in way.strains))
                    found.setdefault(key, way)
        if found:
            break
    if not found:
        turn = "" if rotation is None else f" and turned by {rotation:.2f}°"
        raise InputError(
            "faces",
            expected=f"two that meet within {largest_area:g} Å² and a strain of {largest_strain:g}{turn}",
            got=" and ".join(face or "the usual one" for face in faces),
            advice="allow more strain or a larger area, or take other faces or directions",
        )
    return tuple(found[key] for key in sorted(found, key=lambda key: (key[0], sum(key[1:]))))


def rotation_of(cells: tuple[Atoms, Atoms], faces: tuple[str, str], directions: tuple[str, str]) -> float:
    """Turn of the second crystal that makes two directions parallel, as `Coincidence.rotation` counts it [degree].

    Directions are written as faces are, ``110`` or ``11-20``, and must lie in their faces.
    """
    angles = []
    for cell, face, direction in zip(cells, faces, directions, strict=True):
        hexagonal = is_hexagonal(cell)
        u, v, w = parse_face(direction, hexagonal=hexagonal)
        four = len(re.findall(r"\d", direction)) == 4
        steps = np.array([2 * u + v, 2 * v + u, w] if four else [u, v, w])  # [uvtw] has u = (2U - V) / 3
        x, y, z = face_frame(cell, face)[0] @ (steps @ cell.cell.array)
        if abs(z) > 1e-6 * np.hypot(x, y):
            raise InputError(
                "direction", expected=f"one in the face {face or '001 or 0001'}", got=direction, advice="give another"
            )
        angles.append(float(np.degrees(np.arctan2(y, x))))
    return (angles[0] - angles[1] + 180.0) % 360.0 - 180.0


def _ways(one: Coincidence, *, every: bool) -> list[Coincidence]:
    """The same cells as they are, if of one hand, or turned by everything that nearly maps the second on itself."""
    hand = round(float(np.sign(np.linalg.det(one.cells[0]) * np.linalg.det(one.cells[1]))))
    if not every:
        return [one] if hand > 0 else []
    bases = (np.array(entries).reshape(2, 2) for entries in product((-1, 0, 1), repeat=4))
    ways = [base for base in bases if round(np.linalg.det(base)) == hand]
    return [Coincidence(cells=np.array([one.cells[0], base @ one.cells[1]]), frames=one.frames) for base in ways]


def face_frame(cell: Atoms, face: str) -> tuple[Vector, Vector]:
    """Frame of a face (rows: shortest in-plane lattice vector, across, normal) and its primitive cell [Å]."""
    normal = axis_direction(cell, face or None)
    lattice = standard_cell(cell, to_primitive=True).cell.array
    steps = np.array([step for step in product(range(-6, 7), repeat=3) if any(step)])
    vectors = steps @ lattice
    flat = vectors[np.abs(vectors @ normal) < 1e-4]
    flat = flat[np.argsort(np.linalg.norm(flat, axis=1).round(6), kind="stable")]
    shortest = flat[0]
    across = np.abs(np.linalg.norm(np.cross(flat, shortest), axis=1)) > 1e-3
    right = np.cross(shortest, flat) @ normal > 0
    x = shortest / np.linalg.norm(shortest)
    frame = np.array([x, np.cross(normal, x), normal])
    pair = np.array([shortest, flat[across & right][0]])
    return frame, (pair @ frame.T)[:, :2]


def step_along(lattice: Vector, normal: Vector) -> Vector:
    """Lattice vector to the next repeat along the normal, the most upright one [Å]."""
    steps = np.array(list(np.ndindex(7, 7, 7))) - 3
    vectors = steps @ lattice
    heights = vectors @ normal
    up = vectors[heights > 1e-3]
    return np.asarray(up[np.lexsort((np.linalg.norm(up, axis=1).round(6), (up @ normal).round(4)))[0]])
