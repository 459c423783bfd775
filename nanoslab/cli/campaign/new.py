"""Print a commented study file to start from; without a name, list all of them.

With --crystal and --face a vacancy study is filled in for any crystal: the sheet, its terminations, the k-points.

Examples
--------
  nanoslab new cdse-nanosheet > study.yaml
  nanoslab new vacancies --crystal my.cif --face 110 > study.yaml
  nanoslab new neck --fields
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nanoslab.cli.output import add_json_option, print_json, print_study_tables, print_table
from nanoslab.errors import InputError, unknown_name

#: kind of study -> the file to start one from
OF_KIND = {
    "vacancies": "cdse-nanosheet",
    "neck": "pbse-neck",
    "gap": "pbse-gap",
    "convergence": "cdse-convergence",
    "displacement": "graphene-displacement",
    "barrier": "cds-vacancy-hop",
    "off-stoichiometry": "cdse-off-stoichiometry",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    words = "name of an example, such as cdse-nanosheet, or a kind of study, such as vacancies"
    parser.add_argument("name", nargs="?", help=words)
    parser.add_argument("--crystal", metavar="FILE", help="fill in for this crystal: a structure file, or a name")
    parser.add_argument("--face", help="face of the sheet, such as 110 or 11-20; for a leading minus --face=-1-1-1")
    parser.add_argument("--monolayers", type=int, metavar="N", help="thickness (default: the fewest that make 10 Å)")
    parser.add_argument("--fields", action="store_true", help="every field that a study of this kind can have")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    files = templates()
    if arguments.fields:
        _print_fields(arguments)
        return
    if arguments.crystal is not None or arguments.face is not None or arguments.monolayers is not None:
        _print_starter(arguments)
        return
    if arguments.name is None:
        rows = [(name, _summary(path)) for name, path in files.items()]
        if arguments.json:
            print_json({"files": [{"name": name, "summary": summary} for name, summary in rows]})
        else:
            print_table(("name", "what it is"), rows)
        return
    name = str(arguments.name).replace("_", "-").removesuffix(".yaml")
    name = OF_KIND.get(name, name)
    if name not in files:
        raise unknown_name("name", str(arguments.name), (*files, *OF_KIND))
    text = files[name].read_text(encoding="utf-8")
    if arguments.json:
        print_json({"name": name, "text": text})
    else:
        print(text, end="")


def _print_fields(arguments: argparse.Namespace) -> None:
    """Fields of a kind of study, in the order of the file."""
    from nanoslab.studies.schema import field_tables

    if arguments.name is None:
        raise InputError("--fields", expected="a kind of study before it", got="none", advice="such as vacancies")
    tables = field_tables(str(arguments.name))
    if arguments.json:
        rows = [dict(zip(table.columns, row, strict=True)) for table in tables for row in table.rows]
        print_json({"kind": arguments.name, "fields": rows})
    else:
        print_study_tables(tables)


def _print_starter(arguments: argparse.Namespace) -> None:
    """A vacancy study for the crystal given; what is to be known of its sheet goes to stderr."""
    from nanoslab.crystals import load_crystal
    from nanoslab.studies.vacancies.starter import vacancy_starter

    if arguments.name != "vacancies" or arguments.crystal is None or arguments.face is None:
        expected, got = "'nanoslab new vacancies --crystal FILE --face hkl'", arguments.name or "no kind of study"
        raise InputError("--crystal", expected=expected, got=got, advice="other kinds start from their example")
    if arguments.monolayers is not None and arguments.monolayers < 1:
        raise InputError("--monolayers", expected="at least 1", got=arguments.monolayers, advice="change it")
    crystal = load_crystal(arguments.crystal)
    starter = vacancy_starter(arguments.crystal, crystal, arguments.face, arguments.monolayers)
    if arguments.json:
        print_json({"name": "vacancies", "text": starter.text, "remarks": starter.remarks})
        return
    print(starter.text, end="")
    for remark in starter.remarks:
        print(remark, file=sys.stderr)


def templates() -> dict[str, Path]:
    """Files that ship with the package: name -> path."""
    from nanoslab.files import data_folder

    return {path.stem.replace("_", "-"): path for path in sorted(data_folder("workflows").glob("*.yaml"))}


def _summary(path: Path) -> str:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.lstrip("# ").rstrip(". ") if first.startswith("#") else ""
