"""From the runs of a gap study to its answer."""

from __future__ import annotations

from collections.abc import Sequence

from nanoslab.energetics.consistency import SAME_CELL
from nanoslab.energetics.gap import GapMinimum, gap_minimum
from nanoslab.errors import InputError
from nanoslab.studies.gap.result import GapRow, GapStudyResult
from nanoslab.studies.gap.roles import GapRole, LigandRole, SlabRole
from nanoslab.studies.runs import UsableRuns


def analyze_gaps(runs: UsableRuns) -> GapStudyResult:
    """Answer of the study; every energy is compared with that of the slab it is subtracted from."""
    slab = runs.only(SlabRole)
    free = runs.only(LigandRole, slab, SAME_CELL)
    rows = []
    for role, run in runs.of(GapRole):
        found = runs.get(run, slab, SAME_CELL)
        if found and slab and (free or not role.n_ligands):
            used = [one.result for one in (found, slab, free) if one]
            rows.append(
                GapRow(
                    calculation=found.calculation.name,
                    gap=role.gap_A,
                    facing_distance=role.facing_distance_A,
                    energy=found.energy - 2.0 * slab.energy - (role.n_ligands * free.energy if free else 0.0),
                    converged=all(result.converged for result in used),
                    notes=(*found.result.problems, *found.differences),
                )
            )
        elif found:
            runs.refuse(run.calculation.name, "no usable result of the slab or of the ligand")
    rows.sort(key=lambda row: row.gap)
    minimum, problem = _minimum(rows)
    return GapStudyResult(
        level_of_theory=slab.result.level_of_theory if slab else "",
        rows=tuple(rows),
        minimum=minimum,
        minimum_problem=problem,
    )


def _minimum(rows: Sequence[GapRow]) -> tuple[GapMinimum | None, str]:
    try:
        return gap_minimum([row.gap for row in rows], [row.energy for row in rows]), ""
    except InputError as error:
        return None, str(error)
