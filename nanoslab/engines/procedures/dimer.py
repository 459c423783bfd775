"""A saddle from one structure and a direction, without knowing where it leads.

Henkelman and Jonsson, J. Chem. Phys. 111 (1999) 7010; rotations of Kastner and Sherwood, ibid. 128 (2008) 014106.
"""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.mep import DimerControl, MinModeAtoms, MinModeTranslate

from nanoslab.engines.interface import Ended, Task
from nanoslab.engines.procedures.modes import frequencies_THz
from nanoslab.engines.procedures.relax import max_free_force, relax


def dimer(atoms: Atoms, task: Task) -> Ended:
    """Relax the start, push it along a direction, and climb to the saddle nearest to it.

    Parameters of the calculation: ``direction_A``, a displacement of every atom, shape (n, 3), and optionally
    ``vibrating_atoms``, those whose modes are computed.
    """
    ask, tolerance = task.calculation.parameters, task.calculation.settings.force_tolerance
    start = relax(atoms, task)
    below = float(atoms.get_potential_energy())
    direction = np.asarray(ask["direction_A"], float)
    atoms.set_positions(atoms.positions + direction)
    control = DimerControl(logfile=None, eigenmode_logfile=None, max_num_rot=4)
    climbing = MinModeAtoms(atoms, control, eigenmodes=[direction / np.linalg.norm(direction)], random_seed=0)
    with MinModeTranslate(climbing, logfile=str(task.log)) as optimiser:
        optimiser.attach(lambda: task.on_step(atoms))
        converged = bool(optimiser.run(fmax=tolerance, steps=task.max_steps))
        n_steps = start.n_steps + optimiser.nsteps
    wrong = list(start.wrong)
    if not converged:
        wrong.append(f"not converged: {max_free_force(atoms):.3f} eV/Å, asked {tolerance:g}")
    findings = {"barrier_eV": float(atoms.get_potential_energy()) - below}
    if chosen := ask.get("vibrating_atoms"):
        frequencies = frequencies_THz(atoms, np.asarray(chosen))
        findings |= {"saddle_frequencies_THz": frequencies.tolist()}
        if (n_imaginary := int((frequencies < 0).sum())) > 1:  # held atoms can hide the one, never add to it
            wrong.append(f"{n_imaginary} imaginary modes, a saddle has one")
    return Ended(atoms=atoms, n_steps=n_steps, optimiser="dimer", wrong=tuple(wrong), findings=findings)
