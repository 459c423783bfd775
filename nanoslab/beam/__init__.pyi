from .binding import (
    bond_counting_energy,
    mean_atomisation_energy,
    sublimation_energies,
    sublimation_energy,
    surface_binding_energies,
    threshold_interval,
)
from .conditions import Conditions, Threshold
from .cross_section import (
    angular_cross_section,
    cascade_cross_section,
    differential_cross_section,
    displacement_cross_section,
)
from .displacement.cross_section import DirectionalThreshold, directional_cross_section
from .displacement.directions import hemisphere
from .displacement.flight import Flight, Following, follow
from .displacement.search import FoundThreshold, Search, bisect_threshold, scan_threshold
from .dose import (
    displacement_rate,
    dose_budget,
    dose_for_composition,
    dose_per_event,
    dose_rate_from_current_density,
    lifetime,
    surviving_fraction,
)
from .elements import Element, Isotope, element_data, elements_of_formula
from .excitation import (
    Excitation,
    ExcitationFit,
    fit_excitation,
    ionisation_assisted_cross_section,
)
from .facets import Facet, facets_cross_section, tilted_cross_section
from .kinematics import (
    electron_speed,
    max_recoil_speed,
    max_transferred_energy,
    recoil_angle_deg,
    recoil_energy,
    threshold_beam_energy,
    transferred_energy,
)
from .knockon import default_thresholds
from .loss.etching import Etching, coordination_cross_sections, etch, etch_by_coordination, site_cross_sections
from .loss.site_etching import Irradiation, SiteEtching, etch_sites
from .loss.sites import SiteEnergy, SiteThresholds, bond_counting_thresholds, layers_along, site_thresholds
from .mott import mott_ratio
from .phonon_vibration import (
    dos_velocity_variance,
    phonopy_velocity_covariance,
    velocity_tensors,
    velocity_variance_along,
)
from .planning.answer import KnockOnQuestion, knockon_answer
from .planning.composition import CompositionDose, composition_doses
from .planning.heating import beam_heating, stopping_power
from .planning.mechanisms import Explanation, explain_loss, explanation_map
from .planning.safe_energy import SafeBeamEnergy, highest_safe_beam_energy
from .planning.session import Exposure, SessionPlan, broad_beam, plan_session, scanned_beam
from .tables.measured import MeasuredCrossSection, measured_cross_sections
from .tables.thresholds import PublishedThreshold, lowest_threshold, published_thresholds
from .totals import Target
from .vibration import classical_velocity_variance, debye_velocity_variance, natural_target

__all__ = [
    "CompositionDose",
    "Conditions",
    "DirectionalThreshold",
    "Element",
    "Etching",
    "Excitation",
    "ExcitationFit",
    "Explanation",
    "Exposure",
    "Facet",
    "Flight",
    "Following",
    "FoundThreshold",
    "Irradiation",
    "Isotope",
    "KnockOnQuestion",
    "MeasuredCrossSection",
    "PublishedThreshold",
    "SafeBeamEnergy",
    "Search",
    "SessionPlan",
    "SiteEnergy",
    "SiteEtching",
    "SiteThresholds",
    "Target",
    "Threshold",
    "angular_cross_section",
    "beam_heating",
    "bisect_threshold",
    "bond_counting_energy",
    "bond_counting_thresholds",
    "broad_beam",
    "cascade_cross_section",
    "classical_velocity_variance",
    "composition_doses",
    "coordination_cross_sections",
    "debye_velocity_variance",
    "default_thresholds",
    "differential_cross_section",
    "directional_cross_section",
    "displacement_cross_section",
    "displacement_rate",
    "dos_velocity_variance",
    "dose_budget",
    "dose_for_composition",
    "dose_per_event",
    "dose_rate_from_current_density",
    "electron_speed",
    "element_data",
    "elements_of_formula",
    "etch",
    "etch_by_coordination",
    "etch_sites",
    "explain_loss",
    "explanation_map",
    "facets_cross_section",
    "fit_excitation",
    "follow",
    "hemisphere",
    "highest_safe_beam_energy",
    "ionisation_assisted_cross_section",
    "knockon_answer",
    "layers_along",
    "lifetime",
    "lowest_threshold",
    "max_recoil_speed",
    "max_transferred_energy",
    "mean_atomisation_energy",
    "measured_cross_sections",
    "mott_ratio",
    "natural_target",
    "phonopy_velocity_covariance",
    "plan_session",
    "published_thresholds",
    "recoil_angle_deg",
    "recoil_energy",
    "scan_threshold",
    "scanned_beam",
    "site_cross_sections",
    "site_thresholds",
    "stopping_power",
    "sublimation_energies",
    "sublimation_energy",
    "surface_binding_energies",
    "surviving_fraction",
    "threshold_beam_energy",
    "threshold_interval",
    "tilted_cross_section",
    "transferred_energy",
    "velocity_tensors",
    "velocity_variance_along",
]
