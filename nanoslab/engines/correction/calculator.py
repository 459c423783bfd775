"""The corrected engine: its calculator, and what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BaseCalculator
from numpy.typing import NDArray

from nanoslab.calculation import Settings
from nanoslab.engines.correction.file import find_correction, read_correction
from nanoslab.engines.correction.model import (
    ON_THE_WAY,
    Correction,
    element_shift,
    is_lone_atom,
    refuse_extrapolation,
)
from nanoslab.engines.interface import BatchFunction, CalculatorFactory, Energies, Engine, OwnCalculator
from nanoslab.errors import EngineError


class CorrectedCalculator(OwnCalculator):
    """Another calculator's energy, forces and stress, corrected; refuses what is far from all that the fit has seen."""

    def __init__(self, inner: BaseCalculator, correction: Correction) -> None:
        super().__init__()
        self.inner = inner
        self.correction = correction

    def compute(self, structure: Atoms, properties: list[str], changes: list[str]) -> dict[str, Any]:
        """Energy, forces and, when asked, the stress."""
        del changes
        if is_lone_atom(structure):
            energy = lone_atom_energy(self.correction, structure.symbols[0])
            return {"energy": energy, "free_energy": energy, "forces": np.zeros((1, 3)), "stress": np.zeros(6)}
        bare = self.inner.get_property
        energy, forces, stress = corrected(
            self.correction, structure, bare("energy", structure), bare("forces", structure)
        )
        results = {"energy": energy, "free_energy": energy, "forces": forces}
        if "stress" in properties:
            results["stress"] = scale_of(self.correction, structure) * bare("stress", structure) + stress
        return results


def corrected(
    correction: Correction, atoms: Atoms, energy: float, forces: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Corrected energy and forces, and what the terms add to the stress; refuses what is far from the fit."""
    refuse_extrapolation(correction, atoms, ON_THE_WAY)
    shift = element_shift(correction, atoms)
    if shift is not None:
        return energy + shift * len(atoms), forces, np.zeros(6)
    added, scale = correction.evaluate(atoms), scale_of(correction, atoms)
    return scale * energy + float(added.values[0]), scale * forces + added.forces[0], added.stresses[0]


def scale_of(correction: Correction, atoms: Atoms) -> float:
    """What the potential's own energy is multiplied with."""
    return 1.0 if element_shift(correction, atoms) is not None else 1.0 + correction.scale


def lone_atom_energy(correction: Correction, symbol: str) -> float:
    """Energy of an isolated atom at the reference level [eV]; refused where the correction holds none."""
    if symbol not in correction.lone_atoms:
        raise EngineError(
            f"correction to {correction.reference}",
            expected=f"one of the isolated atoms that it holds ({', '.join(correction.lone_atoms) or 'none'})",
            got=symbol,
            advice="leave the atom out with --only",
        )
    return correction.lone_atoms[symbol]


@dataclass(frozen=True, slots=True)
class _Corrected:
    """Makes the calculator; travels to worker processes."""

    base: CalculatorFactory
    correction: Correction

    def __call__(self, atoms: Atoms, settings: Settings, options: Mapping[str, Any]) -> BaseCalculator:
        del options  # those of the engine below stand in the file
        return CorrectedCalculator(self.base(atoms, settings, self.correction.engine_options), self.correction)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a final structure is outside of the fit; empty where it is inside."""

    correction: Correction

    def __call__(self, atoms: Atoms) -> str:
        if is_lone_atom(atoms):
            return ""
        try:
            refuse_extrapolation(self.correction, atoms)
        except EngineError as error:
            return str(error)
        return ""


@dataclass(frozen=True, slots=True)
class _CorrectedBatch:
    """Many structures at once, corrected one by one."""

    base: BatchFunction
    correction: Correction

    def __call__(self, structures: Sequence[Atoms], settings: Settings, options: Mapping[str, Any]) -> Energies:
        del options
        found = self.base(structures, settings, self.correction.engine_options)
        pairs = zip(structures, found, strict=True)
        return [corrected(self.correction, atoms, energy, forces)[:2] for atoms, (energy, forces) in pairs]


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
        batch=None if base.batch is None else _CorrectedBatch(base.batch, correction),
        refusal=_Refusal(correction),
        options={"corrected": f"{path.stem}-{digits}"},
    )
