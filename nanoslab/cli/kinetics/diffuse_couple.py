"""Two materials that mix across their interface: a core and its shell, or a rod and its end caps, nothing leaving.

The interdiffusivity follows from the two cations' own (Darken): x2 D1 + x1 D2.

Example: nanoslab diffuse couple --core 2 --size 4 --geometry sphere --diffusivities 1e-4 1e-5 --time 3600
"""

from __future__ import annotations

import argparse

from nanoslab.cli.kinetics.options import add_time_options, show, times


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("--core", type=float, required=True, metavar="NM", help="place of the interface [nm]")
    add("--size", type=float, required=True, metavar="NM", help="outer radius, or length of a rod from its middle [nm]")
    add("--geometry", default="sphere", help="sphere, cylinder or plane (default: sphere)")
    add("--diffusivities", type=float, nargs=2, required=True, metavar="D", help="of the two cations [nm²/s]")
    add("--cells", type=int, default=100, metavar="N", help="cells of the grid (default: 100)")
    add_time_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Solve and print the fraction of the second cation at five places."""
    import numpy as np

    from nanoslab.errors import InputError
    from nanoslab.kinetics import darken, interdiffuse

    if not 0 < arguments.core < arguments.size or arguments.cells < 2:
        raise InputError("--core", expected=f"between 0 and --size {arguments.size:g}", got=arguments.core)
    faces = np.linspace(0, arguments.size, arguments.cells + 1)
    start = np.clip((faces[1:] - arguments.core) / np.diff(faces), 0.0, 1.0)
    profiles = interdiffuse(
        start, faces, darken(*arguments.diffusivities), times(arguments), geometry=arguments.geometry
    )
    middles = (faces[1:] + faces[:-1]) / 2
    places = np.linspace(0, arguments.cells - 1, 5).round().astype(int)
    columns = {
        "time_s": profiles.times_s,
        **{f"fraction_at_{middles[i]:.2f}_nm": profiles.fractions[:, i] for i in places},
    }
    show(arguments, columns)
