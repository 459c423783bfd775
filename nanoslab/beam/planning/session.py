"""A session at the microscope: from the beam to the dose, and from the dose to what knock-on takes, site by site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi
from typing import Any, NamedTuple

from nanoslab.beam.binding import threshold_interval
from nanoslab.beam.checks import require_beam_energy, require_positive
from nanoslab.beam.conditions import Conditions
from nanoslab.beam.constants import ELECTRON_CHARGE_C
from nanoslab.beam.dose import dose_budget, surviving_fraction
from nanoslab.beam.knockon import cross_section
from nanoslab.beam.planning.answer import KnockOnQuestion, elements_of_names, thresholds_of
from nanoslab.beam.tables.thresholds import published_thresholds
from nanoslab.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What the beam puts on the specimen.

    Attributes
    ----------
    dose_e_per_A2
        Electrons per area over the whole exposure [e/Å²].
    dose_rate_e_per_A2_s
        Where the beam is, while it is there [e/Å²/s]; None when only the dose is known.
    """

    dose_e_per_A2: float
    dose_rate_e_per_A2_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLoss:
    """What a dose takes of the atoms of one site that have a free way out.

    Attributes
    ----------
    element, site, source
        What, where, and where the threshold comes from.
    threshold_interval_eV
        Between which the threshold lies [eV].
    cross_sections_barn, lost
        Lowest (highest threshold, through a surface across the beam) and highest (lowest threshold, every direction):
        cross-section [barn] and fraction of the atoms that the dose takes.
    safe_dose_e_per_A2
        Dose that takes the allowed fraction at the highest cross-section [e/Å²].
    """

    element: str
    site: str
    source: str
    threshold_interval_eV: tuple[float, float]
    cross_sections_barn: tuple[float, float]
    lost: tuple[float, float]
    safe_dose_e_per_A2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPlan:
    """What to expect of an exposure by knock-on alone.

    Attributes
    ----------
    material, beam_energy_keV, exposure
        What was asked.
    sites
        One row per site.
    allowed_loss
        Fraction that may go.
    safe_beam_energy_keV, limiting_element
        Highest voltage at which the dose takes no more of any element [kV], and the element that limits it, None when
        none does.
    """

    material: str
    beam_energy_keV: float
    exposure: Exposure
    sites: tuple[SiteLoss, ...]
    allowed_loss: float
    safe_beam_energy_keV: float
    limiting_element: str | None

    @property
    def safe_dose_e_per_A2(self) -> float:
        """Dose that takes the allowed fraction of the weakest site at this voltage [e/Å²]; infinite if none goes."""
        return min(site.safe_dose_e_per_A2 for site in self.sites)

    @property
    def sentence(self) -> str:
        """The answer in words."""
        most: dict[str, float] = {}
        for site in self.sites:
            most[site.element] = max(most.get(site.element, 0.0), site.lost[1])
        losses = " and ".join(f"{_percent(loss)} of the {element}" for element, loss in most.items())
        safe = self.safe_dose_e_per_A2
        reach = f"is reached at {safe:.2g} e/Å² at the earliest" if safe < 1e12 else "is never reached"
        end = "at every voltage" if self.limiting_element is None else f"up to {self.safe_beam_energy_keV:.0f} kV"
        return (
            f"{self.exposure.dose_e_per_A2:.4g} e/Å² at {self.beam_energy_keV:g} kV: knock-on takes at most {losses}, "
            f"of atoms with a free way out; a loss of {100 * self.allowed_loss:g} % {reach}; "
            f"this dose stays below it {end}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON."""
        return {
            "material": self.material,
            "beam_energy_keV": self.beam_energy_keV,
            "dose_e_per_A2": self.exposure.dose_e_per_A2,
            "dose_rate_e_per_A2_s": self.exposure.dose_rate_e_per_A2_s,
            "allowed_loss": self.allowed_loss,
            "safe_dose_e_per_A2": self.safe_dose_e_per_A2,
            "safe_voltage": {
                "beam_energy_keV": self.safe_beam_energy_keV,
                "limiting_element": self.limiting_element,
            },
            "sites": [
                {
                    "element": site.element,
                    "site": site.site,
                    "threshold_source": site.source,
                    "threshold_interval_eV": list(site.threshold_interval_eV),
                    "cross_sections_barn": list(site.cross_sections_barn),
                    "lost": list(site.lost),
                    "safe_dose_e_per_A2": site.safe_dose_e_per_A2,
                }
                for site in self.sites
            ],
            "sentence": self.sentence,
        }


def broad_beam(current_A: float, area_A2: float, time_s: float) -> Exposure:
    """A beam that lies still on an area: I t/(e A).

    Parameters
    ----------
    current_A
        Beam current on the specimen [A].
    area_A2
        Area under it [Å²].
    time_s
        [s].

    Examples
    --------
    Ma et al. 2023 ex situ: 10 mA for 10 min are 6 C, 3.7e3 e/Å² even if all of it met one square centimetre.

    >>> round(broad_beam(10e-3, 1e16, 600.0).dose_e_per_A2)
    3745
    """
    require_positive("current", current_A, "A")
    require_positive("area", area_A2, "Å²")
    require_positive("time", time_s, "s")
    rate = current_A / ELECTRON_CHARGE_C / area_A2
    return Exposure(dose_e_per_A2=rate * time_s, dose_rate_e_per_A2_s=rate)


def scanned_beam(
    current_A: float, pixel_A: float, dwell_s: float, *, n_frames: int = 1, probe_A: float | None = None
) -> Exposure:
    """A probe that rests on every pixel of a scan: I t n/(e pixel²) everywhere.

    Parameters
    ----------
    current_A
        Probe current [A].
    pixel_A
        Edge of a pixel [Å].
    dwell_s
        Time on a pixel [s].
    n_frames
        Scans over the same place.
    probe_A
        Diameter of the probe [Å], for the dose rate within it; by default a pixel is taken to be filled.

    Examples
    --------
    >>> round(scanned_beam(50e-12, 0.2, 10e-6).dose_e_per_A2)
    78019
    """
    for name, value, unit in (("current", current_A, "A"), ("pixel", pixel_A, "Å"), ("dwell time", dwell_s, "s")):
        require_positive(name, value, unit)
    require_positive("number of frames", n_frames, "")
    per_second = current_A / ELECTRON_CHARGE_C
    if probe_A is not None:
        require_positive("probe", probe_A, "Å")
    spot = pixel_A**2 if probe_A is None else pi * probe_A**2 / 4
    return Exposure(dose_e_per_A2=per_second * dwell_s * n_frames / pixel_A**2, dose_rate_e_per_A2_s=per_second / spot)


def plan_session(
    material: str,
    beam_energy_keV: float,
    exposure: Exposure,
    *,
    thresholds: Mapping[str, float] | None = None,
    allowed_loss: float = 0.01,
    temperature: float | None = 300.0,
) -> SessionPlan:
    """What an exposure takes by knock-on, for every site that is known, and what would be safe.

    Parameters
    ----------
    material
        Formula or name.
    beam_energy_keV
        [keV].
    exposure
        From `broad_beam` or `scanned_beam`.
    thresholds
        Displacement thresholds by element [eV]; others come from the published table, or are estimated.
    allowed_loss
        Fraction of an element that may go.
    temperature
        Of classical thermal motion [K]; None for nuclei at rest.

    Examples
    --------
    >>> plan = plan_session("CdSe", 200, broad_beam(10e-3, 1e16, 600.0), thresholds={"Se": 5.12, "Cd": 8.0})
    >>> f"{100 * plan.sites[-1].lost[1]:.2f} % of the Se"
    '0.54 % of the Se'
    """
    from nanoslab.beam.planning.safe_energy import highest_safe_beam_energy
    from nanoslab.beam.planning.targets import targets_under

    require_beam_energy(beam_energy_keV)
    if not 0 < allowed_loss < 1:
        raise InputError("allowed loss", expected="a fraction between 0 and 1", got=allowed_loss, advice="1 % is 0.01")
    conditions = Conditions(temperature=temperature)
    intervals = site_intervals(material, thresholds or {})
    sites = []
    for element, site, source, interval in intervals:
        barns = (
            cross_section(element, beam_energy_keV, interval[1], conditions, "planar"),
            cross_section(element, beam_energy_keV, interval[0], conditions, "spherical"),
        )
        sites.append(
            SiteLoss(
                element=element,
                site=site,
                source=source,
                threshold_interval_eV=interval,
                cross_sections_barn=barns,
                lost=(_lost(barns[0], exposure), _lost(barns[1], exposure)),
                safe_dose_e_per_A2=dose_budget(barns[1], allowed_loss),
            )
        )
    lowest: dict[str, float] = {}
    for element, _, _, interval in intervals:
        lowest[element] = min(interval[0], lowest.get(element, interval[0]))
    targets = targets_under(conditions, lowest)
    safe = highest_safe_beam_energy(lowest, exposure.dose_e_per_A2, allowed_loss, targets=targets)
    return SessionPlan(
        material=material,
        beam_energy_keV=float(beam_energy_keV),
        exposure=exposure,
        sites=tuple(sites),
        allowed_loss=allowed_loss,
        safe_beam_energy_keV=safe.beam_energy_keV,
        limiting_element=safe.limiting_element,
    )


def _lost(barn: float, exposure: Exposure) -> float:
    return 1 - float(surviving_fraction(barn, exposure.dose_e_per_A2))


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2g} %" if fraction >= 1e-4 else "0.01 %"


class SiteInterval(NamedTuple):
    """A site and the interval in which its threshold lies [eV]."""

    element: str
    site: str
    source: str
    interval: tuple[float, float]


def site_intervals(material: str, thresholds: Mapping[str, float]) -> list[SiteInterval]:
    """Sites of a material: with the thresholds given, from the published table, or estimated.

    Examples
    --------
    >>> [round(site.interval[1], 2) for site in site_intervals("CdSe", {"Cd": 8.0})]
    [8.0, 7.45, 8.73, 8.98]
    """
    elements = elements_of_names([material])
    unknown = [element for element in thresholds if element not in elements]
    if unknown:
        raise InputError("threshold", expected=f"elements of {material}", got=", ".join(unknown))
    found = []
    for element, named in elements.items():
        rows = published_thresholds(named, element)
        if element in thresholds:
            given = (thresholds[element], thresholds[element])
            found.append(SiteInterval(element, "all", "displacement threshold, given", given))
        elif rows:
            for row in rows:
                high = threshold_interval(row.energy)[1] if row.kind == "removal" else row.energy
                found.append(SiteInterval(element, row.site, row.label, (row.energy, high)))
        else:
            those = thresholds_of(KnockOnQuestion(names=[material]), {element: named})[element]
            energies = [threshold.energy for threshold in those]
            found.append(SiteInterval(element, "surface", those[0].source, (min(energies), max(energies))))
    return found
