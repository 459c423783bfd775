"""Options that builders share: the crystal, the two slabs, the output."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.output import add_json_option

if TYPE_CHECKING:
    from nanoslab.builders.particles.shapes import Shape


def add_crystal_arguments(parser: ArgumentParser, example: str) -> None:
    """The crystal, and which of its lattice constants."""
    parser.add_argument("crystal", help=f"reference crystal, such as {example}, or a structure file")
    parser.add_argument("--lattice", help="lattice constants of a reference crystal: pbe (default) or experimental")


def add_output_arguments(parser: ArgumentParser, metavar: str, what: str) -> None:
    """Where to write, and whether to print JSON."""
    parser.add_argument("-o", "--output", type=Path, metavar=metavar, help=what)
    add_json_option(parser)


def add_slab_arguments(parser: ArgumentParser) -> None:
    """Arguments of the two slabs."""
    add_crystal_arguments(parser, "PbSe-rocksalt")
    add = parser.add_argument
    words = "number of columns along each side (default 6 6)"
    add("--lateral", nargs=2, type=int, default=(6, 6), metavar=("N", "M"), help=words)
    add("--planes", type=int, default=4, metavar="N", help="atomic planes of each slab (default 4)")
    gap = parser.add_mutually_exclusive_group()
    gap.add_argument("--gap-planes", type=int, metavar="N", help="gap in missing planes, even (default 2)")
    gap.add_argument("--gap", type=float, metavar="Å", help="gap in Å instead")
    words = "lateral shift of the upper slab, in columns"
    add("--shift", nargs=2, type=float, default=(0.0, 0.0), metavar=("X", "Y"), help=words)
    add("--twist", type=float, default=0.0, metavar="DEGREE", help="rotation of the upper slab")
    add("--vacuum", type=float, default=15.0, help="vacuum between periodic images [Å] (default 15)")
    add("--fixed-planes", type=int, default=0, metavar="N", help="number of frozen planes at each outer face")
    add("--lattice-constant", type=float, metavar="Å", help="edge of the cubic cell, instead of --lattice")
    add("--file-name", default="POSCAR", metavar="NAME", help="file name in each folder (default POSCAR)")


def slab_options(arguments: Namespace) -> dict[str, Any]:
    """Options of `describe_double_slab`."""
    same = ("planes", "gap_planes", "gap", "twist", "vacuum", "fixed_planes", "lattice", "lattice_constant")
    options = {name: getattr(arguments, name) for name in same}
    return {**options, "lateral": tuple(arguments.lateral), "shift": tuple(arguments.shift)}


def facet(text: str) -> tuple[str, float]:
    """Face and its energy or distance, such as 111=1.2."""
    face, _, distance = text.partition("=")
    try:
        return face, float(distance)
    except ValueError:
        raise ArgumentTypeError(f"expected a face and a distance as 111=1.2, got {text!r}") from None


def add_shape_arguments(parser: ArgumentParser, more: tuple[str, ...] = ()) -> None:
    """Shape of a particle and its sizes; `more` are shapes that the command has of its own."""
    kinds = ("sphere", "ellipsoid", "rod", "platelet", "shell", "wulff", *more)
    parser.add_argument("--shape", default="sphere", choices=kinds, help="shape (default sphere)")
    parser.add_argument("--diameter", type=float, required=True, metavar="NM", help="diameter [nm]")
    parser.add_argument("--length", type=float, metavar="NM", help="length of a rod or ellipsoid along its axis [nm]")
    parser.add_argument("--thickness", type=float, metavar="NM", help="thickness of a platelet [nm]")
    parser.add_argument("--void", type=float, metavar="NM", help="diameter of the void of a shell [nm]")
    parser.add_argument("--axis", metavar="HKL", help="face whose normal is the axis (default 001 or 0001)")
    parser.add_argument(
        "--facet", action="append", type=facet, metavar="HKL=E", help="face and its surface energy, repeatable (wulff)"
    )


def shape_of(arguments: Namespace) -> Shape:
    """Shape that the arguments describe."""
    from nanoslab.builders.particles.shapes import Shape

    names = ("diameter", "length", "thickness", "void", "axis")
    facets = dict(arguments.facet) if arguments.facet else None
    return Shape(kind=arguments.shape, facets=facets, **{name: getattr(arguments, name) for name in names})


def add_face_arguments(parser: ArgumentParser) -> None:
    """Faces of two crystals that meet, their turn, and limits of the coincident cell."""
    parser.add_argument("--faces", nargs=2, metavar="HKL", help="faces of the first and second crystal that meet")
    turn = parser.add_mutually_exclusive_group()
    turn.add_argument("--parallel", nargs=2, metavar="UVW", help="directions of both that lie along one another")
    turn.add_argument("--rotation", type=float, metavar="DEGREE", help="turn of the second in the plane instead")
    parser.add_argument("--largest-strain", type=float, default=0.1, help="of coincident cells (default 0.1)")
    parser.add_argument("--largest-area", type=float, default=400.0, help="of coincident cells [Å²] (default 400)")
