"""Roles of the calculations of a displacement study."""

from __future__ import annotations

from typing import Literal

from nanoslab.calculation import Role

Vector = tuple[float, float, float]


class SheetRole(Role):
    """The structure at rest, from which every flight starts."""

    kind: Literal["pristine"] = "pristine"


class KickRole(Role):
    """One atom kicked in one direction from one start.

    Attributes
    ----------
    site, element, atom
        Name of the site, its element, and the index of the atom.
    direction, beam
        Of the kick, and of the electrons.
    same, weights
        Directions that are equivalent to it, itself among them, and the share of the solid angle of each.
    start
        Number of the thermal start, 0 without one.
    """

    kind: Literal["kick"] = "kick"
    site: str
    element: str
    atom: int
    direction: Vector
    beam: Vector
    same: tuple[Vector, ...]
    weights: tuple[float, ...]
    start: int = 0
