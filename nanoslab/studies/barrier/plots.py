"""Plots of a barrier study: energy along the paths, rates against temperature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nanoslab.plot_data import Plot, Series


def path_plot(document: Mapping[str, Any]) -> Plot | None:
    """Energy above the start against the distance along each path."""
    rows = document.get("barriers", ())
    if not rows:
        return None
    rising = sorted(rows, key=lambda row: row["barrier_eV"])
    barriers = ", ".join(f"{row['calculation']} {row['barrier_eV']:.2f} eV" for row in rising)
    return Plot(
        name="path",
        title="Energy along the path",
        x_label="distance along the path (Å)",
        y_label="energy above the start (eV)",
        series=tuple(
            Series(label=row["calculation"], x=tuple(row["path_A"]), y=tuple(row["energies_eV"]), style=style)
            for style, row in enumerate(rows)
        ),
        reading=f"{'Barriers, the lowest first' if rising[1:] else 'Barrier'}: {barriers}.",
        level_of_theory=str(document.get("level_of_theory", "")),
    )


def rate_plot(document: Mapping[str, Any]) -> Plot | None:
    """Common logarithm of the rates against temperature."""
    import math

    kelvin = tuple(document.get("temperatures_K", ()))
    rows = [row for row in document.get("barriers", ()) if row["rates_per_s"] and min(row["rates_per_s"]) > 0]
    if not rows:
        return None
    found = ", ".join(f"{row['calculation']} {row['rates_per_s'][0]:.1e} per second" for row in rows)
    return Plot(
        name="rate",
        title="Rates of harmonic transition state theory",
        x_label="temperature (K)",
        y_label="log10 of the rate (1/s)",
        series=tuple(
            Series(
                label=row["calculation"],
                x=kelvin,
                y=tuple(math.log10(rate) for rate in row["rates_per_s"]),
                style=style,
            )
            for style, row in enumerate(rows)
        ),
        reading=f"At {kelvin[0]:g} K: {found}.",
        level_of_theory=str(document.get("level_of_theory", "")),
    )
