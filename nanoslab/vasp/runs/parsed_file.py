"""What one VASP file says, before it is compared with anything: the same fields whichever file it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nanoslab.vasp.runs.numbers import Array


class IonicStep(NamedTuple):
    """One finished ionic step."""

    free_energy: float | None  #: F, the energy the forces belong to [eV]; None where the file shows asterisks
    energy: float | None  #: E0, extrapolated to zero smearing [eV]
    n_electronic_steps: int  #: electronic steps it took
    energy_change: float | None  #: change of F in its last electronic step [eV], or None when there was only one
    #: what VASP added to F after the last electronic step (dipole, dispersion where it is not printed) [eV]
    correction: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Geometry and what acts on it; rows are lattice vectors."""

    lattice: Array  #: lattice vectors, shape (3, 3) [Å]
    scaled_positions: Array  #: fractional coordinates, shape (n, 3)
    forces: Array | None = None  #: shape (n, 3) [eV/Å], or None
    stress: Array | None = None  #: VASP's sign and unit, shape (3, 3) [kB], or None

    def __post_init__(self) -> None:
        for array in (self.lattice, self.scaled_positions, self.forces, self.stress):
            if array is not None:
                array.flags.writeable = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFile:
    """Everything one file gives; what it lacks is None or empty. Fields that `RunResult` has too mean the same."""

    file: str  #: name of the file
    complete: bool = False  #: VASP wrote it to the end
    cut: str = ""  #: where it ends, in words, when it is not complete
    vasp_version: str | None = None
    incar: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    symbols: tuple[str, ...] = ()
    potentials: tuple[tuple[str, str], ...] = ()  #: (element, POTCAR title) per species, in POTCAR's order
    counts: tuple[int, ...] = ()  #: atoms per species, in the same order
    steps: tuple[IonicStep, ...] = ()
    #: geometry of the last finished ionic step; geometry at the start
    final: Frame | None = None
    initial: Frame | None = None
    free: NDArray[np.bool_] | None = None
    mesh: tuple[int, int, int] | None = None
    n_kpoints: int | None = None
    #: VASP printed that the required accuracy was reached; None when this kind of file never says
    says_reached: bool | None = None
    #: VASP printed that EDIFF was reached in the last ionic step; None when the file would not say
    says_electrons_converged: bool | None = None
    unfinished_electronic_steps: int = 0  #: electronic steps of an ionic step that was not finished
    n_machine_learned_steps: int = 0  #: steps of a machine-learned force field between the first-principles ones
    magnetization: tuple[float, ...] | None = None
    site_moments: Array | None = None
    elapsed_s: float | None = None
    fermi_energy: float | None = None  #: of the last ionic step that says [eV]
    memory_MB: float | None = None  #: most that VASP's first process used
    disorder: str = ""  #: what shows that more than one run wrote the file, or that a part of it is missing
    doubts: tuple[str, ...] = ()  #: numbers in the file that contradict one another
    problems: tuple[str, ...] = ()  #: what cannot be read
