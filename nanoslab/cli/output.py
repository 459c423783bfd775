"""What commands print: one JSON document, or a table that fits a terminal."""

from __future__ import annotations

import math
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nanoslab.text import printable

if TYPE_CHECKING:
    from nanoslab.studies.result import Cell, Table

SCHEMA = 1


def add_json_option(parser: ArgumentParser) -> None:
    """Every command answers ``--json`` with one document on stdout."""
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")


def print_json(document: Mapping[str, Any]) -> None:
    """Print a document with its schema number; NaN and infinities become null."""
    import json  # a third of the run time of a light command that prints a table

    print(json.dumps({"schema": SCHEMA, **_plain(document)}, indent=2, allow_nan=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print aligned columns: numbers to the right, words to the left.

    On a terminal long names lose their beginning, and a last column of text that is too wide goes below its row.

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
    """Lines of a table that is no wider than `widest` columns (None: any), if its numbers leave room for that."""
    rows = [[printable(cell) for cell in row] for row in rows]
    right = [all(_is_number(row[i]) for row in rows) for i in range(len(columns))]
    words = bool(rows) and len(columns) > 1 and not right[-1] and _too_wide(columns, rows, widest)
    below = [row[-1] for row in rows] if words else [""] * len(rows)
    n = len(columns) - 1 if words else len(columns)
    cells = [list(columns[:n]), *[list(row[:n]) for row in rows]]
    widths = _widths(cells, right[:n], widest)
    lines = [*_lines(cells[0], widths, right), "  ".join("-" * width for width in widths)]
    for row, text in zip(cells[1:], below, strict=True):
        lines += _lines(row, widths, right)
        if text and widest is not None:
            import textwrap  # a tenth of the run time of a light command

            lines += textwrap.wrap(f"{columns[-1]}: {text}", widest, initial_indent="    ", subsequent_indent="      ")
    return lines


def width() -> int | None:
    """Columns of the terminal; None when the output goes elsewhere, where nothing must be shortened."""
    if not sys.stdout.isatty():
        return None
    try:
        return max(40, os.get_terminal_size(sys.stdout.fileno()).columns)
    except OSError:
        return 80


def print_study_tables(tables: Sequence[Table]) -> None:
    """Print a study's tables, each with its title and its notes."""
    for number, table in enumerate(tables):
        if number:
            print()
        print(printable(table.title))
        print_table(table.columns, table.rows)
        for note in table.notes:
            print_note(note)


def print_records(records: Iterable[Mapping[str, Any]], columns: Mapping[str, Cell]) -> None:
    """Print a table of records: heading -> how its cells are made."""
    from nanoslab.studies.result import table_of

    table = table_of("", records, columns)
    print_table(table.columns, table.rows)


def print_note(text: str) -> None:
    """Print a line below a table, folded to the terminal (or 100 columns elsewhere)."""
    widest = width() or 100
    if len(text) + 2 <= widest:
        print(printable(f"  {text}") if text else "")
        return
    import textwrap  # a tenth of the run time of a light command

    lines = textwrap.fill(
        printable(text), width=widest, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
    )
    print(lines)


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


def _too_wide(columns: Sequence[str], rows: Sequence[Sequence[str]], widest: int | None) -> bool:
    """Whether the last column holds text that does not fit beside the others: it goes below each row."""
    needed = [max(len(row[i]) for row in (columns, *rows)) for i in range(len(columns))]
    return widest is not None and needed[-1] > NARROWEST and sum(needed) + 2 * (len(needed) - 1) > widest


def _widths(cells: Sequence[Sequence[str]], right: Sequence[bool], widest: int | None) -> list[int]:
    """Widths of the columns; headings are folded before any name is shortened."""
    widths = [max(len(row[i]) for row in cells) for i in range(len(right))]
    longest_words = [max(map(len, heading.split()), default=0) for heading in cells[0]]
    bodies = [max((len(row[i]) for row in cells[1:]), default=0) for i in range(len(right))]
    folded = [max(word, body) for word, body in zip(longest_words, bodies, strict=True)]
    squeezed = [body if r else min(body, NARROWEST) for body, r in zip(bodies, right, strict=True)]
    lowest = [max(word, least) for word, least in zip(longest_words, squeezed, strict=True)]
    excess = 0 if widest is None else sum(widths) + 2 * (len(widths) - 1) - widest
    for floors in (folded, lowest):
        while excess > 0:
            room = [i for i in range(len(widths)) if widths[i] > floors[i]]
            if not room:
                break
            widths[max(room, key=widths.__getitem__)] -= 1
            excess -= 1
    return widths


def _lines(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> list[str]:
    """One row, on more than one line where a text is too long for its column."""
    pieces = [_fitted(cell, width) for cell, width in zip(row, widths, strict=True)]
    lines = []
    for level in range(max(map(len, pieces))):
        parts = [piece[level] if level < len(piece) else "" for piece in pieces]
        aligned = [part.rjust(w) if r else part.ljust(w) for part, w, r in zip(parts, widths, right, strict=False)]
        lines.append("  ".join(aligned).rstrip())
    return lines


def _fitted(cell: str, width: int) -> list[str]:
    """Text is folded; a name loses its beginning, where the names of one series are alike."""
    if len(cell) <= width:
        return [cell]
    if " " in cell:
        import textwrap

        return textwrap.wrap(cell, width)
    return [f"…{cell[len(cell) - width + 1 :]}"]


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
