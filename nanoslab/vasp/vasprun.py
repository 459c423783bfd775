"""``vasprun.xml``: a walk over the children of its outermost elements, never a tree of the whole file.

Each child is taken as bytes or skipped by searching its closing tag, so densities of states, eigenvalues and
projections cost one search and no memory. No XML parser runs and no entity is ever resolved; a file with a
document type declaration is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from ase.units import GPa
from numpy.typing import NDArray

from nanoslab.errors import FileError
from nanoslab.vasp.bytestream import ByteStream, EndOfBytesError
from nanoslab.vasp.potential_title import element_of_title
from nanoslab.vasp.reading import Array, Frame, IonicStep, Reading, lattice_of, number, rows_of_three

_TAG_LIMIT = 1 << 16
_ITEM = re.compile(rb'<[iv]\s(?:[^>]*?\s)?name\s*=\s*"([^"]+)"[^>]*>([^<]*)<')
_ENERGY = re.compile(rb'<i name="(e_fr_energy|e_wo_entrp|e_0_energy)">([^<]*)<')
_NAME = re.compile(rb'name\s*=\s*"([^"]*)"')
_VARRAY = re.compile(rb'<varray[^>]*name\s*=\s*"(\w+)"[^>]*>(.*?)</varray>', re.DOTALL)
_VOLUME = re.compile(rb'name="volume">([^<]*)<')
_ROW = re.compile(rb"<rc>(.*?)</rc>", re.DOTALL)
_CELL = re.compile(rb"<c>([^<]*)</c>")
_SETS = re.compile(rb'<array\s+name\s*=\s*"(atoms|atomtypes)"[^>]*>(.*?)</array>', re.DOTALL)
_TAGS_IN_ROWS = re.compile(rb"<[^>]*>")
#: in older files the block's e_0_energy is the entropy term, and e_wo_entrp holds E0
_FIRST_RIGHT_E0 = (6, 1)


def read_vasprun(path: Path, frames: list[Frame | None] | None = None) -> Reading:
    """Read what a ``vasprun.xml`` says about energies, forces, structure and settings.

    Parameters
    ----------
    path
        Plain or compressed file.
    frames
        When given, filled with the geometry of every finished ionic step.

    Returns
    -------
    Reading
        Only finished ionic steps; `complete` when the outermost element is closed.

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
        self.where = "the first line"
        self.version: str | None = None
        self.right_e0 = False
        self.incar: dict[str, str] = {}
        self.parameters: dict[str, str] = {}
        self.species = _Species()
        self.mesh: tuple[int, int, int] | None = None
        self.n_kpoints: int | None = None
        self.initial_text = b""
        self.steps: list[IonicStep] = []
        self.last = _Step()
        self.current: _Step | None = None
        self.n_learned = 0
        self.problems: list[str] = []
        self.complete = False

    def run(self) -> Reading:
        """Walk to the end, or to where the file ends."""
        cut = ""
        try:
            self._prolog()
            self._children()
            self.complete = True
        except EndOfBytesError:
            cut = f"ends after {self.stream.offset} bytes in {self.where}"
        except FileError as error:
            self.problems.append(str(error))
            cut = "unreadable"
        if self.stream.damage:
            self.problems.append(f"{self.stream.path.name}: {self.stream.damage}")
            self.complete = False
        return self._reading(cut)

    def _prolog(self) -> None:
        tag = _next_tag(self.stream)
        if tag.startswith(b"<?xml"):
            tag = _next_tag(self.stream)
        if _tag_name(tag) != b"modeling":
            raise FileError(
                self.stream.path.name,
                expected="the vasprun.xml of VASP",
                got=f"a file that begins with {tag[:40]!r}",
                advice="copy it again from the cluster",
            )

    def _children(self) -> None:
        handlers: dict[bytes, Callable[[bytes], None]] = {
            b"generator": self._generator,
            b"incar": self._incar,
            b"kpoints": self._kpoints,
            b"parameters": self._parameters,
            b"atominfo": self._atominfo,
            b"structure": self._structure,
            b"calculation": self._calculation,
            b"energy": self._learned_energy,
        }
        self.where = "the header"
        while (tag := _next_tag(self.stream)) != b"</modeling>":
            name = _tag_name(tag)
            if tag.endswith(b"/>"):
                continue
            if name.startswith(b"/"):
                self._interleaved()
            handler = handlers.get(name)
            if handler is None:
                _skip(self.stream, name)
            else:
                handler(tag)

    def _generator(self, _tag: bytes) -> None:
        items = _items(self.stream.take(b"</generator>"))
        self.version = items.get("version") or None
        self.right_e0 = _version_tuple(self.version) >= _FIRST_RIGHT_E0

    def _incar(self, _tag: bytes) -> None:
        self.incar = _items(self.stream.take(b"</incar>"))

    def _parameters(self, _tag: bytes) -> None:
        self.parameters = _items(self.stream.take(b"</parameters>"))

    def _kpoints(self, _tag: bytes) -> None:
        while (child := _next_tag(self.stream)) != b"</kpoints>":
            name = _tag_name(child)
            if name == b"generation":
                self._generation(self.stream.take(b"</generation>"))
            elif b'"weights"' in child:
                self.n_kpoints = self.stream.take(b"</varray>").count(b"<v>")
            else:
                _skip(self.stream, name)

    def _generation(self, content: bytes) -> None:
        words = _items(content).get("divisions", "").split()
        if len(words) == 3 and all(word.isdigit() for word in words):
            self.mesh = (int(words[0]), int(words[1]), int(words[2]))

    def _atominfo(self, _tag: bytes) -> None:
        self.species = _species(self.stream.take(b"</atominfo>"))
        self.where = "the header (no ionic step was begun)"

    def _structure(self, tag: bytes) -> None:
        content = self.stream.take(b"</structure>")
        if b'"initialpos"' in tag:
            self.initial_text = content

    def _learned_energy(self, _tag: bytes) -> None:
        """Energy outside any calculation: a step of a machine-learned force field."""
        self.stream.take(b"</energy>")
        if not self.learns:
            self._interleaved()
        self.n_learned += 1

    def _calculation(self, _tag: bytes) -> None:
        self.current = step = _Step()
        number_of_this = len(self.steps) + 1
        self.where = f"ionic step {number_of_this}"
        stream = self.stream
        self._electrons(step)
        while (child := _next_tag(stream)) != b"</calculation>":
            if child == b"<scstep>":
                content = stream.take(b"</scstep>")
                if not step.energy:
                    step.previous, step.electronic = step.electronic, content
                    step.n_electronic += 1
            elif child.startswith(b"<structure"):
                content = stream.take(b"</structure>")
                step.structure = step.structure or content
            elif child.startswith(b"<varray") and (name := _attribute_name(child)) in (b"forces", b"stress"):
                content = stream.take(b"</varray>")
                if not step.energy:
                    setattr(step, name.decode(), content)
            elif child == b"<energy>":
                content = stream.take(b"</energy>")
                if not step.energy:
                    step.energy = content
                    self._finish(step)
                    self.where = f"ionic step {number_of_this}, after its energy"
            elif child.startswith((b"<calculation", b"</")):
                self._interleaved()
            elif not child.endswith(b"/>"):
                _skip(stream, _tag_name(child))
        self.current = None
        self.where = f"the space after ionic step {number_of_this}"

    def _electrons(self, step: _Step) -> None:
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
        raise FileError(
            self.stream.path.name,
            expected="elements that close in the order they open",
            got=f"a tangle after {self.stream.offset} bytes",
            advice="several processes wrote this file at once, or it was edited; trust the OUTCAR instead",
        )

    @property
    def learns(self) -> bool:
        """The tags say that a force field was learned or used."""
        return any(name.startswith("ML_") for name in (*self.incar, *self.parameters))

    def _finish(self, step: _Step) -> None:
        pressure = number(self.parameters.get("PSTRESS", "")) or 0.0
        self.steps.append(_ionic_step(step, right=self.right_e0, pressure=pressure))
        self.last = step
        if self.frames is not None:
            self.frames.append(_frame(step.structure, step.forces, step.stress, len(self.species.symbols)))

    def _reading(self, cut: str) -> Reading:
        unfinished = self.current is not None and not self.current.energy
        n_atoms = len(self.species.symbols)
        initial = _frame(self.initial_text, b"", b"", n_atoms)
        final = _frame(self.last.structure, self.last.forces, self.last.stress, n_atoms) if self.steps else None
        problems = [*self.problems, *self.species.problems]
        if self.steps and final is None:
            problems.append(f"{self.stream.path.name}: the structure of the last ionic step cannot be read")
        elif final is not None and final.forces is None and self.last.forces:
            problems.append(f"{self.stream.path.name}: the forces of the last ionic step cannot be read")
        return Reading(
            file=self.stream.path.name,
            complete=self.complete,
            cut=cut,
            vasp_version=self.version,
            incar=self.incar,
            parameters=self.parameters,
            symbols=self.species.symbols,
            potentials=self.species.potentials,
            counts=self.species.counts,
            steps=tuple(self.steps),
            final=final,
            initial=initial,
            free=_free_components(self.initial_text, n_atoms),
            mesh=self.mesh,
            n_kpoints=self.n_kpoints,
            unfinished_electronic_steps=self.current.n_electronic if unfinished and self.current else 0,
            n_machine_learned_steps=self.n_learned,
            problems=tuple(problems),
        )


class _Step:
    """Text of one ionic step, parsed only when it is the last one."""

    __slots__ = ("electronic", "energy", "forces", "n_electronic", "previous", "stress", "structure")

    def __init__(self) -> None:
        self.previous = self.electronic = self.structure = self.forces = self.stress = self.energy = b""
        self.n_electronic = 0


class _Species:
    """Atoms and their potentials."""

    __slots__ = ("counts", "potentials", "problems", "symbols")

    def __init__(self) -> None:
        self.symbols: tuple[str, ...] = ()
        self.potentials: tuple[tuple[str, str], ...] = ()
        self.counts: tuple[int, ...] = ()
        self.problems: list[str] = []


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
            raise FileError(
                stream.path.name,
                expected="plain XML as VASP writes it",
                got=f"a declaration ({tag[:20].decode('ascii', 'replace')}...)",
                advice="do not trust this file: declarations are how XML bombs and file thefts begin",
            )
        return tag


def _tag_name(tag: bytes) -> bytes:
    return tag[1:-1].split(None, 1)[0].rstrip(b"/") if len(tag) > 2 and tag[1:-1].strip() else b""


def _attribute_name(tag: bytes) -> bytes:
    found = _NAME.search(tag)
    return found[1] if found else b""


def _skip(stream: ByteStream, name: bytes) -> None:
    if not stream.skip_past(b"</" + name + b">"):
        raise EndOfBytesError


def _items(content: bytes) -> dict[str, str]:
    """Name -> text of the first item of each name; later ones belong to special sub-programs."""
    found: dict[str, str] = {}
    for name, text in _ITEM.findall(content):
        found.setdefault(name.decode("latin-1"), text.decode("latin-1").strip())
    return found


def _ionic_step(step: _Step, *, right: bool, pressure: float) -> IonicStep:
    """Energies of a finished step; `right` when the block's e_0_energy is what its name says."""
    block = dict(_ENERGY.findall(step.energy))
    last = dict(_ENERGY.findall(step.electronic))
    before = dict(_ENERGY.findall(step.previous))
    f_last, e_last = number(last.get(b"e_fr_energy", b"")), number(last.get(b"e_0_energy", b""))
    f_before = number(before.get(b"e_fr_energy", b""))
    free = number(block.get(b"e_fr_energy", b""))
    energy = number(block.get(b"e_0_energy" if right else b"e_wo_entrp", b""))
    if free is not None and f_last is not None and e_last is not None and not (right and energy is not None):
        energy = e_last if free == f_last else round(free + (e_last - f_last), 8)
    if free is not None and energy is not None and pressure:
        work = _work(free, f_last, pressure, step.structure)
        free, energy = round(free - work, 8), round(energy - work, 8)
    change = f_last - f_before if f_last is not None and f_before is not None else None
    correction = free - f_last if free is not None and f_last is not None else None
    return IonicStep(free, energy, step.n_electronic, change, correction)


def _work(free: float, f_last: float | None, pressure: float, structure: bytes) -> float:
    """Work against PSTRESS, which the block holds but its electronic steps do not [eV]."""
    found = _VOLUME.search(structure)
    volume = number(found[1]) if found else None
    if volume is None:
        return 0.0
    work = pressure * 0.1 * GPa * volume
    holds_it = f_last is None or abs(free - work - f_last) < abs(free - f_last)
    return work if holds_it else 0.0


def _version_tuple(version: str | None) -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", version or "")
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _species(content: bytes) -> _Species:
    """Symbols per atom and titles per type; the title decides where VASP garbles an element (X for Xe)."""
    species = _Species()
    sets = {name: [_CELL.findall(row) for row in _ROW.findall(body)] for name, body in _SETS.findall(content)}
    elements: list[str] = []
    for cells in sets.get(b"atomtypes", []):
        words = [cell.decode("latin-1").strip() for cell in cells]
        if len(words) < 5 or not words[0].isdigit():
            species.problems.append("atominfo cannot be read")
            return species
        element = element_of_title(words[1], words[4])
        elements.append(element)
        species.potentials += ((element, words[4]),)
        species.counts += (int(words[0]),)
    symbols: list[str] = []
    for cells in sets.get(b"atoms", []):
        index = int(cells[1]) - 1 if len(cells) > 1 and cells[1].strip().isdigit() else -1
        name = elements[index] if 0 <= index < len(elements) else ""
        symbols.append(name or b" ".join(cells[:1]).decode("latin-1").strip())
    species.symbols = tuple(symbols)
    return species


def _frame(structure: bytes, forces: bytes, stress: bytes, n_atoms: int) -> Frame | None:
    arrays = dict(_VARRAY.findall(structure))
    lattice = lattice_of(_rows(arrays.get(b"basis", b""), 3))
    positions = _rows(arrays.get(b"positions", b""), n_atoms)
    if lattice is None or positions is None:
        return None
    return Frame(
        lattice=lattice,
        scaled_positions=positions,
        forces=_rows(forces, n_atoms),
        stress=_rows(stress, 3),
    )


def _rows(varray: bytes, n_rows: int) -> Array | None:
    return rows_of_three(_TAGS_IN_ROWS.sub(b" ", varray), n_rows)


def _free_components(structure: bytes, n_atoms: int) -> NDArray[np.bool_] | None:
    """Selective dynamics; all components are free when the file lists none."""
    if not structure or not n_atoms:
        return None
    for name, body in _VARRAY.findall(structure):
        if name == b"selective":
            words = _TAGS_IN_ROWS.sub(b" ", body).split()
            if len(words) != 3 * n_atoms:
                return None
            return np.array([word.strip(b".").startswith((b"T", b"t")) for word in words]).reshape(-1, 3)
    return np.ones((n_atoms, 3), dtype=bool)
