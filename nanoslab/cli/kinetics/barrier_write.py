"""Images between two relaxed structures, and the input files of the band, in folders 00 to NN.

The atoms of the end are matched with those of the start. Of a run folder its last structure is taken, and its OUTCAR is
copied into 00 or NN, where 'nanoslab barrier read' looks for the energies of the ends.

Example: nanoslab barrier write relaxed-start relaxed-end band --images 5 --vtst
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nanoslab.cli.output import add_json_option, print_json
from nanoslab.errors import FileError, InputError

if TYPE_CHECKING:
    from ase import Atoms


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("start", type=Path, help="structure file, or folder of its relaxation by VASP")
    add("end", type=Path, help="the same of the other minimum")
    add("folder", type=Path, help="new folder of the band")
    add("--images", type=int, default=5, metavar="N", help="images between the ends (default: 5)")
    add("--vtst", action="store_true", help="for a VASP with the VTST code: the highest image climbs")
    add("--preset", default="pbe", help="level of theory (default: pbe)")
    add("--kpoints", type=int, nargs=3, default=[1, 1, 1], metavar="N", help="k-point mesh (default: 1 1 1)")
    add("--potcars", type=Path, metavar="DIR", help="your POTCAR library (default: from the environment)")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    """Match, interpolate and write."""
    from nanoslab.atom_paths import interpolated, matched
    from nanoslab.calculation import Calculation, Role
    from nanoslab.presets import preset
    from nanoslab.vasp.inputs.band import write_band

    if arguments.images < 1:
        raise InputError("--images", expected="1 or more", got=arguments.images)
    start, end = matched(_structure(arguments.start), _structure(arguments.end))
    images = interpolated(start, end, arguments.images)
    settings = replace(preset(arguments.preset), relax="ions", kpoints=tuple(arguments.kpoints))
    calculation = Calculation(name="band", role=Role(kind="path"), atoms=start, settings=settings)
    files = write_band(calculation, images, arguments.folder, vtst=arguments.vtst, potcar_library=arguments.potcars)
    missing = []
    for source, number in ((arguments.start, 0), (arguments.end, len(images) - 1)):
        outcar = source / "OUTCAR"
        if outcar.is_file():
            shutil.copyfile(outcar, arguments.folder / f"{number:02d}" / "OUTCAR")
        else:
            missing.append(f"{number:02d}")
    if arguments.json:
        print_json({"folder": str(arguments.folder), "n_images": len(images), "files": [str(file) for file in files]})
        return
    print(f"wrote {len(images)} images to {arguments.folder}; run VASP there on a multiple of {arguments.images} cores")
    if missing:
        print(f"copy the OUTCAR of the relaxed end into {' and '.join(missing)}: its energy is part of the barrier")


def _structure(path: Path) -> Atoms:
    """Structure of a file, or the last one of a run that converged."""
    from nanoslab.cli.structures import read_structure
    from nanoslab.vasp import read_run

    if not path.is_dir():
        return read_structure(path)
    result = read_run(path)
    if not result.converged:
        got = "; ".join(result.problems) or "one that is not"
        raise FileError(path, expected="a converged relaxation", got=got, advice="relax the end first")
    return result.to_atoms()
