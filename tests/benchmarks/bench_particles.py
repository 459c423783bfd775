"""Neutral particles over a sweep of sizes, beside QD_Builder (nlesc-nano) in one run.

QD_Builder (MIT) goes into an environment of its own, since it brings its own pymatgen:

    python -m venv qd && qd/bin/pip install path/to/QD_Builder     (a clone of nlesc-nano/QD_Builder)
    python tests/benchmarks/bench_particles.py --peer qd/bin/nc-builder

Both cut every case (crystal, facets, cation-rich or anion-rich) at the same radii and bind Cl. Printed are the charge,
the atoms held by one bond at most, the closest contact in bonds, and the seconds of each program; at the end, how many
particles of each are neutral. A program that takes longer than --limit is stopped and counted as such.
"""

from __future__ import annotations

import argparse
import subprocess
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from ase import Atoms
from ase.io import read, write
from ase.neighborlist import neighbor_list
from scipy.spatial import cKDTree

from nanoslab.builders import Ligands, Shape, Surface, build_particle
from nanoslab.crystals import crystal
from nanoslab.errors import InputError

#: crystal and facets with their energies; zinc blende cut rich in either ion
CASES = {
    "CdSe zinc blende, Cd faces": ("CdSe-zincblende", {"111A": 1.0, "111B": 1.2, "001": 1.1}),
    "CdSe zinc blende, Se faces": ("CdSe-zincblende", {"111A": 1.2, "111B": 1.0, "001": 1.1}),
    "CdSe zinc blende, {001}": ("CdSe-zincblende", {"001": 1.0}),
    "CdSe wurtzite": ("CdSe-wurtzite", {"0001A": 1.0, "0001B": 1.2, "10-10": 1.0}),
    "PbSe rock salt, {111}": ("PbSe-rocksalt", {"001": 1.2, "111": 1.0}),
}
#: the same faces in QD_Builder's signed indices
SIGNED = {"111A": "111", "111B": "-1-1-1", "001": "100", "0001A": "001", "0001B": "00-1", "10-10": "100", "111": "111"}


def charges(atoms: Atoms) -> int:
    """Formal charge of a particle with its ligands [e]."""
    return sum({"Cd": 2, "Pb": 2, "Se": -2, "Cl": -1}[one] for one in atoms.get_chemical_symbols())


def judged(atoms: Atoms, name: str) -> dict[str, float]:
    """Charge [e], atoms of the crystal with one bond at most, closest contact [bonds of the crystal]."""
    bond = neighbor_list("d", crystal(name), 3.5).min()
    tree = cKDTree(atoms.positions)
    bonds = np.bincount(tree.query_pairs(1.2 * bond, output_type="ndarray").ravel(), minlength=len(atoms))
    core = atoms.numbers != 17
    return {
        "atoms": len(atoms),
        "charge": charges(atoms),
        "loose": int((core & (bonds < 2)).sum()),
        "closest": float(tree.query(atoms.positions, 2)[0][:, 1].min() / bond),
    }


def peer(program: str, folder: Path, radius: float, limit: float) -> Atoms | str:
    """Particle of QD_Builder, or how it ended without one."""
    target = folder / f"{radius:.1f}.xyz"
    command = [program, str(folder / "crystal.cif"), str(folder / "set.yaml"), "-r", f"{radius:.2f}", "-o", str(target)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=limit)
    except subprocess.TimeoutExpired:
        return f"not done in {limit:g} s"
    if done.returncode or not target.exists():
        return f"error: {done.stderr.strip().splitlines()[-1][:60] if done.stderr.strip() else 'no file'}"
    return read(target)


def ours(name: str, facets: dict[str, float], radius: float) -> Atoms | str:
    """Particle of nanoslab, or its refusal."""
    shape = Shape(kind="wulff", diameter=radius / 5.0, facets=facets)
    try:
        return build_particle(name, shape, Surface(ligands=Ligands(name="Cl")))
    except InputError as error:
        return str(error)[:80]


def settings(facets: dict[str, float]) -> str:
    """QD_Builder's settings for the same facets."""
    lines = [f'  - {{hkl: "{SIGNED[face]}", gamma: {energy}}}' for face, energy in facets.items()]
    rest = ["passivation: {ligand: Cl, surf_tol: 2.0}", "charges: {Cd: 2, Pb: 2, Se: -2, Cl: -1}"]
    return "\n".join(["facets:", *lines, *rest]) + "\n"


def main() -> None:
    """Print one line per case, size and program, then the count of neutral particles."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help="nc-builder of QD_Builder; without it only nanoslab runs")
    parser.add_argument("--radii", nargs="+", type=float, default=[8, 12, 16, 20, 24, 28, 32, 40])
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for one particle of the peer")
    arguments = parser.parse_args()
    neutral: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    print("case                        radius [Å]  program     atoms  charge  loose  closest  seconds")
    for case, (name, facets) in CASES.items():
        with TemporaryDirectory() as made:
            folder = Path(made)
            write(folder / "crystal.cif", crystal(name))
            (folder / "set.yaml").write_text(settings(facets))
            for radius in arguments.radii:
                programs = {"nanoslab": lambda n=name, f=facets, r=radius: ours(n, f, r)}
                if arguments.peer:
                    programs["QD_Builder"] = lambda r=radius, at=folder: peer(arguments.peer, at, r, arguments.limit)
                for program, build in programs.items():
                    start = time.perf_counter()
                    atoms = build()
                    took = time.perf_counter() - start
                    tried[program] += 1
                    head = f"{case:<27} {radius:10.1f}  {program:<10}"
                    if isinstance(atoms, str):
                        print(f"{head}  {atoms}  {took:.1f}", flush=True)
                        continue
                    told = judged(atoms, name)
                    neutral[program] += told["charge"] == 0
                    numbers = (
                        f"{told['atoms']:6.0f}  {told['charge']:6.0f}  {told['loose']:5.0f}  {told['closest']:7.2f}"
                    )
                    print(f"{head} {numbers}  {took:7.1f}", flush=True)
    for program, number in tried.items():
        print(f"{program}: {neutral[program]} of {number} neutral")


if __name__ == "__main__":
    main()
