"""Plots of what the beam does: energy handed over, cross-section, and the composition that a dose leaves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from nanoslab.beam import (
    displacement_cross_section,
    max_transferred_energy,
    surviving_fraction,
    threshold_beam_energy,
    threshold_interval,
)
from nanoslab.beam.conditions import Conditions
from nanoslab.beam.knockon import velocity_variance
from nanoslab.plot_data import Guide, Plot, Series
from nanoslab.studies.result import Record

LOWEST_KEV, N_POINTS = 40.0, 121
CONDITIONS = Conditions()
HOW = (
    "Mott scattering, natural isotopes, 300 K, threshold the same in every direction. Lines: the threshold is "
    "cost of removal E_rem, its lower bound; bands: up to 5/3 of it (Egerton 2010). Knock-on alone."
)


class Removal(NamedTuple):
    """What it costs to take an atom of an element out of a phase to vacuum [eV]."""

    element: str
    phase: str
    energy: float

    @property
    def label(self) -> str:
        """For the legend."""
        return f"{self.element} ({self.phase})" if self.phase else self.element


def removals(document: Record) -> tuple[Removal, ...]:
    """Energies of removal in a document's beam records, each once; those that are not positive bound nothing."""
    found = {
        (row["element"], phase): Removal(row["element"], phase, float(energy))
        for row in document.get("beam", ())
        for phase, energy in row.get("removal_energy_eV", {}).items()
        if energy is not None and energy > 0
    }
    return tuple(found.values())


def transfer_plot(document: Record) -> Plot | None:
    """Largest energy handed to an atom against the beam energy, with what it costs to remove one."""
    beam = document.get("beam", ())
    if not beam:
        return None
    energies = _beam_energies(document)
    elements = list(dict.fromkeys(row["element"] for row in beam))
    series = [
        _line(f"{element}: E_max", energies, np.asarray(max_transferred_energy(element, energies)), style)
        for style, element in enumerate(elements)
    ]
    costs, ends = removals(document), (float(energies[0]), float(energies[-1]))
    series += [
        Series(label=f"{cost.label}: E_rem", x=ends, y=(cost.energy, cost.energy), style=style)
        for style, cost in enumerate(costs, start=len(elements))
    ]
    onsets = [f"{cost.label} from {threshold_beam_energy(cost.element, cost.energy):.0f} kV" for cost in costs]
    reading = "No cost of removal is known yet."
    if onsets:
        reading = f"E_max reaches the cost of removal of {', of '.join(onsets)}."
    return Plot(
        name="transferred_energy",
        title="Energy that the beam hands over, and what an atom costs",
        x_label="beam energy (keV)",
        y_label="energy (eV)",
        series=tuple(series),
        reading=reading,
        level_of_theory=document["level_of_theory"],
        guides=_kilovolts(document),
        notes=(
            "E_max: head-on collision, exact relativistic kinematics, mean mass, nucleus at rest. E_rem of the "
            "most loosely bound atom of the sheet is a lower bound of the displacement threshold.",
        ),
    )


def cross_section_plot(document: Record) -> Plot | None:
    """Cross-section for knocking an atom out, with the cost of removal and 5/3 of it as the threshold."""
    costs = removals(document)
    if not costs:
        return None
    energies = _beam_energies(document)
    series = []
    for style, cost in enumerate(costs):
        most, least = (_barns(cost.element, energies, threshold) for threshold in threshold_interval(cost.energy))
        label = f"{cost.label}, E_rem = {cost.energy:.2f} eV"
        series.append(_line(label, energies, most, style, other=least))
    largest = max(max(line.y) for line in series)
    # A logarithmic axis would else spend itself on the tail that thermal motion adds below the threshold
    series = [_cut(line, 1e-5 * largest) for line in series]
    at = max((row["beam_energy_keV"] for row in document["beam"]), default=300.0)
    readings = [f"{float(_barns(c.element, np.array([at]), c.energy)[0]):.0f} barn for {c.label}" for c in costs]
    return Plot(
        name="cross_section",
        title="Cross-section for displacement",
        x_label="beam energy (keV)",
        y_label="cross-section (barn)",
        series=tuple(series),
        reading=f"At {at:g} kV the cross-section is at most {', '.join(readings)}.",
        level_of_theory=document["level_of_theory"],
        guides=_kilovolts(document),
        y_log=True,
        notes=(HOW,),
    )


def etching_plot(document: Record) -> Plot | None:
    """Anions per cation that a dose leaves, were every atom as loose as the loosest: the fastest knock-on can be."""
    costs = removals(document)
    sheets = {sheet["phase"]: sheet["counts"] for sheet in document.get("sheets", ())}
    wanted = [phase for phase in dict.fromkeys(cost.phase for cost in costs) if len(sheets.get(phase, {})) > 1]
    if not wanted:
        return None
    doses = np.geomspace(1e2, 1e8, N_POINTS)
    kilovolts = list(dict.fromkeys(row["beam_energy_keV"] for row in document["beam"]))
    series, cation, anion = [], *list(sheets[wanted[0]])[:2]
    for style, (phase, kv) in enumerate((p, kv) for p in wanted for kv in kilovolts):
        ratios = []
        for which in (0, 1):
            barns = {
                cost.element: float(_barns(cost.element, np.array([kv]), threshold_interval(cost.energy)[which])[0])
                for cost in costs
                if cost.phase == phase
            }
            left = {e: n * np.asarray(surviving_fraction(barns.get(e, 0.0), doses)) for e, n in sheets[phase].items()}
            ratios.append(left[anion] / left[cation])
        series.append(_line(f"{phase}, {kv:g} kV", doses, ratios[0], style, other=ratios[1]))
    fast = _dose_to(series, doses, 0.8)
    reading = f"No curve reaches {cation}:{anion} = 1:0.8 up to {doses[-1]:.0e} e/Å²."
    if fast:
        reading = (
            f"With every atom as loose as the loosest, {cation}:{anion} would reach 1:0.8 at {fast[0]:.1e} e/Å² "
            f"({fast[1]}); atoms below a surface leave later."
        )
    return Plot(
        name="etching",
        title="Composition against dose",
        x_label="dose (e/Å²)",
        y_label=f"{anion} per {cation} left",
        series=tuple(series),
        reading=reading,
        level_of_theory=document["level_of_theory"],
        guides=(Guide(axis="y", value=0.8, label="1:0.8"),),
        x_log=True,
        notes=(
            "exp(-σ × dose) for each element whose cost of removal is known, every atom as loose as the loosest, "
            "elements without one are kept; atoms below a surface leave later. " + HOW,
        ),
    )


def _dose_to(series: list[Series], doses: Any, ratio: float) -> tuple[float, str] | None:
    reached = [
        (float(doses[np.argmax(np.asarray(line.y) <= ratio)]), line.label) for line in series if min(line.y) <= ratio
    ]
    return min(reached) if reached else None


def _barns(element: str, energies: Any, threshold: float) -> Any:
    variance = velocity_variance(element, CONDITIONS)
    barns = displacement_cross_section(element, energies, threshold, masses="isotopes", velocity_variance=variance)
    return np.atleast_1d(barns)


def _line(label: str, x: Any, y: Any, style: int, *, other: Any = None) -> Series:
    """Line with the band to the other end of its interval."""
    band = () if other is None else tuple(zip(y.tolist(), other.tolist(), strict=True))
    return Series(label=label, x=tuple(x.tolist()), y=tuple(y.tolist()), drawn="line", style=style, band=band)


def _cut(line: Series, lowest: float) -> Series:
    """Line without what is smaller; its band ends there."""
    y = tuple(value if value > lowest else float("nan") for value in line.y)
    band = tuple((max(a, lowest), max(b, lowest)) if a > lowest else (np.nan, np.nan) for a, b in line.band)
    return replace(line, y=y, band=band)


def _beam_energies(document: Record) -> Any:
    highest = max([300.0, *(row["beam_energy_keV"] for row in document["beam"])])
    return np.linspace(LOWEST_KEV, 1.1 * highest, N_POINTS)


def _kilovolts(document: Record) -> tuple[Guide, ...]:
    energies = dict.fromkeys(row["beam_energy_keV"] for row in document["beam"])
    return tuple(Guide(axis="x", value=energy, label=f"{energy:g} kV") for energy in energies)
