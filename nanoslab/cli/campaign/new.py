"""Print a commented study file to start from; without a name, list all of them.

Example: nanoslab new cdse-nanosheet > study.yaml
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nanoslab.cli.output import add_json_option, print_json, print_table
from nanoslab.errors import unknown_name

#: kind of study -> the file to start one from
OF_KIND = {
    "vacancies": "cdse-nanosheet",
    "neck": "pbse-neck",
    "gap": "pbse-gap",
    "off-stoichiometry": "cdse-off-stoichiometry",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    words = "name of an example, such as cdse-nanosheet, or a kind of study, such as vacancies"
    parser.add_argument("name", nargs="?", help=words)
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print the file, or the list."""
    files = templates()
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


def templates() -> dict[str, Path]:
    """Files that ship with the package: name -> path."""
    from nanoslab.files import data_folder

    return {path.stem.replace("_", "-"): path for path in sorted(data_folder("workflows").glob("*.yaml"))}


def _summary(path: Path) -> str:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.lstrip("# ").rstrip(". ") if first.startswith("#") else ""
