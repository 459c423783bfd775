"""All that the files of one run say, side by side, and which of them is believed for what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.vasp.runs.reading import Frame, IonicStep, Reading, number

_SAME_ENERGY = 1e-4
_RESPONSES = {5: "finite differences", 6: "finite differences", 7: "linear response", 8: "linear response"}
_MOTIONS = {0: "molecular dynamics", 40: "reaction path", 44: "dimer"}
_MANY_BODY = ("GW", "RPA", "ACFDT", "BSE", "CHI", "TDHF", "TIMEEV", "2E4W")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Readings of one run.

    Attributes
    ----------
    readings
        What each output file says, the most trusted first.
    main
        The one whose energies are reported.
    start, contcar
        Structures of POSCAR and CONTCAR, if they could be read.
    incar
        Tags of the INCAR file.
    is_image
        The run is an image of a chain.
    logs
        Name and text of standard output and error.
    """

    readings: tuple[Reading, ...]
    main: Reading
    start: Atoms | None = None
    contcar: Atoms | None = None
    incar: Mapping[str, str]
    is_image: bool = False
    logs: tuple[tuple[str, bytes], ...] = ()

    def tag(self, name: str) -> str | None:
        """Tag as used, else as given."""
        for reading in self.readings:
            if name in reading.parameters:
                return reading.parameters[name]
        for reading in self.readings:
            if name in reading.incar:
                return reading.incar[name]
        return self.incar.get(name)

    def given(self, name: str) -> str | None:
        """Tag as the user gave it."""
        for reading in self.readings:
            if name in reading.incar:
                return reading.incar[name]
        return self.incar.get(name)

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
        if not self._knows_settings:
            return "unknown"
        if ibrion in _RESPONSES:
            return _RESPONSES[ibrion]
        if self.n_images:
            return "image of a chain"
        if nsw <= 1 or ibrion < 0:
            return "static"
        return _MOTIONS.get(ibrion, "relaxation")

    @property
    def _knows_settings(self) -> bool:
        return bool(self.incar) or any(reading.parameters or reading.incar for reading in self.readings)

    @property
    def n_images(self) -> int:
        """Images of a nudged elastic band, 0 for an ordinary run.

        Numbered folders hold many things; they are a chain unless the tags are known and name no images.
        """
        words = (self.given("IMAGES") or "").split()
        if words:
            return int(number(words[0]) or 0)
        knows_tags = bool(self.incar) or any(reading.incar for reading in self.readings)
        return int(self.is_image and not knows_tags and self.integer("NSW", 0) > 0)

    @property
    def steps(self) -> tuple[IonicStep, ...]:
        """Finished ionic steps of the main file."""
        return self.main.steps

    @property
    def complete(self) -> bool:
        """Some file was written to its end."""
        return any(reading.complete for reading in self.readings)

    @property
    def says_reached(self) -> bool | None:
        """VASP printed that the required accuracy was reached; None when no file would say."""
        if any(reading.says_reached for reading in self.readings):
            return True
        silent = any(reading.says_reached is False and reading.complete for reading in self.readings)
        return False if silent else None

    @property
    def final(self) -> tuple[Frame, str] | None:
        """Geometry of the last finished step, and the file it is from."""
        candidates = [self.main, *(r for r in self.readings if len(r.steps) == len(self.main.steps))]
        for reading in candidates:
            if reading.final is not None and reading.final.forces is not None:
                return reading.final, reading.file
        for reading in candidates:
            if reading.final is not None:
                return reading.final, reading.file
        return None

    @property
    def symbols(self) -> tuple[str, ...]:
        """Chemical symbol per atom."""
        for reading in self.readings:
            if reading.symbols:
                return reading.symbols
        for atoms in (self.contcar, self.start):
            if atoms is not None:
                return tuple(atoms.get_chemical_symbols())
        return ()

    @property
    def free(self) -> NDArray[np.bool_] | None:
        """Which lattice components may move, or None when no file says."""
        for reading in self.readings:
            if reading.free is not None:
                return reading.free
        from nanoslab.vasp.selective_dynamics import free_components

        for atoms in (self.start, self.contcar):
            if atoms is not None and len(atoms) == len(self.symbols):
                return free_components(atoms)
        return None


def choose_main(readings: tuple[Reading, ...]) -> Reading:
    """The reading with most finished steps; of equals the complete one, then the first."""
    return max(readings, key=lambda r: (len(r.steps), r.complete))


def disagreement(readings: tuple[Reading, ...]) -> str | None:
    """What tells that two files are not of the same run: the energy of a step both have."""
    with_steps = [reading for reading in readings if reading.steps]
    for first, second in pairwise(with_steps):
        step = min(len(first.steps), len(second.steps)) - 1
        a, b = first.steps[step].free_energy, second.steps[step].free_energy
        if a is None or b is None:
            continue
        # an OSZICAR has eight digits
        tolerance = max(_SAME_ENERGY, 2e-7 * abs(a))
        if abs(a - b) > tolerance:
            return (
                f"{first.file} and {second.file} are not of the same run: "
                f"F of ionic step {step + 1} is {a:.6f} and {b:.6f} eV"
            )
    return None
