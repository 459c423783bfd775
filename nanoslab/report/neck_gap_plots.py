"""Plots of two facets: energy of a neck against its size, and energy against the gap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nanoslab.report.plot_data import Guide, Plot, Series

Document = Mapping[str, Any]


def neck_plot(document: Document) -> Plot | None:
    """Energy of a neck relative to bulk pairs against the pairs it holds, with the critical size.

    Examples
    --------
    >>> necks = [{"n_pairs": n, "delta_energy_eV": e} for n, e in ((1, 1.0), (4, 2.5), (9, 3.0), (16, 2.0))]
    >>> neck_plot({"necks": necks, "critical_pairs": 9}).guides[0].value
    9.0
    """
    rows = [row for row in document.get("necks", ()) if row.get("delta_energy_eV") is not None]
    if not rows:
        return None
    lowest: dict[int, Mapping[str, Any]] = {}
    for row in rows:
        best = lowest.get(row["n_pairs"])
        if best is None or row["delta_energy_eV"] < best["delta_energy_eV"]:
            lowest[row["n_pairs"]] = row
    line = [lowest[n] for n in sorted(lowest)]
    above = [row for row in rows if not any(row is kept for kept in line)]
    series = [_necks(line, "lowest at each size", "linked")]
    if above:
        series.append(_necks(above, "other shapes", "points"))
    critical, interval = document.get("critical_pairs"), document.get("critical_pairs_interval")
    guides = (
        () if critical is None else (Guide(axis="x", value=float(critical), label=f"critical: {critical:g} pairs"),)
    )
    reading = "The computed sizes show no critical size." if critical is None else f"Critical size {critical:g} pairs."
    if critical is not None and interval:
        low, high = interval
        reading = (
            f"Critical size {critical:g} pairs, between {low:g} and {'any size' if high is None else f'{high:g}'}."
        )
    return Plot(
        name="neck_energy",
        title="Energy of a neck against its size",
        x_label="pairs in the neck",
        y_label="dE(n) (eV)",
        series=tuple(series),
        reading=reading,
        level_of_theory=str(document.get("level_of_theory", "")),
        guides=guides,
        notes=("dE(n) = E(necked) - E(double slab) - n E(bulk pair): relative to bulk, no barrier (Wang 2020).",),
    )


def gap_plot(document: Document) -> Plot | None:
    """Energy of two facets against the gap between them, with the minimum.

    Examples
    --------
    >>> gaps = [{"gap_A": 6.0, "energy_eV": -1.4}, {"gap_A": 4.0, "energy_eV": -1.0}]
    >>> gap_plot({"gaps": gaps, "minimum_gap_A": 6.3}).series[0].y
    (0.3..., 0.0)
    """
    rows = [row for row in document.get("gaps", ()) if row.get("energy_eV") is not None]
    if not rows:
        return None
    lowest = min(float(row["energy_eV"]) for row in rows)
    minimum = document.get("minimum_gap_A")
    groups = dict.fromkeys(str(row.get("series", row.get("ligand", "")) or "") for row in rows)
    series = []
    for style, group in enumerate(groups):
        points = sorted(
            (float(row["gap_A"]), float(row["energy_eV"]) - lowest)
            for row in rows
            if str(row.get("series", row.get("ligand", "")) or "") == group
        )
        x, y = zip(*points, strict=True)
        series.append(Series(label=group, x=x, y=y, style=style))
    return Plot(
        name="gap",
        title="Energy against the gap",
        x_label="gap (Å)",
        y_label="energy - lowest computed (eV)",
        series=tuple(series),
        reading="The computed gaps hold no minimum." if minimum is None else f"Lowest at a gap of {minimum:.2f} Å.",
        level_of_theory=str(document.get("level_of_theory", "")),
        guides=() if minimum is None else (Guide(axis="x", value=float(minimum), label=f"{minimum:.2f} Å"),),
    )


def _necks(rows: list[Mapping[str, Any]], label: str, drawn: Any) -> Series:
    return Series(
        label=label,
        x=tuple(float(row["n_pairs"]) for row in rows),
        y=tuple(float(row["delta_energy_eV"]) for row in rows),
        names=tuple(str(row.get("label", row.get("calculation", ""))) for row in rows),
        drawn=drawn,
        style=0 if drawn == "linked" else 1,
    )
