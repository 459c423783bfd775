"""Many structures at once: one call of the engine gives the energies and forces of all, and all relax side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.optimize import FIRE
from numpy.typing import NDArray

from nanoslab.calculation import Settings
from nanoslab.engines.basin import judge_shape
from nanoslab.engines.interface import Energies, Engine
from nanoslab.engines.procedures.relax import max_free_force
from nanoslab.errors import EngineError


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """One structure of a batch, relaxed.

    Attributes
    ----------
    atoms
        Final structure, with its energy and forces.
    energy
        [eV].
    max_free_force
        Largest force on a free component [eV/Å].
    n_steps
        Steps taken.
    problems
        Why it is not to be used: not converged, fallen apart, refused by the engine, whose energy then is no number;
        empty when it is fine.
    """

    atoms: Atoms
    energy: float
    max_free_force: float
    n_steps: int
    problems: tuple[str, ...]


def evaluate(engine: Engine, structures: Sequence[Atoms], settings: Settings) -> Energies:
    """Energy [eV] and forces [eV/Å] of every structure: one call where the engine can, else one after the other."""
    if engine.batch is not None:
        return engine.batch(structures, settings, engine.options)
    found = []
    for atoms in structures:
        own = atoms.copy()
        own.calc = engine.calculator(own, settings)
        found.append((float(own.get_potential_energy()), np.asarray(own.get_forces(apply_constraint=False))))
    return found


def relax_batch(
    engine: Engine,
    starts: Sequence[Atoms],
    settings: Settings,
    *,
    max_steps: int,
    on_step: Callable[[int], None] | None = None,
) -> list[BatchResult]:
    """Relax the atoms of many structures at fixed cells, each with its own FIRE, all forces of a step in one call.

    Parameters
    ----------
    engine, settings
        What computes, and when to stop (``force_tolerance``).
    starts
        Structures with their constraints; not changed.
    max_steps
        Steps after which a structure is given back unconverged.
    on_step
        Called after every step with the number of structures that still move.
    """
    moving = [atoms.copy() for atoms in starts]
    optimisers = [FIRE(atoms, logfile=None) for atoms in moving]
    active, steps = list(range(len(moving))), [0] * len(moving)
    refused: dict[int, str] = {}
    for step in range(max_steps + 1):
        for i, found in zip(active, _evaluated(engine, [moving[i] for i in active], settings), strict=True):
            if isinstance(found, EngineError):
                refused[i] = str(found)
            else:
                moving[i].calc = SinglePointCalculator(moving[i], energy=found[0], forces=found[1])
        active = [i for i in active if i not in refused and max_free_force(moving[i]) > settings.force_tolerance]
        if on_step is not None:
            on_step(len(active))
        if not active or step == max_steps:
            break
        for i in active:
            optimisers[i].step()
            steps[i] += 1
    return [
        _refused(final, n, refused[i]) if i in refused else _judged(engine, start, final, n, settings)
        for i, (start, final, n) in enumerate(zip(starts, moving, steps, strict=True))
    ]


def _evaluated(
    engine: Engine, structures: Sequence[Atoms], settings: Settings
) -> Sequence[tuple[float, NDArray[np.float64]] | EngineError]:
    """Energies and forces of all; where the engine refuses one, each by itself, and the refusal in its place."""
    try:
        return evaluate(engine, structures, settings)
    except EngineError as error:
        if len(structures) == 1:
            return [error]
    return [found for atoms in structures for found in _evaluated(engine, [atoms], settings)]


def _refused(final: Atoms, n_steps: int, reason: str) -> BatchResult:
    return BatchResult(atoms=final, energy=np.nan, max_free_force=np.nan, n_steps=n_steps, problems=(reason,))


def _judged(engine: Engine, start: Atoms, final: Atoms, n_steps: int, settings: Settings) -> BatchResult:
    force = max_free_force(final)
    wrong, _ = judge_shape(start, final, "vacancy")
    if force > settings.force_tolerance:
        wrong = (f"not converged: {force:.3f} eV/Å after {n_steps} steps, asked {settings.force_tolerance:g}", *wrong)
    return BatchResult(
        atoms=final,
        energy=float(final.get_potential_energy()),
        max_free_force=force,
        n_steps=n_steps,
        problems=(*wrong, *engine.refusals(final)),
    )
