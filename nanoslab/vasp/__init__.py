"""The one room that knows VASP: decks written, runs read back."""

from __future__ import annotations

from typing import Any

#: public name -> file that holds it; a file is loaded when one of its names is asked for
_HOME = {
    "calculation_result": "runs.comparable",
    "read_poscar": "poscar",
    "RunResult": "runs.reader",
    "find_runs": "runs.folder",
    "read_run": "runs.reader",
    "read_runs": "runs.many",
    "read_trajectory": "runs.trajectory",
    "write_deck": "inputs.deck",
    "write_poscar": "poscar",
}

__all__ = [
    "RunResult",
    "calculation_result",
    "find_runs",
    "read_poscar",
    "read_run",
    "read_runs",
    "read_trajectory",
    "write_deck",
    "write_poscar",
]


def __getattr__(name: str) -> Any:
    """Load the file behind a public name on first use."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"nanoslab.vasp.{_HOME[name]}"), name)
