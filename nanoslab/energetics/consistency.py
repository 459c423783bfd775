"""Which energies may be subtracted from one another.

Each rule looks at two results and says in words why their difference would mean nothing, or None.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nanoslab.calculation import CalculationResult
from nanoslab.errors import MismatchError

#: relative difference of k-point spacings that rounding of a mesh to whole numbers explains
SPACING_TOLERANCE = 0.05
#: how much coarser the k-points of a cell of another shape may lie, such as a reference crystal's against a sheet's
REFERENCE_COARSENESS = 1.5

Rule = Callable[[CalculationResult, CalculationResult], str | None]


def _differing(key: str, words: str) -> Rule:
    """Rule that two results hold the same under a key of `comparable`, where both hold it."""

    def rule(run: CalculationResult, reference: CalculationResult) -> str | None:
        a, b = run.comparable.get(key), reference.comparable.get(key)
        return None if a is None or b is None or a == b else f"{words} {a} against {b}"

    return rule


#: energies of different codes or models have different zeros
differing_engine = _differing("code", "code")
differing_functional = _differing("functional", "functional")
#: behind two sets of force constants: forces that are not smooth answer unlike to unlike displacements [Å]
differing_displacement = _differing("displacement", "displacement (Å)")


def differing_cutoff(run: CalculationResult, reference: CalculationResult) -> str | None:
    """Different plane-wave cutoff [eV]."""
    a, b = run.comparable.get("cutoff_energy"), reference.comparable.get("cutoff_energy")
    alike = a is None or b is None or abs(a - b) < 0.01
    return None if alike else f"cutoff (ENCUT) {a:g} eV against {b:g} eV"


def differing_potentials(run: CalculationResult, reference: CalculationResult) -> str | None:
    """Different pseudopotentials for an element that both hold."""
    a, b = run.comparable.get("potentials") or {}, reference.comparable.get("potentials") or {}
    unlike = (one for one in sorted(a.keys() & b.keys()) if a[one] != b[one])
    return next((f"potential (POTCAR) of {one} {a[one]!r} against {b[one]!r}" for one in unlike), None)


def differing_kpoints(run: CalculationResult, reference: CalculationResult) -> str | None:
    """Different density of k-points in two cells of one kind, such as a sheet with and without a vacancy."""
    a, b = kpoint_spacings(run), kpoint_spacings(reference)
    if a is None or b is None:
        return None
    mesh_a, mesh_b = run.comparable["kpoints"], reference.comparable["kpoints"]
    for axis in range(3):
        # One point along a direction that is one point in the other too: vacuum, any length of it
        if mesh_a[axis] == mesh_b[axis] == 1:
            continue
        if abs(a[axis] - b[axis]) > SPACING_TOLERANCE * max(a[axis], b[axis]):
            return (
                f"k-points {_mesh(mesh_a)} against {_mesh(mesh_b)}: "
                f"spacing {a[axis]:.3f} against {b[axis]:.3f} 1/Å along vector {axis + 1}"
            )
    return None


def too_coarse_reference(crystal: CalculationResult, sheet: CalculationResult) -> str | None:
    """A reference crystal sampled clearly more coarsely than the sheet it is a reference for."""
    of_crystal, of_sheet = kpoint_spacings(crystal), kpoint_spacings(sheet)
    if of_crystal is None or of_sheet is None:
        return None
    sampled = [s for s, n in zip(of_sheet, sheet.comparable["kpoints"], strict=True) if n > 1]
    if not sampled or max(of_crystal) <= REFERENCE_COARSENESS * max(sampled):
        return None
    return (
        f"k-points {_mesh(crystal.comparable['kpoints'])}: spacing {max(of_crystal):.3f} 1/Å, "
        f"more than {REFERENCE_COARSENESS:g} times the sheet's {max(sampled):.3f} 1/Å"
    )


def differing_sampling(run: CalculationResult, reference: CalculationResult) -> str | None:
    """K-points clearly coarser in one of two cells of different shapes, whose meshes cannot be equal."""
    a, b = _sampled_spacing(run), _sampled_spacing(reference)
    if a is None or b is None or max(a, b) <= REFERENCE_COARSENESS * min(a, b):
        return None
    mesh_a, mesh_b = run.comparable["kpoints"], reference.comparable["kpoints"]
    return (
        f"k-points {_mesh(mesh_a)} against {_mesh(mesh_b)}: spacing {a:.3f} against {b:.3f} 1/Å, "
        f"more than {REFERENCE_COARSENESS:g} times as coarse"
    )


SAME_THEORY: tuple[Rule, ...] = (differing_engine, differing_functional, differing_cutoff, differing_potentials)
SAME_CELL: tuple[Rule, ...] = (*SAME_THEORY, differing_kpoints)
OTHER_PHASE: tuple[Rule, ...] = (*SAME_THEORY, differing_sampling, differing_displacement)
REFERENCE_CRYSTAL: tuple[Rule, ...] = (*SAME_THEORY, too_coarse_reference)


def require_energy(result: CalculationResult, *, allow_unconverged: bool = False) -> float:
    """Energy [eV] of a result, or the reason why there is none to use.

    Raises
    ------
    MismatchError
        If there is no energy, or the run is not converged and that was not allowed.

    Examples
    --------
    >>> require_energy(CalculationResult(name="a", path="a", level_of_theory="", energy=-1.5, converged=True))
    -1.5
    """
    reason = "; ".join(result.problems)
    if result.energy is None:
        expected, got, advice = "a finished run with an energy", reason or "no result", "run it first"
        raise MismatchError(result.path, expected=expected, got=got, advice=advice)
    if not result.converged and not allow_unconverged:
        got, advice = reason or "an unconverged one", "continue it, or say --allow-unconverged"
        raise MismatchError(result.path, expected="a converged run", got=got, advice=advice)
    return result.energy


def require_comparable(
    run: CalculationResult,
    reference: CalculationResult,
    rules: tuple[Rule, ...] = SAME_CELL,
    *,
    allow_mismatch: bool = False,
) -> tuple[str, ...]:
    """Differences of settings between two runs, in words: none, or those that were allowed.

    Raises
    ------
    MismatchError
        If there are differences and they were not allowed.

    Examples
    --------
    >>> a = CalculationResult(name="a", path="a", level_of_theory="", comparable={"cutoff_energy": 400.0})
    >>> b = CalculationResult(name="b", path="b", level_of_theory="", comparable={"cutoff_energy": 520.0})
    >>> require_comparable(a, b, allow_mismatch=True)
    ('cutoff (ENCUT) 400 eV against 520 eV',)
    """
    differences = tuple(text for rule in rules if (text := rule(run, reference)) is not None)
    if differences and not allow_mismatch:
        expected, advice = f"the settings of {reference.path}", "compute both alike, or say --allow-mismatch"
        raise MismatchError(run.path, expected=expected, got="; ".join(differences), advice=advice)
    return differences


def kpoint_spacings(result: CalculationResult) -> tuple[float, float, float] | None:
    """Distance between k-points along each reciprocal vector [1/Å, with the factor 2 pi], None when unknown."""
    mesh = result.comparable.get("kpoints")
    if mesh is None or result.atoms is None or result.atoms.cell.rank < 3:
        return None
    lengths = 2 * np.pi * np.linalg.norm(result.atoms.cell.reciprocal(), axis=1)
    first, second, third = (float(length / points) for length, points in zip(lengths, mesh, strict=True))
    return first, second, third


def _sampled_spacing(result: CalculationResult) -> float | None:
    """Coarsest spacing of k-points [1/Å] along directions with more than one, or along all when none has."""
    spacings = kpoint_spacings(result)
    if spacings is None:
        return None
    sampled = [s for s, points in zip(spacings, result.comparable["kpoints"], strict=True) if points > 1]
    return max(sampled or spacings)


def _mesh(mesh: tuple[int, int, int]) -> str:
    return "x".join(map(str, mesh))
