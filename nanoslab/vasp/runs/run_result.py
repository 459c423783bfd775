"""What a run says, in one frozen object: numbers, where they are from, and what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.data import atomic_numbers
from ase.formula import Formula
from ase.units import GPa
from numpy.typing import NDArray

from nanoslab.errors import FileError
from nanoslab.selective_dynamics import constraints_from_flags
from nanoslab.vasp.runs.band_gap import BandGap, band_gap
from nanoslab.vasp.runs.find_runs import files_of_run
from nanoslab.vasp.runs.outcar import read_outcar
from nanoslab.vasp.runs.parsed_file import Frame, IonicStep
from nanoslab.vasp.runs.vaspout import read_vaspout
from nanoslab.vasp.runs.vasprun import read_vasprun

_TRAJECTORIES = {"vasprun": read_vasprun, "OUTCAR": read_outcar, "vaspout": read_vaspout}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run says and whether it may be believed."""

    path: str
    name: str
    #: ``static``, ``relaxation``, ``molecular dynamics``, ``finite differences``, ``linear response``, ``image of a
    #: chain``, ``many-body``, ``not run`` or ``unreadable``
    kind: str
    symbols: tuple[str, ...] = ()
    vasp_version: str | None = None
    #: of the last finished ionic step [eV]: extrapolated to zero smearing, and the one the forces belong to
    energy: float | None = None
    free_energy: float | None = None
    max_free_force: float | None = None  #: largest force on a free component [eV/Å]
    steps: tuple[IonicStep, ...] = ()
    complete: bool = False
    #: of every ionic step, None when none was finished; None when nothing was relaxed
    electronic_converged: bool | None = None
    ionic_converged: bool | None = None
    #: what is wrong, in words, and what one should know though nothing is
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)  #: number -> file it is from
    #: geometry of the last finished step, and at the start
    final: Frame | None = None
    initial: Frame | None = None
    free: NDArray[np.bool_] | None = None  #: which lattice components may move, shape (n, 3), or None when no file says
    #: tags as given and as used
    incar: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    potentials: Mapping[str, str] = field(default_factory=dict)  #: element -> POTCAR title
    #: such as ``PBE`` or ``HSE06+D3(BJ)``; plane-wave cutoff [eV]
    functional: str | None = None
    cutoff_energy: float | None = None
    #: divisions of the k-point mesh; irreducible k-points
    mesh: tuple[int, int, int] | None = None
    n_kpoints: int | None = None
    magnetization: tuple[float, ...] | None = None  #: total, or its components [Bohr magnetons]
    #: inside the sphere of each atom, shape (n,), or (n, 3) without collinearity [Bohr magnetons]
    site_moments: NDArray[np.float64] | None = None
    elapsed_s: float | None = None
    fermi_energy: float | None = None  #: of the last ionic step that says [eV]
    memory_MB: float | None = None  #: most that VASP's first process used

    def __post_init__(self) -> None:
        for array in (self.free, self.site_moments):
            if array is not None:
                array.flags.writeable = False

    @property
    def n_atoms(self) -> int | None:
        """Number of atoms, None when no file says."""
        return len(self.symbols) or None

    @property
    def formula(self) -> str | None:
        """Chemical formula, elements in the order of the run."""
        return str(Formula.from_dict(Counter(self.symbols))) if self.symbols else None

    @property
    def volume(self) -> float | None:
        """Of the last finished step, or of the start [Å³]."""
        frame = self.final or self.initial
        return None if frame is None else abs(float(np.linalg.det(frame.lattice)))

    @property
    def energy_per_atom(self) -> float | None:
        """Energy of the last finished step over the number of atoms [eV]."""
        return None if self.energy is None or not self.symbols else self.energy / len(self.symbols)

    @property
    def seconds_per_step(self) -> float | None:
        """Elapsed time over the ionic steps [s]; only a run that ended says how long it took."""
        return None if self.elapsed_s is None or not self.steps else self.elapsed_s / len(self.steps)

    @property
    def n_ionic_steps(self) -> int:
        """Finished ionic steps."""
        return len(self.steps)

    @property
    def converged(self) -> bool:
        """True only if nothing is wrong."""
        ended = self.complete and self.energy is not None and not self.problems
        return ended and self.electronic_converged is True and self.ionic_converged is not False

    def to_atoms(self) -> Atoms:
        """Last finished structure with its results and constraints, else the start structure; FileError without any."""
        frame = self.final or self.initial
        if frame is None:
            raise FileError(self.path, expected="a structure", got="none", advice="; ".join(self.problems))
        atoms = self._atoms(frame)
        if self.final is not None:
            _attach_results(atoms, frame, self.energy, self.free_energy)
        return atoms

    def band_gap(self) -> BandGap | None:
        """Gap between occupied and empty levels, None where no file lists them; reads EIGENVAL or an output again."""
        if self.energy is None:
            return None
        return band_gap(files_of_run(self.path).files)

    def trajectory(self) -> list[Atoms]:
        """Every finished ionic step; see `read_trajectory`. Reads the file again."""
        files = files_of_run(self.path).files
        source = self.sources.get("structure")
        kind = next((kind for kind, file in files.items() if file.name == source), None)
        if kind not in _TRAJECTORIES:
            advice = "; ".join(self.problems)
            raise FileError(self.path, expected="ionic steps with structures", got="none", advice=advice)
        frames: list[Frame | None] = []
        images: list[Atoms] = []
        parsed = _TRAJECTORIES[kind](files[kind], frames)
        for index, (frame, step) in enumerate(zip(frames, parsed.steps, strict=False), 1):
            if frame is None:
                raise FileError(self.path, expected=f"a structure in ionic step {index}", got="none that can be read")
            atoms = self._atoms(frame)
            _attach_results(atoms, frame, step.energy, step.free_energy)
            atoms.info["ionic_step"] = index
            images.append(atoms)
        return images

    def _atoms(self, frame: Frame) -> Atoms:
        """Periodic `Atoms` of a frame, with the fixed components as constraints."""
        n_atoms = len(frame.scaled_positions)
        unknown = sorted(set(self.symbols) - atomic_numbers.keys())
        if n_atoms != len(self.symbols) or unknown:
            got = f"symbols such as {unknown[0]!r}" if unknown else f"{len(self.symbols)} symbols"
            got = got if self.symbols else "no file that says it"
            expected, advice = f"the element of each of {n_atoms} atoms", "put the POSCAR of the run beside it"
            raise FileError(self.path, expected=expected, got=got, advice=advice)
        atoms = Atoms(list(self.symbols), scaled_positions=frame.scaled_positions, cell=frame.lattice, pbc=True)
        if self.free is not None and len(self.free) == n_atoms and not self.free.all():
            atoms.set_constraint(constraints_from_flags(self.free))
        return atoms

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
            "site_moments_muB": None if self.site_moments is None else self.site_moments.tolist(),
            "elapsed_s": self.elapsed_s,
            "seconds_per_ionic_step": self.seconds_per_step,
            "energy_per_atom_eV": self.energy_per_atom,
            "volume_A3": self.volume,
            "fermi_energy_eV": self.fermi_energy,
            "cutoff_energy_eV": self.cutoff_energy,
            "kpoint_mesh": None if self.mesh is None else list(self.mesh),
            "n_kpoints": self.n_kpoints,
            "memory_MB": self.memory_MB,
        }


def _attach_results(atoms: Atoms, frame: Frame, energy: float | None, free_energy: float | None) -> None:
    """Give `atoms` a calculator that holds the frame's results in ASE's units and signs."""
    results: dict[str, Any] = {"energy": energy, "free_energy": free_energy, "forces": frame.forces}
    if frame.stress is not None:
        stress = -0.1 * GPa * frame.stress
        results["stress"] = stress[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    known = {name: value for name, value in results.items() if value is not None}
    atoms.calc = SinglePointCalculator(atoms, **known)
