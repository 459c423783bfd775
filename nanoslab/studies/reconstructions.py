"""Search for reconstructions: many displaced starts in several cells, relaxed side by side, their distinct ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ase import Atoms

from nanoslab.builders.distortion import distorted_starts
from nanoslab.calculation import Settings
from nanoslab.engines import Engine
from nanoslab.engines.batch import relax_batch
from nanoslab.measure.minima import Minimum, distinct_minima, like_bonds

#: structures that relax side by side
TOGETHER = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconstructions:
    """What a search found.

    Attributes
    ----------
    reference_energy, reference_bonds
        Of the structure relaxed as it was given: per atom [eV], and its bonds between like atoms.
    structures, cells
        Every relaxed start and its repetition in the plane.
    minima
        Distinct ones, lowest first; `Minimum.members` count into `structures`.
    failed
        Why starts are left out: not converged, fallen apart.
    level_of_theory
        Of all energies.
    """

    reference_energy: float
    reference_bonds: dict[str, int]
    structures: tuple[Atoms, ...]
    cells: tuple[tuple[int, int], ...]
    minima: tuple[Minimum, ...]
    failed: tuple[str, ...]
    level_of_theory: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """What is tried: repetitions in the plane, starts in each, their displacements [Å] and the first seed."""

    cells: tuple[tuple[int, int], ...] = ((1, 1),)
    count: int = 20
    standard_deviation: float = 0.1
    seed: int = 0


def search_reconstructions(
    atoms: Atoms,
    engine: Engine,
    settings: Settings,
    starts: Starts,
    *,
    report: Callable[[str], None] = lambda _text: None,
) -> Reconstructions:
    """Relax displaced starts of a sheet and tell their distinct ends.

    Parameters
    ----------
    atoms
        Sheet or surface, with its constraints; not changed.
    engine, settings
        What computes, and the largest force and number of steps.
    starts
        Which starts.
    report
        Called with a line of words after every batch.

    Returns
    -------
    Reconstructions
        Minima that these starts reach. Other cells, other numbers of atoms and rearrangements farther away than a
        displacement and one pulled pair are not searched.

    Examples
    --------
    >>> from ase.build import add_adsorbate, fcc100
    >>> from nanoslab.engines import engine
    >>> slab = fcc100("Cu", (2, 2, 2), vacuum=8.0, periodic=True)
    >>> add_adsorbate(slab, "Cu", 2.0, "ontop")
    >>> settings = Settings(source="example", force_tolerance=0.05)
    >>> found = search_reconstructions(slab, engine("ase.calculators.emt:EMT"), settings, Starts(count=3))
    >>> found.minima[0].energy_per_atom < found.reference_energy - 0.01  # on top was a saddle
    True
    """
    [whole] = relax_batch(engine, [atoms], settings, max_steps=settings.max_ionic_steps)
    tries = [
        (cell, start)
        for cell in starts.cells
        for start in distorted_starts(
            atoms * (*cell, 1), starts.count, standard_deviation=starts.standard_deviation, seed=starts.seed
        )
    ]
    structures: list[Atoms] = []
    cells: list[tuple[int, int]] = []
    failed: list[str] = []
    for begin in range(0, len(tries), TOGETHER):
        batch = tries[begin : begin + TOGETHER]
        ended = relax_batch(engine, [start for _, start in batch], settings, max_steps=settings.max_ionic_steps)
        for number, ((cell, _), one) in enumerate(zip(batch, ended, strict=True), start=begin):
            if one.problems:
                failed.append(f"start {number} ({cell[0]}x{cell[1]}): {'; '.join(one.problems)}")
                continue
            structures.append(one.atoms)
            cells.append(cell)
        report(f"{min(begin + TOGETHER, len(tries))} of {len(tries)} starts relaxed")
    return Reconstructions(
        reference_energy=whole.energy / len(atoms),
        reference_bonds=like_bonds(whole.atoms),
        structures=tuple(structures),
        cells=tuple(cells),
        minima=distinct_minima(structures, [float(one.get_potential_energy()) for one in structures]),
        failed=tuple(failed),
        level_of_theory=engine.level_of_theory,
    )


def share_with_bonds(found: Reconstructions, pairs: Sequence[str]) -> float:
    """Part of all starts whose end has a bond of every one of these pairs, such as Se-Se and Cd-Cd."""
    reached = [all(pair in like_bonds(atoms) for pair in pairs) for atoms in found.structures]
    return sum(reached) / max(len(reached) + len(found.failed), 1)
