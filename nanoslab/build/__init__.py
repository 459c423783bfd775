"""Structures that carry the recipe which built them: nanosheets, vacancies, necks, ligand sandwiches, nanocrystals."""

from nanoslab.build.ledger import Ledger, Plane, sheet_ledger
from nanoslab.build.nanocrystal import build_nanocrystal
from nanoslab.build.nanosheet import available_terminations, build_nanosheet
from nanoslab.build.neck import build_neck
from nanoslab.build.rattle import rattle_atoms
from nanoslab.build.sandwich import build_sandwich
from nanoslab.build.vacancy import Vacancy, VacancyCount, count_vacancies, distinct_vacancies

__all__ = [
    "Ledger",
    "Plane",
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
