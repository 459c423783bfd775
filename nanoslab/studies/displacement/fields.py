"""The parts of a displacement study's file, and the sheets that it knows by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any

from ase import Atoms
from ase.build import graphene, mx2
from pydantic import Field

from nanoslab.studies.study import StudyModel

Number = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0, le=100)]
Direction = tuple[float, float, float]

#: height of the cell of a named sheet [Å]: a free atom must be out of reach of both faces
HEIGHT = 22.0


def _flat(formula: str, a: float) -> Atoms:
    return graphene(formula, a=a, vacuum=HEIGHT / 2)


def _triple(formula: str, a: float, thickness: float) -> Atoms:
    return mx2(formula, a=a, thickness=thickness, vacuum=(HEIGHT - thickness) / 2)


#: sheets by name, with lattice constants to start a relaxation from [Å]
SHEETS: Mapping[str, Callable[[], Atoms]] = {
    "graphene": partial(_flat, "C2", 2.46),
    "hBN": partial(_flat, "BN", 2.50),
    "MoS2": partial(_triple, "MoS2", 3.16, 3.13),
    "MoSe2": partial(_triple, "MoSe2", 3.29, 3.34),
    "WS2": partial(_triple, "WS2", 3.16, 3.14),
    "WSe2": partial(_triple, "WSe2", 3.29, 3.35),
}


class SiteModel(StudyModel):
    """Atom that is kicked: its index in the cell that is named, before it is repeated, and a word for it."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_+-]{0,29}$")
    atom: int = Field(ge=0)


class DirectionsModel(StudyModel):
    """Quadrature over the hemisphere about the beam, or a list of directions of equal weight."""

    polar: Count = 4
    azimuths: Count = 12
    only: tuple[Direction, ...] = ()


class SearchModel(StudyModel):
    """What is looked for, as in `nanoslab.beam.displacement.search.Search`, in eV."""

    bracket: tuple[Annotated[float, Field(ge=0)], Number] = (5.0, 25.0)
    tolerance: Number = 0.1
    ceiling: Number = 150.0
    counts: tuple[str, ...] = ("left",)

    def parameters(self) -> dict[str, Any]:
        """As the procedure takes them."""
        return {"bracket": list(self.bracket), "counts": list(self.counts)} | self.model_dump(
            include={"tolerance", "ceiling"}
        )


class FollowingModel(StudyModel):
    """How an atom is followed, as in `nanoslab.beam.displacement.flight.Following`; what is left out is its default."""

    step_A: Number | None = None
    longest_step_fs: Number | None = None
    time_fs: Number | None = None
    free_A: Number | None = None
    settled_fs: Number | None = None
