"""Every energy that was computed, on disk, so that a relaxation killed at any moment goes on as if nothing happened.

The optimiser is deterministic, so on a restart it walks again from the start and takes the energies it asks for from
the journal while they last; from there on it computes. The path, and so the result, is the one of an undisturbed run
to the last bit (for engines whose answer does not depend on what they computed before), and nothing is paid twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BaseCalculator
from numpy.typing import NDArray

from nanoslab.engines.interface import OwnCalculator
from nanoslab.files import write_atomically


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long one calculation may go on.

    Attributes
    ----------
    deadline
        Clock time (`time.time`) [s] at which a relaxation stops between two steps, to be resumed later; None is never.
    max_steps
        Ionic steps; None takes those of the settings.
    """

    deadline: float | None = None
    max_steps: int | None = None


class WallTimeReachedError(Exception):
    """The time given to the run is over; the journal holds all that was computed."""


class JournaledCalculator(OwnCalculator):
    """Asks the journal first and the engine's calculator second.

    The journal is a file of JSON lines: a header with the fingerprint of what is computed, then one evaluation per
    line. After the deadline [s, as `time.time`] nothing new is computed.
    """

    def __init__(
        self, inner: BaseCalculator, path: Path, fingerprint: str, *, with_stress: bool, deadline: float | None
    ) -> None:
        super().__init__()
        self.inner = inner
        self.path = path
        self.fingerprint = fingerprint
        self.with_stress = with_stress
        self.deadline = deadline
        self.n_taken = 0
        self._known = _read_records(path, fingerprint)
        self._write_known()

    def compute(self, structure: Atoms, properties: list[str], changes: list[str]) -> dict[str, Any]:
        """Results from the journal, or computed and written there."""
        del properties, changes
        if self.n_taken < len(self._known) and not _same_structure(self._known[self.n_taken], structure):
            del self._known[self.n_taken :]  # they belong to another path
            self._write_known()
        if self.n_taken < len(self._known):
            record = self._known[self.n_taken]
        else:
            record = self._evaluate(structure)
            with self.path.open("a") as stream:
                stream.write(json.dumps(record) + "\n")
        self.n_taken += 1
        arrays = {key: np.array(record[key], dtype=float) for key in ("forces", "stress") if record[key] is not None}
        return {"energy": record["energy"], "free_energy": record["free_energy"], **arrays}

    def _write_known(self) -> None:
        lines = [{"schema": 1, "fingerprint": self.fingerprint}, *self._known]
        write_atomically(self.path, "".join(json.dumps(line) + "\n" for line in lines))

    def _evaluate(self, atoms: Atoms) -> dict[str, Any]:
        if self.deadline is not None and time.time() > self.deadline:
            raise WallTimeReachedError
        atoms.calc = self.inner
        forces = _plain(atoms.get_forces())
        has_free_energy = "free_energy" in getattr(self.inner, "implemented_properties", [])
        return {
            "positions": _plain(atoms.positions),
            "cell": _plain(atoms.cell.array),
            "energy": float(atoms.get_potential_energy()),
            "free_energy": float(atoms.get_potential_energy(force_consistent=has_free_energy)),
            "forces": forces,
            "stress": _plain(atoms.get_stress()) if self.with_stress else None,
        }


def _read_records(path: Path, fingerprint: str) -> list[dict[str, Any]]:
    """Evaluations of a journal up to a line torn by a kill; none when it is about something else."""
    records: list[dict[str, Any]] = []
    for line in path.read_text(errors="replace").split("\n")[:-1] if path.is_file() else ():
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return records[1:] if records and records[0].get("fingerprint") == fingerprint else []


def _same_structure(record: Mapping[str, Any], atoms: Atoms) -> bool:
    return bool(
        np.array_equal(np.array(record["positions"]), atoms.positions)
        and np.array_equal(np.array(record["cell"]), atoms.cell.array)
    )


def _plain(array: NDArray[np.float64]) -> list[Any]:
    """Python floats print with every digit, so they come back bit for bit."""
    plain: list[Any] = np.asarray(array, dtype=float).tolist()
    return plain
