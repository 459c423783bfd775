"""The inverse question: how high a voltage a material bears."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq

from nanoslab.beam.closed_form import Escape
from nanoslab.beam.cross_section import named_exit
from nanoslab.beam.dose import allowed_cross_section
from nanoslab.beam.mott import HIGHEST_MOTT_KEV, LOWEST_MOTT_KEV
from nanoslab.beam.totals import Target, total_cross_section
from nanoslab.beam.vibration import natural_target
from nanoslab.errors import InputError

#: beam energies looked at before the crossing is refined
N_SCAN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeBeamEnergy:
    """Highest beam energy below which a dose takes no more than allowed.

    Attributes
    ----------
    beam_energy_keV
        [keV]; the end of the range looked at when nothing limits, 0 when even its start is too much.
    limiting_element
        The element that is lost first, None when nothing limits up to 1500 keV.
    allowed_cross_section_barn
        What the dose and the allowed loss permit [barn].
    """

    beam_energy_keV: float
    limiting_element: str | None
    allowed_cross_section_barn: float


def highest_safe_beam_energy(
    threshold_energies: Mapping[str, float],
    dose_e_per_A2: float,
    allowed_loss: float,
    *,
    escape: Escape = "spherical",
    temperature: float | None = 300.0,
    targets: Mapping[str, Target] | None = None,
) -> SafeBeamEnergy:
    """Highest beam energy, from 10 keV up, at which no element loses more than a fraction to a dose.

    Cross-sections rise from threshold, so the first crossing is sought; beyond it the range is not called safe
    even where a cross-section should fall again.

    Parameters
    ----------
    threshold_energies
        For each element of the material the energy to leave [eV].
    dose_e_per_A2
        Dose of the whole experiment [e/Å²].
    allowed_loss
        Fraction of the atoms of an element that may go, between 0 and 1.
    temperature
        Of classical thermal motion [K], as in the command; None for nuclei at rest.
    targets
        For each element how it scatters and moves, instead; by default Mott with the natural isotopes.

    Examples
    --------
    >>> safe = highest_safe_beam_energy({"Cd": 4.0, "Se": 5.12}, 1e6, 0.01)
    >>> round(safe.beam_energy_keV, 1), safe.limiting_element
    (130.4, 'Se')
    """
    if not threshold_energies:
        raise InputError("threshold energies", expected="one element or more", got="none")
    allowed = allowed_cross_section(dose_e_per_A2, allowed_loss)
    best: tuple[float, str | None] = (HIGHEST_MOTT_KEV, None)
    for symbol, threshold in threshold_energies.items():
        target = (targets or {}).get(symbol) or natural_target(symbol, temperature)
        crossing = _first_crossing(replace(target, element=symbol), threshold, allowed, escape)
        if crossing < best[0]:
            best = (crossing, symbol)
    return SafeBeamEnergy(beam_energy_keV=best[0], limiting_element=best[1], allowed_cross_section_barn=allowed)


def _first_crossing(target: Target, threshold: float, allowed: float, escape: Escape) -> float:
    way = named_exit(escape)
    energies = np.geomspace(LOWEST_MOTT_KEV, HIGHEST_MOTT_KEV, N_SCAN)
    above = np.flatnonzero(total_cross_section(target, energies, threshold, way) > allowed)
    if not above.size:
        return HIGHEST_MOTT_KEV
    if above[0] == 0:
        return 0.0

    def excess(beam_energy: float) -> float:
        return float(total_cross_section(target, float(beam_energy), threshold, way)) - allowed

    return float(brentq(excess, energies[above[0] - 1], energies[above[0]], xtol=1e-6))
