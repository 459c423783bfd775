"""`nanoslab build vacancies --remove`: several species, one file, filters, draws."""

from pathlib import Path

import ase.io
import pytest

from nanoslab.builders import build_nanosheet
from nanoslab.builders.enumeration import read_table
from nanoslab.cli.main import main


@pytest.fixture
def slab(tmp_path: Path) -> Path:
    path = tmp_path / "slab.extxyz"
    ase.io.write(path, build_nanosheet("CdSe-wurtzite", "11-20", 3, repeat=(2, 1), fix="none"))
    return path


def test_every_way_is_a_row_and_the_numbers_are_printed(slab: Path, answer) -> None:
    pytest.importorskip("pyarrow")
    target = slab.with_name("ways.parquet")
    said = answer("build", "vacancies", slab, "--remove", "Se=2", "Cd=0-1", "--stream", target)
    assert [row["remove"] for row in said["counts"]] == [{"Se": 2, "Cd": 0}, {"Se": 2, "Cd": 1}]
    _, rows = read_table(target)
    assert said["n_rows"] == len(list(rows)) == sum(row["n_distinct"] for row in said["counts"])
    counted = answer("build", "vacancies", slab, "--remove", "Se=2", "Cd=0-1", "--count-only")
    assert counted["counts"] == said["counts"]


def test_filters_and_draws_are_told(slab: Path, answer) -> None:
    pytest.importorskip("pyarrow")
    options = ["--remove", "Se=2", "--apart", 5, 20, "--sample", 30, "--seed", 4, "--weights", "equal"]
    said = answer("build", "vacancies", slab, *options, "--stream", slab.with_name("a.parquet"))
    again = answer("build", "vacancies", slab, *options, "--stream", slab.with_name("b.parquet"))
    tables = [list(read_table(slab.with_name(name))[1]) for name in ("a.parquet", "b.parquet")]
    assert tables[0] == tables[1]
    assert sum(row["drawn"] for row in tables[0]) == 30
    assert said["draws"] == again["draws"]
    assert said["draws"][0]["share_passing"] == pytest.approx(
        said["counts"][0]["n_passing"] / said["counts"][0]["n_distinct"], abs=0.4
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--remove", "Se=2"], "--stream"),
        (["--remove", "Se=2", "--species", "Se", "--count-only"], "both or none"),
        (["--species", "Se", "--sample", "3", "--count-only"], "say what to remove as --remove Se=1"),
        (["--remove", "Se:2", "--count-only"], "Se=3 or Se=1-4"),
        (["--remove", "Se=2", "--stream", "a.csv"], ".parquet or .extxyz"),
        (["--remove", "Se=2", "-o", "folder"], "give --stream FILE"),
    ],
)
def test_what_does_not_go_together_is_said(
    slab: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    try:
        code = main(["build", "vacancies", str(slab), *options])
    except SystemExit as leave:
        code = leave.code
    captured = capsys.readouterr()
    assert (code, captured.out, captured.err.count("\n")) == (2, "", 1)
    assert words in captured.err
