"""``OUTCAR``: one pass from marker to marker; only what belongs to the last finished ionic step is parsed.

The markers are the headings VASP has printed since version 4.6, which prints the energy of a step before its
forces; later versions print it after them. Numbers in fixed columns may touch each other, so they are told apart
by their number of decimals, not by blanks.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from nanoslab.errors import FileError
from nanoslab.vasp.byte_stream import LOOK_BEHIND, ByteStream, EndOfBytesError
from nanoslab.vasp.runs.numbers import Array, energies_fit, number, rows_of_three, whole_number
from nanoslab.vasp.runs.outcar_header import Header, lattice_after, parse_header
from nanoslab.vasp.runs.parsed_file import Frame, IonicStep, ParsedFile

_ITERATION = b" Iteration "
_GEOMETRY = b"VOLUME and BASIS-vectors are now"
_FORCES = b"TOTAL-FORCE (eV"
_ENERGY = b"FREE ENERGIE OF THE ION-ELECTRON SYSTEM"
_REACHED = b"reached required accuracy - stopping structural energy minimisation"
_TIMING = b"General timing and accounting informations for this job"

_NOTED = (_ITERATION, _REACHED, _TIMING)

_HEADING = re.compile(rb"\s*([\d*]+)\(\s*([\d*]+)\s*\)")
_CHANGE = re.compile(rb"total energy-change[^:\n]*:\s*(-?[\d.]+(?:[ED][+-]?\d+)?|\*+)\s*\(")
_MAGNETIZATION = re.compile(rb"number of electron[^\n]*magnetization +([-\d. ]+)\r?\n")
# builds with an old dispersion patch print the energy without it behind each
_WITHOUT = rb"(?: eV)?(?: +w/o vdW *=[^\n]*?)? *\r?\n"
_TOTAL = re.compile(rb"\n *free  energy +TOTEN *= *(\S+)" + _WITHOUT)
_ELECTRONIC_TOTAL = re.compile(rb"\n *free energy +TOTEN *= *(\S+) eV *\r?\n")
_EXTRAPOLATED = re.compile(rb"\n *energy  without entropy *= *(\S+)[^\n]*?energy\(sigma->0\) *= *(\S+)" + _WITHOUT)
_ELECTRONS_CONVERGED = b"aborting loop because EDIFF is reached"
_DISPERSION = b" Edisp (eV)"
_IN_KB = re.compile(rb"in kB +([^\n]*)\n")
_VECTOR = re.compile(rb"-?\d+\.\d{9}")
_POSITION, _FORCE = rb" *(-?\d*\.\d{5})", rb" *(-?\d*\.\d{6}|\*+)"
_ROW = re.compile(3 * _POSITION + 3 * _FORCE)
_ELAPSED = re.compile(rb"Elapsed time \(sec\): +([\d.]+) *\r?\n")
_END = re.compile(rb"Voluntary context switches: +\d+ *\r?\n")
_PROFILE = b"PROFILE, used timers"
_PROFILE_END = re.compile(rb"\nProfiling took +[\d.]+ seconds *\r?\n\s*$")

_ITERATION_TEXT = 6000
_ENERGY_TEXT = 1200
_HEADER_TEXT = 1 << 18
_LARGEST_HEADER = 1 << 26
_GEOMETRY_TEXT = 1 << 14
#: of the two tables of forces, and whatever else is printed per atom before the energy
_BYTES_PER_ATOM = 400
#: an electronic step whose number VASP prints as asterisks
_MANY = 10**6


def read_outcar(path: Path, frames: list[Frame | None] | None = None) -> ParsedFile:
    """Read what an ``OUTCAR`` says about energies, forces, structure and settings.

    Parameters
    ----------
    path
        Plain or compressed file.
    frames
        When given, filled with the geometry of every finished ionic step.

    Returns
    -------
    ParsedFile
        Only finished ionic steps; `complete` when the accounting at the end is there.

    Raises
    ------
    FileError
        When the file cannot be opened.
    """
    with ByteStream(path) as stream:
        return _Walk(stream, frames).run()


class _Walk:
    """State of one pass over a file."""

    def __init__(self, stream: ByteStream, frames: list[Frame | None] | None) -> None:
        self.stream = stream
        self.frames = frames
        self.header = Header()
        self.energy_first = False
        self.problems: list[str] = []
        self.steps: list[IonicStep] = []
        self.n_electronic = 0
        self.n_learned = 0
        self.number = 0
        self.disorder = ""
        self.energies: tuple[bytes, bytes, bytes] = (b"", b"", b"")
        self.last_iteration = b""
        self.magnetization: tuple[float, ...] | None = None
        self.last = _Geometry(b"")
        self.reached = False
        self.complete = False
        self.elapsed: float | None = None

    def run(self) -> ParsedFile:
        """Walk to the end, or to where the file ends."""
        try:
            self._header()
            self._steps()
        except EndOfBytesError:
            pass
        except FileError as error:
            self.problems.append(str(error))
        if self.stream.damage:
            self.problems.append(f"{self.stream.path.name}: {self.stream.damage}")
            self.complete = False
        return self._parsed()

    def _header(self) -> None:
        text, mark = self._to_first_mark()
        self.header = parse_header(text)
        if not mark:
            self.stream.skip_past(_TIMING)
            raise EndOfBytesError
        self.stream.take(mark)
        self.stream.back(len(mark))
        self.stream.look_behind = max(LOOK_BEHIND, _GEOMETRY_TEXT + _BYTES_PER_ATOM * (self.header.n_atoms or 0))

    def _to_first_mark(self) -> tuple[bytes, bytes]:
        """Text before the first step, and the mark that ends it: a force field has energies without iterations."""
        size = _HEADER_TEXT
        while True:
            text = self.stream.peek(size)
            found = [(at, mark) for mark in (_ITERATION, _ENERGY, _TIMING) if (at := text.find(mark)) >= 0]
            if found:
                at, mark = min(found)
                return text[:at], mark
            if len(text) < size or size >= _LARGEST_HEADER:
                return text, b""
            size *= 4

    def _steps(self) -> None:
        """From energy to energy; of the electronic steps between them only the last is looked at."""
        while True:
            found, passed = self.stream.skip_past_noting(_ENERGY, _NOTED, _ITERATION_TEXT)
            self._electrons(passed.get(_ITERATION, b""), finished=found)
            if not found:
                self.reached = _REACHED in passed
                self._end(passed.get(_TIMING, b""))
                return
            if _TIMING in passed:
                self.disorder = self.disorder or "another run begins after the end of the first"
            if self.stream.behind(len(_ENERGY) + 3).startswith(b"ML "):
                self.n_learned += 1
            else:
                self._energy()

    def _electrons(self, text: bytes, *, finished: bool) -> None:
        """Note the last electronic step; those of linear response are counted by VASP itself in brackets only."""
        heading = _HEADING.match(text)
        if heading is not None:
            self._in_order(whole_number(heading[1]), finished=finished)
            self.last_iteration = text
            count = whole_number(heading[2])
            self.n_electronic = _MANY if count is None else count

    def _in_order(self, step: int | None, *, finished: bool) -> None:
        """Finished ionic steps are counted one by one, but for those of a force field; linear response begins again."""
        if step is None:
            return
        before, self.number = self.number, step
        expected = step > before if self.n_learned else step == before + 1
        if not (expected if finished else step >= before) and not self.disorder:
            self.disorder = (
                f"ionic step {step} follows ionic step {before}" if before else f"it begins with ionic step {step}"
            )

    def _energy(self) -> None:
        text = self.stream.peek(_ENERGY_TEXT)
        total, extrapolated = _TOTAL.search(text), _EXTRAPOLATED.search(text)
        if total is None or extrapolated is None:
            if len(text) < _ENERGY_TEXT:
                raise EndOfBytesError
            self.problems.append(
                f"{self.stream.path.name}: the energy of ionic step {len(self.steps) + 1} is not there"
            )
            return
        change = _CHANGE.search(self.last_iteration)
        magnetization = _MAGNETIZATION.search(self.last_iteration)
        if magnetization and magnetization[1].split():
            values = [number(word) for word in magnetization[1].split()]
            self.magnetization = tuple(value for value in values if value is not None)
        geometry = self._geometry()
        self.energies = total[1], extrapolated[1], extrapolated[2]
        free = number(total[1])
        electronic = _ELECTRONIC_TOTAL.search(self.last_iteration)
        f_last = number(electronic[1]) if electronic else None
        self.steps.append(
            IonicStep(
                free,
                number(extrapolated[2]),
                self.n_electronic,
                number(change[1]) if change else None,
                _correction(free, f_last, geometry.text),
            )
        )
        self.last = geometry
        self.last_iteration = b""
        self.n_electronic = 0
        if self.frames is not None:
            self.frames.append(self.last.frame(self.header.n_atoms))

    def _geometry(self) -> _Geometry:
        """Text with the geometry and forces of the step whose energy was just found."""
        before = self.stream.behind(self.stream.look_behind)
        if not self.steps:
            self.energy_first = (self.header.version or "").startswith("4.") and _FORCES not in before
        if not self.energy_first:
            return _Geometry(before)
        text = self.stream.peek(self.stream.look_behind)
        ended = len(text) < self.stream.look_behind
        ends = [at for mark in (_ITERATION, _TIMING) if (at := text.find(mark)) >= 0]
        if not ends and ended and not _Geometry(text).is_closed:
            raise EndOfBytesError
        return _Geometry(text[: min(ends, default=len(text))])

    def _end(self, accounting: bytes) -> None:
        """Judge the last part of the file: the accounting, and the profile that some builds append."""
        elapsed = _ELAPSED.search(accounting)
        self.elapsed = float(elapsed[1]) if elapsed else None
        end = _END.search(accounting)
        rest = accounting[end.end() :].strip(b" \r\n\0") if end else b""
        if rest and _PROFILE not in accounting and not self.disorder:
            self.disorder = "text follows its end"
        tail = self.stream.behind(_GEOMETRY_TEXT)
        self.complete = end is not None and (_PROFILE not in accounting or _PROFILE_END.search(tail) is not None)

    def _parsed(self) -> ParsedFile:
        header, stream = self.header, self.stream
        final = self.last.frame(header.n_atoms) if self.steps else None
        problems = list(self.problems)
        if self.steps and self.last.rows and (final is None or final.forces is None):
            problems.append(f"{stream.path.name}: the forces of the last ionic step cannot be read")
        cut = "" if self.complete else f"ends after {stream.offset} bytes, {self._where()}"
        return ParsedFile(
            file=stream.path.name,
            complete=self.complete,
            cut=cut,
            vasp_version=header.version,
            incar=header.incar,
            parameters=header.parameters,
            symbols=header.symbols,
            potentials=header.potentials,
            counts=header.counts,
            steps=tuple(self.steps),
            final=final,
            initial=header.initial,
            n_kpoints=header.n_kpoints,
            says_reached=self.reached,
            unfinished_electronic_steps=0 if self.complete else self.n_electronic,
            n_machine_learned_steps=self.n_learned,
            says_electrons_converged=self._says_electrons_converged(),
            disorder=self.disorder or self._beheaded(),
            doubts=self._doubts(),
            magnetization=self.magnetization,
            elapsed_s=self.elapsed,
            problems=tuple(problems),
        )

    def _beheaded(self) -> str:
        missing = [] if self.header.version else ["version"]
        missing += [] if self.header.parameters else ["tags"]
        return f"its head is missing ({' and '.join(missing)})" if missing and self.steps else ""

    def _doubts(self) -> tuple[str, ...]:
        free, without_entropy, extrapolated = (number(word) for word in self.energies)
        digit = 10.0 ** -len(self.energies[0].partition(b".")[2])
        if free is None or without_entropy is None or extrapolated is None:
            return ()
        if energies_fit(free, without_entropy, extrapolated, digit):
            return ()
        words = ", ".join(word.decode("latin-1") for word in self.energies)
        return (f"{self.stream.path.name}: F, E and E0 of the last ionic step do not fit together ({words} eV)",)

    def _says_electrons_converged(self) -> bool | None:
        """What VASP says below the last electronic step; None where the step began before the text kept of it."""
        at = self.last.text.rfind(_ITERATION)
        return None if at < 0 or self.energy_first else _ELECTRONS_CONVERGED in self.last.text[at:]

    def _where(self) -> str:
        if self.n_electronic:
            return f"in electronic step {self.n_electronic} of ionic step {len(self.steps) + 1}"
        return f"after ionic step {len(self.steps)}" if self.steps else "in the header"


def _correction(free: float | None, f_last: float | None, text: bytes) -> float | None:
    """What VASP added to F after the last electronic step, less the dispersion energy it prints [eV]."""
    if free is None or f_last is None:
        return None
    at = text.rfind(_DISPERSION) if free != f_last else -1
    words = text[at + len(_DISPERSION) : at + 60].lstrip(b": ").split(None, 1) if at >= 0 else []
    return free - f_last - ((number(words[0]) if words else None) or 0.0)


class _Geometry:
    """Text before the energy of one ionic step, parsed only when it is asked for."""

    __slots__ = ("text",)

    def __init__(self, text: bytes) -> None:
        self.text = text

    @property
    def rows(self) -> bytes:
        """Table of positions and forces."""
        at = self.text.rfind(_FORCES)
        parts = self.text[at:].split(b"\n", 2) if at >= 0 else []
        return parts[2].split(b"\n ---", 1)[0] if len(parts) == 3 else b""

    @property
    def is_closed(self) -> bool:
        """The table of forces has its last line."""
        at = self.text.rfind(_FORCES)
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
