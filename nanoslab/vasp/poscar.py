"""POSCAR and CONTCAR: written grouped by species and exactly, read in every dialect VASP accepts."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from numpy.typing import NDArray

from nanoslab.errors import FileError, InputError, unknown_name
from nanoslab.files import write_atomically
from nanoslab.selective_dynamics import constraints_from_flags, free_components
from nanoslab.structure_types import AnyStructure, as_atoms
from nanoslab.text import printable
from nanoslab.vasp.byte_stream import read_text

_ELEMENTS = frozenset(chemical_symbols[1:])
_SYMBOL = re.compile(r"([A-Z][a-z]?)(?=$|[_/.\d])")  # Se, Cl_sv, Se/4f3a, Na_pv/6a2f, H.5
_LOGICAL = re.compile(r"\.?([TF])", re.IGNORECASE)
_COUNT = re.compile(r"[+-]?\d+")


def species_order(atoms: AnyStructure) -> tuple[int, ...]:
    """Indices that group the atoms by species: species as they first appear, atoms of one in their old order."""
    atoms = as_atoms(atoms)
    symbols = atoms.get_chemical_symbols()
    rank = {symbol: i for i, symbol in enumerate(dict.fromkeys(symbols))}
    return tuple(sorted(range(len(symbols)), key=lambda i: rank[symbols[i]]))


def write_poscar(atoms: AnyStructure, path: str | os.PathLike[str], *, comment: str | None = None) -> tuple[int, ...]:
    """Write a POSCAR grouped by species, whole or not at all; constraints become selective dynamics.

    Velocities are left out; the first line is the comment, or the chemical formula.

    Returns
    -------
    tuple of int
        For every line of the file, the index of that atom in `atoms`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     order = write_poscar(Atoms("SeCdSe", cell=[4, 4, 20]), Path(folder) / "POSCAR")
    ...     read_poscar(Path(folder) / "POSCAR").get_chemical_formula(mode="reduce"), order
    ('Se2Cd', (0, 2, 1))
    """
    write_atomically(path, poscar_text(atoms, comment=comment))
    return species_order(atoms)


def poscar_text(atoms: AnyStructure, *, comment: str | None = None) -> str:
    """Text of a POSCAR in Cartesian coordinates with every digit, so that it reads back to the same numbers.

    Fractional coordinates would have to be divided and multiplied by the cell, which costs the last digit.
    """
    atoms = as_atoms(atoms)
    _check_writable(atoms)
    order = list(species_order(atoms))
    groups = Counter(atoms.get_chemical_symbols())
    formula = " ".join(symbol if count == 1 else f"{symbol}{count}" for symbol, count in groups.items())
    first = printable(" ".join((formula if comment is None else comment).split()))
    lines = [first, "1.0", *(_vector(row) for row in np.asarray(atoms.cell))]
    lines += ["  ".join(groups), "  ".join(map(str, groups.values()))]
    rows = [_vector(row) for row in atoms.positions[order]]
    if atoms.constraints:
        lines.append("Selective dynamics")
        flags = free_components(atoms)[order]
        rows = [
            f"{row.ljust(74)}  {'  '.join('FT'[int(f)] for f in line)}" for row, line in zip(rows, flags, strict=True)
        ]
    lines += ["Cartesian", *rows]
    return "\n".join(lines) + "\n"


def read_poscar(path: str | os.PathLike[str], *, species: Sequence[str] = ()) -> Atoms:
    """Read a POSCAR or CONTCAR of any VASP version, plain or compressed.

    Scale factors (one, three, or a negative volume), wrapped symbol and count lines, comments behind the numbers,
    symbols with a suffix (``Cl_sv``, ``Se/4f3a``), direct and Cartesian coordinates and partial selective dynamics
    are understood; velocities and what follows them are knowingly left out.

    Parameters
    ----------
    path
        File to read.
    species
        Elements in the order of the POTCAR, for the files of VASP 4 that name none; elsewhere they must agree.

    Returns
    -------
    Atoms
        Periodic in three directions, constraints as FixAtoms and FixScaled, ``info["comment"]`` the first line.

    Raises
    ------
    FileError
        With file and line, for anything VASP itself would stumble over, and for a file that names no species.
    """
    lines = _Lines(path=Path(path), lines=tuple(read_text(Path(path)).splitlines()))
    comment = lines.text(0, "a comment line").strip()
    scale = _scale_factors(lines)
    lattice = np.array([lines.floats(i, "a lattice vector (three numbers)") for i in (2, 3, 4)])
    cell, factors = _scaled_cell(lattice, scale, lines)
    symbols, counts, at = _species(lines, list(species))
    numbers = [symbol for symbol, count in zip(symbols, counts, strict=True) for _ in range(count)]
    selective = lines.text(at, "'Direct', 'Cartesian' or 'Selective dynamics'").strip()[:1] in ("S", "s")
    at += selective
    cartesian = lines.text(at, "'Direct' or 'Cartesian'").strip()[:1] in tuple("CcKk")
    coordinates = np.array([lines.floats(at + 1 + i, f"atom {i + 1} of {len(numbers)}") for i in range(len(numbers))])
    positions = coordinates * factors if cartesian else coordinates @ cell
    atoms = Atoms(numbers, positions=positions, cell=cell, pbc=True, info={"comment": comment})
    if selective:
        atoms.set_constraint(constraints_from_flags([lines.flags(at + 1 + i) for i in range(len(numbers))]))
    return atoms


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lines:
    """Lines of a file that know where they stand."""

    path: Path
    lines: tuple[str, ...]

    def fault(self, index: int, expected: str, got: str = "", advice: str = "") -> FileError:
        if index >= len(self.lines):
            got = f"the end of the file after {len(self.lines)} lines"
            advice = advice or "the file is cut; copy it again or take the POSCAR it started from"
        where = f"{self.path}:{min(index, len(self.lines)) + 1}"
        return FileError(where, expected=expected, got=got or repr(self.lines[index].strip()[:60]), advice=advice)

    def text(self, index: int, expected: str) -> str:
        if index >= len(self.lines):
            raise self.fault(index, expected)
        return self.lines[index]

    def floats(self, index: int, expected: str) -> list[float]:
        try:
            values = [_number(word) for word in self.text(index, expected).split()[:3]]
        except ValueError:
            raise self.fault(index, expected) from None
        if len(values) != 3 or not np.isfinite(values).all():
            raise self.fault(index, expected)
        return values

    def flags(self, index: int) -> list[bool]:
        matches = [_LOGICAL.match(word) for word in self.lines[index].split()[3:6]]
        if len(matches) != 3 or None in matches:
            raise self.fault(index, "three coordinates and three of T or F, as 'Selective dynamics' announces")
        return [match.group(1) in "Tt" for match in matches if match]


def _scale_factors(lines: _Lines) -> list[float]:
    expected = "a scale factor, a negative volume, or three positive factors"
    factors: list[float] = []
    with suppress(ValueError):  # a comment may follow
        for word in lines.text(1, expected).split()[:3]:
            factors.append(_number(word))
    wrong_sign = len(factors) == 3 and min(factors) <= 0
    if len(factors) not in (1, 3) or wrong_sign or 0.0 in factors or not np.isfinite(factors).all():
        raise lines.fault(1, expected)
    return factors


def _scaled_cell(
    lattice: NDArray[np.float64], scale: list[float], lines: _Lines
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cell [Å], rows = lattice vectors, and the factors of the Cartesian components, shape (3,)."""
    volume = abs(float(np.linalg.det(lattice)))
    if volume <= 1e-10 * float(np.prod(np.linalg.norm(lattice, axis=1))):
        raise lines.fault(4, "three lattice vectors that span a volume", got="vectors in one plane")
    factors = np.array(scale if len(scale) == 3 else scale * 3, dtype=float)
    if factors[0] < 0:
        factors = np.full(3, np.cbrt(-factors[0] / volume))
    return lattice * factors, factors


def _species(lines: _Lines, given: list[str]) -> tuple[list[str], list[int], int]:
    """Elements, their counts, and the index of the line behind them."""
    expected = "a line of element symbols or of atom counts"
    at, words = 5, list[str]()
    while not _COUNT.fullmatch((lines.text(at, expected).split() or [""])[0]):
        found = re.split(r"[!#]", lines.text(at, expected), maxsplit=1)[0].split()
        if not found:
            raise lines.fault(at, expected)
        words += found
        at += 1
    named = [_element(word, at - 1, lines) for word in words]
    counts: list[int] = []
    wanted = len(named) or len(given)
    while at < len(lines.lines) and (not wanted or len(counts) < wanted):
        row = list(takewhile(_COUNT.fullmatch, lines.lines[at].split()))
        if not row:
            break
        counts += [int(word[:18]) for word in row]
        at += 1
    if not named and not given:
        advice = "this is a VASP 4 file: put the symbols above the counts, or give species in the POTCAR's order"
        raise lines.fault(5, "a line of element symbols (VASP 5 and later)", advice=advice)
    if named and given and named != given:
        raise lines.fault(5, f"the species of the POTCAR ({' '.join(given)})", got=" ".join(named))
    symbols = named or given
    if len(counts) != len(symbols) or min(counts) < 0 or not 0 < sum(counts) <= len(lines.lines):
        got = " ".join(map(str, counts)) or "none"
        raise lines.fault(at - 1, f"one count for each of {' '.join(symbols)}", got=got)
    return symbols, counts, at


def _element(word: str, index: int, lines: _Lines) -> str:
    match = _SYMBOL.match(word)
    if match and match.group(1) in _ELEMENTS:
        return match.group(1)
    close = str(unknown_name("element", word.capitalize()[:2], sorted(_ELEMENTS))).rpartition("; ")[2]
    raise lines.fault(index, "element symbols, as in the periodic table", got=repr(word), advice=close)


def _number(word: str) -> float:
    # Fortran's double precision exponent, and nothing Python alone would take (1_000).
    if "_" in word:
        raise ValueError(word)
    return float(word.replace("D", "E").replace("d", "e"))


def _vector(row: NDArray[np.float64]) -> str:
    """Shortest texts that read back to the same numbers, decimal points under one another."""
    parts = (repr(float(value) + 0.0).partition(".") for value in row)
    return " ".join(f"{whole:>4}{point}{digits}".ljust(24) for whole, point, digits in parts).rstrip()


def _check_writable(atoms: Atoms) -> None:
    cell = np.asarray(atoms.cell)
    if len(atoms) == 0:
        raise InputError("atoms", expected="at least one atom", got="none")
    unknown = set(atoms.get_chemical_symbols()) - _ELEMENTS
    if unknown:
        raise InputError("atoms", expected="chemical elements", got=", ".join(sorted(unknown)))
    if not np.isfinite(atoms.positions).all() or not np.isfinite(cell).all():
        raise InputError("atoms", expected="finite coordinates and lattice vectors", got="nan or infinity")
    if (volume := float(np.linalg.det(cell))) <= 0:
        expected, got = "three right-handed lattice vectors, as VASP wants them", f"a volume of {volume:.6g} Å³"
        advice = "add a cell with vacuum, or exchange two lattice vectors"
        raise InputError("atoms.cell", expected=expected, got=got, advice=advice)
