"""Integrals of the Mott ratio over the transferred energy, for many beam energies at once.

Notes
-----
With y = E_max/T the integrals are over τ = ln y = -2 ln sin(θ/2), from 0 (backscattering) up. At small angles R
wanders like cos(2 q ln sin(θ/2)), so τ is the variable in which it is smooth: 32 Chebyshev nodes hold it
to 1e-8 down to sin(θ/2) = 0.02. Averages such as

    ∫_1^r R dy / (r - 1)

are linear in R and smooth in ln r too, so one constant matrix turns the Chebyshev coefficients of R into
those of the average. The factor (r - 1) stands outside: exactly zero at threshold, never negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import chebyshev

from nanoslab.beam.mott import SMALLEST_SINE, bridge_to_one, ratio_at_nodes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

N_NODES = 32
LARGEST_LOG = -2 * float(np.log(SMALLEST_SINE))


@dataclass(frozen=True, slots=True, kw_only=True)
class MottIntegral:
    """Mott scattering by one element at a set of beam energies.

    Attributes
    ----------
    ratios, means, sphere_means
        Chebyshev coefficients over ln(E_max/T) or ln r of R and of its two averages, shape (32, ...);
        further axes broadcast with the arguments of the methods.
    edge
        R at `SMALLEST_SINE`, beyond which it goes to 1 on a straight line in sin(θ/2).
    """

    ratios: Array
    means: Array
    sphere_means: Array
    edge: Array

    def ratio(self, sine: Array) -> Array:
        """R at sin(θ/2), between 0 and 1."""
        log_y = -2 * np.log(np.clip(sine, SMALLEST_SINE, 1))
        return bridge_to_one(_chebyshev(self.ratios, log_y), sine)

    def bracket(self, w: Array, log_r: Array) -> Array:
        """∫_1^r R dy, from w = sqrt(r) and ln r."""
        inside = (w - 1) * (w + 1) * _chebyshev(self.means, np.minimum(log_r, LARGEST_LOG))
        if not (log_r > LARGEST_LOG).any():
            return inside
        start, a, b = self._beyond()
        return np.asarray(np.where(log_r > LARGEST_LOG, a + w * w + b * np.maximum(w, start), inside))

    def sphere_bracket(self, w: Array, log_r: Array) -> Array:
        """½ ∫_1^r R (1 - sqrt(y/r)) dy, the mean over facets of every direction."""
        mean = _chebyshev(self.sphere_means, np.minimum(log_r, LARGEST_LOG))
        inside = (w - 1) ** 2 * (w + 2) / (6 * w) * mean
        if not (log_r > LARGEST_LOG).any():
            return inside
        # d(2 w I_sphere)/dr = I/(2 w), integrated from the edge on
        start, a, b = self._beyond()
        edge = (start - 1) ** 2 * (start + 2) / 3 * _chebyshev(self.sphere_means, np.asarray(LARGEST_LOG))
        grown = a * (w - start) + (w**3 - start**3) / 3 + b * (w**2 - start**2) / 2
        return np.asarray(np.where(log_r > LARGEST_LOG, (edge + grown) / (2 * w), inside))

    def _beyond(self) -> tuple[float, Array, Array]:
        """Edge w₀ and the constants of the bracket a + w² + b w beyond it, where R = 1 + (R₀ - 1) w₀/sqrt(y)."""
        start = 1 / SMALLEST_SINE
        at_edge = (start**2 - 1) * _chebyshev(self.means, np.asarray(LARGEST_LOG))
        b = 2 * (self.edge - 1) * start
        return start, at_edge - start**2 - b * start, b


def mott_integral(atomic_number: int, beam_energies_keV: Array, index: NDArray[np.intp]) -> MottIntegral:
    """Integrals for an element; `index` spreads the distinct beam energies over the shape of the arguments.

    Parameters
    ----------
    beam_energies_keV
        Distinct beam energies, shape (n,) [keV].
    index
        For every element of the later arguments the row of its beam energy.
    """
    nodes, to_coefficients, to_means, to_sphere_means = _operators()
    sines = np.append(np.exp(-nodes / 2), SMALLEST_SINE)
    values = ratio_at_nodes(atomic_number, beam_energies_keV, sines)
    ratios = to_coefficients @ values[:, :-1].T
    return MottIntegral(
        ratios=ratios[:, index],
        means=(to_means @ ratios)[:, index],
        sphere_means=(to_sphere_means @ ratios)[:, index],
        edge=values[:, -1][index],
    )


def _chebyshev(coefficients: Array, log_y: Array) -> Array:
    return np.asarray(chebyshev.chebval(2 * log_y / LARGEST_LOG - 1, coefficients, tensor=False))


@cache
def _operators() -> tuple[Array, Array, Array, Array]:
    """Nodes in τ, and the matrices: values to coefficients, coefficients to those of the two averages."""
    angles = np.pi * (np.arange(N_NODES) + 0.5) / N_NODES
    nodes = LARGEST_LOG * (1 + np.cos(angles)) / 2
    vandermonde = chebyshev.chebvander(2 * nodes / LARGEST_LOG - 1, N_NODES - 1)
    to_coefficients = np.asarray(np.linalg.inv(vandermonde), dtype=float)
    points, weights = np.polynomial.legendre.leggauss(200)
    plain, sphere = np.empty((2, N_NODES, N_NODES))
    for row, end in enumerate(nodes):
        tau = end * (points + 1) / 2
        basis = chebyshev.chebvander(2 * tau / LARGEST_LOG - 1, N_NODES - 1)
        measure = weights * np.exp(tau)
        escaping = -measure * np.expm1((tau - end) / 2)
        plain[row] = measure @ basis / measure.sum()
        sphere[row] = escaping @ basis / escaping.sum()
    return nodes, to_coefficients, to_coefficients @ plain, to_coefficients @ sphere
