"""YAML files people write: safe, every field checked, every error with its place in the file."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails

from nanoslab.errors import FileError, InputError, NanoslabError
from nanoslab.text import one_line, printable

#: files written by hand are small; anything larger is something else
LARGEST_FILE_BYTES = 1_000_000
#: longer texts are no titles, citations or commands
LONGEST_TEXT = 2_000


class StrictModel(BaseModel):
    """Part of such a file: an unknown field is an error, and nothing changes after reading.

    No field takes infinity or nan, and none but a logical one takes true or false.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_logical_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        # Python counts true as 1
        entries = value if isinstance(value, list) else [value]
        annotation = cls.model_fields[info.field_name].annotation if info.field_name else bool
        if any(isinstance(entry, bool) for entry in entries) and not _takes(annotation, bool):
            raise ValueError("a value of another kind than true or false")
        return value


Model = TypeVar("Model", bound=StrictModel)

_KINDS = {"CommentedSeq": "a list", "NoneType": "nothing", "str": "text", "int": "a number", "ScalarFloat": "a number"}


def read_yaml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Mapping at the top of a YAML file, without tags and without duplicate keys."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    file = Path(path)
    try:
        if file.stat().st_size > LARGEST_FILE_BYTES:
            raise FileError(path, expected="a YAML file below 1 MB", got=f"{file.stat().st_size} bytes")
        text = file.read_text(encoding="utf-8")
        _refuse_tags_and_aliases(path, YAML(typ="rt", pure=True).scan(text))
        document = YAML(typ="rt", pure=True).load(text)
    except OSError as error:
        raise FileError(path, expected="a readable YAML file", got=error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise FileError(path, expected="a readable YAML file", got="bytes that are not UTF-8 text") from error
    except RecursionError as error:
        raise FileError(path, expected="plain YAML", got="lists within lists without end") from error
    except YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", error)
        raise FileError(f"{path}:{mark.line + 1}" if mark else path, expected="plain YAML", got=problem) from error
    if not isinstance(document, dict):
        raise FileError(path, expected="named fields", got=_KINDS.get(type(document).__name__, "something else"))
    _refuse_invisible(path, document, [])
    return document


def _refuse_invisible(path: object, node: Any, keys: list[Any]) -> None:
    """Text of a file becomes names, comments and tags of others; no part of it holds a line break or hides itself."""
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in entries:
        place = f"{path}:{_line(node, [key])}: {'.'.join(map(printable, [*keys, key]))}"
        for text in (key, value):
            if isinstance(text, str):
                one_line(place, text.rstrip("\n"), most=LONGEST_TEXT)
        _refuse_invisible(path, value, [*keys, key])


def validated(path: str | os.PathLike[str] | None, document: dict[str, Any], model: type[Model]) -> Model:
    """Document checked against a pydantic model, every fault told with its line.

    The path is that of the file; None for a document made in Python, whose faults name the field alone.
    """
    try:
        return model.model_validate(plain(document))
    except ValidationError as error:
        raise _fault(path, document, error) from error


def _fault(path: object, document: dict[str, Any], error: ValidationError) -> NanoslabError:
    """One error of all faults, a line each."""
    by_field: dict[tuple[Any, ...], list[ErrorDetails]] = {}
    for fault in error.errors():
        by_field.setdefault(tuple(_keys_in_file(document, fault)), []).append(fault)
    # A list whose entries are wrong is also too short for the checker
    parents = {keys[:n] for keys in by_field for n in range(1, len(keys))}
    # A misspelt field is also a missing one; the spelling is what the user can mend
    fields = sorted(
        by_field.keys() - parents,
        key=lambda keys: (by_field[keys][0]["type"] != "extra_forbidden", list(by_field).index(keys)),
    )
    kind = InputError if path is None else FileError
    told = [(_place(path, document, keys), *_told(keys, by_field[keys])) for keys in fields]
    return kind.together(kind(place, expected=wanted, got=got, advice=do) for place, wanted, got, do in told)


def _place(path: object, document: Any, keys: tuple[Any, ...]) -> str:
    field = ".".join(str(key) for key in keys)
    in_file = hasattr(document, "lc")
    if path is None:
        return f"line {_line(document, keys)}, {field or 'study'}" if in_file else field or "study"
    return f"{path}:{_line(document, keys)}{': ' if keys else ''}{field}"


def _told(keys: tuple[Any, ...], faults: list[ErrorDetails]) -> tuple[str, str, str]:
    """What was expected of a field, what was found, and what to do; a field of several kinds has a fault for each."""
    fault = faults[0]
    if fault["type"] == "extra_forbidden":
        return "a known field", f"unknown field {keys[-1]!r}", _suggest(str(keys[-1]))
    if fault["type"] == "missing":
        return "this field", "nothing", "add it"
    expected = " or ".join(dict.fromkeys(_expected(one) for one in faults))
    got = "nothing" if fault["input"] is None else repr(plain(fault["input"]))
    if fault["type"] == "value_error" and ", got " in expected:
        # worded by our own checks, which know what was wrong with it
        expected, _, got = expected.partition(", got ")
        got, _, advice = got.partition("; ")
        return expected, got, advice or "mend this"
    return expected, got, "mend this field"


def _keys_in_file(document: dict[str, Any], fault: ErrorDetails) -> list[Any]:
    """Place of a fault without what the checker adds for itself, such as the kinds of a union."""
    node: Any = document
    keys: list[Any] = []
    for key in fault["loc"]:
        if isinstance(node, dict):
            given = [name for name in node if str(name) == str(key)]
            if given or fault["type"] == "missing":
                keys.append(key)
                node = node[given[0]] if given else None
        elif isinstance(node, list) and isinstance(key, int):
            keys.append(key)
            node = node[key] if key < len(node) else None
    return keys


#: what would have been accepted, by the checker's word for the fault; its own message for those that are not here
_EXPECTED = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("dict_type", "model_type"), "named fields"),
    "string_type": "text",
    "tuple_type": "a list",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "less_than_equal": "a number of at most {le}",
    "too_short": "at least {min_length} entries",
    "too_long": "at most {max_length} entries",
    "string_pattern_mismatch": "text of the form {pattern}",
}


def _expected(fault: ErrorDetails) -> str:
    limits = {key: f"{limit:g}" if isinstance(limit, float) else limit for key, limit in fault.get("ctx", {}).items()}
    if fault["type"] in _EXPECTED:
        return _EXPECTED[fault["type"]].format(**limits)
    return fault["msg"].removeprefix("Input should be ").removeprefix("Value error, ")


def _takes(annotation: Any, kind: type) -> bool:
    """Whether a type hint names a kind somewhere."""
    return annotation is kind or any(_takes(part, kind) for part in get_args(annotation))


def _suggest(name: str) -> str:
    """Closest field of every model in memory: the fault does not tell which part of the file was read."""
    names: set[str] = set()
    queue: list[type[StrictModel]] = [StrictModel]
    while queue:
        model = queue.pop()
        names.update(model.model_fields)
        queue.extend(model.__subclasses__())
    # it may be known elsewhere in the file
    close = difflib.get_close_matches(name, sorted(names - {name}), n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else "remove it, or see 'nanoslab new'"


def _line(document: Any, keys: Sequence[Any]) -> int:
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
            place, got = f"{path}:{token.start_mark.line + 1}", kind.removesuffix("Token").lower()
            wanted = "YAML without tags (!) and aliases (*)"
            raise FileError(place, expected=wanted, got=got, advice="write the value out")


def plain(node: Any) -> Any:
    """Value of such a file in Python's own types; its scalars also remember how they were written."""
    if isinstance(node, dict):
        return {str(key): plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(value) for value in node]
    kind = next((kind for kind in (bool, int, float, str) if isinstance(node, kind)), None)
    return kind(node) if kind else node
