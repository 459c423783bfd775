"""Reading a study file: safe YAML, every field checked, every error with its place in the file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nanoslab.errors import FileError, unknown_name

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

    from nanoslab.studies.study import Study

#: the word after ``study:`` -> (module, class)
STUDIES: Mapping[str, tuple[str, str]] = {
    "cdse-nanosheet": ("nanoslab.studies.vacancy_study", "VacancyStudy"),
    "pbse-neck": ("nanoslab.studies.neck_study", "NeckStudy"),
    "pbse-gap": ("nanoslab.studies.gap_study", "GapStudy"),
}
#: study files are small; anything larger is not one
LARGEST_FILE_BYTES = 1_000_000

Model = TypeVar("Model", bound="BaseModel")


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
    if kind not in STUDIES:
        if kind is None:
            raise FileError(path, expected=f"a field 'study': {', '.join(STUDIES)}", got="none")
        raise unknown_name(f"{path}: study", str(kind), STUDIES)
    module, name = STUDIES[kind]
    study_class = getattr(import_module(module), name)
    study: Study = validated(path, document, study_class.from_document)
    return study


def read_yaml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Mapping at the top of a YAML file, without tags and without duplicate keys.

    Raises
    ------
    FileError
        If there is no such file, or it is not such YAML.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    file = Path(path)
    try:
        if file.stat().st_size > LARGEST_FILE_BYTES:
            raise FileError(path, expected="a YAML file below 1 MB", got=f"{file.stat().st_size} bytes")
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(path, expected="a readable YAML file", got=_reason(error)) from error
    try:
        document = YAML(typ="rt", pure=True).load(text)
    except YAMLError as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        place = f"{path}:{mark.line + 1}" if mark else f"{path}"
        problem = error.problem if isinstance(error, MarkedYAMLError) else str(error)
        raise FileError(place, expected="plain YAML", got=f"{problem}") from error
    if not isinstance(document, dict):
        raise FileError(path, expected="fields such as 'study: cdse-nanosheet'", got=type(document).__name__)
    _refuse_tags(path, document)
    return document


def validated(path: str | os.PathLike[str], document: dict[str, Any], model: Callable[[Any], Model]) -> Model:
    """Document checked against a pydantic model, the first fault told with its line.

    Raises
    ------
    FileError
        With line, field, what was expected and what was found.
    """
    from pydantic import ValidationError

    try:
        return model(_plain(document))
    except ValidationError as error:
        raise _first_fault(path, document, error) from error


def _first_fault(path: object, document: dict[str, Any], error: ValidationError) -> FileError:
    fault = error.errors()[0]
    keys = [key for key in fault["loc"] if key != "function-after"]
    field = ".".join(str(key) for key in keys)
    place = f"{path}:{_line(document, keys)}: {field}"
    more = f" ({error.error_count() - 1} more faults after this one)" if error.error_count() > 1 else ""
    if fault["type"] == "extra_forbidden":
        return FileError(
            place, expected="a field of a study file", got=f"unknown field {keys[-1]!r}", advice=_suggest(error, keys)
        )
    got = "nothing" if fault["type"] == "missing" else repr(_plain(fault["input"]))
    expected = fault["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return FileError(place, expected=expected, got=got, advice=f"mend this field{more}")


def _suggest(error: ValidationError, keys: list[Any]) -> str:
    import difflib

    names = _field_names(error.title)
    close = difflib.get_close_matches(str(keys[-1]), names, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else "remove it, or see 'nanoslab new'"


def _field_names(title: str) -> list[str]:
    """All field names of the study models in memory; the title alone does not tell which part was read."""
    from nanoslab.studies.study import StudyModel

    del title
    names: set[str] = set()
    queue: list[Any] = [StudyModel]
    while queue:
        model = queue.pop()
        names.update(model.model_fields)
        queue.extend(model.__subclasses__())
    return sorted(names)


def _line(document: Any, keys: list[Any]) -> int:
    """Line of the deepest key that exists in the file, counted from 1."""
    line, node = 1, document
    for key in keys:
        marks = getattr(node, "lc", None)
        data = marks.data if marks is not None else None
        if not data or key not in data:
            break
        line = data[key][0] + 1
        node = node[key]
    return line


def _refuse_tags(path: object, node: Any) -> None:
    tag = getattr(getattr(node, "tag", None), "value", None)
    if tag is not None:
        raise FileError(path, expected="YAML without tags", got=str(tag), advice="remove the tag")
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        _refuse_tags(path, child)


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    # Round-trip scalars remember how they were written; the number itself is enough here
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "bytes that are not UTF-8 text"
