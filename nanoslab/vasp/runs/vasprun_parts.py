"""The pieces of a ``vasprun.xml``, parsed from the text between their tags."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from ase.units import GPa
from numpy.typing import NDArray

from nanoslab.vasp.potential_title import element_of_title
from nanoslab.vasp.runs.numbers import Array, energies_fit, lattice_of, number, rows_of_three, whole_number
from nanoslab.vasp.runs.parsed_file import Frame, IonicStep

#: bounded everywhere, so that no crafted text makes it slow
_ITEM = re.compile(rb'<[iv]\s(?:[^<>]{0,200}?\s)?name\s{0,9}=\s{0,9}"([^"<>]{1,100})"[^<>]{0,200}>([^<]*)<')
_ENERGY = re.compile(rb'<i name="(e_fr_energy|e_wo_entrp|e_0_energy)">([^<]*)<')
_VOLUME = re.compile(rb'name="volume">([^<]*)<')
_CELL = re.compile(rb"<c>([^<]*)</c>")
_NAME = re.compile(rb'name\s*=\s*"(\w+)"')
_TAGS_IN_ROWS = re.compile(rb"<[^>]*>")


class StepText:
    """Text of one ionic step, parsed only when it is the last one."""

    __slots__ = ("electronic", "energy", "forces", "n_electronic", "previous", "stress", "structure")

    def __init__(self) -> None:
        self.previous = self.electronic = self.structure = self.forces = self.stress = self.energy = b""
        self.n_electronic = 0


def items(content: bytes) -> dict[str, str]:
    """Name -> text of the first item of each name; later ones belong to special sub-programs."""
    found: dict[str, str] = {}
    for name, text in _ITEM.findall(content):
        found.setdefault(name.decode("latin-1"), text.decode("latin-1").strip())
    return found


def _elements(tag: bytes, content: bytes) -> list[tuple[bytes, bytes]]:
    """(name, text) of every element of a kind; in one pass whatever the content, unlike a regular expression."""
    found = []
    for piece in content.split(b"<" + tag)[1:]:
        head, _, rest = piece.partition(b">")
        name = _NAME.search(head[:200])
        found.append((name[1] if name else b"", rest.partition(b"</" + tag + b">")[0]))
    return found


def is_e0_right(version: str | None) -> bool:
    """Whether the block's e_0_energy is what its name says: from VASP 6.1 on."""
    found = re.match(r"(\d{1,4})\.(\d{1,4})", version or "")
    return found is not None and (int(found[1]), int(found[2])) >= (6, 1)


def contradictions(step: StepText) -> list[str]:
    """Energies of a step that do not fit together, in words."""
    found = []
    for where, text in (("the last ionic step", step.energy), ("its last electronic step", step.electronic)):
        words = dict(_ENERGY.findall(text))
        energies = [number(words.get(name, b"")) for name in (b"e_fr_energy", b"e_wo_entrp", b"e_0_energy")]
        free, e_wo_entrp, e_0 = (energy or 0.0 for energy in energies)
        fits = energies_fit(free, e_wo_entrp, e_0)
        if where == "the last ionic step":
            # before VASP 6.1 the block has E0 under e_wo_entrp, and the entropy term, of either sign, under e_0_energy
            fits = fits or any(energies_fit(free, free + term, e_wo_entrp) for term in (e_0, -e_0))
        if None not in energies and not fits:
            found.append(f"F, E and E0 of {where} do not fit together ({free:.8f}, {e_wo_entrp:.8f}, {e_0:.8f} eV)")
    return found


def ionic_step(step: StepText, *, right: bool, pressure: float) -> IonicStep:
    """Energies of a finished step; `right` when the block's e_0_energy is what its name says."""
    block, last, before = (dict(_ENERGY.findall(text)) for text in (step.energy, step.electronic, step.previous))
    free, f_last, f_before = (number(words.get(b"e_fr_energy", b"")) for words in (block, last, before))
    e_last = number(last.get(b"e_0_energy", b""))
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


def species_of(content: bytes) -> tuple[dict[str, Any], list[str]]:
    """Symbols per atom, titles and counts per type, and what cannot be read."""
    sets = {
        name: [_CELL.findall(row) for _, row in _elements(b"rc", body)] for name, body in _elements(b"array", content)
    }
    types = [[cell.decode("latin-1").strip() for cell in cells] for cells in sets.get(b"atomtypes", [])]
    counts = [whole_number(words[0]) if len(words) >= 5 else None for words in types]
    if None in counts:
        return {}, ["atominfo cannot be read"]
    elements = [element_of_title(words[1], words[4]) for words in types]
    symbols = []
    for cells in sets.get(b"atoms", []):
        index = ((whole_number(cells[1]) if len(cells) > 1 else None) or 0) - 1
        name = elements[index] if 0 <= index < len(elements) else ""
        symbols.append(name or b" ".join(cells[:1]).decode("latin-1").strip())
    potentials = tuple((element, words[4]) for element, words in zip(elements, types, strict=True))
    return {"symbols": tuple(symbols), "potentials": potentials, "counts": tuple(counts)}, []


def frame(structure: bytes, forces: bytes, stress: bytes, n_atoms: int) -> Frame | None:
    """Geometry, forces and stress of one ionic step, or None when lattice or positions cannot be read."""
    arrays = dict(_elements(b"varray", structure))
    lattice = lattice_of(_rows(arrays.get(b"basis", b""), 3))
    positions = _rows(arrays.get(b"positions", b""), n_atoms)
    if lattice is None or positions is None:
        return None
    return Frame(lattice=lattice, scaled_positions=positions, forces=_rows(forces, n_atoms), stress=_rows(stress, 3))


def _rows(varray: bytes, n_rows: int) -> Array | None:
    return rows_of_three(_TAGS_IN_ROWS.sub(b" ", varray), n_rows)


def free_components(structure: bytes, n_atoms: int) -> NDArray[np.bool_] | None:
    """Selective dynamics; all components are free when the file lists none."""
    if not structure or not n_atoms:
        return None
    for name, body in _elements(b"varray", structure):
        if name == b"selective":
            words = _TAGS_IN_ROWS.sub(b" ", body).split()
            if len(words) != 3 * n_atoms:
                return None
            return np.array([word.strip(b".").startswith((b"T", b"t")) for word in words]).reshape(-1, 3)
    return np.ones((n_atoms, 3), dtype=bool)
