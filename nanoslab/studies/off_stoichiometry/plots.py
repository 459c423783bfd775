"""Plots of sheets that lose atoms: hull, limits of the chemical potentials, losses against dose."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import getitem
from typing import Any, Literal

from nanoslab.energetics.hull import lower_hull
from nanoslab.plot_data import Guide, Plot, Series, drawn

Document = Mapping[str, Any]
Record = Mapping[str, Any]


def off_stoichiometry_plots(document: Document) -> tuple[Plot, ...]:
    """Plots of the document of an off-stoichiometry study that hold a point."""
    return drawn(
        hull_plot(document), limits_plot(document), dose_plot(document), phase_plot(document), removal_plot(document)
    )


def hull_plot(document: Document) -> Plot | None:
    """Energy of formation per atom against composition: phases, temperatures, levels; what others saw as lines."""
    groups = _groups(document)
    series = []
    phases = list(dict.fromkeys(row["phase"] for row in document["hull"]))
    for (level, temperature, phase), rows in groups.items():
        label = f"{phase}, {level}" + (f", {temperature:g} K" if temperature else "")
        points = _lowest(rows, "formation_energy_per_atom_eV")
        corners = lower_hull([x / (1 + x) for x, _, _ in points], [y for _, y, _ in points]).tolist()
        style, is_thin = phases.index(phase), bool(temperature)
        if level == "search":
            line = [points[i] for i in corners]
            series.append(_series(line, label, style, drawn="linked", is_thin=is_thin))
        if not temperature:
            above = [point for i, point in enumerate(points) if level == "runs" or i not in corners]
            name = label if level == "runs" else f"{label}, above"
            series.append(_series(above, name, style, drawn="points"))
    return Plot(
        name="hull",
        title="Energy of formation against composition",
        x_label=f"{_anion(document)} per {_cation(document)}",
        y_label="formation from the elements (eV/atom)",
        series=tuple(series),
        guides=tuple(
            Guide(
                axis="x",
                value=one["anion_to_cation"],
                label=f"{one['source']}: {one['phase']}{' ' + one['what'] if one['what'] else ''}",
            )
            for one in document["seen"]
        ),
        reading=_crossing_words(document),
        level_of_theory=document["level_of_theory"],
        x_reversed=True,
        notes=(
            "Lines: the lower hull of each phase over the lowest ways searched; thin: with the entropy of the ways. "
            "Points: compositions above the hull, and the runs of the campaign.",
        ),
    )


def limits_plot(document: Document) -> Plot | None:
    """Excess energy per cell at both ends of the chemical potentials, less that of the first phase's whole sheet."""
    rows = [row for row in document["hull"] if row["level"] == "search" and not row["temperature_K"]]
    if not rows or not rows[0]["excess_energy_eV"]:
        return None
    series, stable = [], []
    phases = list(dict.fromkeys(row["phase"] for row in rows))
    for number, limit in enumerate(rows[0]["excess_energy_eV"]):
        zero = rows[0]["excess_energy_eV"][limit]
        for phase in phases:
            own = [row for row in rows if row["phase"] == phase]
            lowest = _lowest(own, "excess_energy_eV", limit)
            shifted = [(x, y - zero, name) for x, y, name in lowest]
            series.append(
                _series(shifted, f"{phase}, {limit}", phases.index(phase) + len(phases) * number, drawn="points")
            )
        energies = [row["excess_energy_eV"][limit] for row in rows]
        best = rows[energies.index(min(energies))]
        stable.append(f"{limit}: {best['phase']} {_formula(best)}")
    return Plot(
        name="limits",
        title="Excess energy at both limits of the chemical potentials",
        x_label=f"{_anion(document)} per {_cation(document)}",
        y_label="excess energy of the cell (eV)",
        series=tuple(series),
        reading="Lowest sheet, " + "; ".join(stable) + ".",
        level_of_theory=document["search"]["level_of_theory"],
        x_reversed=True,
        notes=(
            "Zero is the whole sheet of the first phase. Cells of the phases hold as many atoms where they are whole.",
        ),
    )


def dose_plot(document: Document) -> Plot | None:
    """Composition against dose of the kinetic paths, with the band of the runs, and what others saw."""
    rows = document["doses"]
    if not rows:
        return None
    doses = tuple(row["dose_e_per_A2"] for row in rows)
    phase = document["start"]["phase"]
    band = tuple((row["low"], row["high"]) for row in rows)
    label = f"{phase}, median of the runs and the band of 80 % of them"
    series = [Series(label=label, x=doses, y=tuple(row["median"] for row in rows), band=band, drawn="line")]
    seen = [one for one in document["seen"] if one["dose_e_per_A2"]]
    for style, one in enumerate(seen, start=1):
        label = f"{one['source']}{', ' + one['what'] if one['what'] else ''}"
        series.append(
            Series(label=label, x=(one["dose_e_per_A2"],), y=(one["anion_to_cation"],), drawn="points", style=style)
        )
    last = rows[-1]
    return Plot(
        name="dose",
        title="Composition against dose",
        x_label="dose (e/Å²)",
        y_label=f"{_anion(document)} per {_cation(document)}",
        series=tuple(series),
        reading=f"At {last['dose_e_per_A2']:.2g} e/Å² half of the runs have at most {last['median']:.2f} "
        f"{_anion(document)} per {_cation(document)}.",
        level_of_theory=document["search"]["level_of_theory"],
        x_log=True,
        notes=(
            "One cell, its exit face alone, knock-on alone, every loss relaxed. The ratio falls in steps of one atom.",
        ),
    )


def phase_plot(document: Document) -> Plot | None:
    """Share of the kinetic paths at whose composition a phase is the lower one, against dose."""
    rows = document["doses"]
    phases = sorted({phase for row in rows for phase in row["lower_phase"]})
    if not phases:
        return None
    return Plot(
        name="phase_of_dose",
        title="Lower phase at the composition of the paths",
        x_label="dose (e/Å²)",
        y_label="share of the runs",
        series=tuple(
            Series(
                label=phase,
                x=tuple(row["dose_e_per_A2"] for row in rows),
                y=tuple(row["lower_phase"].get(phase, 0.0) for row in rows),
                drawn="line",
                style=style,
            )
            for style, phase in enumerate(phases)
        ),
        reading="At the last dose "
        + ", ".join(f"{p} in {rows[-1]['lower_phase'].get(p, 0.0):.0%}" for p in phases)
        + ".",
        level_of_theory=document["search"]["level_of_theory"],
        x_log=True,
        notes=("By energy at rest; whether a sheet gets over the barrier to the other phase is another question.",),
    )


def removal_plot(document: Document) -> Plot | None:
    """Mean energy to take the next atom to vacuum, against its number, by kind of path."""
    series = []
    for style, kind in enumerate(dict.fromkeys(path["kind"] for path in document["paths"])):
        own = [path["losses"] for path in document["paths"] if path["kind"] == kind]
        steps = range(max(map(len, own), default=0))
        values = [[losses[step]["removal_energy_eV"] for losses in own if len(losses) > step] for step in steps]
        series.append(
            Series(
                label=kind,
                x=tuple(float(step + 1) for step in steps),
                y=tuple(sum(value) / len(value) for value in values),
                style=style,
            )
        )
    first = series[0].y[0] if series and series[0].y else None
    if first is None:
        return None
    return Plot(
        name="removal_energy",
        title="Energy to remove the next atom of the exit face",
        x_label="atoms lost",
        y_label="energy to remove (eV)",
        series=tuple(series),
        reading=f"The first costs {first:.2f} eV at least.",
        level_of_theory=document["search"]["level_of_theory"],
    )


def _series(
    points: list[tuple[float, float, str]],
    label: str,
    style: int,
    *,
    drawn: Literal["linked", "points"],
    is_thin: bool = False,
) -> Series:
    x, y, names = (tuple(column) for column in zip(*points, strict=True)) if points else ((), (), ())
    return Series(label=label, x=x, y=y, names=names, style=style, drawn=drawn, is_thin=is_thin)


def _groups(document: Document) -> dict[tuple[str, float, str], list[Record]]:
    groups: dict[tuple[str, float, str], list[Record]] = {}
    for row in document["hull"]:
        groups.setdefault((row["level"], row["temperature_K"], row["phase"]), []).append(row)
    return groups


def _lowest(rows: list[Record], *keys: str) -> list[tuple[float, float, str]]:
    """Composition, lowest value there, and formula, by rising composition."""
    found: dict[float, tuple[float, float, str]] = {}
    for row in rows:
        x, y = row["anion_to_cation"], float(reduce(getitem, keys, row))  # type: ignore[arg-type]
        if x not in found or y < found[x][1]:
            found[x] = (x, y, _formula(row))
    return [found[x] for x in sorted(found)]


def _formula(row: Record) -> str:
    return "".join(f"{element}{n}" for element, n in row["counts"].items())


def _crossing_words(document: Document) -> str:
    words = []
    for row in document["crossings"]:
        low, high = row["lowest_anion_to_cation"], row["highest_anion_to_cation"]
        ends = " to ".join("beyond" if end is None else f"{end:.2f}" for end in (low, high))
        where = row["anion_to_cation"]
        at = "only within the uncertainty" if where is None else f"at {where:.2f}"
        words.append(f"{row['level']}, {row['temperature_K']:g} K: {row['before']} to {row['after']} {at} ({ends})")
    return ("The lower phase changes, " + "; ".join(words) + ".") if words else "One phase is the lower one throughout."


def _cation(document: Document) -> str:
    return str(next(iter(document["start"]["counts"])))


def _anion(document: Document) -> str:
    return str(list(document["start"]["counts"])[1])
