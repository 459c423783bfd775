"""The cross-section of a neck as a short word for folder names, and back."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nanoslab.errors import InputError

Cell = tuple[int, int]

_CODE = re.compile(r"([0-9a-f]+(?:\.[0-9a-f]+)*)(?:-o([01])([01]))?")


def shape_code(cells: Sequence[Cell]) -> str:
    """Return one hexadecimal number per row, its bits the columns; the parity of the corner after ``-o`` unless even.

    Examples
    --------
    >>> shape_code([(0, 0), (1, 0), (0, 1)]), shape_code([(1, 0), (2, 0)])
    ('3.1', '3-o10')
    """
    x0, y0 = min(x for x, _ in cells), min(y for _, y in cells)
    rows = [0] * (max(y for _, y in cells) - y0 + 1)
    for x, y in cells:
        rows[y - y0] |= 1 << (x - x0)
    origin = f"-o{x0 % 2}{y0 % 2}" if x0 % 2 or y0 % 2 else ""
    return ".".join(f"{row:x}" for row in rows) + origin


def shape_cells(code: str) -> tuple[Cell, ...]:
    """Return the columns of a code, sorted.

    Examples
    --------
    >>> shape_cells("3.1")
    ((0, 0), (0, 1), (1, 0))
    """
    match = _CODE.fullmatch(code)
    if match is None:
        raise InputError("shape", expected="hexadecimal rows such as 7.7.7", got=repr(code), advice="mend the name")
    x0, y0 = int(match[2] or 0), int(match[3] or 0)
    rows = [int(row, 16) for row in match[1].split(".")]
    cells = [(x + x0, y + y0) for y, row in enumerate(rows) for x in range(row.bit_length()) if row >> x & 1]
    return tuple(sorted(cells))
