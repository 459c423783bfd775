"""What tests of commands share."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from nanoslab.cli.main import main


@pytest.fixture
def answer(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Run a command that must do its job, and give back its JSON document."""

    def run(*arguments: object) -> dict[str, Any]:
        capsys.readouterr()
        assert main([*map(str, arguments), "--json"]) == 0
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    return run


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must print nothing, end with 2 and say why in one line, which is given back."""

    def run(*arguments: object) -> str:
        capsys.readouterr()
        try:
            code = main([*map(str, arguments)])
        except SystemExit as leaving:  # argparse
            code = leaving.code
        said = capsys.readouterr()
        assert (code, said.out, said.err.count("\n")) == (2, "", 1), said
        return said.err

    return run
