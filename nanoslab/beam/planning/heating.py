"""How warm the beam makes a specimen: an estimate.

Notes
-----
Electrons lose energy to those of the specimen, S = -dE/dz. Bethe's formula for collisions, as in ICRU Report 37 (1984),
with τ = E/mc² and the mean excitation energy I of the atoms:

    S = 2π r_e² mc² n_e/β² [ln(τ²(τ + 2)/(2 (I/mc²)²)) + 1 - β² + (τ²/8 - (2τ + 1) ln 2)/(τ + 1)²].

All of it is taken to become heat where it is lost. In a thin film that conducts it to a sink at the distance R₀, the
middle of a Gaussian beam of diameter d (the 1/e width) warms by (Egerton, Li and Malac, Micron 35 (2004) 399)

    ΔT = I_beam S (0.58 + 2 ln(2R₀/d))/(4π κ);

the thickness drops out. An upper bound where X-rays, secondary electrons and radiation carry energy away; far too low
where the specimen touches its support badly.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log, pi

from nanoslab.beam.checks import require_positive
from nanoslab.beam.constants import (
    ATOMIC_MASS_KG,
    CLASSICAL_ELECTRON_RADIUS_M,
    ELECTRON_CHARGE_C,
    ELECTRON_REST_ENERGY_EV,
)
from nanoslab.beam.elements import element_data
from nanoslab.beam.kinematics import electron_speed
from nanoslab.errors import InputError

#: Euler's constant, as the source rounds it
GAUSSIAN = 0.58


def stopping_power(composition: Mapping[str, float], density_g_per_cm3: float, beam_energy_keV: float) -> float:
    """Energy that an electron loses by collisions with electrons [eV/Å].

    Parameters
    ----------
    composition
        Atoms of each element in the formula unit.
    density_g_per_cm3
        [g/cm³].
    beam_energy_keV
        [keV].

    Examples
    --------
    >>> round(stopping_power({"H": 2, "O": 1}, 1.0, 200), 4)  # NIST ESTAR: 2.793 MeV cm²/g, 0.0279 eV/Å
    0.0283
    """
    require_positive("density", density_g_per_cm3, "g/cm³")
    tau, beta = 1e3 * beam_energy_keV / ELECTRON_REST_ENERGY_EV, float(electron_speed(beam_energy_keV))
    mass = sum(n * element_data(symbol).mass for symbol, n in composition.items())
    charge = sum(n * element_data(symbol).atomic_number for symbol, n in composition.items())
    log_excitation = (
        sum(n * element_data(s).atomic_number * log(mean_excitation_energy(s)) for s, n in composition.items()) / charge
    )
    ratio = exp(log_excitation) / ELECTRON_REST_ENERGY_EV
    bracket = log(tau**2 * (tau + 2) / (2 * ratio**2)) + 1 - beta**2
    bracket += (tau**2 / 8 - (2 * tau + 1) * log(2)) / (tau + 1) ** 2
    electrons_per_m3 = 1e3 * density_g_per_cm3 / (mass * ATOMIC_MASS_KG) * charge
    per_metre = 2 * pi * CLASSICAL_ELECTRON_RADIUS_M**2 * ELECTRON_REST_ENERGY_EV * electrons_per_m3 / beta**2
    return per_metre * bracket * 1e-10


def mean_excitation_energy(symbol: str) -> float:
    """Mean excitation energy of an atom [eV]: 11.5 Z below Z = 13, 9.76 Z + 58.8 Z^-0.19 from there on.

    The fit of Berger and Seltzer as given by Goldstein et al., Scanning Electron Microscopy and X-Ray Microanalysis;
    19.2 eV for H.

    Examples
    --------
    >>> round(mean_excitation_energy("Au"))
    797
    """
    z = element_data(symbol).atomic_number
    if z == 1:
        return 19.2
    return 11.5 * z if z < 13 else 9.76 * z + 58.8 * z**-0.19


def beam_heating(
    current_A: float,
    stopping_eV_per_A: float,
    *,
    beam_diameter_A: float,
    sink_distance_A: float,
    conductivity_W_per_m_K: float,
) -> float:
    """Rise of the temperature in the middle of the beam on a thin film [K].

    Parameters
    ----------
    current_A
        Beam current [A].
    stopping_eV_per_A
        From `stopping_power` [eV/Å].
    beam_diameter_A, sink_distance_A
        1/e width of the beam, and distance to where the film is held at temperature [Å].
    conductivity_W_per_m_K
        Thermal conductivity of the film [W/m/K].

    Examples
    --------
    >>> from nanoslab.beam.planning.heating import stopping_power
    >>> loss = stopping_power({"Cd": 1, "Se": 1}, 5.8, 200)
    >>> size = {"beam_diameter_A": 1e3, "sink_distance_A": 1e5, "conductivity_W_per_m_K": 9.0}
    >>> round(beam_heating(1e-9, loss, **size), 2)  # 1 nA in 100 nm
    0.1
    """
    require_positive("current", current_A, "A")
    require_positive("stopping power", stopping_eV_per_A, "eV/Å")
    require_positive("thermal conductivity", conductivity_W_per_m_K, "W/m/K")
    if not 0 < beam_diameter_A < 2 * sink_distance_A:
        raise InputError(
            "beam diameter", expected="above 0 and within the distance to the heat sink", got=f"{beam_diameter_A:g} Å"
        )
    watts_per_metre = current_A / ELECTRON_CHARGE_C * stopping_eV_per_A * ELECTRON_CHARGE_C * 1e10
    return (
        watts_per_metre
        * (GAUSSIAN + 2 * log(2 * sink_distance_A / beam_diameter_A))
        / (4 * pi * conductivity_W_per_m_K)
    )
