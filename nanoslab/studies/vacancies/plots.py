"""Plots of atoms lost from sheets: energies of formation, and energies per atom against composition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from nanoslab.plot_data import Plot, Series, drawn
from nanoslab.studies.result import Record
from nanoslab.studies.vacancies.beam_plots import cross_section_plot, etching_plot, transfer_plot

#: x, y, label
Point = tuple[float, float, str]
FORMATION = "formation_energy_eV"


def vacancy_plots(document: Record) -> tuple[Plot, ...]:
    """Plots of the document of a vacancy study that hold a point."""
    return drawn(
        transfer_plot(document),
        formation_energy_plot(document),
        energy_per_atom_plot(document),
        formation_energy_per_atom_plot(document),
        cross_section_plot(document),
        etching_plot(document),
    )


def formation_energy_plot(document: Record) -> Plot | None:
    """Formation energy of each lost atom against the number lost, for atoms taken to vacuum."""
    names = {"atom": "the free atom", "element": "the elemental crystal"}
    rows = [row for row in document.get("vacancies", ()) if row["n_removed"] and names.keys() & row[FORMATION].keys()]
    if not rows:
        return None
    reference = "atom" if all("atom" in row[FORMATION] for row in rows) else "element"
    rows = [row for row in rows if reference in row[FORMATION]]
    groups: dict[str, list[Point]] = {}
    for row in rows:
        point = (float(row["n_removed"]), row[FORMATION][reference] / row["n_removed"], row["label"])
        groups.setdefault(f"{row['phase']}, {'+'.join(row['removed'])}", []).append(point)
    series = [one for n, (group, points) in enumerate(groups.items()) for one in _cloud_and_lowest(points, group, n)]
    cheapest = min(rows, key=lambda row: row[FORMATION][reference] / row["n_removed"])
    energy = cheapest[FORMATION][reference] / cheapest["n_removed"]
    return Plot(
        name="formation_energy",
        title="Formation energy of each lost atom",
        x_label="atoms lost",
        x_whole=True,
        y_label=f"E_f({reference}) per lost atom (eV)",
        series=tuple(series),
        reading=f"Cheapest: {cheapest['phase']} {cheapest['label']}, {energy:.2f} eV per lost atom.",
        level_of_theory=document["level_of_theory"],
        notes=(
            f"Chemical potential: {names[reference]}. "
            "The line joins the lowest at each number; other points lie above it.",
        ),
    )


def energy_per_atom_plot(document: Record) -> Plot | None:
    """Energy per atom less that of the whole sheet, against anions per cation, for every phase."""
    by_phase = _points_by_phase(document, "energy_per_atom_change_meV")
    if not by_phase:
        return None
    slopes = []
    for phase, points in by_phase.items():
        _, change, label = min(points, key=lambda point: point[1])
        slopes.append(f"{phase} by at least {change:+.0f} meV ({label})")
        points.insert(0, (_whole_ratio(document, phase), 0.0, "whole sheet"))
    return _composition_plot(
        document,
        by_phase,
        name="energy_per_atom",
        title="Energy per atom against composition",
        y_label="energy per atom - whole sheet (meV)",
        reading=f"Losing {_species(document)[1]} changes the energy per atom of " + ", of ".join(slopes) + ".",
        notes=("Rising means that the sheet loses cohesion with each atom; the pristine sheet of each phase is zero.",),
    )


def formation_energy_per_atom_plot(document: Record) -> Plot | None:
    """Energy of formation from the elements per atom, against anions per cation: phases on one scale."""
    key = "formation_energy_per_atom_eV"
    whole = {row["phase"]: row[key] for row in document.get("sheets", ()) if row.get(key) is not None}
    if not whole:
        return None
    lost = _points_by_phase(document, key)
    by_phase = {
        phase: [(_whole_ratio(document, phase), energy, "whole sheet"), *lost.get(phase, ())]
        for phase, energy in whole.items()
    }
    cation, anion = _species(document)
    best = min(whole, key=lambda phase: float(whole[phase]))
    reading = f"Of the whole sheets {best} is lowest, {whole[best]:.3f} eV/atom."
    for change in document.get("phase_changes", ()):
        reading += f" With less than {change['anion_to_cation']:.2f} {anion} per {cation} {change['after']} is."
    return _composition_plot(
        document,
        by_phase,
        name="formation_energy_per_atom",
        title="Formation energy per atom against composition",
        y_label="formation from the elements (eV/atom)",
        reading=reading,
    )


def _points_by_phase(document: Record, key: str) -> dict[str, list[Point]]:
    """Phase -> (anions per cation, energy, label) of every structure that lost atoms and has that energy."""
    found: dict[str, list[Point]] = {}
    for row in document.get("vacancies", ()):
        if row["cation_to_anion"] and row.get(key) is not None:
            found.setdefault(row["phase"], []).append((1 / row["cation_to_anion"], row[key], row["label"]))
    return found


def _composition_plot(document: Record, by_phase: Mapping[str, list[Point]], **words: Any) -> Plot:
    cation, anion = _species(document)
    lines = (_cloud_and_lowest(points, phase, style) for style, (phase, points) in enumerate(by_phase.items()))
    return Plot(
        x_label=f"{anion} per {cation}",
        series=tuple(series for line in lines for series in line),
        level_of_theory=document["level_of_theory"],
        x_reversed=True,
        **words,
    )


def _cloud_and_lowest(points: list[Point], label: str, style: int) -> list[Series]:
    """Line through the lowest point at each x, and open markers for those above it."""
    lowest: dict[float, Point] = {}
    for point in points:
        key = round(point[0], 9)
        if key not in lowest or point[1] < lowest[key][1]:
            lowest[key] = point
    line = sorted(lowest.values())
    above = [point for point in points if point not in line]
    clouds: tuple[tuple[list[Point], Literal["linked", "points"], str], ...]
    clouds = ((line, "linked", label), (above, "points", ""))
    series = []
    for some, look, name in clouds:
        if some:
            x, y, names = zip(*some, strict=True)
            series.append(Series(label=name, x=x, y=y, names=names, style=style, drawn=look))
    return series


def _species(document: Record) -> tuple[str, str]:
    counts = list(document["sheets"][0]["counts"]) if document.get("sheets") else []
    return (counts[0], counts[1]) if len(counts) > 1 else ("cation", "anion")


def _whole_ratio(document: Record, phase: str) -> float:
    for sheet in document.get("sheets", ()):
        counts = list(sheet["counts"].values())
        if sheet["phase"] == phase and len(counts) > 1:
            return float(counts[1] / counts[0])
    return 1.0
