"""The corrected engine: its calculator, and what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BaseCalculator, Calculator, all_changes

from nanoslab.calculation import Settings
from nanoslab.engines.correction.file import find_correction, read_correction
from nanoslab.engines.correction.model import Correction, is_lone_atom, refuse_extrapolation
from nanoslab.engines.interface import CalculatorFactory, Engine
from nanoslab.errors import EngineError


class CorrectedCalculator(Calculator):  # type: ignore[misc]
    """Another calculator's energy, forces and stress, corrected; refuses what the correction has not seen.

    Examples
    --------
    >>> from ase.calculators.emt import EMT
    >>> from nanoslab.engines.correction import Term
    >>> shift = Correction(engine="emt", reference="EMT + 1", coefficients={Term(kind="atoms", species="Cu"): 1.0})
    >>> pair = Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 2.5]])
    >>> pair.calc = CorrectedCalculator(EMT(), shift)
    >>> other = Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 2.5]], calculator=EMT())
    >>> round(pair.get_potential_energy() - other.get_potential_energy(), 6)
    2.0
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012 (ASE's own type)

    def __init__(self, inner: BaseCalculator, correction: Correction) -> None:
        super().__init__()
        self.inner = inner
        self.correction = correction

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """Compute energy, forces and, when asked, the stress."""
        super().calculate(atoms, properties, system_changes)
        if is_lone_atom(self.atoms):
            energy = self._lone_atom(self.atoms.symbols[0])
            self.results = {"energy": energy, "forces": np.zeros((1, 3)), "stress": np.zeros(6)}
        else:
            refuse_extrapolation(self.correction, self.atoms)
            added, scale = self.correction.evaluate(self.atoms), 1.0 + self.correction.scale
            bare = self.atoms.copy()
            bare.constraints = []
            self.results = {
                "energy": scale * self.inner.get_property("energy", bare) + float(added.values[0]),
                "forces": scale * self.inner.get_property("forces", bare) + added.forces[0],
            }
            if "stress" in (properties or ()):
                self.results["stress"] = scale * self.inner.get_property("stress", bare) + added.stresses[0]
        self.results["free_energy"] = self.results["energy"]

    def _lone_atom(self, symbol: str) -> float:
        known = self.correction.lone_atoms
        if symbol not in known:
            raise EngineError(
                f"correction to {self.correction.reference}",
                expected=f"one of the isolated atoms that it holds ({', '.join(known) or 'none'})",
                got=symbol,
                advice="leave the atom out with --only",
            )
        return known[symbol]


@dataclass(frozen=True, slots=True)
class _Corrected:
    """Makes the calculator; travels to worker processes."""

    base: CalculatorFactory
    correction: Correction

    def __call__(self, atoms: Atoms, settings: Settings, options: Mapping[str, Any]) -> BaseCalculator:
        del options  # those of the engine below stand in the file
        return CorrectedCalculator(self.base(atoms, settings, self.correction.engine_options), self.correction)


def corrected_engine(base: Engine, name_or_path: str) -> Engine:
    """Return an engine with the correction of a file.

    Parameters
    ----------
    base
        The engine that the correction was fitted to, with its options.
    name_or_path
        Name of a shipped correction, or path of a file.

    Raises
    ------
    EngineError
        The correction belongs to another engine or to other options of it.

    Examples
    --------
    >>> from nanoslab.engines import engine
    >>> engine("chgnet:corrected=cdse-gpaw").capabilities.isolated_atoms
    True
    """
    path = find_correction(name_or_path)
    correction, digits = read_correction(path)
    if (base.name, dict(base.options)) != (correction.engine, dict(correction.engine_options)):
        raise EngineError(
            f"engine {base.label}: corrected",
            expected=f"a correction fitted to it; {path.name} was fitted to {correction.engine}"
            + "".join(f", {key}={value}" for key, value in correction.engine_options.items()),
            got=base.label,
            advice="name that engine, or fit a correction of your own",
        )
    return replace(
        base,
        level_of_theory=(
            f"{base.level_of_theory}, corrected to {correction.reference} "
            f"(error of a cell that the fit has not seen: {correction.error:.2f} eV)"
        ),
        capabilities=replace(
            base.capabilities,
            elements=frozenset(correction.species),
            isolated_atoms=set(correction.species) <= set(correction.lone_atoms),
            spin=True,
        ),
        calculator_factory=_Corrected(base.calculator_factory, correction),
        comparable_factory=None,
        options={"corrected": f"{path.stem}-{digits}"},
    )
