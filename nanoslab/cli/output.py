"""What commands print: one JSON document, or a table that fits a terminal."""

from __future__ import annotations

import math
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

SCHEMA = 1


class TableLike(Protocol):
    """What a table of a study offers."""

    @property
    def title(self) -> str:
        """Heading."""

    @property
    def columns(self) -> Sequence[str]:
        """Column headings."""

    @property
    def rows(self) -> Sequence[Sequence[str]]:
        """Cells as text."""

    @property
    def notes(self) -> Sequence[str]:
        """Lines below the table."""


def add_json_option(parser: ArgumentParser) -> None:
    """Every command answers ``--json`` with one document on stdout."""
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")


def print_json(document: Mapping[str, Any]) -> None:
    """Print a document with its schema number; NaN and infinities become null."""
    import json  # a third of the run time of a light command that prints a table

    print(json.dumps({"schema": SCHEMA, **_plain(document)}, indent=2, allow_nan=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print aligned columns: numbers to the right, words to the left.

    Examples
    --------
    >>> print_table(["atom", "energy"], [["Se", "6.64"], ["Cd", "-"]])
    atom  energy
    ----  ------
    Se      6.64
    Cd         -
    """
    cells = [list(columns), *[list(row) for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    right = [all(_is_number(row[i]) for row in rows) for i in range(len(columns))]

    def line(row: Sequence[str]) -> str:
        parts = [cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, widths, right, strict=True)]
        return "  ".join(parts).rstrip()

    print(line(columns))
    print("  ".join("-" * width for width in widths))
    for row in rows:
        print(line(row))


def print_study_tables(tables: Sequence[TableLike]) -> None:
    """Print a study's tables, each with its title and its notes."""
    import textwrap

    for number, table in enumerate(tables):
        if number:
            print()
        print(table.title)
        print_table(table.columns, table.rows)
        for note in table.notes:
            print(textwrap.fill(note, width=100, initial_indent="  ", subsequent_indent="    "))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell in ("-", "")
    return True


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy scalar or array, without importing numpy here
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
