"""A particle with a share of its ions exchanged, as a series in which each holds what the one before did.

The front starts at the surface, or at both ends of the longest axis; random has none. Charge is kept: where the new ion
has twice the charge of the old one, every second site is left empty.

example:
  nanoslab build exchange dot.extxyz --ions Pb Cd --fractions 0.25 0.5 1 --order surface -o exchanged
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from nanoslab.cli.output import add_json_option


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("particle", type=Path, help="structure file of a particle")
    parser.add_argument("--ions", nargs=2, required=True, metavar=("OLD", "NEW"), help="element that leaves and comes")
    parser.add_argument("--fractions", nargs="+", type=float, required=True, metavar="X", help="shares from 0 to 1")
    parser.add_argument("--order", default="surface", choices=("random", "surface", "ends"), help="where it starts")
    parser.add_argument("--seed", type=int, default=0, help="of the random order (default 0)")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="folder for the series")
    parser.add_argument(
        "--file-name", default="POSCAR", metavar="NAME", help="file name in each folder (default POSCAR)"
    )
    add_json_option(parser)


def run(arguments: Namespace) -> None:
    from nanoslab.builders.interfaces.exchange import exchange_ions
    from nanoslab.cli.output import print_json, print_table
    from nanoslab.cli.structures import read_structure, write_structures

    particle = read_structure(arguments.particle)
    old, new = arguments.ions
    made = exchange_ions(particle, (old, new), arguments.fractions, order=arguments.order, seed=arguments.seed)
    rows = []
    structures = {}
    for atoms in made:
        fraction = float(atoms.info["recipe"]["parameters"]["fraction"])
        path = None
        if arguments.output is not None:
            path = arguments.output / f"{old}-{new}-{fraction:.4f}" / arguments.file_name
            structures[path] = atoms
        rows.append({"fraction": fraction, "formula": atoms.get_chemical_formula(), "file": path and str(path)})
    write_structures(structures, {})
    if arguments.json:
        print_json({"structures": rows})
        return
    shown = [[f"{row['fraction']:.4f}", str(row["formula"]), str(row["file"] or "-")] for row in rows]
    print_table(["fraction", "formula", "file"], shown)
