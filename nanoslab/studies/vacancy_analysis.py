"""From the results of a vacancy study's calculations to its answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nanoslab.beam import element_data, max_transferred_energy
from nanoslab.build.ledger import unwrapped_heights
from nanoslab.calculation import Calculation, CalculationResult
from nanoslab.energetics.chemical_potential import (
    ChemicalPotentials,
    of_atoms,
    of_atoms_from_cohesive_energies,
    of_elements,
    of_rich_limit,
)
from nanoslab.energetics.consistency import (
    REFERENCE_CRYSTAL,
    SAME_CELL,
    SAME_THEORY,
    Rule,
    require_comparable,
    require_energy,
)
from nanoslab.energetics.vacancy import formation_energy_per_atom, vacancy_energy
from nanoslab.errors import MismatchError
from nanoslab.studies.vacancy_result import BeamRow, SheetRow, VacancyRow, VacancyStudyResult

if TYPE_CHECKING:
    from nanoslab.studies.vacancy_study import VacancyStudy


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """What the user allows that is refused otherwise."""

    unconverged: bool = False
    mismatch: bool = False


@dataclass(slots=True)
class _Runs:
    """Results by name; remembers which were missing and which were refused, and why."""

    results: Mapping[str, CalculationResult]
    permissions: Permissions
    missing: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def usable(
        self, calculation: Calculation, against: CalculationResult | None, rules: tuple[Rule, ...]
    ) -> tuple[CalculationResult, tuple[str, ...]] | None:
        """Result with the differences that were allowed, or None after noting why not."""
        result = self.results.get(calculation.name)
        if result is None or not result.found:
            self.missing.append((calculation.name, "; ".join(result.problems) if result else "not run yet"))
            return None
        try:
            require_energy(result, allow_unconverged=self.permissions.unconverged)
            if against is None:
                return result, ()
            return result, require_comparable(result, against, rules, allow_mismatch=self.permissions.mismatch)
        except MismatchError as error:
            self.refused.append((calculation.name, str(error)))
            return None


def analyze(
    study: VacancyStudy, results: Mapping[str, CalculationResult], permissions: Permissions
) -> VacancyStudyResult:
    """Answer of the study; see `VacancyStudyResult`.

    Every run is compared with the pristine sheet whose energy it is subtracted from; references are compared
    with the first pristine sheet.
    """
    runs = _Runs(results, permissions)
    calculations = study.calculations()
    pristine = {
        str(calculation.tags["phase"]): (calculation, usable[0])
        for calculation in calculations
        if calculation.role == "pristine" and (usable := runs.usable(calculation, None, ()))
    }
    first = next(iter(pristine.values()))[1] if pristine else None
    potentials = _potentials(study, calculations, runs, first)
    vacancies = _vacancies(calculations, runs, pristine, potentials)
    return VacancyStudyResult(
        title=study.title,
        level_of_theory="; ".join(dict.fromkeys(result.level_of_theory for _, result in pristine.values())),
        sheets=tuple(_sheet(calculation, result, potentials) for calculation, result in pristine.values()),
        vacancies=vacancies,
        potentials=potentials,
        beam=_beam(study, calculations, vacancies),
        refused=tuple(runs.refused),
        missing=tuple(runs.missing),
    )


def _potentials(
    study: VacancyStudy,
    calculations: tuple[Calculation, ...],
    runs: _Runs,
    sheet: CalculationResult | None,
) -> dict[str, ChemicalPotentials]:
    energies: dict[str, dict[str, tuple[float, str]]] = {"element": {}, "atom": {}}
    for role, rules in (("element", REFERENCE_CRYSTAL), ("atom", SAME_THEORY)):
        for calculation in calculations:
            if calculation.role == role and (usable := runs.usable(calculation, sheet, rules)):
                energy = require_energy(usable[0], allow_unconverged=True) / len(calculation.atoms)
                energies[role][str(calculation.tags["element"])] = (energy, calculation.name)
    elements = of_elements(energies["element"])
    atoms = of_atoms(energies["atom"])
    if not atoms.values:
        atoms = of_atoms_from_cohesive_energies(elements, _cohesive_energies(study, elements))
    potentials = {mu.name: mu for mu in (atoms, elements) if mu.values}
    for calculation in calculations:
        if calculation.role == "bulk" and (usable := runs.usable(calculation, sheet, REFERENCE_CRYSTAL)):
            potentials |= _limits(elements, calculation, usable[0], potentials)
    return potentials


def _limits(
    elements: ChemicalPotentials,
    bulk: Calculation,
    result: CalculationResult,
    known: Mapping[str, ChemicalPotentials],
) -> dict[str, ChemicalPotentials]:
    """Both limits of a bulk compound; of several phases the most stable one sets them."""
    counts = Counter(bulk.atoms.get_chemical_symbols())
    energy = require_energy(result, allow_unconverged=True)
    limits = {}
    for rich in counts:
        if rich not in elements.values:
            continue
        limit = of_rich_limit(rich, elements, counts, energy)
        best = known.get(limit.name)
        if best is None or sum(limit.values.values()) < sum(best.values.values()):
            limits[limit.name] = limit
    return limits


def _cohesive_energies(study: VacancyStudy, elements: ChemicalPotentials) -> dict[str, tuple[float, str]]:
    """Given in the study file, or measured ones of the elements."""
    given = study.references.cohesive_energies
    energies = {}
    for element in elements.values:
        if element in given:
            energies[element] = (given[element].energy, given[element].source)
        elif (measured := element_data(element).sublimation_energy) is not None:
            energies[element] = (measured, "measured sublimation energy, 0 K")
    return energies


def _vacancies(
    calculations: tuple[Calculation, ...],
    runs: _Runs,
    pristine: Mapping[str, tuple[Calculation, CalculationResult]],
    potentials: Mapping[str, ChemicalPotentials],
) -> tuple[VacancyRow, ...]:
    rows = []
    for calculation in calculations:
        if calculation.role != "vacancy":
            continue
        parent = pristine.get(str(calculation.tags["phase"]))
        usable = runs.usable(calculation, parent[1] if parent else None, SAME_CELL)
        if parent and usable:
            rows.append(_vacancy(calculation, usable, parent, potentials))
        elif usable:
            runs.refused.append((calculation.name, f"no usable result of its pristine sheet {calculation.starts_from}"))
    return tuple(rows)


def _vacancy(
    calculation: Calculation,
    usable: tuple[CalculationResult, tuple[str, ...]],
    parent: tuple[Calculation, CalculationResult],
    potentials: Mapping[str, ChemicalPotentials],
) -> VacancyRow:
    result, differences = usable
    whole, whole_result = parent
    counts = Counter(calculation.atoms.get_chemical_symbols())
    whole_energy = require_energy(whole_result, allow_unconverged=True)
    cation, anion = _cation_and_anion(whole)
    return VacancyRow(
        label=str(calculation.tags["label"]),
        phase=str(calculation.tags["phase"]),
        series=tuple(calculation.tags["series"]),
        calculation=calculation.name,
        cation_to_anion=counts[cation] / counts[anion] if counts[anion] else float("inf"),
        pristine_energy_per_atom=whole_energy / len(whole.atoms),
        energy=vacancy_energy(
            defect_energy=require_energy(result, allow_unconverged=True),
            defect_counts=counts,
            pristine_energy=whole_energy,
            pristine_counts=Counter(whole.atoms.get_chemical_symbols()),
            potentials=potentials,
        ),
        degeneracy=int(calculation.tags["degeneracy"]),
        converged=result.converged and whole_result.converged,
        notes=(*(f"{calculation.name}: {text}" for text in (*result.problems, *differences)),),
    )


def _sheet(
    calculation: Calculation, result: CalculationResult, potentials: Mapping[str, ChemicalPotentials]
) -> SheetRow:
    counts = Counter(calculation.atoms.get_chemical_symbols())
    energy = require_energy(result, allow_unconverged=True)
    elements = potentials.get("element")
    return SheetRow(
        phase=str(calculation.tags["phase"]),
        calculation=calculation.name,
        counts=dict(counts),
        energy_per_atom=energy / len(calculation.atoms),
        formation_energy_per_atom=formation_energy_per_atom(energy, counts, elements.values) if elements else None,
        thickness=float(np.ptp(unwrapped_heights(result.atoms if result.atoms is not None else calculation.atoms)[0])),
        converged=result.converged,
    )


def _beam(
    study: VacancyStudy, calculations: tuple[Calculation, ...], vacancies: tuple[VacancyRow, ...]
) -> tuple[BeamRow, ...]:
    elements = dict.fromkeys(
        element
        for calculation in calculations
        if calculation.role == "pristine"
        for element in calculation.atoms.get_chemical_symbols()
    )
    return tuple(
        BeamRow(
            element=element,
            beam_energy_keV=energy,
            max_transferred_energy=max_transferred_energy(element, energy),
            removal_energies=_removal_energies(element, vacancies),
        )
        for energy in study.beam.energies_keV
        for element in elements
    )


def _removal_energies(element: str, vacancies: tuple[VacancyRow, ...]) -> dict[str, float]:
    lowest: dict[str, float] = {}
    for row in vacancies:
        if dict(row.energy.removed) == {element: 1} and "atom" in row.energy.formation_energies:
            cost = row.energy.formation_energies["atom"]
            lowest[row.phase] = min(cost, lowest.get(row.phase, cost))
    return lowest


def _cation_and_anion(calculation: Calculation) -> tuple[str, str]:
    """The builders group by species, cations first."""
    cation, anion = dict.fromkeys(calculation.atoms.get_chemical_symbols())
    return cation, anion
