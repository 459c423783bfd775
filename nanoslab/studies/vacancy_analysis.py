"""From the results of a vacancy study's calculations to its answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from nanoslab.beam import element_data, max_transferred_energy
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
)
from nanoslab.energetics.vacancy import formation_energy_per_atom, vacancy_energy
from nanoslab.measure.sheet import SheetMetrics, measure_sheet
from nanoslab.studies.lateral_analysis import lateral_rows
from nanoslab.studies.usable import UsableResults
from nanoslab.studies.vacancy_file import VacancyFile
from nanoslab.studies.vacancy_result import BeamRow, CrystalRow, SheetRow, VacancyRow, VacancyStudyResult
from nanoslab.symmetry import standard_cell


def analyze(study: VacancyFile, calculations: tuple[Calculation, ...], usable: UsableResults) -> VacancyStudyResult:
    """Answer of the study; see `VacancyStudyResult`.

    Every run is compared with the pristine sheet whose energy it is subtracted from; references are compared
    with the first pristine sheet.
    """
    pristine = {}
    for calculation in calculations:
        if calculation.role.kind == "pristine" and (found := usable.get(calculation)):
            result, energy, _ = found
            pristine[str(calculation.tags["phase"])] = _Pristine(calculation, result, energy)
    first = next(iter(pristine.values())).result if pristine else None
    potentials = _potentials(study, calculations, usable, first)
    vacancies = _vacancies(calculations, usable, pristine, potentials)
    return VacancyStudyResult(
        title=study.title,
        level_of_theory="; ".join(dict.fromkeys(sheet.result.level_of_theory for sheet in pristine.values())),
        sheets=tuple(_sheet(sheet, potentials) for sheet in pristine.values()),
        vacancies=vacancies,
        lateral=lateral_rows(calculations, usable),
        crystals=_crystals(calculations, usable),
        potentials=potentials,
        beam=_beam(study, calculations, vacancies),
        refused=tuple(usable.refused),
        missing=tuple(usable.missing),
    )


class _Pristine(NamedTuple):
    """A whole sheet that atoms are removed from."""

    calculation: Calculation
    result: CalculationResult
    energy: float


def _potentials(
    study: VacancyFile,
    calculations: tuple[Calculation, ...],
    usable: UsableResults,
    sheet: CalculationResult | None,
) -> dict[str, ChemicalPotentials]:
    energies: dict[str, dict[str, tuple[float, str]]] = {"element": {}, "atom": {}}
    for role, rules in (("element", REFERENCE_CRYSTAL), ("atom", SAME_THEORY)):
        for calculation in calculations:
            if calculation.role.kind == role and (found := usable.get(calculation, sheet, rules)):
                per_atom = found[1] / len(calculation.atoms)
                energies[role][str(calculation.tags["element"])] = (per_atom, calculation.name)
    elements = of_elements(energies["element"])
    atoms = of_atoms(energies["atom"])
    if not atoms.values:
        atoms = of_atoms_from_cohesive_energies(elements, _cohesive_energies(study, elements))
    potentials = {mu.name: mu for mu in (atoms, elements) if mu.values}
    for calculation in calculations:
        if calculation.role.kind == "bulk" and (found := usable.get(calculation, sheet, REFERENCE_CRYSTAL)):
            potentials |= _limits(elements, calculation, found[1], potentials)
    return potentials


def _limits(
    elements: ChemicalPotentials, bulk: Calculation, energy: float, known: Mapping[str, ChemicalPotentials]
) -> dict[str, ChemicalPotentials]:
    """Both limits of a bulk compound; of several phases the most stable one sets them."""
    counts = Counter(bulk.atoms.get_chemical_symbols())
    limits = {}
    for rich in counts:
        if rich not in elements.values:
            continue
        limit = of_rich_limit(rich, elements, counts, energy)
        best = known.get(limit.name)
        if best is None or sum(limit.values.values()) < sum(best.values.values()):
            limits[limit.name] = limit
    return limits


def _cohesive_energies(study: VacancyFile, elements: ChemicalPotentials) -> dict[str, tuple[float, str]]:
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
    usable: UsableResults,
    pristine: Mapping[str, _Pristine],
    potentials: Mapping[str, ChemicalPotentials],
) -> tuple[VacancyRow, ...]:
    rows = []
    for calculation in calculations:
        if calculation.role.kind != "vacancy":
            continue
        sheet = pristine.get(str(calculation.tags["phase"]))
        found = usable.get(calculation, sheet.result if sheet else None, SAME_CELL)
        if found and sheet:
            rows.append(_vacancy(calculation, found, sheet, potentials))
        elif found:
            reason = f"no usable result of its pristine sheet {calculation.starts_from}"
            usable.refused.append((calculation.name, reason))
    return tuple(rows)


def _vacancy(
    calculation: Calculation,
    found: tuple[CalculationResult, float, tuple[str, ...]],
    sheet: _Pristine,
    potentials: Mapping[str, ChemicalPotentials],
) -> VacancyRow:
    result, energy, differences = found
    counts = Counter(calculation.atoms.get_chemical_symbols())
    whole = sheet.calculation.atoms
    cation, anion = dict.fromkeys(whole.get_chemical_symbols())  # grouped by species, cations first
    return VacancyRow(
        label=str(calculation.tags["label"]),
        phase=str(calculation.tags["phase"]),
        series=tuple(calculation.tags["series"]),
        calculation=calculation.name,
        cation_to_anion=counts[cation] / counts[anion] if counts[anion] else float("inf"),
        pristine_energy_per_atom=sheet.energy / len(whole),
        energy=vacancy_energy(
            defect_energy=energy,
            defect_counts=counts,
            pristine_energy=sheet.energy,
            pristine_counts=Counter(whole.get_chemical_symbols()),
            potentials=potentials,
        ),
        metrics=_metrics(calculation, result),
        degeneracy=int(calculation.tags["degeneracy"]),
        converged=result.converged and sheet.result.converged,
        notes=(*(f"{calculation.name}: {text}" for text in (*result.problems, *differences)),),
    )


def _sheet(sheet: _Pristine, potentials: Mapping[str, ChemicalPotentials]) -> SheetRow:
    counts = Counter(sheet.calculation.atoms.get_chemical_symbols())
    elements = potentials.get("element")
    return SheetRow(
        phase=str(sheet.calculation.tags["phase"]),
        calculation=sheet.calculation.name,
        counts=dict(counts),
        energy_per_atom=sheet.energy / len(sheet.calculation.atoms),
        formation_energy_per_atom=(
            formation_energy_per_atom(sheet.energy, counts, elements.values) if elements else None
        ),
        metrics=_metrics(sheet.calculation, sheet.result),
        converged=sheet.result.converged,
    )


def _crystals(calculations: tuple[Calculation, ...], usable: UsableResults) -> tuple[CrystalRow, ...]:
    """Relaxed crystals, as far as their runs are converged; those that are not were told of before."""
    rows = []
    for calculation in calculations:
        result = usable.results.get(calculation.name)
        if calculation.role.kind not in ("bulk", "element") or result is None or result.atoms is None:
            continue
        if result.converged and result.energy is not None:
            a, b, c = standard_cell(result.atoms, to_primitive=False, tolerance=0.02).cell.lengths().tolist()
            rows.append(
                CrystalRow(
                    crystal=str(calculation.tags["crystal"]),
                    calculation=calculation.name,
                    lattice_constants=(a, b, c),
                    energy_per_atom=result.energy / len(result.atoms),
                )
            )
    return tuple(rows)


def _metrics(calculation: Calculation, result: CalculationResult) -> SheetMetrics:
    return measure_sheet(calculation.atoms if result.atoms is None else result.atoms)


def _beam(
    study: VacancyFile, calculations: tuple[Calculation, ...], vacancies: tuple[VacancyRow, ...]
) -> tuple[BeamRow, ...]:
    elements = dict.fromkeys(
        element
        for calculation in calculations
        if calculation.role.kind == "pristine"
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
