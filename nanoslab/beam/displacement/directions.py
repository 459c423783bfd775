"""Directions in which an atom can be kicked: quadrature over a hemisphere, each once under the symmetry of the site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nanoslab.beam.checks import require_positive
from nanoslab.beam.loss.paths import beam_frame, open_across_vacuum
from nanoslab.errors import InputError
from nanoslab.symmetry import rotations_about

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: directions nearer than this are the same [length of the difference of unit vectors]
SAME = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Directions:
    """Nodes of a quadrature over the hemisphere about an axis.

    Attributes
    ----------
    vectors
        Unit vectors, shape (n, 3).
    weights
        Share of the solid angle, shape (n,); they sum to 1.
    same_as
        For each node the first one that is equivalent under the symmetry of the site, shape (n,).
    """

    vectors: Array
    weights: Array
    same_as: NDArray[np.intp]

    def __post_init__(self) -> None:
        for array in (self.vectors, self.weights, self.same_as):
            array.flags.writeable = False

    @property
    def distinct(self) -> NDArray[np.intp]:
        """Nodes that must be computed."""
        return np.unique(self.same_as)


def hemisphere(
    axis: Sequence[float],
    n_polar: int,
    n_azimuth: int,
    *,
    rotations: Array | None = None,
    zero: Sequence[float] | None = None,
) -> Directions:
    """Nodes over the directions within 90° of an axis, the axis itself among them.

    Gauss and Radau in the cosine of the polar angle, whose fixed node is the axis, times equal steps of the azimuth:
    exact for polynomials of degree 2 n_polar - 2 in the cosine.

    Parameters
    ----------
    axis
        Cartesian, any length.
    n_polar, n_azimuth
        Polar angles, and azimuths at each but the first. With a multiple of 12 most sites need few of them.
    rotations
        Symmetry of the site, from `site_rotations`; none by default.
    zero
        Cartesian direction at which azimuths begin, such as that of a neighbour; made perpendicular to the axis.

    Examples
    --------
    >>> nodes = hemisphere((0, 0, 1), 3, 6)
    >>> nodes.vectors.shape, round(float(nodes.weights @ nodes.vectors[:, 2]), 12)  # the mean cosine is 1/2
    ((13, 3), 0.5)
    """
    require_positive("polar angles", n_polar, "")
    require_positive("azimuths", n_azimuth, "")
    across, aside, pole = beam_frame(axis)
    if zero is not None:
        flat = np.asarray(zero, dtype=float) - np.dot(zero, pole) * pole
        if np.linalg.norm(flat) > SAME:
            across = flat / np.linalg.norm(flat)
            aside = np.cross(pole, across)
    cosines, shares = _radau(n_polar)
    vectors, weights = [pole], [shares[0]]
    for cosine, share in zip(cosines[1:], shares[1:], strict=True):
        for phi in 2 * np.pi * np.arange(n_azimuth) / n_azimuth:
            flat = np.cos(phi) * across + np.sin(phi) * aside
            vectors.append(cosine * pole + np.sqrt(1 - cosine**2) * flat)
            weights.append(share / n_azimuth)
    found = np.array(vectors)
    return Directions(vectors=found, weights=np.array(weights), same_as=_equivalent(found, rotations))


def site_rotations(atoms: Atoms, index: int, tolerance: float = 0.05) -> Array:
    """Rotations and reflections that leave an atom and its surroundings as they are, shape (n, 3, 3), Cartesian.

    Parameters
    ----------
    atoms
        The structure, periodic.
    index
        Of the atom.
    tolerance
        Positions nearer than this are the same [Å].

    Examples
    --------
    >>> from ase.build import graphene
    >>> sheet = graphene(size=(3, 3, 1), vacuum=6.0)
    >>> sheet.pbc = True
    >>> site_rotations(sheet, 0).shape  # -6m2
    (12, 3, 3)
    """
    return rotations_about(atoms, index, tolerance) if atoms.pbc.all() else np.eye(3)[None]


def outward(atoms: Atoms, index: int) -> Array | None:
    """Direction out of the sheet at an atom, nearer face first; None for an atom of a flat sheet or of a bulk.

    Examples
    --------
    >>> from ase.build import mx2
    >>> sheet = mx2("MoS2", vacuum=8.0)
    >>> sheet.pbc = True
    >>> outward(sheet, 0) is None, outward(sheet, 1).round(3).tolist()
    (True, [0.0, 0.0, 1.0])
    """
    opened = open_across_vacuum(atoms)
    axes = np.flatnonzero(atoms.pbc & ~opened.pbc)
    if len(axes) != 1:
        return None
    normal = np.linalg.pinv(atoms.cell.array)[:, axes[0]]
    normal = normal / np.linalg.norm(normal)
    heights = opened.positions @ normal
    above, below = heights.max() - heights[index], heights[index] - heights.min()
    if abs(above - below) < SAME:
        return None
    return np.asarray(normal if above < below else -normal)


def require_outward(atoms: Atoms, index: int, direction: Sequence[float]) -> None:
    """Refuse a direction into the slab, from which nothing leaves."""
    way, out = beam_frame(direction)[2], outward(atoms, index)
    if out is not None and way @ out < -SAME:
        shown = " ".join(f"{x:g}" for x in np.asarray(direction, dtype=float))
        raise InputError(
            f"direction of atom {index}",
            expected="one out of the slab",
            got=f"{shown}, into it",
            advice="turn it round, or choose an atom of the other face",
        )


def _equivalent(vectors: Array, rotations: Array | None) -> NDArray[np.intp]:
    """For each vector the first that a rotation maps it to."""
    same = np.arange(len(vectors))
    for rotation in () if rotations is None else rotations:
        images = vectors @ rotation.T
        gaps = np.linalg.norm(images[:, None] - vectors[None], axis=2)
        nearest = np.argmin(gaps, axis=1)
        same = np.where(gaps.min(axis=1) < SAME, np.minimum(same, nearest), same)
    return same


def _radau(n: int) -> tuple[Array, Array]:
    """Nodes in the cosine from 1 down to above 0 with 1 among them, and weights that sum to 1."""
    if n == 1:
        return np.array([1.0]), np.array([1.0])
    # inner nodes: zeros of the Jacobi polynomial P_(n-1)^(1,0) on -1 to 1, with weight 1 - x, the fixed end at x = 1
    from scipy.special import roots_jacobi

    inner, jacobi = roots_jacobi(n - 1, 1, 0)
    weights = jacobi / (1 - inner)
    nodes = np.append(inner, 1.0)
    weights = np.append(weights, 2 - weights.sum())
    order = np.argsort(-nodes)
    return (1 + nodes[order]) / 2, weights[order] / 2
