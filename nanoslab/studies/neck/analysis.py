"""From the runs of a neck study to its answer."""

from __future__ import annotations

from collections.abc import Sequence

from nanoslab.builders.recipe import recipe_value
from nanoslab.energetics.consistency import REFERENCE_CRYSTAL, SAME_CELL
from nanoslab.energetics.neck import NeckPoint, fit_nucleation, neck_energy, raw_critical_size
from nanoslab.errors import InputError
from nanoslab.measure.neck_shape import NeckMetrics, measure_neck
from nanoslab.studies.neck.result import NeckRow, NeckStudyResult, SizeRow
from nanoslab.studies.neck.roles import BulkRole, DoubleSlabRole, NeckRole
from nanoslab.studies.runs import UsableRun, UsableRuns


def analyze_necks(runs: UsableRuns) -> NeckStudyResult:
    """Answer of the study; see `NeckStudyResult`.

    Necks and bulk are compared with the double slab, whose energy they are subtracted from. Bond length and column
    spacing are those that the structures were built with.
    """
    slab = runs.only(DoubleSlabRole)
    reference = runs.only(BulkRole, slab, REFERENCE_CRYSTAL)
    necks = runs.of(NeckRole)
    rows = []
    for role, run in necks:
        found = runs.get(run, slab, SAME_CELL)
        if found and slab and reference:
            rows.append(_row(role, found, slab, reference))
        elif found:
            runs.refuse(run.calculation.name, "no usable result of the double slab or of the bulk")
    pairs_per_column = necks[0][0].pairs_per_column if necks else 1
    sizes, same = _sizes(rows), ("n_pairs", "perimeter", "delta_energy", "imbalance")
    lowest = [NeckPoint(**{name: getattr(size.lowest, name) for name in same}) for size in sizes]
    fit, problem = None, ""
    try:
        fit = fit_nucleation(lowest, pairs_per_column=pairs_per_column)
    except InputError as error:
        problem = str(error)
    return NeckStudyResult(
        level_of_theory=slab.result.level_of_theory if slab else "",
        rows=tuple(rows),
        sizes=sizes,
        raw=raw_critical_size(lowest) if lowest else None,
        fit=fit,
        fit_problem=problem,
        column_spacing=float(recipe_value(necks[0][1].calculation.atoms, "parameters", "spacing_A")) if necks else 0.0,
        pairs_per_column=pairs_per_column,
    )


def _row(role: NeckRole, found: UsableRun, slab: UsableRun, reference: UsableRun) -> NeckRow:
    metrics = _metrics(found)
    broken = metrics.problems if metrics else ()
    return NeckRow(
        calculation=found.calculation.name,
        shape=role.shape,
        n_pairs=role.n_pairs,
        n_columns=role.n_columns,
        perimeter=role.perimeter,
        imbalance=role.imbalance,
        delta_energy=neck_energy(
            necked=found.energy, double_slab=slab.energy, bulk_pair=2 * reference.energy_per_atom, n_pairs=role.n_pairs
        ),
        screening_energy=role.screening_energy_eV,
        metrics=metrics,
        converged=all(run.result.converged for run in (found, slab, reference)),
        notes=(*broken, *found.result.problems, *found.differences),
    )


def _metrics(found: UsableRun) -> NeckMetrics | None:
    if found.result.atoms is None:
        return None
    start = found.calculation.atoms
    return measure_neck(
        found.result.atoms,
        start,
        recipe_value(start, "neck_indices"),
        bond_length=recipe_value(start, "parameters", "bond_length_A"),
        column_spacing=recipe_value(start, "parameters", "spacing_A"),
    )


def _sizes(rows: Sequence[NeckRow]) -> tuple[SizeRow, ...]:
    sizes = []
    for n_pairs in sorted({row.n_pairs for row in rows}):
        own = [row for row in rows if row.n_pairs == n_pairs]
        intact = sorted((row for row in own if row.intact), key=lambda row: row.delta_energy)
        if intact:
            spread = intact[-1].delta_energy - intact[0].delta_energy
            sizes.append(
                SizeRow(lowest=intact[0], n_shapes=len(intact), n_broken=len(own) - len(intact), spread=spread)
            )
    return tuple(sizes)
