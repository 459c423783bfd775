"""Neutral particles over a sweep of sizes, beside QD_Builder (nlesc-nano) in one run.

QD_Builder (MIT) goes into an environment of its own, since it brings its own pymatgen:

    python -m venv qd && qd/bin/pip install path/to/QD_Builder     (a clone of nlesc-nano/QD_Builder)
    python tests/benchmarks/bench_particles.py --peer qd/bin/nc-builder

Both cut CdSe by the same facets (111A 1, 111B 1.2, 001 1.1) at the same radii and bind Cl. Printed are the charge, the
atoms held by one bond at most, the closest contact in bonds, and the seconds of each program.
"""

from __future__ import annotations

import argparse
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from ase import Atoms
from ase.io import read, write
from ase.neighborlist import neighbor_list

from nanoslab.builders import Ligands, Shape, Surface, build_particle
from nanoslab.crystals import crystal

FACETS = {"111A": 1.0, "111B": 1.2, "001": 1.1}
CHARGES = {"Cd": 2, "Se": -2, "Cl": -1}
SETTINGS = """facets:
  - {hkl: "111", gamma: 1.0}
  - {hkl: "-1-1-1", gamma: 1.2}
  - {hkl: "100", gamma: 1.1}
passivation: {ligand: Cl, surf_tol: 2.0}
charges: {Cd: 2, Se: -2, Cl: -1}
"""


def judged(atoms: Atoms) -> dict[str, float]:
    """Charge [e], atoms of the crystal with one bond at most, closest contact [Cd-Se bonds]."""
    bond = neighbor_list("d", crystal("CdSe-zincblende"), 3.0).min()
    bonds = np.bincount(neighbor_list("i", atoms, 1.2 * bond), minlength=len(atoms))
    core = atoms.numbers != 17
    return {
        "atoms": len(atoms),
        "charge": sum(CHARGES[one] for one in atoms.get_chemical_symbols()),
        "loose": int((core & (bonds < 2)).sum()),
        "closest": float(neighbor_list("d", atoms, 4.0).min() / bond),
    }


def peer(program: str, folder: Path, radius: float) -> Atoms | None:
    """Particle of QD_Builder; None where it stops."""
    target = folder / f"{radius:.1f}.xyz"
    command = [program, str(folder / "CdSe.cif"), str(folder / "set.yaml"), "-r", f"{radius:.2f}", "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    return read(target) if done.returncode == 0 and target.exists() else None


def main() -> None:
    """Print one line per size and program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help="nc-builder of QD_Builder; without it only nanoslab runs")
    parser.add_argument("--radii", nargs="+", type=float, default=[8, 10, 12, 14, 16, 18, 20, 24, 28, 32, 36, 40])
    arguments = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "CdSe.cif", crystal("CdSe-zincblende"))
        (folder / "set.yaml").write_text(SETTINGS)
        print("radius [Å]  program     atoms  charge  loose  closest  seconds")
        for radius in arguments.radii:
            start = time.perf_counter()
            shape = Shape(kind="wulff", diameter=radius / 5.0, facets=FACETS)
            rows = [("nanoslab", build_particle("CdSe-zincblende", shape, Surface(ligands=Ligands(name="Cl"))), start)]
            seconds = [time.perf_counter() - start]
            if arguments.peer:
                start = time.perf_counter()
                rows.append(("QD_Builder", peer(arguments.peer, folder, radius), start))
                seconds.append(time.perf_counter() - start)
            for (program, atoms, _), took in zip(rows, seconds, strict=True):
                if atoms is None:
                    print(f"{radius:10.1f}  {program:<10}  stopped with an error  {took:.1f}", flush=True)
                    continue
                told = judged(atoms)
                numbers = f"{told['atoms']:6.0f}  {told['charge']:6.0f}  {told['loose']:5.0f}  {told['closest']:7.2f}"
                print(f"{radius:10.1f}  {program:<10} {numbers}  {took:7.1f}", flush=True)


if __name__ == "__main__":
    main()
