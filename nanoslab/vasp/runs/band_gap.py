"""The gap between occupied and empty levels of a run, from the first of its files that lists both."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nanoslab.errors import FileError
from nanoslab.vasp.byte_stream import ByteStream, EndOfBytesError, read_bytes
from nanoslab.vasp.runs.hdf5 import open_hdf5
from nanoslab.vasp.runs.numbers import Array
from nanoslab.vasp.runs.vaspout import EIGENVALUES

#: energies and occupations of the levels of one spin, both of shape (k-points, bands)
Levels = tuple[Array, Array]
_ROW = re.compile(rb"<r>([^<]*)</r>")
_BLOCK = re.compile(rb"\n k-point +\d+ :[^\n]*\n +band No\.[^\n]*\n((?: +\d+ +-?[\d.]+ +-?[\d.]+[^\n]*\n)+)")
_SPIN = re.compile(rb"\n spin component +(\d)")
_LARGEST = 1 << 28


@dataclass(frozen=True, slots=True, kw_only=True)
class BandGap:
    """Gap of the computed k-points, whichever of its levels belong to a defect; zero of a metal [eV]."""

    energy: float
    valence_maximum: float
    conduction_minimum: float
    is_direct: bool  #: both levels are of the same k-point
    file: str  #: where the levels are from


def band_gap(files: Mapping[str, Path]) -> BandGap | None:
    """Gap of a run from its files by kind; None where no file lists levels with their occupations."""
    for kind, read in _READERS.items():
        if kind in files:
            with suppress(FileError, EndOfBytesError, ValueError, OSError):
                if spins := read(files[kind]):
                    return _gap(spins, files[kind].name)
    return None


def _gap(spins: list[Levels], file: str) -> BandGap:
    """A level counts as occupied above one half; partly filled levels, or bands at some k-points only, make a metal."""
    top, bottom, is_metal = (-np.inf, (0, 0)), (np.inf, (0, 0)), False
    full = max(float(occupations.max()) for _, occupations in spins)
    for spin, (energies, occupations) in enumerate(spins):
        filled = occupations / (full if full > 1.5 else 1.0)  # OUTCAR gives two electrons to a level without spin
        occupied = filled > 0.5
        is_metal |= bool((np.abs(filled - 0.5) < 0.45).any()) or len(set(occupied.sum(axis=1).tolist())) > 1
        highest = np.where(occupied, energies, -np.inf)
        lowest = np.where(occupied, np.inf, energies)
        top = max(top, (float(highest.max()), (spin, int(highest.max(axis=1).argmax()))))
        bottom = min(bottom, (float(lowest.min()), (spin, int(lowest.min(axis=1).argmin()))))
    gap = bottom[0] - top[0]
    if not np.isfinite(gap):
        raise ValueError("no level is occupied, or none is empty")
    return BandGap(
        energy=0.0 if is_metal else max(gap, 0.0),
        valence_maximum=top[0],
        conduction_minimum=bottom[0],
        is_direct=top[1][1] == bottom[1][1],
        file=file,
    )


def _of_eigenval(path: Path) -> list[Levels]:
    lines = read_bytes(path).split(b"\n")
    n_spins, n_points, n_bands = int(lines[0].split()[3]), *map(int, lines[5].split()[1:3])
    rows = np.array([line.split() for line in lines[6:] if len(line.split()) == 1 + 2 * n_spins], dtype=float)
    table = rows.reshape(n_points, n_bands, 1 + 2 * n_spins)
    return [(table[:, :, 1 + spin], table[:, :, 1 + n_spins + spin]) for spin in range(n_spins)]


def _of_vaspout(path: Path) -> list[Levels]:
    with open_hdf5(path) as file:
        energies = file.numbers(f"{EIGENVALUES}/eigenvalues", n_axes=3)
        weights = file.numbers(f"{EIGENVALUES}/fermiweights", n_axes=3)
    if energies is None or weights is None or energies.shape != weights.shape:
        return []
    return list(zip(energies, weights, strict=True))


def _of_vasprun(path: Path) -> list[Levels]:
    """Levels of the last ionic step that lists them."""
    text = b""
    with ByteStream(path) as stream, suppress(EndOfBytesError):
        while stream.skip_past(b"<eigenvalues>"):
            text = stream.take(b"</eigenvalues>", _LARGEST)
    found = []
    for spin in text.split(b'comment="spin')[1:]:
        points = [
            np.array(b" ".join(_ROW.findall(point)).split(), float) for point in spin.split(b'comment="kpoint')[1:]
        ]
        table = np.stack(points).reshape(len(points), -1, 2)
        found.append((table[:, :, 0], table[:, :, 1]))
    return found


def _of_outcar(path: Path) -> list[Levels]:
    """Levels below the last Fermi level of the file."""
    mark, text = b"\n E-fermi :", b""
    with ByteStream(path) as stream, suppress(EndOfBytesError):
        while stream.skip_past(mark):
            text = stream.take_window(b"--------") or stream.take(b"--------", _LARGEST)
    spins = _SPIN.split(text)[2::2] or [text]
    found = []
    for spin in spins:
        blocks = [
            np.array([row.split()[:3] for row in rows.splitlines()], float) for rows in _BLOCK.findall(b"\n" + spin)
        ]
        if not blocks:
            return []
        table = np.stack(blocks)
        found.append((table[:, :, 1], table[:, :, 2]))
    return found


_READERS: Mapping[str, Callable[[Path], list[Levels]]] = {
    "EIGENVAL": _of_eigenval,
    "vaspout": _of_vaspout,
    "vasprun": _of_vasprun,
    "OUTCAR": _of_outcar,
}
