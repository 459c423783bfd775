"""Which crystal a study file names: one that ships with nanoslab, or a structure file beside the study."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from ase import Atoms
from pydantic import AfterValidator

from nanoslab.crystals import crystal_names, make_recipe, read_structure_file, unknown_crystal


def is_structure_file(named: str) -> bool:
    """Whether a name is that of a file: it has a folder or an ending, or is one of VASP's."""
    is_path = "/" in named or "." in named or named.startswith(("POSCAR", "CONTCAR"))
    return is_path and named not in crystal_names()


def _known(named: str) -> str:
    if not is_structure_file(named) and named not in crystal_names():
        raise ValueError(str(unknown_crystal("", named)).partition("expected ")[2])
    return named


#: name of a crystal, or of a structure file beside the study file
CrystalName = Annotated[str, AfterValidator(_known)]


def crystal_source(named: str, find_file: Callable[[str], Path]) -> str | Atoms:
    """Return what builders take for a crystal: its name, or the atoms of the file with its hash in their recipe."""
    if not is_structure_file(named):
        return named
    path = find_file(named)
    atoms = read_structure_file(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    atoms.info = {"recipe": make_recipe("structure file", name=named, sha256=digest)}
    return atoms


def folder_name(named: str) -> str:
    """Return a crystal's name as the beginning of the name of a calculation.

    Examples
    --------
    >>> folder_name("CdSe-wurtzite"), folder_name("my crystals/ZnTe.cif")
    ('CdSe-wurtzite', 'ZnTe')
    """
    plain = Path(named).stem if is_structure_file(named) else named
    return re.sub(r"[^A-Za-z0-9_+-]+", "_", plain).lstrip("_+-") or "crystal"
