"""``vasp.json``: what an input set holds, so that edits, foreign files and results are told from our own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nanoslab.errors import FileError
from nanoslab.files import sha256

SCHEMA = 1
MANIFEST = "vasp.json"
#: the POSCAR as it was written, once a job has put a relaxed structure in its place
INITIAL_POSCAR = "POSCAR.initial"
#: what VASP leaves behind, with any suffix (.gz, .relax1)
VASP_RESULTS = (
    *("OUTCAR", "vasprun.xml", "OSZICAR", "CONTCAR", "WAVECAR", "CHGCAR", "XDATCAR", "vaspout.h5"),
    INITIAL_POSCAR,
)
#: where version 0.1 kept the same
_FORMER = "calculation.json"


def results_in(folder: Path) -> tuple[str, ...]:
    """Names of what VASP left in a folder."""
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return tuple(name for name in names if name.startswith(VASP_RESULTS))


def read_manifest(folder: Path) -> dict[str, Any]:
    """Document of an input set; empty where there is none."""
    path = folder / MANIFEST
    is_former = not path.is_file()
    advice = "move it away and write the campaign again: results stay"
    try:
        document: Any = json.loads((folder / _FORMER if is_former else path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        if is_former:
            return {}  # who reads calculations says what is wrong with it
        raise FileError(path, expected="readable JSON", got=str(error), advice=advice) from error
    if isinstance(document, dict) and isinstance(document.get("inputs"), dict) and document.get("schema") == SCHEMA:
        return document
    if is_former:
        return {}
    raise FileError(path, expected=f"an input set of schema {SCHEMA}", got="another document", advice=advice)


def check_may_write(folder: Path, before: Mapping[str, Any], files: Mapping[str, bytes]) -> list[str]:
    """Refuse to replace results or foreign files; return the inputs edited by hand that stay as they are."""
    recorded: Mapping[str, str] = before.get("inputs", {})
    edited = [name for name in {**recorded, **files} if not _is_ours(folder, name, recorded, files)]
    if not before and edited:
        expected, got = "an empty folder, or input files written by nanoslab", "a file that nanoslab did not write"
        advice = "write the campaign elsewhere, or move that file away"
        raise FileError(folder / edited[0], expected=expected, got=got, advice=advice)
    if not before and all(_as_written(folder, name).is_file() for name in files):
        return []  # only the manifest was lost: every input is the one that would be written
    differing = [name for name, content in files.items() if recorded.get(name) != sha256(content)]
    if not differing and len(recorded) == len(files):
        return sorted(edited)
    if results := ", ".join(results_in(folder)[:4]):
        expected = f"no results, for VASP's input files would change ({', '.join(differing)})"
        advice = "write the campaign into a new folder, or move this one away"
        raise FileError(folder, expected=expected, got=results, advice=advice)
    if edited:
        expected = "the file as it was written, for the study now asks for another one"
        advice = "keep your copy under another name and write again, or write into a new folder"
        raise FileError(folder / edited[0], expected=expected, got="one that was changed since", advice=advice)
    return []


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
    return content == files.get(name) or sha256(content) == recorded.get(name)
