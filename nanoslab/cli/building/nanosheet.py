"""One sheet of an exact number of monolayers.

A monolayer is the thinnest slice with the composition of the crystal: one plane for wurtzite (11-20) and rock salt
(001), one cation and one anion plane for zinc blende (001). The structure summary is printed, and stored next to the
file.

example:
  nanoslab build nanosheet CdSe-wurtzite --face 11-20 --monolayers 7 -o POSCAR
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from nanoslab.cli.building.options import add_crystal_arguments, add_output_arguments


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add_crystal_arguments(parser, "CdSe-wurtzite")
    words = "11-20, 10-10, 0001 (wurtzite), 001, 110, 111 (cubic); for a leading minus sign write --face=-1-1-1"
    add("--face", required=True, help=words)
    add("--monolayers", required=True, type=int, metavar="N", help="number of monolayers, odd or even")
    cell = parser.add_mutually_exclusive_group()
    words = "in-plane repeats (default 1 1)"
    cell.add_argument("--repeat", nargs=2, type=int, default=(1, 1), metavar=("N", "M"), help=words)
    words = "new in-plane vectors in terms of the primitive ones, such as 1 1 -1 1 for a rotated square cell"
    cell.add_argument("--matrix", nargs=4, type=int, metavar=("A", "B", "C", "D"), help=words)
    add("--termination", nargs=2, metavar=("BOTTOM", "TOP"), help="composition of the lowest and the highest plane")
    add("--vacuum", type=float, default=15.0, help="vacuum between outermost nuclei [Å] (default 15)")
    add("--fix", default="middle", help="layer of frozen atoms: middle (default), bottom or none")
    words = "random displacement of free atoms [Å] to break the symmetry before a relaxation, such as 0.1 (default 0)"
    add("--rattle", type=float, default=0.0, metavar="A", help=words)
    add_output_arguments(parser, "FILE", "POSCAR, .vasp, .cif, .extxyz or .xyz")


def run(arguments: Namespace) -> None:
    from nanoslab.builders import build_nanosheet, rattle_atoms
    from nanoslab.cli.structures import finish, structure_record

    sheet = build_nanosheet(
        arguments.crystal,
        arguments.face,
        arguments.monolayers,
        repeat=(arguments.matrix[:2], arguments.matrix[2:]) if arguments.matrix else arguments.repeat,
        termination=arguments.termination,
        vacuum=arguments.vacuum,
        fix=arguments.fix,
        lattice=arguments.lattice,
    )
    if arguments.rattle:
        sheet = rattle_atoms(sheet, arguments.rattle)
    record = structure_record(sheet, arguments.output)
    if arguments.fix != "none" and not record["frozen_atoms"]:
        print(f"note: no atom is frozen, for --fix {arguments.fix} would freeze the whole sheet", file=sys.stderr)
    finish(arguments, sheet, record)
