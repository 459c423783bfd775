"""Roles of the calculations of a gap study."""

from __future__ import annotations

from typing import Literal

from nanoslab.calculation import Role


class SlabRole(Role):
    """One slab alone."""

    kind: Literal["slab"] = "slab"


class LigandRole(Role):
    """One ligand alone."""

    kind: Literal["ligand"] = "ligand"


class GapRole(Role):
    """Two slabs at one gap: missing material and distance of the facing planes [Å], and the ligands between them.

    Their pose is the one that was found at a gap of its own [Å]; None for that of the narrowest, or without ligands.
    """

    kind: Literal["gap"] = "gap"
    gap_A: float
    facing_distance_A: float
    n_ligands: int
    pose_gap_A: float | None = None
