"""Atoms lost from nanosheets: which calculations the question needs, and what their results say."""

from __future__ import annotations

from collections.abc import Mapping

from nanoslab.calculation import Calculation, CalculationResult
from nanoslab.studies.usable import UsableResults
from nanoslab.studies.vacancy_file import VacancyFile
from nanoslab.studies.vacancy_result import VacancyStudyResult


class VacancyStudy(VacancyFile):
    """What it costs to remove atoms from nanosheets, and whether the beam can pay it.

    Examples
    --------
    >>> study = VacancyStudy.model_validate({"study": "cdse-nanosheet", "title": "one sheet", "sheets": [
    ...     {"phase": "wurtzite", "crystal": "CdSe-wurtzite", "face": "11-20", "monolayers": 7,
    ...      "kpoints": [4, 3, 1]}],
    ...     "series": [{"name": "surface", "remove": "Se", "region": "top", "counts": [1]}]})
    >>> study.calculations()[0].name
    'wurtzite-pristine'
    """

    @property
    def kind(self) -> str:
        """The word after ``study:``."""
        return self.study

    def calculations(self) -> tuple[Calculation, ...]:
        """Pristine sheets, what is removed from them, and the references."""
        from nanoslab.studies.vacancy_calculations import calculations

        return calculations(self)

    def analyze(
        self,
        results: Mapping[str, CalculationResult],
        *,
        allow_unconverged: bool = False,
        allow_mismatch: bool = False,
    ) -> VacancyStudyResult:
        """Formation energies and energies per atom from the results by name."""
        from nanoslab.studies.vacancy_analysis import analyze

        usable = UsableResults(results=results, allow_unconverged=allow_unconverged, allow_mismatch=allow_mismatch)
        return analyze(self, self.calculations(), usable)
