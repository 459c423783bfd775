"""Compute one calculation with one engine in one folder; killed at any moment, it resumes to the same end."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from nanoslab.calculation import Calculation, CalculationResult
from nanoslab.engines import result_files
from nanoslab.engines.fingerprint import calculation_fingerprint, path_fingerprint
from nanoslab.engines.interface import Engine, Task
from nanoslab.engines.journal import JournaledCalculator, Limits
from nanoslab.engines.procedures import PROCEDURES
from nanoslab.engines.procedures.relax import max_free_force
from nanoslab.engines.result_files import JOURNAL, LOG, TRAJECTORY, RunRecord
from nanoslab.engines.suitability import check, procedure_name
from nanoslab.errors import EngineError

#: how long a run waits for another one in the same folder (the workers of a killed run need a moment to end) [s]
PATIENCE = 10.0


def run_calculation(
    calculation: Calculation,
    engine: Engine,
    folder: Path,
    *,
    start: Atoms | None = None,
    limits: Limits | None = None,
    on_step: Callable[[int, float], None] | None = None,
) -> CalculationResult:
    """Compute a calculation, or read it when it is finished.

    Parameters
    ----------
    calculation
        What is asked.
    engine
        What computes.
    folder
        Where the files of this calculation with this engine go (``CAMPAIGN/<calculation>/<engine>``).
    start
        Start structure; None takes that of the calculation.
    limits
        Wall time and steps.
    on_step
        Called after every ionic step with its number and the largest force on a free component [eV/Å].

    Returns
    -------
    CalculationResult
        Unconverged ones too: they say so.

    Raises
    ------
    EngineError
        The engine cannot compute this, or the folder holds the result of something else.
    WallTimeReachedError
        The time is over; calling again goes on.

    Examples
    --------
    >>> import tempfile
    >>> from ase.build import bulk
    >>> from nanoslab.calculation import Role, Settings
    >>> from nanoslab.engines import engine
    >>> settings = Settings(source="example", relax="cell", force_tolerance=0.01)
    >>> copper = Calculation(name="Cu", role=Role(kind="bulk"), atoms=bulk("Cu", a=3.7), settings=settings)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = run_calculation(copper, engine("ase.calculators.emt:EMT"), Path(folder))
    >>> result.converged, round(result.energy, 2)
    (True, -0.01)
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder):
        if result_files.is_finished(folder):
            fingerprint = calculation_fingerprint(calculation, engine)
            if foreign := result_files.foreign_result(folder, calculation.name, fingerprint):
                raise foreign
        elif reasons := check([calculation], engine):
            record = replace(_begun(calculation, engine), problems=(reasons[0].reason,), skipped=reasons[0].reason)
            result_files.write_result(folder, record, None)
        else:
            begin = (calculation.atoms if start is None else start).copy()
            _compute(calculation, engine, begin, folder=folder, limits=limits or Limits(), on_step=on_step)
        (folder / JOURNAL).unlink(missing_ok=True)
    return result_files.read_result(folder)


def start_from(calculation: Calculation, parent: Atoms) -> Atoms:
    """Relaxed parent less the removed atoms, with the constraints of the calculation."""
    keep = [i for i in range(len(parent)) if i not in set(calculation.removed_indices)]
    rest = parent[keep]
    start = calculation.atoms.copy()
    if not np.array_equal(rest.numbers, start.numbers):
        expected = f"{start.get_chemical_formula()} in the order of {calculation.starts_from} less removed_indices"
        where, advice = f"calculation {calculation.name}", "build the vacancy from that very structure"
        raise EngineError(where, expected=expected, got=rest.get_chemical_formula(), advice=advice)
    start.set_cell(rest.cell, scale_atoms=False)
    start.set_positions(rest.positions, apply_constraint=False)
    removed = parent[[i for i in range(len(parent)) if i not in keep]]
    if len(removed):  # engines with a basis of atoms may leave their functions behind
        symbols, positions = removed.get_chemical_symbols(), removed.positions.tolist()
        start.info["removed_atoms"] = {"symbols": symbols, "positions": positions}
    return start


def _compute(
    calculation: Calculation,
    engine: Engine,
    begin: Atoms,
    *,
    folder: Path,
    limits: Limits,
    on_step: Callable[[int, float], None] | None,
) -> None:
    began = time.monotonic()
    settings = calculation.settings
    atoms = begin.copy()
    atoms.info = {}
    fingerprint = path_fingerprint(calculation, atoms, engine)
    inner = engine.calculator(atoms, settings)
    if isinstance(inner, Calculator):
        inner.directory = str(folder)  # for the files of its own that a code may write
    calculator = atoms.calc = JournaledCalculator(
        inner, folder / JOURNAL, fingerprint, with_stress=settings.relax == "cell", deadline=limits.deadline
    )
    task = Task(
        calculation=calculation,
        max_steps=limits.max_steps or settings.max_ionic_steps,
        log=folder / LOG,
        on_step=_Trajectory(folder / TRAJECTORY, on_step),
    )
    ended = PROCEDURES[procedure_name(calculation)](atoms, task)
    wrong = (*ended.wrong, *engine.refusals(ended.atoms))
    record = replace(
        _begun(calculation, engine),
        energy=float(ended.atoms.get_potential_energy()),
        max_free_force=max_free_force(ended.atoms),
        converged=not wrong,
        problems=(*wrong, *ended.remarks),
        n_steps=ended.n_steps,
        n_evaluations=calculator.n_taken,
        optimiser=ended.optimiser,
        wall_time_s=time.monotonic() - began,
        comparable=engine.comparable(begin, settings),
        findings=ended.findings,
    )
    result_files.write_result(folder, record, ended.atoms)


def _begun(calculation: Calculation, engine: Engine) -> RunRecord:
    """Record of a calculation of which nothing is known yet."""
    return RunRecord(
        name=calculation.name,
        engine=engine.label,
        level_of_theory=engine.level_of_theory,
        fingerprint=calculation_fingerprint(calculation, engine),
        versions=engine.versions,
    )


class _Trajectory:
    """Writes a frame and reports after every step; a resumed run writes the whole path again."""

    def __init__(self, path: Path, on_step: Callable[[int, float], None] | None) -> None:
        self.path = path
        self.on_step = on_step
        self.n_frames = 0

    def __call__(self, atoms: Atoms) -> None:
        ase.io.write(self.path, atoms, format="extxyz", append=self.n_frames > 0)
        if self.on_step is not None:
            self.on_step(self.n_frames, max_free_force(atoms))
        self.n_frames += 1


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """One process at a time; the system gives the lock back when its holder dies."""
    with (folder / LOG).open("a") as handle:
        deadline = time.monotonic() + PATIENCE
        while not _locked(handle):
            if time.monotonic() > deadline:
                got, advice = "one that is computing", "wait for it, or stop it"
                raise EngineError(folder, expected="no other run in this folder", got=got, advice=advice)
            time.sleep(0.1)
        yield


def _locked(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
