"""Scattering beside its peers on the same processor: python tests/benchmarks/bench_scattering.py [DEBYER].

Processor time of a Debye intensity at 1000 scattering vectors. DebyeCalculator is `pip install DebyeCalculator`;
Debyer (C) is in no registry: give the path of its program, built from github.com/wojdyr/debyer with -O3 -ffast-math.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.io import write

from nanoslab.measure.scattering import debye_intensity

Q = np.linspace(0.5, 20.0, 1000)


def ball(n_atoms: int, displacement: float) -> Atoms:
    """Sphere of zinc-blende CdSe with random displacements [Å]."""
    cells = int((n_atoms / 8 * 6 / np.pi) ** (1 / 3)) + 3
    atoms = bulk("CdSe", "zincblende", a=6.08, cubic=True) * (cells, cells, cells)
    atoms = atoms[np.argsort(np.linalg.norm(atoms.positions - atoms.cell.sum(axis=0) / 2, axis=1))[:n_atoms]]
    atoms.positions += displacement * np.random.default_rng(0).standard_normal(atoms.positions.shape)
    return Atoms(atoms.symbols, atoms.positions)


def seconds(function: Callable[[], object]) -> float:
    """Processor time of this process and its children [s]."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.process_time()
    function()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() - started + after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def debyer(program: str, file: Path) -> Callable[[], object]:
    """The same curve by Debyer."""
    command = [program, "-x", "-f0.5", "-t20", "-s0.0195", "-o", str(file.with_suffix(".out")), str(file)]
    return lambda: subprocess.run(command, check=True, capture_output=True)


def main() -> None:
    """Print the table."""
    try:
        from debyecalculator import DebyeCalculator
    except ImportError:
        DebyeCalculator = None
    with tempfile.TemporaryDirectory() as folder:
        for n_atoms in (2000, 20000, 100000):
            for name, displacement in (("on its lattice", 0.0), ("displaced", 0.05)):
                atoms = ball(n_atoms, displacement)
                row = [f"{n_atoms:7d} {name:15s} nanoslab {seconds(lambda a=atoms: debye_intensity(a, Q)):8.2f} s"]
                file = Path(folder) / f"{n_atoms}{displacement}.xyz"
                write(file, atoms, format="xyz")
                if len(sys.argv) > 1:
                    row.append(f"Debyer {seconds(debyer(sys.argv[1], file)):8.2f} s")
                if DebyeCalculator is not None and n_atoms <= 2000:
                    peer = DebyeCalculator(qmin=0.5, qmax=20.0, qstep=0.0195, biso=0.0, device="cpu")
                    row.append(f"DebyeCalculator {seconds(lambda p=peer, f=file: p.iq(str(f))):8.2f} s")
                print("   ".join(row), flush=True)


if __name__ == "__main__":
    main()
