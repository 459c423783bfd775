"""Distinct ways to lose atoms beside SHRY, bsym and enumlib in one run: python tests/benchmarks/bench_enumeration.py.

Each count is made by a process of its own on one core, which reports its processor time, that of the programs it calls
included, and the largest memory it held; the quickest of three runs counts, of one run where that takes over a minute.
SHRY's time is that of its patterns, before it makes structures of them; ours is given with identifiers and Parquet
file, and alone. bsym and enumlib, through pymatgen, make structures of all and are asked for the smallest case only;
enumlib's ``enum.x`` and ``makestr.x`` (github.com/msg-byu/enumlib, with gfortran) must be on the path. ``--verify
FOLDER`` compares counts with those published by SHRY (its benchmark 03, 499 crystals of the Crystallography Open
Database, arXiv 2111.13409): give the folder that holds ``benchmark_result.csv``.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

#: atoms removed from the 112-atom wurtzite sheet -> about how many distinct ways
CASES = ({"Se": 3}, {"Se": 4}, {"Se": 5}, {"Se": 4, "Cd": 1}, {"Se": 6}, {"Se": 3, "Cd": 2})


def sheet() -> Any:
    from nanoslab.builders import build_nanosheet

    return build_nanosheet("CdSe-wurtzite", "11-20", 7, repeat=(2, 2), fix="none")


def ours(counts: dict[str, int]) -> int:
    from nanoslab.builders.enumeration import removals, write_table

    questions = removals(sheet(), counts)
    with tempfile.TemporaryDirectory() as folder:
        blocks = ((one, block) for one in questions for block in one.blocks())
        return write_table(Path(folder) / "ways.parquet", blocks, questions)


def alone(counts: dict[str, int]) -> int:
    """Ours without identifiers and file."""
    from nanoslab.builders.enumeration import removals
    from nanoslab.builders.enumeration.orbits import orbits

    return sum(len(masks) for one in removals(sheet(), counts) for masks, _ in orbits(one.choice))


def marked(counts: dict[str, int]) -> Any:
    """The sheet as a disordered structure: one disordered group per species, a lighter element for what is gone."""
    from pymatgen.core import Structure

    atoms = sheet()
    totals = {one: int((atoms.symbols == one).sum()) for one in ("Cd", "Se")}
    other = {"Cd": "Zn", "Se": "S"}
    species = [
        {symbol: 1 - counts[symbol] / totals[symbol], other[symbol]: counts[symbol] / totals[symbol]}
        if counts.get(symbol)
        else symbol
        for symbol in atoms.get_chemical_symbols()
    ]
    labels = list(atoms.get_chemical_symbols())
    return Structure(
        atoms.cell.array, species, atoms.get_scaled_positions(), site_properties={"_atom_site_label": labels}
    )


def shry(counts: dict[str, int]) -> int:
    from shry import Substitutor, const

    const.DISABLE_PROGRESSBAR = True
    substitutor = Substitutor(marked(counts), symprec=1e-3)
    return sum(1 for _ in substitutor.make_patterns())


def bsym(counts: dict[str, int]) -> int:
    from bsym.interface.pymatgen import unique_structure_substitutions
    from pymatgen.io.ase import AseAtomsAdaptor

    structure = AseAtomsAdaptor.get_structure(sheet())
    (count,) = counts.values()
    return len(unique_structure_substitutions(structure, "Se", {"Se": 56 - count, "S": count}))


def enumlib(counts: dict[str, int]) -> int:
    from pymatgen.command_line.enumlib_caller import EnumlibAdaptor

    adaptor = EnumlibAdaptor(marked(counts), refine_structure=False)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # it leaves a file where it runs
        adaptor.run()
    return len(adaptor.structures)


def timed(peer: str, counts: dict[str, int], limit: float) -> str:
    """Quickest of three, as text; one where that takes long."""
    began, found = time.monotonic(), []
    while len(found) < 3 and (not found or (found[0][1] and time.monotonic() - began < 60)):
        found.append(process(peer, counts, limit))
    return min(found, key=lambda one: one[1])[0]


def process(peer: str, counts: dict[str, int], limit: float) -> tuple[str, float]:
    """Count, processor time and memory of one process, as text, and the time [s]; 0 where it failed."""
    command = [sys.executable, __file__, "--one", peer, json.dumps(counts)]
    try:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, env=environment, check=False)
    except subprocess.TimeoutExpired:
        return f"more than {limit:.0f} s", 0.0
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["failed"])[-1][:60], 0.0
    said = json.loads(done.stdout.splitlines()[-1])
    return f"{said['count']:>9} {said['seconds']:8.2f} s {said['MB']:5.0f} MB", said["seconds"]


def one(peer: str, counts: dict[str, int]) -> None:
    warnings.simplefilter("ignore")
    globals()[peer]({"Se": 1})  # imports
    began = sum(os.times()[:4])
    count = globals()[peer](counts)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"count": count, "seconds": sum(os.times()[:4]) - began, "MB": memory}))


def colourings(path: Path, repeat: list[int]) -> tuple[int, Any]:
    """Published question as ours: a point for every disordered site and every species but its most frequent."""
    from pymatgen.core import Structure
    from pymatgen.io.ase import AseAtomsAdaptor

    from nanoslab.builders.enumeration.orbits import Choice
    from nanoslab.symmetry import site_permutations

    structure = Structure.from_file(path)
    cell = AseAtomsAdaptor.get_atoms(Structure(structure.lattice, [1] * len(structure), structure.frac_coords))
    kinds = {text: n for n, text in enumerate(dict.fromkeys(str(site.species) for site in structure), start=1)}
    cell.numbers = [kinds[str(site.species)] for site in structure]
    # what belongs together in the crystal keeps its composition together in the supercell
    structure.add_site_property("orbit", site_permutations(cell, 0.01).min(axis=0).tolist())
    structure.make_supercell(repeat)
    atoms = AseAtomsAdaptor.get_atoms(Structure(structure.lattice, [1] * len(structure), structure.frac_coords))
    atoms.numbers = [kinds[str(site.species)] for site in structure]
    permutations = site_permutations(atoms, 0.01)
    points: list[tuple[int, int]] = []
    ends, sizes = [], []
    parts: dict[int, list[int]] = {}
    for number, site in enumerate(structure):
        if not site.is_ordered:
            parts.setdefault(site.properties["orbit"], []).append(number)
    for sites in parts.values():
        amounts = sorted(structure[sites[0]].species.items(), key=lambda item: -item[1])
        for colour, (_, share) in enumerate(amounts[1:]):
            points += [(site, colour) for site in sites]
            ends.append(len(points))
            sizes.append(round(share * len(sites)))
    index = {point: i for i, point in enumerate(points)}
    rows = np.array([[index[int(row[site]), colour] for site, colour in points] for row in permutations])
    site_of = np.array([site for site, _ in points])
    same = (site_of[:, None] == site_of) & ~np.eye(len(points), dtype=bool)
    return len(structure), Choice(np.unique(rows, axis=0), tuple(ends), tuple(sizes), same if same.any() else None)


def verify(folder: Path, largest: int) -> None:
    """Compare with the published counts, those of at most `largest` structures."""
    from nanoslab.builders.enumeration.counting import count_orbits
    from nanoslab.builders.enumeration.orbits import orbits

    warnings.simplefilter("ignore")
    table = list(csv.DictReader((folder / "benchmark_result.csv").read_text(encoding="utf-8-sig").splitlines()))
    agree = differ = failed = skipped = made = 0
    began = time.process_time()
    for row in table:
        published = int(row["Equivalent Structures"])
        path = folder / row["File"].replace(".cif", "_partial.cif")
        try:
            _, choice = colourings(path, [int(n) for n in row["Supercell"].split("x")])
            if published > largest and choice.conflicts is not None:
                skipped += 1
                continue
            counted = published > largest
            found = count_orbits(choice) if counted else sum(len(masks) for masks, _ in orbits(choice))
        except Exception as error:  # noqa: BLE001  # every crystal is to be told of
            failed += 1
            print(f"{row['File']}: {type(error).__name__}: {str(error)[:90]}")
            continue
        made += 0 if counted else found
        agree += found == published
        if found != published:
            differ += 1
            print(f"{row['File']} {row['Supercell']}: {found}, published {published}")
    seconds = time.process_time() - began
    print(f"{agree} agree, {differ} differ, {failed} could not be read, {skipped} larger of three species and more")
    print(f"{made} ways in {seconds:.0f} s; of more than {largest} the number alone was compared")


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--verify", type=Path, metavar="FOLDER")
    parser.add_argument("--largest", type=int, default=500_000)
    parser.add_argument("--limit", type=float, default=900, help="seconds for each peer and case")
    arguments = parser.parse_args()
    if arguments.one:
        one(arguments.one[0], json.loads(arguments.one[1]))
        return
    if arguments.verify:
        verify(arguments.verify, arguments.largest)
        return
    print(
        f"{'removed':12} {'nanoslab, with file':>30} {'nanoslab, alone':>30} {'SHRY':>30} {'bsym':>30} {'enumlib':>30}"
    )
    for counts in CASES:
        name = " ".join(f"{k}={v}" for k, v in counts.items())
        peers = ["ours", "alone", "shry", *(["bsym", "enumlib"] if counts == {"Se": 3} else [])]
        print(f"{name:12} " + " ".join(f"{timed(peer, counts, arguments.limit):>30}" for peer in peers), flush=True)


if __name__ == "__main__":
    main()
