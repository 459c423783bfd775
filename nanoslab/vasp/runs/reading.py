"""What one VASP file says, before anybody judges it: the same words whichever file it was."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
#: less than any cell that holds an atom [Å^3]
_SMALLEST_VOLUME = 1e-3


class IonicStep(NamedTuple):
    """One finished ionic step.

    Attributes
    ----------
    free_energy
        F, the energy the forces belong to [eV]; None where the file shows asterisks.
    energy
        E0, extrapolated to zero smearing [eV].
    n_electronic_steps
        Electronic steps it took.
    energy_change
        Change of F in its last electronic step [eV], or None when there was only one.
    correction
        What VASP added to F after the last electronic step (dipole, dispersion where it is not printed) [eV].
    """

    free_energy: float | None
    energy: float | None
    n_electronic_steps: int
    energy_change: float | None
    correction: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Geometry and what acts on it; rows are lattice vectors.

    Attributes
    ----------
    lattice
        Lattice vectors, shape (3, 3) [Å].
    scaled_positions
        Fractional coordinates, shape (n, 3).
    forces
        Shape (n, 3) [eV/Å], or None.
    stress
        VASP's sign and unit, shape (3, 3) [kB], or None.
    """

    lattice: Array
    scaled_positions: Array
    forces: Array | None = None
    stress: Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything one file gives; what it lacks is None or empty.

    Attributes
    ----------
    file
        Name of the file.
    complete
        VASP wrote it to the end.
    cut
        Where it ends, in words, when it is not complete.
    vasp_version
        Such as ``6.4.2``.
    incar
        Tags as given.
    parameters
        Tags as used.
    symbols
        Chemical symbol per atom.
    potentials
        (element, POTCAR title) per species, in POTCAR's order.
    counts
        Atoms per species, in the same order.
    steps
        Finished ionic steps.
    final, initial
        Geometry of the last finished ionic step; geometry at the start.
    free
        Which lattice components may move, shape (n, 3), or None when the file does not say.
    mesh
        Divisions of an automatic k-point mesh.
    n_kpoints
        Irreducible k-points.
    says_reached
        VASP printed that the required accuracy was reached; None when this kind of file never says.
    unfinished_electronic_steps
        Electronic steps of an ionic step that was not finished.
    n_machine_learned_steps
        Steps of a machine-learned force field between the first-principles ones.
    magnetization
        Total, or its components [Bohr magnetons].
    elapsed_s
        Wall time [s].
    disorder
        What shows that more than one run wrote the file; empty when nothing does.
    problems
        What is wrong with the file.
    """

    file: str
    complete: bool = False
    cut: str = ""
    vasp_version: str | None = None
    incar: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    symbols: tuple[str, ...] = ()
    potentials: tuple[tuple[str, str], ...] = ()
    counts: tuple[int, ...] = ()
    steps: tuple[IonicStep, ...] = ()
    final: Frame | None = None
    initial: Frame | None = None
    free: NDArray[np.bool_] | None = None
    mesh: tuple[int, int, int] | None = None
    n_kpoints: int | None = None
    says_reached: bool | None = None
    unfinished_electronic_steps: int = 0
    n_machine_learned_steps: int = 0
    magnetization: tuple[float, ...] | None = None
    elapsed_s: float | None = None
    disorder: str = ""
    problems: tuple[str, ...] = ()


def number(text: bytes | str) -> float | None:
    """Number as Fortran writes it, or None for asterisks and blanks.

    Examples
    --------
    >>> number(b" -.129E+02 "), number("1.0D-3"), number("********"), number("0.1234-100")
    (-12.9, 0.001, None, 1.234e-101)
    """
    word = (text.decode("ascii", "replace") if isinstance(text, bytes) else text).strip()
    try:
        return _finite(float(word))
    except ValueError:
        pass
    mantissa, sign, exponent = _split_exponent(word.upper().replace("D", "E"))
    try:
        return _finite(float(f"{mantissa}E{sign}{exponent}"))
    except ValueError:
        return None


def whole_number(text: bytes | str) -> int | None:
    """Count of up to nine digits, or None; no run has more of anything, and a crafted file must not ask for it.

    Examples
    --------
    >>> whole_number(b" 48 "), whole_number("****"), whole_number("9" * 5000)
    (48, None, None)
    """
    word = text.strip()
    return int(word) if word.isdigit() and len(word) < 10 else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _split_exponent(word: str) -> tuple[str, str, str]:
    """Fortran drops the E of three-digit exponents: 0.1234-100."""
    if "E" in word:
        mantissa, _, exponent = word.partition("E")
        return mantissa, "", exponent
    for sign in "+-":
        mantissa, found, exponent = word[1:].rpartition(sign)
        if found:
            return word[:1] + mantissa, sign, exponent
    return word, "", "0"


def rows_of_three(text: bytes, n_rows: int | None = None) -> Array | None:
    """Array of shape (n, 3) from numbers separated by blanks, or None when it holds anything else."""
    try:
        values = np.array(list(map(float, text.split())), dtype=np.float64)
    except ValueError:
        return None
    if values.size == 0 or values.size % 3 or not np.isfinite(values).all():
        return None
    rows = values.reshape(-1, 3)
    return rows if n_rows is None or len(rows) == n_rows else None


def lattice_of(rows: Array | None) -> Array | None:
    """The rows as lattice vectors, or None when they span no volume."""
    if rows is None or rows.shape != (3, 3) or abs(np.linalg.det(rows)) < _SMALLEST_VOLUME:
        return None
    return rows
