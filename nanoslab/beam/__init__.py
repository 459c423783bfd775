"""What the electron beam does to an atom: energies, cross-sections, vibrations, escape, dose.

Names are imported when they are asked for, so that kinematics alone stays free of numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_MODULES = {
    "kinematics": (
        "max_transferred_energy",
        "threshold_beam_energy",
        "transferred_energy",
        "recoil_energy",
        "recoil_angle_deg",
        "electron_speed",
        "max_recoil_speed",
    ),
    "elements": ("element_data", "elements_of_formula", "Element", "Isotope"),
    "mott": ("mott_ratio",),
    "cross_section": (
        "displacement_cross_section",
        "cascade_cross_section",
        "differential_cross_section",
        "angular_cross_section",
    ),
    "facets": ("Facet", "tilted_cross_section", "facets_cross_section"),
    "totals": ("Target",),
    "vibration": ("classical_velocity_variance", "debye_velocity_variance", "natural_target"),
    "phonon_vibration": (
        "dos_velocity_variance",
        "velocity_tensors",
        "phonopy_velocity_covariance",
        "velocity_variance_along",
    ),
    "binding": (
        "sublimation_energy",
        "sublimation_energies",
        "threshold_interval",
        "mean_atomisation_energy",
        "bond_counting_energy",
        "surface_binding_energies",
    ),
    "dose": (
        "dose_rate_from_current_density",
        "displacement_rate",
        "lifetime",
        "dose_per_event",
        "surviving_fraction",
        "dose_budget",
        "dose_for_composition",
    ),
    "planning.composition": ("CompositionDose", "composition_doses"),
    "etching": (
        "Etching",
        "etch",
        "etch_by_coordination",
        "site_cross_sections",
        "coordination_cross_sections",
    ),
    "loss.sites": ("SiteEnergy", "SiteThresholds", "site_thresholds", "bond_counting_thresholds", "layers_along"),
    "loss.site_etching": ("SiteEtching", "etch_sites"),
    "tables.thresholds": ("PublishedThreshold", "published_thresholds", "lowest_threshold"),
    "conditions": ("Conditions", "Threshold"),
    "knockon": ("default_thresholds",),
    "planning.answer": ("KnockOnQuestion", "knockon_answer"),
    "planning.session": ("Exposure", "SessionPlan", "broad_beam", "scanned_beam", "plan_session"),
    "planning.heating": ("stopping_power", "beam_heating"),
    "planning.mechanisms": ("Explanation", "explain_loss", "explanation_map"),
    "excitation": (
        "Excitation",
        "ExcitationFit",
        "MeasuredCrossSection",
        "MOS2_SULPHUR",
        "fit_excitation",
        "ionisation_assisted_cross_section",
    ),
    "safe_energy": ("SafeBeamEnergy", "highest_safe_beam_energy"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_MODULE_OF)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULE_OF])
