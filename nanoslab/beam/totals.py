"""The integral behind every total: nuclei of several masses, moving, leaving by some exit.

Notes
-----
A nucleus that moves along the beam at v ends with at most E_max (1 + v/v_max)², v_max = 2p/M, instead of E_max
(see `nanoslab.beam.kinematics.max_recoil_speed`). In a harmonic crystal v is Gaussian with the variance <v_z²> of
`nanoslab.beam.vibration`, at every temperature, so with t = v/sqrt(<v_z²>) and w = sqrt(E_max/E_s)

    σ = prefactor ∫_{t₀}^∞ e^{-t²/2}/sqrt(2π) bracket(w (1 + s t)) dt,    s = sqrt(<v_z²>)/v_max,  t₀ = (w₀/w - 1)/s

(Meyer et al., PRL 108 (2012) 196102), w₀ being where the exit opens (1 unless the surface is tilted). The integral
starts where the bracket leaves zero, so the integrand is smooth and 48 Gauss-Legendre nodes hold 1e-8
relative, far below the static threshold too. Motion across the beam turns the momentum transfer by v/v_max
and enters in second order only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from nanoslab.beam.checks import number_or_array, require_beam_energy, require_not_negative, require_positive
from nanoslab.beam.closed_form import N_VELOCITIES, VELOCITY_CUT, Model, closed_form, prefactor_barn
from nanoslab.beam.elements import element_data
from nanoslab.beam.kinematics import Kinematics, electron_speed, max_recoil_speed, max_transferred_energy
from nanoslab.beam.mott_integral import mott_integral
from nanoslab.errors import unknown_name

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

#: ``standard`` one nucleus of the standard mass (what papers quote); ``isotopes`` summed over the natural ones
Masses = Literal["standard", "isotopes"]


#: pairs of beam energy and threshold computed together; with isotopes and velocities they take 400 numbers each
N_AT_ONCE = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is hit, and how scattering is described.

    Attributes
    ----------
    element
        Chemical symbol.
    model
        ``mott``, ``mckinley-feshbach`` or ``rutherford``.
    masses
        ``standard``, ``isotopes``, or one mass [u] for an enriched sample.
    velocity_variance
        <v_z²> along the beam for the mean mass [m²/s²]; 0 for nuclei at rest.
    kinematics
        Formula of the largest transferred energy, see `max_transferred_energy`.
    """

    element: str
    model: Model = "mott"
    masses: Masses | float = "standard"
    velocity_variance: float = 0.0
    kinematics: Kinematics = "exact"

    @property
    def nuclei(self) -> tuple[tuple[float, float], ...]:
        """Pairs (mass [u], fraction)."""
        if self.masses == "isotopes":
            return element_data(self.element).masses_and_abundances
        return ((element_data(self.element).mass if self.masses == "standard" else float(self.masses), 1.0),)

    def __post_init__(self) -> None:
        if self.model not in get_args(Model):
            raise unknown_name("model", str(self.model), get_args(Model))
        if isinstance(self.masses, str) and self.masses not in get_args(Masses):
            raise unknown_name("masses", self.masses, get_args(Masses))
        if not isinstance(self.masses, str):
            require_positive("masses", self.masses, "u")
        require_not_negative("velocity variance", self.velocity_variance, "m²/s²")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How an atom leaves.

    Attributes
    ----------
    bracket
        From a scattering object and w = sqrt(E_max/E_s), an array, the integral ∫ R P dy.
    opens_at
        Smallest w at which anything leaves.
    """

    bracket: Callable[[Any, Array], Array]
    opens_at: float = 1.0


def total_cross_section(target: Target, beam_energy_keV: ArrayLike, threshold_energy: ArrayLike, way: Exit) -> Any:
    """Cross-section of a target for leaving by one exit, broadcast over energies and thresholds [barn]."""
    require_beam_energy(beam_energy_keV)
    require_positive("threshold energy", threshold_energy, "eV")
    kilovolts, thresholds = np.broadcast_arrays(number_or_array(beam_energy_keV), number_or_array(threshold_energy))
    n_parts = -(-kilovolts.size // N_AT_ONCE)
    parts = zip(np.array_split(kilovolts.ravel(), n_parts), np.array_split(thresholds.ravel(), n_parts), strict=True)
    totals = [_totals(target, energies, needed, way) for energies, needed in parts]
    barns = np.concatenate(totals).reshape(kilovolts.shape)
    return barns if barns.ndim else float(barns)


def _totals(target: Target, kilovolts: Array, thresholds: Array, way: Exit) -> Array:
    """Cross-sections of pairs of beam energy and threshold, shape (n,) [barn]."""
    atomic_number = element_data(target.element).atomic_number
    mass, fraction = np.array(target.nuclei).T
    # axes: the pairs, isotopes, velocities
    energies = kilovolts[:, None]
    largest = _per_mass(lambda m: max_transferred_energy(m, energies, kinematics=target.kinematics), mass)
    w = np.sqrt(largest / thresholds[:, None])
    form = scattering(target.model, atomic_number, kilovolts, n_axes=2)
    if target.velocity_variance > 0:
        v_max = _per_mass(lambda m: max_recoil_speed(m, energies), mass)
        brackets = _averaged(form, w, np.sqrt(target.velocity_variance * (mass @ fraction) / mass) / v_max, way)
    else:
        brackets = way.bracket(form, np.maximum(w, way.opens_at)[..., None])[..., 0]
    scale = prefactor_barn(atomic_number, np.asarray(electron_speed(kilovolts)))
    return np.asarray(np.maximum(scale * (brackets @ fraction), 0.0))


def scattering(model: Model, atomic_number: int, beam_energies_keV: Array, n_axes: int) -> Any:
    """What scatters: an object with ``ratio``, ``bracket`` and ``sphere_bracket`` over the beam energies given.

    Parameters
    ----------
    beam_energies_keV
        Shape (n,) [keV].
    n_axes
        Axes that the arguments of its methods have after that of the beam energies.
    """
    extra = tuple(range(1, 1 + n_axes))
    if model != "mott":
        return closed_form(model, atomic_number, np.expand_dims(np.asarray(electron_speed(beam_energies_keV)), extra))
    distinct, index = np.unique(beam_energies_keV, return_inverse=True)
    return mott_integral(atomic_number, distinct, np.expand_dims(index, extra))


def _averaged(form: Any, w: Array, spread: Array, way: Exit) -> Array:
    """Mean of the bracket over Gaussian velocities along the beam, shape of `w`."""
    nodes, weights = np.polynomial.legendre.leggauss(N_VELOCITIES)
    low = np.maximum((way.opens_at / w - 1) / spread, -VELOCITY_CUT)[..., None]
    high = np.sqrt(np.maximum(low, 0) ** 2 + VELOCITY_CUT**2)
    t = low + (high - low) / 2 * (1 + nodes)
    moving = np.maximum(w[..., None] * (1 + spread[..., None] * t), way.opens_at)
    integrand = np.exp(-(t**2) / 2) * way.bracket(form, moving)
    return np.asarray((integrand @ weights) * (high - low)[..., 0] / 2 / np.sqrt(2 * np.pi))


def _per_mass(function: Callable[[float], Any], masses: Array) -> Array:
    """Values of a kinematic function, shape (n_energies, n_masses)."""
    return np.concatenate([np.asarray(function(float(mass))) for mass in masses], axis=1)
