"""From thresholds by direction to the cross-section of a beam: every recoil meets the threshold of its own direction.

Notes
-----
A recoil at the angle δ from the beam has T = E_max cos² δ, so with c = cos δ, R the Mott ratio and < > the mean over
the azimuth

    σ = prefactor ∫_0^1 (2 R(c)/c³) <P(T(c) against E_d(c, φ))> dc,

P the chance to pass: 0 or 1 for a nucleus at rest, else that of `nanoslab.beam.totals` with the kinetic energy after
the collision. A threshold alike in all directions gives the spherical total, E_s/cos² δ the planar one. Between nodes
1/E_d, 0 where nothing displaces the atom, is interpolated by piecewise cubics (Clough and Tocher) on the equal-area
disc about the axis, never above its largest value; directions outside count as their nearest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import CloughTocher2DInterpolator, NearestNDInterpolator

from nanoslab.beam.checks import require_beam_energy
from nanoslab.beam.closed_form import prefactor_barn
from nanoslab.beam.elements import element_data
from nanoslab.beam.kinematics import electron_speed, max_recoil_speed, max_transferred_energy
from nanoslab.beam.loss.paths import beam_frame
from nanoslab.beam.loss.recoils import chance_to_pass
from nanoslab.beam.totals import Target, scattering
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

N_COSINES, N_AZIMUTHS = 2000, 48

#: a threshold that nothing reaches [eV]
NEVER = 1e9

#: fewer directions are not interpolated, the nearest counts
FEWEST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionalThreshold:
    """Displacement threshold of one site against direction.

    Attributes
    ----------
    vectors
        Unit vectors, shape (n, 3).
    energies
        E_d [eV], shape (n,); infinite where nothing displaces the atom.
    weights
        Share of the solid angle, shape (n,); sum 1.
    """

    vectors: Array
    energies: Array
    weights: Array

    def __post_init__(self) -> None:
        shapes = {len(self.vectors), len(self.energies), len(self.weights)}
        if len(shapes) != 1 or not len(self.vectors) or not np.all(self.energies > 0):
            raise InputError("thresholds by direction", expected="one above 0 eV per direction", got=sorted(shapes))
        for array in (self.vectors, self.energies, self.weights):
            array.flags.writeable = False

    @property
    def minimum(self) -> float:
        """Lowest of the directions [eV]."""
        return float(self.energies.min())

    @property
    def mean(self) -> float:
        """Mean over the solid angle [eV]; infinite if any direction is."""
        return float(self.weights @ self.energies / self.weights.sum())

    def at(self, directions: ArrayLike) -> Array:
        """Threshold in unit directions, shape (n, 3) -> (n,) [eV]; infinite where nothing displaces the atom."""
        frame = beam_frame((self.weights @ self.vectors).tolist())
        known, asked = (_disc(np.asarray(vectors) @ frame.T) for vectors in (self.vectors, directions))
        inverse = NearestNDInterpolator(known, 1 / self.energies)(asked)
        if len(known) >= FEWEST:
            smooth = CloughTocher2DInterpolator(known, 1 / self.energies)(asked)
            inverse = np.where(np.isnan(smooth), inverse, np.clip(smooth, 0.0, 1 / self.minimum))
        with np.errstate(divide="ignore"):
            return np.asarray(1 / inverse)


def directional_cross_section(
    target: Target,
    beam_energy_keV: float,
    threshold: DirectionalThreshold,
    beam_direction: Sequence[float] = (0.0, 0.0, -1.0),
) -> float:
    """Cross-section of a site whose threshold depends on the direction [barn].

    Parameters
    ----------
    target
        How the atom scatters and moves. Where the thresholds were found from thermal starts, the motion is in them:
        give nuclei at rest. Of motion that differs between directions the mean is used.
    beam_energy_keV
        [keV].
    threshold
        By direction.
    beam_direction
        Cartesian flight of the electrons, any length.

    Examples
    --------
    >>> from nanoslab.beam.displacement.directions import hemisphere
    >>> nodes = hemisphere((0, 0, 1), 4, 6)
    >>> alike = DirectionalThreshold(vectors=nodes.vectors, energies=np.full(19, 5.12), weights=nodes.weights)
    >>> round(directional_cross_section(Target(element="Se"), 200, alike, (0, 0, 1)), 1)
    133.6
    """
    require_beam_energy(beam_energy_keV)
    frame = beam_frame(beam_direction)
    edges = np.linspace(0, 1, N_COSINES + 1)[1:]
    phi = 2 * np.pi * (np.arange(N_AZIMUTHS) + 0.5) / N_AZIMUTHS
    sines = np.sqrt(1 - edges**2)
    flat = np.stack([np.cos(phi), np.sin(phi)], axis=1)
    grid = np.concatenate(
        [sines[:, None, None] * flat, np.broadcast_to(edges[:, None, None], (N_COSINES, N_AZIMUTHS, 1))], axis=2
    )
    needed = np.minimum(threshold.at((grid @ frame).reshape(-1, 3)), NEVER).reshape(N_COSINES, N_AZIMUTHS)
    data = element_data(target.element)
    form = scattering(target.model, data.atomic_number, np.array([beam_energy_keV]), n_axes=1)
    flux = 2 * np.asarray(form.ratio(edges[None, :]))[0] / edges**3
    mean_mass = sum(mass * share for mass, share in target.nuclei)
    variance = float(np.asarray(target.velocity_variance if target.tensor is None else np.trace(target.tensor) / 3))
    total = 0.0
    for mass, share in target.nuclei:
        largest = float(max_transferred_energy(mass, beam_energy_keV, kinematics=target.kinematics))
        root = np.sqrt(largest / needed)
        spread = (variance * mean_mass / mass) ** 0.5 / float(max_recoil_speed(mass, beam_energy_keV)) * root
        passing = chance_to_pass(edges[:, None] * root, spread, "spherical") if variance else None
        total += share * (_smooth(flux, passing, edges) if passing is not None else _steps(flux, edges, root))
    return float(prefactor_barn(data.atomic_number, electron_speed(beam_energy_keV)) * total)


def _smooth(flux: Array, passing: Array, cosines: Array) -> float:
    """∫ flux <P> dc by the trapezoidal rule."""
    return float(np.trapezoid(flux * passing.mean(axis=1), cosines))


def _steps(flux: Array, cosines: Array, root: Array) -> float:
    """The same with P 0 or 1: between two cosines it begins where the straight line through c sqrt(E_max/E_d) is 1."""
    excess = cosines[:, None] * root - 1
    before, after = excess[:-1], excess[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = np.clip(np.where(after != before, before / (before - after), 0.0), 0, 1)
    begin = np.where(before >= 0, 0.0, np.where(after > 0, crossing, 1.0))
    end = np.where(after >= 0, 1.0, np.where(before > 0, crossing, 0.0))
    step = cosines[1] - cosines[0]
    low, slope = flux[:-1, None], (flux[1:] - flux[:-1])[:, None]
    inside = step * (end - begin) * (low + slope * (begin + end) / 2)
    return float(np.maximum(inside, 0.0).mean(axis=1).sum())


def _disc(vectors: Array) -> Array:
    """Equal-area projection about the third axis, shape (n, 3) -> (n, 2)."""
    radius = np.sqrt(np.maximum(2 - 2 * vectors[:, 2], 0.0))
    flat = np.linalg.norm(vectors[:, :2], axis=1)
    return np.asarray(vectors[:, :2] * (radius / np.maximum(flat, 1e-12))[:, None])
