"""Plots of the free energy against temperature: vibrations of structures, and one phase less another."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nanoslab.errors import FileError
from nanoslab.plot_data import Guide, Plot, Series, drawn

Document = Mapping[str, Any]
NOTE = "Harmonic; thin lines count imaginary modes at the size of their frequency."


def thermal_plot(records: Mapping[str, Document]) -> Plot:
    """Vibrational free energy per atom against temperature, from documents of studies of phonons by name."""
    keys = ("free_energy_eV_per_atom", "free_energy_imaginary_as_real_eV_per_atom")
    series = [line for n, (name, one) in enumerate(records.items()) for line in _lines(name, one, keys, n)]
    lowest = min((line for line in series if line.label), key=lambda line: line.y[-1])
    imaginary = {name: one.get("n_imaginary_modes") for name, one in records.items()}
    return Plot(
        name="free_energy",
        title="Vibrational free energy against temperature",
        x_label="temperature (K)",
        y_label="F_vib (eV/atom)",
        series=tuple(series),
        reading=f"At {lowest.x[-1]:g} K {lowest.label} has the lowest F_vib, {lowest.y[-1]:.3f} eV/atom.",
        level_of_theory="; ".join(dict.fromkeys(str(one.get("level_of_theory", "")) for one in records.values())),
        notes=(
            NOTE,
            *(f"{name}: {n} of {records[name]['n_modes']} modes are imaginary" for name, n in imaginary.items() if n),
        ),
    )


def folder_plots(folder: Path) -> tuple[Plot, ...]:
    """Free energies that ``nanoslab phonons`` left in sub-folders of a campaign, by the name of the folder."""
    records = {}
    for path in sorted(folder.glob("*/thermal.json")):
        try:
            records[path.parent.name] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            advice = "give 'nanoslab phonons' again, or remove the file"
            raise FileError(path, expected="what 'nanoslab phonons' wrote", got=str(error), advice=advice) from error
    return drawn(thermal_plot(records)) if records else ()


def phase_plot(document: Document) -> Plot:
    """Free energy of phases less that of the reference against temperature; a phase is stable below zero."""
    keys = ("difference_meV_per_atom", "difference_imaginary_as_real_meV_per_atom")
    comparisons = [{**one, "temperature_K": document["temperature_K"]} for one in document["comparisons"]]
    crossings = [
        Guide(axis="x", value=kelvin, label=f"{one['phase']}: {kelvin:.0f} K")
        for one in comparisons
        for kelvin in one["crossing_temperatures_K"]
    ]
    return Plot(
        name="phases",
        title="Free energy of phases against temperature",
        x_label="temperature (K)",
        y_label=f"F less F of {document['reference']} (meV/atom)",
        series=tuple(line for n, one in enumerate(comparisons) for line in _lines(one["phase"], one, keys, n)),
        guides=(Guide(axis="y", value=0.0, label=document["reference"]), *crossings),
        reading=" ".join(one["reading"] for one in comparisons),
        level_of_theory=str(document["level_of_theory"]),
        notes=(NOTE,),
    )


def _lines(label: str, record: Document, keys: Sequence[str], style: int) -> list[Series]:
    """Curve without imaginary modes, and a thin one with them counted as real where it differs."""
    x = tuple(map(float, record["temperature_K"]))
    plain, as_real = (tuple(map(float, record[key])) for key in keys)
    thin = Series(label="", x=x, y=as_real, drawn="line", style=style, is_thin=True)
    return [Series(label=label, x=x, y=plain, style=style), *([] if plain == as_real else [thin])]
