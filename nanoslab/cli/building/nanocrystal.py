"""A nanocrystal of an exact composition: a sphere, or a crystal with facets.

Give the diameter, which is converted to a whole number of formula units by the volume per atom of the bulk, or the
number of atoms of each element. Each facet has a distance from the centre. Only ratios matter, so surface energies can
be used (Wulff construction). The fewest atoms are moved so that none is held by a single bond.

example:
  nanoslab build nanocrystal CdSe-zincblende --diameter 2.5 --facet 111=1 --facet 001=1.2 -o dot.xyz
"""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from nanoslab.cli.building.options import add_crystal_arguments, add_output_arguments, facet


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add_crystal_arguments(parser, "CdSe-zincblende")
    size = parser.add_mutually_exclusive_group(required=True)
    size.add_argument("--diameter", type=float, metavar="NM", help="diameter of the sphere with the same volume [nm]")
    size.add_argument("--units", type=int, metavar="N", help="number of formula units")
    words = "number of atoms of each element, such as Cd=55 Se=45"
    size.add_argument("--atoms", nargs="+", type=_atoms, metavar="EL=N", help=words)
    words = "face and its distance from the centre; repeatable (default: a sphere)"
    add("--facet", action="append", type=facet, metavar="HKL=R", help=words)
    add("--centre", default="bond", help="centre of the crystal: bond (default), or an element for one of its atoms")
    add("--vacuum", type=float, default=10.0, help="vacuum between periodic images [Å] (default 10)")
    add_output_arguments(parser, "FILE", "POSCAR, .vasp, .cif, .extxyz or .xyz")


def run(arguments: Namespace) -> None:
    from nanoslab.builders.particles.particle import build_nanocrystal, units_of_diameter
    from nanoslab.cli.structures import finish, structure_record

    composition = dict(arguments.atoms) if arguments.atoms else arguments.units
    if arguments.diameter is not None:
        composition = units_of_diameter(arguments.crystal, arguments.diameter, lattice=arguments.lattice)
    facets = dict(arguments.facet) if arguments.facet else None
    options = {name: getattr(arguments, name) for name in ("centre", "vacuum", "lattice")}
    atoms = build_nanocrystal(arguments.crystal, composition, facets=facets, **options)
    record = structure_record(atoms, arguments.output)
    record["diameter_A"] = record["ledger"]["diameter_A"]
    finish(arguments, atoms, record)


def _atoms(text: str) -> tuple[str, int]:
    element, _, number = text.partition("=")
    if not number.isdigit():
        raise ArgumentTypeError(f"expected an element and a number as Cd=55, got {text!r}")
    return element, int(number)
