"""A run as the study sees it: energy, structure, convergence, and what must agree before energies are subtracted."""

from __future__ import annotations

from contextlib import suppress

from nanoslab.calculation import CalculationResult
from nanoslab.errors import FileError
from nanoslab.vasp.runs.run_result import RunResult


def calculation_result(name: str, run: RunResult) -> CalculationResult:
    """Translate a run, as `read_run` gave it, for the studies, which know no VASP.

    Returns
    -------
    CalculationResult
        `comparable` holds ``code``, ``functional``, ``cutoff_energy``, ``kpoints`` and ``potentials``.

    Examples
    --------
    >>> run = RunResult(path="a", name="a", kind="not run", problems=("no output of VASP",))
    >>> calculation_result("Se-atom", run).found
    False
    """
    atoms = None
    with suppress(FileError):
        atoms = run.to_atoms()
    known = {
        "code": "VASP",
        "functional": run.functional,
        "cutoff_energy": run.cutoff_energy,
        "kpoints": run.mesh,
        "potentials": dict(run.potentials) or None,
    }
    return CalculationResult(
        name=name,
        path=run.path,
        level_of_theory=_level_of_theory(run),
        found=run.kind != "not run",
        energy=run.energy,
        atoms=atoms,
        converged=run.converged,
        problems=run.problems,
        max_free_force=run.max_free_force,
        comparable={key: value for key, value in known.items() if value is not None},
    )


def _level_of_theory(run: RunResult) -> str:
    cutoff = "cutoff unknown" if run.cutoff_energy is None else f"{run.cutoff_energy:g} eV"
    return f"{run.functional or 'functional unknown'}, PAW, {cutoff} (VASP {run.vasp_version or 'of unknown version'})"
