"""The command line's manners: exit codes, one-line errors, suggestions."""

import pytest

from nanoslab.cli.main import COMMANDS, main


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)


def test_misspelt_command_is_one_line_with_the_closest_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["knokon"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "did you mean knockon?" in err
