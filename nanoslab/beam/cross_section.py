"""Displacement cross-sections: total, in energy, in angle, and with the cascade that follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from nanoslab.beam.checks import number_or_array, require_beam_energy, require_positive
from nanoslab.beam.closed_form import Escape, Model, escape_bracket, prefactor_barn
from nanoslab.beam.elements import element_data
from nanoslab.beam.kinematics import Kinematics, electron_speed, max_transferred_energy
from nanoslab.beam.totals import Exit, Masses, Target, scattering, total_cross_section
from nanoslab.errors import unknown_name

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

N_CASCADE_NODES = 64


def displacement_cross_section(
    element: str,
    beam_energy_keV: ArrayLike,
    threshold_energy: ArrayLike,
    *,
    model: Model = "mott",
    escape: Escape = "spherical",
    masses: Masses | float = "standard",
    velocity_variance: float | ArrayLike = 0.0,
    kinematics: Kinematics = "exact",
) -> Any:
    """Cross-section for removing an atom, zero below the threshold [barn].

    Parameters
    ----------
    element
        Chemical symbol.
    beam_energy_keV, threshold_energy
        Beam energies [keV] and energies needed to leave [eV]; numbers or arrays that broadcast.
    model
        ``mott`` (partial waves, 10 keV to 1.5 MeV), ``mckinley-feshbach``, ``rutherford``.
    escape
        ``spherical``: T >= E_s in any direction. ``planar``: T cos² δ >= E_s through a surface across the
        beam, so T >= sqrt(E_s E_max). ``sphere-averaged``: planar, averaged over surfaces of every direction.
    masses
        ``standard`` (one nucleus of the standard mass), ``isotopes`` (the natural ones summed), or
        one mass [u] for an enriched sample.
    velocity_variance
        <v²>/3, the mean square velocity per axis for the mean mass [m²/s²], 0 for nuclei at rest; or the tensor
        <v vᵀ>, shape (3, 3), with z along the beam. Isotopes have the same M <v vᵀ>, which is exact for a classical
        solid. All three dimensions count: spherical escape asks for the kinetic energy after the collision, the other
        two for the momentum along the normal of the surface.
    kinematics
        Formula of the largest transferred energy, see `max_transferred_energy`.

    Returns
    -------
    Float, or array of the broadcast shape [barn].

    Examples
    --------
    >>> round(displacement_cross_section("Se", 200, 2.25), 1)
    1163.9
    >>> displacement_cross_section("Se", 200, 6.8)  # at rest, mean mass
    0.0
    >>> round(displacement_cross_section("Se", 200, 6.8, masses="isotopes"), 2)
    0.83
    """
    target = Target(
        element=element, model=model, masses=masses, velocity_variance=velocity_variance, kinematics=kinematics
    )
    return total_cross_section(target, beam_energy_keV, threshold_energy, named_exit(escape))


def cascade_cross_section(
    element: str,
    beam_energy_keV: ArrayLike,
    threshold_energy: ArrayLike,
    *,
    model: Model = "mott",
    masses: Masses | float = "standard",
    velocity_variance: float | ArrayLike = 0.0,
) -> Any:
    """Cross-section times the number of atoms displaced in the bulk, after Kinchin and Pease [barn].

    One atom for E_d <= T < 2 E_d, T/(2 E_d) atoms above (Rep. Prog. Phys. 18 (1955) 1). Atoms at a surface leave
    without a cascade: use `displacement_cross_section`. The parameters are the same.

    Examples
    --------
    >>> round(cascade_cross_section("C", 200, 10, model="mckinley-feshbach"), 2)
    60.64
    """
    target = Target(element=element, model=model, masses=masses, velocity_variance=velocity_variance)
    return total_cross_section(target, beam_energy_keV, threshold_energy, Exit(bracket=_cascade_bracket))


def differential_cross_section(
    element: str, beam_energy_keV: ArrayLike, transferred_energy_eV: ArrayLike, *, model: Model = "mott"
) -> Any:
    """dσ/dT of a nucleus at rest of the standard mass, zero above E_max [barn/eV].

    Parameters
    ----------
    transferred_energy_eV
        Energy given to the nucleus [eV]; broadcasts with the beam energies.

    Examples
    --------
    >>> round(differential_cross_section("Se", 200, 5.0), 3)
    136.028
    """
    target = Target(element=element, model=model)
    require_beam_energy(beam_energy_keV)
    require_positive("transferred energy", transferred_energy_eV, "eV")
    kilovolts, energies = np.broadcast_arrays(number_or_array(beam_energy_keV), number_or_array(transferred_energy_eV))
    data = element_data(target.element)
    largest = np.asarray(max_transferred_energy(data.mass, kilovolts))
    form = scattering(model, data.atomic_number, kilovolts.ravel(), n_axes=0)
    sines = np.sqrt(np.minimum(energies / largest, 1))
    ratio = np.asarray(form.ratio(sines.ravel())).reshape(sines.shape)
    scale = prefactor_barn(data.atomic_number, np.asarray(electron_speed(kilovolts)))
    barns = np.where(energies <= largest, scale * ratio * largest / energies**2, 0.0)
    return barns if barns.ndim else float(barns)


def angular_cross_section(
    element: str, beam_energy_keV: ArrayLike, scattering_angle_deg: ArrayLike, *, model: Model = "mott"
) -> Any:
    """dσ/dΩ of the electron at a deflection θ above 0 [barn/sr].

    The Rutherford formula (αħc/(2 β p c))² Z² / sin⁴(θ/2), times R.

    Examples
    --------
    >>> round(angular_cross_section("Au", 300, 90.0), 1)
    983.2
    """
    target = Target(element=element, model=model)
    require_beam_energy(beam_energy_keV)
    require_positive("scattering angle", scattering_angle_deg, "degrees")
    kilovolts, angles = np.broadcast_arrays(number_or_array(beam_energy_keV), number_or_array(scattering_angle_deg))
    atomic_number = element_data(target.element).atomic_number
    sines = np.sin(np.radians(angles) / 2)
    ratio = np.asarray(scattering(model, atomic_number, kilovolts.ravel(), n_axes=0).ratio(sines.ravel()))
    # π r_e² (1-β²)/β⁴ is π times (αħc/(β p c))²
    scale = prefactor_barn(atomic_number, np.asarray(electron_speed(kilovolts))) / (4 * np.pi)
    barns = scale * ratio.reshape(sines.shape) / sines**4
    return barns if barns.ndim else float(barns)


def named_exit(escape: Escape) -> Exit:
    """Spherical, planar or sphere-averaged escape."""
    if escape not in get_args(Escape):
        raise unknown_name("escape", str(escape), get_args(Escape))

    def bracket(form: Any, w: Array) -> Array:
        return np.asarray(escape_bracket(form, w, np.log(w), escape))

    return Exit(bracket=bracket, normal=(0.0, 0.0, 1.0) if escape == "planar" else (), is_surface=escape != "spherical")


def _cascade_bracket(form: Any, w: Array) -> Array:
    """∫_1^r R max(1, r/(2y)) dy = ∫_1^r R dy + ∫_0^{ln(r/2)} R (r/2 - y) dτ with y = e^τ."""
    nodes, weights = np.polynomial.legendre.leggauss(N_CASCADE_NODES)
    plain = np.asarray(form.bracket(w, 2 * np.log(w)))
    end = np.maximum(np.log(w * w / 2), 0)
    secondary = np.zeros_like(plain)
    for node, weight in zip(nodes, weights, strict=True):
        tau = end * (1 + node) / 2
        secondary += weight * form.ratio(np.exp(-tau / 2)) * (w * w / 2 - np.exp(tau))
    return plain + np.where(end > 0, secondary * end / 2, 0.0)
