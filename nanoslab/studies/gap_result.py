"""The answer of a gap study: energy against gap, and the minimum with its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nanoslab.calculation import Calculation
from nanoslab.energetics.consistency import SAME_CELL
from nanoslab.energetics.gap import GapMinimum, gap_minimum
from nanoslab.errors import InputError
from nanoslab.studies.shown import Shown
from nanoslab.studies.study import Table
from nanoslab.studies.usable import UsableResults


@dataclass(frozen=True, slots=True, kw_only=True)
class GapRow:
    """One gap.

    Attributes
    ----------
    gap, facing_distance
        Missing material, and distance between the facing planes as built [Å].
    energy
        E(two slabs and ligands) - 2 E(slab) - n E(ligand) [eV per cell].
    """

    calculation: str
    gap: float
    facing_distance: float
    energy: float
    converged: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GapStudyResult(Shown):
    """Everything a gap study says.

    Attributes
    ----------
    title, level_of_theory
        In words.
    rows
        By gap.
    minimum, minimum_problem
        Of a spline through the energies, or why there is none.
    compared_with
        (source, (narrowest, widest) gap [Å]) of somebody else's minimum.
    refused, missing
        (calculation, reason) of runs that exist but cannot be used, and of those without a result.
    """

    title: str
    level_of_theory: str
    rows: tuple[GapRow, ...]
    minimum: GapMinimum | None
    minimum_problem: str
    compared_with: tuple[str, tuple[float, float]] | None
    refused: tuple[tuple[str, str], ...]
    missing: tuple[tuple[str, str], ...]

    @property
    def minimum_facing_distance(self) -> float | None:
        """Distance between the facing planes at the minimum [Å]."""
        if self.minimum is None:
            return None
        return self.minimum.gap + self.rows[0].facing_distance - self.rows[0].gap

    def tables(self) -> tuple[Table, ...]:
        """The curve."""
        notes = [f"Level of theory: {self.level_of_theory}.", _ENERGY, _GAP, _minimum_note(self)]
        if self.compared_with is not None:
            source, (low, high) = self.compared_with
            notes.append(f"{source}: lowest at {low:g} to {high:g} Å.")
        rows = tuple(
            (
                f"{row.gap:.2f}",
                f"{row.facing_distance:.2f}",
                f"{row.energy:.3f}{'' if row.converged else ' (!)'}",
                "; ".join(row.notes),
            )
            for row in self.rows
        )
        columns = ("gap [Å]", "facing planes [Å]", "E [eV]", "remarks")
        return (Table(title="Energy against gap", columns=columns, rows=rows, notes=tuple(notes)),)

    def to_dict(self) -> dict[str, Any]:
        """Plain document; the keys carry their units."""
        low = self.minimum
        return {
            "study": "pbse-gap",
            "title": self.title,
            "level_of_theory": self.level_of_theory,
            "gaps": [
                {
                    "gap_A": row.gap,
                    "facing_distance_A": row.facing_distance,
                    "energy_eV": row.energy,
                    "converged": row.converged,
                    "calculation": row.calculation,
                    "notes": list(row.notes),
                }
                for row in self.rows
            ],
            "minimum_gap_A": None if low is None else low.gap,
            "minimum_facing_distance_A": self.minimum_facing_distance,
            "minimum_gap_uncertainty_A": None if low is None else low.uncertainty,
            "minimum_energy_eV": None if low is None else low.energy,
            "stiffness_eV_per_A2": None if low is None else low.stiffness,
            "minimum_problem": self.minimum_problem or None,
            "compared_with": None
            if self.compared_with is None
            else {"source": self.compared_with[0], "gap_A": list(self.compared_with[1])},
            "refused": [{"calculation": name, "reason": reason} for name, reason in self.refused],
            "missing": [{"calculation": name, "reason": reason} for name, reason in self.missing],
        }


_ENERGY = "E = E(two slabs and ligands) - 2 E(slab) - n E(ligand), per cell."
_GAP = "Gap: missing material; the facing planes are one plane spacing farther apart."


def _minimum_note(result: GapStudyResult) -> str:
    low = result.minimum
    if low is None:
        return f"No minimum: {result.minimum_problem}."
    place = f"{low.gap:.2f} ± {low.uncertainty:.2f} Å (spline, jackknife)"
    facing = result.minimum_facing_distance
    return f"Lowest at a gap of {place}, facing planes {facing:.2f} Å apart, {low.energy:.3f} eV."


def analyze(
    title: str,
    calculations: Sequence[Calculation],
    usable: UsableResults,
    compared_with: tuple[str, tuple[float, float]] | None,
) -> GapStudyResult:
    """Answer of the study; every energy is compared with that of the slab it is subtracted from."""
    slab = usable.get(calculations[0])
    against = slab[0] if slab else None
    ligands = [calculation for calculation in calculations if calculation.role.kind == "ligand"]
    free = usable.get(ligands[0], against, SAME_CELL) if ligands else None
    rows = []
    for calculation in calculations:
        if calculation.role.kind != "gap":
            continue
        found = usable.get(calculation, against, SAME_CELL)
        if found and slab and (free or not ligands):
            count = int(calculation.tags["n_ligands"])
            energy = found[1] - 2.0 * slab[1] - (count * free[1] if free else 0.0)
            used = [one[0] for one in (found, slab, free) if one]
            rows.append(
                GapRow(
                    calculation=calculation.name,
                    gap=float(calculation.tags["gap_A"]),
                    facing_distance=float(calculation.tags["facing_distance_A"]),
                    energy=energy,
                    converged=all(result.converged for result in used),
                    notes=(*found[0].problems, *found[2]),
                )
            )
        elif found:
            usable.refused.append((calculation.name, "no usable result of the slab or of the ligand"))
    rows.sort(key=lambda row: row.gap)
    minimum, problem = _minimum(rows)
    return GapStudyResult(
        title=title,
        level_of_theory=against.level_of_theory if against else "",
        rows=tuple(rows),
        minimum=minimum,
        minimum_problem=problem,
        compared_with=compared_with,
        refused=tuple(usable.refused),
        missing=tuple(usable.missing),
    )


def _minimum(rows: Sequence[GapRow]) -> tuple[GapMinimum | None, str]:
    try:
        return gap_minimum([row.gap for row in rows], [row.energy for row in rows]), ""
    except InputError as error:
        return None, str(error)
