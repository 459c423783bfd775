"""How far a cation exchange has come: the front between the exchanged shell and the core, limited by diffusion.

The anions stay. Han 2021 gives 160 to 180 kJ/mol for PbS to PbS@CdS; the prefactor and the solubility of the first
cation in the shell are yours.

Example:
  nanoslab diffuse front --radius 3 --solubility 0.02 --prefactor 1e16 --barrier 1.76 --temperature 423 --time 36000
"""

from __future__ import annotations

import argparse

from nanoslab.cli.kinetics.options import add_diffusivity_options, add_time_options, diffusivity, show, times


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("--radius", type=float, required=True, metavar="NM", help="outer radius, or thickness of a plane [nm]")
    add("--solubility", type=float, required=True, metavar="X", help="fraction of the first cation in the shell")
    add("--geometry", default="sphere", help="sphere, cylinder or plane (default: sphere)")
    add_diffusivity_options(parser)
    add_time_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Solve and print."""
    from nanoslab.kinetics import exchange_front

    coefficient = diffusivity(arguments)
    front = exchange_front(
        arguments.radius, coefficient, arguments.solubility, times(arguments), geometry=arguments.geometry
    )
    total = front.core_nm3 + front.shell_nm3 + front.left_nm3
    columns = {
        "time_s": front.times_s,
        "core_radius_nm": front.radii_nm,
        "shell_nm": arguments.radius - front.radii_nm,
        "exchanged_fraction": front.left_nm3 / total,
    }
    show(arguments, columns, diffusivity_nm2_per_s=coefficient)
