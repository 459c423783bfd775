"""The answer of a gap study: energy against gap, and the minimum with its uncertainty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nanoslab.energetics.consistency import SAME_CELL
from nanoslab.energetics.gap import GapMinimum, gap_minimum, next_gaps
from nanoslab.errors import InputError
from nanoslab.plot_data import Guide, Plot
from nanoslab.studies.gap.roles import GapRole, LigandRole, SlabRole
from nanoslab.studies.headline import Evidence, Headline, Verdict, agreement, left_out
from nanoslab.studies.result import Cell, Record, StudyResult, Table, marked, record, remarks, series_of, table_of
from nanoslab.studies.runs import UsableRuns


@dataclass(frozen=True, slots=True, kw_only=True)
class GapRow:
    """Two slabs at one gap, their ligands in one pose.

    Attributes
    ----------
    gap, facing_distance
        Missing material, and distance between the facing planes as built [Å].
    pose_gap
        Gap at which the pose was found [Å]; None for the narrowest of the study.
    energy
        E(two slabs and ligands) - 2 E(slab) - n E(ligand) [eV per cell].
    """

    calculation: str
    gap: float
    facing_distance: float
    energy: float
    converged: bool
    pose_gap: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GapStudyResult(StudyResult):
    """Everything a gap study says.

    Attributes
    ----------
    rows
        By gap; every pose.
    minimum, minimum_problem
        Of a spline through the lowest energy of every gap, or why there is none.
    next_gaps
        Gaps that would bracket the minimum [Å], where the lowest energy lies at an end.
    compared_with
        (source, (narrowest, widest) gap [Å]) of the minimum that somebody else reports.
    """

    rows: tuple[GapRow, ...]
    minimum: GapMinimum | None
    minimum_problem: str
    next_gaps: tuple[float, ...] = ()
    compared_with: tuple[str, tuple[float, float]] | None = None

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
        document, compared = self.document(), self.compared_with
        notes = [
            f"Level of theory: {self.level_of_theory}.",
            "E = E(two slabs and ligands) - 2 E(slab) - n E(ligand), per cell.",
            "Gap: missing material; the facing planes are one plane spacing farther apart.",
            f"No minimum: {self.minimum_problem}.",
        ]
        if self.next_gaps:
            asked = ", ".join(f"{gap:g}" for gap in self.next_gaps)
            notes[-1] += f" Next to compute: {asked} Å ('nanoslab run STUDY --extend' does)."
        if self.minimum is not None:
            place = f"{self.minimum.gap:.2f} ± {self.minimum.uncertainty:.2f} Å (spline, jackknife)"
            facing = f"facing planes {self.minimum_facing_distance:.2f} Å apart"
            notes[-1] = f"Lowest at a gap of {place}, {facing}, {self.minimum.energy:.3f} eV."
        if compared is not None:
            notes.append("{}: lowest at {:g} to {:g} Å.".format(compared[0], *compared[1]))
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
    minimum, problem = _minimum(curve)
    return GapStudyResult(
        level_of_theory=slab.result.level_of_theory if slab else "",
        rows=tuple(rows),
        minimum=minimum,
        minimum_problem=problem,
        next_gaps=next_gaps([row.gap for row in curve], [row.energy for row in curve]),
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


def _minimum(rows: Sequence[GapRow]) -> tuple[GapMinimum | None, str]:
    try:
        return gap_minimum([row.gap for row in rows], [row.energy for row in rows]), ""
    except InputError as error:
        return None, str(error)


def gap_plot(document: Mapping[str, Any]) -> Plot | None:
    """Energy of two facets against the gap between them, with the minimum.

    Examples
    --------
    >>> gaps = [{"gap_A": 6.0, "energy_eV": -1.4}, {"gap_A": 4.0, "energy_eV": -1.0}]
    >>> gap_plot({"gaps": gaps, "minimum_gap_A": 6.3}).series[0].x
    (4.0, 6.0)
    """
    rows = sorted(document.get("gaps", ()), key=lambda row: float(row["gap_A"]))
    if not rows:
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
        series=(series_of(rows, "gap_A", "energy_eV", "computed"),),
        reading=reading,
        level_of_theory=str(document.get("level_of_theory", "")),
        guides=tuple(guides),
    )


def gap_headline(evidence: Evidence) -> Headline:
    """Whether the energy has a minimum at a gap, and where."""
    document = evidence.main
    found: dict[str, Verdict] = {}
    for source, one in evidence.documents.items():
        gap = one.get("minimum_gap_A")
        words = "no minimum" if gap is None else f"{gap:.2f} Å"
        found[f"{evidence.level(source)}: {words}"] = "open" if gap is None else "yes"
    gap, spread = document.get("minimum_gap_A"), document.get("minimum_gap_uncertainty_A")
    sentence = "The computed gaps do not say at which one the facets rest."
    if gap is not None:
        facing = document.get("minimum_facing_distance_A")
        apart = f", the facing planes {facing:.2f} Å apart" if facing is not None else ""
        sentence = (
            f"The facets rest with a gap of {gap:.2f}{f' ± {spread:.2f}' if spread else ''} Å between them{apart}."
        )
    plot = gap_plot(document)
    if plot is not None:
        others = list(evidence.documents)[1:]
        more = [
            series_of(evidence.documents[one].get("gaps", ()), "gap_A", "energy_eV", evidence.level(one), style=n)
            for n, one in enumerate(others, start=1)
        ]
        plot = replace(plot, series=(*plot.series, *(line for line in more if line.x)))
    compared = document.get("compared_with")
    how = (
        "The ± is a jackknife over the gaps computed."
        if gap is not None
        else f"Why not: {document['minimum_problem']}."
    )
    paper = ("{}: {:g} to {:g} Å.".format(compared["source"], *compared["gap_A"]),) if compared else ()
    return Headline(
        question="Do the facets keep a gap between them?",
        verdict="open" if gap is None else "yes",
        sentence=f"{sentence[:-1]}, by {evidence.level(next(iter(evidence.documents)))}.",
        trust=(agreement(found), how, *paper, *left_out(document)),
        plot=plot,
    )
