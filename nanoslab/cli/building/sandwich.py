"""Two {001} slabs of a rock-salt or zinc-blende crystal with ligands in the gap.

The binding group of each ligand is placed at a metal atom of a facing plane, and the molecule is rotated, as upright
as possible, until no atoms overlap. The gap is the thickness of the missing material; the facing planes are one plane
spacing farther apart. Charged ligands (oleate) are not compensated; the structure summary gives the formal charge.
--gap-scan writes one folder per gap, all with the same cell height and with the ligands oriented as in the narrowest
gap.

example:
  nanoslab build sandwich PbSe-rocksalt --ligand oleic-fragment --gap 6.0 -o POSCAR
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.building.options import add_output_arguments, add_slab_arguments, slab_options
from nanoslab.cli.output import print_json, print_records
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from ase import Atoms

    from nanoslab.studies.result import Cell


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add_slab_arguments(parser)
    add("--ligand", required=True, help="ligand, such as oleic-fragment, acetic-acid, oleate, octylamine")
    amount = parser.add_mutually_exclusive_group()
    words = "ligands per nm² on each chosen face; two values for lower and upper"
    amount.add_argument("--coverage", type=float, nargs="+", metavar="PER_NM2", help=words)
    words = "ligands per cell on each chosen face; two values for lower and upper (default 1)"
    amount.add_argument("--count", type=int, nargs="+", metavar="N", help=words)
    words = "slab that carries the ligands (default lower)"
    add("--on", default="lower", choices=("lower", "upper", "both"), help=words)
    add("--binding", help="monodentate, chelating or bridging (default: the usual mode of the ligand)")
    add("--one-slab", action="store_true", help="build only one slab, with the ligands on its upper face")
    add("--gap-scan", nargs="+", type=float, metavar="Å", help="several gaps, one folder each")
    add_output_arguments(parser, "FILE|DIR", "file, or folder for a gap scan")


def run(arguments: Namespace) -> None:
    if arguments.gap_scan is not None:
        _run_scan(arguments)
        return
    from nanoslab.builders.sandwich import build_sandwich
    from nanoslab.cli.structures import finish

    if arguments.one_slab:
        atoms = _capped(arguments)
    else:
        atoms = build_sandwich(arguments.crystal, arguments.ligand, **slab_options(arguments), **_options(arguments))
    record = _record(atoms, arguments.output)
    finish(arguments, atoms, record, _ligand_rows(record))


def _capped(arguments: Namespace) -> Atoms:
    from nanoslab.builders.sandwich import build_capped_slab

    options = {**slab_options(arguments), **_options(arguments)}
    foreign = {"gap": None, "gap_planes": None, "shift": (0.0, 0.0), "twist": 0.0, "face": "lower"}
    for name, default in foreign.items():
        if options.pop(name) != default:
            word = "on" if name == "face" else name.replace("_", "-")
            raise InputError(f"--{word}", expected="nothing beside --one-slab", got="a value", advice="leave it out")
    return build_capped_slab(arguments.crystal, arguments.ligand, **options)


def _run_scan(arguments: Namespace) -> None:
    from nanoslab.builders.double_slab import describe_double_slab
    from nanoslab.builders.ligand import LigandLayer
    from nanoslab.builders.sandwich import scan_gaps
    from nanoslab.cli.structures import record_path, write_structures

    if arguments.output is None:
        raise InputError("--output", expected="a folder", got="none", advice="give -o DIR for the structures")
    if arguments.one_slab:
        raise InputError("--one-slab", expected="no gaps beside it", got="--gap-scan", advice="leave one of them out")
    if arguments.gap is not None or arguments.gap_planes is not None:
        raise InputError("--gap", expected="none beside --gap-scan", got="one", advice="leave it out")
    slab = describe_double_slab(arguments.crystal, **{**slab_options(arguments), "gap": max(arguments.gap_scan)})
    scan = scan_gaps(slab, arguments.gap_scan, LigandLayer(name=arguments.ligand, **_options(arguments)))
    paths = [arguments.output / f"gap-{gap:.2f}" / arguments.file_name for gap in arguments.gap_scan]
    records = [_record(atoms, path) for atoms, path in zip(scan, paths, strict=True)]
    written = dict(zip(map(record_path, paths), records, strict=True))
    write_structures(dict(zip(paths, scan, strict=True)), written)
    if arguments.json:
        print_json({"structures": records})
        return
    columns: dict[str, Cell] = {
        **{"gap [Å]": "gap_A:.2f", "formula": "formula"},
        "tilt [degree]": lambda one: f"{one['ledger']['ligands']['tilt_degree'][0]:.0f}",
        "file": "file",
    }
    print_records(records, columns)


def _options(arguments: Namespace) -> dict[str, Any]:
    amount = {"coverage": _one_or_two(arguments.coverage), "count": _one_or_two(arguments.count)}
    return {**amount, "face": arguments.on, "binding": arguments.binding}


def _one_or_two(values: list[Any] | None) -> Any:
    """One number for all chosen faces, or as many as given."""
    return None if values is None else values[0] if len(values) == 1 else tuple(values)


def _record(atoms: Atoms, path: Path | None) -> dict[str, Any]:
    from nanoslab.cli.structures import structure_record

    parameters = atoms.info["recipe"]["parameters"]
    return {
        **structure_record(atoms, path),
        **{key: parameters[key] for key in ("ligand", "n_ligands", "binding", "gap_A", "facing_distance_A")},
        "ligand_indices": atoms.info["recipe"]["ligand_indices"],
    }


def _ligand_rows(record: dict[str, Any]) -> list[tuple[str, str]]:
    ligands = record["ledger"]["ligands"]
    per_face = ", ".join(
        f"{ligands[name]} {name} ({ligands['coverage_per_nm2'][name]:.2f} per nm²)" for name in ("lower", "upper")
    )
    charge = f"{ligands['formal_charge_each']:+d} e each, slabs {ligands['formal_charge_of_slabs']:+g} e"
    gap = "none, one slab"
    if record["gap_A"] is not None:
        gap = f"{record['gap_A']:.4f} Å; facing planes {record['facing_distance_A']:.4f} Å"
    return [
        ("gap", gap),
        ("ligand", f"{record['ligand']}, {record['binding']}: {per_face}"),
        ("ligand charge", charge),
        ("clearance", f"{ligands['clearance']:.2f} of the van der Waals contact"),
    ]
