"""How large must a neck be to live: which calculations the question needs, and what their results say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from nanoslab.calculation import Calculation, CalculationResult
from nanoslab.studies.neck_result import NeckStudyResult
from nanoslab.studies.settings_model import SettingsModel
from nanoslab.studies.study import StudyModel

Count = Annotated[int, Field(gt=0)]
Mesh = tuple[Count, Count, Count]
#: how many shapes of every size: the most compact ones, or all that fit the cell
Shapes = Count | Literal["all"]


class ScreenModel(StudyModel):
    """Cheap first: single points of many shapes with an embedded engine; the best few of every size go on."""

    engine: str
    shapes: Shapes = "all"
    keep: Count = 3
    planes: Count | None = None
    lattice_constant: float | None = Field(default=None, gt=0)


class ReferenceModel(StudyModel):
    """What somebody else read off the same curve."""

    source: str
    critical_pairs: float = Field(gt=0)


class NeckStudy(StudyModel):
    """Energy of necks between two slabs against their size, over shapes, and the critical size.

    Examples
    --------
    >>> study = NeckStudy.from_document({"study": "pbse-neck", "title": "short", "crystal": "PbSe-rocksalt",
    ...     "planes": 1, "pairs": [1, 2, 4, 6, 9]})
    >>> [calculation.name for calculation in study.calculations()][:4]
    ['bulk', 'double-slab', 'neck-01-1', 'neck-02-3']
    """

    study: Literal["pbse-neck"]
    title: str
    settings: SettingsModel = SettingsModel(preset="wang2020")
    relax: Literal["none", "ions"] = "ions"
    kpoints: Mesh = (1, 1, 1)
    crystal: str
    lattice: str | None = None
    lattice_constant: float | None = Field(default=None, gt=0)
    lateral: tuple[Count, Count] = (6, 6)
    planes: Count = 4
    gap_planes: Count = 2
    vacuum: float = Field(default=15.0, gt=0)
    fixed_planes: int = Field(default=0, ge=0)
    empty_columns: int = Field(default=2, ge=0)
    pairs: tuple[Count, ...] = Field(min_length=1)
    shapes: Shapes = 1
    screen: ScreenModel | None = None
    #: shape code -> energy [eV] of the screen, written by it: see `nanoslab.studies.neck_screening`
    screened: dict[str, float] | None = None
    compare: ReferenceModel | None = None

    @classmethod
    def from_document(cls, document: Any) -> NeckStudy:
        """Study from the fields of its file."""
        return cls.model_validate(document)

    @model_validator(mode="after")
    def _fields_agree(self) -> NeckStudy:
        if len(set(self.pairs)) < len(self.pairs):
            raise ValueError(f"pairs that differ, got {list(self.pairs)}")
        if self.lattice is not None and self.lattice_constant is not None:
            raise ValueError("lattice or lattice_constant, got both")
        if self.screened is not None and self.screen is None:
            raise ValueError("a screen beside screened energies, got none")
        return self

    @property
    def kind(self) -> str:
        """The word after ``study:``."""
        return self.study

    def calculations(self) -> tuple[Calculation, ...]:
        """Bulk, double slab, and the necks: the most compact of every size, or the best of the screen."""
        from nanoslab.studies.neck_calculations import calculations

        return calculations(self)

    def analyze(
        self,
        results: Mapping[str, CalculationResult],
        *,
        allow_unconverged: bool = False,
        allow_mismatch: bool = False,
    ) -> NeckStudyResult:
        """Energies of the necks, the lowest of every size, and the critical size."""
        from nanoslab.studies.neck_analysis import analyze
        from nanoslab.studies.usable import UsableResults

        usable = UsableResults(results=results, allow_unconverged=allow_unconverged, allow_mismatch=allow_mismatch)
        return analyze(self, usable)
