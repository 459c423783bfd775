"""Where and how fast the atoms are when the kick comes: at rest, or drawn from a temperature, seeded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from ase.md.velocitydistribution import phonon_harmonics
from ase.units import kB

from nanoslab.beam.checks import require_not_negative
from nanoslab.errors import InputError, unknown_name

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: ``rest``; ``maxwell``: classical velocities, atoms at their places; ``harmonic``: displacements and velocities of all
#: modes with their quantum occupation, zero-point motion included; ``harmonic-classical``: the same without it
Motion = Literal["rest", "maxwell", "harmonic", "harmonic-classical"]

#: displacement for the force constants [Å]
DISPLACEMENT = 0.01


def thermal_start(
    atoms: Atoms, motion: Motion, temperature: float, seed: int, *, force_constants: Array | None = None
) -> Atoms:
    """Copy of a relaxed structure with displacements and velocities of one instant, its places remembered.

    Parameters
    ----------
    atoms
        Relaxed.
    motion
        Which distribution they are drawn from.
    temperature
        [K].
    seed
        The same seed gives the same start.
    force_constants
        Of the structure for the harmonic ones, from `force_constants`, shape (3n, 3n) [eV/Å²].

    Examples
    --------
    >>> from ase.build import bulk
    >>> warm = thermal_start(bulk("Cu", cubic=True).repeat(3), "maxwell", 300.0, seed=1)
    >>> bool(200 < warm.get_temperature() < 400)
    True
    """
    if motion not in get_args(Motion):
        raise unknown_name("motion", str(motion), get_args(Motion))
    require_not_negative("temperature", temperature, "K")
    start = atoms.copy()
    start.set_array("places", atoms.positions.copy())
    if motion == "rest":
        return start
    random = np.random.default_rng(seed)
    if motion == "maxwell":
        speeds = (kB * temperature / atoms.get_masses()) ** 0.5
        velocities = speeds[:, None] * random.standard_normal((len(atoms), 3))
    else:
        if force_constants is None:
            raise InputError("force constants", expected="those of the structure", got="none")
        quantum = motion == "harmonic"
        if not quantum and temperature == 0:
            return start
        try:
            shifts, velocities = phonon_harmonics(
                force_constants,
                atoms.get_masses(),
                temperature_K=temperature,
                rng=random.random,
                quantum=quantum,
            )
        except ValueError as error:
            raise InputError(
                "force constants",
                expected="a structure at a minimum, every mode real",
                got=str(error).partition(":")[0],
                advice="relax it further, or take motion: maxwell",
            ) from None
        start.set_positions(atoms.positions + shifts)
    masses = atoms.get_masses()
    start.set_velocities(velocities - masses @ velocities / masses.sum())
    return start


def force_constants(atoms: Atoms) -> Array:
    """Force constants by central differences with the calculator of the atoms, symmetrized, shape (3n, 3n) [eV/Å²].

    The acoustic sum rule is imposed, so that the three translations have no frequency.
    """
    work, n = atoms.copy(), len(atoms)
    work.calc, work.constraints = atoms.calc, []
    matrix = np.empty((3 * n, 3 * n))
    for row in range(3 * n):
        sides = []
        for sign in (1, -1):
            work.positions = atoms.positions
            work.positions[row // 3, row % 3] += sign * DISPLACEMENT
            sides.append(work.get_forces().ravel())
        matrix[row] = (sides[1] - sides[0]) / (2 * DISPLACEMENT)
    matrix = (matrix + matrix.T) / 2
    blocks = matrix.reshape(n, 3, n, 3)
    for atom in range(n):
        blocks[atom, :, atom, :] -= blocks[atom].sum(axis=1)
    return (matrix + matrix.T) / 2
