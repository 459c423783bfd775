"""Escape through surfaces that are not across the beam: one tilt, or the facets of a crystal.

Notes
-----
The normal of a facet, pointing out of the crystal, makes the angle τ with the direction in which the electrons
fly: 0 on the exit face, 90° on a side, beyond 90° on faces turned to the gun. An atom that leaves at δ from the
beam and azimuth φ, with T = E_max cos² δ, has the normal energy T cos² γ,

    cos γ = cos δ cos τ + sin δ sin τ cos φ > 0,

and passes when cos δ cos γ >= g = sqrt(E_s/E_max). At φ = 0 that reads cos(2δ - τ) >= 2g - cos τ, so with
ω = arccos(2g - cos τ) nothing leaves beyond δ = (τ + ω)/2 nor, if τ > ω, before (τ - ω)/2; every azimuth passes
up to (ω - τ)/2; between, the fraction arccos[(g/cos δ - cos δ cos τ)/(sin δ sin τ)]/π does. The largest normal
energy is E_max cos⁴(τ/2). The fraction rises from its ends like a square root; δ = m - h cos ψ makes it smooth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nanoslab.beam.checks import require_not_negative, require_positive, smallest_and_largest, unit_vector
from nanoslab.beam.closed_form import Model
from nanoslab.beam.totals import Exit, Masses, Target, total_cross_section
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

N_ANGLES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """One face of a crystal.

    Attributes
    ----------
    normal
        Cartesian vector out of the crystal, any length.
    area
        Area [Å²], or any unit that all facets share.
    """

    normal: tuple[float, float, float]
    area: float


def tilted_cross_section(
    element: str,
    beam_energy_keV: ArrayLike,
    surface_energy: ArrayLike,
    tilt_deg: float,
    *,
    model: Model = "mott",
    masses: Masses | float = "standard",
    velocity_variance: float | ArrayLike = 0.0,
) -> Any:
    """Cross-section for leaving through a tilted surface [barn].

    Parameters
    ----------
    surface_energy
        Normal energy needed, E_s [eV].
    tilt_deg
        Angle between the flight of the electrons and the outward normal, 0 to 180 [degrees].

    Other parameters are those of `displacement_cross_section`; of a tensor x is the side to which the surface leans.

    Examples
    --------
    >>> round(tilted_cross_section("Se", 200, 2.25, 60, model="mckinley-feshbach"), 2)
    208.08
    """
    require_not_negative("tilt", tilt_deg, "degrees")
    if smallest_and_largest(tilt_deg)[1] > 180:
        raise InputError("tilt", expected="0 to 180 degrees", got=tilt_deg)
    target = Target(element=element, model=model, masses=masses, velocity_variance=velocity_variance)
    tilt = float(np.radians(tilt_deg))
    normal = np.array([np.sin(tilt), 0.0, np.cos(tilt)])
    return total_cross_section(target, beam_energy_keV, surface_energy, _tilted_exit(tilt, normal))


def facets_cross_section(
    element: str,
    beam_energy_keV: ArrayLike,
    surface_energy: ArrayLike,
    facets: Sequence[Facet],
    *,
    beam_direction: tuple[float, float, float] = (0.0, 0.0, -1.0),
    model: Model = "mott",
    masses: Masses | float = "standard",
    velocity_variance: float | ArrayLike = 0.0,
) -> Any:
    """Mean cross-section over the facets of a crystal, weighted by their areas [barn].

    Parameters
    ----------
    facets
        Normals and areas.
    beam_direction
        Cartesian flight of the electrons, any length.

    Other parameters are those of `displacement_cross_section`; a tensor has the axes of the normals.

    Examples
    --------
    >>> normals = [(0, 0, 1), (0, 0, -1), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)]
    >>> cube = [Facet(normal=normal, area=1.0) for normal in normals]
    >>> round(facets_cross_section("Se", 200, 2.25, cube, model="mckinley-feshbach"), 2)  # one face of six loses
    53.14
    """
    if not facets:
        raise InputError("facets", expected="one facet or more", got="none")
    beam = unit_vector("beam direction", beam_direction)
    target = Target(element=element, model=model, masses=masses, velocity_variance=velocity_variance)
    total, area = 0.0, 0.0
    for facet in facets:
        require_positive("facet area", facet.area, "Å²")
        normal = unit_vector("facet normal", facet.normal)
        way = _tilted_exit(float(np.arccos(np.clip(normal @ beam, -1, 1))), normal)
        total += facet.area * total_cross_section(target, beam_energy_keV, surface_energy, way)
        area += facet.area
    return total / area


def _tilted_exit(tilt: float, normal: Array) -> Exit:
    def bracket(form: Any, w: Array) -> Array:
        return _tilted_bracket(form, w, tilt)

    # cos²(τ/2) is 0 at 180°, where nothing leaves at any energy
    opens_at = min(1 / max(float(np.cos(tilt / 2)) ** 2, 1e-12), 1e12)
    return Exit(bracket=bracket, opens_at=opens_at, normal=tuple(normal.tolist()), is_surface=True)


def _tilted_bracket(form: Any, w: Array, tilt: float) -> Array:
    omega = np.arccos(np.clip(2 / w - np.cos(tilt), -1, 1))
    whole = np.maximum(omega - tilt, 0) / 2
    near, far = np.abs(omega - tilt) / 2, (omega + tilt) / 2
    widest = 1 / np.cos(whole)
    total = np.asarray(form.bracket(widest, 2 * np.log(widest)))
    nodes, weights = np.polynomial.legendre.leggauss(N_ANGLES)
    half = (far - near) / 2
    for node, weight in zip(nodes, weights, strict=True):
        psi = np.pi * (1 + node) / 2
        delta = near + half * (1 - np.cos(psi))
        cosine, sine = np.cos(delta), np.sin(delta)
        with np.errstate(divide="ignore", invalid="ignore"):
            passing = (1 / (w * cosine) - cosine * np.cos(tilt)) / (sine * np.sin(tilt))
        fraction = np.arccos(np.clip(np.nan_to_num(passing, nan=1.0), -1, 1)) / np.pi
        step = np.pi / 2 * weight * half * np.sin(psi)
        total = total + step * fraction * 2 * form.ratio(cosine) * sine / cosine**3
    return total
