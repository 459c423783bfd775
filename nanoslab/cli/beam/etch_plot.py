"""Plot of an etching: composition against dose, one line style per voltage, the spread of the runs as a band."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nanoslab.cli.beam.knockon_plot import DASHES, plot_file, save

if TYPE_CHECKING:
    from nanoslab.beam.loss.etching import Etching


def plot_etching(path: str, etchings: Mapping[float, Etching], pair: tuple[str, str]) -> None:
    """Write the plot.

    Parameters
    ----------
    path
        File; its ending chooses the format.
    etchings
        For each voltage [kV] what it leaves.
    pair
        Elements whose ratio is drawn.
    """
    from matplotlib.figure import Figure

    target = plot_file(path)
    figure = Figure(figsize=(3.5, 2.8), layout="constrained")
    axes = figure.subplots()
    for number, (kv, etching) in enumerate(etchings.items()):
        mean, spread = etching.ratio(*pair)
        doses = etching.doses_e_per_A2
        axes.plot(doses, mean, color="black", linestyle=DASHES[number % len(DASHES)], linewidth=1.2, label=f"{kv:g} kV")
        axes.fill_between(doses, mean - spread, mean + spread, color="0.8", linewidth=0)
    axes.set_xlabel("dose (e/Å²)")
    axes.set_ylabel(f"{pair[0]} per {pair[1]}")
    axes.set_xlim(left=0)
    axes.legend(frameon=False)
    save(figure, target, path)
