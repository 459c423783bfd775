"""Energies of ways that were not computed, from those that were: a cluster expansion over single sites and pairs.

The energy of a way is the mean of its composition plus a term for every orbit of sites and of pairs of sites among the
atoms it lost; orbits are those of the sheet's own symmetry. Terms of far pairs are held to zero more than those of near
ones (after Mueller and Ceder, Phys. Rev. B 80, 024103 (2009)), how much is what leaving one way out says.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanoslab.builders.enumeration import Removal

#: pairs at this distance are held to zero as single sites are; farther ones by the square of their distance [Å]
NEAR = 3.0
_STRENGTHS = np.logspace(-4, 4, 33)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """What single sites and pairs of lost atoms add to the energy of a way.

    Attributes
    ----------
    sites, pairs
        By atom of the whole sheet, shapes (n_atoms,) and (n_atoms, n_atoms) [eV].
    n_terms, n_ways
        Orbits, and ways of the fit.
    error, constant_error
        Root mean square error of a way left out, by the expansion and by the mean of the others of its composition
        [eV per cell].
    """

    sites: NDArray[np.float64]
    pairs: NDArray[np.float64]
    n_terms: int
    n_ways: int
    error: float
    constant_error: float

    @property
    def beats_a_constant(self) -> bool:
        """Whether it says more than the mean of the composition."""
        return self.error < self.constant_error

    def predict(self, removed: NDArray[np.integer]) -> NDArray[np.float64]:
        """Energies of ways of one composition up to a constant, from (n_ways, n_removed) atoms [eV]."""
        energies = self.sites[removed].sum(axis=1)
        for place in range(1, removed.shape[1]):
            energies += self.pairs[removed[:, :place], removed[:, place, None]].sum(axis=1)
        return np.asarray(energies)


def fit_expansion(question: Removal, removed: Sequence[Sequence[int]], energies: Sequence[float]) -> Expansion | None:
    """Fit to computed ways of any compositions; None where no composition has two of them.

    Parameters
    ----------
    question
        Any question of the sheet: its sites and their symmetry.
    removed, energies
        Atoms lost and energy [eV] of every way.
    """
    site_orbits, pair_orbits, distances = _orbits(question)
    damping = np.maximum(1.0, distances / NEAR)
    rows = orbit_counts(question, removed)
    compositions: list[Hashable] = [tuple(sorted(question.parent.symbols[list(one)])) for one in removed]
    groups = np.unique(np.array([hash(one) for one in compositions]), return_inverse=True)[1]
    several = np.bincount(groups)[groups] > 1
    if not several.any():
        return None
    rows, values, groups = rows[several], np.asarray(energies, dtype=float)[several], groups[several]
    means = _means(groups)
    left = 1 - np.diag(means)
    inside = rows - means @ rows
    rest = values - means @ values
    best: tuple[float, NDArray[np.float64]] = (np.inf, np.zeros(rows.shape[1]))
    left_vectors, sizes, right = np.linalg.svd(inside, full_matrices=False)
    for strength in _STRENGTHS:
        shrink = sizes**2 / (sizes**2 + strength)
        missed = rest - left_vectors @ (shrink * (left_vectors.T @ rest))
        left_out = missed / (left - (left_vectors**2) @ shrink)
        error = float(np.sqrt(np.mean(left_out**2)))
        if error < best[0]:
            weights = right.T @ (sizes / (sizes**2 + strength) * (left_vectors.T @ rest))
            best = error, weights / damping
    error, weights = best
    n_atoms = len(question.parent)
    sites, pairs = np.zeros(n_atoms), np.zeros((n_atoms, n_atoms))
    indices = question.sites.indices
    sites[indices] = weights[site_orbits]
    pairs[np.ix_(indices, indices)] = weights[pair_orbits]
    return Expansion(
        sites=sites,
        pairs=pairs,
        n_terms=len(distances),
        n_ways=len(rows),
        error=error,
        constant_error=float(np.sqrt(np.mean((rest / left) ** 2))),
    )


def orbit_counts(question: Removal, removed: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """How often every way has every orbit, those of far pairs divided by their distance, (n_ways, n_terms)."""
    points, pairs, distances = _orbits(question)
    place = {int(atom): point for point, atom in enumerate(question.sites.indices)}
    rows = np.zeros((len(removed), len(distances)))
    for row, atoms in zip(rows, removed, strict=True):
        own = np.array([place[int(atom)] for atom in atoms], dtype=np.intp)
        np.add.at(row, points[own], 1)
        np.add.at(row, pairs[np.ix_(own, own)][np.triu_indices(len(own), 1)], 1)
    return rows / np.maximum(1.0, distances / NEAR)


def _orbits(question: Removal) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Orbit of every point (n,) and of every pair (n, n), and their distances: 0 of points, the shortest of pairs."""
    permutations = question.sites.permutations
    n = permutations.shape[1]
    points = np.unique(permutations.min(axis=0), return_inverse=True)[1]
    smallest = np.full((n, n), n * n)
    for row in permutations:
        images = row[:, None] * n + row
        smallest = np.minimum(smallest, np.minimum(images, images.T))
    first, pairs = np.unique(smallest, return_inverse=True)
    between = question.parent[question.sites.indices].get_all_distances(mic=bool(question.parent.pbc.any())).ravel()
    n_points = int(points.max()) + 1
    return points, pairs.reshape(n, n) + n_points, np.concatenate([np.zeros(n_points), between[first]])


def _means(groups: NDArray[np.intp]) -> NDArray[np.float64]:
    """Projection on the means of groups, (n, n)."""
    same = (groups[:, None] == groups).astype(float)
    return np.asarray(same / same.sum(axis=1))
