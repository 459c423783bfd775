"""Plot of the vibrational free energy against temperature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nanoslab.report.plot_data import Plot, Series

Document = Mapping[str, Any]


def thermal_plot(document: Document) -> Plot | None:
    """Vibrational free energy per atom against temperature, for every structure of a document's ``thermal`` records.

    ``thermal`` maps a name to what `nanoslab.energetics.thermal.ThermalProperties.to_dict` gives.

    Examples
    --------
    >>> sheet = {"temperature_K": [0.0, 300.0], "free_energy_eV_per_atom": [0.03, -0.015]}
    >>> thermal_plot({"thermal": {"wurtzite": sheet}}).series[0].y
    (0.03, -0.015)
    """
    records = document.get("thermal") or {}
    if not records:
        return None
    series, imaginary = [], []
    for style, (name, record) in enumerate(records.items()):
        series.append(_line(name, record, "free_energy_eV_per_atom", style, is_thin=False))
        if record.get("n_imaginary_modes"):
            series.append(_line("", record, "free_energy_imaginary_as_real_eV_per_atom", style, is_thin=True))
            imaginary.append(f"{name}: {record['n_imaginary_modes']} of {record['n_modes']} modes are imaginary")
    lowest = min((line for line in series if line.label), key=lambda line: line.y[-1])
    theories = dict.fromkeys(str(record.get("level_of_theory", "")) for record in records.values())
    return Plot(
        name="free_energy",
        title="Vibrational free energy against temperature",
        x_label="temperature (K)",
        y_label="F_vib (eV/atom)",
        series=tuple(series),
        reading=f"At {lowest.x[-1]:g} K {lowest.label} has the lowest F_vib, {lowest.y[-1]:.3f} eV/atom.",
        level_of_theory="; ".join(theory for theory in theories if theory),
        notes=("Harmonic; thin lines count imaginary modes at the size of their frequency.", *imaginary),
    )


def _line(label: str, record: Mapping[str, Any], key: str, style: int, *, is_thin: bool) -> Series:
    x, y = tuple(map(float, record["temperature_K"])), tuple(map(float, record[key]))
    return Series(label=label, x=x, y=y, drawn="line" if is_thin else "linked", style=style, is_thin=is_thin)
