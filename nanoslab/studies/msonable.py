"""Results as plain JSON that monty and pymatgen's tools take, and back to the same objects."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from nanoslab import __version__
from nanoslab.errors import InputError

_TUPLE = "@tuple"
#: more levels are no result of ours
_DEEPEST = 30


def encoded(value: Any) -> Any:
    """Plain JSON of a dataclass and of what is in it, under monty's keys ``@module`` and ``@class``."""
    if is_dataclass(value) and not isinstance(value, type):
        return {**_tag(value), **{one.name: encoded(getattr(value, one.name)) for one in fields(value)}}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {**_tag(value), **{name: encoded(getattr(value, name)) for name in value._fields}}
    if isinstance(value, tuple):
        return {_TUPLE: [encoded(item) for item in value]}
    if isinstance(value, Mapping):
        return {str(key): encoded(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return {"@module": "numpy", "@class": "array", "dtype": str(value.dtype), "data": value.tolist()}
    return value.item() if isinstance(value, np.generic) else value


def decoded(value: Any, depth: int = 0) -> Any:
    """What `encoded` made it from; only data classes of installed study packages are made, and nothing is called.

    Raises
    ------
    InputError
        If it names something else.
    """
    if depth > _DEEPEST:
        raise InputError("result", expected="a result as 'as_dict' gives it", got="lists within lists without end")
    if isinstance(value, list):
        return [decoded(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    if _TUPLE in value:
        return tuple(decoded(item, depth + 1) for item in value[_TUPLE])
    inner = {key: item for key, item in value.items() if not key.startswith("@")}
    if (value.get("@module"), value.get("@class")) == ("numpy", "array"):
        array = np.array(inner["data"], dtype=np.dtype(inner["dtype"]))
        array.flags.writeable = False
        return array
    plain = {key: decoded(item, depth + 1) for key, item in inner.items()}
    return _class_of(value)(**plain) if "@class" in value else plain


def _tag(value: Any) -> dict[str, str]:
    return {"@module": type(value).__module__, "@class": type(value).__qualname__, "@version": __version__}


def _class_of(document: Mapping[str, Any]) -> Any:
    """Class of a document: one of nanoslab's own, and nothing but fields in it."""
    module, name = str(document.get("@module")), str(document["@class"])
    found = None
    if module.startswith("nanoslab.") and all(part.isidentifier() for part in module.split(".")):
        try:
            found = getattr(importlib.import_module(module), name, None)
        except ImportError:
            found = None
    if not isinstance(found, type) or not (is_dataclass(found) or hasattr(found, "_fields")):
        expected, advice = "a result class of nanoslab", "load it with the version that wrote it"
        raise InputError("result", expected=expected, got=f"{module}.{name}", advice=advice)
    return found
