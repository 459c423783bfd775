"""From the runs of a vacancy study to its answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from ase import Atoms

from nanoslab.beam import element_data, max_transferred_energy
from nanoslab.calculation import Run
from nanoslab.energetics.chemical_potential import (
    ChemicalPotentials,
    of_atoms,
    of_atoms_from_cohesive_energies,
    of_elements,
    of_rich_limit,
)
from nanoslab.energetics.consistency import REFERENCE_CRYSTAL, SAME_CELL, SAME_THEORY, Rule
from nanoslab.energetics.vacancy import VacancyEnergy, formation_energy_per_atom, vacancy_energy
from nanoslab.measure.diffraction import SheetReflection, sheet_reflections
from nanoslab.measure.sheet import in_plane_strain, lateral_spacings, measure_sheet
from nanoslab.slab_geometry import sheet_stress
from nanoslab.studies.runs import UsableRun, UsableRuns
from nanoslab.studies.vacancies.result import BeamRow, CrystalRow, InPlaneRow, SheetRow, VacancyRow, VacancyStudyResult
from nanoslab.studies.vacancies.roles import AtomRole, BulkRole, ElementRole, InPlaneRole, PristineRole, VacancyRole
from nanoslab.symmetry import standard_cell

#: the third lattice vector is held; more than this is another cell [Å]
_HELD = 1e-3
#: element -> (energy [eV per atom], where it is from)
CohesiveEnergies = Mapping[str, tuple[float, str]]


def analyze_vacancies(
    runs: UsableRuns, *, cohesive_energies: CohesiveEnergies, beam_energies_keV: Sequence[float]
) -> VacancyStudyResult:
    """Answer of the study; see `VacancyStudyResult`.

    Every run is compared with the pristine sheet whose energy it is subtracted from; references are compared
    with the first pristine sheet. Cohesive energies are for elements whose isolated atom the runs lack; measured ones
    are taken for the others.
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
        in_plane=_in_plane(runs),
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

    def energies(kind: type[ElementRole | AtomRole], rules: tuple[Rule, ...]) -> dict[str, tuple[float, str]]:
        return {
            role.element: (found.energy_per_atom, found.calculation.name)
            for role, run in runs.of(kind)
            if (found := runs.get(run, sheet, rules))
        }

    elements = of_elements(energies(ElementRole, REFERENCE_CRYSTAL))
    atoms = of_atoms(energies(AtomRole, SAME_THEORY))
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
    counts = _counts(bulk)
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
    return {
        element: (energy, "measured sublimation energy, 0 K")
        for element in elements.values
        if (energy := element_data(element).sublimation_energy) is not None
    }


def _vacancies(
    runs: UsableRuns, pristine: Mapping[str, UsableRun], potentials: Mapping[str, ChemicalPotentials]
) -> tuple[VacancyRow, ...]:
    rows = []
    used: dict[str, UsableRun] = {}
    for role, run in runs.of(VacancyRole):
        sheet = pristine.get(role.phase)
        found = runs.get(run, sheet, SAME_CELL)
        if found and sheet:
            used[run.calculation.name] = found
            row = _vacancy(role, found, sheet, potentials)
            before = used.get(run.calculation.starts_from or "")
            rows.append(
                replace(row, after=before.calculation.role.label, step=_lost(found, before, potentials))
                if before
                else row
            )
        elif found:
            reason = f"no usable result of its pristine sheet {run.calculation.starts_from}"
            runs.refuse(run.calculation.name, reason)
    return tuple(rows)


def _vacancy(
    role: VacancyRole, found: UsableRun, sheet: UsableRun, potentials: Mapping[str, ChemicalPotentials]
) -> VacancyRow:
    name, result = found.calculation.name, found.result
    counts = _counts(found)
    whole = _counts(sheet)
    cation, anion = whole  # grouped by species, cations first
    return VacancyRow(
        label=role.label,
        phase=role.phase,
        series=role.series,
        calculation=name,
        cation_to_anion=counts[cation] / counts[anion] if counts[anion] else float("inf"),
        pristine_energy_per_atom=sheet.energy_per_atom,
        pristine_formation_energy_per_atom=_formation(sheet, potentials),
        energy=_lost(found, sheet, potentials),
        metrics=measure_sheet(found.final_atoms),
        degeneracy=role.degeneracy,
        converged=result.converged and sheet.result.converged,
        notes=tuple(f"{name}: {text}" for text in (*result.problems, *found.differences)),
    )


def _lost(found: UsableRun, before: UsableRun, potentials: Mapping[str, ChemicalPotentials]) -> VacancyEnergy:
    return vacancy_energy(
        defect_energy=found.energy,
        defect_counts=_counts(found),
        pristine_energy=before.energy,
        pristine_counts=_counts(before),
        potentials=potentials,
    )


def _sheet(phase: str, sheet: UsableRun, potentials: Mapping[str, ChemicalPotentials]) -> SheetRow:
    return SheetRow(
        phase=phase,
        calculation=sheet.calculation.name,
        counts=dict(_counts(sheet)),
        energy_per_atom=sheet.energy_per_atom,
        formation_energy_per_atom=_formation(sheet, potentials),
        metrics=measure_sheet(sheet.final_atoms),
        converged=sheet.result.converged,
    )


def _formation(sheet: UsableRun, potentials: Mapping[str, ChemicalPotentials]) -> float | None:
    elements = potentials.get("element")
    counts = _counts(sheet)
    return formation_energy_per_atom(sheet.energy, counts, elements.values) if elements else None


def _counts(run: UsableRun) -> Counter[str]:
    return Counter(run.calculation.atoms.get_chemical_symbols())


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


def _in_plane(runs: UsableRuns) -> tuple[InPlaneRow, ...]:
    """Rows of all sheets relaxed in their plane; those that closed their vacuum are refused."""
    rows = []
    for role, run in runs.of(InPlaneRole):
        found = runs.get(run)
        if not found:
            continue
        if found.result.atoms is None:
            runs.refuse(run.calculation.name, "no final structure")
        elif problem := _moved_third_vector(run.calculation.atoms, found.result.atoms):
            runs.refuse(run.calculation.name, problem)
        else:
            rows.append(_in_plane_row(role, found, _gain(found, runs)))
    return tuple(rows)


def _moved_third_vector(built: Atoms, relaxed: Atoms) -> str:
    """Reason when the vector along the vacuum changed: the code did not hold it."""
    before, after = (float(atoms.cell.lengths()[2]) for atoms in (built, relaxed))
    if abs(after - before) <= _HELD:
        return ""
    return (
        f"third lattice vector {before:.2f} Å became {after:.2f} Å, expected to be held; "
        "VASP before 6.5 ignores LATTICE_CONSTRAINTS: use a later one"
    )


def _in_plane_row(role: InPlaneRole, found: UsableRun, energy_gain: float | None) -> InPlaneRow:
    built, relaxed = found.calculation.atoms, found.final_atoms
    counts = Counter(relaxed.get_chemical_symbols())
    cation, anion = dict.fromkeys(built.get_chemical_symbols())  # grouped by species, cations first
    reflections = sheet_reflections(relaxed)
    return InPlaneRow(
        phase=role.phase,
        label=role.label,
        calculation=found.calculation.name,
        removed=role.removed,
        cation_to_anion=counts[cation] / counts[anion],
        strain=in_plane_strain(relaxed, built),
        stress_kbar=_stress_left(relaxed),
        energy_gain=energy_gain,
        reflections=reflections,
        built_spacings=_built_spacings(built, reflections),
        metrics=measure_sheet(relaxed),
    )


def _stress_left(relaxed: Atoms) -> float | None:
    known = relaxed.calc is not None and "stress" in relaxed.calc.results
    return float(np.abs(sheet_stress(relaxed)).max()) if known else None


def _gain(found: UsableRun, runs: UsableRuns) -> float | None:
    """Energy of the sheet it starts from less its own [eV], where both can be compared."""
    parent = runs.result_of(found.calculation.starts_from)
    if parent is None or parent.energy is None or not parent.converged:
        return None
    differences = [rule(found.result, parent) for rule in SAME_THEORY]
    return None if any(differences) else parent.energy - found.energy


def _built_spacings(sheet: Atoms, reflections: tuple[SheetReflection, ...]) -> tuple[float, ...]:
    shortest = 0.5 * min((reflection.spacing for reflection in reflections), default=np.inf)
    built = {(h, k): spacing for h, k, spacing in lateral_spacings(sheet, shortest)}
    return tuple(built[reflection.h, reflection.k] for reflection in reflections)
