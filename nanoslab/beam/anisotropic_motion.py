"""Thermal motion that differs between directions: the whole tensor <v vᵀ>, by quadrature.

Notes
-----
In units of the threshold speed u₀ the recoil is ũ q, with q the direction at δ from the beam and the azimuth φ, and
ũ = w cos δ. Along q the velocity of the nucleus is a t with a standard normal t; across it, c t + p, where p is the
part that does not depend on t. The nucleus leaves when

    (ũ + a t)² + |c t + p|² >= 1,

a quadratic in t, so the chance for a given p is exact. What is left is smooth: p by Gauss and Hermite (8 x 8), φ by the
trapezoidal rule, ũ by Gauss and Legendre. With a tensor of three equal numbers the closed form of
`nanoslab.beam.totals` comes out to 1e-7; a Monte Carlo of the same collisions is the oracle of both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr

from nanoslab.beam.closed_form import SLOWEST, VELOCITY_CUT
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

N_SPEEDS, N_ACROSS, N_AZIMUTHS = 64, 8, 12

#: smallest motion along any direction over the largest, as variances: keeps the quadrature regular
SMALLEST_SHARE = 1e-8


def as_tensor(values: ArrayLike) -> Array:
    """Velocity covariance, checked: symmetric, no negative variance, shape (3, 3) [m²/s²].

    Examples
    --------
    >>> as_tensor([[1, 2], [3, 4]])
    Traceback (most recent call last):
    nanoslab.errors.InputError: velocity variance: expected a number or a symmetric tensor of 3 x 3, got shape (2, 2)
    """
    tensor = np.array(values, dtype=float)
    if tensor.shape != (3, 3):
        raise InputError(
            "velocity variance", expected="a number or a symmetric tensor of 3 x 3", got=f"shape {tensor.shape}"
        )
    largest = float(np.abs(tensor).max())
    if not np.isfinite(largest) or np.abs(tensor - tensor.T).max() > 1e-6 * largest:
        raise InputError("velocity variance", expected="a symmetric tensor of finite numbers", got=tensor.tolist())
    lowest = float(np.linalg.eigvalsh(tensor).min())
    if lowest < -1e-6 * largest:
        raise InputError("velocity variance", expected="no negative variance", got=f"{lowest:g} m²/s² along an axis")
    return tensor


def anisotropic_bracket(
    form: Any, w: Array, tensor: Array, per_speed: Array, bracket: Callable[[Any, Array], Array]
) -> Array:
    """Bracket of spherical escape averaged over the motion, shape of `w`.

    Parameters
    ----------
    form
        What scatters, see `nanoslab.beam.totals.scattering` with two axes.
    w
        sqrt(E_max/E_s), shape (n, n_masses).
    tensor
        <v vᵀ> with z along the beam, shape (3, 3) [m²/s²].
    per_speed
        1/u₀ of every pair [s/m], shape of `w`.
    bracket
        Static bracket of the exit.
    """
    scale = float(np.linalg.eigvalsh(tensor).max())
    if not scale > 0:
        return np.asarray(bracket(form, np.maximum(w, 1.0)[..., None])[..., 0])
    shape = tensor / scale + SMALLEST_SHARE * np.eye(3)
    epsilon = per_speed * scale**0.5
    nodes, weights = np.polynomial.legendre.leggauss(N_SPEEDS)
    low = np.maximum((1 - w) / epsilon, -VELOCITY_CUT)[..., None]
    high = np.minimum(np.sqrt(np.maximum(low, 0) ** 2 + VELOCITY_CUT**2), SLOWEST / epsilon[..., None])
    width = np.maximum(high - low, 0)
    speed = 1 - epsilon[..., None] * (low + width / 2 * (1 + nodes))
    cosine = np.minimum(speed / w[..., None], 1.0)
    chance = _chance(speed, cosine, epsilon, shape)
    integrand = 2 * w[..., None] ** 2 / speed**3 * form.ratio(cosine) * chance
    rising = (integrand @ weights) * width[..., 0] / 2 * epsilon
    certain = np.maximum(w / (1 - epsilon * low[..., 0]), 1.0)
    return np.asarray(rising + bracket(form, certain[..., None])[..., 0])


def _chance(speed: Array, cosine: Array, epsilon: Array, shape: Array) -> Array:
    """Chance to leave with the recoil speed over u₀, averaged over azimuths, shape of `speed`."""
    points, masses = np.polynomial.hermite_e.hermegauss(N_ACROSS)
    first, second = (axis.ravel() for axis in np.meshgrid(points, points))
    weight = np.outer(masses, masses).ravel() / (2 * np.pi)
    sine = np.sqrt(1 - cosine**2)
    total = np.zeros_like(speed)
    for phi in 2 * np.pi * np.arange(N_AZIMUTHS) / N_AZIMUTHS:
        along = np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine])
        across = (
            np.stack([cosine * np.cos(phi), cosine * np.sin(phi), -sine]),
            np.array([-np.sin(phi), np.cos(phi), 0.0])[:, None, None, None] + 0 * along,
        )
        factors = [epsilon[..., None] * factor for factor in _factors(along, across, shape)]
        a, c1, c2, l11, l21, l22 = (factor[..., None] for factor in factors)
        p1, p2 = l11 * first, l21 * first + l22 * second
        square = a**2 + c1**2 + c2**2
        half = speed[..., None] * a + c1 * p1 + c2 * p2
        lacking = 1 - speed[..., None] ** 2 - p1**2 - p2**2
        # t = (-half ± sqrt(half² + square lacking))/square; without a root the nucleus leaves whatever t is
        root = np.sqrt(np.maximum(half**2 + square * lacking, 0))
        leaves = ndtr((half - root) / square) + ndtr((-half - root) / square)
        total += np.where(half**2 + square * lacking > 0, leaves, 1.0) @ weight
    return total / N_AZIMUTHS


def _factors(along: Array, across: tuple[Array, Array], shape: Array) -> tuple[Array, ...]:
    """a, c₁, c₂ and the Cholesky factor l₁₁, l₂₁, l₂₂ of the part across that is independent of the part along."""

    def product(first: Array, second: Array) -> Array:
        return np.asarray(np.einsum("i...,ij,j...->...", first, shape, second))

    first, second = across
    a = np.sqrt(product(along, along))
    c1, c2 = product(along, first) / a, product(along, second) / a
    l11 = np.sqrt(np.maximum(product(first, first) - c1**2, 1e-15))
    l21 = (product(first, second) - c1 * c2) / l11
    l22 = np.sqrt(np.maximum(product(second, second) - c2**2 - l21**2, 0.0))
    return a, c1, c2, l11, l21, l22
