"""Convergence checks: electrons of every ionic step within EDIFF, forces or energy of the ions within EDIFFG."""

from __future__ import annotations

import numpy as np
from ase.units import GPa
from numpy.typing import NDArray

from nanoslab.vasp.runs.numbers import Array
from nanoslab.vasp.runs.parsed_file import IonicStep
from nanoslab.vasp.runs.parsed_run import ParsedRun

#: energies in vasprun.xml have eight decimals, so an EDIFF of 1e-9 cannot be told from zero
_LAST_DIGIT = 1.001e-8
_FORCE_DIGIT = 1e-6
_DEFAULT_EDIFF, _DEFAULT_NELM = 1e-4, 60
#: changes of energy below this are noise of the electronic steps [eV per atom]
_ENERGY_NOISE = 1e-6
#: VASP judges the energy its line search expects to gain; the change it then finds was up to 15 times as large
_LINE_SEARCH = 50
_RELAXATIONS = ("relaxation", "image of a chain", "dimer", "reaction path")


def unconverged_steps(run: ParsedRun) -> tuple[int, ...]:
    """Ionic steps (from 1) whose electrons did not converge, whatever VASP printed.

    A step is converged when its last change of energy is within EDIFF, or when it stopped before NELM with a
    change of that order. A single electronic step has no change: it counts when NELM allows more.
    """
    tolerance, limit = _electronic_tolerance(run), run.integer("NELM", _DEFAULT_NELM)
    return tuple(i for i, step in enumerate(run.steps, 1) if not _electrons_converged(step, tolerance, limit))


def _electronic_tolerance(run: ParsedRun) -> float:
    given = run.value("EDIFF")
    return _DEFAULT_EDIFF if given is None else given


def _electrons_converged(step: IonicStep, tolerance: float, limit: int) -> bool:
    if step.energy_change is None:
        return 0 < step.n_electronic_steps < limit
    change = abs(step.energy_change)
    if change <= tolerance + _LAST_DIGIT:
        return True
    return step.n_electronic_steps < limit and change <= 10 * tolerance


def electronic_converged(run: ParsedRun) -> bool | None:
    """Whether the electrons of every finished ionic step converged; None when none was begun."""
    if run.steps:
        return not unconverged_steps(run)
    return False if any(output.unfinished_electronic_steps for output in run.outputs) else None


def max_free_force(run: ParsedRun) -> float | None:
    """Largest force on a free component (along the lattice vectors) at the end [eV/Å], or None when not known."""
    frame, free = run.final[0] if run.final else None, run.free
    if frame is None or frame.forces is None or not len(frame.forces):
        return None
    forces = frame.forces
    if free is None:
        largest = float(np.linalg.norm(forces, axis=1).max())
        tolerance = run.value("EDIFFG") or 0.0
        hidden = run.says_reached and tolerance < 0 and largest > -tolerance
        return None if hidden else largest
    if len(free) != len(forces):
        return None
    return largest_free_force(forces, frame.lattice, free)


def largest_free_force(forces: Array, lattice: Array, free: NDArray[np.bool_]) -> float:
    """Largest force [eV/Å] as VASP has it: along the lattice vectors, components that are fixed put to zero."""
    along = forces @ np.linalg.inv(lattice)
    return float(np.linalg.norm(np.where(free, along, 0.0) @ lattice, axis=1).max())


def ionic_converged(run: ParsedRun) -> bool | None:
    """Whether a relaxation reached EDIFFG; None when nothing was relaxed."""
    if run.kind not in _RELAXATIONS:
        return None
    if not run.steps:
        return False
    if run.kind != "relaxation":
        # of chains only VASP knows the projected forces: it said so, or it stopped before NSW without being killed
        return run.complete and _stopped_early(run) if run.says_reached is None else run.says_reached
    tolerance = run.value("EDIFFG")
    if tolerance is None:
        tolerance = 10 * _electronic_tolerance(run)
    return _forces_converged(run, -tolerance) if tolerance < 0 else _energy_converged(run, tolerance)


def _stopped_early(run: ParsedRun) -> bool:
    return len(run.steps) < run.integer("NSW", 0)


def _forces_converged(run: ParsedRun, tolerance: float) -> bool:
    force, said = max_free_force(run), bool(run.says_reached)
    if force is None:
        return said
    if force > tolerance * (1 + 1e-3) + _FORCE_DIGIT:
        return False
    if said or not cell_moves(run):
        return said or run.complete
    return run.complete and (_stopped_early(run) or _stress_converged(run, tolerance))


def cell_moves(run: ParsedRun) -> bool:
    """Whether the cell is relaxed too."""
    return run.integer("ISIF", 2) >= 3


def _stress_converged(run: ParsedRun, tolerance: float) -> bool:
    """VASP's own test: no component of stress times volume above the tolerance times the number of atoms."""
    frame = run.final[0] if run.final else None
    if frame is None or frame.stress is None:
        return False
    words = (run.tag("LATTICE_CONSTRAINTS") or "").upper().split()
    free = [word.strip(".").startswith("T") for word in words] if len(words) == 3 else [True] * 3
    stress = np.where(np.outer(free, free), frame.stress - np.eye(3) * (run.value("PSTRESS") or 0.0), 0.0)
    per_cell = np.abs(stress).max() * 0.1 * GPa * abs(np.linalg.det(frame.lattice))
    return bool(per_cell <= tolerance * max(1, len(frame.scaled_positions)))


def _energy_converged(run: ParsedRun, tolerance: float) -> bool:
    if run.says_reached is not None or not run.complete or tolerance == 0:
        return bool(run.says_reached)
    tolerance = max(tolerance, _ENERGY_NOISE * len(run.symbols))
    change = last_ionic_change(run)
    if change is None:
        return _stopped_early(run)
    return change <= tolerance or (_stopped_early(run) and change <= _LINE_SEARCH * tolerance)


def last_ionic_change(run: ParsedRun) -> float | None:
    """Change of F between the last two ionic steps [eV]."""
    if len(run.steps) < 2:
        return None
    before, last = run.steps[-2].free_energy, run.steps[-1].free_energy
    return None if before is None or last is None else abs(last - before)
