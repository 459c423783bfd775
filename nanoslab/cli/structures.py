"""Structure files at the command's border: the format follows the file name, and nothing is overwritten."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.output import SCHEMA
from nanoslab.errors import FileError, InputError
from nanoslab.files import write_atomically

if TYPE_CHECKING:
    from ase import Atoms

_POSCAR = re.compile(r"(POSCAR|CONTCAR)([._-].*)?|.*\.(vasp|poscar)", re.IGNORECASE)
_ASE_FORMATS = {".cif": "cif", ".extxyz": "extxyz", ".xyz": "extxyz"}


def read_structure(path: str | Path) -> Atoms:
    """Read a structure, POSCARs with their partial selective dynamics."""
    from nanoslab.crystals import read_structure_file

    if not Path(path).is_file():
        raise FileError(path, expected="a structure file", got="no such file", advice="check the path")
    if _POSCAR.fullmatch(Path(path).name):
        from nanoslab.vasp.poscar import read_poscar

        return read_poscar(path)
    return read_structure_file(Path(path))


def write_structures(structures: Mapping[Path, Atoms], records: Mapping[Path, Mapping[str, Any]]) -> None:
    """Write structures, and JSON records beside them; refuse before the first one if a file holds something else."""
    contents = {path: structure_text(atoms, path) for path, atoms in structures.items()}
    for path, record in records.items():
        contents[path] = json.dumps({"schema": SCHEMA, **record}, indent=2) + "\n"
    for path, text in contents.items():
        _refuse_other_content(path, text)
    for path, text in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)


def structure_text(atoms: Atoms, path: Path) -> str:
    """Text of a structure file in the format of its name; POSCARs are grouped by species."""
    if _POSCAR.fullmatch(path.name):
        from nanoslab.vasp.poscar import poscar_text

        return poscar_text(atoms)
    if path.suffix.lower() not in _ASE_FORMATS:
        raise InputError(
            "output file",
            expected="a name like POSCAR, x.vasp, x.cif, x.extxyz or x.xyz",
            got=str(path),
            advice="the format follows the name",
        )
    from tempfile import TemporaryDirectory

    from ase.io import write

    with TemporaryDirectory() as folder:
        target = Path(folder) / "structure"
        write(target, atoms, format=_ASE_FORMATS[path.suffix.lower()])
        return target.read_text()


def record_path(path: Path) -> Path:
    """Where the ledger and the recipe of a structure file are stored: beside it."""
    return path.with_name(f"{path.name}.json")


def structure_record(atoms: Atoms, path: Path | None) -> dict[str, Any]:
    """What ``--json`` says of a built structure."""
    ledger = atoms.info["ledger"]
    top_level = ("n_planes", "thickness_A", "vacuum_A", "area_A2", "termination")
    return {
        "file": None if path is None else str(path),
        "formula": atoms.get_chemical_formula(),
        "n_atoms": len(atoms),
        **{key: ledger.get(key) for key in top_level},
        "frozen_atoms": frozen_atoms(atoms),
        "ledger": ledger,
        "recipe": atoms.info["recipe"],
    }


def frozen_atoms(atoms: Atoms) -> int:
    """Number of atoms under a constraint."""
    return len({int(index) for constraint in atoms.constraints for index in constraint.get_indices()})


def ledger_rows(record: Mapping[str, Any]) -> list[Sequence[str]]:
    """Rows of the printed ledger."""
    ledger = record["ledger"]
    bottom, top = record["termination"]
    return [
        ("formula", record["formula"]),
        ("atoms", str(record["n_atoms"])),
        ("ratio", f"{':'.join(ledger['counts'])} {ledger['ratio']}"),
        ("formal charge", f"{ledger['formal_charge']:g} e"),
        ("dipole", f"{ledger['dipole_eA']:.3f} e Å"),
        ("planes", str(record["n_planes"])),
        ("bottom / top", f"{bottom} / {top}"),
        ("thickness", f"{record['thickness_A']:.4f} Å"),
        ("vacuum", f"{record['vacuum_A']:.4f} Å"),
        ("in-plane area", f"{record['area_A2']:.4f} Å²"),
        ("frozen atoms", str(record["frozen_atoms"])),
    ]


def _refuse_other_content(path: Path, text: str) -> None:
    if not path.exists():
        return
    if path.is_file() and path.read_bytes() == text.encode():
        return
    raise FileError(
        path,
        expected="no file, or this very structure",
        got="other content, which would be lost",
        advice="move it away or give another -o",
    )
