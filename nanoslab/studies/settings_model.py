"""The ``settings:`` part of a study file: a named preset and what is changed about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from nanoslab.calculation import Settings
from nanoslab.studies.study import StudyModel


class SettingsModel(StudyModel):
    """Fields of `Settings` that a study file may change; those left out are the preset's."""

    preset: str = "ma2023"
    functional: str | None = None
    cutoff_energy: float | None = Field(default=None, gt=0)
    smearing: Literal["gaussian", "methfessel-paxton", "tetrahedron", "fermi"] | None = None
    smearing_width: float | None = Field(default=None, gt=0)
    electronic_tolerance: float | None = Field(default=None, gt=0)
    force_tolerance: float | None = Field(default=None, gt=0)
    max_electronic_steps: int | None = Field(default=None, gt=0)
    max_ionic_steps: int | None = Field(default=None, gt=0)
    extra: dict[str, str | int | float | bool] | None = None

    def settings(self) -> Settings:
        """Settings of the preset with the changed fields, the source saying which."""
        from nanoslab.presets import preset

        base = preset(self.preset)
        changes: dict[str, Any] = self.model_dump(exclude={"preset"}, exclude_none=True)
        if not changes:
            return base
        return replace(base, **changes, source=f"{base.source}; changed in the study file: {', '.join(changes)}")
