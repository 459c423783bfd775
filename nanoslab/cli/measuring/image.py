"""Images of a structure in the microscope with counting noise; spacings in these or in a measured image.

Examples: nanoslab image sheet.vasp --kv 300 --defocus 60 --dose 500 --plot image.png -o image.emd
          nanoslab image sheet.vasp --kv 200 --mode haadf --spacings CdSe-wurtzite
          nanoslab image etched.extxyz --kv 300 --dose 500 --plot frames.png
          nanoslab image sheet.vasp --kv 200 --mode haadf --without 12 40 --threshold 5.12
          nanoslab image measured.emd --spacings CdSe-zincblende

The beam runs along z. A file of several structures, such as an etching path, gives one image each. --without says at
which dose the absence of some atoms (numbers from 0) shows, and with --threshold whether before the beam has taken the
next one. A microscope's file is read with its scale by RosettaSciIO.

Methods of hrtem: multislice (default), abtem, or projected, which takes the whole structure as one phase. Of haadf:
projected (default), exact for each atom but without channelling and interference; abtem, a multislice of the probe at
every position with frozen vibrations: an hour for one cell of a sheet.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.measuring.inputs import read_frames
from nanoslab.cli.output import add_json_option, print_json, print_note, print_table
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from ase import Atoms

    from nanoslab.measure.imaging import Image


METHODS = ("projected", "multislice", "abtem")
#: spacings printed, the strongest first
SHOWN = 8


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("file", type=Path, help="structure file, or an image of a microscope (.dm3, .dm4, .emd, .ser, .tif ...)")
    add("--kv", type=float, metavar="KV", help="beam energy [keV]; needed for a structure")
    add("--mode", choices=("hrtem", "haadf"), default="hrtem", help="(default: %(default)s)")
    add("--pixel", type=float, default=0.1, metavar="A", help="largest side of a pixel [Å] (default: %(default)s)")
    add("--defocus", type=float, default=60.0, metavar="A", help="underfocus [Å] (default: 60; haadf: 0)")
    add("--cs", type=float, default=0.0, metavar="MM", help="spherical aberration [mm] (default: 0, corrected)")
    add("--focal-spread", type=float, default=30.0, metavar="A", help="hrtem [Å] (default: %(default)s)")
    add("--aperture", type=float, default=25.0, metavar="MRAD", help="objective, or probe (default: %(default)s)")
    add("--detector", type=float, nargs=2, default=(70.0, 200.0), metavar="MRAD", help="haadf (default: 70 200)")
    add("--method", choices=METHODS, help="(default: multislice; haadf: projected)")
    add("--dose", type=float, metavar="DOSE", help="counting noise of a dose [e/Å²]")
    add("--seed", type=int, default=0, help="of the noise (default: %(default)s)")
    add("--spacings", metavar="CRYSTAL", help="spacings in the image, indexed in a crystal by name or file")
    add("--without", type=int, nargs="+", metavar="ATOM", help="dose at which the absence of these atoms shows")
    add("--threshold", type=float, metavar="EV", help="of the element of --without: dose until the next one is lost")
    add("--plot", metavar="FILE", help="the images as .png, .pdf or .svg")
    add("-o", "--output", type=Path, metavar="FILE", help="the images with their scale and settings, .emd")
    add_json_option(parser)


def run(arguments: Namespace) -> None:
    from nanoslab.measure.imaging.files import READERS, read_images, write_images

    if arguments.file.suffix.lower() in READERS:
        images, document = list(read_images(arguments.file)), {}
    else:
        frames = read_frames(arguments.file)
        images, document = _images(arguments, frames), {"doses": [atoms.info.get("dose_e_per_A2") for atoms in frames]}
        if arguments.without:
            document = {**document, **_visibility(arguments, frames[0], images[0])}
    if arguments.dose:
        from nanoslab.measure.imaging import counted_image

        images = [counted_image(image, arguments.dose, arguments.seed + k) for k, image in enumerate(images)]
    if arguments.output:
        keys = {"kv": "beam_energy_keV", "dose": "dose_e_per_A2", "defocus": "defocus_A", "mode": "mode"}
        given = {key: getattr(arguments, name) for name, key in keys.items()}
        write_images(arguments.output, images, {key: value for key, value in given.items() if value is not None})
    rows = [_row(arguments, image) for image in images]
    if arguments.plot:
        _plot(arguments.plot, images)
    if arguments.json:
        print_json({"images": rows, **document})
        return
    cells = []
    for number, row in enumerate(rows):
        numbers = [f"{row[key]:.4g}" for key in ("pixel_A", "mean", "contrast")]
        cells.append([str(number), "x".join(map(str, row["shape"])), *numbers])
    print_table(["image", "pixels", "pixel [Å]", "mean", "contrast"], cells)
    for row in rows:
        if row["spacings"]:
            print()
            print_table(["spacing [Å]", "angle", "power", "hkl", "crystal [Å]", "strain [%]"], _spacing_cells(row))
    if "rose_dose_e_per_A2" in document:
        _print_visibility(document)


def _microscope(arguments: Namespace) -> Any:
    from nanoslab.measure.imaging import Microscope

    if arguments.kv is None:
        raise InputError("--kv", expected="a voltage", got="none", advice="such as --kv 200")
    return Microscope(
        kilovolts=arguments.kv,
        defocus=arguments.defocus if arguments.mode == "hrtem" else 0.0,
        spherical_aberration_mm=arguments.cs,
        focal_spread=arguments.focal_spread,
        aperture_mrad=arguments.aperture,
        detector_mrad=tuple(arguments.detector),
    )


def _images(arguments: Namespace, frames: list[Atoms]) -> list[Image]:
    """One image of each structure, all in the field of the first."""
    from nanoslab.measure.imaging import (
        abtem_exit_wave,
        abtem_haadf_image,
        field_of_view,
        haadf_image,
        hrtem_image,
        wave_image,
    )

    microscope = _microscope(arguments)
    field = field_of_view(frames[0], arguments.pixel)
    if arguments.mode == "haadf":
        if arguments.method == "multislice":
            expected = "projected or abtem, which is a multislice, of haadf"
            raise InputError("--method", expected=expected, got=arguments.method)
        make = abtem_haadf_image if arguments.method == "abtem" else haadf_image
        return [make(atoms, microscope, field) for atoms in frames]
    if arguments.method == "abtem":
        return [wave_image(abtem_exit_wave(atoms, microscope, field), microscope, field) for atoms in frames]
    thickness = None if arguments.method == "projected" else 2.0
    return [hrtem_image(atoms, microscope, field, thickness) for atoms in frames]


def _visibility(arguments: Namespace, atoms: Atoms, image: Image) -> dict[str, Any]:
    from nanoslab.measure.imaging import rose_dose

    if not all(0 <= number < len(atoms) for number in arguments.without):
        raise InputError("--without", expected=f"atoms from 0 to {len(atoms) - 1}", got=str(arguments.without))
    left = atoms[[number for number in range(len(atoms)) if number not in arguments.without]]
    changed = _images(arguments, [atoms, left])[1]
    symbols = [atoms.symbols[number] for number in arguments.without]
    shows = rose_dose(image, changed)
    found = {"without": arguments.without, "elements": symbols, "rose_dose_e_per_A2": shows}
    if arguments.threshold is None:
        return found
    from nanoslab.beam import displacement_cross_section

    if len(set(symbols)) != 1:
        raise InputError("--threshold", expected="--without atoms of one element", got=", ".join(sorted(set(symbols))))
    heights = atoms.positions[atoms.symbols == symbols[0], 2]
    n_exit = int((heights < heights.min() + 0.5).sum())
    barn = float(displacement_cross_section(symbols[0], arguments.kv, arguments.threshold, escape="planar"))
    next_one = 1e8 / (n_exit * barn) if barn > 0 else None
    return {**found, "exit_face_atoms": n_exit, "cross_section_barn": barn, "next_loss_dose_e_per_A2": next_one}


def _print_visibility(document: dict[str, Any]) -> None:
    shows, gone = document["rose_dose_e_per_A2"], " ".join(map(str, document["without"]))
    print_note(f"The absence of {gone} shows from {shows:.3g} e/Å² (five standard deviations, Rose).")
    if "exit_face_atoms" not in document:
        return
    next_one = document["next_loss_dose_e_per_A2"]
    face = f"{document['exit_face_atoms']} {document['elements'][0]} of the exit face"
    if next_one is None:
        print_note(f"The beam cannot knock out any of the {face}.")
        return
    word = "the gap shows before" if next_one > shows else "what is seen has changed by then"
    print_note(f"By knock-on the beam takes one of the {face} every {next_one:.3g} e/Å²: {word}.")


def _row(arguments: Namespace, image: Image) -> dict[str, Any]:
    values = image.values
    row: dict[str, Any] = {
        "shape": list(values.shape),
        "pixel_A": max(image.field.pixel),
        "mean": float(values.mean()),
        "contrast": float(values.std() / abs(values.mean())) if values.mean() else None,
        "spacings": [],
    }
    if arguments.spacings:
        from nanoslab.crystals import load_crystal
        from nanoslab.measure.imaging import image_spacings, index_spacings

        found = image_spacings(image)
        for peak, indexed in zip(found, index_spacings(found, load_crystal(arguments.spacings)), strict=True):
            row["spacings"].append(
                {
                    "spacing_A": peak.spacing,
                    "angle_degrees": peak.angle_degrees,
                    "power": peak.power,
                    "hkl": list(indexed.hkl) if indexed else None,
                    "crystal_spacing_A": indexed.crystal_spacing if indexed else None,
                    "strain": indexed.strain if indexed else None,
                }
            )
    return row


def _spacing_cells(row: dict[str, Any]) -> list[list[str]]:
    cells = []
    for peak in row["spacings"][:SHOWN]:
        known = ["-", "-", "-"]
        if peak["hkl"] is not None:
            known = [" ".join(map(str, peak["hkl"])), f"{peak['crystal_spacing_A']:.4f}", f"{100 * peak['strain']:.2f}"]
        cells.append([f"{peak['spacing_A']:.4f}", f"{peak['angle_degrees']:.1f}", f"{peak['power']:.3f}", *known])
    return cells


def _plot(path: str, images: list[Image]) -> None:
    from nanoslab.cli.beam.knockon_plot import plot_file, save
    from nanoslab.report.draw import new_panels

    target = plot_file(path)
    figure, panels = new_panels(len(images), width="single" if len(images) == 1 else "double", height=8.0, beside=True)
    for axes, image in zip(panels, images, strict=True):
        (x, y), (width, height) = image.field.corner, image.field.lengths
        axes.imshow(image.values.T, origin="lower", cmap="gray", extent=(x, x + width, y, y + height))
        axes.set_xlabel("x (Å)")
        axes.set_ylabel("y (Å)")
    save(figure, target, path)
