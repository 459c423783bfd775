"""A neutral particle of two materials, each on its own lattice.

Core and shell, a rod with caps at both ends, or the two halves of a Janus particle. The smallest coincident cell of the
two faces (Zur and McGill) gives orientation and misfit, unless directions or a turn are chosen; --coherency says how
much of it the second material takes up as strain. The fewest atoms that make the particle neutral and keep ions
apart are removed.

example:
  nanoslab build heterostructure PbS-rocksalt CdS-zincblende --lattice experimental --diameter 4 --first-size 2.5
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from nanoslab.cli.building.options import (
    add_crystal_arguments,
    add_face_arguments,
    add_output_arguments,
    add_shape_arguments,
    shape_of,
)


def add_arguments(parser: ArgumentParser) -> None:
    add_crystal_arguments(parser, "PbS-rocksalt")
    parser.add_argument("second", help="second crystal: shell, caps or other half")
    parser.add_argument("--form", default="core-shell", choices=("core-shell", "capped", "janus"), help="how they join")
    parser.add_argument(
        "--first-size", type=float, metavar="NM", help="diameter of the core, or length between caps [nm]"
    )
    add_face_arguments(parser)
    parser.add_argument(
        "--coherency", type=float, default=1.0, help="share of the misfit taken up by strain (default 1)"
    )
    add_shape_arguments(parser)
    parser.add_argument("--vacuum", type=float, default=10.0, help="vacuum between periodic images [Å] (default 10)")
    add_output_arguments(parser, "FILE", "POSCAR, .vasp, .cif, .extxyz or .xyz")


def run(arguments: Namespace) -> None:
    from nanoslab.builders.interfaces.heterostructure import Join, build_heterostructure
    from nanoslab.cli.structures import finish, structure_record

    names = ("form", "first_size", "rotation", "coherency", "largest_strain", "largest_area")
    pairs: dict[str, Any] = {
        name: tuple(given) for name in ("faces", "parallel") if (given := getattr(arguments, name))
    }
    atoms = build_heterostructure(
        arguments.crystal,
        arguments.second,
        shape_of(arguments),
        Join(**pairs, **{name: getattr(arguments, name) for name in names}),
        vacuum=arguments.vacuum,
        lattice=arguments.lattice,
    )
    recipe = atoms.info["recipe"]
    cell, edits = recipe["coincidence"], recipe["edits"]
    own = {"diameter_A": atoms.info["ledger"]["diameter_A"], "coincidence": cell, "edits": edits}
    numbers = [int((atoms.get_tags() == tag).sum()) for tag in (1, 2)]
    rows = [
        ("first, second", f"{numbers[0]}, {numbers[1]} atoms"),
        ("coincident cell", f"{cell['area_A2']:.2f} Å², turned by {cell['rotation_degree']:.2f}°"),
        ("misfit", " and ".join(f"{strain:+.2%}" for strain in cell["strains"])),
        ("edits", f"{edits['n_removed']} removed, {edits['n_added']} added"),
    ]
    record = {**structure_record(atoms, arguments.output), **own, "n_atoms_of": numbers}
    finish(arguments, atoms, record, rows)
