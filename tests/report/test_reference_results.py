"""The shipped reference results re-analyse, without any engine, to the table the documentation shows."""

import contextlib
import io
import json
from pathlib import Path

import pytest

from nanoslab.cli.main import main
from nanoslab.files import data_folder

ROOT = Path(__file__).resolve().parents[2]
TABLE, README = ROOT / "docs" / "validation-table.md", ROOT / "README.md"


def printed(*arguments: str) -> str:
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        assert main(["validate", *arguments]) == 0
    return stream.getvalue()


def test_the_documented_tables_are_what_the_command_prints() -> None:
    table = printed("--markdown")
    assert TABLE.read_text(encoding="utf-8") == table
    shown = README.read_text(encoding="utf-8").partition("<!-- validation table -->\n")[2].partition("<!-- end")[0]
    assert len(shown.splitlines()) == 2 + 5 + 4
    assert set(shown.splitlines()) <= set(table.splitlines())


def test_open_dft_gives_the_numbers_it_gave() -> None:
    quantities = {row["quantity"]: row["values"] for row in json.loads(printed("--json"))["quantities"]}
    with_atom = quantities["E_f of Se, wurtzite sheet, mu of the atom"]["gpaw"]
    with_element = quantities["E_f of Se, wurtzite sheet, mu of the element"]["gpaw"]
    # Their difference is GPAW's cohesive energy of trigonal Se; PBE values of 2.5 to 2.7 eV are published
    assert 2.4 < with_atom - with_element < 2.8
    assert with_atom < 5.12


@pytest.mark.parametrize(
    "folder", sorted((data_folder("workflows") / "reference_results").iterdir()), ids=lambda path: path.name
)
def test_every_folder_says_what_it_is_and_names_no_path_of_a_machine(folder: Path) -> None:
    assert (folder / "README.md").is_file()
    for path in folder.rglob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert "/home/" not in text
        assert "/tmp/" not in text  # noqa: S108 - looked for, not used


@pytest.mark.parametrize("name", ["INCAR", "KPOINTS", "POSCAR", "POTCAR", "POTCAR.spec", "vasp.json"])
def test_results_of_other_engines_ship_no_file_of_vasp(name: str) -> None:
    assert not list((data_folder("workflows") / "reference_results").rglob(name))


def test_results_that_no_command_made_say_so() -> None:
    for path in (data_folder("workflows") / "reference_results").rglob("result.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        assert ("imported" in record) == ("method" in record), path  # only a script of one's own writes a method
        script = record.get("imported", {}).get("script")
        assert script is None or (ROOT / script).is_file(), path
