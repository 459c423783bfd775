"""What tests of commands share."""

from collections.abc import Callable

import pytest

from nanoslab.cli.main import main


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
