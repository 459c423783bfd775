"""What a picture of a structure shows: atoms with their plane, neighbours and displacement, bonds, and what left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from ase import Atoms
from ase.cell import Cell
from ase.geometry import find_mic
from ase.neighborlist import natural_cutoffs, neighbor_list
from numpy.typing import NDArray

from nanoslab.beam.binding import NEIGHBOUR_FACTOR
from nanoslab.calculation import Calculation, CalculationResult, Run
from nanoslab.slab_geometry import plane_numbers, slab_heights, widest_gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One structure as it is shown.

    Attributes
    ----------
    positions, cell
        Of atoms, whole across the border of the cell (n_atoms, 3), and the lattice vectors as rows [Å].
    planes, coordination, displacements
        Of every atom: its plane counted from the bottom, its neighbours, and how far it moved from the start [Å].
    bonds
        Pairs of atoms, (n_bonds, 5): both indices and the periodic image of the second.
    ghost_symbols, ghost_positions
        Atoms that were removed, where the parent had them.
    is_final
        Whether this is the relaxed structure; else the start.
    """

    name: str
    caption: str
    symbols: tuple[str, ...]
    positions: NDArray[np.float64]
    cell: NDArray[np.float64]
    planes: NDArray[np.intp]
    coordination: NDArray[np.intp]
    displacements: NDArray[np.float64]
    bonds: NDArray[np.intp]
    ghost_symbols: tuple[str, ...] = ()
    ghost_positions: NDArray[np.float64]
    parent: str = ""  #: name of the structure it was made from
    is_final: bool = False

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    def to_dict(self) -> dict[str, Any]:
        """Compact document for the page: hundredths of an Å are enough for a picture."""
        ghosts = np.round(self.ghost_positions, 2).tolist()
        return {
            "name": self.name,
            "parent": self.parent,
            "caption": self.caption,
            "symbols": list(self.symbols),
            "positions": np.round(self.positions, 2).tolist(),
            "cell": np.round(self.cell, 3).tolist(),
            "planes": self.planes.tolist(),
            "coordination": self.coordination.tolist(),
            "displacements": np.round(self.displacements, 2).tolist(),
            "bonds": self.bonds.tolist(),
            "ghosts": [[symbol, *place] for symbol, place in zip(self.ghost_symbols, ghosts, strict=True)],
        }


def scene(calculation: Calculation, result: CalculationResult | None = None, parent: Atoms | None = None) -> Scene:
    """Scene of a calculation, relaxed where it is; atoms that were removed from ``parent`` are shown as ghosts."""
    start = calculation.atoms
    final = result.atoms if result is not None else None
    is_final = final is not None and len(final) == len(start)
    shown = (final if is_final and final is not None else start).copy()
    heights, _ = slab_heights(start)
    shift = _lift(shown)
    first, second, image = neighbor_list("ijS", shown, natural_cutoffs(shown, mult=NEIGHBOUR_FACTOR))
    once = (first < second) | ((first == second) & _is_positive(image))
    ghosts = _ghosts(calculation, parent)
    return Scene(
        name=calculation.name,
        parent=calculation.starts_from or "",
        caption=caption(calculation, result if is_final else None),
        symbols=tuple(shown.get_chemical_symbols()),
        positions=shown.positions,
        cell=np.asarray(shown.cell[:]),
        planes=plane_numbers(heights),
        coordination=np.bincount(first, minlength=len(shown)),
        displacements=_displacements(start, final) if is_final and final is not None else np.zeros(len(shown)),
        bonds=np.column_stack([first[once], second[once], image[once]]),
        ghost_symbols=tuple(ghosts.get_chemical_symbols()),
        ghost_positions=_beside(ghosts.positions + shift, shown.cell),
        is_final=is_final,
    )


def scenes(runs: Sequence[Run], roles_left_out: Sequence[str] = ()) -> tuple[Scene, ...]:
    """Scenes of all runs but those of some roles, each vacancy with the atoms its parent had."""
    last = {
        run.calculation.name: run.calculation.atoms if run.result.atoms is None else run.result.atoms for run in runs
    }
    return tuple(
        scene(run.calculation, run.result, last.get(run.calculation.starts_from or ""))
        for run in runs
        if run.calculation.role.kind not in roles_left_out
    )


def caption(calculation: Calculation, result: CalculationResult | None = None) -> str:
    """What the structure is, in words, with the result whose structure is shown."""
    n_lost = len(calculation.removed_indices)
    lost = f", {n_lost} {'atom' if n_lost == 1 else 'atoms'} removed" if n_lost else ""
    formula = calculation.atoms.get_chemical_formula()
    if result is None or result.atoms is None:
        state = "as built"
    elif calculation.settings.relax == "none":
        state = "as built (single point)"
    else:
        state = "relaxed" if result.converged else "relaxed, not converged"
    return f"{calculation.role.kind} {calculation.name}: {formula}{lost}, {state}"


def _lift(atoms: Atoms) -> NDArray[np.float64]:
    """Close the sheet across the border of the cell and put it at mid-height; returns the shift of the whole."""
    if atoms.cell.rank < 3:
        return np.zeros(3)
    fractional = atoms.get_scaled_positions(wrap=True)
    _, lowest = widest_gap(fractional[:, 2])
    fractional[:, 2] = (fractional[:, 2] - lowest + 1e-9) % 1
    middle = 0.5 - fractional[:, 2].max() / 2
    fractional[:, 2] += middle
    atoms.set_scaled_positions(fractional)
    shift: NDArray[np.float64] = (middle - lowest) * np.asarray(atoms.cell[2])
    return shift


def _ghosts(calculation: Calculation, parent: Atoms | None) -> Atoms:
    removed = list(calculation.removed_indices)
    if parent is None or not removed or max(removed) >= len(parent):
        return Atoms()
    return parent[removed]


def _beside(positions: NDArray[np.float64], cell: Cell) -> NDArray[np.float64]:
    """Images of positions that lie with the sheet at mid-height."""
    if cell.rank < 3 or not len(positions):
        return positions
    fractional = cell.scaled_positions(positions)
    fractional[:, :2] %= 1
    fractional[:, 2] -= np.round(fractional[:, 2] - 0.5)
    placed: NDArray[np.float64] = fractional @ cell[:]
    return placed


def _displacements(start: Atoms, final: Atoms) -> NDArray[np.float64]:
    """Distance moved in the relaxation, the drift of the whole taken out [Å]."""
    vectors, _ = find_mic(final.positions - start.positions, final.cell, final.pbc)
    vectors, _ = find_mic(vectors - np.median(vectors, axis=0), final.cell, final.pbc)
    return np.asarray(np.linalg.norm(vectors, axis=1))


def _is_positive(image: NDArray[np.intp]) -> NDArray[np.bool_]:
    """One of each pair of opposite images."""
    first = image[:, 0] > 0
    second = (image[:, 0] == 0) & (image[:, 1] > 0)
    third = (image[:, 0] == 0) & (image[:, 1] == 0) & (image[:, 2] > 0)
    return np.asarray(first | second | third)
