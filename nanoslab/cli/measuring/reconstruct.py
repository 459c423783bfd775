"""Atoms, their elements and the error of each, from a tilt series: measured, or made from a structure.

Examples: nanoslab reconstruct series.mrc --tilts series.tlt --elements Fe Pt --kv 300 -o atoms.xyz
          nanoslab reconstruct particle.xyz --kv 300 --images 40 --wedge 79 --dose 1e5
          nanoslab reconstruct particle.xyz --kv 300 --images 40 --random --dose 1e5 -o found.xyz

Of a measured series the tilt axis must be y (--tilt-axis x otherwise) and the images be aligned to it; centres of mass
and what shifts are left are seen to here. A structure gives a round trip: it is imaged in a tilt series (or, with
--random, in random orientations as particles tumbling in a liquid are), and found again from the images alone.
--write-images keeps that series as a file that can be read in place of a measured one.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.measuring.inputs import read_atoms, read_columns
from nanoslab.cli.output import add_json_option, print_json, print_note, print_table
from nanoslab.errors import FileError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nanoslab.measure.imaging import Microscope
    from nanoslab.measure.tomography import Projections, TracedAtoms


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("file", type=Path, help="tilt series (.mrc, .emd, .hspy, .tif ...), or structure file of one particle")
    add("--kv", type=float, required=True, metavar="KV", help="beam energy [keV]")
    add("--pixel", type=float, metavar="A", help="side of a pixel [Å] (default: of the file; made images: 0.4)")
    add("--aperture", type=float, default=25.0, metavar="MRAD", help="of the probe (default: %(default)s)")
    add("--detector", type=float, nargs=2, default=(50.0, 200.0), metavar="MRAD", help="(default: 50 200)")
    add("-o", "--output", type=Path, help="the atoms found, in the format of the file name")
    measured = parser.add_argument_group("measured series")
    measured.add_argument("--elements", nargs="+", metavar="X", help="that the particle is made of")
    measured.add_argument("--tilts", type=Path, metavar="FILE", help="angles, one per image [degrees], if not in FILE")
    measured.add_argument("--tilt-axis", choices=("x", "y"), default="y", help="(default: %(default)s)")
    made = parser.add_argument_group("round trip of a structure")
    made.add_argument("--images", type=int, default=40, metavar="N", help="(default: %(default)s)")
    made.add_argument("--wedge", type=float, default=79.0, metavar="DEG", help="largest tilt (default: %(default)s)")
    made.add_argument("--random", action="store_true", help="random orientations instead of a tilt series")
    made.add_argument("--dose", type=float, metavar="DOSE", help="of all images [e/Å²] (default: no noise)")
    made.add_argument("--write-images", type=Path, metavar="FILE", help="the tilt series as .emd")
    add_json_option(parser)


def run(arguments: Namespace) -> None:
    from nanoslab.measure.imaging import Microscope
    from nanoslab.measure.imaging.files import READERS

    if arguments.pixel is not None and not 0.1 <= arguments.pixel <= 1.0:
        raise InputError("--pixel", expected="0.1 to 1 Å", got=arguments.pixel)
    microscope = Microscope(
        kilovolts=arguments.kv, aperture_mrad=arguments.aperture, detector_mrad=tuple(arguments.detector)
    )
    if arguments.file.suffix.lower() in READERS:
        if not arguments.elements:
            raise InputError("--elements", expected="those of the particle", got="none", advice="such as Fe Pt")
        traced = _found(_measured(arguments), arguments.elements, microscope)
        document = _document(traced)
    else:
        traced, document = _round_trip(arguments, microscope)
    if arguments.output:
        from nanoslab.cli.structures import write_structures

        write_structures({arguments.output: traced.atoms}, {})
    if arguments.json:
        print_json(document)
    else:
        _print(document)


def _found(projections: Projections, elements: Iterable[str], microscope: Microscope) -> TracedAtoms:
    from nanoslab.measure.imaging import annular_cross_section
    from nanoslab.measure.tomography import reconstruct_density, trace_atoms

    strengths = {element: annular_cross_section(element, microscope) for element in dict.fromkeys(elements)}
    return trace_atoms(projections, reconstruct_density(projections), strengths)


def _measured(arguments: Namespace) -> Projections:
    """Tilt series of a file, with the angles of the file or of a text file."""
    import numpy as np

    from nanoslab.measure.imaging import read_images, read_tilts
    from nanoslab.measure.tomography import measured_projections

    images = read_images(arguments.file, arguments.pixel)
    tilts = read_tilts(arguments.file) if arguments.tilts is None else read_columns(arguments.tilts, 1)[0]
    if tilts is None:
        raise FileError(arguments.file, expected="tilt angles", got="none", advice="give them by --tilts FILE")
    if len(tilts) != len(images):
        raise InputError("--tilts", expected=f"an angle for each of {len(images)} images", got=f"{len(tilts)}")
    pixel = images[0].field.pixel
    if abs(pixel[0] / pixel[1] - 1) > 0.01:
        raise FileError(arguments.file, expected="square pixels", got=f"{pixel[0]:.4g} x {pixel[1]:.4g} Å")
    stack = np.array([image.values for image in images])
    # turned, not transposed: a mirrored particle would be another one
    stack = np.rot90(stack, axes=(1, 2)) if arguments.tilt_axis == "x" else stack
    return measured_projections(stack, tilts, pixel[0])


def _round_trip(arguments: Namespace, microscope: Microscope) -> tuple[TracedAtoms, dict[str, Any]]:
    """Atoms found from images of a structure, and how far they are off."""
    from nanoslab.measure.tomography import compare_atoms, project, random_rotations, tilt_rotations

    if arguments.dose is not None and not arguments.dose > 0:
        raise InputError("--dose", expected="a dose above 0 e/Å²", got=arguments.dose)
    if arguments.random and arguments.write_images:
        raise InputError("--write-images", expected="a tilt series", got="random orientations")
    atoms, n = read_atoms(arguments.file), arguments.images
    rotations = random_rotations(n) if arguments.random else tilt_rotations(n, arguments.wedge)
    projections = project(atoms, rotations, microscope, arguments.pixel or 0.4, arguments.dose)
    if arguments.write_images:
        _write_series(arguments, projections)
    traced = _found(projections, atoms.get_chemical_symbols(), microscope)
    trip = compare_atoms(atoms, traced.atoms)
    return traced, {
        **_document(traced),
        "n_atoms": len(atoms),
        "n_missing": trip.n_missing,
        "n_extra": trip.n_extra,
        "n_wrong_element": trip.n_wrong_element,
        "rms_error_A": trip.rms,
        "errors_A": trip.distances.tolist(),
        "dose_e_per_A2": arguments.dose,
    }


def _write_series(arguments: Namespace, projections: Projections) -> None:
    import numpy as np

    from nanoslab.measure.imaging import FieldOfView, Image, write_images

    n, pixel = projections.images.shape[1], projections.pixel
    corner, side = -(n // 2) * pixel, n * pixel
    field = FieldOfView(corner=(corner, corner), lengths=(side, side), shape=(n, n))
    tilts = np.degrees(np.arctan2(projections.rotations[:, 0, 2], projections.rotations[:, 0, 0]))
    settings = {"beam_energy_keV": arguments.kv, "dose_e_per_A2": arguments.dose, "tilt_degrees": tilts}
    known = {key: value for key, value in settings.items() if value is not None}
    write_images(arguments.write_images, [Image(values=i.copy(), field=field) for i in projections.images], known)


def _document(traced: TracedAtoms) -> dict[str, Any]:
    symbols = traced.atoms.get_chemical_symbols()
    return {
        "n_found": len(symbols),
        "n_images": len(traced.shifts),
        "counts": {element: symbols.count(element) for element in dict.fromkeys(symbols)},
        "elements": symbols,
        "positions_A": traced.atoms.positions.tolist(),
        "stated_errors_A": (3**0.5 * traced.errors).tolist(),
        "shifts_A": traced.shifts.tolist(),
        "residual": traced.residual,
    }


def _print(document: dict[str, Any]) -> None:
    stated = 100 * sorted(document["stated_errors_A"])[document["n_found"] // 2]
    if "n_atoms" in document:
        names = ("n_atoms", "n_found", "n_missing", "n_extra", "n_wrong_element")
        print_table(
            [name.removeprefix("n_").replace("_", " ") for name in names], [[str(document[name]) for name in names]]
        )
        rms = 100 * document["rms_error_A"]
        print_note(f"Positions are off by {rms:.1f} pm (rms in three dimensions); stated {stated:.1f} pm.")
        return
    print_table(["element", "atoms"], [[element, str(n)] for element, n in document["counts"].items()])
    print_note(
        f"Stated error of a position: {stated:.1f} pm (median, three dimensions), from the misfit to the images."
    )
    print_note(f"The fit leaves {100 * document['residual']:.0f} % of the images (rms) to noise and to what it lacks.")
