"""What studies of two facing slabs share: the fields that describe the slabs."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, model_validator

from nanoslab.builders.double_slab import DoubleSlab, describe_double_slab
from nanoslab.calculation import Settings
from nanoslab.studies.crystal_source import CrystalName
from nanoslab.studies.result import StudyResult
from nanoslab.studies.settings_model import SettingsModel
from nanoslab.studies.study import Study

Count = Annotated[int, Field(gt=0)]
Length = Annotated[float, Field(gt=0)]
Result = TypeVar("Result", bound=StudyResult)


class DoubleSlabStudy(Study[Result]):
    """A study of two facing slabs of one crystal, all of its calculations but the bulk's relaxed and sampled alike."""

    settings: SettingsModel = SettingsModel(preset="pbe-double-slab")
    relax: Literal["none", "ions"] = "ions"
    kpoints: tuple[Count, Count, Count] = (1, 1, 1)
    crystal: CrystalName
    lattice: str | None = None
    lattice_constant: Length | None = None
    lateral: tuple[Count, Count] = (6, 6)
    planes: Count = 4
    vacuum: Length = 15.0
    fixed_planes: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _one_lattice(self) -> DoubleSlabStudy[Result]:
        if self.lattice is not None and self.lattice_constant is not None:
            raise ValueError("lattice or lattice_constant, got both")
        return self

    @property
    def crystals(self) -> tuple[str, ...]:
        """The one of both slabs."""
        return (self.crystal,)

    def own_settings(self) -> Settings:
        """Settings with the k-points and the relaxation of the file."""
        return replace(self.settings.settings(), kpoints=self.kpoints, relax=self.relax)

    def double_slab(self, **gap: Any) -> DoubleSlab:
        """Both slabs at a gap, ``gap`` [Å] or ``gap_planes``."""
        named = ("lattice", "lattice_constant", "lateral", "planes", "vacuum", "fixed_planes")
        fields = {name: getattr(self, name) for name in named}
        return describe_double_slab(self.crystal_source(self.crystal), **fields, **gap)
