"""Plot of the quick calculator: E_max and cross-section against voltage, for paper in black and white."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nanoslab.beam.conditions import Conditions, Threshold
from nanoslab.beam.kinematics import max_transferred_energy, threshold_beam_energy
from nanoslab.beam.knockon import velocity_variance
from nanoslab.errors import FileError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DASHES = ("-", "--", "-.", ":")
MARKERS = "os^Dv<>p"
N_POINTS = 300
LABEL: dict[str, Any] = {
    "fontsize": 7,
    "ha": "right",
    "va": "bottom",
    "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1},
}


def plot_knockon(
    path: str, thresholds: Mapping[str, Sequence[Threshold]], kilovolts: Sequence[float], conditions: Conditions | None
) -> None:
    """Write the plot; one line style and marker per element, thresholds as thin lines with their voltage.

    Parameters
    ----------
    path
        File; its ending chooses the format.
    thresholds
        For each element the energies to leave, none for E_max alone.
    kilovolts
        Voltages to mark.
    conditions
        How atoms are hit and move; None for E_max alone.
    """
    from nanoslab.report.draw import new_panels

    target = plot_file(path)
    energies = _range(thresholds, kilovolts, conditions)
    figure, axes = new_panels(1 if conditions is None else 2, height=7.0)
    _draw_energies(axes[0], energies, thresholds, kilovolts)
    if conditions is not None:
        _draw_cross_sections(axes[1], energies, thresholds, conditions)
    axes[-1].set_xlabel("beam energy (keV)")
    save(figure, target, path)


def plot_file(path: str) -> Path:
    """The file of ``--plot``, refused before anything is drawn when it cannot be one."""
    target = Path(path)
    formats = (".pdf", ".svg", ".png", ".eps")
    if target.suffix.lower() not in formats or not target.parent.is_dir():
        raise FileError("--plot", expected=f"a file in a folder that exists, ending in {', '.join(formats)}", got=path)
    return target


def save(figure: Figure, target: Path, path: str) -> None:
    """Write a figure."""
    try:
        figure.savefig(target, dpi=200)
    except OSError as error:
        raise FileError("--plot", expected="a file that can be written", got=f"{path}: {error.strerror}") from None


def _range(
    thresholds: Mapping[str, Sequence[Threshold]], kilovolts: Sequence[float], conditions: Conditions | None
) -> Array:
    """Beam energies from half the lowest threshold voltage or 20 keV to beyond the highest one marked [keV]."""
    marks = [threshold_beam_energy(e, t.energy) for e, those in thresholds.items() for t in those]
    limit = 1500.0 if conditions is not None else 10_000.0
    low = max(10.0, 0.5 * min([*marks, *kilovolts, 40.0]))
    high = min(limit, 1.15 * max([*[mark for mark in marks if mark < 600], *kilovolts, 300.0]))
    return np.linspace(low, high, N_POINTS)


def _draw_energies(
    axes: Axes, energies: Array, thresholds: Mapping[str, Sequence[Threshold]], kilovolts: Sequence[float]
) -> None:
    for index, (element, those) in enumerate(thresholds.items()):
        largest = max_transferred_energy(element, energies)
        axes.plot(energies, largest, **_style(index), label=element)
        for threshold in those:
            axes.axhline(threshold.energy, color="0.45", linewidth=0.7, linestyle=DASHES[index % len(DASHES)])
            at = threshold_beam_energy(element, threshold.energy)
            if energies[0] <= at <= energies[-1]:
                text = f"{element} {threshold.energy:.3g} eV\n{at:.0f} kV"
                axes.plot([at], [threshold.energy], "k+", markersize=9)
                # beside the mark, away from the border that is near
                near = at < energies[0] + 0.25 * (energies[-1] - energies[0])
                look = {**LABEL, "ha": "left" if near else "right"}
                axes.annotate(text, (at, threshold.energy), (5 if near else -5, 5), textcoords="offset points", **look)
    for kv in kilovolts:
        axes.axvline(kv, color="0.75", linewidth=0.7, zorder=0)
    axes.set_ylabel("largest transferred energy (eV)")
    axes.set_xlim(energies[0], energies[-1])
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, handlelength=3.5, fontsize=8)


def _draw_cross_sections(
    axes: Axes, energies: Array, thresholds: Mapping[str, Sequence[Threshold]], conditions: Conditions
) -> None:
    from nanoslab.beam.cross_section import displacement_cross_section

    largest = 1e-3
    for index, (element, those) in enumerate(thresholds.items()):
        for order, threshold in enumerate(those):
            barns = displacement_cross_section(
                element,
                energies,
                threshold.energy,
                model=conditions.model,
                escape=conditions.escape,
                masses="standard" if conditions.temperature is None else "isotopes",
                velocity_variance=velocity_variance(element, conditions),
            )
            shown = np.where(barns > 0, barns, np.nan)
            style = {**_style(index), "linewidth": 1.4 if order == 0 else 0.7}
            axes.plot(energies, shown, **style, label=f"{element}, {threshold.energy:.3g} eV")
            at = threshold_beam_energy(element, threshold.energy)
            axes.axvline(at, color="0.45", linewidth=0.7, linestyle=DASHES[index % len(DASHES)])
            largest = max(largest, float(barns.max()))
    axes.set_yscale("log")
    axes.set_ylim(1e-5 * largest, 3 * largest)
    axes.set_ylabel(f"cross-section, {conditions.escape} (barn)")
    axes.legend(frameon=False, handlelength=3.5, fontsize=8)


def _style(index: int) -> dict[str, Any]:
    return {
        "color": "black",
        "linestyle": DASHES[index % len(DASHES)],
        "marker": MARKERS[index % len(MARKERS)],
        "markevery": (10 + 7 * index, 48),
        "markersize": 4,
        "markerfacecolor": "white",
        "linewidth": 1.4,
    }
