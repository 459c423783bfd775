"""What CP2K says of one energy."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from ase.units import Bohr, GPa, Hartree
from numpy.typing import NDArray

from nanoslab.errors import EngineError

#: CP2K's atomic units are those of CODATA 2006 to nine digits; the difference to ASE's is below 1e-8 of an energy
_ENERGY = re.compile(r"ENERGY\| Total FORCE_EVAL .*:\s+(-?\d+\.\d+)")
_ENTROPY = re.compile(r"Electronic entropic energy:\s+(-?\d+\.\d+)")
_FORCE = re.compile(r"^\s+\d+\s+\d+\s+\S+\s+(-?\d+\.\d+)\s+(-?\d+\.\d+)\s+(-?\d+\.\d+)\s*$", re.MULTILINE)
_STRESS = re.compile(r"STRESS\|\s+([xyz])\s+(\S+)\s+(\S+)\s+(\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One energy with what belongs to it.

    Attributes
    ----------
    energy, free_energy
        Extrapolated to zero smearing, and with the electrons' entropy [eV].
    forces
        On all atoms, ghosts included [eV/Å], shape (n_atoms, 3).
    stress
        In Voigt's order [eV/Å³], shape (6,); None when it was not asked for.
    """

    energy: float
    free_energy: float
    forces: NDArray[np.float64]
    stress: NDArray[np.float64] | None


def parse_output(text: str, *, n_atoms: int, where: str) -> Output:
    """Read the output of a finished run.

    Parameters
    ----------
    text
        All that CP2K printed.
    n_atoms
        Atoms and ghosts.
    where
        For messages.

    Raises
    ------
    EngineError
        The electrons did not converge, or the run stopped.
    """
    if "SCF run NOT converged" in text:
        raise EngineError(
            where,
            expected="converged electrons",
            got="none within the steps allowed",
            advice="see its end; raise max_electronic_steps, or try scf=diagonalisation with a wider smearing",
        )
    total = _ENERGY.findall(text)
    if not total:
        raise EngineError(where, expected="a total energy", got=last_words(text), advice="see the whole output there")
    forces = np.array(_FORCE.findall(text.rpartition("ATOMIC FORCES in [a.u.]")[2]), dtype=float)[:n_atoms]
    if forces.shape != (n_atoms, 3):
        raise EngineError(where, expected=f"forces on {n_atoms} atoms", got=f"{len(forces)}")
    free = float(total[-1]) * Hartree
    entropic = _ENTROPY.findall(text)
    # F = E - TS; for Fermi-Dirac and Gaussian occupations alike, E at zero smearing is F + TS/2 to second order
    correction = -0.5 * float(entropic[-1]) * Hartree if entropic else 0.0
    forces.setflags(write=False)
    return Output(energy=free + correction, free_energy=free, forces=forces * Hartree / Bohr, stress=_stress(text))


def last_words(text: str) -> str:
    """The line in which CP2K says why it stopped, or its last one.

    Examples
    --------
    >>> last_words("a" + chr(10) + " * [ABORT] no such basis *")
    'no such basis'
    """
    boxed = [line.strip(" *") for line in text.splitlines() if "[ABORT]" in line]
    if boxed:
        return boxed[-1].replace("[ABORT]", "").strip(" \\/_|")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "nothing"


def _stress(text: str) -> NDArray[np.float64] | None:
    rows = _STRESS.findall(text.rpartition("STRESS| Analytical stress tensor [GPa]")[2])
    if len(rows) < 3:
        return None
    tensor = -np.array([row[1:] for row in rows[:3]], dtype=float) * GPa
    return np.array([tensor[0, 0], tensor[1, 1], tensor[2, 2], tensor[1, 2], tensor[0, 2], tensor[0, 1]])
