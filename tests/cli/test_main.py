"""The command line's manners: exit codes, one-line errors, suggestions."""

from pathlib import Path

import pytest

from nanoslab.cli.main import COMMANDS, main
from nanoslab.files import data_folder


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)


def test_misspelt_command_is_one_line_with_the_closest_name(refused) -> None:
    assert "did you mean knockon?" in refused("knokon")


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path, refused) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    study = data_folder("workflows") / "cdse_nanosheet.yaml"
    assert str(blocked) in refused("write", study, blocked / "campaign")
