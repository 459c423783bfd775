"""The answer of a gap study: energy against gap, and the minimum with its uncertainty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from nanoslab.calculation import Role
from nanoslab.energetics.consistency import SAME_CELL
from nanoslab.energetics.gap import GapMinimum, gap_minimum, next_gaps
from nanoslab.errors import InputError
from nanoslab.plot_data import Guide, Plot, Series
from nanoslab.studies.headline import Evidence, Headline, left_out
from nanoslab.studies.result import Cell, Record, StudyResult, Table, marked, record, remarks, series_of, table_of
from nanoslab.studies.runs import UsableRuns


class SlabRole(Role):
    """One slab alone."""

    kind: Literal["slab"] = "slab"


class LigandRole(Role):
    """One ligand alone."""

    kind: Literal["ligand"] = "ligand"


class GapRole(Role):
    """Two slabs at one gap: missing material and distance of the facing planes [Å], and the ligands between them.

    Their pose is the one that was found at a gap of its own [Å]; None for that of the narrowest, or without ligands.
    """

    kind: Literal["gap"] = "gap"
    gap_A: float
    facing_distance_A: float
    n_ligands: int
    pose_gap_A: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GapRow:
    """Two slabs at one gap, their ligands in one pose."""

    calculation: str
    gap: float  #: missing material [Å]
    facing_distance: float  #: between the facing planes as built [Å]
    energy: float  #: E(two slabs and ligands) - 2 E(slab) - n E(ligand) [eV per cell]
    converged: bool
    pose_gap: float | None = None  #: gap at which the pose was found [Å]; None for the narrowest of the study
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GapStudyResult(StudyResult):
    """Everything a gap study says."""

    rows: tuple[GapRow, ...]  #: by gap; every pose
    minimum: GapMinimum | None  #: of a spline through the lowest energy of every gap
    minimum_problem: str  #: why there is none
    next_gaps: tuple[float, ...] = ()  #: would bracket the minimum [Å], where the lowest energy lies at an end
    compared_with: tuple[str, tuple[float, float]] | None = None  #: source, and gaps [Å] of the minimum it reports

    @property
    def lowest(self) -> tuple[GapRow, ...]:
        """The lowest pose of every gap."""
        return lowest_poses(self.rows)

    @property
    def minimum_facing_distance(self) -> float | None:
        """Distance between the facing planes at the minimum [Å]."""
        if self.minimum is None:
            return None
        return self.minimum.gap + self.rows[0].facing_distance - self.rows[0].gap

    def tables(self) -> tuple[Table, ...]:
        """The curve."""
        low, compared, found = self.minimum, self.compared_with, f"No minimum: {self.minimum_problem}."
        if low is not None:
            place = f"{low.gap:.2f} ± {low.uncertainty:.2f} Å (spline, jackknife)"
            facing = f"facing planes {self.minimum_facing_distance:.2f} Å apart"
            found = f"Lowest at a gap of {place}, {facing}, {low.energy:.3f} eV."
        notes = [
            f"Level of theory: {self.level_of_theory}.",
            "E = E(two slabs and ligands) - 2 E(slab) - n E(ligand), per cell.",
            "Gap: missing material; the facing planes are one plane spacing farther apart.",
            found,
            *(["{}: lowest at {:g} to {:g} Å.".format(compared[0], *compared[1])] if compared else []),
        ]
        if self.next_gaps:
            asked = ", ".join(f"{gap:g}" for gap in self.next_gaps)
            notes.append(f"Next to compute: {asked} Å ('nanoslab run STUDY --extend' does).")
        document = self.document()
        columns: dict[str, Cell] = {
            "gap [Å]": "gap_A:.2f",
            "facing planes [Å]": "facing_distance_A:.2f",
            "E [eV]": marked("energy_eV:.3f"),
            "remarks": remarks,
        }
        curve = table_of("Energy against gap", document["gaps"], columns, notes)
        if len(self.lowest) == len(self.rows):
            return (curve,)
        poses: dict[str, Cell] = {
            "gap [Å]": "gap_A:.2f",
            "pose of the gap [Å]": _pose,
            "E [eV]": marked("energy_eV:.3f"),
        }
        note = "The ligands keep the pose that was found at the gap named; the lowest of each gap makes the curve."
        return curve, table_of("Poses", document["poses"], poses, (note,))

    def document(self) -> dict[str, Any]:
        """Return the numbers; the keys carry their units."""
        low, compared = self.minimum, self.compared_with
        renamed = {"gap": "gap_A", "facing_distance": "facing_distance_A", "energy": "energy_eV"}
        renamed |= {"pose_gap": "pose_gap_A"}
        return {
            "gaps": [record(row, **renamed) for row in self.lowest],
            "poses": [record(row, **renamed) for row in self.rows],
            "minimum_gap_A": None if low is None else low.gap,
            "minimum_facing_distance_A": self.minimum_facing_distance,
            "minimum_gap_uncertainty_A": None if low is None else low.uncertainty,
            "minimum_energy_eV": None if low is None else low.energy,
            "stiffness_eV_per_A2": None if low is None else low.stiffness,
            "minimum_problem": self.minimum_problem or None,
            "next_gaps_A": list(self.next_gaps),
            "compared_with": None if compared is None else {"source": compared[0], "gap_A": list(compared[1])},
        }


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
                    pose_gap=role.pose_gap_A,
                    notes=(*found.result.problems, *found.differences),
                )
            )
        elif found:
            runs.refuse(run.calculation.name, "no usable result of the slab or of the ligand")
    rows.sort(key=lambda row: (row.gap, row.pose_gap or 0.0))
    curve = lowest_poses(rows)
    gaps, energies = [row.gap for row in curve], [row.energy for row in curve]
    minimum, problem = None, ""
    try:
        minimum = gap_minimum(gaps, energies)
    except InputError as error:
        problem = str(error)
    return GapStudyResult(
        level_of_theory=slab.result.level_of_theory if slab else "",
        rows=tuple(rows),
        minimum=minimum,
        minimum_problem=problem,
        next_gaps=next_gaps(gaps, energies),
    )


def lowest_poses(rows: Iterable[GapRow]) -> tuple[GapRow, ...]:
    """Of the rows of every gap the one of lowest energy, in order of the gaps."""
    best: dict[float, GapRow] = {}
    for row in rows:
        if row.gap not in best or row.energy < best[row.gap].energy:
            best[row.gap] = row
    return tuple(best[gap] for gap in sorted(best))


def _pose(row: Record) -> str:
    return "narrowest" if row["pose_gap_A"] is None else f"{row['pose_gap_A']:.2f}"


def gap_plot(document: Mapping[str, Any]) -> Plot | None:
    """Energy of two facets against the gap between them, with the minimum."""
    curve = _curve(document, "computed")
    if not curve.x:
        return None
    minimum, spread = document.get("minimum_gap_A"), document.get("minimum_gap_uncertainty_A")
    reading, guides = str(document.get("minimum_problem") or "The computed gaps hold no minimum."), []
    if minimum is not None:
        reading = f"Lowest at a gap of {minimum:.2f}{f' ± {spread:.2f}' if spread is not None else ''} Å."
        low, high = (float(minimum - (spread or 0.0)), float(minimum + spread) if spread else None)
        guides.append(Guide(axis="x", value=low, until=high, label=f"minimum {minimum:.2f} Å"))
    if compared := document.get("compared_with"):
        ends = [float(gap) for gap in compared["gap_A"]]
        guides.append(Guide(axis="x", value=ends[0], until=ends[1], label=str(compared["source"])))
    return Plot(
        name="gap",
        title="Energy against the gap",
        x_label="gap (Å)",
        y_label="energy per cell (eV)",
        series=(curve,),
        reading=reading,
        level_of_theory=str(document.get("level_of_theory", "")),
        guides=tuple(guides),
    )


def gap_headline(evidence: Evidence) -> Headline:
    """Whether the energy has a minimum at a gap, and where."""
    document, key = evidence.main, "minimum_gap_A"
    gap, spread, compared = (document.get(name) for name in (key, "minimum_gap_uncertainty_A", "compared_with"))
    if gap is None:
        sentence = "The computed gaps do not say at which one the facets rest"
        how = f"Why not: {document['minimum_problem']}."
    else:
        facing = document.get("minimum_facing_distance_A")
        apart = f", the facing planes {facing:.2f} Å apart" if facing is not None else ""
        between = f"{gap:.2f}{f' ± {spread:.2f}' if spread else ''} Å between them"
        sentence, how = (
            f"The facets rest with a gap of {between}{apart}",
            "The ± is a jackknife over the gaps computed.",
        )
    paper = ("{}: {:g} to {:g} Å.".format(compared["source"], *compared["gap_A"]),) if compared else ()
    return Headline(
        question="Do the facets keep a gap between them?",
        verdict="open" if gap is None else "yes",
        sentence=f"{sentence}, by {evidence.main_level}.",
        trust=(evidence.found(key, "{:.2f} Å", "no minimum"), how, *paper, *left_out(document)),
        plot=evidence.beside(gap_plot(document), _curve, first=1),
    )


def _curve(document: Mapping[str, Any], label: str, style: int = 0) -> Series:
    rows = sorted(document.get("gaps", ()), key=lambda row: float(row["gap_A"]))
    return series_of(rows, "gap_A", "energy_eV", label, style=style)
