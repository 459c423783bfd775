"""Atoms from a density: peaks, refined against the images themselves, and named by how strongly they scatter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter
from scipy.sparse import csr_array
from scipy.sparse.linalg import lsmr
from scipy.spatial import cKDTree

from nanoslab.errors import InputError
from nanoslab.measure.tomography.density import reconstruct_density
from nanoslab.measure.tomography.projections import Projections

Array = NDArray[np.float64]

#: pixels of an atom lie within this many of its widths
_REACH = 3.0
#: atoms whose errors are computed with all correlations: matrices of 0.3 GB
_MOST_COUPLED = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedAtoms:
    """Atoms found in projections.

    Attributes
    ----------
    atoms
        With their elements, about the origin of the projections.
    errors
        Standard error of every atom's position along one direction [Å], shape (atoms,), from the residuals of the
        images where the atom lies. With more than `_MOST_COUPLED` atoms, the overlap with others is left out and the
        errors are lower bounds.
    strengths
        Integrated signal of every atom [Å²], shape (atoms,).
    width
        Common standard deviation of an atom in the images [Å].
    residual
        Root mean square of the images less the fit, over the root mean square of the images.
    shifts
        Of every image against the atoms, along its x and y [Å], shape (images, 2).
    """

    atoms: Atoms
    errors: Array
    strengths: Array
    width: float
    residual: float
    shifts: Array


def trace_atoms(
    projections: Projections,
    density: Array,
    strengths: Mapping[str, float],
    *,
    shortest_distance: float = 2.0,
    n_steps: int = 8,
) -> TracedAtoms:
    """Find atoms in a density, refine them against the images and name them.

    Peaks of the density are the start, and those that the images still show once the first are fitted. Positions,
    strengths and one common width of Gaussian atoms, and the shift of every image, are then fitted to all images at
    once (Gauss-Newton, sparse), for which the density need not be accurate nor the images be aligned to better than
    half an atom. An atom is the element whose relative strength, on a scale found from all atoms, is nearest in the
    logarithm.

    Parameters
    ----------
    strengths
        Relative signal of each element, such as `annular_cross_section`.
    shortest_distance
        Between atoms [Å].
    """
    weakest = min(strengths.values()) / max(strengths.values())
    least = 0.4 * weakest * float(_smoothed(density, projections.pixel).max())
    points = _peaks(density, projections.pixel, shortest_distance, least)
    if len(points) < 1:
        raise InputError("density", expected="peaks", got="none", advice="take more images or a higher dose")
    weights = np.full(len(points), float(np.mean([image.sum() for image in projections.images])) / len(points))
    fit = _Fit(points, weights * projections.pixel**2, 0.6, np.zeros((len(projections.images), 2)))
    for step in range(n_steps):
        fit = fit.step(projections)
        if step == n_steps // 2:
            fit = fit.stronger_than(0.5 * weakest)
            # a weak atom beside a strong one has no peak of its own before the strong one is taken away
            rest = _linearised(projections, fit)[1].reshape(projections.images.shape)
            density = reconstruct_density(replace(projections, images=rest))
            more = _peaks(density, projections.pixel, shortest_distance, least)
            if len(more):
                more = more[cKDTree(fit.points).query(more)[0] > 0.6 * shortest_distance]
            added = np.full(len(more), weakest * np.quantile(fit.weights, 0.9))
            points, weights = np.concatenate([fit.points, more]), np.concatenate([fit.weights, added])
            fit = replace(fit, points=points, weights=weights)
    fit = fit.stronger_than(0.5 * weakest)
    jacobian, residual = _linearised(projections, fit)
    variances = _variances(jacobian, residual)[: 3 * len(fit.points)].reshape(-1, 3)
    return TracedAtoms(
        atoms=Atoms(_names(fit.weights, strengths), fit.points),
        errors=np.sqrt(variances.mean(axis=1)),
        strengths=fit.weights,
        width=fit.width,
        residual=float(np.sqrt(np.mean(residual**2) / np.mean(projections.images**2))),
        shifts=fit.shifts,
    )


@dataclass(frozen=True, slots=True)
class _Fit:
    """Gaussian atoms: positions [Å], integrated signals [Å²], common width [Å]; shifts of the images [Å]."""

    points: Array
    weights: Array
    width: float
    shifts: Array

    def step(self, projections: Projections) -> _Fit:
        """One step of Gauss and Newton, no atom farther than 0.3 Å."""
        n = len(self.points)
        jacobian, residual = _linearised(projections, self)
        # unknowns of one scale: the shift of an image moves all atoms at once
        scale = np.sqrt(np.asarray(jacobian.power(2).sum(axis=0)).ravel()) + 1e-300
        change = lsmr(jacobian.multiply(1 / scale).tocsr(), residual, atol=1e-6, btol=1e-6, maxiter=40)[0] / scale
        return _Fit(
            self.points + np.clip(change[: 3 * n].reshape(-1, 3), -0.3, 0.3),
            np.maximum(self.weights + change[3 * n : 4 * n], 0.02 * self.weights.mean()),
            float(np.clip(self.width + change[4 * n], 0.7 * self.width, 1.4 * self.width)),
            self.shifts + np.clip(change[4 * n + 1 :].reshape(-1, 2), -0.3, 0.3),
        )

    def stronger_than(self, share: float) -> _Fit:
        """Without atoms below a share of the strong ones."""
        kept = self.weights > share * np.quantile(self.weights, 0.9)
        return replace(self, points=self.points[kept], weights=self.weights[kept])


def _peaks(density: Array, pixel: float, shortest_distance: float, least: float) -> Array:
    """Maxima of a density, between its voxels by the centre of mass of their surroundings [Å], shape (peaks, 3)."""
    smooth = _smoothed(density, pixel)
    size = 2 * int(0.6 * shortest_distance / pixel) + 1
    highest = np.argwhere((smooth == maximum_filter(smooth, size)) & (smooth > least))
    highest = highest[np.all((highest > 1) & (highest < len(density) - 2), axis=1)]
    around = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    cube = highest[:, None] + around
    mass = smooth[tuple(np.moveaxis(cube, 2, 0))]
    mass = mass - mass.min(axis=1, keepdims=True)
    centres = (mass[..., None] * cube).sum(axis=1) / mass.sum(axis=1, keepdims=True)
    return np.asarray((centres - len(density) // 2) * pixel)


def _variances(jacobian: csr_array, residual: Array) -> Array:
    """Variance of each parameter for noise that differs between pixels (White, Econometrica 48 (1980) 817)."""
    noisy = jacobian.multiply(residual[:, None])
    if jacobian.shape[1] > 4 * _MOST_COUPLED:
        squares, spread = (np.asarray(m.power(2).sum(axis=0)).ravel() for m in (jacobian, noisy))
        return np.asarray(spread / np.maximum(squares, 1e-300) ** 2)
    scale = np.sqrt(np.asarray(jacobian.power(2).sum(axis=0)).ravel())
    normal, middle = ((m.T @ m).toarray() / np.outer(scale, scale) for m in (jacobian, noisy.tocsr()))
    # a common shift of atoms and images changes no image: its direction is left out
    inverse = np.linalg.pinv(normal, rcond=1e-6, hermitian=True)
    return np.asarray(np.einsum("ij,jk,ki->i", inverse, middle, inverse, optimize=True) / scale**2)


def _smoothed(density: Array, pixel: float) -> Array:
    """Density blurred by less than the width of an atom."""
    return np.asarray(gaussian_filter(density, 0.35 / pixel))


def _linearised(projections: Projections, fit: _Fit) -> tuple[csr_array, Array]:
    """Derivatives of all pixels by positions, strengths, width and shifts, and images less model; pixels in rows."""
    n, pixel, n_atoms, width = projections.images.shape[1], projections.pixel, len(fit.points), fit.width
    reach = int(np.ceil(_REACH * width / pixel))
    steps = np.arange(-reach, reach + 1)
    each, strength = np.arange(n_atoms), fit.weights[:, None, None]
    blocks, rest = [], np.array(projections.images)
    for number, rotation in enumerate(projections.rotations):
        flat = (fit.points @ rotation[:2].T + fit.shifts[number]) / pixel + n // 2
        pixels = np.rint(flat).astype(int)[:, :, None] + steps
        away = (pixels - flat[:, :, None]) * pixel
        one = np.exp(-(away**2) / (2 * width**2)) / np.sqrt(2 * np.pi * width**2)
        x, y = away[:, 0, :, None], away[:, 1, None, :]
        valid = (pixels >= 0) & (pixels < n)
        inside = valid[:, 0, :, None] & valid[:, 1, None, :]
        shape = np.where(inside, one[:, 0, :, None] * one[:, 1, None, :], 0.0)
        rows = np.where(inside, pixels[:, 0, :, None] * n + pixels[:, 1, None, :], 0)
        by_u, by_v = strength * shape * x / width**2, strength * shape * y / width**2
        columns = [(by_u * rotation[0, a] + by_v * rotation[1, a], 3 * each + a) for a in range(3)]
        columns += [
            (shape, 3 * n_atoms + each),
            (strength * shape * ((x**2 + y**2) / width**2 - 2) / width, np.full(n_atoms, 4 * n_atoms)),
            (by_u, np.full(n_atoms, 4 * n_atoms + 1 + 2 * number)),
            (by_v, np.full(n_atoms, 4 * n_atoms + 2 + 2 * number)),
        ]
        values = np.concatenate([value.ravel() for value, _ in columns]).astype(np.float32)
        where = np.concatenate([np.broadcast_to(c[:, None, None], shape.shape).ravel() for _, c in columns])
        blocks.append((values, np.tile(rows.ravel(), len(columns)) + number * n * n, where))
        model = np.bincount(rows.ravel(), (strength * shape).ravel(), minlength=n * n)
        rest[number] -= model.reshape(n, n)
    values, rows, columns_of = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    size = 4 * n_atoms + 1 + 2 * len(projections.images)
    return csr_array((values, (rows, columns_of)), shape=(rest.size, size)), rest.ravel()


def _names(weights: Array, strengths: Mapping[str, float]) -> list[str]:
    """Elements nearest to the strengths of the atoms on the scale that fits all of them best."""
    elements = sorted(strengths, key=lambda element: strengths[element])
    logs = np.log([strengths[element] for element in elements])
    measured = np.log(weights)

    def misfit(shift: float) -> float:
        return float(np.abs(measured[:, None] - logs - shift).min(axis=1).sum())

    centre = float(np.median(measured))
    shifts = np.linspace(centre - logs[-1] - 0.3, centre - logs[0] + 0.3, 400)
    best = min(shifts, key=misfit)
    return [elements[k] for k in np.abs(measured[:, None] - logs - best).argmin(axis=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """Atoms found against those that were there.

    Attributes
    ----------
    distances
        Of each atom that was there to the one found, NaN where none lies within 1 Å, shape (atoms,).
    n_missing, n_extra, n_wrong_element
        Atoms that were not found, found atoms that were not there, and found ones with a wrong name.
    """

    distances: Array
    n_missing: int
    n_extra: int
    n_wrong_element: int

    @property
    def rms(self) -> float:
        """Root mean square distance of the found atoms [Å]."""
        found = self.distances[~np.isnan(self.distances)]
        return float(np.sqrt(np.mean(found**2))) if len(found) else float("nan")


def compare_atoms(truth: Atoms, found: Atoms, largest: float = 1.0) -> RoundTrip:
    """Match found atoms to those that were there, both about their own origin: the middle of the truth.

    Each pair of nearest neighbours that choose one another within a largest distance [Å] is a match. A common shift of
    all found atoms is no error, since images do not tell where a particle is; it is taken off.
    """
    points, places = truth.positions - truth.positions.mean(axis=0), found.positions
    for _ in range(2):
        forth, hit = cKDTree(places).query(points)
        back = cKDTree(points).query(places)[1]
        matched = (back[hit] == np.arange(len(points))) & (forth <= largest)
        shift = np.mean(places[hit[matched]] - points[matched], axis=0) if matched.any() else np.zeros(3)
        places = places - shift
    distances = np.linalg.norm(places[hit] - points, axis=1)
    return RoundTrip(
        distances=np.where(matched, distances, np.nan),
        n_missing=int(np.sum(~matched)),
        n_extra=len(found) - int(matched.sum()),
        n_wrong_element=int(np.sum(truth.numbers[matched] != found.numbers[hit[matched]])),
    )
