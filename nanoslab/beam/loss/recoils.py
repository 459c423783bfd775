"""In which direction, and with how much energy, the atoms fly off that a beam displaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr

from nanoslab.beam.checks import require_beam_energy, require_positive
from nanoslab.beam.closed_form import Escape
from nanoslab.beam.elements import element_data
from nanoslab.beam.kinematics import max_recoil_speed, max_transferred_energy
from nanoslab.beam.totals import Target, scattering
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: cosines between recoil and beam at which the distribution is tabulated
N_COSINES = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Recoils:
    """Recoils that reach a threshold.

    Attributes
    ----------
    cosines
        cos δ between recoil and beam, shape (n,).
    cumulative
        Chance that the cosine of a displaced atom is at most this, shape (n,); rises to 1.
    largest_energy
        E_max of the mean mass [eV]; a recoil has E_max cos² δ.
    """

    cosines: Array
    cumulative: Array
    largest_energy: float

    def draw(self, random: np.random.Generator) -> tuple[float, float]:
        """Cosine of one recoil to the beam, and its energy [eV]."""
        cosine = float(np.interp(random.random(), self.cumulative, self.cosines))
        return cosine, self.largest_energy * cosine**2


def recoils(
    target: Target, beam_energy_keV: float, threshold_energy: float, *, escape: Escape = "spherical"
) -> Recoils:
    """Distribution of the recoils that pass a threshold; the total is `total_cross_section`.

    Parameters
    ----------
    target
        What is hit. Of motion that differs between directions the mean over the directions is used.
    escape
        ``spherical`` or ``planar``.
    """
    require_beam_energy(beam_energy_keV)
    require_positive("threshold energy", threshold_energy, "eV")
    if escape == "sphere-averaged":
        raise InputError(
            "escape",
            expected="spherical or planar",
            got=escape,
            advice="a mean over surfaces of every direction has no meaning where the structure is known",
        )
    cosines = (np.arange(N_COSINES) + 0.5) / N_COSINES
    data = element_data(target.element)
    form = scattering(target.model, data.atomic_number, np.array([beam_energy_keV]), n_axes=1)
    flux = 2 * np.asarray(form.ratio(cosines[None, :]))[0] / cosines**3
    mean_mass = sum(mass * share for mass, share in target.nuclei)
    variance = target.velocity_variance if target.tensor is None else np.trace(target.tensor) / 3
    density = np.zeros(N_COSINES)
    for mass, share in target.nuclei:
        fastest = float(max_recoil_speed(mass, beam_energy_keV))
        largest = max_transferred_energy(mass, beam_energy_keV, kinematics=target.kinematics)
        speed = cosines * (largest / threshold_energy) ** 0.5
        spread = float(np.asarray(variance) * mean_mass / mass) ** 0.5 / fastest * (largest / threshold_energy) ** 0.5
        density += share * flux * chance_to_pass(speed * cosines if escape == "planar" else speed, spread, escape)
    if not density.any():  # nothing reaches the threshold: no recoil is ever drawn
        density[-1] = 1.0
    first = int(np.argmax(density > 1e-12 * density.max()))
    cumulative = np.cumsum(density[first:])
    return Recoils(
        cosines=cosines[first:],
        cumulative=cumulative / cumulative[-1],
        largest_energy=float(max_transferred_energy(mean_mass, beam_energy_keV)),
    )


def chance_to_pass(speed: Array, spread: Any, escape: Escape) -> Array:
    """Chance that a nucleus moving at random passes the threshold, with speeds over u₀; see `nanoslab.beam.totals`."""
    if not np.any(spread):
        return np.asarray(speed >= 1, dtype=float)
    slow, fast = (1 - speed) / spread, (1 + speed) / spread
    if escape == "planar":
        return np.asarray(ndtr(-slow))
    bells = np.exp(-(slow**2) / 2) - np.exp(-(fast**2) / 2)
    return np.asarray(ndtr(-slow) + ndtr(-fast) + spread / speed * bells / np.sqrt(2 * np.pi))
