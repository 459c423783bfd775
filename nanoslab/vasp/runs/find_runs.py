"""Which files of a folder belong to one run, by their names alone; nothing named inside a file is followed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nanoslab.errors import FileError

_NAMES = re.compile(
    r"(?P<kind>vasprun|vaspout|OUTCAR|OSZICAR|EIGENVAL|CONTCAR|POSCAR|INCAR|KPOINTS)"
    r"(?P<stage>.*?)(?:\.(?:gz|xz|bz2|Z))?$"
)
_OUTPUTS = ("vasprun", "OUTCAR", "vaspout", "OSZICAR")
OUTPUT_NAMES = "vasprun.xml, OUTCAR, vaspout.h5 or OSZICAR"
_ENDINGS = {"vasprun": ".xml", "vaspout": ".h5"}
_CHAIN = re.compile(r"[._-]?relax(\d+)")
_NO_RUN = re.compile(r"\.|.*(\.(tar|tgz|zip|7z|swp|py|sh|png|pdf|json|npy|pkl|html)\b|~$)")
_BACKUP = re.compile(r"_(\d\d)_(\d\d)_(\d\d)on(\d\d)_(\d\d)_(\d\d)")
_LOG = re.compile(
    r"(vasp[._]?(out|log|err)|std_?(out|err)(\.txt)?|print-out|log|OUT|slurm-\d+.*|.+\.[oe]\d+|[\w-]+\.(out|log|err))"
    r"(\.gz|\.xz|\.bz2)?"
)
_XML = re.compile(r"\.xml(\.(gz|xz|bz2))?$")
_LEFTOVER = re.compile(r"error\.\d+\.tar(\.gz)?")
_IMAGE = re.compile(r"\d\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFiles:
    """The files of one run."""

    path: Path  #: folder, or the file that was asked for
    files: Mapping[str, Path]  #: kind (``vasprun``, ``OUTCAR``, ``POSCAR`` ...) -> file
    logs: tuple[Path, ...] = ()  #: standard output and error, newest first
    notes: tuple[str, ...] = ()  #: other stages of the same folder, leftovers of a restart
    is_image: bool = False  #: the folder is an image of a chain (named 01 to 99 beside a 00)
    has_outputs: bool = True  #: False for inputs that were written but never ran
    problem: str = ""  #: why nothing can be read there; empty when something can


def files_of_run(path: str | os.PathLike[str]) -> RunFiles:
    """Files of the run in a folder (of several stages in it the last), or of a single file."""
    target = Path(path)
    if target.is_file():
        return RunFiles(path=target, files={kind_of_file(target): target})
    if not target.is_dir():
        expected = "a run folder or a file of a run"
        raise FileError(target, expected=expected, got="nothing there", advice="check the path")
    runs = runs_of_folder(target)
    if runs and runs[0].path != target:
        names = ", ".join(run.path.name for run in runs[:4])
        raise FileError(target, expected="one run", got=f"{len(runs)} ({names} ...)", advice="name one of the files")
    if not runs:
        images = [child.name for child in sorted(target.iterdir()) if _IMAGE.fullmatch(child.name) and child.is_dir()]
        advice = f"read its images {images[0]} to {images[-1]}" if images else "give a folder VASP ran in"
        raise FileError(
            target, expected="vasprun.xml, OUTCAR, vaspout.h5 or OSZICAR", got="none of them", advice=advice
        )
    return runs[0]


def find_runs(paths: Iterable[str | os.PathLike[str]]) -> Iterator[RunFiles]:
    """Every run below some folders, and every file given by itself, in the order of their names.

    A file that is of no run is listed with its problem, so that ``*`` may be given.

    Raises
    ------
    FileError
        When a path does not exist.
    """
    for path in map(Path, paths):
        if not path.is_dir():
            if not os.path.lexists(path):
                raise FileError(path, expected="a folder or file", got="nothing there", advice="check the path")
            try:
                yield files_of_run(path)
            except FileError as error:
                yield RunFiles(path=path, files={}, problem=str(error))
            continue
        closed: list[OSError] = []
        for folder, children, _ in os.walk(path, onerror=closed.append, followlinks=False):
            children.sort()
            yield from runs_of_folder(Path(folder))
        yield from (_cannot_be_listed(Path(error.filename), error) for error in closed)


def _cannot_be_listed(folder: Path, error: OSError) -> RunFiles:
    return RunFiles(path=folder, files={}, problem=f"folder cannot be listed: {error.strerror}")


def _is_file_or_broken_link(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file() or (entry.is_symlink() and not Path(entry.path).exists())
    except OSError:
        return entry.is_symlink()


def runs_of_folder(folder: Path) -> list[RunFiles]:
    """Runs of one folder, the one the folder stands for first; a deck that never ran counts when nothing else does."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if _is_file_or_broken_link(entry))
    except OSError as error:
        return [_cannot_be_listed(folder, error)]
    stages = _stages(folder, names)
    with_outputs = {label: files for label, files in stages.items() if files.keys() & _OUTPUTS}
    if not (with_outputs := with_outputs or _vaspruns_of_other_names(folder, names)):
        deck = stages.get("")
        if deck is None or not {"INCAR", "POSCAR"} <= deck.keys():
            return []
        return [RunFiles(path=folder, files=deck, logs=_logs(folder, names), has_outputs=False)]
    main, others, notes = _choose(with_outputs)
    alone = [RunFiles(path=next(files[kind] for kind in _OUTPUTS if kind in files), files=files) for files in others]
    if main is None:
        return alone
    leftovers = ", ".join(name for name in names if _LEFTOVER.fullmatch(name))
    notes += [f"earlier attempts packed by custodian, not opened: {leftovers}"] if leftovers else []
    files = {kind: path for kind, path in stages.get("", {}).items() if kind not in _OUTPUTS} | main
    resolved = folder.resolve()
    is_image = bool(_IMAGE.fullmatch(resolved.name)) and (resolved.parent / "00").is_dir()
    logs = _logs(folder, names)
    return [RunFiles(path=folder, files=files, logs=logs, notes=tuple(notes), is_image=is_image), *alone]


def kind_of_file(path: Path) -> str:
    """``vasprun``, ``OUTCAR``, ``OSZICAR``... after the name, or the content where the name does not say."""
    found = _match(path.name)
    if found:
        return found[0]
    from nanoslab.vasp.byte_stream import ByteStream

    with ByteStream(path) as stream:
        head = stream.peek(1 << 14)
    if head[257:262] == b"ustar" or head.startswith(b"PK\3\4"):
        raise FileError(path, expected="a file of VASP", got="an archive of files", advice="unpack it into a folder")
    if head.startswith(b"\x89HDF"):
        return "vaspout"
    if b"<modeling>" in head:
        return "vasprun"
    if b" vasp." in head or b"\n INCAR:" in head or b"POTCAR:" in head:
        return "OUTCAR"
    if b"F=" in head and b"E0=" in head:
        return "OSZICAR"
    raise FileError(path, expected=OUTPUT_NAMES, got="something else", advice="give a run folder")


def _match(name: str) -> tuple[str, str] | None:
    """Kind and stage of a file name: ``vasprun.xml.relax1.gz`` is a vasprun of stage ``.relax1``."""
    found = _NAMES.search(name)
    if found is None or _NO_RUN.match(name):
        return None
    kind, stage, prefix = found["kind"], found["stage"], name[: found.start()]
    if prefix and kind != "vasprun" and (kind not in _OUTPUTS or prefix[-1] not in "._-"):
        return None
    if ending := _ENDINGS.get(kind):
        if ending not in stage:
            return None
        stage = stage.replace(ending, "", 1)
    return kind, prefix + stage


def _stages(folder: Path, names: list[str]) -> dict[str, dict[str, Path]]:
    """Label of a stage (empty for plain names) -> kind -> file."""
    stages: dict[str, dict[str, Path]] = {}
    for name in names:
        if (found := _match(name)) is None:
            continue
        kind, label = found
        known = stages.setdefault(label, {}).get(kind)
        # of OUTCAR and OUTCAR.gz side by side the plain one is the newer
        if known is None or len(name) < len(known.name):
            stages[label][kind] = folder / name
    return stages


def _vaspruns_of_other_names(folder: Path, names: list[str]) -> dict[str, dict[str, Path]]:
    """Files such as ``CdTe_vr.xml.gz`` that are a vasprun.xml by their content."""
    found = {}
    for name in filter(_XML.search, names):
        with suppress(FileError):
            if kind_of_file(folder / name) == "vasprun":
                found[name] = {"vasprun": folder / name}
    return found


def _choose(
    stages: dict[str, dict[str, Path]],
) -> tuple[dict[str, Path] | None, list[dict[str, Path]], list[str]]:
    """The stage a folder stands for, runs of their own beside it, and what to say of the rest.

    The files without a label are the last stage; else the last of relax1, relax2 ...; else the last of the copies
    with a time in their names. Files with other labels are runs of their own, unless there is only one.
    """
    ordered = sorted((label for label in stages if _order(label)), key=_order)
    rest = [files for label, files in stages.items() if label not in ordered]
    if not ordered:
        return (rest[0], [], []) if len(rest) == 1 else (None, rest, [])
    earlier = [label.lstrip("._-") for label in ordered[:-1]]
    notes = [f"earlier stages in this folder: {', '.join(earlier)}"] if earlier else []
    return stages[ordered[-1]], rest, notes


def _order(label: str) -> tuple[int, ...]:
    """Place of a stage in the history of its folder; empty for one that is no stage."""
    if backup := _BACKUP.fullmatch(label):
        hour, minute, second, day, month, year = map(int, backup.groups())
        return 1, year, month, day, hour, minute, second
    if chain := _CHAIN.fullmatch(label):
        return 2, int(chain[1])
    return () if label else (3,)


def _logs(folder: Path, names: list[str]) -> tuple[Path, ...]:
    logs = [folder / name for name in names if _LOG.fullmatch(name) and (folder / name).exists()]
    return tuple(sorted(logs, key=lambda path: (path.stat().st_mtime, path.name), reverse=True))
