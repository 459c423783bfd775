"""Plots of the free energy against temperature: vibrations of one structure, and one phase less another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nanoslab.plot_data import Guide, Plot, Series

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


def phase_plot(document: Document) -> Plot:
    """Free energy of phases less that of the reference against temperature; a phase is stable below zero.

    Parameters
    ----------
    document
        With ``reference``, ``level_of_theory``, ``temperature_K`` and ``comparisons``, a list of what
        `nanoslab.energetics.free_energy.PhaseComparison.to_dict` gives.

    Examples
    --------
    >>> comparison = {"phase": "zinc blende", "difference_meV_per_atom": [1.0, -2.0], "reading": "crosses",
    ...               "difference_imaginary_as_real_meV_per_atom": [1.0, -2.0], "crossing_temperatures_K": [100.0]}
    >>> plot = phase_plot({"reference": "wurtzite", "level_of_theory": "test", "temperature_K": [0.0, 300.0],
    ...                    "comparisons": [comparison]})
    >>> plot.series[0].y, [guide.value for guide in plot.guides]
    ((1.0, -2.0), [0.0, 100.0])
    """
    reference, comparisons = document["reference"], document["comparisons"]
    series, guides = [], [Guide(axis="y", value=0.0, label=reference)]
    for style, comparison in enumerate(comparisons):
        record = {**comparison, "temperature_K": document["temperature_K"]}
        series.append(_line(comparison["phase"], record, "difference_meV_per_atom", style, is_thin=False))
        as_real = _line("", record, "difference_imaginary_as_real_meV_per_atom", style, is_thin=True)
        if as_real.y != series[-1].y:
            series.append(as_real)
        guides += [
            Guide(axis="x", value=kelvin, label=f"{comparison['phase']}: {kelvin:.0f} K")
            for kelvin in comparison["crossing_temperatures_K"]
        ]
    return Plot(
        name="phases",
        title="Free energy of phases against temperature",
        x_label="temperature (K)",
        y_label=f"F less F of {reference} (meV/atom)",
        series=tuple(series),
        guides=tuple(guides),
        reading=" ".join(comparison["reading"] for comparison in comparisons),
        level_of_theory=str(document["level_of_theory"]),
        notes=("Harmonic; thin lines count imaginary modes at the size of their frequency.",),
    )


def _line(label: str, record: Mapping[str, Any], key: str, style: int, *, is_thin: bool) -> Series:
    x, y = tuple(map(float, record["temperature_K"])), tuple(map(float, record[key]))
    return Series(label=label, x=x, y=y, drawn="line" if is_thin else "linked", style=style, is_thin=is_thin)
