"""From the energies of a search and the runs of the deciding ways to the answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nanoslab.energetics.chemical_potential import (
    ChemicalPotentials,
    of_atoms,
    of_atoms_from_cohesive_energies,
    of_elements,
    of_rich_limit,
)
from nanoslab.energetics.consistency import SAME_CELL
from nanoslab.energetics.hull import Ensemble, HullPoint, crossings, sheet_hull
from nanoslab.studies.off_stoichiometry.losses import LossPath
from nanoslab.studies.off_stoichiometry.record import SearchRecord, Way, WaySet, with_least_energy
from nanoslab.studies.off_stoichiometry.result import (
    CrossingRow,
    DoseRow,
    HullRow,
    OffStoichiometryResult,
    SearchedSet,
)
from nanoslab.studies.off_stoichiometry.roles import WayRole
from nanoslab.studies.result import record as plain
from nanoslab.studies.runs import UsableRuns
from nanoslab.studies.vacancies.analysis import chemical_potentials, measured_cohesive_energies
from nanoslab.studies.vacancies.roles import PristineRole

if TYPE_CHECKING:
    from nanoslab.studies.off_stoichiometry.study import OffStoichiometryStudy

SEARCH, RUNS = "search", "runs"
_CONSTANT = "constant_error_eV"
#: doses at which bands are given
N_DOSES = 40

Limits = Mapping[str, Mapping[str, float]]


def analyze_search(study: OffStoichiometryStudy, record: SearchRecord, runs: UsableRuns) -> OffStoichiometryResult:
    """Answer of the study; see `OffStoichiometryResult`."""
    elements, limits = _limits(record)
    ensembles = search_ensembles(record)
    rows = _hull(study, SEARCH, ensembles, elements=elements.values, limits=limits, temperatures=study.temperatures_K)
    computed, level = _of_runs(study, runs)
    rows += computed
    coldest = min(study.temperatures_K)
    points = [row.point for row in rows if (row.level, row.temperature) == (SEARCH, coldest)]
    first = study.sheets[0].phase
    return OffStoichiometryResult(
        level_of_theory=record.level_of_theory
        if level in ("", record.level_of_theory)
        else f"search: {record.level_of_theory}; runs: {level}",
        search={
            "engine": record.engine,
            "level_of_theory": record.level_of_theory,
            "versions": dict(record.versions),
            "seed": study.search.seed,
            "wall_time_s": record.wall_time_s,
            "n_computed": len(record.ways),
            "expansions": [
                plain(one, lost=None, n_predicted=None, n_lower=None, error="error_eV", constant_error=_CONSTANT)
                for one in {one.phase: one for one in record.screens}.values()
            ],
        },
        sets=tuple(_set(record, one) for one in record.sets),
        hull=tuple(rows),
        crossings=_crossings(rows, study.uncertainty_meV_per_atom / 1000),
        paths=tuple(record.paths),
        doses=dose_rows(record.paths, record.counts[first], points),
        start=(first, record.counts[first]),
        seen=tuple(one.model_dump() for one in study.seen),
    )


def search_ensembles(record: SearchRecord) -> list[Ensemble]:
    """Every composition of every phase with the ways that can be used; the whole sheets are ensembles of one way."""
    found = [
        Ensemble(phase=phase, counts=record.counts[phase], energies=np.array([way.energy]), weights=np.ones(1))
        for phase, way in record.whole.items()
        if way.energy is not None
    ]
    for one in record.sets:
        ways = _ways(record, one)
        usable = with_least_energy(ways)
        if usable:
            counts = {element: n - one.lost.get(element, 0) for element, n in record.counts[one.phase].items()}
            found.append(
                Ensemble(
                    phase=one.phase,
                    counts=counts,
                    energies=np.array([way.energy for way in usable]),
                    weights=np.array([_weight(way, one) for way in usable]),
                )
            )
    return found


def _ways(record: SearchRecord, one: WaySet) -> list[Way]:
    return [way for way in record.ways.values() if way.phase == one.phase and way.lost == one.lost]


def _weight(way: Way, one: WaySet) -> float:
    """Ways that one stands for: of a draw its share of all, of a list or a path its own images."""
    return one.n_total * way.drawn / one.n_drawn if one.n_drawn and way.drawn else float(way.degeneracy)


def atom_potentials(study: OffStoichiometryStudy, record: SearchRecord) -> ChemicalPotentials:
    """Energies of free atoms: the engine's own, or its crystals and measured cohesive energies."""
    if record.atoms:
        return of_atoms({element: (energy, record.engine) for element, energy in record.atoms.items()})
    elements = of_elements({element: (energy, record.engine) for element, energy in record.elements.items()})
    given = {element: (known.energy, known.source) for element, known in study.references.cohesive_energies.items()}
    return of_atoms_from_cohesive_energies(elements, measured_cohesive_energies(elements) | given)


def _limits(record: SearchRecord) -> tuple[ChemicalPotentials, Limits]:
    """Crystalline elements, and both ends of what the most stable bulk crystal allows."""
    elements = of_elements({element: (energy, record.engine) for element, energy in record.elements.items()})
    per_pair = {energy / min(counts.values()): (counts, energy) for counts, energy in record.bulk}
    if not per_pair:
        return elements, {}
    counts, energy = per_pair[min(per_pair)]
    limits = (of_rich_limit(rich, elements, counts, energy) for rich in counts)
    return elements, {limit.name: limit.values for limit in limits}


def _hull(
    study: OffStoichiometryStudy,
    level: str,
    ensembles: Sequence[Ensemble],
    *,
    elements: Mapping[str, float],
    limits: Limits,
    temperatures: Sequence[float],
) -> list[HullRow]:
    rows = []
    for temperature in temperatures:
        vibrations = {
            phase: float(np.interp(temperature, [t for t, _ in table], [free for _, free in table]))
            for phase, table in study.vibrations.items()
        }
        points = sheet_hull(ensembles, elements, limits, temperature, vibrations)
        rows += [HullRow(level=level, temperature=temperature, point=point) for point in points]
    return rows


def _of_runs(study: OffStoichiometryStudy, runs: UsableRuns) -> tuple[list[HullRow], str]:
    """Hull of the lowest run of each composition at rest, and its level of theory."""
    whole = {role.phase: found for role, run in runs.of(PristineRole) if (found := runs.get(run))}
    first = next(iter(whole.values()), None)
    if first is None:
        return [], ""
    given = {element: (known.energy, known.source) for element, known in study.references.cohesive_energies.items()}
    potentials = chemical_potentials(runs, first, given)
    elements = potentials.get("element")
    lowest: dict[tuple[str, tuple[tuple[str, int], ...]], float] = {}
    for phase, found in whole.items():
        lowest[phase, tuple(Counter(found.calculation.atoms.get_chemical_symbols()).items())] = found.energy
    for role, run in runs.of(WayRole):
        found = runs.get(run, whole.get(role.phase), SAME_CELL)
        if found is None or role.phase not in whole:
            continue
        key = role.phase, tuple(Counter(found.calculation.atoms.get_chemical_symbols()).items())
        lowest[key] = min(found.energy, lowest.get(key, np.inf))
    if elements is None or len(elements.values) < 2:
        return [], first.result.level_of_theory
    ensembles = [
        Ensemble(phase=phase, counts=dict(counts), energies=np.array([energy]), weights=np.ones(1))
        for (phase, counts), energy in lowest.items()
    ]
    limits = {name: mu.values for name, mu in potentials.items() if name.startswith("rich:")}
    rows = _hull(study, RUNS, ensembles, elements=elements.values, limits=limits, temperatures=(0.0,))
    return rows, first.result.level_of_theory


def _set(record: SearchRecord, one: WaySet) -> SearchedSet:
    ways = _ways(record, one)
    usable = with_least_energy(ways)
    spreads = [way.spread for way in usable if way.spread is not None]
    screen = next((found for found in record.screens if (found.phase, found.lost) == (one.phase, one.lost)), None)
    return SearchedSet(
        phase=one.phase,
        lost=one.lost,
        n_distinct=one.n_distinct,
        n_total=one.n_total,
        n_computed=len(ways),
        n_left_out=len(ways) - len(usable),
        n_predicted=screen.n_predicted if screen else 0,
        n_predicted_lower=screen.n_lower if screen else 0,
        lowest=usable[0].identifier if usable else "",
        spread_meV=1000 * float(np.mean(spreads)) if spreads else None,
    )


def _crossings(rows: Sequence[HullRow], uncertainty: float) -> tuple[CrossingRow, ...]:
    groups: dict[tuple[str, float], list[HullPoint]] = {}
    for row in rows:
        groups.setdefault((row.level, row.temperature), []).append(row.point)
    return tuple(
        CrossingRow(level=level, temperature=temperature, crossing=crossing)
        for (level, temperature), points in groups.items()
        for crossing in crossings(points, uncertainty)
    )


def dose_rows(paths: Sequence[LossPath], counts: Mapping[str, int], points: Sequence[HullPoint]) -> tuple[DoseRow, ...]:
    """Bands of the kinetic paths, up to the dose at which the first has lost as many atoms as were asked for."""
    own = [path for path in paths if path.kind == "beam"]
    doses = [loss.dose_e_per_A2 for path in own for loss in path.losses if loss.dose_e_per_A2 is not None]
    if not doses:
        return ()
    ends = [path.losses[-1].dose_e_per_A2 or 0.0 for path in own if path.ended == "as many as asked"]
    rows = []
    cation, anion = counts
    for dose in np.geomspace(min(doses) / 2, min(ends, default=max(doses)), N_DOSES).tolist():
        left = []
        for path in own:
            lost = Counter(loss.element for loss in path.losses if (loss.dose_e_per_A2 or 0.0) <= dose)
            left.append({element: n - lost[element] for element, n in counts.items()})
        ratios = [one[anion] / one[cation] for one in left]
        phases = Counter(phase for one in left if (phase := lower_phase(one, points)))
        low, middle, high = np.percentile(ratios, (10, 50, 90)).tolist()
        rows.append(
            DoseRow(
                dose_e_per_A2=dose,
                anion_to_cation=(low, middle, high),
                lower_phase={phase: n / len(own) for phase, n in sorted(phases.items())},
            )
        )
    return tuple(rows)


def lower_phase(counts: Mapping[str, int], points: Sequence[HullPoint]) -> str:
    """Phase with the lowest energy of formation per atom at a composition; empty where none was computed there."""
    cation, anion = counts
    ratio = counts[anion] / counts[cation]
    here = [point for point in points if abs(point.anion_to_cation - ratio) < 1e-9]
    return min(here, key=lambda point: point.formation_energy).phase if here else ""
