"""The parts of a neck study's file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nanoslab.studies.double_slab_study import Count
from nanoslab.yaml_file import StrictModel

#: how many shapes of every size: the most compact ones, or all that fit the cell
Shapes = Count | Literal["all"]


class ScreenModel(StrictModel):
    """Cheap first: single points of many shapes with an embedded engine; the best few of every size go on."""

    engine: str
    shapes: Shapes = "all"
    keep: Count = 3
    planes: Count | None = None
    lattice_constant: float | None = Field(default=None, gt=0)


class ReferenceModel(StrictModel):
    """What somebody else read off the same curve."""

    source: str
    critical_pairs: float = Field(gt=0)
