"""Plots of a displacement study: thresholds against direction, cross-sections against voltage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nanoslab.plot_data import Plot, Series, drawn

Document = Mapping[str, Any]


def displacement_plots(document: Document) -> tuple[Plot, ...]:
    """Thresholds against the angle to the beam, and cross-sections against the voltage."""
    return drawn(threshold_plot(document), cross_section_plot(document))


def threshold_plot(document: Document) -> Plot | None:
    """Threshold of every direction against its angle to the beam, one cloud per site.

    Examples
    --------
    >>> row = {"site": "C", "polar_deg": 0.0, "threshold_eV": 22.2, "uncertainty_eV": 0.05, "calculation": "C-000"}
    >>> threshold_plot({"directions": [row], "sites": [{"site": "C", "minimum_eV": 22.2}]}).series[0].y
    (22.2,)
    """
    rows = [row for row in document.get("directions", ()) if row["threshold_eV"] is not None]
    if not rows:
        return None
    names = list(dict.fromkeys(row["site"] for row in rows))
    series = []
    for style, name in enumerate(names):
        own = sorted((row for row in rows if row["site"] == name), key=lambda row: float(row["polar_deg"]))
        series.append(
            Series(
                label=name,
                x=tuple(float(row["polar_deg"]) for row in own),
                y=tuple(float(row["threshold_eV"]) for row in own),
                errors=tuple(float(row["uncertainty_eV"]) for row in own),
                names=tuple(str(row["calculation"]) for row in own),
                drawn="points",
                style=style,
            )
        )
    lowest = {site["site"]: site["minimum_eV"] for site in document["sites"] if site["minimum_eV"] is not None}
    never = sum(row["threshold_eV"] is None for row in document["directions"])
    return Plot(
        name="displacement",
        title="Displacement threshold against direction",
        x_label="angle to the beam (degrees)",
        y_label="threshold (eV)",
        series=tuple(series),
        reading="Lowest: " + ", ".join(f"{name} {energy:.1f} eV" for name, energy in lowest.items()) + ".",
        level_of_theory=str(document.get("level_of_theory", "")),
        notes=(f"{never} directions in which nothing is displaced up to the ceiling are left out.",) if never else (),
    )


def cross_section_plot(document: Document) -> Plot | None:
    """Cross-section of every site against the voltage."""
    series = []
    for style, site in enumerate(document.get("sites", ())):
        rows = [row for row in site["cross_sections"] if row["cross_section_barn"] > 0]
        points = [(float(row["beam_energy_keV"]), float(row["cross_section_barn"])) for row in rows]
        if points:
            x, y = zip(*points, strict=True)
            series.append(Series(label=f"{site['site']} ({site['element']})", x=x, y=y, style=style))
    if not series:
        return None
    strongest = max((max(one.y), one.label) for one in series)
    return Plot(
        name="displacement-cross-section",
        title="Cross-section for displacement",
        x_label="microscope voltage (kV)",
        y_label="cross-section (barn)",
        series=tuple(series),
        reading=f"Up to {strongest[0]:.3g} barn, for {strongest[1]}.",
        level_of_theory=f"{document.get('level_of_theory', '')}; Mott, {document.get('motion', '')}",
        y_log=True,
    )
