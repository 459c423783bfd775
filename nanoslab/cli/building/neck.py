"""Two {001} slabs of a rock-salt or zinc-blende crystal, and a neck of columns between them.

The gap is given in missing planes: 2 planes of PbSe are a gap of 6.2 Å, and the facing planes are one plane spacing
farther apart. In a gap of two planes, one column is one pair (one cation, one anion). By default the most compact
cross-section is built. --all-distinct and --most-compact K write one folder for every symmetry-distinct shape (turning
the double slab over exchanges cation-first and anion-first columns), and necks.json lists them.

example:
  nanoslab build neck PbSe-rocksalt --lateral 6 6 --planes 4 --gap-planes 2 --pairs 9 -o POSCAR
"""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.building.options import add_output_arguments, add_slab_arguments, slab_options
from nanoslab.cli.output import print_json, print_records
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from ase import Atoms

    from nanoslab.builders.double_slab import DoubleSlab
    from nanoslab.builders.neck import Filament
    from nanoslab.builders.neck_shapes import NeckShape


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add_slab_arguments(parser)
    add("--pairs", type=int, default=0, metavar="N", help="pairs in the neck (default 0: none)")
    add("--columns", nargs="+", type=_cell, metavar="I,J", help="columns of the cross-section, such as 0,0 0,1 1,0")
    add("--filament-planes", type=int, metavar="N", help="fill only N planes of the gap, which may leave it unbridged")
    words = "slab from which --filament-planes grow (default lower)"
    add("--filament-from", default="lower", choices=("lower", "upper", "both"), help=words)
    words = "least number of empty columns between periodic images (default 2)"
    add("--empty-columns", type=int, default=2, metavar="N", help=words)
    several = parser.add_mutually_exclusive_group()
    words = "all symmetry-distinct shapes with this number of pairs"
    several.add_argument("--all-distinct", action="store_true", help=words)
    several.add_argument("--most-compact", type=int, metavar="K", help="the K shapes with the smallest perimeter")
    add("--fitting", action="store_true", help="only shapes that fit the cell")
    add("--count-only", action="store_true", help="print the number of shapes and write nothing")
    add_output_arguments(parser, "FILE|DIR", "file, or folder for several shapes")


def run(arguments: Namespace) -> None:
    if arguments.all_distinct or arguments.most_compact is not None or arguments.count_only:
        _run_several(arguments)
        return
    from nanoslab.builders.neck import build_neck
    from nanoslab.cli.structures import finish

    neck = {name: getattr(arguments, name) for name in ("pairs", "columns", "empty_columns")}
    atoms = build_neck(arguments.crystal, **neck, filament=_filament(arguments), **slab_options(arguments))
    record = _record(atoms, arguments.output)
    finish(arguments, atoms, record, _neck_rows(record))


def _run_several(arguments: Namespace) -> None:
    from nanoslab.builders.double_slab import describe_double_slab
    from nanoslab.builders.neck import columns_for_pairs, largest_extent
    from nanoslab.builders.neck_shapes import distinct_neck_shapes

    if arguments.output is None and not arguments.count_only:
        raise InputError("--output", expected="a folder", got="none", advice="give -o DIR, or --count-only")
    if arguments.columns is not None:
        raise InputError("--columns", expected="none where shapes are enumerated", got="some", advice="leave it out")
    slab = describe_double_slab(arguments.crystal, **slab_options(arguments))
    n_columns = columns_for_pairs(slab, arguments.pairs, _filament(arguments))
    document: dict[str, Any] = {"crystal": arguments.crystal, "n_pairs": arguments.pairs, "n_columns": n_columns}
    if arguments.count_only:
        box = largest_extent(slab, arguments.empty_columns)
        document["n_distinct"] = sum(1 for _ in distinct_neck_shapes(slab, n_columns))
        document["n_fitting"] = sum(1 for _ in distinct_neck_shapes(slab, n_columns, box=box))
    else:
        document["structures"] = _write_shapes(slab, n_columns, arguments)
    if arguments.json:
        print_json(document)
        return
    if arguments.count_only:
        print(f"{document['n_distinct']} distinct shapes, {document['n_fitting']} of which fit the cell")
        return
    names = ("label", "perimeter", "imbalance", "degeneracy", "formula", "file")
    print_records(document["structures"], {name: name for name in names})


def _write_shapes(slab: DoubleSlab, n_columns: int, arguments: Namespace) -> list[dict[str, Any]]:
    """Write shape after shape; only the list of their numbers is kept."""
    from nanoslab.builders.neck import build_neck_of_shape, largest_extent
    from nanoslab.builders.neck_shapes import most_compact_shapes, ranked_neck_shapes, shape_degeneracy
    from nanoslab.cli.structures import record_path, write_structures

    _require_room(slab, n_columns, arguments)
    box = largest_extent(slab, arguments.empty_columns)
    shapes: Iterable[NeckShape] = ranked_neck_shapes(slab, n_columns, box=box if arguments.fitting else None)
    if arguments.most_compact is not None:
        if arguments.most_compact < 1:
            raise InputError("--most-compact", expected="at least 1", got=arguments.most_compact, advice="give 3")
        shapes = most_compact_shapes(slab, n_columns, arguments.most_compact, box=box)
    rows: list[dict[str, Any]] = []
    for number, shape in enumerate(shapes, start=1):
        atoms = build_neck_of_shape(slab, shape, filament=_filament(arguments), empty_columns=arguments.empty_columns)
        label = f"n{arguments.pairs:02d}-p{shape.perimeter}-{number:04d}"
        path = arguments.output / label / arguments.file_name
        degeneracy = {"degeneracy": shape_degeneracy(slab, shape)}
        write_structures({path: atoms}, {record_path(path): {**degeneracy, **_record(atoms, path)}})
        row = {"label": label, "file": str(path), "formula": atoms.get_chemical_formula()}
        rows.append({**row, **degeneracy, **shape.to_dict()})
    write_structures({}, {arguments.output / "necks.json": {"structures": rows}})
    return rows


def _require_room(slab: DoubleSlab, n_columns: int, arguments: Namespace) -> None:
    """Refuse, before anything is written, a cell in which no shape, or not the longest one, fits."""
    from nanoslab.builders.neck import require_room

    require_room(slab, n_columns, arguments.empty_columns)
    needed = n_columns + arguments.empty_columns
    needed += needed % slab.lattice.lateral_period
    if arguments.all_distinct and not arguments.fitting and max(slab.lateral) < needed:
        expected = f"at least {needed} columns one way, for the straight row of {n_columns} columns is a shape too"
        advice = f"give {needed} {needed}, or --fitting for the shapes that fit"
        raise InputError("lateral", expected=expected, got="{} x {}".format(*slab.lateral), advice=advice)


def _record(atoms: Atoms, path: Path | None) -> dict[str, Any]:
    from nanoslab.cli.structures import structure_record

    parameters = atoms.info["recipe"]["parameters"]
    n_columns = len(parameters["columns"])
    return {
        **structure_record(atoms, path),
        **{key: parameters[key] for key in ("n_pairs", "gap_A", "gap_planes", "facing_distance_A")},
        "n_columns": n_columns,
        "width_nm": n_columns**0.5 * parameters["spacing_A"] / 10.0,
        "neck_indices": atoms.info["recipe"]["neck_indices"],
    }


def _neck_rows(record: dict[str, Any]) -> list[tuple[str, str]]:
    gap = f"{record['gap_A']:.4f} Å = {record['gap_planes']} planes; facing planes {record['facing_distance_A']:.4f} Å"
    neck = f"{record['n_pairs']} pairs in {record['n_columns']} columns, {record['width_nm']:.2f} nm wide"
    return [("gap", gap), ("neck", neck)]


def _filament(arguments: Namespace) -> Filament | None:
    from nanoslab.builders.neck import Filament

    if arguments.filament_planes is None:
        return None
    return Filament(planes=arguments.filament_planes, side=arguments.filament_from)


def _cell(text: str) -> tuple[int, int]:
    try:
        first, second = (int(part) for part in text.split(","))
    except ValueError:
        raise ArgumentTypeError(f"expected two whole numbers as I,J, got {text!r}") from None
    return first, second
