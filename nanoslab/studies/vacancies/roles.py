"""Roles of the calculations of a vacancy study."""

from __future__ import annotations

from typing import Literal

from nanoslab.calculation import Role


class PristineRole(Role):
    """A whole sheet."""

    kind: Literal["pristine"] = "pristine"
    phase: str


class VacancyRole(Role):
    """A sheet that lost atoms: the series that ask for it, equivalent ways, and depth of the topmost atom lost [Å]."""

    kind: Literal["vacancy"] = "vacancy"
    phase: str
    series: tuple[str, ...]
    degeneracy: int
    depth_A: float = 0.0


class InPlaneRole(Role):
    """A sheet relaxed once more with its in-plane lattice free, and the atoms it has lost by element."""

    kind: Literal["lateral"] = "lateral"
    phase: str
    removed: dict[str, int]


class BulkRole(Role):
    """A compound's crystal."""

    kind: Literal["bulk"] = "bulk"
    crystal: str


class ElementRole(Role):
    """An element's crystal."""

    kind: Literal["element"] = "element"
    element: str
    crystal: str


class AtomRole(Role):
    """An isolated atom."""

    kind: Literal["atom"] = "atom"
    element: str
