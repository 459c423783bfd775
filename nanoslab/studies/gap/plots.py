"""Plots of a gap study: energy against the gap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nanoslab.plot_data import Guide, Plot, Series

Document = Mapping[str, Any]


def gap_plot(document: Document) -> Plot | None:
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
    x, y = tuple(float(row["gap_A"]) for row in rows), tuple(float(row["energy_eV"]) for row in rows)
    names = tuple(str(row.get("calculation", "")) for row in rows)
    minimum, spread = document.get("minimum_gap_A"), document.get("minimum_gap_uncertainty_A")
    guides = [] if minimum is None else [Guide(axis="x", value=float(minimum), label=f"minimum {minimum:.2f} Å")]
    compared = document.get("compared_with")
    if compared:
        guides += [Guide(axis="x", value=float(gap), label=str(compared["source"])) for gap in compared["gap_A"]]
    reading = str(document.get("minimum_problem") or "The computed gaps hold no minimum.")
    if minimum is not None:
        reading = f"Lowest at a gap of {minimum:.2f}{f' ± {spread:.2f}' if spread is not None else ''} Å."
    return Plot(
        name="gap",
        title="Energy against the gap",
        x_label="gap (Å)",
        y_label="energy per cell (eV)",
        series=(Series(label="computed", x=x, y=y, names=names),),
        reading=reading,
        level_of_theory=str(document.get("level_of_theory", "")),
        guides=tuple(guides),
    )
