"""Side and top views of structures for papers, on matplotlib axes.

All atoms of a view are one collection of circles: with a patch for each, as ASE draws them, a campaign takes minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from ase.data import atomic_numbers, covalent_radii
from ase.data.colors import jmol_colors
from numpy.typing import NDArray

from nanoslab.errors import unknown_name
from nanoslab.report.draw import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from nanoslab.report.structure_data import Scene

View = Literal["side", "front", "top"]
RADIUS_SCALE = 0.6
#: atoms of one picture, repeated cells counted
MOST_ATOMS = 400


def draw_structure(scene: Scene, ax: Axes | None = None, *, view: View = "side", repeat: int = 2) -> Axes:
    """Draw a structure, ``repeat`` cells along both in-plane vectors, and return the axes; removed atoms are dashed.

    ``side`` and ``front``: the first or the second lattice vector to the right, the normal up; ``top``: onto the sheet.
    """
    from matplotlib.collections import EllipseCollection

    if view not in get_args(View):
        raise unknown_name("view", view, get_args(View))
    axes = new_axes() if ax is None else ax
    frame = _frame(scene.cell, view)
    symbols = (*scene.symbols, *scene.ghost_symbols)
    numbers = np.array([atomic_numbers[symbol] for symbol in symbols])
    gone = np.arange(len(symbols)) >= len(scene.symbols)
    images = np.array([(i, j, 0) for i in range(repeat) for j in range(repeat)]) @ scene.cell
    places = np.vstack([scene.positions, scene.ghost_positions.reshape(-1, 3)])
    seen = (images[:, None, :] + places).reshape(-1, 3) @ frame.T
    order = np.argsort(seen[:, 2], kind="stable")
    numbers, gone = np.tile(numbers, len(images))[order], np.tile(gone, len(images))[order]
    across = 2 * RADIUS_SCALE * covalent_radii[numbers]
    circles = EllipseCollection(
        across,
        across,
        np.zeros(len(order)),
        units="xy",
        offsets=seen[order, :2],
        offset_transform=axes.transData,
        facecolors=np.where(gone[:, None], 1.0, jmol_colors[numbers]),
        edgecolors="black",
        linewidths=0.5,
        linestyles=[(0, (3, 2)) if away else "-" for away in gone],
    )
    axes.add_collection(circles)
    if view == "top":
        _outline(axes, frame @ (repeat * scene.cell[0]), frame @ (repeat * scene.cell[1]))
    margin = float(across.max()) / 2 + 0.3
    axes.set(xlabel="Å", ylabel="Å", aspect="equal")
    axes.set_xlim(seen[:, 0].min() - margin, seen[:, 0].max() + margin)
    axes.set_ylim(seen[:, 1].min() - margin, seen[:, 1].max() + margin)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def views_figure(scene: Scene) -> Figure:
    """Side, front and top view of a structure beside one another."""
    from matplotlib.figure import Figure

    n_atoms = max(len(scene.symbols), 1)
    repeat = 2 if 4 * n_atoms <= MOST_ATOMS else 1
    figure = Figure(figsize=(17.5 / 2.54, 2.8))
    figure.subplots_adjust(left=0.06, right=0.99, bottom=0.14, top=0.92, wspace=0.28)
    for axes, view in zip(figure.subplots(1, 3), get_args(View), strict=True):
        draw_structure(scene, axes, view=view, repeat=repeat)
        axes.set_title(view, fontsize=8)
        axes.xaxis.label.set_size(7)
        axes.yaxis.label.set_size(7)
    return figure


def _frame(cell: NDArray[np.float64], view: View) -> NDArray[np.float64]:
    """Rows: unit vectors to the right, up, and towards the reader."""
    normal = np.cross(cell[0], cell[1])
    normal /= np.linalg.norm(normal)
    along = cell[1 if view == "front" else 0]
    right = along / np.linalg.norm(along)
    up = np.cross(normal, right) if view == "top" else normal
    return np.array([right, up, np.cross(right, up)])


def _outline(axes: Axes, first: NDArray[np.float64], second: NDArray[np.float64]) -> None:
    """Edge of the cells shown, from above."""
    corners = np.array([0 * first, first, first + second, second, 0 * first])
    axes.plot(corners[:, 0], corners[:, 1], color="0.4", linewidth=0.6, zorder=0, clip_on=False)
