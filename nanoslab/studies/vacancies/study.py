"""Atoms lost from sheets: the fields of the study's file, and the study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, model_validator

from nanoslab.calculation import Calculation, Role
from nanoslab.plot_data import Plot
from nanoslab.studies.headline import Evidence, Headline
from nanoslab.studies.runs import UsableRuns
from nanoslab.studies.study import Reference, Study
from nanoslab.studies.vacancies.analysis import analyze_vacancies
from nanoslab.studies.vacancies.calculations import vacancy_calculations
from nanoslab.studies.vacancies.fields import BeamModel, ReferencesModel, SeriesModel, SheetModel
from nanoslab.studies.vacancies.headline import beam_headline
from nanoslab.studies.vacancies.plots import vacancy_plots
from nanoslab.studies.vacancies.result import VacancyStudyResult
from nanoslab.studies.vacancies.roles import AtomRole, BulkRole, ElementRole, InPlaneRole, PristineRole, VacancyRole


class VacancyStudy(Study[VacancyStudyResult]):
    """What it costs to remove atoms from nanosheets, and whether the beam can pay it.

    Examples
    --------
    >>> study = VacancyStudy.model_validate({"study": "vacancies", "title": "one sheet", "sheets": [
    ...     {"phase": "wurtzite", "crystal": "CdSe-wurtzite", "face": "11-20", "monolayers": 7,
    ...      "kpoints": [4, 3, 1]}],
    ...     "series": [{"name": "surface", "remove": "Se", "region": "top", "counts": [1]}]})
    >>> study.calculations()[0].name
    'wurtzite-pristine'
    """

    kind: ClassVar[str] = "vacancies"
    roles: ClassVar[tuple[type[Role], ...]] = (
        PristineRole,
        VacancyRole,
        InPlaneRole,
        BulkRole,
        ElementRole,
        AtomRole,
    )
    methods: ClassVar[tuple[Reference, ...]] = (
        Reference("Egerton et al., Ultramicroscopy 110, 991 (2010): sputtering and E_d = 5/3 E_sub"),
        Reference("Mott, Proc. R. Soc. Lond. A 135, 429 (1932): scattering of fast electrons by nuclei"),
    )

    analysis_only: ClassVar[dict[str, Any]] = {
        **Study.analysis_only,
        "beam": True,
        "references": {"cohesive_energies"},
    }

    sheets: tuple[SheetModel, ...] = Field(min_length=1)
    series: tuple[SeriesModel, ...] = ()
    references: ReferencesModel = ReferencesModel()
    beam: BeamModel = BeamModel()

    @model_validator(mode="after")
    def _names_agree(self) -> VacancyStudy:
        folders = [sheet.folder for sheet in self.sheets]
        if len(set(folders)) < len(folders):
            raise ValueError(f"sheets of different phase names, got {', '.join(folders)}")
        phases = {sheet.phase for sheet in self.sheets}
        for series in self.series:
            for phase in series.sheets or ():
                if phase not in phases:
                    raise ValueError(f"series {series.name}: sheets among {', '.join(sorted(phases))}, got {phase}")
        return self

    @property
    def crystals(self) -> tuple[str, ...]:
        """Of the sheets and of the elements."""
        return (*(sheet.crystal for sheet in self.sheets), *self.references.elements.values())

    def calculations(self) -> tuple[Calculation, ...]:
        """Pristine sheets, what is removed from them, and the references."""
        asked = (self.sheets, self.series, self.references, self.settings.settings(), self.crystal_source)
        return self.settings.with_moments(vacancy_calculations(*asked))

    def answer(self, runs: UsableRuns) -> VacancyStudyResult:
        """Formation energies and energies per atom."""
        given = {element: (known.energy, known.source) for element, known in self.references.cohesive_energies.items()}
        return analyze_vacancies(runs, cohesive_energies=given, beam_energies_keV=self.beam.energies_keV)

    @classmethod
    def headline(cls, evidence: Evidence) -> Headline | None:
        """Whether the beam can knock an atom out."""
        return beam_headline(evidence)

    @classmethod
    def plots(cls, document: Mapping[str, Any]) -> tuple[Plot, ...]:
        """Energies against composition, and what the beam does."""
        return vacancy_plots(document)
