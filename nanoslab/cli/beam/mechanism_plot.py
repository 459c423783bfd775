"""Map of what could explain a loss: voltage against dose, each verdict with its own hatching."""

from __future__ import annotations

import numpy as np

from nanoslab.beam.planning.mechanisms import ASSISTED, KNOCK_ON, LOW_THRESHOLD, UNKNOWN, explanation_map
from nanoslab.cli.beam.knockon_plot import plot_file, save

#: verdict -> shade and hatching
LOOKS = {KNOCK_ON: ("1.0", ""), LOW_THRESHOLD: ("0.9", "//"), ASSISTED: ("0.75", ".."), UNKNOWN: ("0.55", "xx")}
N_KILOVOLTS, N_DOSES = 41, 61


def plot_mechanisms(path: str, material: str, losses: dict[str, float], marked: list[tuple[float, float]]) -> None:
    """Write the map, one panel per element.

    Parameters
    ----------
    path
        File; its ending chooses the format.
    material
        Formula or name.
    losses
        Fraction that was seen to be lost, by element.
    marked
        Voltages [kV] and doses [e/Å²] to mark.
    """
    from matplotlib.patches import Patch

    from nanoslab.report.draw import new_panels

    target = plot_file(path)
    kilovolts = np.linspace(40, max([300.0, *(kv for kv, _ in marked)]), N_KILOVOLTS)
    around = [dose for _, dose in marked]
    doses = np.geomspace(min([1e1, *around]) / 2, max([1e9, *around]) * 2, N_DOSES)
    figure, panels = new_panels(len(losses), height=7.8)
    order = list(LOOKS)
    for axes, (element, loss) in zip(panels, losses.items(), strict=True):
        cells = explanation_map(material, element, loss, kilovolts.tolist(), doses.tolist())
        ranks = np.array([[order.index(cell.verdict) for cell in row] for row in cells])
        shades, hatches = zip(*LOOKS.values(), strict=True)
        levels = np.arange(len(order) + 1) - 0.5
        axes.contourf(doses, kilovolts, ranks, levels=levels, colors=shades, hatches=hatches)
        for kv, dose in marked:
            axes.plot([dose], [kv], "k+", markersize=10)
        axes.set_xscale("log")
        axes.set_ylabel("beam energy (keV)")
        axes.set_title(f"{element} of {material}, {100 * loss:g} % lost", fontsize=9)
    panels[-1].set_xlabel("dose (e/Å²)")
    patches = [
        Patch(facecolor=shade, hatch=hatch, edgecolor="0.3", label=name) for name, (shade, hatch) in LOOKS.items()
    ]
    figure.legend(handles=patches, loc="outside lower center", frameon=False, fontsize=6)
    save(figure, target, path)
