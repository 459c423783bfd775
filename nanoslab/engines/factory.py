"""``module:factory`` and ``./file.py:factory``: any ASE calculator as an engine; nothing is known of its theory."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping
from functools import cache, partial
from importlib import import_module, metadata
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from ase import Atoms
from ase.calculators.calculator import BaseCalculator

from nanoslab.calculation import Settings
from nanoslab.engines.interface import Capabilities, Engine
from nanoslab.engines.quiet import quiet
from nanoslab.errors import EngineError


def _make(module: str, factory: str, atoms: Atoms, settings: Settings, options: Mapping[str, Any]) -> BaseCalculator:
    """Calculator of a factory named as text, so that the engine can be pickled."""
    del atoms, settings  # an ASE calculator takes its atoms when it computes
    where, make = f"engine {module}:{factory}", _find(module, factory)
    try:
        with quiet():
            calculator = make(**{key: _literal(value) for key, value in options.items()})
    except TypeError as wrong:
        advice = "mend the options after the second colon"
        raise EngineError(where, expected="arguments that it takes", got=wrong, advice=advice) from wrong
    if not hasattr(calculator, "get_property"):
        advice, got = "name a class or function that returns one", type(calculator).__name__
        raise EngineError(where, expected="an ASE calculator to come out of it", got=got, advice=advice)
    made: BaseCalculator = calculator
    return made


def create_from_factory(module: str, factory: str, options: Mapping[str, str]) -> Engine:
    """Return the engine whose calculator is ``module.factory(**options)``. This runs the module."""
    file = Path(module).resolve() if module.endswith(".py") else None
    named = str(file or module)
    _find(named, factory)
    arguments = ",".join(f"{key}={value}" for key, value in options.items())
    shown = file.name if file else module
    version = hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file else _version(module)
    return Engine(
        name=f"{shown.removesuffix('.py')}-{factory}",
        version=version,
        level_of_theory=f"{shown}:{factory}" + (f"({arguments})" if arguments else ""),
        capabilities=Capabilities(),
        calculator_factory=partial(_make, named, factory),
        options=dict(options),
        versions={shown if file else module.partition(".")[0]: version},
    )


def _find(module: str, factory: str) -> Any:
    where = f"engine {module}:{factory}"
    found: Any = _import(module, where)
    for part in factory.split("."):
        if not hasattr(found, part):
            names = [name for name in dir(found) if not name.startswith("_")]
            raise EngineError(where, expected=f"{part} in {module}", got=f"only {', '.join(names[:8])}, ...")
        found = getattr(found, part)
    return found


def _import(module: str, where: str) -> ModuleType:
    if module.endswith(".py"):
        return _load(Path(module), where)
    try:
        with quiet():
            return import_module(module)
    except ImportError as error:
        advice = f"install it, or give a file of yours by its path (./{module}.py:...)"
        raise EngineError(where, expected=f"an importable module {module}", got=error, advice=advice) from error


def _load(file: Path, where: str) -> ModuleType:
    """Module of a Python file that the user named by its path; nothing else in its folder becomes importable."""
    spec = spec_from_file_location(f"nanoslab_user_{file.stem}", file) if file.is_file() else None
    if spec is None or spec.loader is None:
        raise EngineError(where, expected=f"a Python file {file}", got="no such file", advice="check the path")
    module = module_from_spec(spec)
    with quiet():
        spec.loader.exec_module(module)
    return module


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


@cache
def _version(module: str) -> str:
    """Version of the distribution that a module is of; `packages_distributions` would parse every file's name."""
    top = module.partition(".")[0]
    for distribution in metadata.distributions():
        tops, files = (distribution.read_text(name) or "" for name in ("top_level.txt", "RECORD"))
        if top in tops.split() or f"\n{top}/" in f"\n{files}" or f"\n{top}.py," in f"\n{files}":
            return distribution.version
    return "unknown"
