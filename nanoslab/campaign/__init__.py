"""A campaign: a folder with the study file, one sub-folder per calculation, and nothing hidden.

The folder is the state. It is written whole or not at all and reads back to the same calculations; it knows neither
VASP nor the engines that put their files into it. Public names are listed in ``__init__.pyi``.
"""

from importlib import import_module
from typing import Any

import lazy_loader

_public, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    """Load a public name on first use; two of them are in `nanoslab.driver.results` since version 0.2."""
    if name in {"available_sources", "collect"}:
        return getattr(import_module("nanoslab.driver.results"), name)
    return _public(name)
