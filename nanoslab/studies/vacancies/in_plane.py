"""From the runs of sheets whose in-plane lattice was free to what a microscope would measure of it."""

from __future__ import annotations

from collections import Counter

import numpy as np
from ase import Atoms

from nanoslab.energetics.consistency import SAME_THEORY
from nanoslab.measure.diffraction import SheetReflection, sheet_reflections
from nanoslab.measure.sheet import in_plane_strain, lateral_spacings, measure_sheet
from nanoslab.studies.runs import UsableRun, UsableRuns
from nanoslab.studies.vacancies.result import InPlaneRow
from nanoslab.studies.vacancies.roles import InPlaneRole

#: the third lattice vector is held; more than this is another cell [Å]
_HELD = 1e-3


def in_plane_rows(runs: UsableRuns) -> tuple[InPlaneRow, ...]:
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
            rows.append(_row(role, found, _gain(found, runs)))
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


def _row(role: InPlaneRole, found: UsableRun, energy_gain: float | None) -> InPlaneRow:
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
        energy_gain=energy_gain,
        reflections=reflections,
        built_spacings=_built_spacings(built, reflections),
        metrics=measure_sheet(relaxed),
    )


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
