"""The answer of a vacancy study: formation energies, energies per atom against Cd:Se, the beam beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nanoslab.energetics.chemical_potential import ChemicalPotentials
from nanoslab.energetics.phase_order import PhaseChange, phase_changes
from nanoslab.energetics.vacancy import VacancyEnergy
from nanoslab.measure.diffraction import SheetReflection
from nanoslab.measure.sheet import InPlaneStrain, SheetMetrics
from nanoslab.studies.result import StudyResult, Table, record
from nanoslab.studies.vacancies.tables import vacancy_tables


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """One pristine sheet: its energy per atom [eV] and its energy of formation from the elements [eV per atom]."""

    phase: str
    calculation: str
    counts: Mapping[str, int]
    energy_per_atom: float
    formation_energy_per_atom: float | None
    metrics: SheetMetrics
    converged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InPlaneRow:
    """One sheet relaxed with its in-plane lattice free; its phase and label are those of the sheet it starts from."""

    phase: str
    label: str
    calculation: str
    removed: Mapping[str, int]  #: element -> atoms that sheet has lost
    cation_to_anion: float
    strain: InPlaneStrain  #: of the plane against the lattice the sheet was built with, the bulk's
    stress_kbar: float | None  #: largest left in the plane, on the sheet's thickness; None where the run tells none
    #: energy of the sheet in the bulk's lattice less that in its own [eV]; where the former held a layer fixed, what
    #: that layer gains is part of it. None where the former is missing or not comparable.
    energy_gain: float | None
    reflections: tuple[SheetReflection, ...]  #: what it shows along its normal
    built_spacings: tuple[float, ...]  #: of the same reflections as built [Å]
    metrics: SheetMetrics


@dataclass(frozen=True, slots=True, kw_only=True)
class CrystalRow:
    """One relaxed reference crystal: edges of its conventional cell [Å] and its energy [eV per atom]."""

    crystal: str
    calculation: str
    lattice_constants: tuple[float, float, float]
    energy_per_atom: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VacancyRow:
    """One structure that lost atoms: its place in the study, its energy, and where it goes on from another, the step's.

    `after` is the label of that other; the step is against it, the energy against the whole sheet.
    """

    label: str
    phase: str
    series: tuple[str, ...]
    calculation: str
    cation_to_anion: float
    pristine_energy_per_atom: float
    pristine_formation_energy_per_atom: float | None
    energy: VacancyEnergy
    metrics: SheetMetrics
    degeneracy: int
    converged: bool
    notes: tuple[str, ...] = ()
    after: str | None = None
    step: VacancyEnergy | None = None

    @property
    def energy_per_atom_change_meV(self) -> float:
        """Energy per atom less that of the pristine sheet [meV]."""
        return 1000 * (self.energy.energy_per_atom - self.pristine_energy_per_atom)

    @property
    def formation_energy_per_atom_change_meV(self) -> float | None:
        """Energy of formation per atom less that of the pristine sheet [meV]; None without elements as reference."""
        own, whole = self.energy.formation_energy_per_atom, self.pristine_formation_energy_per_atom
        return None if own is None or whole is None else 1000 * (own - whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class BeamRow:
    """Largest energy that electrons of one beam energy hand to an atom, and phase -> what the loosest costs [eV]."""

    element: str
    beam_energy_keV: float
    max_transferred_energy: float
    removal_energies: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class VacancyStudyResult(StudyResult):
    """Everything a vacancy study says, in the order of the study; chemical potentials by name, as far as known."""

    sheets: tuple[SheetRow, ...]
    vacancies: tuple[VacancyRow, ...]
    in_plane: tuple[InPlaneRow, ...]
    crystals: tuple[CrystalRow, ...]
    potentials: Mapping[str, ChemicalPotentials]
    beam: tuple[BeamRow, ...]

    def slope_per_removed_meV(self, phase: str, element: str) -> float | None:
        """Change of the energy per atom for each atom of `element` lost [meV]: a line through the pristine sheet.

        The lowest energy at each number of lost atoms counts: configurations above it would convert.
        """
        lowest: dict[int, float] = {}
        for row in self.vacancies:
            if row.phase == phase and set(row.energy.removed) == {element}:
                n, change = row.energy.n_removed, row.energy_per_atom_change_meV
                lowest[n] = min(change, lowest.get(n, change))
        if not lowest:
            return None
        lost, changes = np.array(list(lowest)), np.array(list(lowest.values()))
        return float(lost @ changes / (lost @ lost))

    @property
    def phase_changes(self) -> tuple[PhaseChange, ...]:
        """Compositions at which another phase becomes the most stable; empty without elements as reference."""
        curves: dict[str, list[tuple[float, float]]] = {}
        for sheet in self.sheets:
            counts = list(sheet.counts.values())
            if sheet.formation_energy_per_atom is not None and len(counts) == 2:
                curves[sheet.phase] = [(counts[1] / counts[0], sheet.formation_energy_per_atom)]
        for row in self.vacancies:
            energy = row.energy.formation_energy_per_atom
            if row.phase in curves and energy is not None and row.cation_to_anion:
                curves[row.phase].append((1 / row.cation_to_anion, energy))
        return phase_changes(curves)

    def tables(self) -> tuple[Table, ...]:
        """Vacancies, sheets, structures, crystals and beam."""
        return vacancy_tables(self.document(), self.level_of_theory)

    def document(self) -> dict[str, Any]:
        """Return the numbers; the keys carry their units."""
        return {
            "sheets": [_sheet(row) for row in self.sheets],
            "vacancies": [_vacancy(row) for row in self.vacancies],
            "lateral": [_in_plane(row) for row in self.in_plane],
            "crystals": [
                record(row, lattice_constants="lattice_constants_A", energy_per_atom="energy_per_atom_eV")
                for row in self.crystals
            ],
            "chemical_potentials": {
                name: {
                    element: {"energy_eV": value, "source": mu.sources[element]} for element, value in mu.values.items()
                }
                for name, mu in self.potentials.items()
            },
            "slope_per_removed_meV_per_atom": {
                row.phase: {element: self.slope_per_removed_meV(row.phase, element) for element in row.counts}
                for row in self.sheets
            },
            "phase_changes": [record(change) for change in self.phase_changes],
            "beam": [
                record(row, max_transferred_energy="max_transferred_energy_eV", removal_energies="removal_energy_eV")
                for row in self.beam
            ],
        }


def _sheet(row: SheetRow) -> dict[str, Any]:
    per_atom = {key: f"{key}_eV" for key in ("energy_per_atom", "formation_energy_per_atom")}
    structure = _structure(row.metrics)
    return {**record(row, **per_atom, metrics=None), "thickness_A": row.metrics.thickness, "structure": structure}


def _vacancy(row: VacancyRow) -> dict[str, Any]:
    energy = row.energy
    return {
        **{"label": row.label, "phase": row.phase, "series": list(row.series), "calculation": row.calculation},
        **{"n_removed": energy.n_removed, "removed": dict(energy.removed)},
        **{"degeneracy": row.degeneracy, "cation_to_anion": row.cation_to_anion},
        "formation_energy_eV": dict(energy.formation_energies),
        "after": row.after,
        "step_formation_energy_eV": dict(row.step.formation_energies) if row.step else None,
        "energy_difference_eV": energy.energy_difference,
        "energy_per_atom_eV": energy.energy_per_atom,
        "energy_per_atom_change_meV": row.energy_per_atom_change_meV,
        "formation_energy_per_atom_eV": energy.formation_energy_per_atom,
        "formation_energy_per_atom_change_meV": row.formation_energy_per_atom_change_meV,
        "structure": _structure(row.metrics),
        "converged": row.converged,
        "notes": list(row.notes),
    }


def _in_plane(row: InPlaneRow) -> dict[str, Any]:
    left_out = dict.fromkeys(("strain", "reflections", "built_spacings", "metrics"))
    return {
        **record(row, **left_out, energy_gain="energy_gain_eV"),
        "principal_strains": row.strain.principal.tolist(),
        "area_strain": row.strain.area,
        "thickness_A": row.metrics.thickness,
        "reflections": [
            {**record(reflection, spacing="spacing_A"), "built_spacing_A": built}
            for reflection, built in zip(row.reflections, row.built_spacings, strict=True)
        ],
    }


def _structure(metrics: SheetMetrics) -> dict[str, Any]:
    return {
        "thickness_A": metrics.thickness,
        "top_tilt_degrees": metrics.top_tilt_degrees,
        "bottom_tilt_degrees": metrics.bottom_tilt_degrees,
        "stacking": metrics.mean_eclipsed_bonds(),
        "top_stacking": metrics.mean_eclipsed_bonds(metrics.planes[-1].indices),
        "wurtzite_fraction": metrics.environments.fraction("wurtzite"),
        "zinc_blende_fraction": metrics.environments.fraction("zinc blende"),
    }
