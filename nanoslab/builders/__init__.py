"""Structures that carry the recipe which built them: nanosheets, vacancies, necks, ligand sandwiches, nanocrystals."""

from nanoslab.builders.nanocrystal import build_nanocrystal
from nanoslab.builders.nanosheet import available_terminations, build_nanosheet
from nanoslab.builders.neck import build_neck
from nanoslab.builders.rattle import rattle_atoms
from nanoslab.builders.sandwich import build_sandwich
from nanoslab.builders.summary import StructureSummary, sheet_ledger
from nanoslab.builders.vacancy import Vacancy, VacancyCount, count_vacancies, distinct_vacancies

__all__ = [
    "StructureSummary",
    "Vacancy",
    "VacancyCount",
    "available_terminations",
    "build_nanocrystal",
    "build_nanosheet",
    "build_neck",
    "build_sandwich",
    "count_vacancies",
    "distinct_vacancies",
    "rattle_atoms",
    "sheet_ledger",
]
