"""Two equal particles facet to facet on one lattice, along z, with or without a neck between them.

The neck takes the sites of the lattice nearest to one axis; on rock-salt {001} these are the columns of build neck.

example:
  nanoslab build attached PbSe-rocksalt --shape wulff --facet 001=1 --facet 111=1.4 --diameter 3 --pairs 9
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from nanoslab.cli.building.options import add_crystal_arguments, add_output_arguments, add_shape_arguments, shape_of


def add_arguments(parser: ArgumentParser) -> None:
    add_crystal_arguments(parser, "PbSe-rocksalt")
    add_shape_arguments(parser)
    parser.add_argument("--face", default="", metavar="HKL", help="facets that meet (default 001 or 0001)")
    parser.add_argument(
        "--gap-planes",
        type=int,
        metavar="N",
        help="missing planes (default: the fewest from 2 that the lattice allows)",
    )
    parser.add_argument("--pairs", type=int, default=0, metavar="N", help="formula units of the neck (default 0: none)")
    parser.add_argument("--vacuum", type=float, default=10.0, help="vacuum between periodic images [Å] (default 10)")
    add_output_arguments(parser, "FILE", "POSCAR, .vasp, .cif, .extxyz or .xyz")


def run(arguments: Namespace) -> None:
    from nanoslab.builders.interfaces.attachment import Contact, build_attached_pair
    from nanoslab.cli.structures import finish, structure_record

    contact = Contact(face=arguments.face, gap_planes=arguments.gap_planes, pairs=arguments.pairs)
    options = {name: getattr(arguments, name) for name in ("vacuum", "lattice")}
    atoms = build_attached_pair(arguments.crystal, shape_of(arguments), contact, **options)
    parameters = atoms.info["recipe"]["parameters"]
    record = structure_record(atoms, arguments.output)
    record |= {"gap_A": parameters["gap_A"], "n_pairs": parameters["n_pairs"]}
    record["neck_indices"] = atoms.info["recipe"]["neck_indices"]
    gap = f"{parameters['gap_A']:.4f} Å = {parameters['gap_planes']} planes"
    finish(arguments, atoms, record, [("gap", gap), ("neck", f"{parameters['n_pairs']} pairs")])
