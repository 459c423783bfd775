"""Structure files at the command's border: the format follows the file name, and nothing is overwritten."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.output import SCHEMA, print_json, print_table
from nanoslab.errors import FileError, InputError
from nanoslab.files import write_atomically

if TYPE_CHECKING:
    from argparse import Namespace

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
        if path.exists() and not (path.is_file() and path.read_bytes() == text.encode()):
            expected, advice = "no file, or this very structure", "move it away or give another -o"
            raise FileError(path, expected=expected, got="other content, which would be lost", advice=advice)
    for path, text in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)


def structure_text(atoms: Atoms, path: Path) -> str:
    """Text of a structure file in the format of its name; POSCARs are grouped by species."""
    if _POSCAR.fullmatch(path.name):
        from nanoslab.vasp.poscar import poscar_text

        return poscar_text(atoms)
    if path.suffix.lower() not in _ASE_FORMATS:
        expected, advice = "a name like POSCAR, x.vasp, x.cif, x.extxyz or x.xyz", "the format follows the name"
        raise InputError("output file", expected=expected, got=str(path), advice=advice)
    from tempfile import TemporaryDirectory

    from ase.io import write

    with TemporaryDirectory() as folder:
        target = Path(folder) / "structure"
        write(target, atoms, format=_ASE_FORMATS[path.suffix.lower()])
        return target.read_text()


def record_path(path: Path) -> Path:
    """Where the summary and the recipe of a structure file are stored: beside it."""
    return path.with_name(f"{path.name}.json")


def structure_record(atoms: Atoms, path: Path | None) -> dict[str, Any]:
    """What ``--json`` says of a built structure."""
    summary = atoms.info["ledger"]
    top_level = ("n_planes", "thickness_A", "vacuum_A", "area_A2", "termination")
    return {
        "file": None if path is None else str(path),
        "formula": atoms.get_chemical_formula(),
        "n_atoms": len(atoms),
        **{key: summary.get(key) for key in top_level},
        "frozen_atoms": len({int(index) for constraint in atoms.constraints for index in constraint.get_indices()}),
        "ledger": summary,
        "recipe": atoms.info["recipe"],
    }


def finish(arguments: Namespace, atoms: Atoms, record: Mapping[str, Any], rows: Sequence[Sequence[str]] = ()) -> None:
    """Write a structure and its record where a file was named, and print its summary with rows of the builder."""
    path = arguments.output
    if path is not None:
        write_structures({path: atoms}, {record_path(path): record})
    if arguments.json:
        print_json(record)
        return
    print_table(["structure", ""], [*summary_rows(record), *rows])
    if path is None:
        print("\nnothing written: give -o FILE to keep it")
        return
    print(f"\nwrote {path} and {record_path(path)}")
    if path.suffix.lower() == ".cif" and record["frozen_atoms"]:
        print("a CIF cannot say which atoms are frozen: take POSCAR or .extxyz to keep that")


def summary_rows(record: Mapping[str, Any]) -> list[Sequence[str]]:
    """Rows of the printed summary; what has no meaning for the structure is left out."""
    summary = record["ledger"]
    dipole = summary["dipole_eA"]
    numbers = dipole if isinstance(dipole, list) else [dipole]
    rows = [
        ("formula", record["formula"]),
        ("atoms", str(record["n_atoms"])),
        ("ratio", f"{':'.join(summary['formal_charges_e'])} {summary['ratio']}"),
        ("formal charge", f"{summary['formal_charge']:g} e"),
        ("dipole", f"{' '.join(f'{number:.3f}' for number in numbers)} e Å"),
    ]
    if record["n_planes"] is not None:
        rows += [("planes", str(record["n_planes"])), ("bottom / top", " / ".join(record["termination"]))]
    lengths = {"thickness": "thickness_A", "vacuum": "vacuum_A", "in-plane area": "area_A2", "diameter": "diameter_A"}
    for name, key in lengths.items():
        if summary[key] is not None:
            rows.append((name, f"{summary[key]:.4f} {'Å²' if key == 'area_A2' else 'Å'}"))
    if summary["mean_bonds"] is not None:
        rows.append(("bonds per atom", f"{summary['mean_bonds']:.3f}, at least {summary['fewest_bonds']}"))
    return [*rows, ("frozen atoms", str(record["frozen_atoms"]))]
