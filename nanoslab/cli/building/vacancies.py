"""Every symmetry-distinct way to remove atoms from a sheet, or whole layers.

Regions: top or bottom (the outermost layer of the element at that face), both (the two outermost layers), any (the
whole sheet), depth (one atom from each of the topmost layers). Each structure gets its own folder in the output folder.
vacancies.json lists them with degeneracy, removed atoms, structure summary and recipe.

With --remove, atoms of several elements go at once, from a sheet, a supercell or a particle, and every way becomes a
row of one file, with a lasting identifier; memory stays the same whatever their number. --sample draws at random where
there are too many.

example:
  nanoslab build vacancies POSCAR --species Se --count 2 --region top -o vacancies
  nanoslab build vacancies POSCAR --remove Se=3 Cd=1 --apart 3 20 --stream ways.parquet
"""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.building.vacancy_stream import add_stream_arguments, stream
from nanoslab.cli.output import add_json_option, print_json, print_records
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from nanoslab.builders.vacancy import Vacancy

#: relaxed positions scatter by less than this about the symmetric ones [Å]
RELAXED_TOLERANCE = 0.05
COLUMNS = {
    **{"label": "label", "degeneracy": "degeneracy", "formula": "formula", "depth [Å]": "depth_A:.3f"},
    **{"charge [e]": "ledger.formal_charge:g", "dipole [e Å]": "ledger.dipole_eA:.3f", "file": "file"},
}


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("slab", type=Path, help="structure file of the sheet, with the vacuum along the third vector")
    add("--species", help="element to remove")
    words = "number of atoms to remove, or a whole layer (default 1)"
    add("--count", type=_count, default=1, metavar="N|layer", help=words)
    add("--region", default="any", help="where to remove atoms: any (default), top, bottom, both or depth")
    add("--tolerance", type=float, default=1e-3, help="symmetry tolerance [Å] (default 0.001)")
    add("--count-only", action="store_true", help="print the number of structures and write nothing")
    add("--file-name", default="POSCAR", metavar="NAME", help="file name in each folder (default POSCAR)")
    add("-o", "--output", type=Path, metavar="DIR", help="folder to write to")
    add_stream_arguments(parser)
    add_json_option(parser)


def run(arguments: Namespace) -> None:
    if (arguments.species is None) == (arguments.remove is None):
        raise InputError("--species", expected="this or --remove", got="both or none", advice="such as --species Se")
    if arguments.remove is not None:
        stream(arguments)
        return
    _refuse_stream_options(arguments)
    from nanoslab.builders.vacancy import count_vacancies, distinct_vacancies
    from nanoslab.cli.structures import read_structure, write_structures

    if arguments.output is None and not arguments.count_only:
        advice = "give -o DIR, or --count-only to write nothing"
        raise InputError("--output", expected="a folder", got="none", advice=advice)
    if Path(arguments.file_name).name != arguments.file_name:
        raise InputError("--file-name", expected="a name without folders", got=repr(arguments.file_name))
    slab = read_structure(arguments.slab)
    options = (slab, arguments.species, arguments.count, arguments.region)
    number = count_vacancies(*options, tolerance=arguments.tolerance)
    document: dict[str, Any] = {"slab": str(arguments.slab), "species": arguments.species, "region": arguments.region}
    document |= {"n_distinct": number.n_distinct, "n_total": number.n_total}
    document["notes"] = _tolerance_note(options, number.n_distinct, arguments.tolerance)
    if arguments.count_only:
        _print(document, [], as_json=arguments.json)
        return
    vacancies = distinct_vacancies(*options, tolerance=arguments.tolerance)
    paths = [arguments.output / vacancy.label / arguments.file_name for vacancy in vacancies]
    document["structures"] = [_record(vacancy, path) for vacancy, path in zip(vacancies, paths, strict=True)]
    structures = {path: vacancy.atoms for path, vacancy in zip(paths, vacancies, strict=True)}
    write_structures(structures, {arguments.output / "vacancies.json": document})
    _print(document, document["structures"], as_json=arguments.json)


def _refuse_stream_options(arguments: Namespace) -> None:
    given = [name for name in ("stream", "depth", "apart", "charge", "sample") if getattr(arguments, name) is not None]
    if given:
        advice = f"say what to remove as --remove {arguments.species}={arguments.count}"
        raise InputError(f"--{given[0]}", expected="only with --remove", got="--species", advice=advice)


def _tolerance_note(options: tuple[Any, ...], n_distinct: int, tolerance: float) -> list[str]:
    """What a relaxed sheet needs to know: its small displacements make sites differ that are meant to be the same."""
    from nanoslab.builders.vacancy import count_vacancies

    if tolerance >= RELAXED_TOLERANCE:
        return []
    try:
        fewer = count_vacancies(*options, tolerance=RELAXED_TOLERANCE).n_distinct
    except InputError:
        return []  # too wide for this structure, so no advice either
    if fewer >= n_distinct:
        return []
    return [f"only {fewer} distinct at a tolerance of {RELAXED_TOLERANCE} Å: a relaxed sheet may want --tolerance"]


def _count(text: str) -> int | str:
    if text == "layer":
        return text
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"expected a whole number or 'layer', got {text!r}") from None


def _record(vacancy: Vacancy, path: Path) -> dict[str, Any]:
    from nanoslab.cli.structures import structure_record

    return {
        "label": vacancy.label,
        "degeneracy": vacancy.degeneracy,
        "removed_indices": list(vacancy.removed_indices),
        "layers": list(vacancy.layers),
        "depth_A": vacancy.depth,
        **structure_record(vacancy.atoms, path),
    }


def _print(document: dict[str, Any], structures: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    if structures:
        print_records(structures, COLUMNS)
        print()
    print(f"{document['n_distinct']} distinct of {document['n_total']} ways")
    for note in document["notes"]:
        print(note)
