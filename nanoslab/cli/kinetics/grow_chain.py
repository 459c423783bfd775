"""Clusters of given sizes that take monomers to the next size, rate k [cluster] [monomer], against time.

Example: nanoslab grow chain 13 19 33 66 --rates 1e-2 1e-3 1e-4 --monomer 100 --time 1e4
"""

from __future__ import annotations

import argparse

from nanoslab.cli.kinetics.options import add_time_options, show, times


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("sizes", type=int, nargs="+", metavar="N", help="units in the clusters, increasing")
    add("--rates", type=float, nargs="+", required=True, metavar="K", help="of each step, one fewer than sizes")
    add("--back", type=float, nargs="+", metavar="K", help="of each step back (default: none)")
    add("--clusters", type=float, default=1.0, help="of the smallest size at the start (default: 1)")
    add("--monomer", type=float, required=True, help="at the start, in the same unit of concentration")
    add_time_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Solve and print every size."""
    from nanoslab.kinetics import growth_chain, solve_reactions

    chain = growth_chain(arguments.sizes, arguments.rates, arguments.back)
    start = {str(arguments.sizes[0]): arguments.clusters, "monomer": arguments.monomer}
    course = solve_reactions(chain, start, times(arguments))
    columns = {"time_s": course.times_s, "monomer": course.of("monomer")}
    show(arguments, columns | {f"clusters_of_{size}": course.of(str(size)) for size in arguments.sizes})
