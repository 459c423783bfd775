"""YAML files people write: safe, every field checked, every error with its place in the file."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from nanoslab.errors import FileError

#: files written by hand are small; anything larger is something else
LARGEST_FILE_BYTES = 1_000_000


class StrictModel(BaseModel):
    """Part of such a file: an unknown field is an error, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=StrictModel)


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
        _refuse_tags_and_aliases(path, YAML(typ="rt", pure=True).scan(text))
        document = YAML(typ="rt", pure=True).load(text)
    except YAMLError as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        place = f"{path}:{mark.line + 1}" if mark else f"{path}"
        problem = error.problem if isinstance(error, MarkedYAMLError) else str(error)
        raise FileError(place, expected="plain YAML", got=f"{problem}") from error
    if not isinstance(document, dict):
        raise FileError(path, expected="named fields", got=type(document).__name__)
    return document


def validated(path: str | os.PathLike[str], document: dict[str, Any], model: type[Model]) -> Model:
    """Document checked against a pydantic model, the first fault told with its line.

    Raises
    ------
    FileError
        With line, field, what was expected and what was found.
    """
    try:
        return model.model_validate(_plain(document))
    except ValidationError as error:
        raise _first_fault(path, document, error) from error


def _first_fault(path: object, document: dict[str, Any], error: ValidationError) -> FileError:
    # A misspelt field is also a missing one; the spelling is what the user can mend
    fault = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    keys = [key for key in fault["loc"] if key != "function-after"]
    field = ".".join(str(key) for key in keys)
    place = f"{path}:{_line(document, keys)}: {field}"
    more = f" ({error.error_count() - 1} more faults after this one)" if error.error_count() > 1 else ""
    if fault["type"] == "extra_forbidden":
        return FileError(
            place, expected="a known field", got=f"unknown field {keys[-1]!r}", advice=_suggest(str(keys[-1]))
        )
    if fault["type"] == "missing":
        return FileError(place, expected="this field", got="nothing", advice=f"add it{more}")
    got = repr(_plain(fault["input"]))
    return FileError(place, expected=_expected(fault), got=got, advice=f"mend this field{more}")


def _expected(fault: ErrorDetails) -> str:
    """What would have been accepted, without the checker's own words."""
    limits = fault.get("ctx", {})
    words = {
        "int_type": "a whole number",
        "int_parsing": "a whole number",
        "int_from_float": "a whole number",
        "float_type": "a number",
        "float_parsing": "a number",
        "string_type": "text",
        "bool_parsing": "true or false",
        "tuple_type": "a list",
        "dict_type": "named fields",
        "model_type": "named fields",
        "too_short": f"at least {limits.get('min_length')} entries",
        "too_long": f"at most {limits.get('max_length')} entries",
        "string_pattern_mismatch": f"text of the form {limits.get('pattern')}",
    }
    given = fault["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return words.get(fault["type"], given)


def _suggest(name: str) -> str:
    close = difflib.get_close_matches(name, _field_names(), n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else "remove it, or see 'nanoslab new'"


def _field_names() -> list[str]:
    """Fields of every model in memory: the fault does not tell which part of the file was read."""
    names: set[str] = set()
    queue: list[type[StrictModel]] = [StrictModel]
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


def _refuse_tags_and_aliases(path: object, tokens: Iterable[Any]) -> None:
    """Tags could name code and aliases could expand without bound; a study file needs neither."""
    for token in tokens:
        kind = type(token).__name__
        if kind in ("TagToken", "AliasToken"):
            raise FileError(
                f"{path}:{token.start_mark.line + 1}",
                expected="YAML without tags (!) and aliases (*)",
                got=kind.removesuffix("Token").lower(),
                advice="write the value out",
            )


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
