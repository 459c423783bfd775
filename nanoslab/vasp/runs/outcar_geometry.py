"""Geometry and forces of one ionic step of an ``OUTCAR``."""

from __future__ import annotations

import re

import numpy as np

from nanoslab.vasp.runs.numbers import Array, number, rows_of_three
from nanoslab.vasp.runs.outcar_header import lattice_after
from nanoslab.vasp.runs.parsed_file import Frame

FORCES = b"TOTAL-FORCE (eV"
_GEOMETRY = b"VOLUME and BASIS-vectors are now"
_IN_KB = re.compile(rb"in kB +([^\n]*)\n")
_POSITION, _FORCE = rb" *(-?\d*\.\d{5})", rb" *(-?\d*\.\d{6}|\*+)"
_ROW = re.compile(3 * _POSITION + 3 * _FORCE)


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
