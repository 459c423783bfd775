"""Every plot that a study's document can be drawn as: from ``results.json`` alone, so that no run is needed again.

A plot is made when the document holds its records, whatever study wrote them; a new study with such records gets
its plots for free.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nanoslab.report.beam_plots import cross_section_plot, etching_plot, transfer_plot
from nanoslab.report.neck_gap_plots import gap_plot, neck_plot
from nanoslab.report.plot_data import Plot
from nanoslab.report.thermal_plots import thermal_plot
from nanoslab.report.vacancy_plots import (
    energy_per_atom_plot,
    formation_energy_per_atom_plot,
    formation_energy_plot,
)

Document = Mapping[str, Any]

#: each answers None when the document lacks what it draws; the order is that of the page
MAKERS: tuple[Callable[[Document], Plot | None], ...] = (
    transfer_plot,
    formation_energy_plot,
    energy_per_atom_plot,
    formation_energy_per_atom_plot,
    neck_plot,
    gap_plot,
    thermal_plot,
    cross_section_plot,
    etching_plot,
)


def plots_of(document: Document) -> tuple[Plot, ...]:
    """All plots of a study's document, in the order of the page.

    Examples
    --------
    >>> gaps = [{"gap_A": 4.0, "energy_eV": -1.0}, {"gap_A": 6.0, "energy_eV": -1.4}]
    >>> [plot.name for plot in plots_of({"level_of_theory": "test", "gaps": gaps})]
    ['gap']
    """
    made = (make(document) for make in MAKERS)
    return tuple(plot for plot in made if plot is not None and not plot.is_empty)
