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
    """The two slabs with a neck."""

    kind: Literal["neck"] = "neck"
    n_pairs: int
    n_columns: int
    shape: str  #: code of the cross-section
    cells: tuple[tuple[int, int], ...] = ()  #: its columns
    perimeter: int  #: its free edges in columns
    n_cation_first: int = 0  #: columns that begin with a cation
    imbalance: int  #: how many more columns begin with one species than with the other
    screening_energy_eV: float | None = None  #: None without a screen

    @property
    def pairs_per_column(self) -> int:
        """Half the planes of the gap."""
        return self.n_pairs // self.n_columns
