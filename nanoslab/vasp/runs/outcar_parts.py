"""The parts of an ``OUTCAR``, parsed from their text: its head, and geometry and forces of one ionic step."""

from __future__ import annotations

import re

import numpy as np

from nanoslab.vasp.potential_title import element_of_title
from nanoslab.vasp.runs.numbers import Array, lattice_of, number, rows_of_three, whole_number
from nanoslab.vasp.runs.parsed_file import Frame, ParsedFile

_VERSION = re.compile(rb"\bvasp\.(\d[^\s]*)")
_TITLE = re.compile(rb"\n +TITEL +=([^\n]+)\n")
_ELEMENT = re.compile(rb"\n +VRHFIN +=\s*([A-Za-z]{1,2})\b")
_LISTED = re.compile(rb"\n *POTCAR: +([^\n]+)")
#: stands once in the head
HEAD = b"\n executed on "
_PER_TYPE = b"ions per type ="
_COUNTS = re.compile(rb"ions per type =([ \d]+(?:\n +[ \d]+)*)\n")
_N_IONS = re.compile(rb"NIONS =\s*(\d+)")
_N_KPOINTS = re.compile(rb"NKPTS =\s*(\d+)")
_INCAR = re.compile(rb"\n INCAR:\s*\n(.*?)\n *POTCAR:", re.DOTALL)
_PARAMETERS = re.compile(rb"\n Startparameter for this run:.*", re.DOTALL)
_TAG = re.compile(rb"\b([A-Z][A-Z_0-9]{2,}) *= *([^\s;]+)")
_INCAR_TAG = re.compile(rb"^ *([A-Za-z][A-Za-z_0-9]*) *= *([^\n#!]*)", re.MULTILINE)
_SCALED = re.compile(rb"\n position of ions in fractional coordinates[^\n]*\n((?:[ \d.+-]+\n)+)")
_VECTOR = re.compile(rb"-?\d+\.\d{9}")
#: more than any run has, less than what fills the memory
_MOST_ATOMS = 10**6
_HEAD = 1 << 18
_LATTICE = b"direct lattice vectors"
FORCES = b"TOTAL-FORCE (eV"
_GEOMETRY = b"VOLUME and BASIS-vectors are now"
_IN_KB = re.compile(rb"in kB +([^\n]*)\n")
_POSITION, _FORCE = rb" *(-?\d*\.\d{5})", rb" *(-?\d*\.\d{6}|\*+)"
_ROW = re.compile(3 * _POSITION + 3 * _FORCE)


def parse_header(file: str, text: bytes) -> tuple[ParsedFile, int | None]:
    """Parse the text before the first electronic step, and the number of atoms; what is missing stays empty."""
    text = text.replace(b"\r\n", b"\n")
    version = _VERSION.search(text[:4096])
    at = text.find(_PER_TYPE)
    counts_match = _COUNTS.match(text[at : at + 2000]) if at >= 0 else None
    counts = tuple(whole_number(word) or 0 for word in counts_match[1].split()) if counts_match else ()
    n_atoms = _integer(_N_IONS, text) or sum(counts) or None
    incar = _INCAR.search(text[:_HEAD])
    parameters = _PARAMETERS.search(text)
    # stripped of its potentials, the list above them names each once
    titles = [word.decode("latin-1").strip() for word in _TITLE.findall(text) or _LISTED.findall(text)[: len(counts)]]
    elements = [element.decode("ascii") for element in _ELEMENT.findall(text)]
    elements += [""] * (len(titles) - len(elements))
    potentials = tuple((element_of_title(e, t), t) for e, t in zip(elements, titles, strict=False))
    return ParsedFile(
        file=file,
        vasp_version=version[1].decode("ascii", "replace") if version else None,
        incar=incar_tags(incar[1]) if incar else {},
        parameters=_tags(_TAG, parameters[0]) if parameters else {},
        symbols=_symbols(potentials, counts),
        potentials=potentials,
        counts=counts,
        n_kpoints=_integer(_N_KPOINTS, text),
        initial=_initial(text, n_atoms),
        disorder="a second one begins in it" if text.count(HEAD) > 1 else "",
    ), n_atoms


def _symbols(potentials: tuple[tuple[str, str], ...], counts: tuple[int, ...]) -> tuple[str, ...]:
    """Chemical symbol per atom, or nothing when species and counts do not fit: VASP cuts the line of many counts."""
    if len(potentials) != len(counts) or sum(counts) > _MOST_ATOMS:
        return ()
    return tuple(element for (element, _), count in zip(potentials, counts, strict=True) for _ in range(count))


def incar_tags(text: bytes) -> dict[str, str]:
    """Tags of an INCAR, upper case; the first of a name counts, comments are left out."""
    return _tags(_INCAR_TAG, text.replace(b";", b"\n"))


def lattice_after(text: bytes) -> Array | None:
    """Lattice vectors [Å] from the first table of direct and reciprocal vectors in `text`."""
    at = text.find(_LATTICE)
    lines = text[at:].split(b"\n", 4)[1:4] if at >= 0 else []
    if len(lines) < 3:
        return None
    vectors = [_VECTOR.findall(line)[:3] for line in lines]
    return lattice_of(rows_of_three(b" ".join(b" ".join(vector) for vector in vectors), 3))


def _initial(text: bytes, n_atoms: int | None) -> Frame | None:
    scaled = _SCALED.search(text)
    positions = rows_of_three(scaled[1], n_atoms) if scaled else None
    lattice = lattice_after(text)
    if positions is None or lattice is None:
        return None
    return Frame(lattice=lattice, scaled_positions=positions)


def _integer(pattern: re.Pattern[bytes], text: bytes) -> int | None:
    found = pattern.search(text)
    return whole_number(found[1]) if found else None


def _tags(pattern: re.Pattern[bytes], text: bytes) -> dict[str, str]:
    tags: dict[str, str] = {}
    for name, value in pattern.findall(text):
        tags.setdefault(name.decode("ascii").upper(), value.decode("latin-1").strip())
    return tags


class StepGeometry:
    """Text before the energy of one ionic step, parsed only when it is asked for."""

    __slots__ = ("text",)

    def __init__(self, text: bytes) -> None:
        self.text = text

    @property
    def rows(self) -> bytes:
        """Table of positions and forces."""
        at = self.text.rfind(FORCES)
        parts = self.text[at:].split(b"\n", 2) if at >= 0 else []
        return parts[2].split(b"\n ---", 1)[0] if len(parts) == 3 else b""

    @property
    def is_closed(self) -> bool:
        """The table of forces has its last line."""
        at = self.text.rfind(FORCES)
        return at >= 0 and b"total drift" in self.text[at:]

    def frame(self, n_atoms: int | None) -> Frame | None:
        """Geometry, forces and stress, or None when lattice or positions are missing."""
        at = self.text.rfind(_GEOMETRY)
        if at < 0:
            return None
        lattice = lattice_after(self.text[at:])
        table = _positions_and_forces(self.rows)
        if lattice is None or table is None or (n_atoms is not None and len(table) != n_atoms):
            return None
        scaled = np.asarray(np.linalg.solve(lattice.T, table[:, :3].T).T, dtype=np.float64)
        forces = table[:, 3:]
        return Frame(
            lattice=lattice,
            scaled_positions=scaled,
            forces=forces if np.isfinite(forces).all() else None,
            stress=_stress(self.text[:at]),
        )

    def site_moments(self, n_atoms: int | None) -> Array | None:
        """Moment inside every atom's sphere, shape (n,) or (n, 3) [Bohr magnetons]; None where it is not listed."""
        found = []
        for axis in (b"x", b"y", b"z"):
            at = self.text.rfind(b" magnetization (" + axis + b")")
            table = self.text[at:].partition(b"------")[2].lstrip(b"-").partition(b"\n-----")[0] if at >= 0 else b""
            lines = [words for line in table.splitlines() if (words := line.split())]
            column = [number(words[-1]) for words in lines]
            if lines and len(lines) == n_atoms and None not in column:
                found.append(column)
        return np.array(found[0] if len(found) == 1 else found, float).T if len(found) in (1, 3) else None


def _positions_and_forces(rows: bytes) -> Array | None:
    """Shape (n, 6): positions [Å] and forces [eV/Å]; forces that overflowed are not finite."""
    fast = rows_of_three(rows)
    if fast is not None and len(fast) % 2 == 0:
        return fast.reshape(-1, 6)
    lines = [line for line in rows.split(b"\n") if line.strip()]
    table = np.full((len(lines), 6), np.nan)
    for i, line in enumerate(lines):
        found = _ROW.match(line)
        if found is None:
            return None
        table[i] = [np.nan if word.startswith(b"*") else float(word) for word in found.groups()]
    return table


def _stress(text: bytes) -> Array | None:
    """Stress tensor [kB] from the last line `in kB` (XX YY ZZ XY YZ ZX)."""
    lines = _IN_KB.findall(text)
    values = [number(word) for word in lines[-1].split()] if lines else []
    if len(values) != 6 or None in values:
        return None
    xx, yy, zz, xy, yz, zx = values
    return np.array([[xx, xy, zx], [xy, yy, yz], [zx, yz, zz]], dtype=np.float64)
