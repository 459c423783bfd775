"""Clusters of given sizes that take monomers to the next size, rate k [cluster] [monomer], against time.

Rate constants are given as they are, or as prefactors and barriers with a temperature: one prefactor serves all steps.

Examples
--------
  nanoslab grow chain 13 19 33 66 --rates 1e-2 1e-3 1e-4 --monomer 100 --time 1e4
  nanoslab grow chain 33 66 100 --prefactors 1e13 --barriers 1.4 1.58 --temperature 513 --monomer 0.1 --time 3600
"""

from __future__ import annotations

import argparse

from nanoslab.cli.kinetics.options import add_time_options, energy, show, times
from nanoslab.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("sizes", type=int, nargs="+", metavar="N", help="units in the clusters, increasing")
    add("--rates", type=float, nargs="+", metavar="K", help="of each step, one fewer than sizes")
    add("--prefactors", type=float, nargs="+", metavar="A", help="of each step, or one of all; instead of --rates")
    add("--barriers", type=energy, nargs="+", metavar="E", help="of each step, in eV or as 150kJ/mol")
    add("--temperature", type=float, metavar="K", help="[K]")
    add("--back", type=float, nargs="+", metavar="K", help="of each step back (default: none)")
    add("--clusters", type=float, default=1.0, help="of the smallest size at the start (default: 1)")
    add("--monomer", type=float, required=True, help="at the start, in the same unit of concentration")
    add_time_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Solve and print every size."""
    from nanoslab.kinetics import growth_chain, solve_reactions

    sizes = arguments.sizes
    chain = growth_chain(sizes, _rates(arguments), arguments.back)
    start = {str(sizes[0]): arguments.clusters, "monomer": arguments.monomer}
    course = solve_reactions(chain, start, times(arguments))
    clusters = {size: course.of(str(size)) for size in sizes}
    columns = {
        "time_s": course.times_s,
        "monomer": course.of("monomer"),
        **{f"clusters_of_{size}": amounts for size, amounts in clusters.items()},
        "mean_size": sum(size * amounts for size, amounts in clusters.items()) / sum(clusters.values()),
    }
    show(arguments, columns)


def _rates(arguments: argparse.Namespace) -> list[float]:
    """Rate constants of the steps, as given or activated."""
    from nanoslab.kinetics import arrhenius_rate

    prefactors, barriers, temperature = arguments.prefactors, arguments.barriers, arguments.temperature
    if (arguments.rates is None) == any(value is None for value in (prefactors, barriers, temperature)):
        expected = "--rates, or --prefactors, --barriers and --temperature"
        raise InputError("--rates", expected=expected, got="neither, or both")
    if arguments.rates is not None:
        return list(arguments.rates)
    if len(prefactors) not in (1, len(barriers)):
        raise InputError("--prefactors", expected=f"1 or {len(barriers)}, as --barriers", got=len(prefactors))
    every = prefactors * len(barriers) if len(prefactors) == 1 else prefactors
    return [float(arrhenius_rate(a, e, temperature)) for a, e in zip(every, barriers, strict=True)]
