"""Plots of atoms lost from sheets: energies of formation, and energies per atom against composition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nanoslab.plot_data import Plot, Series, drawn
from nanoslab.studies.vacancies.beam_plots import cross_section_plot, etching_plot, transfer_plot

Document = Mapping[str, Any]
Record = Mapping[str, Any]
#: x, y, label
Point = tuple[float, float, str]


def vacancy_plots(document: Document) -> tuple[Plot, ...]:
    """Plots of the document of a vacancy study that hold a point."""
    return drawn(
        transfer_plot(document),
        formation_energy_plot(document),
        energy_per_atom_plot(document),
        formation_energy_per_atom_plot(document),
        cross_section_plot(document),
        etching_plot(document),
    )


def formation_energy_plot(document: Document) -> Plot | None:
    """Formation energy of each lost atom against the number lost, for atoms taken to vacuum."""
    rows = [row for row in document.get("vacancies", ()) if _reference(row) and row["n_removed"]]
    if not rows:
        return None
    reference = "atom" if all("atom" in row["formation_energy_eV"] for row in rows) else "element"
    rows = [row for row in rows if reference in row["formation_energy_eV"]]
    series = []
    for style, group in enumerate(_groups(rows)):
        points = [
            (float(row["n_removed"]), row["formation_energy_eV"][reference] / row["n_removed"], row["label"])
            for row in rows
            if _group(row) == group
        ]
        series += _cloud_and_lowest(points, group, style)
    cheapest = min(rows, key=lambda row: row["formation_energy_eV"][reference] / row["n_removed"])
    energy = cheapest["formation_energy_eV"][reference] / cheapest["n_removed"]
    where = "the free atom" if reference == "atom" else "the elemental crystal"
    return Plot(
        name="formation_energy",
        title="Formation energy of each lost atom",
        x_label="atoms lost",
        y_label=f"E_f({reference}) per lost atom (eV)",
        series=tuple(series),
        reading=f"Cheapest: {cheapest['phase']} {cheapest['label']}, {energy:.2f} eV per lost atom.",
        level_of_theory=_theory(document),
        notes=(f"Chemical potential: {where}. The line joins the lowest at each number; other points lie above it.",),
    )


def energy_per_atom_plot(document: Document) -> Plot | None:
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


def formation_energy_per_atom_plot(document: Document) -> Plot | None:
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


def _points_by_phase(document: Document, key: str) -> dict[str, list[Point]]:
    """Phase -> (anions per cation, energy, label) of every structure that lost atoms and has that energy."""
    found: dict[str, list[Point]] = {}
    for row in document.get("vacancies", ()):
        if row["cation_to_anion"] and row.get(key) is not None:
            found.setdefault(row["phase"], []).append((1 / row["cation_to_anion"], row[key], row["label"]))
    return found


def _composition_plot(document: Document, by_phase: Mapping[str, list[Point]], **words: Any) -> Plot:
    cation, anion = _species(document)
    lines = (_cloud_and_lowest(points, phase, style) for style, (phase, points) in enumerate(by_phase.items()))
    return Plot(
        x_label=f"{anion} per {cation}",
        series=tuple(series for line in lines for series in line),
        level_of_theory=_theory(document),
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
    series = [_series(line, label, style)]
    if above:
        series.append(_series(above, "", style, drawn="points"))
    return series


def _series(points: list[Point], label: str, style: int, drawn: Any = "linked") -> Series:
    x, y, names = zip(*points, strict=True) if points else ((), (), ())
    return Series(label=label, x=x, y=y, names=names, style=style, drawn=drawn)


def _groups(rows: list[Record]) -> list[str]:
    return list(dict.fromkeys(_group(row) for row in rows))


def _group(row: Record) -> str:
    return f"{row['phase']}, {'+'.join(row['removed'])}"


def _reference(row: Record) -> bool:
    return any(name in row.get("formation_energy_eV", {}) for name in ("atom", "element"))


def _species(document: Document) -> tuple[str, str]:
    counts = list(document["sheets"][0]["counts"]) if document.get("sheets") else []
    return (counts[0], counts[1]) if len(counts) > 1 else ("cation", "anion")


def _whole_ratio(document: Document, phase: str) -> float:
    for sheet in document.get("sheets", ()):
        counts = list(sheet["counts"].values())
        if sheet["phase"] == phase and len(counts) > 1:
            return float(counts[1] / counts[0])
    return 1.0


def _theory(document: Document) -> str:
    return str(document.get("level_of_theory", ""))
