"""``module:factory``: any ASE calculator as an engine, with nothing known about its level of theory."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from ase import Atoms
from ase.calculators.calculator import BaseCalculator

from nanoslab.calculation import Settings
from nanoslab.engines.interface import Capabilities, Engine
from nanoslab.engines.quiet import quiet
from nanoslab.errors import EngineError


class _FactoryCall:
    """Remembers module and factory by name, so that it can be pickled."""

    def __init__(self, module: str, factory: str) -> None:
        self.module = module
        self.factory = factory

    def __call__(self, atoms: Atoms, settings: Settings, options: Mapping[str, Any]) -> BaseCalculator:
        del atoms, settings  # an ASE calculator takes its atoms when it computes
        make = _find(self.module, self.factory)
        arguments = {key: _literal(value) for key, value in options.items()}
        try:
            with quiet():
                calculator = make(**arguments)
        except TypeError as wrong:
            raise EngineError(
                f"engine {self.module}:{self.factory}",
                expected="arguments that it takes",
                got=wrong,
                advice="mend the options after the second colon",
            ) from wrong
        if not hasattr(calculator, "get_property"):
            raise EngineError(
                f"engine {self.module}:{self.factory}",
                expected="an ASE calculator to come out of it",
                got=type(calculator).__name__,
                advice="name a class or function that returns one",
            )
        made: BaseCalculator = calculator
        return made


def create_from_factory(module: str, factory: str, options: Mapping[str, str]) -> Engine:
    """Return the engine whose calculator is ``module.factory(**options)``.

    Parameters
    ----------
    module, factory
        Importable module (the current folder counts) and a class or function in it.
    options
        Keyword arguments; numbers, tuples, True, None are understood, everything else is text.

    Examples
    --------
    >>> create_from_factory("ase.calculators.emt", "EMT", {}).level_of_theory
    'ase.calculators.emt:EMT'
    """
    _find(module, factory)
    arguments = ",".join(f"{key}={value}" for key, value in options.items())
    version = _version(module)
    return Engine(
        name=f"{module}-{factory}",
        version=version,
        level_of_theory=f"{module}:{factory}" + (f"({arguments})" if arguments else ""),
        capabilities=Capabilities(),
        calculator_factory=_FactoryCall(module, factory),
        options=dict(options),
        versions={module.partition(".")[0]: version},
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
    try:
        with quiet():
            return import_module(module)
    except ImportError as first:
        here = str(Path.cwd())
        if first.name != module.partition(".")[0] or here in sys.path:
            raise EngineError(
                where, expected=f"an importable module {module}", got=first, advice="install it, or mend the name"
            ) from first
    sys.path.insert(0, here)  # a calculator written beside the study
    try:
        return import_module(module)
    except ImportError as second:
        raise EngineError(
            where, expected=f"an importable module {module}", got=second, advice="install it, or mend the name"
        ) from second


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _version(module: str) -> str:
    top = module.partition(".")[0]
    distributions = metadata.packages_distributions().get(top, [])
    return metadata.version(distributions[0]) if distributions else "unknown"
