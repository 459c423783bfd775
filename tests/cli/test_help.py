"""What every command says of itself, and how it answers a slip of the pen."""

import re
import shlex
from collections.abc import Iterator

import pytest

from nanoslab.cli.completion import whole_parser
from nanoslab.cli.main import COMMANDS, Parser, main
from nanoslab.cli.output import table_lines


def leaves() -> Iterator[tuple[str, ...]]:
    from importlib import import_module

    for name, (module, _) in COMMANDS.items():
        below = getattr(import_module(f"nanoslab.cli.{module}"), "COMMANDS", None)
        yield from ((name, sub) for sub in below) if below else ((name,),)


@pytest.mark.parametrize("command", list(leaves()), ids=" ".join)
def test_help_has_an_example_that_parses(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([*command, "--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    pattern = rf"^examples?:?\s+(?:-+\s+)?(nanoslab {' '.join(command)}.*)$"
    examples = re.findall(pattern, text, re.MULTILINE | re.IGNORECASE)
    assert examples, text
    words = shlex.split(examples[0].split(" >")[0].rstrip("."))[1:]
    whole_parser(Parser(prog="nanoslab"), COMMANDS).parse_args(words)


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["analyze", "x", "--plot-s", "pdf"], "did you mean --plots?"),
        (["analyze", "x", "--plots", "pfd"], "did you mean pdf?"),
        (["build", "nanosheet", "CdSe-wurtzite", "--face", "11-20", "--monolayer=7", "--vacum", "15"], "--vacuum"),
        (["knockon", "Se", "--kv", "200", "--jsno"], "did you mean --json?"),
    ],
)
def test_a_mistyped_option_or_choice_gets_the_nearest(words: list[str], advice: str, refused) -> None:
    assert advice in refused(*words)


def test_a_table_fits_and_keeps_every_number() -> None:
    rows = [[f"wurtzite-v_2Se-depth-{n}-with-a-long-name", "finished", f"-{n}.1234", "word " * 12] for n in range(3)]
    lines = table_lines(["calculation", "state", "energy/eV", "problems"], rows, 60)
    assert max(map(len, lines)) <= 60
    text = "\n".join(lines)
    assert all(f"-{n}.1234" in text for n in range(3))
    assert text.count("word") == 36
    assert "-with-a-long-name" in text


def test_a_table_that_goes_to_a_file_is_whole() -> None:
    row = ["a" * 90, "b" * 90]
    assert table_lines(["x", "y"], [row], None)[2] == "  ".join(row)


def test_long_headings_are_folded_before_a_number_or_name_is_touched() -> None:
    columns = ["element", "largest transferred energy [eV]", "cross-section, spherical [barn]"]
    lines = table_lines(columns, [["Se", "6.6447", "137.3"]], 40)
    assert max(map(len, lines)) <= 40
    assert lines[-1].split() == ["Se", "6.6447", "137.3"]
    assert " ".join(" ".join(lines[:-2]).split()).count("[") == 2
