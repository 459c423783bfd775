"""Studies: one scientific question each, joining the builders, the settings and the energetics."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "GapStudy": "gap.study",
    "NeckStudy": "neck.study",
    "Reference": "study",
    "SettingsModel": "settings_model",
    "Study": "study",
    "StudyModel": "study",
    "StudyResult": "result",
    "Table": "result",
    "UsableRuns": "runs",
    "VacancyStudy": "vacancies.study",
    "load_study": "study_file",
}
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


def __getattr__(name: str) -> Any:
    """Import a study when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"nanoslab.studies.{_HOMES[name]}"), name)
