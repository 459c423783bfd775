"""Plot of the vibrational free energy against temperature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nanoslab.report.plot_data import Plot, Series

Document = Mapping[str, Any]


def thermal_plot(document: Document) -> Plot | None:
    """Free energy per atom against temperature, for every phase of a document's ``thermal`` records.

    Each record is one temperature of one phase: ``phase, temperature_K, free_energy_per_atom_eV``.

    Examples
    --------
    >>> rows = [{"phase": "wurtzite", "temperature_K": t, "free_energy_per_atom_eV": -t / 1024} for t in (0, 512)]
    >>> thermal_plot({"thermal": rows}).series[0].y
    (0.0, -0.5)
    """
    rows = document.get("thermal", ())
    if not rows:
        return None
    series = []
    for style, phase in enumerate(dict.fromkeys(str(row.get("phase", "")) for row in rows)):
        points = sorted(
            (float(row["temperature_K"]), float(row["free_energy_per_atom_eV"]))
            for row in rows
            if str(row.get("phase", "")) == phase
        )
        x, y = zip(*points, strict=True)
        series.append(Series(label=phase, x=x, y=y, drawn="line", style=style))
    lowest = min(series, key=lambda line: line.y[-1])
    return Plot(
        name="free_energy",
        title="Vibrational free energy against temperature",
        x_label="temperature (K)",
        y_label="F_vib (eV/atom)",
        series=tuple(series),
        reading=f"At {lowest.x[-1]:g} K {lowest.label or 'it'} has the lowest vibrational free energy, "
        f"{lowest.y[-1]:.3f} eV/atom.",
        level_of_theory=str(document.get("level_of_theory", "")),
    )
