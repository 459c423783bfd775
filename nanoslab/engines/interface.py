"""What an engine is: a name, a level of theory, what it can do, and how to get its ASE calculator."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BaseCalculator, Calculator, all_changes
from numpy.typing import NDArray

from nanoslab.calculation import Calculation, Settings

#: (atoms, settings, options) -> calculator, not attached to the atoms; of a module, so that it travels to workers
CalculatorFactory = Callable[[Atoms, Settings, Mapping[str, Any]], BaseCalculator]
#: (atoms, settings, options) -> the ``comparable`` mapping of a `nanoslab.calculation.CalculationResult`
ComparableFactory = Callable[[Atoms, Settings, Mapping[str, Any]], Mapping[str, Any]]

#: energy [eV] and forces (n_atoms, 3) [eV/Å] of every structure
Energies = list[tuple[float, NDArray[np.float64]]]
#: (structures, settings, options) -> energies and forces of all in one call; constraints play no part
BatchFunction = Callable[[Sequence[Atoms], Settings, Mapping[str, Any]], Energies]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What an engine can do; what it cannot is refused before any work.

    Attributes
    ----------
    isolated_atoms
        The energy of one atom alone in a box means something.
    periodic
        Periodic cells can be computed.
    k_points
        The Brillouin zone is sampled with the mesh of the settings (classical and machine-learned engines need none:
        they are local, so their energies are those of the fully sampled crystal; such engines say True).
    spin
        Collinear spin is treated, explicitly or in the reference data the engine was trained on.
    hubbard_u
        A Hubbard U of the settings is added to its energies.
    stress
        The stress tensor exists, so cells can be relaxed.
    elements
        Symbols of the elements it knows; None means all.

    Examples
    --------
    >>> Capabilities(elements=frozenset({"Cd", "Se"})).isolated_atoms
    True
    """

    isolated_atoms: bool = True
    periodic: bool = True
    k_points: bool = True
    spin: bool = True
    hubbard_u: bool = False
    stress: bool = True
    elements: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """An ASE calculator under a name, with everything the run loop must know about it.

    Attributes
    ----------
    name
        Such as ``chgnet``.
    options
        Options that differ from the defaults, as the user gave them; plain JSON values.
    version
        Of the library that computes.
    level_of_theory
        For the reader of a result, with what it was trained on or what it approximates.
    capabilities
        What it can do.
    calculator_factory
        Module-level function ``(atoms, settings, options) -> calculator``.
    comparable_factory
        Module-level function ``(atoms, settings, options) -> mapping``; None means the level of theory alone.
    batch
        Module-level function that computes many structures in one call; None computes them one after the other.
    refusal
        Why the numbers of a final structure are not to be used, empty where they are; None refuses none.
    versions
        Library -> version, of everything that decides the numbers.

    Examples
    --------
    >>> from nanoslab.engines import engine
    >>> emt = engine("ase.calculators.emt:EMT")
    >>> emt.label
    'ase.calculators.emt-EMT'
    """

    name: str
    version: str
    level_of_theory: str
    capabilities: Capabilities
    calculator_factory: CalculatorFactory
    options: Mapping[str, Any] = field(default_factory=dict)
    comparable_factory: ComparableFactory | None = None
    batch: BatchFunction | None = None
    refusal: Callable[[Atoms], str] | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Folder name of the results: the name, and every option that was given, so that levels never mix."""
        parts = [self.name, *(f"{key}-{value}" for key, value in sorted(self.options.items()))]
        return re.sub(r"[^A-Za-z0-9.+_-]+", "-", "-".join(parts)).strip("-.")

    def calculator(self, atoms: Atoms, settings: Settings) -> BaseCalculator:
        """Return a new calculator for these atoms and settings.

        Examples
        --------
        >>> from nanoslab.engines import engine
        >>> engine("ase.calculators.emt:EMT").calculator(Atoms("Cu"), Settings(source="test")).__class__.__name__
        'EMT'
        """
        return self.calculator_factory(atoms, settings, self.options)

    def refusals(self, atoms: Atoms) -> tuple[str, ...]:
        """Why the numbers of a final structure are not to be used; empty where they are."""
        reason = self.refusal(atoms) if self.refusal is not None else ""
        return (reason,) if reason else ()

    def comparable(self, atoms: Atoms, settings: Settings) -> dict[str, Any]:
        """Return what must agree before energies of two of its calculations are subtracted.

        Examples
        --------
        >>> from nanoslab.engines import engine
        >>> engine("ase.calculators.emt:EMT").comparable(Atoms("Cu"), Settings(source="test"))
        {'code': 'ase.calculators.emt-EMT', 'functional': 'ase.calculators.emt:EMT'}
        """
        if self.comparable_factory is None:
            return {"code": self.label, "functional": self.level_of_theory}
        return {"code": self.name, **self.comparable_factory(atoms, settings, self.options)}


class OwnCalculator(Calculator):  # type: ignore[misc]
    """An ASE calculator of ours: one method says what a structure, free of constraints, gives."""

    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012 (ASE's own type)

    def calculate(
        self, atoms: Atoms | None = None, properties: list[str] | None = None, system_changes: list[str] = all_changes
    ) -> None:
        """Keep the results of a structure as ASE wants them."""
        super().calculate(atoms, properties, system_changes)
        structure = self.atoms.copy()
        structure.constraints = []
        self.results = self.compute(structure, properties or [], system_changes)

    def compute(self, structure: Atoms, properties: list[str], changes: list[str]) -> dict[str, Any]:
        """Results by ASE's names; the stress only where it is asked for."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a procedure is given beside the atoms."""

    calculation: Calculation  # its settings, its role and the parameters of the procedure
    max_steps: int
    log: Path  # for a line per step
    on_step: Callable[[Atoms], None]  # called with the atoms of every step, the start included: writes the trajectory


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a procedure ended."""

    atoms: Atoms  # final structure with its calculator; its energy and forces become those of the result
    n_steps: int = 0  # of all optimisers together
    optimiser: str = "none"  # the one that ended it
    wrong: tuple[str, ...] = ()  # what makes the result useless for its purpose, in words; without any it is converged
    remarks: tuple[str, ...] = ()  # what is worth knowing, in words
    findings: Mapping[str, Any] = field(default_factory=dict)  # plain JSON values under keys that carry their units


#: takes atoms that carry a calculator, which answers again as before when a killed run is repeated, and may move them
Procedure = Callable[[Atoms, Task], Ended]
