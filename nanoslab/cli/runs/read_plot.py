"""Energy, largest force and electronic steps of runs against the ionic step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nanoslab.errors import FileError
from nanoslab.vasp.runs.convergence import largest_free_force

if TYPE_CHECKING:
    from nanoslab.vasp import RunResult

#: more curves cannot be told apart
MOST = 7


def plot_runs(results: Sequence[RunResult], path: Path) -> int:
    """Write one figure of three panels; returns how many runs it shows: those with ionic steps, the first seven."""
    from matplotlib.ticker import MaxNLocator

    from nanoslab.report.draw import FORMATS, new_panels, save
    from nanoslab.report.style import MARKERS, colour

    if path.suffix.lower() not in FORMATS:
        raise FileError(path, expected=f"a file ending in {', '.join(FORMATS)}", got=repr(path.suffix or path.name))
    shown = [result for result in results if result.steps][:MOST]
    if not shown:
        raise FileError(path, expected="runs with finished ionic steps", got="none", advice="nothing to plot")
    figure, panels = new_panels(3, height=4.2)
    for style, result in enumerate(shown):
        steps = range(1, result.n_ionic_steps + 1)
        energies = [np.nan if step.energy is None else step.energy for step in result.steps]
        last = next((energy for energy in reversed(energies) if np.isfinite(energy)), 0.0)
        curves = (np.array(energies) - last, largest_forces(result), [s.n_electronic_steps for s in result.steps])
        look: dict[str, Any] = {
            "color": colour(style),
            "marker": MARKERS[style % len(MARKERS)][0],
            "markersize": 3,
            "linewidth": 1.2,
        }
        for panel, values in zip(panels, curves, strict=True):
            panel.plot(steps, np.asarray(values), label=result.name, **look)
    for panel, label in zip(
        panels, ("E0 - last E0 (eV)", "largest free force (eV/Å)", "electronic steps"), strict=True
    ):
        panel.set_ylabel(label)
    tolerances = {-number for result in shown if (number := _ediffg(result)) is not None and number < 0}
    for tolerance in sorted(tolerances):
        panels[1].axhline(tolerance, color="0.55", linewidth=0.8, linestyle=":")
    panels[1].set_yscale("log")
    panels[2].set_xlabel("ionic step")
    for panel in panels:
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].legend(frameon=False, fontsize=7)
    save(figure, path)
    return len(shown)


def largest_forces(result: RunResult) -> list[float]:
    """Largest force on a free component after every ionic step [eV/Å]; not a number where the files do not say."""
    try:
        images = result.trajectory()
    except FileError:
        return [float("nan")] * result.n_ionic_steps
    found = []
    for atoms in images:
        forces = atoms.calc.results.get("forces")
        if forces is None:
            found.append(float("nan"))
            continue
        free = np.ones_like(forces, dtype=bool) if result.free is None else result.free
        found.append(largest_free_force(forces, atoms.cell.array, free))
    return found + [float("nan")] * (result.n_ionic_steps - len(found))


def _ediffg(result: RunResult) -> float | None:
    from nanoslab.vasp.runs.numbers import number

    return number(result.parameters.get("EDIFFG", result.incar.get("EDIFFG", "")).split(" ")[0])
