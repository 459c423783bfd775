"""Search for reconstructions of a sheet or a defect: displaced starts in several cells, and their distinct ends.

Example: nanoslab search sheet.vasp found --engine chgnet --starts 20 --cells 1x1 2x1

Every start is displaced at random, and in every species two atoms that lack bonds are pulled together; the same seed
gives the same starts. Minima that are the same up to symmetry are listed once, with the energy against the
structure relaxed as it was given.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.output import add_json_option, print_json, print_table
from nanoslab.driver.backend import engine_from_here
from nanoslab.errors import FileError, InputError

if TYPE_CHECKING:
    from nanoslab.studies.reconstructions import Reconstructions

NOT_SEARCHED = (
    "not searched: other cells and numbers of atoms, atoms that change places, and anything farther away than a "
    "displacement and a pulled pair"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("structure", type=Path, help="structure file with its frozen atoms")
    add("folder", type=Path, help="new folder for the minima (.extxyz) and search.json")
    add("--engine", type=engine_from_here, default="chgnet", metavar="NAME[:options]", help="default: chgnet")
    add("--starts", type=int, default=20, metavar="N", help="starts in each cell (default: 20)")
    add("--cells", nargs="+", default=["1x1"], metavar="NxM", help="repetitions in the plane (default: 1x1)")
    add(
        "--rattle",
        type=float,
        default=0.1,
        metavar="A",
        help="standard deviation of the displacements (default: 0.1 Å)",
    )
    add("--seed", type=int, default=0, metavar="N", help="seed of the first start (default: 0)")
    add("--force", type=float, default=0.03, metavar="F", help="largest force at the end (default: 0.03 eV/Å)")
    add("--steps", type=int, default=300, metavar="N", help="steps of each relaxation at most (default: 300)")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    from nanoslab.calculation import Settings
    from nanoslab.cli.structures import read_structure
    from nanoslab.engines import engine
    from nanoslab.studies.reconstructions import Starts, search_reconstructions

    if arguments.folder.exists() and (not arguments.folder.is_dir() or any(arguments.folder.iterdir())):
        raise FileError(arguments.folder, expected="a new folder", got="one with files", advice="give another name")
    for option, value in (("--steps", arguments.steps), ("--force", arguments.force)):
        if not 0 < value < float("inf"):
            raise InputError(option, expected="a number above 0", got=value)
    atoms = read_structure(arguments.structure)
    starts = Starts(
        cells=tuple(_cell(text) for text in dict.fromkeys(arguments.cells)),
        count=arguments.starts,
        standard_deviation=arguments.rattle,
        seed=arguments.seed,
    )
    settings = Settings(source="nanoslab search", force_tolerance=arguments.force, max_ionic_steps=arguments.steps)
    computes = engine(arguments.engine) if isinstance(arguments.engine, str) else arguments.engine
    found = search_reconstructions(
        atoms, computes, settings, starts, report=lambda text: print(text, file=sys.stderr, flush=True)
    )
    document = _document(found)
    _write(arguments.folder, found, document)
    if arguments.json:
        print_json(document)
        return
    rows = [
        [
            row["file"],
            row["cell"],
            f"{row['energy_eV_per_1x1_cell']:.3f}",
            str(row["n_starts"]),
            _bonds(row["like_bonds"]),
        ]
        for row in document["minima"]
    ]
    print_table(["minimum", "cell", "dE per 1x1 cell [eV]", "starts", "bonds between like atoms"], rows)
    print(f"\ndE: against the structure relaxed as given (like bonds: {_bonds(found.reference_bonds)})")
    print(
        f"{len(found.structures)} of {len(found.structures) + len(found.failed)} starts ended; {found.level_of_theory}"
    )
    for problem in found.failed:
        print(f"left out: {problem}")
    print(NOT_SEARCHED)


def _document(found: Reconstructions) -> dict[str, Any]:
    rows = []
    for number, minimum in enumerate(found.minima):
        lowest = minimum.members[0]
        columns, lines = found.cells[lowest]
        n_atoms = len(found.structures[lowest]) / (columns * lines)
        rows.append(
            {
                "file": f"minimum-{number:02d}.extxyz",
                "cell": f"{columns}x{lines}",
                "energy_eV_per_1x1_cell": (minimum.energy_per_atom - found.reference_energy) * n_atoms,
                "n_starts": len(minimum.members),
                "like_bonds": minimum.like_bonds,
            }
        )
    return {
        "level_of_theory": found.level_of_theory,
        "n_starts": len(found.structures) + len(found.failed),
        "minima": rows,
        "failed": list(found.failed),
        "not_searched": NOT_SEARCHED,
    }


def _write(folder: Path, found: Reconstructions, document: dict[str, Any]) -> None:
    import json

    from nanoslab.cli.output import SCHEMA
    from nanoslab.engines.result_files import structure_text
    from nanoslab.files import write_atomically

    folder.mkdir(parents=True, exist_ok=True)
    for row, minimum in zip(document["minima"], found.minima, strict=True):
        write_atomically(folder / row["file"], structure_text(found.structures[minimum.members[0]]))
    write_atomically(folder / "search.json", json.dumps({"schema": SCHEMA, **document}, indent=2) + "\n")


def _cell(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9])x([1-9])", text)
    if match is None:
        raise InputError("--cells", expected="repetitions such as 1x1, 2x1 or 2x2", got=repr(text))
    return int(match[1]), int(match[2])


def _bonds(bonds: dict[str, int]) -> str:
    return ", ".join(f"{number} {pair}" for pair, number in bonds.items()) or "none"
