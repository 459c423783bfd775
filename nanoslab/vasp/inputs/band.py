"""Input set of a nudged elastic band: one folder per image, for VASP as it is or with the VTST code."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ase import Atoms

from nanoslab.calculation import Calculation
from nanoslab.errors import FileError, InputError
from nanoslab.files import write_where_changed
from nanoslab.vasp.inputs.deck import open_library, plan_deck
from nanoslab.vasp.inputs.incar_names import TagValue
from nanoslab.vasp.inputs.potcar import PotcarLibrary
from nanoslab.vasp.inputs.settings import Incar, incar
from nanoslab.vasp.poscar import poscar_text

#: springs of -5 eV/Å² nudge; damped dynamics, as line searches need energies that a nudged force has not
PLAIN: Mapping[str, TagValue] = {"SPRING": -5.0, "IBRION": 3, "POTIM": 0.1}
#: climbing image and an optimiser of the VTST code, which IBRION = 3 with POTIM = 0 hands over to
VTST: Mapping[str, TagValue] = {
    **{"ICHAIN": 0, "SPRING": -5.0, "LCLIMB": True},
    **{"IBRION": 3, "POTIM": 0.0, "IOPT": 3},
}


def write_band(
    calculation: Calculation,
    images: Sequence[Atoms],
    folder: str | os.PathLike[str],
    *,
    vtst: bool = False,
    potcar_library: PotcarLibrary | Path | None = None,
) -> tuple[Path, ...]:
    """Write ``00`` to ``NN``, and INCAR, KPOINTS and POTCAR (or POTCAR.spec) beside them, into a new or empty folder.

    The images are start, images between and end, atom by atom the same; level of theory and library of POTCARs are
    those of `nanoslab.vasp.write_deck`. With the VTST code an image climbs; without, the highest one stays below the
    saddle.
    """
    folder = Path(folder)
    if len(images) < 3:
        raise InputError("images", expected="two ends and at least one image between", got=len(images))
    for number, image in enumerate(images):
        if image.get_chemical_symbols() != images[0].get_chemical_symbols():
            got = image.get_chemical_formula()
            raise InputError(f"image {number}", expected="the atoms of the start in their order", got=got)
    if folder.is_dir() and any(folder.iterdir()):
        advice = "write the band into a new folder"
        raise FileError(folder, expected="a new or empty folder", got="one with files", advice=advice)
    plan = plan_deck(calculation, folder, open_library(potcar_library))
    tags = {**incar(calculation).tags, "IMAGES": len(images) - 2, **(VTST if vtst else PLAIN)}
    files = {name: content for name, content in plan.files.items() if name in ("KPOINTS", "POTCAR", "POTCAR.spec")}
    files["INCAR"] = Incar(tags=tags).text().encode()
    for number, image in enumerate(images):
        comment = f"{calculation.name}, image {number:02d}"
        files[f"{number:02d}/POSCAR"] = poscar_text(image, comment=comment).encode()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_where_changed(folder / name, content)
    return tuple(folder / name for name in files)
