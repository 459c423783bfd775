"""From the runs of a vacancy study to its answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from nanoslab.beam import element_data, max_transferred_energy
from nanoslab.calculation import Run
from nanoslab.energetics.chemical_potential import (
    ChemicalPotentials,
    of_atoms,
    of_atoms_from_cohesive_energies,
    of_elements,
    of_rich_limit,
)
from nanoslab.energetics.consistency import REFERENCE_CRYSTAL, SAME_CELL, SAME_THEORY
from nanoslab.energetics.vacancy import formation_energy_per_atom, vacancy_energy
from nanoslab.measure.sheet import measure_sheet
from nanoslab.studies.runs import UsableRun, UsableRuns
from nanoslab.studies.vacancies.in_plane import in_plane_rows
from nanoslab.studies.vacancies.result import BeamRow, CrystalRow, SheetRow, VacancyRow, VacancyStudyResult
from nanoslab.studies.vacancies.roles import AtomRole, BulkRole, ElementRole, PristineRole, VacancyRole
from nanoslab.symmetry import standard_cell

#: element -> (energy [eV per atom], where it is from)
CohesiveEnergies = Mapping[str, tuple[float, str]]


def analyze_vacancies(
    runs: UsableRuns, *, cohesive_energies: CohesiveEnergies, beam_energies_keV: Sequence[float]
) -> VacancyStudyResult:
    """Answer of the study; see `VacancyStudyResult`.

    Every run is compared with the pristine sheet whose energy it is subtracted from; references are compared
    with the first pristine sheet.

    Parameters
    ----------
    cohesive_energies
        For elements whose isolated atom the runs lack; measured ones are taken for the others.
    beam_energies_keV
        Of the microscope.
    """
    pristine = {role.phase: whole for role, run in runs.of(PristineRole) if (whole := runs.get(run))}
    potentials = chemical_potentials(runs, next(iter(pristine.values()), None), cohesive_energies)
    vacancies = _vacancies(runs, pristine, potentials)
    elements = dict.fromkeys(
        element for _, run in runs.of(PristineRole) for element in run.calculation.atoms.get_chemical_symbols()
    )
    return VacancyStudyResult(
        level_of_theory="; ".join(dict.fromkeys(sheet.result.level_of_theory for sheet in pristine.values())),
        sheets=tuple(_sheet(phase, sheet, potentials) for phase, sheet in pristine.items()),
        vacancies=vacancies,
        in_plane=in_plane_rows(runs),
        crystals=_crystals(runs),
        potentials=potentials,
        beam=tuple(
            BeamRow(
                element=element,
                beam_energy_keV=energy,
                max_transferred_energy=max_transferred_energy(element, energy),
                removal_energies=_removal_energies(element, vacancies),
            )
            for energy in beam_energies_keV
            for element in elements
        ),
    )


def chemical_potentials(
    runs: UsableRuns, sheet: UsableRun | None, cohesive_energies: CohesiveEnergies
) -> dict[str, ChemicalPotentials]:
    """Potentials by name, as far as the runs and the energies given form them."""
    crystals = {
        role.element: (found.energy_per_atom, found.calculation.name)
        for role, run in runs.of(ElementRole)
        if (found := runs.get(run, sheet, REFERENCE_CRYSTAL))
    }
    isolated = {
        role.element: (found.energy_per_atom, found.calculation.name)
        for role, run in runs.of(AtomRole)
        if (found := runs.get(run, sheet, SAME_THEORY))
    }
    elements, atoms = of_elements(crystals), of_atoms(isolated)
    if not atoms.values:
        atoms = of_atoms_from_cohesive_energies(
            elements, measured_cohesive_energies(elements) | dict(cohesive_energies)
        )
    potentials = {mu.name: mu for mu in (atoms, elements) if mu.values}
    for _, run in runs.of(BulkRole):
        if bulk := runs.get(run, sheet, REFERENCE_CRYSTAL):
            potentials |= _limits(elements, bulk, potentials)
    return potentials


def _limits(
    elements: ChemicalPotentials, bulk: UsableRun, known: Mapping[str, ChemicalPotentials]
) -> dict[str, ChemicalPotentials]:
    """Both limits of a bulk compound; of several phases the most stable one sets them."""
    counts = Counter(bulk.calculation.atoms.get_chemical_symbols())
    limits = {}
    for rich in counts:
        if rich not in elements.values:
            continue
        limit = of_rich_limit(rich, elements, counts, bulk.energy)
        best = known.get(limit.name)
        if best is None or sum(limit.values.values()) < sum(best.values.values()):
            limits[limit.name] = limit
    return limits


def measured_cohesive_energies(elements: ChemicalPotentials) -> dict[str, tuple[float, str]]:
    """Sublimation energies [eV per atom] of elements, as far as they are known, and where they are from."""
    measured = {element: element_data(element).sublimation_energy for element in elements.values}
    return {
        element: (energy, "measured sublimation energy, 0 K")
        for element, energy in measured.items()
        if energy is not None
    }


def _vacancies(
    runs: UsableRuns, pristine: Mapping[str, UsableRun], potentials: Mapping[str, ChemicalPotentials]
) -> tuple[VacancyRow, ...]:
    rows = []
    for role, run in runs.of(VacancyRole):
        sheet = pristine.get(role.phase)
        found = runs.get(run, sheet, SAME_CELL)
        if found and sheet:
            rows.append(_vacancy(role, found, sheet, potentials))
        elif found:
            reason = f"no usable result of its pristine sheet {run.calculation.starts_from}"
            runs.refuse(run.calculation.name, reason)
    return tuple(rows)


def _vacancy(
    role: VacancyRole, found: UsableRun, sheet: UsableRun, potentials: Mapping[str, ChemicalPotentials]
) -> VacancyRow:
    name, result = found.calculation.name, found.result
    counts = Counter(found.calculation.atoms.get_chemical_symbols())
    whole = Counter(sheet.calculation.atoms.get_chemical_symbols())
    cation, anion = whole  # grouped by species, cations first
    return VacancyRow(
        label=role.label,
        phase=role.phase,
        series=role.series,
        calculation=name,
        cation_to_anion=counts[cation] / counts[anion] if counts[anion] else float("inf"),
        pristine_energy_per_atom=sheet.energy_per_atom,
        pristine_formation_energy_per_atom=_formation(sheet, potentials),
        energy=vacancy_energy(
            defect_energy=found.energy,
            defect_counts=counts,
            pristine_energy=sheet.energy,
            pristine_counts=whole,
            potentials=potentials,
        ),
        metrics=measure_sheet(found.final_atoms),
        degeneracy=role.degeneracy,
        converged=result.converged and sheet.result.converged,
        notes=tuple(f"{name}: {text}" for text in (*result.problems, *found.differences)),
    )


def _sheet(phase: str, sheet: UsableRun, potentials: Mapping[str, ChemicalPotentials]) -> SheetRow:
    return SheetRow(
        phase=phase,
        calculation=sheet.calculation.name,
        counts=dict(Counter(sheet.calculation.atoms.get_chemical_symbols())),
        energy_per_atom=sheet.energy_per_atom,
        formation_energy_per_atom=_formation(sheet, potentials),
        metrics=measure_sheet(sheet.final_atoms),
        converged=sheet.result.converged,
    )


def _formation(sheet: UsableRun, potentials: Mapping[str, ChemicalPotentials]) -> float | None:
    elements = potentials.get("element")
    counts = Counter(sheet.calculation.atoms.get_chemical_symbols())
    return formation_energy_per_atom(sheet.energy, counts, elements.values) if elements else None


def _crystals(runs: UsableRuns) -> tuple[CrystalRow, ...]:
    """Relaxed crystals, as far as their runs are converged; those that are not were told of before."""
    references: list[tuple[BulkRole | ElementRole, Run]] = [*runs.of(BulkRole), *runs.of(ElementRole)]
    rows = []
    for role, run in references:
        result = run.result
        if result.converged and result.energy is not None and result.atoms is not None:
            a, b, c = standard_cell(result.atoms, to_primitive=False, tolerance=0.02).cell.lengths().tolist()
            rows.append(
                CrystalRow(
                    crystal=role.crystal,
                    calculation=run.calculation.name,
                    lattice_constants=(a, b, c),
                    energy_per_atom=result.energy / len(result.atoms),
                )
            )
    return tuple(rows)


def _removal_energies(element: str, vacancies: tuple[VacancyRow, ...]) -> dict[str, float]:
    lowest: dict[str, float] = {}
    for row in vacancies:
        if dict(row.energy.removed) == {element: 1} and "atom" in row.energy.formation_energies:
            cost = row.energy.formation_energies["atom"]
            lowest[row.phase] = min(cost, lowest.get(row.phase, cost))
    return lowest
