"""Two VASP runs side by side: what differs, and whether their energies may be subtracted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.geometry import find_mic

from nanoslab.energetics.consistency import OTHER_PHASE, SAME_CELL, require_comparable
from nanoslab.errors import FileError
from nanoslab.vasp.runs.calculation_result import calculation_result
from nanoslab.vasp.runs.numbers import plain_word

if TYPE_CHECKING:
    from ase import Atoms

    from nanoslab.vasp.runs.run_result import RunResult

#: relative difference of lattice vectors below which two cells count as one
SAME_LATTICE = 0.02
#: words about a run, not about physics
_NOT_PHYSICS = frozenset({"SYSTEM", "NCORE", "NPAR", "KPAR", "LPLANE", "NSIM", "LWAVE", "LCHARG", "NWRITE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One quantity that differs, as both runs say it; a dash where one does not."""

    kind: str  #: ``INCAR``, ``KPOINTS``, ``POTCAR``, ``structure`` or ``code``
    what: str
    first: str
    second: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunComparison:
    """What differs, both energies [eV], how far atoms lie apart [Å], and why energies must not be subtracted."""

    differences: tuple[Difference, ...]
    energies: tuple[float | None, float | None]
    largest_displacement: float | None  #: of one atom, both of the same kinds in the same order; else None
    reasons: tuple[str, ...]  #: empty where the energies may be subtracted

    @property
    def energy_difference(self) -> float | None:
        """Second less first [eV]; None where they may not be subtracted."""
        first, second = self.energies
        return None if self.reasons or first is None or second is None else second - first

    def to_dict(self) -> dict[str, Any]:
        """Plain values, their units in the keys."""
        return {
            "differences": [asdict(one) for one in self.differences],
            "energy_eV": list(self.energies),
            "energy_difference_eV": self.energy_difference,
            "may_be_subtracted": not self.reasons,
            "reasons": list(self.reasons),
            "largest_displacement_A": self.largest_displacement,
        }


def compare_runs(first: RunResult, second: RunResult) -> RunComparison:
    """Differences of INCAR, KPOINTS, POTCAR and structure of two runs, and whether energies may be subtracted.

    INCAR tags are compared as VASP used them where both files say, else as given; tags that change no energy are left
    out. Cells that agree within 2 % need the same k-points, others k-points as dense.
    """
    a, b = _last_structure(first), _last_structure(second)
    rules = SAME_CELL if a is not None and b is not None and _is_same_lattice(a, b) else OTHER_PHASE
    one, other = (calculation_result(run.name, run) for run in (first, second))
    reasons = list(require_comparable(one, other, rules, allow_mismatch=True))
    for run in (first, second):
        if not run.converged:
            reasons.append(f"{run.path} is not converged: {'; '.join(run.problems) or 'see nanoslab read'}")
    return RunComparison(
        differences=tuple(_differences(first, second, a, b)),
        energies=(first.energy, second.energy),
        largest_displacement=_largest_displacement(a, b),
        reasons=tuple(reasons),
    )


def _last_structure(run: RunResult) -> Atoms | None:
    try:
        return run.to_atoms()
    except FileError:
        return None


def _is_same_lattice(a: Atoms, b: Atoms) -> bool:
    lengths = np.linalg.norm(a.cell.array, axis=1)
    return bool((np.linalg.norm(a.cell.array - b.cell.array, axis=1) <= SAME_LATTICE * lengths).all())


def _largest_displacement(a: Atoms | None, b: Atoms | None) -> float | None:
    """After the mean of all displacements is taken out."""
    if a is None or b is None or not np.array_equal(a.numbers, b.numbers) or not _is_same_lattice(a, b):
        return None
    scaled = b.get_scaled_positions(wrap=False) - a.get_scaled_positions(wrap=False)
    moved, _ = find_mic(scaled @ a.cell.array, a.cell)
    return float(np.linalg.norm(moved - moved.mean(axis=0), axis=1).max())


def _differences(first: RunResult, second: RunResult, a: Atoms | None, b: Atoms | None) -> list[Difference]:
    used = (first.parameters, second.parameters) if first.parameters and second.parameters else None
    tags = used or (first.incar, second.incar)
    found = _unlike("INCAR", tags[0], tags[1], skipped=_NOT_PHYSICS)
    if used:
        missing = {tag for tag in (*first.incar, *second.incar) if tag not in used[0] and tag not in used[1]}
        given = [{tag: run.incar[tag] for tag in missing if tag in run.incar} for run in (first, second)]
        found += _unlike("INCAR", given[0], given[1], skipped=_NOT_PHYSICS)
    meshes = [{"mesh": run.mesh and "x".join(map(str, run.mesh)), "points": run.n_kpoints} for run in (first, second)]
    found += _unlike("KPOINTS", meshes[0], meshes[1])
    found += _unlike("POTCAR", first.potentials, second.potentials)
    found += _unlike("code", {"version": first.vasp_version}, {"version": second.vasp_version})
    shapes = [{"formula": run.formula, **_cell_words(atoms)} for run, atoms in ((first, a), (second, b))]
    return [*found, *_unlike("structure", shapes[0], shapes[1])]


def _cell_words(atoms: Atoms | None) -> dict[str, str]:
    if atoms is None:
        return {}
    lengths, angles = atoms.cell.lengths(), atoms.cell.angles()
    return {
        "a, b, c (Å)": " ".join(f"{length:.4f}" for length in lengths),
        "angles (degrees)": " ".join(f"{angle:.2f}" for angle in angles),
    }


def _unlike(
    kind: str, first: Mapping[str, Any], second: Mapping[str, Any], *, skipped: frozenset[str] = frozenset()
) -> list[Difference]:
    names = [name for name in dict.fromkeys((*first, *second)) if name not in skipped]
    texts = [(name, _text(first.get(name)), _text(second.get(name))) for name in names]
    return [Difference(kind=kind, what=name, first=a, second=b) for name, a, b in texts if not _same(a, b)]


def _text(value: Any) -> str:
    return "-" if value is None else " ".join(str(value).split())


def _same(first: str, second: str) -> bool:
    """Whether two values say the same: numbers in any spelling, logicals as Fortran takes them."""
    if first == second:
        return True
    return [*map(plain_word, first.split())] == [*map(plain_word, second.split())]
