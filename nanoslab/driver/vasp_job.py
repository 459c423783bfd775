"""One run of VASP in its folder: what it begins from, how it is run, and how it is stopped in time.

It begins from the relaxed parent, the last valid CONTCAR, or the inputs as they were written. Nothing a job wrote is
ever deleted or written over: what an earlier start left goes into its attempt's folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from itertools import chain, count
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.geometry import get_distances

from nanoslab.campaign.format import read_calculation
from nanoslab.campaign.state import attempt_folder
from nanoslab.driver.backend import JobOrder
from nanoslab.driver.judge import VaspEnd
from nanoslab.engines.run import start_from
from nanoslab.errors import FileError, NanoslabError
from nanoslab.vasp.poscar import read_poscar, species_order, write_poscar

INPUTS = ("POSCAR", "INCAR", "KPOINTS")

#: files that are not a run's output and stay where they are
_STAY = frozenset({*INPUTS, "POTCAR", "POTCAR.spec", "calculation.json", "vasp.json", "state.json"})

#: two atoms nearer than this mean that a CONTCAR is garbage [Å]
_TOO_NEAR = 0.4


def polling(order: JobOrder) -> float:
    """How often VASP is looked at [s]."""
    return min(10.0, max(0.1, order.stop_before_end / 20))


def stops(order: JobOrder, stop_at: float | None) -> tuple[float, float]:
    """When to ask for a stop after the ionic step, and when for one at once [seconds since 1970]."""
    return (inf, inf) if stop_at is None else (stop_at, stop_at + 0.6 * order.stop_before_end)


def run_vasp(order: JobOrder, stop_at: float | None) -> VaspEnd:
    """Run VASP as it is until it ends by itself or is stopped in time; a silent one is ended."""
    folder, (soft, hard) = order.run_folder, stops(order, stop_at)
    asked = 0
    with (folder / "vasp.out").open("w") as out, (folder / "std_err.txt").open("w") as err:
        process = subprocess.Popen(order.vasp_command, cwd=folder, stdout=out, stderr=err, start_new_session=True)
        try:
            while process.poll() is None:
                due = (time.time() > soft) + (time.time() > hard)
                if due > asked:
                    write_stopcar(folder, abort=due == 2)
                    asked = due
                if _silent_for(folder / "vasp.out") > order.frozen_after:
                    end_process_group(process)
                    return VaspEnd(exit_code=-9, unrepaired=f"hung: no output for {order.frozen_after:.0f} s")
                time.sleep(min(polling(order), 1.0))
        finally:
            end_process_group(process)
    return VaspEnd(exit_code=process.returncode, stopped=asked > 0)


def write_stopcar(folder: Path, *, abort: bool = False) -> None:
    """Ask a running VASP to end: after this ionic step, or at once."""
    (folder / "STOPCAR").write_text("LABORT = .TRUE.\n" if abort else "LSTOP = .TRUE.\n")


def end_process_group(process: subprocess.Popen[Any]) -> None:
    """End a command and whatever it started, if it still runs."""
    if process.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, number)
            process.wait(5.0)
            return


def _silent_for(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def prepare_vasp(folder: Path, attempt: int) -> str:
    """Make a run folder ready for a start, and say in words what it begins from."""
    put_aside(folder, attempt - 1)
    for name in INPUTS:
        _copy_once(folder / name, folder / f"{name}.initial")
    initial = read_poscar(folder / "POSCAR.initial")
    source = latest_contcar(folder, attempt, initial)
    calculation = read_calculation(folder)
    parent = calculation.starts_from
    if source is not None and not _edited_since(folder / "POSCAR", source):
        start = read_poscar(source)
        start.set_constraint(initial.constraints)
        write_poscar(start, folder / "POSCAR", comment=_comment(folder))
        words = f"goes on from the CONTCAR of start {int(source.parent.name)}"
    elif parent is not None and source is None:
        start = start_from(calculation, relaxed_parent(folder.parent / parent))
        write_poscar(start, folder / "POSCAR", comment=_comment(folder))
        words = f"starts from the relaxed {parent}"
    else:
        words = "starts from its POSCAR"
    for name in INPUTS:
        if (folder / name).exists():
            shutil.copy2(folder / name, attempt_folder(folder, attempt) / f"{name}.start")
    return words


def put_aside(folder: Path, attempt: int) -> tuple[str, ...]:
    """Move everything an earlier start wrote into its attempt's folder; number 0 is what was there before us.

    A name that is taken there already gets a number, so nothing is written over.
    """
    moved = []
    target = attempt_folder(folder, attempt)
    for entry in sorted(folder.iterdir()):
        if entry.name in _STAY or entry.name.endswith(".initial") or entry.is_dir() or entry.name.startswith("."):
            continue
        target.mkdir(parents=True, exist_ok=True)
        entry.rename(free_name(target / entry.name))
        moved.append(entry.name)
    return tuple(moved)


def free_name(path: Path) -> Path:
    """Give the path itself, or with the first free number behind it."""
    names = chain([path], (path.with_name(f"{path.name}.{number}") for number in count(1)))
    return next(name for name in names if not name.exists())


def latest_contcar(folder: Path, attempt: int, initial: Atoms) -> Path | None:
    """CONTCAR of the latest start before this one that left a valid one; start 0 is a run of the user's own."""
    for number in range(attempt - 1, -1, -1):
        path = attempt_folder(folder, number) / "CONTCAR"
        if is_valid_contcar(path, initial):
            return path
    return None


def is_valid_contcar(path: Path, initial: Atoms) -> bool:
    """Whether a CONTCAR is whole: same atoms as the start, finite numbers, no two atoms on one another."""
    try:
        atoms = read_poscar(path)
    except NanoslabError:
        return False
    if not np.array_equal(atoms.numbers, initial.numbers):
        return False
    if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
        return False
    if atoms.cell.volume < 1e-3 or len(atoms) == 1:
        return bool(atoms.cell.volume >= 1e-3)
    _, distances = get_distances(atoms.positions, cell=atoms.cell, pbc=True)
    return bool(distances[~np.eye(len(atoms), dtype=bool)].min() > _TOO_NEAR)


def relaxed_parent(parent: Path) -> Atoms:
    """Final structure of a finished calculation, its atoms in the order they were built."""
    built = read_calculation(parent).atoms
    order = list(species_order(built))
    if not is_valid_contcar(path := parent / "CONTCAR", built[order]):
        expected, advice = "the relaxed structure to start from", f"see what became of {parent.name}"
        raise FileError(path, expected=expected, got="none that is whole", advice=advice)
    return read_poscar(path)[np.argsort(order)]


def _edited_since(poscar: Path, contcar: Path) -> bool:
    """Whether somebody put another POSCAR there after the CONTCAR was written (one or two seconds do not count)."""
    return poscar.stat().st_mtime > contcar.stat().st_mtime + 2.0 and poscar.read_bytes() != contcar.read_bytes()


def _comment(folder: Path) -> str:
    with (folder / "POSCAR.initial").open(errors="replace") as stream:
        return stream.readline().strip() or folder.name


def _copy_once(source: Path, target: Path) -> None:
    if source.exists() and not target.exists():
        temporary = target.with_name(f".{target.name}.part")
        shutil.copy2(source, temporary)
        temporary.rename(target)
