"""Engines by name (``chgnet``, ``cp2k``, ...), or ``module:factory``, ``./file.py:factory``, ``mace:path``.

The last three run code, so they are for the person at the keyboard: a file never chooses them (`engine_of_file`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NoReturn

from nanoslab.engines.interface import Engine
from nanoslab.errors import EngineError, InputError, unknown_name

#: engine -> module below nanoslab.engines with ``create(options: Mapping[str, str]) -> Engine``
ENGINES: Mapping[str, str] = {"chgnet": "chgnet_engine", "xtb": "xtb_engine", "gpaw": "gpaw_engine", "cp2k": "cp2k"}
#: engines whose potential may be a file of the user's: ``NAME:PATH``
FILE_ENGINES = ("chgnet", "mace", "sevennet")


#: engines that run code and that files may name all the same, in an environment variable of the person at the keyboard
TRUSTED = "NANOSLAB_TRUSTED_ENGINES"


#: value of an option that is no path: a word without a dot, or numbers
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*|[-+0-9.eE(), ]+")

#: the option that corrects an engine, with the sign before it
_CORRECTED = re.compile(r"([:,])corrected=([^,]+)")


def engine_names() -> tuple[str, ...]:
    """Names that `engine` knows without a module.

    Examples
    --------
    >>> engine_names()
    ('chgnet', 'xtb', 'gpaw', 'cp2k')
    """
    return tuple(ENGINES)


def engine(name_and_options: str) -> Engine:
    """Return an engine from ``NAME``, ``module:factory`` or ``./file.py:factory``, each with ``[:key=value,...]``.

    ``NAME:PATH[,sha256=...]`` takes a potential from a file; ``corrected=NAME_OR_FILE`` among the options of any of
    them corrects it (`nanoslab.engines.correction`).

    Parameters
    ----------
    name_and_options
        As given to ``--engine``.

    Raises
    ------
    InputError
        When the name or an option is unknown.
    EngineError
        When the engine is not installed; the message says what to install.

    Examples
    --------
    >>> engine("ase.calculators.lj:LennardJones:sigma=3.0,epsilon=0.2").options
    {'sigma': '3.0', 'epsilon': '0.2'}
    """
    bare, correction = _split_correction(name_and_options.strip())
    if correction:
        from nanoslab.engines.correction import base_options, corrected_engine

        return corrected_engine(engine(bare if ":" in bare else bare + base_options(correction)), correction)
    name, *rest = bare.split(":")
    if _names_a_potential(name, ":".join(rest)):
        from nanoslab.engines.potential_file import create_from_path

        path, _, options = ":".join(rest).partition(",")
        return create_from_path(name, path, parse_options(options, name))
    if name in ENGINES:
        module = import_module(f"nanoslab.engines.{ENGINES[name]}")
        made: Engine = module.create(parse_options(":".join(rest), name))
        return made
    code = name.endswith(".py") or re.fullmatch(r"[A-Za-z_][\w.]*", name)
    if rest and code and re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", rest[0]):
        from nanoslab.engines.factory import create_from_factory

        return create_from_factory(name, rest[0], parse_options(":".join(rest[1:]), f"{name}:{rest[0]}"))
    raise unknown_name("engine", name, [*ENGINES, "module:factory", *(f"{known}:path" for known in FILE_ENGINES)])


def engine_of_file(where: object, name_and_options: str) -> Engine:
    """Return an engine that a file names: one of the short names, its options plain words.

    Parameters
    ----------
    where
        The field, for the message.
    name_and_options
        As in the file.

    Raises
    ------
    InputError
        When it names code or a path and the environment variable ``NANOSLAB_TRUSTED_ENGINES`` (engines separated by
        blanks) does not hold exactly this engine.

    Examples
    --------
    >>> engine_of_file("screen.engine", "os:system:command=true")
    Traceback (most recent call last):
        ...
    nanoslab.errors.InputError: screen.engine: expected one of chgnet, ..., got 'os:system:command=true'; a file ...
    """
    name, _, options = name_and_options.strip().partition(":")
    plain = name in ENGINES and not _names_a_potential(name, options)
    plain = plain and all(_WORD.fullmatch(value) for value in parse_options(options, name).values())
    if plain or name_and_options in os.environ.get(TRUSTED, "").split():
        return engine(name_and_options)
    if not options and re.fullmatch(r"\w+", name):
        raise unknown_name(where, name, ENGINES)
    raise InputError(
        where,
        expected=f"one of {', '.join(ENGINES)}, options without paths",
        got=repr(name_and_options),
        advice=f"a file does not choose code; if you trust this engine, put exactly it into {TRUSTED}",
    )


def _split_correction(text: str) -> tuple[str, str]:
    """Take the option ``corrected=...`` out, from wherever it stands among the others."""
    found = _CORRECTED.search(text)
    if found is None:
        return text, ""
    before, after = text[: found.start()], text[found.end() :]
    return before + (after and found[1] + after.removeprefix(",")), found[2]


def _names_a_potential(name: str, rest: str) -> bool:
    """Whether what stands behind the name is a path, with a dot or a slash in it, rather than options."""
    first = rest.partition(",")[0]
    return name in FILE_ENGINES and "=" not in first and bool(re.search(r"[./\\]", first))


def parse_options(text: str, engine_name: str) -> dict[str, str]:
    """Split ``key=value,key=value``; commas inside brackets belong to the value.

    Examples
    --------
    >>> parse_options("kpts=(4,3,1),ecut=400", "gpaw")
    {'kpts': '(4,3,1)', 'ecut': '400'}
    """
    options: dict[str, str] = {}
    for item in re.split(r",(?![^(\[{]*[)\]}])", text) if text else []:
        key, equals, value = (part.strip() for part in item.partition("="))
        where = f"engine {engine_name}"
        if not key or not equals or not value:
            raise InputError(where, expected="options as key=value,key=value", got=repr(item), advice="mend --engine")
        if key in options:
            raise InputError(where, expected=f"{key} once", got="it twice", advice="drop one")
        options[key] = value
    return options


def refuse_unknown_options(engine_name: str, options: Mapping[str, Any], allowed: Mapping[str, str]) -> None:
    """Raise for an option that the engine does not have."""
    for key in options:
        if key not in allowed:
            raise unknown_name(f"option of engine {engine_name}", key, allowed)


def choose(engine_name: str, options: Mapping[str, str], key: str, allowed: tuple[str, ...]) -> str:
    """Value of an option that has a few allowed words; the first is the default."""
    value = options.get(key, allowed[0])
    if value not in allowed:
        raise unknown_name(f"engine {engine_name}: {key}", value, allowed)
    return value


def not_installed(engine_name: str, package: str, cause: ImportError) -> NoReturn:
    """Raise the one line that says what to install for an engine."""
    where, advice = f"engine {engine_name}", f"pip install 'nanoslab[{engine_name}]'"
    raise EngineError(where, expected=f"the package {package}", got=cause, advice=advice) from cause
