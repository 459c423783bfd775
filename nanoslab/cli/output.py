"""What commands print: one JSON document, or a table that fits a terminal."""

from __future__ import annotations

import math
import os
import sys
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

    On a terminal the widest columns of words give way, names losing their beginning, and the last one is folded.

    Examples
    --------
    >>> print_table(["atom", "energy"], [["Se", "6.64"], ["Cd", "-"]])
    atom  energy
    ----  ------
    Se      6.64
    Cd         -
    """
    for line in table_lines(columns, rows, width()):
        print(line)


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[str]], widest: int | None) -> list[str]:
    """Lines of a table that is no wider than `widest`, if its numbers leave room for that.

    Parameters
    ----------
    columns, rows
        Headings and cells.
    widest
        Columns of the terminal; None for as wide as it takes.

    Examples
    --------
    >>> for line in table_lines(["name", "E"], [["wurtzite-v_2Se-depth-1", "-72.9"]], 20): print(line)
    name               E
    -------------  -----
    …_2Se-depth-1  -72.9
    """
    cells = [list(columns), *[list(row) for row in rows]]
    right = [all(_is_number(row[i]) for row in rows) for i in range(len(columns))]
    widths = _widths(cells, right, widest)
    folds = len(columns) - 1 if columns and not right[-1] else None
    lines = []
    for number, row in enumerate(cells):
        lines += _lines(row, widths, right, folds)
        if number == 0:
            lines.append("  ".join("-" * width for width in widths))
    return lines


def width() -> int | None:
    """Columns of the terminal; None when the output goes elsewhere, where nothing must be shortened."""
    if not sys.stdout.isatty():
        return None
    try:
        return max(40, os.get_terminal_size(sys.stdout.fileno()).columns)
    except OSError:
        return 80


def print_study_tables(tables: Sequence[TableLike]) -> None:
    """Print a study's tables, each with its title and its notes."""
    for number, table in enumerate(tables):
        if number:
            print()
        print(table.title)
        print_table(table.columns, table.rows)
        for note in table.notes:
            print_note(note)


def print_note(text: str) -> None:
    """Print a line below a table, folded to the terminal (or 100 columns elsewhere)."""
    import textwrap

    print(textwrap.fill(text, width=width() or 100, initial_indent="  ", subsequent_indent="    "))


def print_missing(missing: Sequence[tuple[str, str]]) -> None:
    """Print which calculations have no result, those of one reason together."""
    reasons: dict[str, list[str]] = {}
    for name, reason in missing:
        reasons.setdefault(reason, []).append(name)
    if reasons:
        print("\nno result")
    for reason, names in reasons.items():
        shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        print_note(f"{shown}: {reason}")


#: narrowest that a column of words is squeezed to
NARROWEST = 8
#: narrowest last column that is still worth folding
NARROWEST_FOLDED = 16


def _widths(cells: Sequence[Sequence[str]], right: Sequence[bool], widest: int | None) -> list[int]:
    widths = [max(len(row[i]) for row in cells) for i in range(len(right))]
    if widest is None:
        return widths
    excess = sum(widths) + 2 * (len(widths) - 1) - widest
    if right and not right[-1] and widths[-1] > NARROWEST_FOLDED:
        give = min(max(excess, 0), widths[-1] - NARROWEST_FOLDED)
        widths[-1] -= give
        excess -= give
    while excess > 0:
        words = [i for i in range(len(widths)) if not right[i] and widths[i] > max(NARROWEST, len(cells[0][i]))]
        if not words:
            break
        widths[max(words, key=widths.__getitem__)] -= 1
        excess -= 1
    return widths


def _lines(row: Sequence[str], widths: Sequence[int], right: Sequence[bool], folds: int | None) -> list[str]:
    """Lines of one row: more than one where the last cell is folded."""
    pieces = [
        [cell if len(cell) <= w else f"…{cell[len(cell) - w + 1 :]}"] for cell, w in zip(row, widths, strict=True)
    ]
    if folds is not None and len(row[folds]) > widths[folds]:
        import textwrap

        pieces[folds] = textwrap.wrap(row[folds], widths[folds]) or [""]
    lines = []
    for level in range(max(map(len, pieces), default=1)):
        parts = [piece[level] if level < len(piece) else "" for piece in pieces]
        aligned = [part.rjust(w) if r else part.ljust(w) for part, w, r in zip(parts, widths, right, strict=True)]
        lines.append("  ".join(aligned).rstrip())
    return lines


def _is_number(cell: str) -> bool:
    try:
        float(cell.removeprefix("<"))
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
