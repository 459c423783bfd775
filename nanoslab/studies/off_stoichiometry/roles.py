"""Roles of the calculations of an off-stoichiometry study."""

from __future__ import annotations

from typing import Literal

from nanoslab.calculation import Role


class WayRole(Role):
    """A sheet that lost atoms in one of the ways that the search kept.

    `lost` counts the atoms by element, `identifier` is the way's own name, `chosen` says why it was kept.
    """

    kind: Literal["vacancy"] = "vacancy"
    phase: str
    lost: dict[str, int]
    identifier: str
    degeneracy: int
    chosen: Literal["lowest", "farthest"]
