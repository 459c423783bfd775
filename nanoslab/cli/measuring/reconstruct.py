"""Projections of a particle with noise, its density, the atoms found in it, and the error of each.

Examples: nanoslab reconstruct particle.xyz --kv 300 --images 40 --wedge 79 --dose 1e5
          nanoslab reconstruct particle.xyz --kv 300 --images 40 --random --dose 1e5 -o found.xyz

A round trip: the structure is imaged in a tilt series (or, with --random, in random orientations as particles tumbling
in a liquid are), the density is reconstructed from the images alone, and atoms and their elements are found from it.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from nanoslab.cli.measuring.inputs import read_atoms
from nanoslab.cli.output import add_json_option, print_json, print_note, print_table
from nanoslab.errors import InputError


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("file", type=Path, help="structure file of one particle")
    add("--kv", type=float, required=True, metavar="KV", help="beam energy [keV]")
    add("--images", type=int, default=40, metavar="N", help="(default: %(default)s)")
    add("--wedge", type=float, default=79.0, metavar="DEG", help="largest tilt [degrees] (default: %(default)s)")
    add("--random", action="store_true", help="random orientations instead of a tilt series")
    add("--dose", type=float, metavar="DOSE", help="of all images together [e/Å²] (default: no noise)")
    add("--pixel", type=float, default=0.4, metavar="A", help="side of a pixel [Å] (default: %(default)s)")
    add("--aperture", type=float, default=25.0, metavar="MRAD", help="of the probe (default: %(default)s)")
    add("--detector", type=float, nargs=2, default=(50.0, 200.0), metavar="MRAD", help="(default: 50 200)")
    add("-o", "--output", type=Path, help="the atoms found, in the format of the file name")
    add_json_option(parser)


def run(arguments: Namespace) -> None:
    from nanoslab.measure.imaging import Microscope, annular_cross_section
    from nanoslab.measure.tomography import (
        compare_atoms,
        project,
        random_rotations,
        reconstruct_density,
        tilt_rotations,
        trace_atoms,
    )

    if arguments.dose is not None and not arguments.dose > 0:
        raise InputError("--dose", expected="a dose above 0 e/Å²", got=arguments.dose)
    if not 0.1 <= arguments.pixel <= 1.0:
        raise InputError("--pixel", expected="0.1 to 1 Å", got=arguments.pixel)
    atoms = read_atoms(arguments.file)
    microscope = Microscope(
        kilovolts=arguments.kv, aperture_mrad=arguments.aperture, detector_mrad=tuple(arguments.detector)
    )
    n = arguments.images
    rotations = random_rotations(n) if arguments.random else tilt_rotations(n, arguments.wedge)
    projections = project(atoms, rotations, microscope, arguments.pixel, arguments.dose)
    strengths = {e: annular_cross_section(e, microscope) for e in dict.fromkeys(atoms.get_chemical_symbols())}
    traced = trace_atoms(projections, reconstruct_density(projections), strengths)
    trip = compare_atoms(atoms, traced.atoms)
    document = {
        "n_atoms": len(atoms),
        "n_found": len(traced.atoms),
        "n_missing": trip.n_missing,
        "n_extra": trip.n_extra,
        "n_wrong_element": trip.n_wrong_element,
        "rms_error_A": trip.rms,
        "errors_A": trip.distances.tolist(),
        "stated_errors_A": (3**0.5 * traced.errors).tolist(),
        "dose_e_per_A2": arguments.dose,
        "n_images": n,
        "residual": traced.residual,
    }
    if arguments.output:
        from nanoslab.cli.structures import write_structures

        write_structures({arguments.output: traced.atoms}, {})
    if arguments.json:
        print_json(document)
        return
    names = ("n_atoms", "n_found", "n_missing", "n_extra", "n_wrong_element")
    print_table(
        [name.removeprefix("n_").replace("_", " ") for name in names], [[str(document[name]) for name in names]]
    )
    median = float(sorted(document["stated_errors_A"])[len(traced.atoms) // 2])
    print_note(f"Positions are off by {100 * trip.rms:.1f} pm (rms in three dimensions); stated {100 * median:.1f} pm.")
