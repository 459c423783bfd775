"""``nanoslab phonons``: computes here, or writes decks; remembers its structure; says what is imaginary."""

import json
from pathlib import Path

import numpy as np
import pytest
from ase.build import fcc111
from ase.io import write

from nanoslab.cli import phonons
from nanoslab.cli.main import Parser
from nanoslab.errors import FileError, InputError


def call(*arguments: str) -> None:
    parser = Parser()
    phonons.add_arguments(parser)
    phonons.run(parser.parse_args(list(arguments)))


@pytest.fixture
def structure(tmp_path: Path) -> str:
    sheet = fcc111("Cu", (1, 1, 2), vacuum=6.0, periodic=True)
    sheet.info = {}
    write(tmp_path / "sheet.extxyz", sheet)
    return str(tmp_path / "sheet.extxyz")


def test_an_engine_computes_and_a_second_call_reads(
    structure: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [structure, str(tmp_path / "phonons"), "--engine", "ase.calculators.emt:EMT", "--mesh", "2", "2", "1"]
    call(*command, "--json")
    document = json.loads(capsys.readouterr().out)
    assert document["n_atoms"] == 2
    assert document["n_modes"] == 4 * 6
    assert np.shape(document["velocity_covariance_m2_per_s2"]) == (2, 3, 3)
    assert document["free_energy_eV_per_atom"][0] > 0 > document["free_energy_eV_per_atom"][-1]
    results = {path: path.stat().st_mtime_ns for path in tmp_path.glob("phonons/*/*/result.json")}
    Path(structure).unlink()
    call(*command)
    assert "modes are imaginary" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in results} == results
    with pytest.raises(InputError, match="another folder"):
        call(*command, "--distance", "0.02")


def test_without_an_engine_there_are_decks(structure: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(structure, str(tmp_path / "decks"))
    assert "decks" in capsys.readouterr().out
    assert list(tmp_path.glob("decks/cell-phonon-001/POSCAR"))


def test_wrong_input_is_named(structure: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="structure file"):
        call(str(tmp_path / "nothing.vasp"), str(tmp_path / "p"))
    with pytest.raises(InputError, match="0 K"):
        call(structure, str(tmp_path / "p"), "--temperatures", "-5")
