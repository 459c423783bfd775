"""Images of a structure in the microscope with counting noise; spacings in these or in a measured image.

Examples: nanoslab image sheet.vasp --kv 300 --defocus 60 --dose 500 --plot image.png
          nanoslab image sheet.vasp --kv 200 --mode haadf --spacings CdSe-wurtzite
          nanoslab image etched.extxyz --kv 300 --dose 500 --plot frames.png
          nanoslab image sheet.vasp --kv 200 --mode haadf --without 12 40
          nanoslab image measured.emd --spacings CdSe-zincblende

The beam runs along z. A file of several structures, such as an etching path, gives one image each. --without says at
which dose the absence of some atoms (numbers from 0) shows. A microscope's file is read with its scale by RosettaSciIO.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.beam.microscope_file import READERS, read_image
from nanoslab.cli.measuring.inputs import read_frames
from nanoslab.cli.output import add_json_option, print_json, print_note, print_table
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from ase import Atoms

    from nanoslab.measure.imaging import Image


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
    add("--first-look", action="store_true", help="hrtem of the projected potential instead of slice by slice")
    add("--dose", type=float, metavar="DOSE", help="counting noise of a dose [e/Å²]")
    add("--seed", type=int, default=0, help="of the noise (default: %(default)s)")
    add("--spacings", metavar="CRYSTAL", help="spacings in the image, indexed in a crystal by name or file")
    add("--without", type=int, nargs="+", metavar="ATOM", help="dose at which the absence of these atoms shows")
    add("--plot", metavar="FILE", help="the images as .png, .pdf or .svg")
    add_json_option(parser)


def run(arguments: Namespace) -> None:
    if arguments.file.suffix.lower() in READERS:
        images, document = [read_image(arguments.file)], {}
    else:
        frames = read_frames(arguments.file)
        images, document = _images(arguments, frames), {"doses": [atoms.info.get("dose_e_per_A2") for atoms in frames]}
        if arguments.without:
            document = {**document, **_visibility(arguments, frames[0], images[0])}
    if arguments.dose:
        from nanoslab.measure.imaging import counted_image

        images = [counted_image(image, arguments.dose, arguments.seed + k) for k, image in enumerate(images)]
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
        gone = " ".join(map(str, arguments.without))
        print_note(f"The absence of {gone} shows from {document['rose_dose_e_per_A2']:.3g} e/Å² (Rose, 5).")


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
    from nanoslab.measure.imaging import field_of_view, haadf_image, hrtem_image

    microscope = _microscope(arguments)
    field = field_of_view(frames[0], arguments.pixel)
    if arguments.mode == "haadf":
        return [haadf_image(atoms, microscope, field) for atoms in frames]
    thickness = None if arguments.first_look else 2.0
    return [hrtem_image(atoms, microscope, field, thickness) for atoms in frames]


def _visibility(arguments: Namespace, atoms: Atoms, image: Image) -> dict[str, Any]:
    from nanoslab.measure.imaging import rose_dose

    if not all(0 <= number < len(atoms) for number in arguments.without):
        raise InputError("--without", expected=f"atoms from 0 to {len(atoms) - 1}", got=str(arguments.without))
    left = atoms[[number for number in range(len(atoms)) if number not in arguments.without]]
    changed = _images(arguments, [atoms, left])[1]
    symbols = [atoms.symbols[number] for number in arguments.without]
    return {"without": arguments.without, "elements": symbols, "rose_dose_e_per_A2": rose_dose(image, changed)}


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
