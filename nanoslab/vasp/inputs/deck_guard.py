"""What must not be lost when a deck is written over another: results, foreign files, edits made by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nanoslab.errors import FileError
from nanoslab.vasp.inputs.manifest import INITIAL_POSCAR

#: what VASP leaves behind, with any suffix (.gz, .relax1)
VASP_RESULTS = (
    "OUTCAR",
    "vasprun.xml",
    "OSZICAR",
    "CONTCAR",
    "WAVECAR",
    "CHGCAR",
    "XDATCAR",
    "vaspout.h5",
    INITIAL_POSCAR,
)
#: what a result of an embedded engine depends on
_PHYSICS = ("settings", "starts_from", "removed_indices", "initial_magnetic_moments")


def results_in(folder: Path) -> tuple[str, ...]:
    """Names of what VASP left in a folder."""
    if not folder.is_dir():
        return ()
    names = sorted(path.name for path in folder.iterdir())
    return tuple(name for name in names if name.startswith(VASP_RESULTS))


def engine_results_in(folder: Path) -> tuple[str, ...]:
    """Names of the sub-folders in which an embedded engine or an earlier try left something."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir() and any(path.iterdir())))


def check_may_write(
    folder: Path, before: Mapping[str, Any], document: Mapping[str, Any], files: Mapping[str, bytes]
) -> list[str]:
    """Refuse to replace results or foreign files; return the inputs edited by hand that stay as they are."""
    recorded: Mapping[str, str] = before.get("inputs", {})
    edited = [name for name in {**recorded, **files} if not _is_ours(folder, name, recorded, files)]
    if not before and edited:
        raise FileError(
            folder / edited[0],
            expected="an empty folder, or a deck written by nanoslab",
            got="a file that nanoslab did not write",
            advice="write the campaign elsewhere, or move that file away",
        )
    if not before and all(_is_there(folder, name, content) for name, content in files.items()):
        return []  # only the manifest was lost: every input is the one that would be written
    if recorded != document["inputs"]:
        _refuse_results(folder, results_in(folder), before, document)
        if edited:
            raise FileError(
                folder / edited[0],
                expected="the file as it was written, for the study now asks for another deck",
                got="one that was changed since",
                advice="keep your copy under another name and write again, or write into a new folder",
            )
    if (
        any(before.get(key) != document[key] for key in _PHYSICS)
        or recorded.get("POSCAR") != document["inputs"]["POSCAR"]
    ):
        _refuse_results(folder, (*results_in(folder), *engine_results_in(folder)), before, document)
    return sorted(edited)


def _refuse_results(
    folder: Path, results: tuple[str, ...], before: Mapping[str, Any], document: Mapping[str, Any]
) -> None:
    if not results:
        return
    old, new = before.get("inputs", {}), document["inputs"]
    differing = [name for name in new if old.get(name) != new[name]] or [
        k for k in _PHYSICS if before.get(k) != document[k]
    ]
    raise FileError(
        folder,
        expected=f"no results, for the deck would change ({', '.join(differing)})",
        got=", ".join(results[:4]),
        advice="write the campaign into a new folder, or move this one away",
    )


def _is_there(folder: Path, name: str, content: bytes) -> bool:
    path = _as_written(folder, name)
    return path.is_file() and path.read_bytes() == content


def _as_written(folder: Path, name: str) -> Path:
    """Input as it was before a job changed it and kept the original."""
    initial = folder / f"{name}.initial"
    return initial if initial.is_file() else folder / name


def _is_ours(folder: Path, name: str, recorded: Mapping[str, str], files: Mapping[str, bytes]) -> bool:
    """File is absent, as recorded, or (after a kill in the middle of writing) already as planned."""
    path = _as_written(folder, name)
    if not path.is_file():
        return True
    content = path.read_bytes()
    return content == files.get(name) or hashlib.sha256(content).hexdigest() == recorded.get(name)


def _changed_physics(before: Mapping[str, Any], document: Mapping[str, Any]) -> list[str]:
    """What a result of an embedded engine would no longer belong to."""
    structure = before.get("inputs", {}).get("POSCAR") != document["inputs"]["POSCAR"]
    return [*(["POSCAR"] if structure else []), *(key for key in _PHYSICS if before.get(key) != document[key])]
