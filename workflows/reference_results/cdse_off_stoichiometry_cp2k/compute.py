"""Energies and forces by PBE (CP2K) of the ways that CHGNet's search put lowest; goes on where it was stopped.

python compute.py FOLDER [wurtzite-pristine zincblende-Se-c008 ...]
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import ase.io

from nanoslab.calculation import Settings
from nanoslab.engines import engine

STRUCTURES = Path(__file__).parents[1] / "cdse_off_stoichiometry_chgnet"
NAMES = tuple(
    path.name
    for path in sorted(STRUCTURES.iterdir())
    if path.name.startswith(("wurtzite-", "zincblende-")) and path.is_dir()
)
DFT = engine("cp2k:cutoff=300")
SETTINGS = Settings(
    source="PBE", relax="none", kpoints=(2, 2, 1), gamma_centred=False, dipole_correction=True, max_electronic_steps=150
)


def compute(name: str, folder: Path) -> None:
    """One energy with forces, on the structure as CHGNet relaxed it."""
    if (folder / "energy.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    atoms = ase.io.read(STRUCTURES / name / "chgnet" / "final.extxyz")
    atoms.constraints = []
    atoms.calc = DFT.calculator(atoms, SETTINGS)
    atoms.calc.directory = str(folder)
    begin = time.time()
    energy = float(atoms.get_potential_energy())
    ase.io.write(folder / "final.extxyz", atoms)
    document = {"energy_eV": energy, "n_atoms": len(atoms), "wall_time_s": round(time.time() - begin, 1)}
    (folder / "energy.json").write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    for asked in sys.argv[2:] or NAMES:
        compute(asked, Path(sys.argv[1]) / asked)
