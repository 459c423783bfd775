"""Roles of the calculations of a neck study."""

from __future__ import annotations

from typing import Literal

from nanoslab.calculation import Role


class BulkRole(Role):
    """The crystal in a block with the sides of the slabs."""

    kind: Literal["bulk"] = "bulk"


class DoubleSlabRole(Role):
    """The two slabs without a neck."""

    kind: Literal["double-slab"] = "double-slab"
    n_pairs: int = 0


class NeckRole(Role):
    """The two slabs with a neck.

    Attributes
    ----------
    n_pairs, n_columns, shape, cells
        Size, the code of the cross-section, and its columns.
    perimeter, n_cation_first, imbalance
        Free edges of the cross-section in columns, columns that begin with a cation, and how many more columns begin
        with one species than with the other.
    screening_energy_eV
        From the screen; None without one.
    """

    kind: Literal["neck"] = "neck"
    n_pairs: int
    n_columns: int
    shape: str
    cells: tuple[tuple[int, int], ...] = ()
    perimeter: int
    n_cation_first: int = 0
    imbalance: int
    screening_energy_eV: float | None = None

    @property
    def pairs_per_column(self) -> int:
        """Half the planes of the gap."""
        return self.n_pairs // self.n_columns
