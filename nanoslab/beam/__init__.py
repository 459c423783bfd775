"""What the electron beam does to an atom: energies, cross-sections, vibrations, escape, dose.

Public names are listed in ``__init__.pyi``; each is loaded when it is first asked for, so that kinematics alone stays
free of numpy. The list itself is read with the first name: `nanoslab knockon` asks for none.
"""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def _public() -> tuple[Any, Any, list[str]]:
    import lazy_loader

    return lazy_loader.attach_stub(__name__, __file__)  # type: ignore[no-any-return]


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return _public()[2]
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _public()[0](name)


def __dir__() -> list[str]:
    return list(_public()[1]())
