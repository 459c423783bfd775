"""Reading VASP files: this reader, pymatgen, ASE and a bare byte search, side by side in one run.

    python tests/benchmarks/bench_read.py [--corpus FOLDER] [--repeat 3] [--largest 4]

Prints a Markdown table; every ratio is that reader's time over ours on the same file. `search` reads the whole
file and searches it once; for compressed files it decompresses with the same library first. Ours gives energies,
final forces and structure and the verdict; pymatgen is `Vasprun(parse_dos=False, parse_eigen=False,
parse_potcar_file=False)` or `Outcar`, ASE is `ase.io.read`, once for the last image and once for all of them (which
is what the energies of every ionic step need). A reader that cannot read a file gets a dash. Times are of the
processor, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "vasp_corpus"
_LEAST_BYTES = 10_000_000


def main() -> None:
    """Time every file and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--repeat", type=int, default=3, help="the fastest of these counts")
    parser.add_argument("--largest", type=int, default=4, help="so many of the largest real files of each kind")
    parser.add_argument("--memory", nargs=2, metavar=("READER", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory:
        _print_peak(*arguments.memory)
        return
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        print("| file | MB | ours [ms] | pymatgen | ASE, last | ASE, all | search | memory of ours / file |")
        print("|---|---|---|---|---|---|---|---|")
        for label, path in _files(Path(name), arguments.corpus, arguments.largest):
            print(_row(label, path, arguments.repeat), flush=True)


def _row(label: str, path: Path, repeat: int) -> str:
    size = path.stat().st_size
    kind = next(name for name in ("OUTCAR", "vaspout", "vasprun") if name in path.name or name == "vasprun")
    ours = _seconds(lambda: _ours(path), repeat)
    others = [
        _seconds(lambda: _pymatgen(path, kind), 1),
        _seconds(lambda: _ase(path, kind, "-1"), 1),
        _seconds(lambda: _ase(path, kind, ":"), 1),
        _seconds(lambda: _search(path), repeat),
    ]
    assert ours is not None
    ratios = ["-" if other is None else f"{other / ours:.1f}" for other in others]
    peak = (_peak("ours", path) - _peak("nothing", path)) / size
    return f"| {label} | {size / 1e6:.0f} | {1e3 * ours:.1f} | {' | '.join(ratios)} | {max(peak, 0):.2f} |"


def _seconds(action: Callable[[], object], repeat: int) -> float | None:
    best = float("inf")
    for _ in range(repeat):
        start = time.process_time()
        try:
            action()
        except Exception:  # noqa: BLE001  (whatever the peers raise)
            return None
        best = min(best, time.process_time() - start)
    return best


def _ours(path: Path) -> object:
    from nanoslab.vasp import read_run

    run = read_run(path)
    assert run.energy is not None
    return run


def _pymatgen(path: Path, kind: str) -> object:
    from pymatgen.io.vasp import Outcar, Vasprun
    from pymatgen.io.vasp.outputs import Vaspout

    if kind == "vaspout":
        return Vaspout(str(path), parse_dos=False, parse_eigen=False, store_potcar=False).final_energy
    if kind == "OUTCAR":
        return Outcar(str(path)).final_energy
    return Vasprun(str(path), parse_dos=False, parse_eigen=False, parse_potcar_file=False).final_energy


def _ase(path: Path, kind: str, index: str) -> object:
    import ase.io

    if kind == "vaspout":
        raise ValueError("ASE has no reader of vaspout.h5")
    images = ase.io.read(path, index=index, format="vasp-out" if kind == "OUTCAR" else "vasp-xml")
    return (images if index == "-1" else images[-1]).get_potential_energy()


def _search(path: Path) -> int:
    if path.suffix == ".gz":
        from isal import igzip

        with igzip.open(path, "rb") as stream:
            return stream.read().count(b"</calculation>")
    return path.read_bytes().count(b"</calculation>")


def _peak(reader: str, path: Path) -> int:
    """Largest resident memory [bytes] of a process of its own."""
    command = [sys.executable, __file__, "--memory", reader, str(path)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _print_peak(reader: str, path: str) -> None:
    import nanoslab.vasp.runs.read_run  # noqa: F401  (what is measured is the file, not the imports)

    if reader == "ours":
        _ours(Path(path))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def _files(folder: Path, corpus: Path, n_largest: int) -> list[tuple[str, Path]]:
    writers = _writers()
    many = writers.Run(steps=tuple(writers.shifted(-20.0 - i * 1e-4, n=12) for i in range(4000)))
    large = writers.Run(extra_kib=60 * 1024)
    files = []
    for label, run in (("4000 ionic steps", many), ("one step, many eigenvalues", large)):
        for name, text in (("vasprun.xml", writers.vasprun(run)), ("OUTCAR", writers.outcar(run))):
            path = folder / label.replace(" ", "-").replace(",", "") / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text)
            files.append((f"synthetic {name}, {label}", path))
        path = folder / label.replace(" ", "-").replace(",", "") / "vaspout.h5"
        levels = np.zeros((1, 400, 64 * run.extra_kib // 1024 + 8)) if run.extra_kib > 1 else None
        writers.vaspout(run, path, levels=None if levels is None else (levels, levels))
        with h5py.File(path, "a") as file:
            del file["input/potcar/content"]  # pymatgen refuses one that is no POTCAR
        files.append((f"synthetic vaspout.h5, {label}", path))
    if corpus.is_dir():
        files += _real(folder, corpus, n_largest)
    return files


def _real(folder: Path, corpus: Path, n_largest: int) -> list[tuple[str, Path]]:
    """The largest real files, unpacked, and the largest of them packed as it is."""
    found = []
    for pattern in ("vasprun*", "OUTCAR*"):
        paths = sorted(corpus.rglob(pattern), key=lambda path: path.stat().st_size, reverse=True)
        paths = [path for path in paths if path.is_file() and path.suffix == ".gz"][: 3 * n_largest]
        plain = [_unpacked(folder, path) for path in paths]
        plain = [path for path in plain if path.stat().st_size > _LEAST_BYTES or pattern == "OUTCAR*"]
        plain.sort(key=lambda path: path.stat().st_size, reverse=True)
        found += [(f"real {path.parent.name}/{path.name}", path) for path in plain[:n_largest]]
        found.append((f"real {paths[0].parent.name}/{paths[0].name}", paths[0]))
    return found


def _unpacked(folder: Path, path: Path) -> Path:
    from isal import igzip

    target = folder / f"{os.urandom(3).hex()}-{path.parent.name}" / path.stem
    target.parent.mkdir(parents=True)
    target.write_bytes(igzip.decompress(path.read_bytes()))
    return target


def _writers():
    path = Path(__file__).resolve().parents[1] / "support" / "vasp_writers.py"
    spec = importlib.util.spec_from_file_location("vasp_writers", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
