"""All that the files of one run say, side by side, and which of them is believed for which quantity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.selective_dynamics import free_components
from nanoslab.vasp.runs.numbers import number
from nanoslab.vasp.runs.parsed_file import Frame, IonicStep, ParsedFile

_RESPONSES = {5: "finite differences", 6: "finite differences", 7: "linear response", 8: "linear response"}
_MOTIONS = {0: "molecular dynamics", 40: "reaction path", 44: "dimer"}
_MANY_BODY = ("GW", "RPA", "ACFDT", "BSE", "CHI", "TDHF", "TIMEEV", "2E4W")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRun:
    """Files of one run, parsed."""

    outputs: tuple[ParsedFile, ...]  #: what each output file says, the most trusted first; at least one
    oszicar: ParsedFile | None = None  #: the OSZICAR where other outputs tell more; a witness of their energies
    #: structures of POSCAR and CONTCAR, if they could be read
    start: Atoms | None = None
    contcar: Atoms | None = None
    incar: Mapping[str, str] = field(default_factory=dict)  #: tags of the INCAR file
    mesh: tuple[int, int, int] | None = None  #: divisions of the k-points in the KPOINTS file
    is_image: bool = False  #: the run is an image of a chain
    logs: tuple[tuple[str, bytes], ...] = ()  #: name and text of standard output and error
    problems: tuple[str, ...] = ()  #: files that could not be read, in words

    @property
    def main(self) -> ParsedFile:
        """The file whose energies are reported: most finished steps; of equals the complete one, then the first."""
        return max(self.outputs, key=lambda output: (len(output.steps), output.complete))

    def first(self, name: str) -> Any:
        """A field of the first output that has it, or None."""
        values = (getattr(output, name) for output in self.outputs)
        return next((value for value in values if isinstance(value, np.ndarray) or value not in (None, {}, ())), None)

    def tag(self, name: str) -> str | None:
        """Tag as used, else as given."""
        return next((o.parameters[name] for o in self.outputs if name in o.parameters), self.given(name))

    def given(self, name: str) -> str | None:
        """Tag as the user gave it."""
        return next((o.incar[name] for o in self.outputs if name in o.incar), self.incar.get(name))

    def value(self, name: str) -> float | None:
        """First word of a tag as a number."""
        words = (self.tag(name) or "").split()
        return number(words[0]) if words else None

    def integer(self, name: str, default: int) -> int:
        """First word of a tag as an integer."""
        value = self.value(name)
        return default if value is None else int(value)

    def logical(self, name: str) -> bool:
        """Whether a tag is true."""
        return (self.tag(name) or "").strip().strip(".").upper().startswith("T")

    @property
    def kind(self) -> str:
        """What kind of run this is, in words."""
        algorithm = (self.given("ALGO") or "").strip().upper()
        nsw = self.integer("NSW", 0)
        ibrion = self.integer("IBRION", -1 if nsw <= 1 else 0)
        if any(name in algorithm for name in _MANY_BODY):
            return "many-body"
        if not (self.incar or any(output.parameters or output.incar for output in self.outputs)):
            return "unknown"
        if ibrion in _RESPONSES:
            return _RESPONSES[ibrion]
        if self.n_images:
            return "image of a chain"
        if nsw <= 1 or ibrion < 0:
            return "static"
        return _MOTIONS.get(ibrion, "relaxation")

    @property
    def n_images(self) -> int:
        """Images of a nudged elastic band, 0 for an ordinary run."""
        words = (self.given("IMAGES") or "").split()
        if words:
            return int(number(words[0]) or 0)
        # numbered folders hold many things; they are a chain unless the tags are known and name no images
        knows_tags = bool(self.incar) or any(output.incar for output in self.outputs)
        return int(self.is_image and not knows_tags and self.integer("NSW", 0) > 0)

    @property
    def steps(self) -> tuple[IonicStep, ...]:
        """Finished ionic steps of the main file."""
        return self.main.steps

    @property
    def complete(self) -> bool:
        """Some file was written to its end."""
        return any(output.complete for output in self.outputs)

    @property
    def says_reached(self) -> bool | None:
        """VASP printed that the required accuracy was reached; None when no file would say."""
        if any(output.says_reached for output in self.outputs):
            return True
        silent = any(output.says_reached is False and output.complete for output in self.outputs)
        return False if silent else None

    @property
    def final(self) -> tuple[Frame, str] | None:
        """Geometry of the last finished step, and the file it is from."""
        as_long = [self.main, *(output for output in self.outputs if len(output.steps) == len(self.steps))]
        found = [(output.final, output.file) for output in as_long if output.final is not None]
        with_forces = (pair for pair in found if pair[0].forces is not None)
        return next(with_forces, found[0] if found else None)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Chemical symbol per atom."""
        starts = (atoms.get_chemical_symbols() for atoms in (self.contcar, self.start) if atoms is not None)
        return tuple(self.first("symbols") or next(starts, ()))

    @property
    def free(self) -> NDArray[np.bool_] | None:
        """Which lattice components may move, or None when no file says."""
        said = (output.free for output in self.outputs if output.free is not None)
        starts = (
            atoms for atoms in (self.start, self.contcar) if atoms is not None and len(atoms) == len(self.symbols)
        )
        return next(said, None if (atoms := next(starts, None)) is None else free_components(atoms))
