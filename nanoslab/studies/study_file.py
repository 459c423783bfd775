"""Reading a study file: its ``study:`` field names the kind, the kind checks the rest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from nanoslab.calculation import Calculation
from nanoslab.errors import FileError, InputError, unknown_name
from nanoslab.yaml_file import read_yaml, validated

if TYPE_CHECKING:
    from nanoslab.studies.study import Study

#: the word after ``study:`` -> (module, class)
STUDIES: Mapping[str, tuple[str, str]] = {
    "cdse-nanosheet": ("nanoslab.studies.vacancy_study", "VacancyStudy"),
    "pbse-neck": ("nanoslab.studies.neck_study", "NeckStudy"),
    "pbse-gap": ("nanoslab.studies.gap_study", "GapStudy"),
}


def load_study(path: str | os.PathLike[str]) -> Study:
    """Study described by a YAML file; its ``study:`` field names the kind.

    Raises
    ------
    FileError
        If the file cannot be read, is not YAML, or a field is unknown or wrong; the message names the line.
    InputError
        If the kind of study is unknown.

    Examples
    --------
    >>> from nanoslab.files import data_folder
    >>> load_study(data_folder("workflows") / "cdse_nanosheet.yaml").kind
    'cdse-nanosheet'
    """
    document = read_yaml(path)
    kind = document.get("study")
    if not isinstance(kind, str) or kind not in STUDIES:
        if kind is None:
            raise FileError(path, expected=f"a field 'study': {', '.join(STUDIES)}", got="none")
        line = document.lc.data["study"][0] + 1  # type: ignore[attr-defined]  # where ruamel found it
        raise unknown_name(f"{path}:{line}: study", kind if isinstance(kind, str) else repr(kind), STUDIES)
    module, name = STUDIES[kind]
    study_class = getattr(import_module(module), name)
    study: Study = validated(path, document, study_class)
    return study


def load_calculations(path: str | os.PathLike[str]) -> tuple[Calculation, ...]:
    """Calculations of a study file; what cannot be built names the file.

    Examples
    --------
    >>> from nanoslab.files import data_folder
    >>> load_calculations(data_folder("workflows") / "cdse_nanosheet.yaml")[0].name
    'wurtzite-pristine'
    """
    try:
        return load_study(path).calculations()
    except InputError as error:
        raise (error if str(error).startswith(str(path)) else error.within(path)) from None
