"""What an engine cannot do is said before any work: refused, or skipped with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ase.data import chemical_symbols

from nanoslab.calculation import Calculation
from nanoslab.engines.interface import Capabilities, Engine
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
            if refusal := rule(calculation, engine.capabilities):
                where = f"engine {engine.name}, calculation {calculation.name}"
                advice = "choose another engine, or leave the calculation out with --only"
                raise EngineError(where, expected=refusal[0], got=refusal[1], advice=advice)
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


#: what was expected of a calculation, and what it asks for
Refusal = tuple[str, str]


def unknown_procedure(calculation: Calculation, _can: Capabilities) -> Refusal | None:
    """Only what has a file of its own among the procedures can be done."""
    name = procedure_name(calculation)
    return None if name in PROCEDURES else (f"a procedure that it has ({', '.join(PROCEDURES)})", name)


def unknown_elements(calculation: Calculation, can: Capabilities) -> Refusal | None:
    """Every element must be known to the engine."""
    foreign = {*calculation.atoms.get_chemical_symbols()} - (can.elements or {*chemical_symbols})
    return ("elements that it knows", ", ".join(sorted(foreign))) if foreign else None


def periodic_cell(calculation: Calculation, can: Capabilities) -> Refusal | None:
    """A crystal or slab needs an engine with periodic cells."""
    wrong = calculation.atoms.pbc.any() and calculation.role.kind != "atom" and not can.periodic
    return ("a molecule or cluster", "a periodic cell") if wrong else None


def mesh_of_k_points(calculation: Calculation, can: Capabilities) -> Refusal | None:
    """More than one k-point needs an engine that samples the Brillouin zone."""
    mesh = calculation.settings.kpoints
    wrong = max(mesh) > 1 and not can.k_points
    return ("the Gamma point alone", f"a mesh of {'x'.join(map(str, mesh))}") if wrong else None


def spin(calculation: Calculation, can: Capabilities) -> Refusal | None:
    """A spin-polarised calculation needs an engine with spin."""
    wrong = calculation.settings.spin_polarized and not can.spin
    return ("no spin polarisation", "a spin-polarised calculation") if wrong else None


def hubbard_u(calculation: Calculation, can: Capabilities) -> Refusal | None:
    """A Hubbard U must not be dropped without a word."""
    asked = {*calculation.settings.hubbard_u} & {*calculation.atoms.get_chemical_symbols()}
    wrong = asked and not can.hubbard_u
    return ("no Hubbard U", f"hubbard_u of {', '.join(sorted(asked))}") if wrong else None


def cell_relaxation(calculation: Calculation, can: Capabilities) -> Refusal | None:
    """Relaxing the cell needs the stress."""
    wrong = calculation.settings.relax == "cell" and not can.stress
    return ("relax: ions or none (it has no stress)", "relax: cell") if wrong else None


REFUSALS = (unknown_procedure, unknown_elements, periodic_cell, mesh_of_k_points, spin, hubbard_u, cell_relaxation)
