from .chemical_potential import (
    ChemicalPotentials,
    of_atoms,
    of_atoms_from_cohesive_energies,
    of_elements,
    of_rich_limit,
)
from .consistency import (
    OTHER_PHASE,
    REFERENCE_CRYSTAL,
    SAME_CELL,
    SAME_THEORY,
    require_comparable,
    require_energy,
)
from .free_energy import Phase, PhaseComparison, compare_phases
from .gap import GapMinimum, gap_minimum
from .neck import NeckPoint, NucleationFit, RawCriticalSize, fit_nucleation, neck_energy, raw_critical_size
from .phase_order import PhaseChange, phase_changes
from .phonon import ThermalProperties
from .vacancy import VacancyEnergy, formation_energy_per_atom, vacancy_energy

__all__ = [
    "OTHER_PHASE",
    "REFERENCE_CRYSTAL",
    "SAME_CELL",
    "SAME_THEORY",
    "ChemicalPotentials",
    "GapMinimum",
    "NeckPoint",
    "NucleationFit",
    "Phase",
    "PhaseChange",
    "PhaseComparison",
    "RawCriticalSize",
    "ThermalProperties",
    "VacancyEnergy",
    "compare_phases",
    "fit_nucleation",
    "formation_energy_per_atom",
    "gap_minimum",
    "neck_energy",
    "of_atoms",
    "of_atoms_from_cohesive_energies",
    "of_elements",
    "of_rich_limit",
    "phase_changes",
    "raw_critical_size",
    "require_comparable",
    "require_energy",
    "vacancy_energy",
]
