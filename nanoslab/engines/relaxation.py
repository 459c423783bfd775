"""Relax a structure: a line search first, because it needs half the forces; FIRE when that stalls.

Measured with CHGNet on the 28-atom CdSe (11-20) sheet to 0.01 eV/Å (evaluations): BFGS with line search 29, BFGS 53,
L-BFGS 53, FIRE 58; with a surface vacancy 34, 60, 60, 43. The line search also never accepts a step uphill, which
keeps a rough start in its basin; where the noise of an engine stops it, FIRE, which needs forces only, goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.filters import FrechetCellFilter
from ase.optimize import FIRE, BFGSLineSearch

from nanoslab.calculation import Settings
from nanoslab.engines.basin import VACUUM
from nanoslab.errors import EngineError
from nanoslab.slab_geometry import empty_height

OPTIMISERS = (BFGSLineSearch, FIRE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxed:
    """How a relaxation ended.

    Attributes
    ----------
    atoms
        Final structure, with its calculator.
    n_steps
        Ionic steps of all optimisers together.
    converged
        The largest force (and, for a relaxed cell, stress) is below the tolerance.
    optimiser
        The one that ended it; ``none`` for a single energy.

    Examples
    --------
    >>> Relaxed(atoms=Atoms("Se"), n_steps=0, converged=True, optimiser="none").n_steps
    0
    """

    atoms: Atoms
    n_steps: int
    converged: bool
    optimiser: str


def relax(
    atoms: Atoms,
    settings: Settings,
    *,
    max_steps: int,
    logfile: str | None = None,
    on_step: Callable[[Atoms], None] | None = None,
) -> Relaxed:
    """Relax atoms that carry a calculator, respecting their constraints.

    Parameters
    ----------
    atoms
        Start, with a calculator; left unchanged.
    settings
        ``relax`` says what is free (``none``, ``ions``, ``cell``), ``force_tolerance`` when to stop.
    max_steps
        Largest number of steps of each optimiser.
    logfile
        Where the optimisers write a line per step.
    on_step
        Called with the atoms after every step, the start included.

    Returns
    -------
    Relaxed
        A structure that did not converge is returned too, and says so.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from ase.calculators.emt import EMT
    >>> crystal = bulk("Cu", a=3.7)
    >>> crystal.calc = EMT()
    >>> relaxed = relax(crystal, Settings(source="test", relax="cell"), max_steps=50)
    >>> relaxed.converged, round(float(4 * relaxed.atoms.get_volume()) ** (1 / 3), 2)
    (True, 3.59)
    """
    moving = atoms.copy()
    moving.calc = atoms.calc

    def report() -> None:
        if on_step is not None:
            on_step(moving)

    if settings.relax == "none":
        report()
        return Relaxed(atoms=moving, n_steps=0, converged=True, optimiser="none")
    target: Any = moving
    if settings.relax == "cell":
        target = FrechetCellFilter(moving, mask=free_strains(moving))
    n_steps = 0
    converged = False
    name = "none"
    for optimiser_class in OPTIMISERS:
        optimiser = optimiser_class(target, logfile=logfile)
        optimiser.attach(report)
        name = optimiser_class.__name__
        converged = _run(optimiser, settings.force_tolerance, max_steps)
        n_steps += optimiser.nsteps
        if converged:
            break
    return Relaxed(atoms=moving, n_steps=n_steps, converged=converged, optimiser=name)


def free_strains(atoms: Atoms) -> list[int]:
    """Which strains relax, in Voigt's order: all of a crystal, those in the plane of a sheet.

    A sheet is told by its vacuum: along the third lattice vector, perpendicular to the plane xy.

    Examples
    --------
    >>> free_strains(Atoms("Cu", cell=[3, 3, 20], pbc=True))
    [1, 1, 0, 0, 0, 1]
    """
    if empty_height(atoms) < VACUUM:
        return [1, 1, 1, 1, 1, 1]
    if not np.allclose(atoms.cell.array[:2, 2], 0.0, atol=1e-6):
        raise EngineError(
            "relax: cell",
            expected="a sheet whose plane is the plane xy",
            got=f"lattice vectors {atoms.cell.array[:2].round(3).tolist()}",
            advice="turn the cell",
        )
    return [1, 1, 0, 0, 0, 1]


def max_free_force(atoms: Atoms) -> float:
    """Largest force on an atom [eV/Å], fixed components left out.

    Examples
    --------
    >>> from ase.calculators.emt import EMT
    >>> atoms = Atoms("Cu", cell=[9, 9, 9], pbc=True, calculator=EMT())
    >>> max_free_force(atoms)
    0.0
    """
    forces = atoms.get_forces(apply_constraint=True)
    return float(np.linalg.norm(forces, axis=1).max(initial=0.0))


def _run(optimiser: Any, force_tolerance: float, max_steps: int) -> bool:
    try:
        return bool(optimiser.run(fmax=force_tolerance, steps=max_steps))
    except RuntimeError as stalled:
        # ASE's line search gives up this way when the energy is too noisy; the calculator's own errors go on
        if "linesearch" not in str(stalled).lower().replace(" ", ""):
            raise
        return False
