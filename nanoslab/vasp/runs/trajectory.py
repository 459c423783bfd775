"""Every finished ionic step as `Atoms`; costs more than `read_run`, so only who asks pays."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ase import Atoms

from nanoslab.errors import FileError
from nanoslab.vasp.runs import outcar, vasprun
from nanoslab.vasp.runs.folder import files_of_run
from nanoslab.vasp.runs.reader import RunResult, attach_results, frame_to_atoms, read_run
from nanoslab.vasp.runs.reading import Frame, Reading


def read_trajectory(path: str | os.PathLike[str]) -> Iterator[Atoms]:
    """Finished ionic steps of a run, the first one first.

    Parameters
    ----------
    path
        Run folder, vasprun.xml or OUTCAR.

    Yields
    ------
    Atoms
        With energy, free energy, forces and stress as far as the file has them; steps whose structure cannot be
        read are an error, never left out.

    Raises
    ------
    FileError
        When there is no run, or a step without a readable structure.
    """
    run = read_run(path)
    files = files_of_run(path).files
    source = run.sources.get("structure")
    kind = next((kind for kind, file in files.items() if file.name == source), None)
    if source is None or kind not in ("vasprun", "OUTCAR"):
        raise FileError(path, expected="ionic steps with structures", got="none", advice="; ".join(run.problems))
    frames, reading = _frames(kind, files[kind])
    yield from _atoms(run, frames, reading)


def _frames(kind: str, path: Path) -> tuple[list[Frame | None], Reading]:
    frames: list[Frame | None] = []
    reading = (vasprun.read_vasprun if kind == "vasprun" else outcar.read_outcar)(path, frames)
    return frames, reading


def _atoms(run: RunResult, frames: list[Frame | None], reading: Reading) -> Iterator[Atoms]:
    for index, (frame, step) in enumerate(zip(frames, reading.steps, strict=True), 1):
        if frame is None:
            raise FileError(run.path, expected=f"a structure in ionic step {index}", got="none that can be read")
        atoms = frame_to_atoms(frame, run.symbols, run.free)
        attach_results(atoms, frame, step.energy, step.free_energy)
        atoms.info["ionic_step"] = index
        yield atoms
