"""Former name of `nanoslab.builders`; kept for one release."""

import warnings
from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """Public name of `nanoslab.builders`."""
    if name.startswith("_"):
        raise AttributeError(name)
    found = getattr(import_module("nanoslab.builders"), name)
    warnings.warn("nanoslab.build is now nanoslab.builders", DeprecationWarning, stacklevel=2)
    return found
