"""A path between two minima: nudged elastic band with a climbing image, and the modes that prove its saddle.

Henkelman, Uberuaga and Jonsson, J. Chem. Phys. 113 (2000) 9901; tangents of Henkelman and Jonsson, ibid. 9978.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.geometry import find_mic
from ase.mep import NEB
from ase.optimize import FIRE
from numpy.typing import NDArray

from nanoslab.atom_paths import free_atoms, interpolated
from nanoslab.engines.interface import Ended, Task
from nanoslab.engines.procedures.modes import frequencies_THz
from nanoslab.engines.procedures.relax import relax

#: stiffness of the springs [eV/Å²], and the largest force at which the highest image begins to climb [eV/Å]
SPRING, CLIMB_BELOW = 0.1, 0.3
#: ways that are equal by symmetry differ by less on a relaxed path [Å]
SAME_WAY = 0.005


def band(atoms: Atoms, task: Task) -> Ended:
    """Relax both ends, then the path between them, and count the imaginary modes of its highest image.

    Parameters of the calculation: ``end_positions_A`` (of the atoms in their order), ``n_images`` between the ends, and
    optionally ``n_modes_atoms``, how many of the atoms that move most vibrate (0: no modes), ``via_positions_A``, a
    structure that the path passes before it relaxes, and ``rattle_A``, the standard deviation of random displacements
    of the images, without which a path that begins on a line of symmetry stays there. With ``climb`` false the path
    rests where its highest image would begin to climb: on a long path with few images it climbs to nowhere.
    """
    ask = task.calculation.parameters
    end = atoms.copy()
    end.calc = atoms.calc
    end.set_positions(np.asarray(ask["end_positions_A"], float), apply_constraint=False)
    wrong: list[str] = []
    n_steps = 0
    for name, minimum in (("start", atoms), ("end", end)):
        ended = relax(minimum, task)
        n_steps += ended.n_steps
        wrong += [f"{name} of the path: {problem}" for problem in ended.wrong]
    images = _first_path(_frozen(atoms), _frozen(end, near=atoms), int(ask["n_images"]), ask.get("via_positions_A"))
    for number, image in enumerate(images[1:-1]):
        image.rattle(float(ask.get("rattle_A", 0.0)), seed=number)
        image.calc = atoms.calc
    stages = [(False, CLIMB_BELOW), (True, task.calculation.settings.force_tolerance)]
    stages = stages if ask.get("climb", True) else stages[:1]
    steps, force = _relax_path(images, stages, task)
    n_steps += steps
    if force > (asked := stages[-1][1]):
        wrong.append(f"path not converged: {force:.3f} eV/Å across it after {steps} steps, asked {asked:g}")
    energies = [float(image.get_potential_energy()) for image in images]
    top = int(np.argmax(energies))
    saddle = images[top]
    findings: dict[str, Any] = _path(images, energies)
    if top in (0, len(images) - 1):
        wrong.append("no barrier between the two minima: the highest image is an end")
    elif ask.get("n_modes_atoms", 0):
        findings |= _modes((atoms, saddle, end), _moved_most(images, int(ask["n_modes_atoms"])))
        n_imaginary = sum(value < 0 for value in findings["saddle_frequencies_THz"])
        if n_imaginary > 1:
            advice = "rattle the path, which may lie on a line of symmetry"
            wrong.append(f"the highest image has {n_imaginary} imaginary modes, a saddle has one: {advice}")
    remarks = [
        f"a minimum between the ends at {findings['path_A'][i]:.2f} Å: its two barriers are paths of their own"
        for i in range(1, len(energies) - 1)
        if energies[i] < min(energies[i - 1], energies[i + 1])
    ]
    if not ask.get("climb", True):
        remarks.append(
            f"no image climbed (up to {force:.2f} eV/Å across the path): the highest is near the saddle only"
        )
    return Ended(
        atoms=saddle,
        n_steps=n_steps,
        optimiser="NEB, FIRE",
        wrong=tuple(wrong),
        remarks=tuple(remarks),
        findings=findings,
    )


def _frozen(minimum: Atoms, near: Atoms | None = None) -> Atoms:
    """The minimum with its energy kept, which is asked for at every step, every atom in the cell where it is near."""
    energy, forces = minimum.get_potential_energy(), minimum.get_forces(apply_constraint=False)
    kept = minimum.copy()
    if near is not None:
        way, _ = find_mic(minimum.positions - near.positions, near.cell, near.pbc)
        kept.set_positions(near.positions + way, apply_constraint=False)
    kept.calc = SinglePointCalculator(kept, energy=energy, forces=forces)
    return kept


def _first_path(start: Atoms, end: Atoms, n_images: int, via: Sequence[Any] | None) -> list[Atoms]:
    """Both ends and the images between, through another structure where one is given."""
    if via is None:
        return interpolated(start, end, n_images)
    middle = start.copy()
    middle.set_positions(np.asarray(via, float))
    before = (n_images - 1) // 2
    return [*interpolated(start, middle, before), *interpolated(middle, end, n_images - 1 - before)[1:]]


def _relax_path(images: list[Atoms], stages: Sequence[tuple[bool, float]], task: Task) -> tuple[int, float]:
    """Relax the images, (whether the highest climbs, to which force) after one another; steps, largest force left."""
    n_steps, force = 0, np.inf
    for climb, tolerance in stages:
        path = NEB(images, k=SPRING, climb=climb, method="improvedtangent", allow_shared_calculator=True)
        with FIRE(path, logfile=str(task.log)) as optimiser:
            optimiser.attach(lambda path=path: task.on_step(path.images[path.imax]))
            optimiser.run(fmax=max(tolerance, task.calculation.settings.force_tolerance), steps=task.max_steps)
            n_steps += optimiser.nsteps
        force = float(np.linalg.norm(path.get_forces(), axis=1).max())
    return n_steps, force


def _path(images: Sequence[Atoms], energies: Sequence[float]) -> dict[str, Any]:
    steps = [float(np.linalg.norm(find_mic(b.positions - a.positions, a.cell, a.pbc)[0])) for a, b in pairwise(images)]
    top = int(np.argmax(energies))
    return {
        "barrier_eV": energies[top] - energies[0],
        "reverse_barrier_eV": energies[top] - energies[-1],
        "reaction_energy_eV": energies[-1] - energies[0],
        "path_A": np.cumsum([0.0, *steps]).tolist(),
        "energies_eV": list(energies),
        "image_positions_A": [image.positions.tolist() for image in images],
    }


def _moved_most(images: Sequence[Atoms], n_atoms: int) -> NDArray[np.int64]:
    """Indices of the free atoms that move most between any two images, and of those that move as far as the last."""
    ways = np.array([find_mic(image.positions - images[0].positions, image.cell, image.pbc)[0] for image in images])
    apart = np.linalg.norm(ways[:, None] - ways[None, :], axis=-1).max(axis=(0, 1))
    moved = np.where(free_atoms(images[0]), apart, -1.0)
    least = np.sort(moved)[::-1][min(n_atoms, len(moved)) - 1]
    return np.flatnonzero(moved >= max(least - SAME_WAY, 0.0))


def _modes(structures: tuple[Atoms, Atoms, Atoms], chosen: NDArray[np.int64]) -> dict[str, Any]:
    """Frequencies of some atoms at the start, the saddle and the end; imaginary ones below zero.

    With the other atoms held a saddle can hide its imaginary mode, but none is added: the eigenvalues of a part of the
    Hessian lie between those of the whole (Cauchy's interlacing).
    """
    named = zip(("start", "saddle", "end"), structures, strict=True)
    return {
        "vibrating_atoms": chosen.tolist(),
        **{f"{name}_frequencies_THz": frequencies_THz(atoms, chosen).tolist() for name, atoms in named},
    }
