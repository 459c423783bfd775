"""What an electron can hand to a nucleus at rest: largest energy, threshold voltage, angles.

Plain arithmetic: floats and numpy arrays both work and nothing heavy is imported.

Notes
-----
Electron (rest mass m, kinetic energy E, momentum p) and nucleus (M, at rest), c = 1. The invariant
s = (E + m + M)² - p² = (M + m)² + 2 M E gives both the momentum p* = M p / sqrt(s) in the centre-of-mass
frame. The momentum handed over at the angle θ* there is q² = 2 p*² (1 - cos θ*), and as the nucleus was at
rest, q² (as a four-momentum squared) is exactly 2 M T. With p² = E (E + 2m):

    E_max = 2 M E (E + 2m) / [(M + m)² + 2 M E],        T = E_max sin²(θ*/2).

The nucleus leaves at δ = (π - θ*)/2 from the beam, so T = E_max cos² δ; seen from the laboratory the
angles differ by less than (E + m)/M, 1e-5 for the elements of interest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from nanoslab.beam.checks import (
    number_or_array,
    require_beam_energy,
    require_not_negative,
    require_positive,
    smallest_and_largest,
)
from nanoslab.beam.constants import ATOMIC_MASS_ENERGY_EV, ELECTRON_REST_ENERGY_EV, SPEED_OF_LIGHT_M_PER_S
from nanoslab.beam.elements import element_data, symbols
from nanoslab.errors import InputError, unknown_name

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

#: ``exact`` two bodies; ``static`` an infinitely heavy nucleus; the two rounded formulas of the literature by name
Kinematics = Literal["exact", "static", "egerton", "sigdis"]


def max_transferred_energy(atom: str | float, beam_energy_keV: ArrayLike, *, kinematics: Kinematics = "exact") -> Any:
    """Largest energy that one beam electron can hand to an atom at rest [eV].

    Parameters
    ----------
    atom
        Chemical symbol or atomic number, a whole number such as 34 (the standard mass is used); or a mass [u], a
        number with a point such as 79.917.
    beam_energy_keV
        Kinetic energy of the electrons [keV]; a number or an array.
    kinematics
        ``exact`` (two relativistic bodies), ``static`` (2E(E + 2mc²)/Mc²), ``egerton``
        (E0 (1.02 + E0/10⁶)/(465.7 A), Ultramicroscopy 110 (2010) 991) or ``sigdis``
        ((E0/A)(E0 + 1022)/465.7 with keV, Egerton's program of that name).

    Returns
    -------
    Float, or an array of the shape of the beam energies [eV].

    Examples
    --------
    >>> round(max_transferred_energy("Se", 200), 4)
    6.6447
    >>> max_transferred_energy(34, 200) == max_transferred_energy("Se", 200)
    True
    >>> round(max_transferred_energy("Se", 300), 2)  # Ma et al. 2023 print 10.81; no published formula gives it
    10.78
    """
    if kinematics not in get_args(Kinematics):
        raise unknown_name("kinematics", str(kinematics), get_args(Kinematics))
    require_beam_energy(beam_energy_keV)
    mass = mass_in_u(atom)
    kilovolts = number_or_array(beam_energy_keV)
    energy = 1e3 * kilovolts
    if kinematics == "egerton":
        return energy * (1.02 + energy / 1e6) / (465.7 * mass)
    if kinematics == "sigdis":
        return kilovolts / mass * (kilovolts + 1022) / 465.7
    electron, nucleus = ELECTRON_REST_ENERGY_EV, mass * ATOMIC_MASS_ENERGY_EV
    if kinematics == "static":
        return 2 * energy * (energy + 2 * electron) / nucleus
    return 2 * nucleus * energy * (energy + 2 * electron) / ((nucleus + electron) ** 2 + 2 * nucleus * energy)


def threshold_beam_energy(atom: str | float, threshold_energy: ArrayLike, *, kinematics: Kinematics = "exact") -> Any:
    """Beam energy at which the largest transferred energy reaches a threshold [keV].

    The inverse of `max_transferred_energy` with the same kinematics: the positive root of
    E² + 2 b E - c = 0 with b and c from the chosen formula (exact: b = mc² - E_d/2,
    c = E_d (M + m)² c²/(2M)), written as c/(b + sqrt(b² + c)) so that no digits cancel.

    Parameters
    ----------
    atom
        Chemical symbol or mass [u].
    threshold_energy
        Energy needed to remove the atom [eV]; a number or an array.

    Examples
    --------
    >>> round(threshold_beam_energy(12.0, 17), 2)
    85.78
    >>> round(max_transferred_energy("Se", threshold_beam_energy("Se", 5.12)), 9)
    5.12
    """
    if kinematics not in get_args(Kinematics):
        raise unknown_name("kinematics", str(kinematics), get_args(Kinematics))
    require_positive("threshold energy", threshold_energy, "eV")
    mass, threshold = mass_in_u(atom), number_or_array(threshold_energy)
    electron, nucleus = ELECTRON_REST_ENERGY_EV, mass * ATOMIC_MASS_ENERGY_EV
    if kinematics == "egerton":
        half, constant = 0.51e6, 465.7e6 * mass * threshold
    elif kinematics == "sigdis":
        half, constant = 0.511e6, 465.7e6 * mass * threshold
    elif kinematics == "static":
        half, constant = electron, nucleus * threshold / 2
    else:
        half, constant = electron - threshold / 2, threshold * (nucleus + electron) ** 2 / (2 * nucleus)
    return constant / (half + (half * half + constant) ** 0.5) / 1e3


def transferred_energy(atom: str | float, beam_energy_keV: ArrayLike, scattering_angle_deg: ArrayLike) -> Any:
    """Energy handed over when the electron is deflected by an angle, E_max sin²(θ/2) [eV].

    Parameters
    ----------
    scattering_angle_deg
        Deflection of the electron in the centre-of-mass frame, 0 to 180 [degrees].

    Examples
    --------
    >>> round(transferred_energy("Se", 200, 90), 4)
    3.3223
    """
    sine = _sine_of_degrees(number_or_array(_checked_angle("scattering angle", scattering_angle_deg, 180)) / 2)
    return max_transferred_energy(atom, beam_energy_keV) * sine * sine


def recoil_energy(atom: str | float, beam_energy_keV: ArrayLike, recoil_angle_deg: ArrayLike) -> Any:
    """Energy of an atom that leaves at an angle δ from the beam, E_max cos² δ [eV].

    Parameters
    ----------
    recoil_angle_deg
        Angle between the beam and the velocity of the atom, 0 to 90 [degrees].

    Examples
    --------
    >>> recoil_energy("Se", 200, 0) == max_transferred_energy("Se", 200)
    True
    """
    angle = number_or_array(_checked_angle("recoil angle", recoil_angle_deg, 90))
    cosine = _sine_of_degrees(90 - angle)
    return max_transferred_energy(atom, beam_energy_keV) * cosine * cosine


def recoil_angle_deg(scattering_angle_deg: ArrayLike) -> Any:
    """Direction of the atom for a deflection θ of the electron, δ = (180° - θ)/2 [degrees].

    Examples
    --------
    >>> recoil_angle_deg(180)
    0.0
    """
    return (180 - number_or_array(_checked_angle("scattering angle", scattering_angle_deg, 180))) / 2


def electron_speed(beam_energy_keV: ArrayLike) -> Any:
    """Speed of the beam electrons over the speed of light, β.

    Examples
    --------
    >>> round(electron_speed(200), 6)
    0.695314
    """
    require_beam_energy(beam_energy_keV)
    gamma = 1 + 1e3 * number_or_array(beam_energy_keV) / ELECTRON_REST_ENERGY_EV
    return ((gamma - 1) * (gamma + 1)) ** 0.5 / gamma


def max_recoil_speed(atom: str | float, beam_energy_keV: ArrayLike) -> Any:
    """Largest speed v_max = 2p/M that an electron gives a nucleus at rest [m/s].

    A nucleus that moves along the beam at v receives E_max (1 + v/v_max)²: to first order in v/c the
    momentum transfer stays 2p, so the energy handed over is (Mv + 2p)²/(2M), of which Mv²/2 was its own;
    what counts for leaving is the kinetic energy after the collision.

    Examples
    --------
    >>> round(max_recoil_speed("C", 100))
    17951
    """
    require_beam_energy(beam_energy_keV)
    energy = 1e3 * number_or_array(beam_energy_keV)
    momentum = (energy * (energy + 2 * ELECTRON_REST_ENERGY_EV)) ** 0.5
    return 2 * momentum / (mass_in_u(atom) * ATOMIC_MASS_ENERGY_EV) * SPEED_OF_LIGHT_M_PER_S


def mass_in_u(atom: str | float) -> float:
    """Standard mass of an element by symbol or atomic number (a whole number), or the mass given (a float) [u].

    Examples
    --------
    >>> mass_in_u("Cd"), mass_in_u(48), mass_in_u(12.0)
    (112.414, 112.414, 12.0)
    """
    if isinstance(atom, str):
        return element_data(atom).mass
    if hasattr(atom, "__index__"):  # int, and numpy's integers without numpy
        number, known = int(atom), symbols()
        if not 1 <= number <= len(known):
            raise InputError(
                "atom", expected=f"an atomic number from 1 to {len(known)}", got=number, advice=f"a mass is {number}.0"
            )
        return element_data(known[number - 1]).mass
    require_positive("atom", atom, "u", "give a symbol or a mass")
    return float(atom)


def _checked_angle(name: str, value: ArrayLike, largest: float) -> ArrayLike:
    require_not_negative(name, value, "degrees")
    if not smallest_and_largest(value)[1] <= largest:
        raise InputError(name, expected=f"0 to {largest:g} degrees", got=value)
    return value


def _sine_of_degrees(angle: Any) -> Any:
    if isinstance(angle, float):
        from math import radians, sin

        return sin(radians(angle))
    import numpy as np

    return np.sin(np.radians(angle))
