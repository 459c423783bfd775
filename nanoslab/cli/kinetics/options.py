"""Options that commands about rates share: activated coefficients, times, tables against time."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterable, Mapping
from typing import Any

from ase import units

from nanoslab.cli.output import add_json_option, print_json, print_table


def energy(text: str) -> float:
    """Energy [eV] from ``1.7``, ``1.7eV`` or ``164kJ/mol``."""
    number, factor = text, 1.0
    for unit, value in (("kJ/mol", units.kJ / units.mol), ("eV", 1.0)):
        if text.endswith(unit):
            number, factor = text.removesuffix(unit), value
    try:
        return float(number) * factor
    except ValueError:
        raise ArgumentTypeError(f"expected an energy such as 1.7 (eV) or 164kJ/mol, got {text!r}") from None


def add_time_options(parser: ArgumentParser) -> None:
    """When to look, and ``--json``."""
    add = parser.add_argument
    add("--time", type=float, required=True, metavar="S", help="how long [s]")
    add("--points", type=int, default=11, metavar="N", help="rows of the table, the start among them (default: 11)")
    add_json_option(parser)


def add_diffusivity_options(parser: ArgumentParser) -> None:
    """One diffusivity, as it is or activated."""
    add = parser.add_argument
    add("--diffusivity", type=float, metavar="D", help="[nm²/s]")
    add(
        "--prefactor", type=float, metavar="D0", help="with --barrier and --temperature, instead: D0 exp(-E/kT) [nm²/s]"
    )
    add("--barrier", type=energy, metavar="E", help="activation energy, in eV or as 170kJ/mol")
    add("--temperature", type=float, metavar="K", help="[K]")


def diffusivity(arguments: Namespace) -> float:
    """Diffusivity of the options [nm²/s]."""
    from nanoslab.errors import InputError
    from nanoslab.kinetics import arrhenius_rate

    activated = (arguments.prefactor, arguments.barrier, arguments.temperature)
    if (arguments.diffusivity is None) == any(value is None for value in activated):
        expected = "--diffusivity, or --prefactor, --barrier and --temperature"
        raise InputError("diffusivity", expected=expected, got="neither, or both")
    if arguments.diffusivity is not None:
        return float(arguments.diffusivity)
    return float(arrhenius_rate(*activated))


def times(arguments: Namespace) -> list[float]:
    """Equal steps from zero on [s]."""
    from nanoslab.errors import InputError

    if not (arguments.time > 0 and arguments.points > 1):
        expected, got = "a time above 0 s and two points or more", f"{arguments.time:g} s, {arguments.points}"
        raise InputError("--time", expected=expected, got=got)
    return [arguments.time * step / (arguments.points - 1) for step in range(arguments.points)]


def show(arguments: Namespace, columns: Mapping[str, Iterable[Any]], **beside: Any) -> None:
    """Print columns of equal length as JSON lists, or as a table; keys carry their units."""
    if arguments.json:
        print_json({**{key: list(map(float, values)) for key, values in columns.items()}, **beside})
        return
    rows = [[f"{value:.4g}" for value in row] for row in zip(*columns.values(), strict=True)]
    print_table(list(columns), rows)
    for key, value in beside.items():
        print(f"{key}: {value:.4g}" if isinstance(value, float) else f"{key}: {value}")
