"""Plot of an etching: composition against dose, and what is left of every layer, the spread of the runs as bands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from nanoslab.cli.beam.knockon_plot import DASHES, plot_file, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nanoslab.beam.loss.site_etching import SiteEtching


def plot_etching(path: str, etchings: Mapping[float, SiteEtching], pair: tuple[str, str]) -> None:
    """Write the plot: one line style per voltage above, one panel of layers for the first voltage below.

    Parameters
    ----------
    path
        File; its ending chooses the format.
    etchings
        For each voltage [kV] what it leaves.
    pair
        Elements whose ratio is drawn; the layers are those of the first.
    """
    from nanoslab.report.draw import new_panels

    target = plot_file(path)
    figure, (above, below) = new_panels(2)
    for number, (kv, etching) in enumerate(etchings.items()):
        mean, spread = etching.ratio(*pair)
        doses = etching.doses_e_per_A2
        above.plot(
            doses, mean, color="black", linestyle=DASHES[number % len(DASHES)], linewidth=1.2, label=f"{kv:g} kV"
        )
        above.fill_between(doses, mean - spread, mean + spread, color="0.8", linewidth=0)
    above.set_ylabel(f"{pair[0]} per {pair[1]}")
    above.legend(frameon=False)
    kv, first = next(iter(etchings.items()))
    _draw_layers(below, first, pair[0])
    below.set_ylabel(f"{pair[0]} left in the layer, {kv:g} kV")
    below.set_xlabel("dose (e/Å²)")
    below.set_xlim(left=0)
    save(figure, target, path)


def _draw_layers(axes: Axes, etching: SiteEtching, element: str) -> None:
    """Fraction left of every layer that had atoms of the element; darker towards the exit face, which is layer 1."""
    counts = etching.layer_counts[element].astype(float)
    layers = np.flatnonzero(counts[:, 0, 0] > 0)
    for rank, layer in enumerate(layers):
        left = counts[layer] / counts[layer, 0, 0]
        mean, spread = left.mean(axis=0), left.std(axis=0)
        shade = 0.75 * rank / max(len(layers) - 1, 1)
        axes.fill_between(
            etching.doses_e_per_A2, mean - spread, mean + spread, color=str(shade), alpha=0.15, linewidth=0
        )
        axes.plot(etching.doses_e_per_A2, mean, color=str(shade), linewidth=1.0, label=f"{layer + 1}")
    axes.set_ylim(0, 1.05)
    axes.legend(frameon=False, title="layer, 1 = exit face", ncols=4, fontsize=7, title_fontsize=7)
