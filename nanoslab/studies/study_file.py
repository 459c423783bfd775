"""Kinds of studies, and reading a study file: its ``study:`` field names the kind, the kind checks the rest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from nanoslab.calculation import Calculation
from nanoslab.errors import FileError, InputError, NanoslabError, unknown_name
from nanoslab.studies.study import ALIASES, Study
from nanoslab.yaml_file import read_yaml, validated

#: kind of study -> where its class is; other packages add theirs under the entry point group ``nanoslab.studies``
STUDIES: Mapping[str, str] = {
    "vacancies": "nanoslab.studies.vacancies.study:VacancyStudy",
    "neck": "nanoslab.studies.neck.study:NeckStudy",
    "gap": "nanoslab.studies.gap.study:GapStudy",
    "phonons": "nanoslab.studies.phonons.study:PhononsStudy",
    "barrier": "nanoslab.studies.barrier.study:BarrierStudy",
    "displacement": "nanoslab.studies.displacement.study:DisplacementStudy",
    "off-stoichiometry": "nanoslab.studies.off_stoichiometry.study:OffStoichiometryStudy",
    "convergence": "nanoslab.studies.convergence:ConvergenceStudy",
    "free-energy": "nanoslab.studies.phonons.free_energy:FreeEnergyStudy",
}
GROUP = "nanoslab.studies"


def study_class(word: str, where: object = "study") -> type[Study[Any]]:
    """Class of a kind of study that ships with nanoslab or that an installed package registers, or an earlier word."""
    kind = ALIASES.get(word, word)
    own = [EntryPoint(kind, STUDIES[kind], GROUP)] if kind in STUDIES else []
    points = own or [*entry_points(group=GROUP, name=kind)]
    if not points:
        raise unknown_name(where, word, (*STUDIES, *sorted(entry_points(group=GROUP).names), *ALIASES))
    found: type[Study[Any]] = points[0].load()
    return found


def computed_fields(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """Fields of a study that its calculations depend on, defaults filled in; None where they are no whole study."""
    try:
        study = study_class(str(fields.get("study"))).from_document(fields)
    except NanoslabError:
        return None
    return study.model_dump(mode="json", exclude=study.analysis_only)


def load_study(path: str | os.PathLike[str]) -> Study[Any]:
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
    'vacancies'
    """
    document = read_yaml(path)
    word = document.get("study")
    if word is None:
        raise FileError(path, expected=f"a field 'study': {', '.join(STUDIES)}", got="none")
    line = document.lc.data["study"][0] + 1  # type: ignore[attr-defined]  # where ruamel found it
    kind = study_class(word if isinstance(word, str) else repr(word), f"{path}:{line}: study")
    study: Study[Any] = validated(path, document, kind)
    study.look_beside(path)
    return study


def load_calculations(path: str | os.PathLike[str]) -> tuple[Calculation, ...]:
    """Calculations of a study file; what cannot be built names the file."""
    try:
        return load_study(path).calculations()
    except InputError as error:
        raise (error if str(error).startswith(str(path)) else error.within(path)) from None
