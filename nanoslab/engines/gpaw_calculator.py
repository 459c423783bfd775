"""GPAW as one calculator for a whole relaxation, whatever happens to its symmetry, its cell or its open shell."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from ase import Atoms

from nanoslab.calculation import Settings
from nanoslab.engines.gpaw_settings import parameters, whole_occupations
from nanoslab.engines.interface import OwnCalculator
from nanoslab.engines.quiet import quiet
from nanoslab.errors import EngineError

#: of the stress: converged to 1e-4 eV/Å³ for CdSe (measured against 800 eV)
STRESS_CUTOFF_FACTOR = 1.75
#: GPAW's own output, below the directory of the calculator
OUTPUT = "gpaw.txt"


class GPAWCalculator(OwnCalculator):
    """GPAW that keeps its wave functions between steps and survives what stops it: a lost symmetry, a changed cell.

    With a directory of its own (ASE's ``directory``, which the run loop sets) GPAW's output goes there.
    """

    implemented_properties = [*OwnCalculator.implemented_properties, "magmoms"]  # noqa: RUF012 (ASE's own type)

    def __init__(self, settings: Settings, options: Mapping[str, Any]) -> None:
        super().__init__()
        self.settings = settings
        self.symmetric = options.get("symmetry") != "off"
        self.n_started = 0
        self._running: Any = None
        self._stream: IO[str] | None = None

    def compute(self, structure: Atoms, properties: list[str], changes: list[str]) -> dict[str, Any]:
        """Energy, forces, moments and, when asked, the stress."""
        # the potential on the two sides of a slab can only differ where the cell ends
        structure.pbc = (True, True, not self.settings.dipole_correction)
        if is_open_shell_atom(structure, self.settings):
            return self._lowest_state(structure)
        if self._running is None or "cell" in changes or "numbers" in changes:
            self._running = self._start(self.settings.cutoff_energy)
        results = self._energy_and_forces(structure)
        if "stress" in properties:
            results["stress"] = self._stress(structure)
        return results

    def _lowest_state(self, structure: Atoms) -> dict[str, Any]:
        """Ground state of an open shell: the lower of whole occupations and those of the settings.

        Any smearing spreads the last electrons over degenerate orbitals, which lies above the ground state (Se: 0.11
        eV); whole occupations may in turn not converge, or end in a higher state (Pb).
        """
        states: list[dict[str, Any]] = []
        failure: EngineError | None = None
        for occupations in (whole_occupations(structure, self.settings.functional), {}):
            self._running = self._start(self.settings.cutoff_energy, **occupations)
            try:
                states.append(self._properties(structure))
            except EngineError as error:
                failure = error
        if not states and failure is not None:
            raise failure
        return min(states, key=lambda state: float(state["energy"]))

    def _energy_and_forces(self, structure: Atoms) -> dict[str, Any]:
        from gpaw.new.symmetry import SymmetryAnalysisBug, SymmetryBrokenError

        try:
            return self._properties(structure)
        except (SymmetryBrokenError, SymmetryAnalysisBug):
            # a step has lifted a symmetry, or positions rounded in a file make the operations no group
            self.symmetric = False
            self._running = self._start(self.settings.cutoff_energy)
            return self._properties(structure)

    def _properties(self, structure: Atoms) -> dict[str, Any]:
        structure.calc = self._running
        with _electrons_must_converge(self.settings):
            energy = float(structure.get_potential_energy())
        results = {
            "energy": energy,
            "free_energy": float(structure.get_potential_energy(force_consistent=True)),
            "forces": np.array(structure.get_forces(), dtype=float),
        }
        if self.settings.spin_polarized:
            results["magmoms"] = np.array(structure.get_magnetic_moments(), dtype=float)
        return results

    def _stress(self, structure: Atoms) -> Any:
        copy = structure.copy()
        copy.calc = self._start(STRESS_CUTOFF_FACTOR * self.settings.cutoff_energy)
        with _electrons_must_converge(self.settings):
            return np.array(copy.get_stress(), dtype=float)

    def _start(self, cutoff_energy: float, **occupations: Any) -> Any:
        self.n_started += 1
        with quiet():
            from gpaw import GPAW
        words = parameters(self.settings, cutoff_energy=cutoff_energy, symmetric=self.symmetric)
        return GPAW(**{**words, **occupations}, txt=self._output())

    def _output(self) -> IO[str] | None:
        """Stream that every start of GPAW in this directory continues; closed with the calculator."""
        if self._stream is None and self.directory != ".":
            self._stream = (Path(self.directory) / OUTPUT).open("a")
            weakref.finalize(self, self._stream.close)
        return self._stream


@contextmanager
def _electrons_must_converge(settings: Settings) -> Iterator[None]:
    from gpaw import ConvergenceError

    try:
        yield
    except ConvergenceError as error:
        expected, got = f"electrons converged within {settings.max_electronic_steps} steps", type(error).__name__
        advice = f"see {OUTPUT}; raise max_electronic_steps, or widen the smearing"
        raise EngineError("engine gpaw", expected=expected, got=f"none ({got})", advice=advice) from error


def is_open_shell_atom(atoms: Atoms, settings: Settings) -> bool:
    """One atom with a magnetic moment, computed with spin."""
    return len(atoms) == 1 and settings.spin_polarized and bool(atoms.get_initial_magnetic_moments().any())
