"""Relax a structure: a line search first, because it needs half the forces; FIRE when that stalls.

Measured with CHGNet on the 28-atom CdSe (11-20) sheet to 0.01 eV/Å (evaluations): BFGS with line search 29, BFGS 53,
L-BFGS 53, FIRE 58; with a surface vacancy 34, 60, 60, 43. The line search also never accepts a step uphill, which
keeps a rough start in its basin; where the noise of an engine stops it, FIRE, which needs forces only, goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ase import Atoms
from ase.filters import FrechetCellFilter
from ase.optimize import FIRE, BFGSLineSearch
from ase.units import GPa

from nanoslab.engines.basin import VACUUM, judge_shape
from nanoslab.engines.interface import Ended, Task
from nanoslab.errors import EngineError
from nanoslab.slab_geometry import empty_height, sheet_stress

OPTIMISERS = (BFGSLineSearch, FIRE)
#: largest stress left where the lattice is free [kbar]; 0.1 % of strain in a crystal of 50 GPa
STRESS_TOLERANCE = 0.5


def relax(atoms: Atoms, task: Task) -> Ended:
    """Relax what ``settings.relax`` frees (ions, or the cell too), respecting constraints, and judge the end."""
    settings, role = task.calculation.settings, task.calculation.role
    begin = atoms.copy()
    free = free_strains(atoms) if settings.relax == "cell" else None
    target: Any = FrechetCellFilter(atoms, mask=free) if free else atoms

    accepted = atoms.copy()

    def at_rest() -> bool:
        accepted.set_cell(atoms.cell)
        accepted.set_positions(atoms.positions, apply_constraint=False)
        return max_free_force(atoms) < settings.force_tolerance and (
            not free or largest_stress(atoms, free) < STRESS_TOLERANCE
        )

    n_steps, converged, name = 0, False, "none"
    for optimiser_class in OPTIMISERS:
        optimiser = optimiser_class(target, logfile=str(task.log))
        optimiser.attach(task.on_step, atoms=atoms)
        name = optimiser_class.__name__
        try:
            converged = _run(optimiser, at_rest, task.max_steps)
        except EngineError:
            # a long trial step came where the engine has no answer: the next goes on in short ones
            if not optimiser.nsteps or optimiser_class is OPTIMISERS[-1]:
                raise
            atoms.set_cell(accepted.cell)
            atoms.set_positions(accepted.positions, apply_constraint=False)
        n_steps += optimiser.nsteps
        if converged:
            break
    wrong: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    if settings.relax != "cell" or role.kind == "lateral":
        wrong, remarks = judge_shape(begin, atoms, role.kind)
    if not converged:
        left = f"{max_free_force(atoms):.3f} eV/Å after {n_steps} steps, asked {settings.force_tolerance:g}"
        if free:
            left += f"; {largest_stress(atoms, free):.2f} kbar, asked {STRESS_TOLERANCE:g}"
        wrong = (f"not converged: {left}", *wrong)
    return Ended(atoms=atoms, n_steps=n_steps, optimiser=name, wrong=wrong, remarks=remarks)


def free_strains(atoms: Atoms) -> list[int]:
    """Which strains relax, in Voigt's order: all of a crystal, those in the plane of a sheet.

    A sheet is told by its vacuum: along the third lattice vector, perpendicular to the plane xy.
    """
    if empty_height(atoms) < VACUUM:
        return [1, 1, 1, 1, 1, 1]
    if not np.allclose(atoms.cell.array[:2, 2], 0.0, atol=1e-6):
        expected, got = "a sheet whose plane is the plane xy", atoms.cell.array[:2].round(3).tolist()
        raise EngineError("relax: cell", expected=expected, got=f"lattice vectors {got}", advice="turn the cell")
    return [1, 1, 0, 0, 0, 1]


def max_free_force(atoms: Atoms) -> float:
    """Largest force on an atom [eV/Å], fixed components left out."""
    forces = atoms.get_forces(apply_constraint=True)
    return float(np.linalg.norm(forces, axis=1).max(initial=0.0))


def largest_stress(atoms: Atoms, free: list[int]) -> float:
    """Largest component of the stress on a strain that is free [kbar]; of a sheet on its own thickness."""
    stress = atoms.get_stress() / (0.1 * GPa) if all(free) else sheet_stress(atoms)
    return float(np.abs(stress).max())


def _run(optimiser: Any, at_rest: Callable[[], bool], max_steps: int) -> bool:
    # ASE's own limit would judge the lattice by a force that depends on the number of atoms: here it is out of reach
    try:
        return any(at_rest() for _ in optimiser.irun(fmax=0.0, steps=max_steps))
    except RuntimeError as stalled:
        # ASE's line search gives up this way when the energy is too noisy; the calculator's own errors go on
        if "linesearch" not in str(stalled).lower().replace(" ", ""):
            raise
        return False
