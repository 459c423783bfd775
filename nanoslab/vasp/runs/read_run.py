"""Runs read back: one folder or file, many of them, or every ionic step of one."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from time import perf_counter

from ase import Atoms

from nanoslab.vasp.runs.convergence import electronic_converged, ionic_converged, max_free_force
from nanoslab.vasp.runs.failure_messages import failure_problems
from nanoslab.vasp.runs.find_runs import RunFiles, files_of_run, find_runs
from nanoslab.vasp.runs.functional import functional
from nanoslab.vasp.runs.parse_files import parse_files
from nanoslab.vasp.runs.parsed_run import ParsedRun
from nanoslab.vasp.runs.problems import RULES, species_of_run, species_of_start, spelled
from nanoslab.vasp.runs.run_result import RunResult

#: a process costs a second or two of imports; most campaigns are read before that [s]
_PATIENCE_S = 4.0
_AHEAD = 64
#: taken as the first file says them
_TAKEN = (
    "vasp_version",
    "initial",
    "n_kpoints",
    "magnetization",
    "site_moments",
    "elapsed_s",
    "fermi_energy",
    "memory_MB",
)


def read_run(path: str | os.PathLike[str]) -> RunResult:
    """Read a run: energies, forces, structure and whether it converged.

    Parameters
    ----------
    path
        Folder with any of vasprun.xml, OUTCAR, vaspout.h5, OSZICAR and the input files, plain or compressed, or one
        such file.

    Returns
    -------
    RunResult
        Also for killed, broken and empty runs, which then have `problems`.

    Raises
    ------
    FileError
        When the path does not exist or holds no run.
    """
    return read_files(files_of_run(path))


def read_trajectory(path: str | os.PathLike[str]) -> Iterator[Atoms]:
    """Finished ionic steps of a run folder, vasprun.xml or OUTCAR, the first one first; costs more than `read_run`.

    Each has energy, free energy, forces and stress as far as the file has them.

    Raises
    ------
    FileError
        When there is no run, or a step without a readable structure: it is an error, never left out.
    """
    yield from read_run(path).trajectory()


def read_runs(paths: Iterable[str | os.PathLike[str]], jobs: int | None = None) -> tuple[RunResult, ...]:
    """Every run below some folders or files, broken ones too, in the order of `find_runs`.

    In as many processes as given, or as there are cores; what takes a few seconds is read in this process.

    Raises
    ------
    FileError
        When a path does not exist.
    """
    return tuple(read_all(find_runs(paths), jobs))


def read_all(runs: Iterable[RunFiles], jobs: int | None = None) -> Iterator[RunResult]:
    """Read runs whose files are known, one by one; processes are started only when it takes long enough to pay."""
    iterator = iter(runs)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    n_jobs = jobs or cores
    start = perf_counter()
    for run in iterator:
        yield read_files(run)
        if n_jobs > 1 and perf_counter() - start > _PATIENCE_S:
            break
    else:
        return
    # spawn: a fork of a process that has threads (numpy's, a progress bar's) can hang
    with ProcessPoolExecutor(max_workers=n_jobs, mp_context=get_context("spawn")) as pool:
        waiting: deque[Future[RunResult]] = deque()
        for run in iterator:
            waiting.append(pool.submit(read_files, run))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        for future in waiting:
            yield future.result()


def read_files(files: RunFiles) -> RunResult:
    """Read a run whose files are known; see `read_run`."""
    run = parse_files(files)
    return _checked(files, run) if run.outputs else _without_output(files, run)


def _without_output(files: RunFiles, run: ParsedRun) -> RunResult:
    kind, problem = ("unreadable", "no readable output") if files.has_outputs else ("not run", "no output of VASP")
    return RunResult(
        path=str(files.path),
        name=files.path.resolve().name,
        kind=kind,
        symbols=run.symbols,
        problems=(*run.problems, *failure_problems(run.logs, finished_well=False), files.problem or problem),
        notes=files.notes,
    )


def _checked(files: RunFiles, run: ParsedRun) -> RunResult:
    last, found, force = (run.steps[-1], run.final, max_free_force(run)) if run.steps else (None, None, None)
    problems = [problem for rule in RULES if (problem := rule(run))]
    problems += failure_problems(run.logs, finished_well=not problems and run.complete)
    lost = not run.complete or not last
    problems += run.problems if lost else ()
    return RunResult(
        path=str(files.path),
        name=files.path.resolve().name,
        kind=run.kind,
        symbols=run.symbols,
        energy=last.energy if last else None,
        free_energy=last.free_energy if last else None,
        max_free_force=force,
        steps=run.steps,
        complete=run.complete,
        electronic_converged=electronic_converged(run),
        ionic_converged=ionic_converged(run),
        problems=tuple(problems),
        notes=(*files.notes, *_notes(run, () if lost else run.problems)),
        sources=_sources(run, force),
        final=found[0] if found else None,
        free=run.free,
        incar=run.first("incar") or run.incar,
        parameters=run.first("parameters") or {},
        potentials=dict(run.first("potentials") or ()),
        functional=functional(run),
        cutoff_energy=run.value("ENMAX") or run.value("ENCUT"),
        mesh=run.first("mesh") or run.mesh,
        **{name: run.first(name) for name in _TAKEN},
    )


def _sources(run: ParsedRun, force: float | None) -> dict[str, str]:
    """Which number came from which file."""
    known = ("energy_eV", "free_energy_eV", "n_ionic_steps") if run.steps else ()
    sources = dict.fromkeys(known, run.main.file)
    if run.steps and run.final is not None:
        sources["structure"] = run.final[1]
        sources |= {"max_free_force_eV_per_A": run.final[1]} if force is not None else {}
    for name in ("symbols", "vasp_version", "parameters", "potentials", "magnetization"):
        origin = next((output.file for output in run.outputs if getattr(output, name)), None)
        sources |= {name: origin} if origin else {}
    if "symbols" not in sources and run.symbols:
        sources["symbols"] = "POSCAR or CONTCAR"
    return sources


def _notes(run: ParsedRun, file_problems: tuple[str, ...]) -> list[str]:
    notes = list(file_problems)
    if run.complete:
        cuts = (o for o in run.outputs if not o.complete and o.cut and not o.file.startswith("OSZICAR"))
        notes += [f"{output.file} {output.cut}; the rest is from {run.main.file}" for output in cuts]
    if run.value("PSTRESS"):
        notes.append(f"PSTRESS {run.tag('PSTRESS')} kB: energies are without the work against it")
    correction = run.steps[-1].correction if run.steps else None
    if correction is not None and abs(correction) > 1e-5:
        notes.append(f"VASP added {correction:+.6f} eV after the last electronic step (dipole or dispersion)")
    named, used = species_of_start(run), species_of_run(run)
    if named and used and named != used and [s for s, _ in named] == [s for s, _ in used]:
        notes.append(f"POSCAR is of another structure: {spelled(named)}, the run has {spelled(used)}")
    if run.kind == "finite differences":
        notes.append("the energy is that of the last displaced structure")
    if not run.symbols:
        notes.append("no file says which element each atom is; put the POSCAR beside it")
    return notes
