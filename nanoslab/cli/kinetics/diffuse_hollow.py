"""A core whose atoms leave through its shell faster than what reacts with them comes in: the Kirkendall void.

Example: nanoslab diffuse hollow --radius 5 --outward 1e-2 --inward 2e-3 --expansion 1.69 --time 3600
"""

from __future__ import annotations

import argparse

from nanoslab.cli.kinetics.options import add_time_options, show, times


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("--radius", type=float, required=True, metavar="NM", help="of the core at the start [nm]")
    words = "diffusivity times difference in site fraction across the shell [nm²/s]"
    add("--outward", type=float, required=True, metavar="D", help=f"of the core's atoms: {words}")
    add("--inward", type=float, required=True, metavar="D", help=f"of what reacts with them: {words}")
    add("--expansion", type=float, default=1.0, metavar="X", help="volume of shell per volume of core (default: 1)")
    add_time_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Solve and print."""
    from nanoslab.kinetics import Reacting, hollow

    particle = Reacting(
        radius_nm=arguments.radius,
        outward_nm2_per_s=arguments.outward,
        inward_nm2_per_s=arguments.inward,
        expansion=arguments.expansion,
    )
    found = hollow(particle, times(arguments))
    columns = {
        "time_s": found.times_s,
        "core_nm3": found.core_nm3,
        "void_radius_nm": found.void_nm,
        "shell_inner_nm": found.inner_nm,
        "shell_outer_nm": found.outer_nm,
    }
    show(arguments, columns)
