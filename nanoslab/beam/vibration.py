"""Mean square velocity of an atom along the beam: classical and Debye, without numpy.

Notes
-----
In a harmonic crystal the velocity of an atom is a sum of independent oscillators and therefore Gaussian at any
temperature. A mode of frequency ω has the mean energy ε = (ħω/2) coth(ħω/2kT), half of it kinetic. With the
eigenvectors e normalised to 1 over the crystal, M <v_z²> of one atom is the average of ε over the modes, each
weighted by |e_z|² of that atom:

    <v_z²> = (1/M) ∫ g_z(ω) (ħω/2) coth(ħω/2kT) dω,    ∫ g_z dω = 1.

For high T that is kT/M, whatever the modes. For T = 0 it is <ħω>/(2M): zero-point motion. Each of three axes has
its own; <v_z²> is <v²>/3 only in a cubic environment.
"""

from __future__ import annotations

from math import expm1
from typing import TYPE_CHECKING

from nanoslab.beam.checks import require_not_negative, require_positive
from nanoslab.beam.closed_form import legendre_nodes
from nanoslab.beam.constants import ATOMIC_MASS_ENERGY_EV, BOLTZMANN_EV_PER_K, SPEED_OF_LIGHT_M_PER_S
from nanoslab.beam.kinematics import mass_in_u

if TYPE_CHECKING:
    from nanoslab.beam.totals import Target

#: 1 eV/u in m²/s²
EV_PER_U_M2_S2 = SPEED_OF_LIGHT_M_PER_S**2 / ATOMIC_MASS_ENERGY_EV


def classical_velocity_variance(atom: str | float, temperature: float) -> float:
    """<v_z²> = kT/M of a classical atom [m²/s²]; a lower bound at every temperature.

    Parameters
    ----------
    atom
        Chemical symbol or mass [u].
    temperature
        [K].

    Examples
    --------
    >>> round(classical_velocity_variance("Se", 300))
    31586
    """
    require_not_negative("temperature", temperature, "K")
    return BOLTZMANN_EV_PER_K * temperature / mass_in_u(atom) * EV_PER_U_M2_S2


def debye_velocity_variance(atom: str | float, debye_temperature: float, temperature: float) -> float:
    """<v_z²> of a Debye solid, zero-point motion included [m²/s²].

    With g(ω) = 3ω²/ω_D³ up to ħω_D = kθ and (1/2) coth(x/2) = 1/2 + 1/(e^x - 1), the average of the module's notes
    is, with x = ħω/kT,

        M <v_z²> = (3/8) kθ + 3 kT (T/θ)³ ∫_0^{θ/T} x³/(e^x - 1) dx.

    Parameters
    ----------
    atom
        Chemical symbol or mass [u].
    debye_temperature
        θ [K].
    temperature
        [K]; 0 leaves the zero-point motion.

    Examples
    --------
    >>> round(debye_velocity_variance("Se", 181, 300))
    32158
    >>> round(debye_velocity_variance(12.0, 1287, 0))
    334397
    """
    require_positive("Debye temperature", debye_temperature, "K")
    require_not_negative("temperature", temperature, "K")
    thermal = 0.0
    if temperature > 0:
        ratio = debye_temperature / temperature
        thermal = 3 * temperature * _debye_integral(ratio) / ratio**3
    mean_energy = BOLTZMANN_EV_PER_K * (3 * debye_temperature / 8 + thermal)
    return mean_energy / mass_in_u(atom) * EV_PER_U_M2_S2


def natural_target(symbol: str, temperature: float | None = 300.0) -> Target:
    """What the commands compute with: Mott, natural isotopes, classical motion at a temperature [K], None for rest.

    Examples
    --------
    >>> natural_target("Se").masses
    'isotopes'
    """
    from nanoslab.beam.totals import Target  # numpy, which the rest of this module does without

    variance = 0.0 if temperature is None else classical_velocity_variance(symbol, temperature)
    return Target(element=symbol, masses="isotopes", velocity_variance=variance)


def _debye_integral(end: float) -> float:
    """∫_0^end x³/(e^x - 1) dx; beyond 60 the rest is below rounding."""
    half = min(end, 60.0) / 2
    nodes = ((half * (1 + node), weight) for node, weight in legendre_nodes(64))
    return half * sum(weight * x**3 / expm1(x) for x, weight in nodes)
