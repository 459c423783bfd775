"""``vasprun.xml``: a walk over the children of its outermost elements, never a tree of the whole file.

Each child is taken as bytes or skipped by searching its closing tag, so densities of states, eigenvalues and
projections cost one search and no memory. No XML parser runs and no entity is ever resolved; a file with a
document type declaration is refused.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from nanoslab.errors import FileError
from nanoslab.vasp.byte_stream import ByteStream, EndOfBytesError
from nanoslab.vasp.runs import vasprun_parts as parts
from nanoslab.vasp.runs.numbers import number, three_whole
from nanoslab.vasp.runs.parsed_file import Frame, IonicStep, ParsedFile

_TAG_LIMIT = 1 << 16
#: the Fermi level stands first in the density of states
_FERMI = re.compile(rb'\s*<i name="efermi">([^<]{1,40})</i>')
_FERMI_TEXT = 120
_NAME = re.compile(rb'name\s*=\s*"([^"]*)"')


def read_vasprun(path: Path, frames: list[Frame | None] | None = None) -> ParsedFile:
    """Finished ionic steps of a ``vasprun.xml``; `frames` is filled with the geometry of each when it is given."""
    with ByteStream(path) as stream:
        return _Walk(stream, frames).run()


class _Walk:
    """State of one pass over a file."""

    def __init__(self, stream: ByteStream, frames: list[Frame | None] | None) -> None:
        self.stream = stream
        self.frames = frames
        self.where = "the first line"
        self.found = ParsedFile(file=stream.path.name)
        self.initial_text = self.final_text = b""
        self.steps: list[IonicStep] = []
        self.last = parts.StepText()
        self.current: parts.StepText | None = None
        self.n_learned = 0
        self.problems: list[str] = []
        self.complete = False
        self.disorder = ""

    def run(self) -> ParsedFile:
        """Walk to the end, or to where the file ends."""
        cut = ""
        try:
            self._prolog()
            self._children()
            self.complete = True
            if self.stream.peek(_TAG_LIMIT).strip(b" \r\n\t\0"):
                self.disorder = "text follows its end"
        except EndOfBytesError:
            cut = f"ends after {self.stream.offset} bytes in {self.where}"
        except FileError as error:
            self.problems.append(str(error))
            cut = "unreadable"
        if self.stream.damage:
            self.problems.append(f"{self.stream.path.name}: {self.stream.damage}")
            self.complete = False
        return self._parsed(cut)

    def _prolog(self) -> None:
        tag = _next_tag(self.stream)
        if tag.startswith(b"<?xml"):
            tag = _next_tag(self.stream)
        if _tag_name(tag) != b"modeling":
            got, advice = f"a file that begins with {tag[:40]!r}", "copy it again from the cluster"
            raise FileError(self.found.file, expected="the vasprun.xml of VASP", got=got, advice=advice)

    def _children(self) -> None:
        self.where = "the header"
        while (tag := _next_tag(self.stream)) != b"</modeling>":
            name = _tag_name(tag)
            if tag.endswith(b"/>"):
                continue
            if name.startswith(b"/"):
                self._interleaved()
            elif name == b"calculation":
                self._calculation()
            elif name == b"energy":
                self._learned_energy()
            elif name == b"kpoints":
                self._kpoints()
            elif name in (b"generator", b"incar", b"parameters", b"atominfo", b"structure"):
                self._header(name, tag, self._take(b"</" + name + b">"))
            else:
                _skip(self.stream, name)

    def _take(self, closing: bytes) -> bytes:
        """Content of an element; another file must not begin inside it."""
        content = self.stream.take(closing)
        if b"<modeling" in content:
            self._interleaved()
        return content

    def _header(self, name: bytes, tag: bytes, content: bytes) -> None:
        if name == b"generator":
            self.found = replace(self.found, vasp_version=parts.items(content).get("version") or None)
        elif name == b"incar":
            self.found = replace(self.found, incar=parts.items(content))
        elif name == b"parameters":
            self.found = replace(self.found, parameters=parts.items(content))
        elif name == b"atominfo":
            species, problems = parts.species_of(content)
            self.found = replace(self.found, **species)
            self.problems += problems
            self.where = "the header (no ionic step was begun)"
        elif b'"initialpos"' in tag:
            self.initial_text = content
        elif b'"finalpos"' in tag:
            self.final_text = content

    def _kpoints(self) -> None:
        while (child := _next_tag(self.stream)) != b"</kpoints>":
            content = self._take(b"</" + _tag_name(child) + b">")
            if child.startswith(b"<generation"):
                self.found = replace(self.found, mesh=three_whole(parts.items(content).get("divisions", "").split()))
            elif b'"weights"' in child:
                self.found = replace(self.found, n_kpoints=content.count(b"<v>"))

    def _learned_energy(self) -> None:
        """Energy outside any calculation: a step of a machine-learned force field."""
        self.stream.take(b"</energy>")
        if not any(name.startswith("ML_") for name in (*self.found.incar, *self.found.parameters)):
            self._interleaved()
        self.n_learned += 1

    def _calculation(self) -> None:
        self.current = step = parts.StepText()
        number_of_this = len(self.steps) + 1
        self.where = f"ionic step {number_of_this}"
        stream = self.stream
        self._electrons(step)
        while (child := _next_tag(stream)) != b"</calculation>":
            if child == b"<scstep>":
                content = stream.take(b"</scstep>")
                if b"<calculation" in content:
                    self._interleaved()
                step.previous, step.electronic = step.electronic, content
                step.n_electronic += 1
            elif child.startswith(b"<structure"):
                content = stream.take(b"</structure>")
                step.structure = step.structure or content
            elif child.startswith(b"<varray") and (name := _NAME.search(child)) and name[1] in (b"forces", b"stress"):
                content = stream.take(b"</varray>")
                if not step.energy:
                    setattr(step, name[1].decode(), content)
            elif child == b"<energy>":
                content = stream.take(b"</energy>")
                if not step.energy:
                    step.energy = content
                    self._finish(step)
                    self.where = f"ionic step {number_of_this}, after its energy"
            elif child.startswith((b"<calculation", b"</")):
                self._interleaved()
            elif child.startswith(b"<dos") and not child.endswith(b"/>"):
                fermi = _FERMI.match(stream.peek(_FERMI_TEXT))
                self.found = replace(self.found, fermi_energy=number(fermi[1]) if fermi else None)
                _skip(stream, b"dos")
            elif not child.endswith(b"/>"):
                _skip(stream, _tag_name(child))
        self.current = None
        self.where = f"the space after ionic step {number_of_this}"

    def _electrons(self, step: parts.StepText) -> None:
        """Take all electronic steps at once where the window holds them; of them only the last two matter."""
        text = self.stream.take_window(b"<structure")
        if text is None:
            return
        n_steps = text.count(b"<scstep>")
        regular = n_steps == text.count(b"</scstep>") and b"calculation" not in text
        if not n_steps or not regular:
            self.stream.back(len(text))
            return
        step.n_electronic = n_steps
        pieces = text.rsplit(b"<scstep>", 2)
        step.electronic = pieces[-1].partition(b"</scstep>")[0]
        step.previous = pieces[-2].partition(b"</scstep>")[0] if n_steps > 1 else b""

    def _interleaved(self) -> None:
        """Several processes wrote into the file at once: no number in it can be trusted."""
        self.steps.clear()
        expected, got = "elements that close in the order they open", f"a tangle after {self.stream.offset} bytes"
        advice = "several processes wrote this file at once, or it was edited; trust the OUTCAR instead"
        raise FileError(self.stream.path.name, expected=expected, got=got, advice=advice)

    def _doubts(self, final: Frame | None) -> tuple[str, ...]:
        name = self.stream.path.name
        doubts = [f"{name}: {doubt}" for doubt in parts.contradictions(self.last)]
        moves_on = self.found.parameters.get("IBRION", "").strip() == "0" or self.n_learned
        end = None if moves_on or final is None else parts.frame(self.final_text, b"", b"", len(self.found.symbols))
        if end and final and not np.allclose(end.scaled_positions, final.scaled_positions, rtol=0, atol=1e-7):
            doubts.append(f"{name}: its final structure is not that of the last ionic step, so steps are missing")
        return tuple(doubts)

    def _finish(self, step: parts.StepText) -> None:
        pressure = number(self.found.parameters.get("PSTRESS", "")) or 0.0
        self.steps.append(parts.ionic_step(step, right=parts.is_e0_right(self.found.vasp_version), pressure=pressure))
        self.last = step
        if self.frames is not None:
            self.frames.append(parts.frame(step.structure, step.forces, step.stress, len(self.found.symbols)))

    def _parsed(self, cut: str) -> ParsedFile:
        unfinished = self.current is not None and not self.current.energy
        n_atoms = len(self.found.symbols)
        initial = parts.frame(self.initial_text, b"", b"", n_atoms)
        final = parts.frame(self.last.structure, self.last.forces, self.last.stress, n_atoms) if self.steps else None
        if self.steps and final is None:
            self.problems.append(f"{self.found.file}: the structure of the last ionic step cannot be read")
        elif final is not None and final.forces is None and self.last.forces:
            self.problems.append(f"{self.found.file}: the forces of the last ionic step cannot be read")
        return replace(
            self.found,
            complete=self.complete,
            cut=cut,
            steps=tuple(self.steps),
            final=final,
            initial=initial,
            free=parts.free_components(self.initial_text, n_atoms),
            unfinished_electronic_steps=self.current.n_electronic if unfinished and self.current else 0,
            n_machine_learned_steps=self.n_learned,
            disorder=self.disorder,
            doubts=self._doubts(final) if self.steps else (),
            problems=tuple(self.problems),
        )


def _next_tag(stream: ByteStream) -> bytes:
    """Next tag, the cursor behind it; comments and processing instructions are passed over."""
    while True:
        stream.take(b"<")
        tag = b"<" + stream.take(b">", _TAG_LIMIT) + b">"
        if tag.startswith(b"<!--"):
            if not tag.endswith(b"-->") and not stream.skip_past(b"-->"):
                raise EndOfBytesError
            continue
        if tag.startswith(b"<!"):
            got = f"a declaration ({tag[:20].decode('ascii', 'replace')}...)"
            advice = "do not trust this file: declarations are how XML bombs and file thefts begin"
            raise FileError(stream.path.name, expected="plain XML as VASP writes it", got=got, advice=advice)
        if tag.find(b"<", 1) > 0:
            got, advice = repr(tag[:60].decode("latin-1")), "the file is damaged, or two were joined; copy it again"
            raise FileError(stream.path.name, expected="tags that are closed", got=got, advice=advice)
        return tag


def _tag_name(tag: bytes) -> bytes:
    return tag[1:-1].split(None, 1)[0].rstrip(b"/") if len(tag) > 2 and tag[1:-1].strip() else b""


def _skip(stream: ByteStream, name: bytes) -> None:
    if not stream.skip_past(b"</" + name + b">"):
        raise EndOfBytesError
