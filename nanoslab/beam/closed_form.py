"""McKinley-Feshbach and Rutherford: brackets in closed form, and totals without numpy.

Notes
-----
With x = T/E_max, y = 1/x and r = E_max/E_d every total is the prefactor

    π r_e² Z² (1 - β²)/β⁴     times the bracket     ∫_1^r R(y) P(y) dy,

R the ratio to Rutherford and P the chance to leave (1 above the threshold for spherical escape). Both models
are R = 1 + b sqrt(x) - B x: Rutherford has b = B = 0, McKinley and Feshbach (Phys. Rev. 74 (1948) 1759) have
b = π αZ β and B = β² + b. With w = sqrt(r):

    spherical        P = 1:                       (r - 1) - B ln r + 2 b (w - 1)
    sphere-averaged  P = (1 - sqrt(y/r))/2:       half of (w - 1)² (w + 2)/(3 w) - B [ln r - 2 (1 - 1/w)] + b (w - 1)²/w
    planar           T_min = sqrt(E_s E_max):     the spherical one with r replaced by sqrt(r)

Planar: an atom that leaves at δ from the beam through a surface across it needs T cos² δ >= E_s, and with
T = E_max cos² δ that is T² >= E_s E_max. Averaged over surfaces of every direction, an atom of energy T passes
those whose normal lies within arccos sqrt(E_s/T) of its path: the fraction (1 - sqrt(E_s/T))/2 of the sphere.
"""

from __future__ import annotations

from functools import cache
from math import cos, exp, log, pi, sqrt
from typing import Any, Literal, NamedTuple

from nanoslab.beam.constants import ELECTRON_DISC_BARN, FINE_STRUCTURE
from nanoslab.beam.kinematics import Kinematics, electron_speed, max_recoil_speed, max_transferred_energy

Model = Literal["mott", "mckinley-feshbach", "rutherford"]
Escape = Literal["spherical", "planar", "sphere-averaged"]

#: quadrature over the thermal velocities: nodes, and where the Gaussian is cut [standard deviations]
N_VELOCITIES = 48
VELOCITY_CUT = 9.0

#: thermal motion lowers the recoil speed that is needed by no more than this fraction: below it an atom would
#: evaporate without a beam
SLOWEST = 0.95


class ClosedForm(NamedTuple):
    """R = 1 + b sqrt(x) - B x; the fields are floats, or arrays over beam energies.

    Attributes
    ----------
    linear, root
        The coefficients B and b.
    """

    linear: Any
    root: Any

    def ratio(self, sine: Any) -> Any:
        """R at sqrt(x) = sin(θ/2)."""
        return 1 + self.root * sine - self.linear * sine * sine

    def bracket(self, w: Any, log_r: Any) -> Any:
        """∫_1^r R dy, from w = sqrt(r) and ln r."""
        return (w - 1) * (w + 1) - self.linear * log_r + 2 * self.root * (w - 1)

    def sphere_bracket(self, w: Any, log_r: Any) -> Any:
        """½ ∫_1^r R (1 - sqrt(y/r)) dy: the mean over facets of every direction."""
        rutherford = (w - 1) ** 2 * (w + 2) / (3 * w)
        return (rutherford - self.linear * (log_r - 2 * (1 - 1 / w)) + self.root * (w - 1) ** 2 / w) / 2


def closed_form(model: Model, atomic_number: int, beta: Any) -> ClosedForm:
    """Coefficients of a model for an element at a beam speed β."""
    if model == "rutherford":
        return ClosedForm(0.0 * beta, 0.0 * beta)
    root = pi * FINE_STRUCTURE * atomic_number * beta
    return ClosedForm(beta * beta + root, root)


def prefactor_barn(atomic_number: int, beta: Any) -> Any:
    """π r_e² Z² (1 - β²)/β⁴ [barn]."""
    return ELECTRON_DISC_BARN * atomic_number**2 * (1 - beta * beta) / beta**4


def escape_bracket(form: Any, w: Any, log_w: Any, escape: Escape) -> Any:
    """Bracket of a way to leave, from w = sqrt(E_max/E_s) >= 1 and its logarithm."""
    if escape == "planar":
        return form.bracket(w**0.5, log_w)
    if escape == "sphere-averaged":
        return form.sphere_bracket(w, 2 * log_w)
    return form.bracket(w, 2 * log_w)


def closed_form_cross_section(
    atomic_number: int,
    masses: tuple[tuple[float, float], ...],
    beam_energy_keV: float,
    threshold_energy: float,
    *,
    model: Model,
    escape: Escape,
    mass_times_velocity_variance: float,
    kinematics: Kinematics = "exact",
) -> float:
    """Total cross-section of one element at one beam energy, without numpy [barn].

    The array version, which also does Mott, is `displacement_cross_section`; they are tested against
    one another.

    Parameters
    ----------
    masses
        Pairs (mass [u], fraction).
    mass_times_velocity_variance
        M <v_z²> [u m²/s²], the same for all isotopes of a classical solid; 0 for a nucleus at rest.
    """
    beta = electron_speed(beam_energy_keV)
    form = closed_form(model, atomic_number, beta)
    total = 0.0
    for mass, fraction in masses:
        w = sqrt(max_transferred_energy(mass, beam_energy_keV, kinematics=kinematics) / threshold_energy)
        spread = sqrt(mass_times_velocity_variance / mass) / max_recoil_speed(mass, beam_energy_keV)
        total += fraction * _averaged(form, w, spread, escape)
    return float(prefactor_barn(atomic_number, beta) * total)


def _averaged(form: ClosedForm, w: float, spread: float, escape: Escape) -> float:
    """Mean of the bracket over the velocities of the nucleus; formula in `nanoslab.beam.totals`."""
    if spread == 0.0:
        return float(escape_bracket(form, w, log(w), escape)) if w > 1 else 0.0
    epsilon = spread * w
    low = max((1 - w) / epsilon, -VELOCITY_CUT)
    high = min(sqrt(max(low, 0.0) ** 2 + VELOCITY_CUT**2), SLOWEST / epsilon)
    half, total = max(high - low, 0.0) / 2, 0.0
    for node, weight in legendre_nodes(N_VELOCITIES):
        t = low + half * (1 + node)
        speed = 1 - epsilon * t
        moving = max(w / speed, 1.0)
        chance = max(1 - epsilon**2 / speed, 0.0) / speed if escape == "spherical" else 1.0
        total += weight * exp(-t * t / 2) * chance * escape_bracket(form, moving, log(moving), escape)
    return half * total / sqrt(2 * pi)


@cache
def legendre_nodes(n: int) -> tuple[tuple[float, float], ...]:
    """Nodes and weights of Gauss and Legendre on -1 to 1, by Newton's method."""
    pairs = []
    for i in range(n):
        node = cos(pi * (i + 0.75) / (n + 0.5))
        for _ in range(6):
            previous, value = 1.0, node
            for k in range(2, n + 1):
                previous, value = value, ((2 * k - 1) * node * value - (k - 1) * previous) / k
            slope = n * (node * value - previous) / (node * node - 1)
            node -= value / slope
        pairs.append((node, 2 / ((1 - node * node) * slope * slope)))
    return tuple(pairs)
