"""What an off-stoichiometry study says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nanoslab.energetics.hull import Crossing, HullPoint
from nanoslab.studies.off_stoichiometry.losses import LossPath
from nanoslab.studies.result import StudyResult, Table, record, table_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedSet:
    """Ways of one composition: how many there are, how many were computed, how many of these cannot be used.

    Attributes
    ----------
    n_predicted, n_predicted_lower
        Ways to which a cluster expansion gave an energy; of them, not computed and put below the lowest computed.
    spread_meV
        Mean over the ways of the highest less the lowest energy of their starts [meV per cell]; None with one start.
    """

    phase: str
    lost: Mapping[str, int]
    n_distinct: int
    n_total: int
    n_computed: int
    n_left_out: int
    n_predicted: int
    n_predicted_lower: int
    lowest: str
    spread_meV: float | None

    @property
    def n_not_searched(self) -> int:
        """Distinct ways without an energy."""
        return self.n_distinct - self.n_computed + self.n_left_out


@dataclass(frozen=True, slots=True, kw_only=True)
class HullRow:
    """A composition on the hull of one level of theory at one temperature [K]."""

    level: str
    temperature: float
    point: HullPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingRow:
    """Where the order of phases turns, at one level of theory and temperature [K]."""

    level: str
    temperature: float
    crossing: Crossing


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseRow:
    """The kinetic paths at one dose.

    Attributes
    ----------
    dose_e_per_A2
        [e/Å²].
    anion_to_cation
        10th, 50th and 90th percentile over the runs.
    lower_phase
        Phase -> share of the runs at whose composition it is the lower one.
    """

    dose_e_per_A2: float
    anion_to_cation: tuple[float, float, float]
    lower_phase: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class OffStoichiometryResult(StudyResult):
    """Everything an off-stoichiometry study says.

    Attributes
    ----------
    search
        What searched: engine, level of theory, seed, wall time.
    sets
        What was searched and what was not.
    hull, crossings
        By the search and by the runs.
    paths, doses
        Losses of every run, and the bands of the kinetic ones.
    start
        Phase of the paths, and its whole sheet's atoms by element.
    seen
        What others saw.
    """

    search: Mapping[str, Any]
    sets: tuple[SearchedSet, ...]
    hull: tuple[HullRow, ...]
    crossings: tuple[CrossingRow, ...]
    paths: tuple[LossPath, ...]
    doses: tuple[DoseRow, ...]
    start: tuple[str, Mapping[str, int]]
    seen: tuple[Mapping[str, Any], ...]

    def document(self) -> dict[str, Any]:
        """Return the numbers; the keys carry their units."""
        return {
            "search": dict(self.search),
            "sets": [
                {**record(one, lowest="lowest_identifier"), "n_not_searched": one.n_not_searched} for one in self.sets
            ],
            "hull": [_hull(row) for row in self.hull],
            "crossings": [_crossing(row) for row in self.crossings],
            "start": {"phase": self.start[0], "counts": dict(self.start[1])},
            "paths": [_path(path, self.start[1]) for path in self.paths],
            "doses": [
                {
                    "dose_e_per_A2": row.dose_e_per_A2,
                    **dict(zip(("low", "median", "high"), row.anion_to_cation, strict=True)),
                    "lower_phase": dict(row.lower_phase),
                }
                for row in self.doses
            ],
            "seen": [dict(one) for one in self.seen],
        }

    def tables(self) -> tuple[Table, ...]:
        """Crossings, hull, what was searched, and the paths by kind."""
        return tuple(table for table in _tables(self.document()) if table.rows)


def _hull(row: HullRow) -> dict[str, Any]:
    names = {"formation_energy": "formation_energy_per_atom_eV", "above_hull": "above_hull_eV_per_atom"}
    point = record(row.point, **names, limits="excess_energy_eV")
    return {"level": row.level, "temperature_K": row.temperature, **point}


def _crossing(row: CrossingRow) -> dict[str, Any]:
    low, high = row.crossing.interval
    ends = {"lowest_anion_to_cation": low, "highest_anion_to_cation": high}
    return {"level": row.level, "temperature_K": row.temperature, **record(row.crossing, interval=None), **ends}


def _path(path: LossPath, counts: Mapping[str, int]) -> dict[str, Any]:
    left = dict(counts)
    cation, anion = left
    steps = []
    for loss in path.losses:
        left[loss.element] -= 1
        steps.append(
            {
                "atom": loss.atom,
                "element": loss.element,
                "removal_energy_eV": loss.removal_energy,
                "dose_e_per_A2": loss.dose_e_per_A2,
                "anion_to_cation": left[anion] / left[cation],
            }
        )
    return {"kind": path.kind, "run": path.run, "losses": steps, "ended": path.ended}


def _tables(document: Mapping[str, Any]) -> tuple[Table, ...]:
    return (_crossing_table(document), _hull_table(document), _search_table(document), _path_table(document))


def _crossing_table(document: Mapping[str, Any]) -> Table:
    return table_of(
        "Where the order of phases turns",
        document["crossings"],
        {
            "level": "level",
            "T (K)": "temperature_K:g",
            "from": "before",
            "to": "after",
            "anions per cation": "anion_to_cation:.3f",
            "interval": lambda row: f"{_end(row['lowest_anion_to_cation'])} to {_end(row['highest_anion_to_cation'])}",
        },
        ["'beyond': outside the compositions computed. The interval is that of the uncertainty in the study file."],
    )


def _hull_table(document: Mapping[str, Any]) -> Table:
    return table_of(
        "Energies of formation, and heights above the hull of the sheets",
        document["hull"],
        {
            "level": "level",
            "T (K)": "temperature_K:g",
            "phase": "phase",
            "atoms": lambda row: "".join(f"{element}{n}" for element, n in row["counts"].items()),
            "anions per cation": "anion_to_cation:.3f",
            "formation (eV/atom)": "formation_energy_per_atom_eV:.4f",
            "above hull (meV/atom)": lambda row: f"{1000 * row['above_hull_eV_per_atom']:.1f}",
            "excess, both limits (eV/cell)": lambda row: ", ".join(
                f"{name} {energy:.2f}" for name, energy in row["excess_energy_eV"].items()
            ),
        },
    )


def _search_table(document: Mapping[str, Any]) -> Table:
    search = document["search"]
    return table_of(
        "What was searched",
        document["sets"],
        {
            "phase": "phase",
            "lost": lambda row: _lost(row["lost"]),
            "ways": "n_total",
            "distinct": "n_distinct",
            "computed": "n_computed",
            "not usable": "n_left_out",
            "not searched": "n_not_searched",
            "predicted lower": lambda row: (
                f"{row['n_predicted_lower']} of {row['n_predicted']}" if row["n_predicted"] else "-"
            ),
            "spread of starts (meV)": "spread_meV:.0f",
        },
        [
            f"{search['level_of_theory']}, seed {search['seed']}, {search['wall_time_s']:.0f} s. "
            "The lowest of the ways not searched may lie lower.",
            *(
                f"{row['phase']}: a cluster expansion of {row['n_terms']} terms, fitted to {row['n_ways']} ways, "
                f"misses a way left out by {row['error_eV']:.2f} eV per cell, the mean of its composition by "
                f"{row['constant_error_eV']:.2f} eV."
                for row in search["expansions"]
            ),
        ],
    )


def _path_table(document: Mapping[str, Any]) -> Table:
    rows = []
    for kind in dict.fromkeys(path["kind"] for path in document["paths"]):
        own = [path for path in document["paths"] if path["kind"] == kind]
        for step in range(max((len(path["losses"]) for path in own), default=0)):
            losses = [path["losses"][step] for path in own if len(path["losses"]) > step]
            elements = [loss["element"] for loss in losses]
            doses = sorted(loss["dose_e_per_A2"] for loss in losses if loss["dose_e_per_A2"] is not None)
            rows.append(
                (
                    kind,
                    str(step + 1),
                    str(len(losses)),
                    ", ".join(f"{element} {elements.count(element)}" for element in sorted(set(elements))),
                    f"{sum(loss['removal_energy_eV'] for loss in losses) / len(losses):.2f}",
                    f"{doses[len(doses) // 2]:.2g}" if doses else "-",
                )
            )
    return Table(
        title=f"Losses from the exit face of {document['start']['phase']}",
        columns=("path", "loss", "runs", "atoms lost", "mean energy to remove (eV)", "median dose (e/Å²)"),
        rows=tuple(rows),
    )


def _end(value: float | None) -> str:
    return "beyond" if value is None else f"{value:.3f}"


def _lost(lost: Mapping[str, int]) -> str:
    return " ".join(f"{n} {element}" for element, n in lost.items() if n)
