"""``OSZICAR``: energies to eight digits per ionic step; the last resort, and the magnetization."""

from __future__ import annotations

import re
from pathlib import Path

from nanoslab.vasp.byte_stream import ByteStream
from nanoslab.vasp.runs.numbers import number, numbers, whole_number
from nanoslab.vasp.runs.parsed_file import IonicStep, ParsedFile

_ELECTRONIC = re.compile(rb"^[A-Z][A-Za-z]{1,4}: *(\d+|\*+) +(\S+) +(\S+)")
_IONIC = re.compile(rb"^ *(?:\d+|\*+) +(?:T= *\S+ +E= *\S+ +)?F= *(\S+) +E0= *(\S+)[^\n]*\n")
_MAGNETIZATION = re.compile(rb"mag= *((?:[-+]?\d*\.\d+(?:E[-+]\d+)? *)+)")
_LINE_LIMIT = 1 << 16


def read_oszicar(path: Path) -> ParsedFile:
    """Ionic steps of an ``OSZICAR``; never complete, for it does not say whether VASP came to its end."""
    steps: list[IonicStep] = []
    n_electronic = 0
    change: float | None = None
    magnetization: tuple[float, ...] | None = None
    with ByteStream(path) as stream:
        for line in stream.lines(_LINE_LIMIT):
            if found := _ELECTRONIC.match(line):
                count = whole_number(found[1])
                n_electronic = n_electronic + 1 if count is None else count
                change = number(found[3])
            elif found := _IONIC.match(line):
                steps.append(IonicStep(number(found[1]), number(found[2]), n_electronic, change))
                n_electronic, change = 0, None
                magnetic = _MAGNETIZATION.search(line)
                magnetization = (numbers(magnetic[1]) if magnetic else ()) or magnetization
        damage = stream.damage
        offset = stream.offset
    return ParsedFile(
        file=path.name,
        cut=f"ends after {offset} bytes; an OSZICAR never tells whether the run was finished",
        steps=tuple(steps),
        unfinished_electronic_steps=n_electronic,
        magnetization=magnetization,
        problems=(f"{path.name}: {damage}",) if damage else (),
    )
