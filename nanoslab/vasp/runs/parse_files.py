"""Parse the files of a run, each by itself, so that one that is broken takes nothing with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from ase import Atoms

from nanoslab.errors import NanoslabError
from nanoslab.vasp.byte_stream import ByteStream, read_bytes
from nanoslab.vasp.poscar import read_poscar
from nanoslab.vasp.runs.find_runs import RunFiles
from nanoslab.vasp.runs.numbers import three_whole
from nanoslab.vasp.runs.oszicar import read_oszicar
from nanoslab.vasp.runs.outcar import read_outcar
from nanoslab.vasp.runs.outcar_parts import incar_tags
from nanoslab.vasp.runs.parsed_file import ParsedFile
from nanoslab.vasp.runs.parsed_run import ParsedRun
from nanoslab.vasp.runs.vaspout import read_vaspout
from nanoslab.vasp.runs.vasprun import read_vasprun

_PARSERS: Mapping[str, Callable[[Path], ParsedFile]] = {
    "vasprun": read_vasprun,
    "OUTCAR": read_outcar,
    "vaspout": read_vaspout,
    "OSZICAR": read_oszicar,
}
_LOG_PART = 1 << 20


def parse_files(run: RunFiles) -> ParsedRun:
    """Parse all files of a run; one that cannot be read becomes a problem, and no output at all is possible."""
    outputs: list[ParsedFile] = []
    problems: list[str] = []
    oszicar: ParsedFile | None = None
    for kind in (kind for kind in _PARSERS if kind in run.files):
        is_witness = kind == "OSZICAR" and any(other.steps for other in outputs)
        try:
            output = _PARSERS[kind](run.files[kind])
        except NanoslabError as error:
            problems += [] if is_witness else [str(error)]
            continue
        if is_witness:
            oszicar = output
            continue
        problems += output.problems
        if output.steps or output.vasp_version or output.parameters or output.unfinished_electronic_steps:
            outputs.append(output)
        elif not output.problems:
            problems.append(f"{output.file}: nothing of a run in it")
    species = tuple(element for element, _ in next((o.potentials for o in outputs if o.potentials), ()))
    start, start_problem = _structure(run.files.get("POSCAR"), species)
    return ParsedRun(
        outputs=tuple(outputs),
        oszicar=oszicar,
        start=start,
        contcar=_structure(run.files.get("CONTCAR"), species)[0],
        incar=incar_tags(_small(run.files.get("INCAR"))),
        mesh=_mesh(_small(run.files.get("KPOINTS"))),
        is_image=run.is_image,
        logs=tuple((log.name, text) for log in run.logs[:4] if (text := _ends_of(log))),
        problems=(*problems, *start_problem),
    )


def _structure(path: Path | None, species: tuple[str, ...]) -> tuple[Atoms | None, tuple[str, ...]]:
    """Structure of a POSCAR or CONTCAR; files of VASP 4 name no species, and the outputs may."""
    problem = ""
    if path is None:
        return None, ()
    for named in ((), species):
        try:
            return read_poscar(path, species=named), ()
        except NanoslabError as error:
            problem = str(error)
    return None, (problem,)


def _small(path: Path | None) -> bytes:
    """Content of a small input file; nothing of one that is missing, broken or larger than anybody writes."""
    with suppress(NanoslabError):
        return b"" if path is None else read_bytes(path)
    return b""


def _mesh(kpoints: bytes) -> tuple[int, int, int] | None:
    """Divisions of an automatic mesh in a KPOINTS file."""
    lines = kpoints.decode("latin-1").splitlines()
    is_automatic = len(lines) > 3 and lines[2].strip()[:1].upper() in ("G", "M")
    return three_whole(lines[3].split()[:3]) if is_automatic else None


def _ends_of(log: Path) -> bytes:
    """First and last part of a log."""
    with suppress(NanoslabError), ByteStream(log) as stream:
        return stream.ends_of(_LOG_PART)
    return b""
