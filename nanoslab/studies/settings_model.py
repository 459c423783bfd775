"""The ``settings:`` part of a study file: a named preset and what is changed about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field, field_validator

from nanoslab.calculation import Settings
from nanoslab.errors import InputError
from nanoslab.presets import preset
from nanoslab.studies.study import StudyModel
from nanoslab.vasp.inputs.incar_names import check_extra, functional_tags

Tags = dict[str, str | int | float | bool]


class SettingsModel(StudyModel):
    """Fields of `Settings` that a study file may change; those left out are the preset's."""

    preset: str = "ma2023"
    functional: str | None = None
    cutoff_energy: float | None = Field(default=None, gt=0, le=10_000)
    smearing: Literal["gaussian", "methfessel-paxton", "tetrahedron", "fermi"] | None = None
    smearing_width: float | None = Field(default=None, gt=0)
    electronic_tolerance: float | None = Field(default=None, gt=0)
    force_tolerance: float | None = Field(default=None, gt=0)
    max_electronic_steps: int | None = Field(default=None, gt=0, le=100_000)
    max_ionic_steps: int | None = Field(default=None, gt=0, le=100_000)
    extra: Tags | None = None

    @field_validator("preset")
    @classmethod
    def _known_preset(cls, name: str) -> str:
        with _refused():
            preset(name)
        return name

    @field_validator("functional")
    @classmethod
    def _known_functional(cls, name: str | None) -> str | None:
        with _refused():
            functional_tags(name or "PBE")
        return name

    @field_validator("extra")
    @classmethod
    def _known_tags(cls, extra: Tags | None) -> Tags | None:
        with _refused():
            for tag, value in (extra or {}).items():
                check_extra(tag, value)
        return extra

    def settings(self) -> Settings:
        """Settings of the preset with the changed fields, the source saying which."""
        base = preset(self.preset)
        changes: dict[str, Any] = self.model_dump(exclude={"preset"}, exclude_none=True)
        if not changes:
            return base
        return replace(base, **changes, source=f"{base.source}; changed in the study file: {', '.join(changes)}")


@contextmanager
def _refused() -> Iterator[None]:
    """Refusals of the block in the words of the file's checker, which knows the line."""
    try:
        yield
    except InputError as error:
        raise ValueError(str(error).partition(": expected ")[2]) from error
