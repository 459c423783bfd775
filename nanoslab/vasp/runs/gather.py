"""Open the files of a run, each by itself, so that one that is broken takes nothing with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ase import Atoms

from nanoslab.errors import NanoslabError
from nanoslab.vasp.poscar import read_poscar
from nanoslab.vasp.runs.bytestream import ByteStream
from nanoslab.vasp.runs.folder import RunFiles
from nanoslab.vasp.runs.oszicar import read_oszicar
from nanoslab.vasp.runs.outcar import read_outcar
from nanoslab.vasp.runs.outcar_header import incar_tags
from nanoslab.vasp.runs.reading import Reading, whole_number
from nanoslab.vasp.runs.vasprun import read_vasprun

_READERS: Mapping[str, Callable[[Path], Reading]] = {
    "vasprun": read_vasprun,
    "OUTCAR": read_outcar,
    "OSZICAR": read_oszicar,
}
_LOG_PART = 1 << 20
_LARGEST_INPUT = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What could be read, and what could not."""

    readings: tuple[Reading, ...]
    start: Atoms | None
    contcar: Atoms | None
    incar: Mapping[str, str]
    mesh: tuple[int, int, int] | None
    logs: tuple[tuple[str, bytes], ...]
    problems: tuple[str, ...]


def gather(files: RunFiles) -> Gathered:
    """Read all files of a run; a file that cannot be read becomes a problem."""
    readings: list[Reading] = []
    problems: list[str] = []
    for kind, reader in _READERS.items():
        if kind not in files.files:
            continue
        if kind == "OSZICAR" and any(reading.steps for reading in readings):
            continue
        try:
            reading = reader(files.files[kind])
        except NanoslabError as error:
            problems.append(str(error))
            continue
        problems += reading.problems
        if reading.steps or reading.vasp_version or reading.parameters or reading.unfinished_electronic_steps:
            readings.append(reading)
        elif not reading.problems:
            problems.append(f"{reading.file}: nothing of a run in it")
    potentials = next((r.potentials for r in readings if r.potentials), ())
    species = tuple(element for element, _ in potentials)
    start, start_problem = _structure(files.files.get("POSCAR"), species)
    contcar, _ = _structure(files.files.get("CONTCAR"), species)
    return Gathered(
        readings=tuple(readings),
        start=start,
        contcar=contcar,
        incar=_incar(files.files.get("INCAR")),
        mesh=_mesh(files.files.get("KPOINTS")),
        logs=tuple((log.name, text) for log in files.logs[:4] if (text := _ends_of(log))),
        problems=(*problems, *start_problem),
    )


def _structure(path: Path | None, species: tuple[str, ...]) -> tuple[Atoms | None, tuple[str, ...]]:
    if path is None or not _is_small(path):
        return None, ()
    try:
        return read_poscar(path), ()
    except NanoslabError:
        pass
    try:
        return read_poscar(path, species=species), ()
    except NanoslabError as error:
        return None, (str(error),)


def _is_small(path: Path) -> bool:
    """Whether an input file, decompressed, is one that a user or VASP wrote."""
    try:
        with ByteStream(path) as stream:
            content = stream.peek(_LARGEST_INPUT)
            return 0 < len(content) < _LARGEST_INPUT and not stream.damage
    except NanoslabError:
        return False


def _incar(path: Path | None) -> dict[str, str]:
    if path is None or not _is_small(path):
        return {}
    with ByteStream(path) as stream:
        return incar_tags(stream.peek(_LOG_PART))


def _mesh(path: Path | None) -> tuple[int, int, int] | None:
    """Divisions of an automatic mesh in a KPOINTS file."""
    if path is None or not _is_small(path):
        return None
    with ByteStream(path) as stream:
        lines = stream.peek(_LOG_PART).decode("latin-1").splitlines()
    words = lines[3].split()[:3] if len(lines) > 3 and lines[2].strip()[:1].upper() in ("G", "M") else []
    divisions = [count for word in words if (count := whole_number(word)) is not None]
    return (divisions[0], divisions[1], divisions[2]) if len(divisions) == 3 else None


def _ends_of(path: Path) -> bytes:
    """First and last part of a log."""
    try:
        with ByteStream(path) as stream:
            head = stream.peek(_LOG_PART)
            stream.skip_past(b"\0no such bytes\0")
            return head if stream.offset <= _LOG_PART else head + stream.behind(_LOG_PART)
    except NanoslabError:
        return b""
