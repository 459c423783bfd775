"""Energies of PbSe necks by PBE (CP2K) on structures that CHGNet relaxed; goes on where it was stopped.

python compute.py FOLDER [double-slab neck-04-3.3 ...]
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import ase.io
from ase import Atoms
from ase.build import bulk
from ase.optimize import BFGSLineSearch

from nanoslab.builders.neck import build_neck_of_shape, describe_double_slab
from nanoslab.builders.neck_shapes import neck_shape
from nanoslab.calculation import Settings
from nanoslab.engines import engine

SLAB = describe_double_slab("PbSe-rocksalt", gap_planes=2, lattice="pbe", lateral=(6, 6), planes=2, vacuum=10.0)
#: columns along the two sides of the rectangles
NECKS = {
    "neck-01-1": (1, 1),
    "neck-02-3": (2, 1),
    "neck-04-3.3": (2, 2),
    "neck-06-7.7": (3, 2),
    "neck-09-7.7.7": (3, 3),
    "neck-12-f.f.f": (4, 3),
    "neck-16-f.f.f.f": (4, 4),
    "neck-20-1f.1f.1f.1f": (5, 4),
    "neck-25-1f.1f.1f.1f.1f": (5, 5),
}
DFT, NETWORK = engine("cp2k:cutoff=100,relative_cutoff=30"), engine("chgnet")


def structure(name: str) -> Atoms:
    """Structure as built; the bulk cell with 3x3x3 k-points is the Gamma point of a block as wide as the slab."""
    if name == "bulk":
        return bulk("PbSe", "rocksalt", a=6.2086, cubic=True)
    if name == "double-slab":
        return build_neck_of_shape(SLAB, None)
    columns, lines = NECKS[name]
    cells = [(i, j) for i in range(columns) for j in range(lines)]
    return build_neck_of_shape(SLAB, neck_shape(SLAB, cells), empty_columns=1)


def compute(name: str, folder: Path) -> None:
    """Relax by CHGNet, then one energy with forces by CP2K."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "energy.json").exists():
        return
    mesh = (3, 3, 3) if name == "bulk" else (1, 1, 1)
    settings = Settings(source="PBE", relax="none", kpoints=mesh, smearing_width=0.05)
    atoms = structure(name)
    if name != "bulk":
        atoms.calc = NETWORK.calculator(atoms, settings)
        BFGSLineSearch(atoms, logfile=str(folder / "chgnet.log")).run(fmax=0.08, steps=60)
    calculator = DFT.calculator(atoms, settings)
    calculator.directory = str(folder)
    atoms.calc = calculator
    begin = time.time()
    energy = float(atoms.get_potential_energy())
    ase.io.write(folder / "final.extxyz", atoms)
    document = {"energy_eV": energy, "n_atoms": len(atoms), "wall_time_s": round(time.time() - begin, 1)}
    (folder / "energy.json").write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    for asked in sys.argv[2:] or ("bulk", "double-slab", *NECKS):
        compute(asked, Path(sys.argv[1]) / asked)
