"""One atom is kicked and followed: velocity Verlet with any ASE calculator, until it is clear what became of it.

Notes
-----
The kick adds u = sqrt(2T/M) in one direction to the velocity that the atom has. The time step follows the fastest
atom, which moves `Following.step_A` at most in one, so a step never grows beyond what a collision bears; the largest
change of the total energy is part of every result. A free sheet drifts off with the momentum of the kick: places are
compared after the mean motion of the other atoms is taken out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from ase.units import fs

from nanoslab.beam.checks import require_positive, unit_vector
from nanoslab.beam.displacement.outcome import Fate, Places
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """How far and how finely an atom is followed.

    Attributes
    ----------
    step_A, longest_step_fs
        Largest way of the fastest atom in one time step [Å], and the longest step [fs].
    time_fs
        After which a flight that is not decided is called so [fs].
    free_A
        Distance to all others from which on an atom is free [Å]; the vacuum must be twice as wide.
    settled_fs
        How long all atoms stay at the same places before the flight is over [fs].
    """

    step_A: float = 0.03
    longest_step_fs: float = 1.0
    time_fs: float = 1000.0
    free_A: float = 4.5
    settled_fs: float = 100.0

    def __post_init__(self) -> None:
        for name in ("step_A", "longest_step_fs", "time_fs", "free_A", "settled_fs"):
            require_positive(name, getattr(self, name), "Å" if name.endswith("_A") else "fs")


class Flight(NamedTuple):
    """What became of a kicked atom.

    Attributes
    ----------
    energy
        Transferred to the atom [eV].
    outcome
        ``left``, ``hopped``, ``replaced``, ``returned``, or ``undecided`` when the time was over.
    gone
        Index of the atom that left; None where none did.
    drift
        Largest change of the total energy during the flight [eV].
    time_fs, n_steps
        How long it took, and how many forces.
    closest_A
        Shortest distance of any two atoms on the way [Å].
    farthest_A
        Largest distance of the kicked atom from its place [Å].
    end
        Atoms at the end, with their velocities and calculator.
    """

    energy: float
    outcome: str
    gone: int | None
    drift: float
    time_fs: float
    n_steps: int
    closest_A: float
    farthest_A: float
    end: Atoms | None = None


def follow(
    atoms: Atoms,
    index: int,
    direction: ArrayLike,
    energy: float,
    following: Following = Following(),
) -> Flight:
    """Kick one atom and say what became of it.

    Parameters
    ----------
    atoms
        With a calculator, and the velocities it has before the kick; constraints hold. Not changed.
    index
        Of the atom.
    direction
        Of the kick, any length, shape (3,).
    energy
        Transferred to the atom, if it was at rest [eV].
    following
        How it is followed.

    Examples
    --------
    >>> from ase import Atoms
    >>> from ase.calculators.morse import MorsePotential
    >>> from ase.constraints import FixAtoms
    >>> wall = Atoms("C2", positions=[[0, 0, 0], [0, 0, 1.0]], constraint=FixAtoms([0]))
    >>> wall.calc = MorsePotential(epsilon=2.0, r0=1.0, rho0=6.0, rcut1=20.0, rcut2=21.0)
    >>> [follow(wall, 1, [0, 0, 1], energy).outcome for energy in (1.9, 2.1)]  # a well of 2 eV
    ['returned', 'left']
    """
    require_positive("transferred energy", energy, "eV")
    moving = atoms.copy()
    moving.calc = atoms.calc
    way = unit_vector("direction of the kick", direction)
    if not 0 <= index < len(atoms):
        raise InputError("kicked atom", expected=f"an index below {len(atoms)}", got=index)
    if index in {int(i) for one in atoms.constraints for i in one.get_indices()}:
        raise InputError("kicked atom", expected="one that is free to move", got=f"{index}, which is fixed")
    masses = moving.get_masses()
    fate = Fate(Places(atoms), index, following.free_A, following.settled_fs)
    velocities = moving.get_velocities()
    velocities[index] += (2 * energy / masses[index]) ** 0.5 * way
    moving.set_velocities(velocities)
    start, time, n_steps = float(moving.get_total_energy()), 0.0, 0
    drift, closest, farthest = 0.0, np.inf, 0.0
    forces = moving.get_forces()
    while fate.outcome is None and time < following.time_fs:
        step = _step(moving, following)
        velocities = moving.get_velocities() + 0.5 * step * forces / masses[:, None]
        moving.set_velocities(velocities)
        before = moving.positions.copy()
        moving.set_positions(before + step * moving.get_velocities())
        forces = moving.get_forces()
        moving.set_velocities(moving.get_velocities() + 0.5 * step * forces / masses[:, None])
        time += step / fs
        n_steps += 1
        drift = max(drift, abs(float(moving.get_total_energy()) - start))
        shortest, away = fate.update(moving, forces, time)
        closest, farthest = min(closest, shortest), max(farthest, away)
    outcome = fate.outcome or "undecided"
    return Flight(energy, outcome, fate.gone, drift, time, n_steps, closest, farthest, moving)


def _step(atoms: Atoms, following: Following) -> float:
    """Time step in ASE's unit."""
    fastest = float(np.linalg.norm(atoms.get_velocities(), axis=1).max())
    longest = float(following.longest_step_fs * fs)
    return min(longest, following.step_A / fastest) if fastest > 0 else longest
