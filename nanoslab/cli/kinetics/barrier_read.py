"""Energies of the images of a band that VASP computed, and its barrier.

Example: nanoslab barrier read band
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nanoslab.cli.output import add_json_option, print_json, print_note, print_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", type=Path, help="folder of a band, with images 00 to NN")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    """Read and print."""
    from nanoslab.vasp.runs.band import read_band

    band = read_band(arguments.folder)
    first = band.energies[0]
    rows = [
        {
            "image": image.name,
            "energy_eV": image.energy,
            "relative_energy_eV": None if image.energy is None or first is None else image.energy - first,
            "max_free_force_eV_per_A": image.max_free_force,
        }
        for image in band.images
    ]
    if arguments.json:
        print_json({"images": rows, "barrier_eV": band.barrier, "problems": list(band.problems)})
        return
    cells = [
        ["-" if value is None else value if isinstance(value, str) else f"{value:.4f}" for value in row.values()]
        for row in rows
    ]
    print_table(["image", "E [eV]", "E - E(start) [eV]", "largest force [eV/Å]"], cells)
    for problem in band.problems:
        print_note(problem)
    if band.barrier is None:
        print("no barrier: an energy is missing, or the highest image is an end")
    else:
        doubt = "; not to be used before the above is mended" if band.problems else ""
        print(f"barrier {band.barrier:.3f} eV, of the highest image: a saddle only where it climbed{doubt}")
