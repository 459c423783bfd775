"""From the results of sheets whose in-plane lattice was free to what a microscope would measure of it."""

from __future__ import annotations

from collections import Counter

import numpy as np
from ase import Atoms

from nanoslab.calculation import Calculation, CalculationResult
from nanoslab.energetics.consistency import SAME_THEORY
from nanoslab.measure.diffraction import SheetReflection, sheet_reflections
from nanoslab.measure.sheet import in_plane_strain, lateral_spacings, measure_sheet
from nanoslab.studies.usable import UsableResults
from nanoslab.studies.vacancy_result import LateralRow

#: the third lattice vector is held; more than this is another cell [Å]
_HELD = 1e-3


def lateral_rows(calculations: tuple[Calculation, ...], usable: UsableResults) -> tuple[LateralRow, ...]:
    """Rows of all sheets relaxed in their plane; those that closed their vacuum are refused."""
    rows = []
    for calculation in calculations:
        if calculation.role.kind != "lateral" or not (found := usable.get(calculation)):
            continue
        result, energy, _ = found
        if result.atoms is None:
            usable.refused.append((calculation.name, "no final structure"))
        elif problem := _moved_third_vector(calculation.atoms, result.atoms):
            usable.refused.append((calculation.name, problem))
        else:
            rows.append(_row(calculation, result.atoms, _gain(calculation, result, energy, usable)))
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


def _row(calculation: Calculation, relaxed: Atoms, energy_gain: float | None) -> LateralRow:
    counts = Counter(relaxed.get_chemical_symbols())
    cation, anion = dict.fromkeys(calculation.atoms.get_chemical_symbols())  # grouped by species, cations first
    reflections = sheet_reflections(relaxed)
    return LateralRow(
        phase=str(calculation.tags["phase"]),
        label=str(calculation.tags["label"]),
        calculation=calculation.name,
        removed=dict(calculation.tags["removed"]),
        cation_to_anion=counts[cation] / counts[anion],
        strain=in_plane_strain(relaxed, calculation.atoms),
        energy_gain=energy_gain,
        reflections=reflections,
        built_spacings=_built_spacings(calculation.atoms, reflections),
        metrics=measure_sheet(relaxed),
    )


def _gain(calculation: Calculation, result: CalculationResult, energy: float, usable: UsableResults) -> float | None:
    """Energy of the sheet it starts from less its own [eV], where both can be compared."""
    parent = usable.results.get(str(calculation.tags["of"]))
    if parent is None or parent.energy is None or not parent.converged:
        return None
    differences = [rule(result, parent) for rule in SAME_THEORY]
    return None if any(differences) else parent.energy - energy


def _built_spacings(sheet: Atoms, reflections: tuple[SheetReflection, ...]) -> tuple[float, ...]:
    shortest = 0.5 * min((reflection.spacing for reflection in reflections), default=np.inf)
    built = {(h, k): spacing for h, k, spacing in lateral_spacings(sheet, shortest)}
    return tuple(built[reflection.h, reflection.k] for reflection in reflections)
