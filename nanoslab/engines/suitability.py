"""What an engine cannot do is said before any work: refused, or skipped with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nanoslab.calculation import Calculation
from nanoslab.engines.interface import Engine
from nanoslab.engines.procedures import PROCEDURES
from nanoslab.errors import EngineError


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A calculation that has no meaning with an engine, and why.

    Attributes
    ----------
    name
        The calculation.
    reason
        In words, for the result and the report.

    Examples
    --------
    >>> Skipped(name="Se-atom", reason="no isolated atoms").name
    'Se-atom'
    """

    name: str
    reason: str


def check(calculations: Iterable[Calculation], engine: Engine) -> tuple[Skipped, ...]:
    """Refuse what an engine cannot compute, and list what it must skip.

    Parameters
    ----------
    calculations
        All that is about to be run.
    engine
        With its capabilities.

    Returns
    -------
    tuple of Skipped
        Isolated atoms, where their energy would be meaningless: chemical potentials of atoms then come from the
        elemental reference and an atomisation energy.

    Raises
    ------
    EngineError
        Unknown element, periodic cell, spin or cell relaxation that the engine does not have.

    Examples
    --------
    >>> from nanoslab.engines import engine
    >>> check([], engine("ase.calculators.emt:EMT"))
    ()
    """
    skipped = []
    for calculation in calculations:
        reason = skip_isolated_atom(calculation, engine)
        if reason:
            skipped.append(Skipped(name=calculation.name, reason=reason))
            continue
        for rule in REFUSALS:
            rule(calculation, engine)
    return tuple(skipped)


def skip_isolated_atom(calculation: Calculation, engine: Engine) -> str:
    """Reason to skip an isolated atom, or an empty text."""
    if calculation.role.kind != "atom" or engine.capabilities.isolated_atoms:
        return ""
    return (
        f"{engine.name} has no meaningful isolated atom; "
        "its chemical potential comes from the element and an atomisation energy"
    )


def procedure_name(calculation: Calculation) -> str:
    """What is done: the procedure that a calculation names, or what its settings ask for."""
    return calculation.procedure or ("single" if calculation.settings.relax == "none" else "relax")


def refuse_unknown_procedure(calculation: Calculation, engine: Engine) -> None:
    """Only what has a file of its own among the procedures can be done."""
    name = procedure_name(calculation)
    if name not in PROCEDURES:
        _refuse(calculation, engine, f"a procedure that it has ({', '.join(PROCEDURES)})", name)


def refuse_unknown_elements(calculation: Calculation, engine: Engine) -> None:
    """Every element must be known to the engine."""
    known = engine.capabilities.elements
    foreign = sorted(set(calculation.atoms.get_chemical_symbols()) - known) if known is not None else []
    if foreign:
        _refuse(calculation, engine, "elements that it knows", ", ".join(foreign))


def refuse_periodic(calculation: Calculation, engine: Engine) -> None:
    """A crystal or slab needs an engine with periodic cells."""
    if calculation.atoms.pbc.any() and calculation.role.kind != "atom" and not engine.capabilities.periodic:
        _refuse(calculation, engine, "a molecule or cluster", "a periodic cell")


def refuse_k_points(calculation: Calculation, engine: Engine) -> None:
    """More than one k-point needs an engine that samples the Brillouin zone."""
    mesh = calculation.settings.kpoints
    if max(mesh) > 1 and not engine.capabilities.k_points:
        _refuse(calculation, engine, "the Gamma point alone", f"a mesh of {'x'.join(map(str, mesh))}")


def refuse_spin(calculation: Calculation, engine: Engine) -> None:
    """A spin-polarised calculation needs an engine with spin."""
    if calculation.settings.spin_polarized and not engine.capabilities.spin:
        _refuse(calculation, engine, "no spin polarisation", "a spin-polarised calculation")


def refuse_hubbard_u(calculation: Calculation, engine: Engine) -> None:
    """A Hubbard U must not be dropped without a word."""
    asked = {*calculation.settings.hubbard_u} & {*calculation.atoms.get_chemical_symbols()}
    if asked and not engine.capabilities.hubbard_u:
        _refuse(calculation, engine, "no Hubbard U", f"hubbard_u of {', '.join(sorted(asked))}")


def refuse_cell_relaxation(calculation: Calculation, engine: Engine) -> None:
    """Relaxing the cell needs the stress."""
    if calculation.settings.relax == "cell" and not engine.capabilities.stress:
        _refuse(calculation, engine, "relax: ions or none (it has no stress)", "relax: cell")


REFUSALS = (
    refuse_unknown_procedure,
    refuse_unknown_elements,
    refuse_periodic,
    refuse_k_points,
    refuse_spin,
    refuse_hubbard_u,
    refuse_cell_relaxation,
)


def _refuse(calculation: Calculation, engine: Engine, expected: str, got: str) -> None:
    raise EngineError(
        f"engine {engine.name}, calculation {calculation.name}",
        expected=expected,
        got=got,
        advice="choose another engine, or leave the calculation out with --only",
    )
