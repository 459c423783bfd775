"""``OUTCAR``: one pass from marker to marker; only what belongs to the last finished ionic step is parsed.

The markers are the headings VASP has printed since version 4.6, which prints the energy of a step before its
forces; later versions print it after them. Numbers in fixed columns may touch each other, so they are told apart
by their number of decimals, not by blanks.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from nanoslab.errors import FileError
from nanoslab.vasp.byte_stream import LOOK_BEHIND, ByteStream, EndOfBytesError
from nanoslab.vasp.runs.numbers import energies_fit, number, numbers, whole_number
from nanoslab.vasp.runs.outcar_parts import FORCES, HEAD, StepGeometry, parse_header
from nanoslab.vasp.runs.parsed_file import Frame, IonicStep, ParsedFile

_ITERATION = b" Iteration "
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
_ELAPSED = re.compile(rb"Elapsed time \(sec\): +([\d.]+) *\r?\n")
_MEMORY = re.compile(rb"Maximum memory used \(kb\): +([\d.]+) *\r?\n")
_FERMI = b"\n E-fermi :"
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
    """Finished ionic steps of an ``OUTCAR``; `frames` is filled with the geometry of each when it is given."""
    with ByteStream(path) as stream:
        return _Walk(stream, frames).run()


class _Walk:
    """State of one pass over a file."""

    def __init__(self, stream: ByteStream, frames: list[Frame | None] | None) -> None:
        self.stream = stream
        self.frames = frames
        self.header = ParsedFile(file=stream.path.name)
        self.n_atoms: int | None = None
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
        self.last = StepGeometry(b"")
        self.reached = False
        self.complete = False
        self.elapsed: float | None = None
        self.memory: float | None = None
        self.fermi: float | None = None

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
        self.header, self.n_atoms = parse_header(self.stream.path.name, text)
        if not mark:
            self.stream.skip_past(_TIMING)
            raise EndOfBytesError
        self.stream.take(mark)
        self.stream.back(len(mark))
        self.stream.look_behind = max(LOOK_BEHIND, _GEOMETRY_TEXT + _BYTES_PER_ATOM * (self.n_atoms or 0))

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
            # a second head behind finished steps shows by their numbers
            noted = _NOTED if self.steps else (*_NOTED, HEAD)
            found, passed = self.stream.skip_past_noting(_ENERGY, noted, _ITERATION_TEXT)
            self._electrons(passed.get(_ITERATION, b""), finished=found)
            if not found:
                self.reached = _REACHED in passed
                self._end(passed.get(_TIMING, b""))
                return
            if _TIMING in passed or HEAD in passed:
                self.disorder = self.disorder or "a second one begins in it"
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
            follows = f"ionic step {step} follows ionic step {before}"
            self.disorder = follows if before else f"it begins with ionic step {step}"

    def _energy(self) -> None:
        text = self.stream.peek(_ENERGY_TEXT)
        total, extrapolated = _TOTAL.search(text), _EXTRAPOLATED.search(text)
        if total is None or extrapolated is None:
            if len(text) < _ENERGY_TEXT:
                raise EndOfBytesError
            name = self.stream.path.name
            self.problems.append(f"{name}: the energy of ionic step {len(self.steps) + 1} is not there")
            return
        magnetization = _MAGNETIZATION.search(self.last_iteration)
        if magnetization and magnetization[1].split():
            self.magnetization = numbers(magnetization[1])
        self.last = self._geometry()
        at = self.last.text.rfind(_FERMI)
        if at >= 0:
            self.fermi = number(self.last.text[at + len(_FERMI) : at + 40].lstrip().partition(b" ")[0])
        self.energies = total[1], extrapolated[1], extrapolated[2]
        free = number(total[1])
        correction = _correction(free, _first(_ELECTRONIC_TOTAL, self.last_iteration), self.last.text)
        change = _first(_CHANGE, self.last_iteration)
        self.steps.append(IonicStep(free, number(extrapolated[2]), self.n_electronic, change, correction))
        self.last_iteration = b""
        self.n_electronic = 0
        if self.frames is not None:
            self.frames.append(self.last.frame(self.n_atoms))

    def _geometry(self) -> StepGeometry:
        """Text with the geometry and forces of the step whose energy was just found."""
        before = self.stream.behind(self.stream.look_behind)
        if not self.steps:
            self.energy_first = (self.header.vasp_version or "").startswith("4.") and FORCES not in before
        if not self.energy_first:
            return StepGeometry(before)
        text = self.stream.peek(self.stream.look_behind)
        ends = [at for mark in (_ITERATION, _TIMING) if (at := text.find(mark)) >= 0]
        if not ends and len(text) < self.stream.look_behind and not StepGeometry(text).is_closed:
            raise EndOfBytesError
        return StepGeometry(text[: min(ends, default=len(text))])

    def _end(self, accounting: bytes) -> None:
        """Judge the last part of the file: the accounting, and the profile that some builds append."""
        self.elapsed = _first(_ELAPSED, accounting)
        self.memory = _first(_MEMORY, accounting)
        end = _END.search(accounting)
        rest = accounting[end.end() :].strip(b" \r\n\0") if end else b""
        if rest and _PROFILE not in accounting and not self.disorder:
            self.disorder = "text follows its end"
        tail = self.stream.behind(_GEOMETRY_TEXT)
        self.complete = end is not None and (_PROFILE not in accounting or _PROFILE_END.search(tail) is not None)

    def _parsed(self) -> ParsedFile:
        final = self.last.frame(self.n_atoms) if self.steps else None
        if self.steps and self.last.rows and (final is None or final.forces is None):
            self.problems.append(f"{self.header.file}: the forces of the last ionic step cannot be read")
        return replace(
            self.header,
            complete=self.complete,
            cut="" if self.complete else f"ends after {self.stream.offset} bytes, {self._where()}",
            steps=tuple(self.steps),
            final=final,
            says_reached=self.reached,
            says_electrons_converged=self._says_electrons_converged(),
            unfinished_electronic_steps=0 if self.complete else self.n_electronic,
            n_machine_learned_steps=self.n_learned,
            magnetization=self.magnetization,
            site_moments=self.last.site_moments(self.n_atoms),
            elapsed_s=self.elapsed,
            fermi_energy=self.fermi,
            memory_MB=None if self.memory is None else self.memory / 1000,
            disorder=self.disorder or self.header.disorder or self._beheaded(),
            doubts=self._doubts(),
            problems=tuple(self.problems),
        )

    def _beheaded(self) -> str:
        head = {"version": self.header.vasp_version, "tags": self.header.parameters}
        missing = " and ".join(what for what, found in head.items() if not found)
        return f"its head is missing ({missing})" if missing and self.steps else ""

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


def _first(pattern: re.Pattern[bytes], text: bytes) -> float | None:
    found = pattern.search(text)
    return number(found[1]) if found else None


def _correction(free: float | None, f_last: float | None, text: bytes) -> float | None:
    """What VASP added to F after the last electronic step, less the dispersion energy it prints [eV]."""
    if free is None or f_last is None:
        return None
    at = text.rfind(_DISPERSION) if free != f_last else -1
    words = text[at + len(_DISPERSION) : at + 60].lstrip(b": ").split(None, 1) if at >= 0 else []
    return free - f_last - ((number(words[0]) if words else None) or 0.0)
