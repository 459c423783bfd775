from .gap.study import GapStudy
from .neck.study import NeckStudy
from .result import StudyResult, Table
from .runs import UsableRuns
from .settings_model import SettingsModel
from .study import Reference, Study, StudyModel
from .study_file import load_study
from .vacancies.study import VacancyStudy

__all__ = [
    "GapStudy",
    "NeckStudy",
    "Reference",
    "SettingsModel",
    "Study",
    "StudyModel",
    "StudyResult",
    "Table",
    "UsableRuns",
    "VacancyStudy",
    "load_study",
]
