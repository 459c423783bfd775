"""Every symmetry-distinct way to lose atoms: counted, streamed, sampled, with degeneracies and lasting identifiers."""

from nanoslab.builders.enumeration.removal import Block, Removal, removals
from nanoslab.builders.enumeration.table import read_table, write_table

__all__ = ["Block", "Removal", "read_table", "removals", "write_table"]
