"""Numbers as Fortran prints them; asterisks, garbage and infinities are no numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
#: less than any cell that holds an atom [Å³]
_SMALLEST_VOLUME = 1e-3
#: above anything VASP prints in a row of three, and above any other number it prints
_LARGEST_IN_ROW, _LARGEST = 1e12, 1e30
# Fortran writes D for E, and drops the letter of three-digit exponents: 0.1234-100
_FORTRAN = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+))[EeDd]?([-+]?\d+)", re.ASCII)


def number(text: bytes | str) -> float | None:
    """Finite number as Fortran writes it, or None for asterisks, blanks and anything else."""
    word = (text.decode("ascii", "replace") if isinstance(text, bytes) else text).strip()
    try:
        value = float(word)
    except ValueError:
        found = _FORTRAN.fullmatch(word)
        if found is None:
            return None
        value = float(f"{found[1]}E{found[2]}")
    return value if abs(value) < _LARGEST and "_" not in word else None


def numbers(text: bytes) -> tuple[float, ...]:
    """Those of the words that are numbers."""
    return tuple(value for word in text.split() if (value := number(word)) is not None)


def whole_number(text: bytes | str) -> int | None:
    """Count of up to nine digits, or None; no run has more of anything, and a crafted file must not ask for it."""
    word = text.strip()
    return int(word) if word.isdigit() and word.isascii() and len(word) < 10 else None


def three_whole(words: Sequence[str]) -> tuple[int, int, int] | None:
    """Three counts, such as the divisions of a mesh, or None."""
    counts = [count for word in words if (count := whole_number(word)) is not None]
    return (counts[0], counts[1], counts[2]) if len(words) == len(counts) == 3 else None


def plain_word(word: str) -> str:
    """Value of a tag, the same for every spelling of a number or, as Fortran takes them, of a logical."""
    try:
        return repr(float(word))
    except ValueError:
        bare = word.strip(".").upper()
        return bare[:1] if bare in ("T", "F", "TRUE", "FALSE") else word.upper()


def energies_fit(free: float, without_entropy: float, extrapolated: float, digit: float = 1e-8) -> bool:
    """Whether E0 = F + (E - F)/(n + 2) [eV] for an order n of the smearing: 0 (Gauss) to 5 (Methfessel-Paxton)."""
    entropy = without_entropy - free
    return any(abs(extrapolated - free - entropy / k) <= 2.5 * digit for k in range(2, 8))


def rows_of_three(text: bytes, n_rows: int | None = None) -> Array | None:
    """Array of shape (n, 3) from numbers separated by blanks, or None when it holds anything else."""
    try:
        values = np.array(list(map(float, text.split())), dtype=np.float64)
    except ValueError:
        return None
    # Python alone would take 1_000; nan is not below anything
    if values.size == 0 or values.size % 3 or not (np.abs(values) < _LARGEST_IN_ROW).all() or b"_" in text:
        return None
    rows = values.reshape(-1, 3)
    return rows if n_rows is None or len(rows) == n_rows else None


def lattice_of(rows: Array | None) -> Array | None:
    """The rows as lattice vectors, or None when they span no volume."""
    spans = rows is not None and rows.shape == (3, 3) and abs(np.linalg.det(rows)) >= _SMALLEST_VOLUME
    return rows if spans else None
