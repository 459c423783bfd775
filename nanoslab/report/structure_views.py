"""Side and top views of structures for papers, drawn by ASE on matplotlib axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.data.colors import jmol_colors
from ase.visualize.plot import plot_atoms

from nanoslab.errors import unknown_name
from nanoslab.report.draw import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from nanoslab.report.structure_data import Scene

View = Literal["side", "front", "top"]
#: ASE's rotations that bring the third vector up, or towards the reader
ROTATIONS = {"side": "-90x", "front": "-90x,-90y", "top": "0x"}
RADIUS_SCALE = 0.6
GHOST = (1.0, 1.0, 1.0)


def draw_structure(scene: Scene, ax: Axes | None = None, *, view: View = "side", repeat: int = 2) -> Axes:
    """Draw a structure from one side and return the axes; removed atoms are white circles.

    Parameters
    ----------
    scene
        As made by `nanoslab.report.structure_data.scene`.
    ax
        Axes to draw on; those of a new figure when absent.
    view
        ``side`` along the second lattice vector, ``front`` along the first, ``top`` onto the sheet.
    repeat
        Cells shown along both in-plane vectors.

    Examples
    --------
    >>> from nanoslab.calculation import Calculation, Settings
    >>> from nanoslab.report.structure_data import scene
    >>> pair = Atoms("CdSe", positions=[(0, 0, 1), (0, 0, 3.6)], cell=[9, 9, 9], pbc=True)
    >>> shown = scene(Calculation(name="a", role="sheet", atoms=pair, settings=Settings(source="test")))
    >>> draw_structure(shown, view="top").get_xlabel()
    'Å'
    """
    if view not in ROTATIONS:
        raise unknown_name("view", view, ROTATIONS)
    axes = new_axes((3.0, 3.0)) if ax is None else ax
    symbols = (*scene.symbols, *scene.ghost_symbols)
    positions = np.vstack([scene.positions, scene.ghost_positions.reshape(-1, 3)])
    ghosts = np.arange(len(symbols)) >= len(scene.symbols)
    # the tags carry the ghosts through the repetition
    atoms = Atoms(symbols, positions=positions, cell=scene.cell, pbc=True, tags=ghosts)
    if len(scene.symbols) > 1:
        atoms = atoms.repeat((repeat, repeat, 1))
    away = atoms.get_tags().astype(bool)
    colours = np.where(away[:, None], GHOST, jmol_colors[atoms.numbers])
    radii = RADIUS_SCALE * covalent_radii[atoms.numbers]
    plot_atoms(atoms, axes, rotation=ROTATIONS[view], colors=colours, radii=radii, show_unit_cell=0)
    axes.set(xlabel="Å", ylabel="Å")
    axes.tick_params(labelsize=7)
    for name in ("top", "right"):
        axes.spines[name].set_visible(False)
    return axes


def views_figure(scene: Scene) -> Figure:
    """Side, front and top view of a structure beside one another."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 2.9))
    figure.subplots_adjust(left=0.06, right=0.99, bottom=0.13, top=0.92)
    for axes, view in zip(figure.subplots(1, 3), ROTATIONS, strict=True):
        draw_structure(scene, axes, view=view)  # type: ignore[arg-type]
        axes.set_title(view, fontsize=8)
    return figure
