"""The answer of a gap study: energy against gap, and the minimum with its uncertainty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nanoslab.energetics.gap import GapMinimum
from nanoslab.studies.result import StudyResult, Table, record


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
class GapStudyResult(StudyResult):
    """Everything a gap study says.

    Attributes
    ----------
    rows
        By gap.
    minimum, minimum_problem
        Of a spline through the energies, or why there is none.
    compared_with
        (source, (narrowest, widest) gap [Å]) of the minimum that somebody else reports.
    """

    rows: tuple[GapRow, ...]
    minimum: GapMinimum | None
    minimum_problem: str
    compared_with: tuple[str, tuple[float, float]] | None = None

    @property
    def minimum_facing_distance(self) -> float | None:
        """Distance between the facing planes at the minimum [Å]."""
        if self.minimum is None:
            return None
        return self.minimum.gap + self.rows[0].facing_distance - self.rows[0].gap

    def tables(self) -> tuple[Table, ...]:
        """The curve."""
        return (_curve(self.document(), self.level_of_theory),)

    def document(self) -> dict[str, Any]:
        """Return the numbers; the keys carry their units."""
        low = self.minimum
        return {
            "gaps": [
                record(row, gap="gap_A", facing_distance="facing_distance_A", energy="energy_eV") for row in self.rows
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
        }


def _curve(document: Mapping[str, Any], level_of_theory: str) -> Table:
    notes = [
        f"Level of theory: {level_of_theory}.",
        "E = E(two slabs and ligands) - 2 E(slab) - n E(ligand), per cell.",
        "Gap: missing material; the facing planes are one plane spacing farther apart.",
        _minimum_note(document),
    ]
    compared = document["compared_with"]
    if compared is not None:
        low, high = compared["gap_A"]
        notes.append(f"{compared['source']}: lowest at {low:g} to {high:g} Å.")
    return Table(
        title="Energy against gap",
        columns=("gap [Å]", "facing planes [Å]", "E [eV]", "remarks"),
        rows=tuple(
            (
                f"{row['gap_A']:.2f}",
                f"{row['facing_distance_A']:.2f}",
                f"{row['energy_eV']:.3f}{'' if row['converged'] else ' (!)'}",
                "; ".join(row["notes"]),
            )
            for row in document["gaps"]
        ),
        notes=tuple(notes),
    )


def _minimum_note(document: Mapping[str, Any]) -> str:
    gap = document["minimum_gap_A"]
    if gap is None:
        return f"No minimum: {document['minimum_problem']}."
    place = f"{gap:.2f} ± {document['minimum_gap_uncertainty_A']:.2f} Å (spline, jackknife)"
    facing, energy = document["minimum_facing_distance_A"], document["minimum_energy_eV"]
    return f"Lowest at a gap of {place}, facing planes {facing:.2f} Å apart, {energy:.3f} eV."
