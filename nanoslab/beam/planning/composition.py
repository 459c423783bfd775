"""Which dose a measured composition needs, under which assumption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from nanoslab.beam.binding import threshold_interval
from nanoslab.beam.closed_form import Escape
from nanoslab.beam.cross_section import displacement_cross_section
from nanoslab.beam.dose import dose_for_composition
from nanoslab.beam.vibration import classical_velocity_variance


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositionDose:
    """One set of assumptions and the dose that follows.

    Attributes
    ----------
    beam_energy_keV, threshold_energy, escape
        [keV], [eV], and the way out.
    cross_section_barn
        Of the element that is lost, Mott, natural isotopes [barn].
    dose_e_per_A2
        Where the composition is reached [e/Å²]; infinite if never.
    """

    beam_energy_keV: float
    threshold_energy: float
    escape: Escape
    cross_section_barn: float
    dose_e_per_A2: float

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON."""
        return {
            "beam_energy_keV": self.beam_energy_keV,
            "threshold_energy_eV": self.threshold_energy,
            "escape": self.escape,
            "cross_section_barn": self.cross_section_barn,
            "dose_e_per_A2": self.dose_e_per_A2,
        }


def composition_doses(
    lost: str,
    ratio: float,
    removal_energy: float,
    beam_energies_keV: Sequence[float],
    *,
    temperature: float = 300.0,
    escapes: Sequence[Escape] = ("spherical", "planar"),
) -> tuple[CompositionDose, ...]:
    """Doses at which an element falls to a fraction of the other, over the assumptions that are open.

    Those are the threshold, between the energy to take the atom to vacuum and 5/3 of it, and the way out. All atoms
    of the element are equal, the other element stays, nothing but knock-on acts.

    Parameters
    ----------
    lost
        Element that leaves.
    ratio
        What is left of it per atom of the other, such as 0.8.
    removal_energy
        Energy to take an atom to vacuum, E_rem [eV].
    beam_energies_keV
        [keV].
    temperature
        Of the classical thermal motion [K].

    Examples
    --------
    Ma et al. 2023 read Cd:Se = 1:0.8 off EDS and give 5.12 eV for Se. With that as the threshold itself, knock-on
    at 200 kV explains it after some 2e5 e/Å² if every atom has a free way out; with 5/3 of it not within any real
    dose at 200 kV, and at 300 kV after 5e5 (spherical) to 1e6 (planar):

    >>> for row in composition_doses("Se", 0.8, 5.12, [200, 300]):
    ...     print(f"{row.beam_energy_keV:g} kV, {row.threshold_energy:.2f} eV, {row.escape}: {row.dose_e_per_A2:.1e}")
    200 kV, 5.12 eV, spherical: 1.5e+05
    200 kV, 5.12 eV, planar: 3.7e+05
    200 kV, 8.53 eV, spherical: 1.0e+09
    200 kV, 8.53 eV, planar: 2.5e+09
    300 kV, 5.12 eV, spherical: 7.9e+04
    300 kV, 5.12 eV, planar: 2.4e+05
    300 kV, 8.53 eV, spherical: 4.4e+05
    300 kV, 8.53 eV, planar: 1.1e+06
    """
    variance = classical_velocity_variance(lost, temperature)
    rows = []
    for kv, threshold, escape in product(beam_energies_keV, threshold_interval(removal_energy), escapes):
        barns = displacement_cross_section(
            lost, kv, threshold, escape=escape, masses="isotopes", velocity_variance=variance
        )
        rows.append(
            CompositionDose(
                beam_energy_keV=float(kv),
                threshold_energy=threshold,
                escape=escape,
                cross_section_barn=barns,
                dose_e_per_A2=dose_for_composition(0.0, barns, ratio),
            )
        )
    return tuple(rows)
