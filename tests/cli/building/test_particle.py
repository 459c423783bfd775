"""``nanoslab build particle``: the keys of the other builders, and one line for what cannot be."""

import json
from pathlib import Path

import pytest

from nanoslab.cli.main import main
from nanoslab.cli.structures import read_structure


def test_json_has_the_keys_of_the_other_builders(tmp_path: Path, capsys: pytest.CaptureFixture[str], answer) -> None:
    path = tmp_path / "dot.xyz"
    command = ["build", "particle", "CdSe-wurtzite", "--diameter", "1.5", "--ligand", "Cl", "-o", str(path), "--json"]
    assert main(command) == 0
    dot = json.loads(capsys.readouterr().out)
    sheet = answer("build", "nanosheet", "CdSe-wurtzite", "--face", "11-20", "--monolayers", "3")
    assert set(sheet) <= set(dot)
    assert set(sheet["ledger"]) == set(dot["ledger"])
    assert dot["edits"]["proven"]
    assert len(read_structure(path)) == dot["n_atoms"]


def test_twinned_metals_are_built_by_the_same_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "particle", "Pt-fcc", "--shape", "icosahedron", "--diameter", "2"]) == 0
    assert "Pt309" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--diameter", "-1"], "diameter: expected a length above 0 nm"),
        (["--diameter", "2", "--ligands", "3"], "none without --ligand"),
        (["--diameter", "2", "--void", "1"], "shell has one"),
        (["--diameter", "2", "--shape", "decahedron"], "an fcc metal"),
        (["--diameter", "2", "--shape", "ball"], "invalid choice"),
        (["--diameter", "2", "--charge", "1"], "a multiple of 2 e"),
    ],
)
def test_faults_are_one_line(options: list[str], words: str, refused) -> None:
    assert words in refused("build", "particle", "CdSe-zincblende", *options)
