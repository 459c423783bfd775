"""The integral behind every total: nuclei of several masses, moving, leaving by some exit.

Notes
-----
A nucleus of velocity v that receives the momentum Mu flies off with v + u, where u = u_max cos δ in the direction δ
from the beam and u_max = 2p/M (`nanoslab.beam.kinematics.max_recoil_speed`). In a harmonic crystal v is Gaussian in
three dimensions at every temperature (`nanoslab.beam.vibration`). With the threshold speed u₀ = sqrt(2 E_s/M):

    spherical exit       leaves if |v + u| >= u₀, the kinetic energy after the collision,
    through a surface    leaves if n·(v + u) >= u₀, n the normal of the surface.

Both chances rise from 0 to 1 with u, and integrating by parts leaves the static bracket (`nanoslab.beam.closed_form`)
at the ratio u_max/u, averaged over u. For motion alike in all directions, s² its variance per axis, |v + u| is a
noncentral chi variable with three degrees of freedom, and with ũ = u/u₀ = 1 - εt, ε = s/u₀

    σ = prefactor ∫ e^{-t²/2}/sqrt(2π) g(ũ) bracket(u_max/(u₀ ũ)) dt,    g = (1 - ε²/ũ)/ũ (spherical), 1 (surface),

up to terms of e^{-2ũ/ε²}. The integral starts where the bracket leaves zero, so 48 Gauss-Legendre nodes hold 1e-8
relative, far below the static threshold too. Motion along the beam alone (Meyer et al., PRL 108 (2012) 196102) falls
short by 6 % to 55 % for Se; three dimensions after Chirita Mihaila et al., arXiv:2111.14498. Motion that differs
between directions: `nanoslab.beam.anisotropic_motion`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from nanoslab.beam.anisotropic_motion import anisotropic_bracket, as_tensor
from nanoslab.beam.checks import number_or_array, require_beam_energy, require_not_negative, require_positive
from nanoslab.beam.closed_form import N_VELOCITIES, SLOWEST, VELOCITY_CUT, Model, closed_form, prefactor_barn
from nanoslab.beam.elements import element_data
from nanoslab.beam.kinematics import Kinematics, electron_speed, max_recoil_speed, max_transferred_energy
from nanoslab.beam.mott_integral import mott_integral
from nanoslab.errors import InputError, unknown_name

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

#: ``standard`` one nucleus of the standard mass (what papers quote); ``isotopes`` summed over the natural ones
Masses = Literal["standard", "isotopes"]


#: pairs of beam energy and threshold computed together: with isotopes and velocities they take 400 numbers each, with
#: motion that differs between directions half a million
N_AT_ONCE, N_AT_ONCE_ANISOTROPIC = 4000, 4


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
        <v²>/3 per axis for the mean mass [m²/s²], 0 for nuclei at rest; or the tensor <v vᵀ>, three rows of three,
        with z along the beam.
    kinematics
        Formula of the largest transferred energy, see `max_transferred_energy`.
    """

    element: str
    model: Model = "mott"
    masses: Masses | float = "standard"
    velocity_variance: float | ArrayLike = 0.0
    kinematics: Kinematics = "exact"

    @property
    def nuclei(self) -> tuple[tuple[float, float], ...]:
        """Pairs (mass [u], fraction)."""
        if self.masses == "isotopes":
            return element_data(self.element).masses_and_abundances
        return ((element_data(self.element).mass if self.masses == "standard" else float(self.masses), 1.0),)

    @property
    def tensor(self) -> Array | None:
        """Motion that differs between directions, shape (3, 3) [m²/s²]; None when one number says it."""
        return as_tensor(self.velocity_variance) if np.ndim(self.velocity_variance) else None

    def __post_init__(self) -> None:
        if self.model not in get_args(Model):
            raise unknown_name("model", str(self.model), get_args(Model))
        if isinstance(self.masses, str) and self.masses not in get_args(Masses):
            raise unknown_name("masses", self.masses, get_args(Masses))
        if not isinstance(self.masses, str):
            require_positive("masses", self.masses, "u")
        if self.tensor is None:
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
    normal
        For a surface, whose normal momentum decides: its unit normal, z along the beam. Empty where the energy decides,
        and for the mean over surfaces of every direction.
    is_surface
        Whether a normal momentum decides.
    """

    bracket: Callable[[Any, Array], Array]
    opens_at: float = 1.0
    normal: tuple[float, ...] = ()
    is_surface: bool = False


def total_cross_section(target: Target, beam_energy_keV: ArrayLike, threshold_energy: ArrayLike, way: Exit) -> Any:
    """Cross-section of a target for leaving by one exit, broadcast over energies and thresholds [barn]."""
    require_beam_energy(beam_energy_keV)
    require_positive("threshold energy", threshold_energy, "eV")
    kilovolts, thresholds = np.broadcast_arrays(number_or_array(beam_energy_keV), number_or_array(threshold_energy))
    n_parts = -(-kilovolts.size // (N_AT_ONCE if target.tensor is None else N_AT_ONCE_ANISOTROPIC))
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
    if target.tensor is None and not target.velocity_variance:
        brackets = way.bracket(form, np.maximum(w, way.opens_at)[..., None])[..., 0]
    else:
        v_max = _per_mass(lambda m: max_recoil_speed(m, energies), mass)
        brackets = _moving_brackets(target, form, w, ((mass @ fraction) / mass) ** 0.5 / v_max, way)
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


def _moving_brackets(target: Target, form: Any, w: Array, per_speed: Array, way: Exit) -> Array:
    """Brackets averaged over the motion, shape of `w`; `per_speed` turns a speed [m/s] into one over u_max."""
    tensor = target.tensor
    if tensor is None:
        return _averaged(form, w, per_speed * float(np.asarray(target.velocity_variance)) ** 0.5 * w, way)
    if way.normal:
        normal = np.array(way.normal)
        return _averaged(form, w, per_speed * float(normal @ tensor @ normal) ** 0.5 * w, way)
    if way.is_surface:
        raise InputError(
            "velocity variance",
            expected="one number for sphere-averaged escape",
            got="a tensor",
            advice="give a third of its trace, or use facets_cross_section with the facets there are",
        )
    return anisotropic_bracket(form, w, tensor, per_speed * w, way.bracket)


def _averaged(form: Any, w: Array, epsilon: Array, way: Exit) -> Array:
    """Mean of the bracket over Gaussian velocities; ε = s/u₀ in the shape of `w`. Formula in the module's notes."""
    nodes, weights = np.polynomial.legendre.leggauss(N_VELOCITIES)
    epsilon = np.maximum(epsilon, 1e-12)
    low = np.maximum((1 - w / way.opens_at) / epsilon, -VELOCITY_CUT)[..., None]
    high = np.minimum(np.sqrt(np.maximum(low, 0) ** 2 + VELOCITY_CUT**2), SLOWEST / epsilon[..., None])
    width = np.maximum(high - low, 0)
    t = low + width / 2 * (1 + nodes)
    speed = 1 - epsilon[..., None] * t
    moving = np.maximum(w[..., None] / speed, way.opens_at)
    integrand = np.exp(-(t**2) / 2) * way.bracket(form, moving)
    if not way.is_surface:
        integrand *= np.maximum(1 - epsilon[..., None] ** 2 / speed, 0) / speed
    return np.asarray((integrand @ weights) * width[..., 0] / 2 / np.sqrt(2 * np.pi))


def _per_mass(function: Callable[[float], Any], masses: Array) -> Array:
    """Values of a kinematic function, shape (n_energies, n_masses)."""
    return np.concatenate([np.asarray(function(float(mass))) for mass in masses], axis=1)
