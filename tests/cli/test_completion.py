"""Completion answers as a shell asks, through the environment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nanoslab.cli.main import main


def completed(line: str, folder: Path) -> list[str]:
    answer = folder / "answer"
    environment = {
        **os.environ,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_SHELL": "fish",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    command = [sys.executable, "-c", "import sys; sys.argv[0] = 'nanoslab'; from nanoslab.cli.main import main; main()"]
    subprocess.run(command, env=environment, check=True, cwd=folder)
    return [line.split("\t")[0].strip() for line in answer.read_text().replace("\v", "\n").splitlines()]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("nanoslab an", ["analyze"]),
        ("nanoslab build nanos", ["nanosheet"]),
        ("nanoslab analyze --pl", ["--plots"]),
        ("nanoslab analyze x --plots s", ["svg"]),
        ("nanoslab completion z", ["zsh"]),
    ],
)
def test_commands_options_and_choices_are_completed(line: str, expected: list[str], tmp_path: Path) -> None:
    assert completed(line, tmp_path) == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_code_that_names_the_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    code = capsys.readouterr().out
    assert "_ARGCOMPLETE" in code
    assert "nanoslab" in code


def test_bash_accepts_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    main(["completion", "bash"])
    script = capsys.readouterr().out
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
