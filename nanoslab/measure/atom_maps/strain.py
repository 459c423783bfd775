"""Strain and orientation about every atom, and distances against the distance from the middle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from nanoslab.errors import InputError
from nanoslab.measure.atom_maps.lattice import LatticeMap

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class AtomStrain:
    """Strain about every atom, in the axes of the unstrained crystal.

    Attributes
    ----------
    components
        xx, yy, zz, yz, xz, xy of U - 1, with the deformation gradient F = R U (Biot strain, free of rotation), shape
        (atoms, 6); the shears are tensor components. NaN where fewer than four neighbouring sites are occupied or
        all lie in a plane.
    errors
        Standard errors of the normal components for the scatter of the atoms about the lattice, shape (atoms,).
    rotations
        R of every atom, shape (atoms, 3, 3): the orientation of the crystal about it.
    """

    components: Array
    errors: Array
    rotations: Array

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for array in (self.components, self.errors, self.rotations):
            array.setflags(write=False)

    def mean(self, chosen: NDArray[np.bool_]) -> Array:
        """Mean of the six components over some atoms, those without strain left out."""
        values = self.components[chosen]
        values = values[~np.isnan(values[:, 0])]
        return values.mean(axis=0) if len(values) else np.full(6, np.nan)


def atom_strain(atoms: Atoms, lattice: LatticeMap, reach: float | None = None) -> AtomStrain:
    """Strain about every atom from the affine map of its neighbouring sites to the atoms on them.

    Exact for an affine deformation of any size. Least squares over the atom and its neighbours with a free origin.

    Parameters
    ----------
    reach
        Distance of the farthest neighbouring site [Å]; when not given 1.05 times that of the second shell, where a
        zinc-blende atom has 16 neighbours and a face-centred cubic one 18.
    """
    index = np.flatnonzero(lattice.assigned)
    sites, points = lattice.sites[index], atoms.positions[index]
    tree = cKDTree(sites)
    if reach is None:
        reach = 1.05 * _second_shell(tree)
    pairs = tree.query_pairs(reach, output_type="ndarray")
    own = np.arange(len(index))
    i, j = (np.concatenate([pairs[:, 0], pairs[:, 1], own]), np.concatenate([pairs[:, 1], pairs[:, 0], own]))
    x, y = sites[j] - sites[i], points[j] - points[i]
    n = np.bincount(i).astype(float)
    x_mean, y_mean = _summed(i, x, len(n)) / n[:, None], _summed(i, y, len(n)) / n[:, None]
    xx = _summed(i, x[:, :, None] * x[:, None, :], len(n)) - n[:, None, None] * x_mean[:, :, None] * x_mean[:, None, :]
    yx = _summed(i, y[:, :, None] * x[:, None, :], len(n)) - n[:, None, None] * y_mean[:, :, None] * x_mean[:, None, :]
    known = (n >= 5) & (np.linalg.eigvalsh(xx)[:, 0] > 0.05 * reach**2)
    inverse = np.linalg.inv(np.where(known[:, None, None], xx, np.eye(3)))
    left, stretch, right = np.linalg.svd(np.where(known[:, None, None], yx, np.eye(3)) @ inverse)
    strain = np.swapaxes(right, 1, 2) * stretch[:, None, :] @ right - np.eye(3)
    components, errors = np.full((len(atoms), 6), np.nan), np.full(len(atoms), np.nan)
    rotations = np.full((len(atoms), 3, 3), np.nan)
    kept = index[known]
    components[kept] = strain[known][:, (0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1)]
    errors[kept] = lattice.scatter * np.sqrt(np.trace(inverse[known], axis1=1, axis2=2) / 3)
    rotations[kept] = (left @ right)[known]
    return AtomStrain(components=components, errors=errors, rotations=rotations)


def _summed(i: NDArray[np.int_], values: Array, n: int) -> Array:
    """Values added up by first atom."""
    flat = values.reshape(len(values), -1)
    sums = [np.bincount(i, column, minlength=n) for column in flat.T]
    return np.array(sums, dtype=float).T.reshape(n, *values.shape[1:])


def _second_shell(tree: cKDTree) -> float:
    """Second distance between sites, longer than the first by more than a tenth [Å]."""
    gaps = np.sort(tree.query(tree.data, min(30, tree.n))[0].ravel())
    gaps = gaps[gaps > 1e-6]
    beyond = gaps[gaps > 1.1 * gaps[0]]
    if not len(beyond):
        raise InputError("structure", expected="two shells of neighbours", got="one", advice="give reach")
    return float(beyond[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class RadialProfile:
    """Nearest distances against the distance of their middles from the centre, in shells of equal width.

    Attributes
    ----------
    radii
        Mean distance of the middles from the centre [Å], shape (shells,).
    distances, errors
        Mean nearest distance [Å] and the standard error of that mean, shape (shells,).
    counts
        Pairs in each shell; shells without one are left out.
    """

    radii: Array
    distances: Array
    errors: Array
    counts: NDArray[np.int_]


def bond_profile(atoms: Atoms, lattice: LatticeMap, shell: float = 2.0) -> RadialProfile:
    """Distances between atoms on nearest sites against the distance from the centre, in shells of a width [Å]."""
    if not shell > 0:
        raise InputError("shell", expected="a width above 0 Å", got=shell)
    index = np.flatnonzero(lattice.assigned)
    sites, points = lattice.sites[index], atoms.positions[index]
    tree = cKDTree(sites)
    pairs = tree.query_pairs(1.1 * float(tree.query(sites, 2)[0][:, 1].min()), output_type="ndarray")
    distances = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    radii = np.linalg.norm(points[pairs].mean(axis=1) - points.mean(axis=0), axis=1)
    number = (radii / shell).astype(int)
    rows = [(radii[number == s], distances[number == s]) for s in np.unique(number)]
    return RadialProfile(
        radii=np.array([r.mean() for r, _ in rows]),
        distances=np.array([d.mean() for _, d in rows]),
        errors=np.array([d.std(ddof=1) / np.sqrt(len(d)) if len(d) > 1 else np.nan for _, d in rows]),
        counts=np.array([len(d) for _, d in rows]),
    )
