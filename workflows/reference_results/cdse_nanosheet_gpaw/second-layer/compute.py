"""Relax the wurtzite sheet without one Se of its second layer, by GPAW at 2x2x1; goes on where it was stopped.

python compute.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.optimize import BFGS, BFGSLineSearch

from nanoslab.calculation import Settings
from nanoslab.engines import engine

PRISTINE = Path(__file__).parents[1] / "wurtzite-pristine" / "gpaw" / "final.extxyz"
SETTINGS = Settings(source="PBE", kpoints=(2, 2, 1), gamma_centred=False, relax="ions", force_tolerance=0.05)


def start() -> Atoms:
    """CHGNet's sheet, middle plane frozen, relaxed once more without a Se of the second plane from above."""
    sheet = ase.io.read(PRISTINE)
    sheet.calc = None
    heights = sheet.positions[:, 2] - sheet.positions[:, 2].min()
    planes = np.round(6 * heights / heights.max()).astype(int)  # seven monolayers
    sheet.set_constraint(FixAtoms(np.flatnonzero(planes == 3)))
    network = engine("chgnet:corrections=removed")
    for removed in (None, int(np.flatnonzero((planes == 5) & (sheet.symbols == "Se"))[0])):
        if removed is not None:
            del sheet[removed]
        sheet.calc = network.calculator(sheet, SETTINGS)
        BFGSLineSearch(sheet, logfile=None).run(fmax=0.02, steps=150)
    return sheet


def main(folder: Path) -> None:
    """Every step goes to path.extxyz with energy and forces."""
    folder.mkdir(parents=True, exist_ok=True)
    path, begin = folder / "path.extxyz", folder / "start.extxyz"
    if not begin.exists():
        atoms = start()
        np.save(folder / "fixed.npy", atoms.constraints[0].index)
        ase.io.write(begin, atoms)
    atoms = ase.io.read(path if path.exists() else begin)
    atoms.set_constraint(FixAtoms(np.load(folder / "fixed.npy")))
    atoms.calc = engine("gpaw:symmetry=off").calculator(atoms, SETTINGS)
    atoms.calc.directory = str(folder)

    def save() -> None:
        frame = atoms.copy()
        frame.constraints = []
        frame.calc = SinglePointCalculator(
            frame, energy=atoms.get_potential_energy(), forces=atoms.get_forces(apply_constraint=False)
        )
        ase.io.write(path, frame, append=True)

    optimiser = BFGS(atoms, logfile=str(folder / "bfgs.log"), restart=str(folder / "hessian.json"), maxstep=0.15)
    optimiser.attach(save)
    optimiser.run(fmax=SETTINGS.force_tolerance, steps=60)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
