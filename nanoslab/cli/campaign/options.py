"""Options that commands about campaigns share."""

from __future__ import annotations

from argparse import ArgumentParser


def add_only_option(parser: ArgumentParser) -> None:
    """``--only PATTERN``, several times."""
    words = "only calculations with matching names, such as 'wz-*'; repeatable"
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN", help=words)
