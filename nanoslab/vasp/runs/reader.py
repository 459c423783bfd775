"""``read_run``: one run folder or file in, numbers with their sources and a verdict out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.formula import Formula
from ase.units import GPa
from numpy.typing import NDArray

from nanoslab.errors import FileError
from nanoslab.vasp.runs import verdict
from nanoslab.vasp.runs.evidence import Evidence, choose_main
from nanoslab.vasp.runs.folder import RunFiles, files_of_run
from nanoslab.vasp.runs.functional import functional
from nanoslab.vasp.runs.gather import gather
from nanoslab.vasp.runs.known_failures import failures_in
from nanoslab.vasp.runs.reading import Frame, IonicStep, Reading
from nanoslab.vasp.selective_dynamics import constraints_from_flags


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run says and whether it may be believed.

    Attributes
    ----------
    path
        Folder or file that was read.
    name
        Last part of the path.
    kind
        ``static``, ``relaxation``, ``molecular dynamics``, ``finite differences``, ``linear response``,
        ``image of a chain``, ``many-body``, ``not run`` or ``unreadable``.
    symbols
        Chemical symbol per atom.
    vasp_version
        Such as ``6.4.2``.
    energy
        Extrapolated to zero smearing, of the last finished ionic step [eV].
    free_energy
        The energy the forces belong to [eV].
    max_free_force
        Largest force on a free component [eV/Å].
    steps
        Finished ionic steps.
    complete
        VASP came to its end.
    electronic_converged
        Of every ionic step; None when none was finished.
    ionic_converged
        None when nothing was relaxed.
    problems
        What is wrong, in words.
    notes
        What one should know though nothing is wrong.
    sources
        Number -> file it is from.
    final, initial
        Geometry of the last finished step, and at the start.
    free
        Which lattice components may move, shape (n, 3), or None when no file says.
    incar, parameters
        Tags as given and as used.
    potentials
        Element -> POTCAR title.
    functional
        Such as ``PBE`` or ``HSE06+D3(BJ)``.
    cutoff_energy
        Plane-wave cutoff [eV].
    mesh, n_kpoints
        Divisions of the k-point mesh; irreducible k-points.
    magnetization
        Total, or its components [Bohr magnetons].
    elapsed_s
        Wall time [s].
    """

    path: str
    name: str
    kind: str
    symbols: tuple[str, ...] = ()
    vasp_version: str | None = None
    energy: float | None = None
    free_energy: float | None = None
    max_free_force: float | None = None
    steps: tuple[IonicStep, ...] = ()
    complete: bool = False
    electronic_converged: bool | None = None
    ionic_converged: bool | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    final: Frame | None = None
    initial: Frame | None = None
    free: NDArray[np.bool_] | None = None
    incar: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    potentials: Mapping[str, str] = field(default_factory=dict)
    functional: str | None = None
    cutoff_energy: float | None = None
    mesh: tuple[int, int, int] | None = None
    n_kpoints: int | None = None
    magnetization: tuple[float, ...] | None = None
    elapsed_s: float | None = None

    @property
    def n_atoms(self) -> int | None:
        """Number of atoms, None when no file says."""
        return len(self.symbols) or None

    @property
    def formula(self) -> str | None:
        """Chemical formula, elements in the order of the run."""
        if not self.symbols:
            return None
        return str(Formula.from_dict(Counter(self.symbols)))

    @property
    def n_ionic_steps(self) -> int:
        """Finished ionic steps."""
        return len(self.steps)

    @property
    def converged(self) -> bool:
        """True only if nothing is wrong."""
        return (
            not self.problems
            and self.complete
            and self.energy is not None
            and self.electronic_converged is True
            and self.ionic_converged is not False
        )

    def to_atoms(self) -> Atoms:
        """Last finished structure with energy, forces, stress and constraints; else the start structure.

        Raises
        ------
        FileError
            When no file holds a structure.
        """
        frame = self.final or self.initial
        if frame is None or len(frame.scaled_positions) != len(self.symbols):
            raise FileError(self.path, expected="a structure", got="none", advice="; ".join(self.problems))
        atoms = frame_to_atoms(frame, self.symbols, self.free)
        if self.final is not None:
            attach_results(atoms, frame, self.energy, self.free_energy)
        return atoms

    def trajectory(self) -> list[Atoms]:
        """Every finished ionic step as `Atoms`; reads the file again."""
        from nanoslab.vasp.runs.trajectory import read_trajectory

        return list(read_trajectory(self.path))

    def to_dict(self) -> dict[str, Any]:
        """Plain values under the names the command prints."""
        return {
            "path": self.path,
            "kind": self.kind,
            "formula": self.formula,
            "n_atoms": self.n_atoms,
            "vasp_version": self.vasp_version,
            "functional": self.functional,
            "energy_eV": self.energy,
            "free_energy_eV": self.free_energy,
            "max_free_force_eV_per_A": self.max_free_force,
            "n_ionic_steps": self.n_ionic_steps,
            "complete": self.complete,
            "electronic_converged": self.electronic_converged,
            "ionic_converged": self.ionic_converged,
            "converged": self.converged,
            "problems": list(self.problems),
            "notes": list(self.notes),
            "sources": [f"{quantity}: {file}" for quantity, file in self.sources.items()],
            "magnetization_muB": None if self.magnetization is None else list(self.magnetization),
            "elapsed_s": self.elapsed_s,
        }


def read_run(path: str | os.PathLike[str]) -> RunResult:
    """Read a run: energies, forces, structure and the truth about its convergence.

    Parameters
    ----------
    path
        Folder with any of vasprun.xml, OUTCAR, OSZICAR and the input files, plain or compressed, or one such file.

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


def read_files(files: RunFiles) -> RunResult:
    """Read a run whose files are known; see `read_run`."""
    gathered = gather(files)
    name = files.path.resolve().name
    if not gathered.readings:
        kind = "not run" if not files.has_outputs else "unreadable"
        problem = "no output of VASP" if kind == "not run" else "no readable output"
        start = gathered.start or gathered.contcar
        return RunResult(
            path=str(files.path),
            name=name,
            kind=kind,
            symbols=tuple(start.get_chemical_symbols()) if start is not None else (),
            problems=(*gathered.problems, *_failure_problems(gathered.logs, finished_well=False), problem),
            notes=files.notes,
        )
    evidence = Evidence(
        readings=gathered.readings,
        main=choose_main(gathered.readings),
        start=gathered.start,
        contcar=gathered.contcar,
        incar=gathered.incar,
        is_image=files.is_image,
        logs=gathered.logs,
    )
    return _judged(files, evidence, gathered.problems, gathered.mesh)


def _judged(
    files: RunFiles, evidence: Evidence, file_problems: tuple[str, ...], mesh: tuple[int, int, int] | None
) -> RunResult:
    last = evidence.steps[-1] if evidence.steps else None
    electronic = verdict.electronic_converged(evidence)
    ionic = verdict.ionic_converged(evidence)
    found = evidence.final if evidence.steps else None
    problems = [problem for rule in verdict.RULES if (problem := rule(evidence))]
    finished_well = not problems and evidence.complete
    problems += _failure_problems(evidence.logs, finished_well=finished_well)
    lost = not evidence.complete or not last
    problems += file_problems if lost else ()
    potentials = next((dict(r.potentials) for r in evidence.readings if r.potentials), {})
    force = verdict.max_free_force(evidence) if evidence.steps else None
    return RunResult(
        path=str(files.path),
        name=files.path.resolve().name,
        kind=evidence.kind,
        symbols=evidence.symbols,
        vasp_version=_first(evidence.readings, "vasp_version"),
        energy=last.energy if last else None,
        free_energy=last.free_energy if last else None,
        max_free_force=force,
        steps=evidence.steps,
        complete=evidence.complete,
        electronic_converged=electronic,
        ionic_converged=ionic,
        problems=tuple(problems),
        notes=(*files.notes, *_notes(evidence, () if lost else file_problems)),
        sources=_sources(evidence, force),
        final=found[0] if found else None,
        initial=_first(evidence.readings, "initial"),
        free=evidence.free,
        incar=_first(evidence.readings, "incar") or evidence.incar,
        parameters=_first(evidence.readings, "parameters") or {},
        potentials=potentials,
        functional=functional(evidence),
        cutoff_energy=evidence.value("ENMAX") or evidence.value("ENCUT"),
        mesh=_first(evidence.readings, "mesh") or mesh,
        n_kpoints=_first(evidence.readings, "n_kpoints"),
        magnetization=_first(evidence.readings, "magnetization"),
        elapsed_s=_first(evidence.readings, "elapsed_s"),
    )


def _first(readings: tuple[Reading, ...], name: str) -> Any:
    return next((value for r in readings if (value := getattr(r, name)) not in (None, {}, ())), None)


def _sources(evidence: Evidence, force: float | None) -> dict[str, str]:
    """Which number came from which file."""
    sources: dict[str, str] = {}
    if evidence.steps:
        sources["energy_eV"] = sources["free_energy_eV"] = sources["n_ionic_steps"] = evidence.main.file
        if evidence.final is not None:
            sources["structure"] = evidence.final[1]
        if force is not None and evidence.final is not None:
            sources["max_free_force_eV_per_A"] = evidence.final[1]
    for name in ("symbols", "vasp_version", "parameters", "potentials", "magnetization"):
        origin = next((r.file for r in evidence.readings if getattr(r, name)), None)
        if origin is not None:
            sources[name] = origin
    if "symbols" not in sources and evidence.symbols:
        sources["symbols"] = "POSCAR or CONTCAR"
    return sources


def _notes(evidence: Evidence, file_problems: tuple[str, ...]) -> list[str]:
    notes = list(file_problems)
    if evidence.complete:
        notes += [f"{r.file} {r.cut}; the rest is from {evidence.main.file}" for r in evidence.readings if _lost(r)]
    if evidence.value("PSTRESS"):
        notes.append(f"PSTRESS {evidence.tag('PSTRESS')} kB: energies are without the work against it")
    correction = evidence.steps[-1].correction if evidence.steps else None
    if correction is not None and abs(correction) > 1e-4:
        notes.append(f"VASP added {correction:+.6f} eV after the last electronic step (dipole or dispersion)")
    named, used = verdict.species_of_start(evidence), verdict.species_of_run(evidence)
    if named and used and named != used and [s for s, _ in named] == [s for s, _ in used]:
        notes.append(f"POSCAR is of another structure: {verdict.spelled(named)}, the run has {verdict.spelled(used)}")
    if evidence.kind == "finite differences":
        notes.append("the energy is that of the last displaced structure")
    return notes


def _lost(reading: Reading) -> bool:
    return not reading.complete and bool(reading.cut) and not reading.file.startswith("OSZICAR")


def _failure_problems(logs: tuple[tuple[str, bytes], ...], *, finished_well: bool) -> list[str]:
    problems: dict[str, str] = {}
    for name, text in logs:
        for failure in failures_in(text):
            if failure.fatal or not finished_well:
                problems.setdefault(failure.name, f"{failure.name} in {name}: {failure.meaning}")
    return list(problems.values())


def frame_to_atoms(frame: Frame, symbols: tuple[str, ...], free: NDArray[np.bool_] | None) -> Atoms:
    """Periodic `Atoms` of a frame, with the fixed components as constraints."""
    atoms = Atoms(list(symbols), scaled_positions=frame.scaled_positions, cell=frame.lattice, pbc=True)
    if free is not None and len(free) == len(atoms) and not free.all():
        atoms.set_constraint(constraints_from_flags(free))
    return atoms


def attach_results(atoms: Atoms, frame: Frame, energy: float | None, free_energy: float | None) -> None:
    """Give `atoms` a calculator that holds the frame's results in ASE's units and signs."""
    results: dict[str, Any] = {"energy": energy, "free_energy": free_energy, "forces": frame.forces}
    if frame.stress is not None:
        stress = -0.1 * GPa * frame.stress
        results["stress"] = stress[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    known = {name: value for name, value in results.items() if value is not None}
    atoms.calc = SinglePointCalculator(atoms, **known)
