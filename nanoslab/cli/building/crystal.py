"""What every builder of a crystal asks for."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from nanoslab.cli.output import add_json_option


def add_crystal_arguments(parser: ArgumentParser, example: str) -> None:
    """The crystal, and which of its lattice constants."""
    parser.add_argument("crystal", help=f"reference crystal, such as {example}, or a structure file")
    parser.add_argument("--lattice", help="lattice constants of a reference crystal: pbe (default) or experimental")


def add_output_arguments(parser: ArgumentParser, metavar: str, what: str) -> None:
    """Where to write, and whether to print JSON."""
    parser.add_argument("-o", "--output", type=Path, metavar=metavar, help=what)
    add_json_option(parser)
