"""From the results of a neck study's calculations to its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nanoslab.calculation import Calculation, CalculationResult
from nanoslab.energetics.consistency import REFERENCE_CRYSTAL, SAME_CELL
from nanoslab.energetics.neck import (
    NeckPoint,
    NucleationFit,
    fit_nucleation,
    neck_energy,
    raw_critical_size,
)
from nanoslab.errors import InputError
from nanoslab.measure.neck_shape import NeckMetrics, measure_neck
from nanoslab.studies.neck_calculations import calculations, double_slab
from nanoslab.studies.neck_result import NeckRow, NeckStudyResult, SizeRow
from nanoslab.studies.usable import UsableResults

if TYPE_CHECKING:
    from nanoslab.studies.neck_study import NeckStudy


def analyze(study: NeckStudy, usable: UsableResults) -> NeckStudyResult:
    """Answer of the study; see `NeckStudyResult`.

    Necks and bulk are compared with the double slab, whose energy they are subtracted from.
    """
    bulk, bare, *necks = calculations(study)
    slab = usable.get(bare)
    reference = usable.get(bulk, slab[0] if slab else None, REFERENCE_CRYSTAL)
    rows = []
    for neck in necks:
        found = usable.get(neck, slab[0] if slab else None, SAME_CELL)
        if found and slab and reference:
            energies = (slab[1], reference[1] / (len(bulk.atoms) / 2))
            converged = all(one[0].converged for one in (found, slab, reference))
            rows.append(_row(neck, found, energies, converged=converged))
        elif found:
            usable.refused.append((neck.name, "no usable result of the double slab or of the bulk"))
    sizes = _sizes(rows)
    fit, problem = _fit([size.lowest for size in sizes], study.gap_planes // 2)
    lowest = [_point(size.lowest) for size in sizes]
    return NeckStudyResult(
        title=study.title,
        level_of_theory=slab[0].level_of_theory if slab else "",
        rows=tuple(rows),
        sizes=sizes,
        raw=raw_critical_size(lowest) if lowest else None,
        fit=fit,
        fit_problem=problem,
        column_spacing=double_slab(study).lattice.spacing,
        pairs_per_column=study.gap_planes // 2,
        compared_with=(study.compare.source, study.compare.critical_pairs) if study.compare else None,
        screen=_screen(study),
        refused=tuple(usable.refused),
        missing=tuple(usable.missing),
    )


def _row(
    neck: Calculation,
    found: tuple[CalculationResult, float, tuple[str, ...]],
    energies: tuple[float, float],
    *,
    converged: bool,
) -> NeckRow:
    result, energy, differences = found
    metrics = _metrics(neck, result)
    tags = neck.tags
    broken = metrics.problems if metrics else ()
    return NeckRow(
        calculation=neck.name,
        shape=str(tags["shape"]),
        n_pairs=int(tags["n_pairs"]),
        n_columns=int(tags["n_columns"]),
        perimeter=int(tags["perimeter"]),
        imbalance=int(tags["imbalance"]),
        delta_energy=neck_energy(
            necked=energy, double_slab=energies[0], bulk_pair=energies[1], n_pairs=int(tags["n_pairs"])
        ),
        screening_energy=tags.get("screening_energy_eV"),
        metrics=metrics,
        converged=converged,
        notes=(*broken, *result.problems, *differences),
    )


def _metrics(neck: Calculation, result: CalculationResult) -> NeckMetrics | None:
    if result.atoms is None:
        return None
    recipe = neck.atoms.info["recipe"]
    return measure_neck(
        result.atoms,
        neck.atoms,
        recipe["neck_indices"],
        bond_length=recipe["parameters"]["bond_length_A"],
        column_spacing=recipe["parameters"]["spacing_A"],
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


def _point(row: NeckRow) -> NeckPoint:
    return NeckPoint(n_pairs=row.n_pairs, perimeter=row.perimeter, delta_energy=row.delta_energy)


def _fit(rows: Sequence[NeckRow], pairs_per_column: int) -> tuple[NucleationFit | None, str]:
    try:
        return fit_nucleation([_point(row) for row in rows], pairs_per_column=pairs_per_column), ""
    except InputError as error:
        return None, str(error)


def _screen(study: NeckStudy) -> str | None:
    if study.screen is None or study.screened is None:
        return None
    kept = f"the best {study.screen.keep} of each size kept"
    return f"{len(study.screened)} shapes screened with {study.screen.engine}, {kept}"
