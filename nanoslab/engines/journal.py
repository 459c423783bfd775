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
from ase.calculators.calculator import BaseCalculator, Calculator, all_changes
from numpy.typing import NDArray


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


class Journal:
    """Append-only file of evaluations; a line torn by a kill is dropped.

    Parameters
    ----------
    path
        JSON lines: a header with the fingerprint of what is computed, then one evaluation per line.
    fingerprint
        A journal with another one is about something else and is started afresh.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Journal(Path(folder) / "j.jsonl", "x").append({"energy": 0.1})
    ...     Journal(Path(folder) / "j.jsonl", "x").take()
    {'energy': 0.1}
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self.path = path
        self._records = _read_records(path, fingerprint)
        self._next = 0
        if self._records is None:
            self._records = []
            path.write_text(json.dumps({"schema": 1, "fingerprint": fingerprint}) + "\n")
        else:
            self._rewrite_if_torn(fingerprint)

    def take(self) -> dict[str, Any] | None:
        """Return the next evaluation that is already known, or None."""
        records = self._records or []
        if self._next >= len(records):
            return None
        self._next += 1
        return records[self._next - 1]

    def forget_from_last_taken(self, fingerprint: str) -> None:
        """Drop the last evaluation taken and all after it: they belong to another path."""
        self._records = (self._records or [])[: self._next - 1]
        self._next = len(self._records)
        self._write_all(fingerprint)

    def append(self, record: Mapping[str, Any]) -> None:
        """Add an evaluation; it is on its way to the disk when this returns."""
        with self.path.open("a") as stream:
            stream.write(json.dumps(record) + "\n")

    def _rewrite_if_torn(self, fingerprint: str) -> None:
        lines = self.path.read_text().count("\n")
        if lines != len(self._records or []) + 1 or not self.path.read_text().endswith("\n"):
            self._write_all(fingerprint)

    def _write_all(self, fingerprint: str) -> None:
        from nanoslab.files import write_atomically

        lines = [json.dumps({"schema": 1, "fingerprint": fingerprint}), *(json.dumps(r) for r in self._records or [])]
        write_atomically(self.path, "\n".join(lines) + "\n")


def _read_records(path: Path, fingerprint: str) -> list[dict[str, Any]] | None:
    """Evaluations of a journal, or None when there is none of this fingerprint."""
    if not path.is_file():
        return None
    records: list[dict[str, Any]] = []
    for line in path.read_text(errors="replace").split("\n")[:-1]:
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            break
    if not records or records[0].get("fingerprint") != fingerprint:
        return None
    return records[1:]


class JournaledCalculator(Calculator):  # type: ignore[misc]
    """Asks the journal first and the engine's calculator second.

    Parameters
    ----------
    inner
        The engine's calculator.
    journal, fingerprint
        Where evaluations are kept.
    with_stress
        The stress is needed (the cell is relaxed).
    deadline
        Clock time [s] after which nothing new is computed; None is never.

    Examples
    --------
    >>> JournaledCalculator.implemented_properties
    ['energy', 'free_energy', 'forces', 'stress']
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012 (ASE's own type)

    def __init__(
        self, inner: BaseCalculator, journal: Journal, fingerprint: str, *, with_stress: bool, deadline: float | None
    ) -> None:
        super().__init__()
        self.inner = inner
        self.journal = journal
        self.fingerprint = fingerprint
        self.with_stress = with_stress
        self.deadline = deadline
        self.n_taken = 0

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """Fill the results from the journal, or compute and write them there."""
        super().calculate(atoms, properties, system_changes)
        record = self.journal.take()
        if record is not None and not _same_structure(record, self.atoms):
            self.journal.forget_from_last_taken(self.fingerprint)
            record = None
        if record is None:
            record = self._compute()
            self.journal.append(record)
        self.n_taken += 1
        self.results = {"energy": record["energy"], "free_energy": record["free_energy"]}
        for key in ("forces", "stress"):
            if record[key] is not None:
                self.results[key] = np.array(record[key], dtype=float)

    def _compute(self) -> dict[str, Any]:
        if self.deadline is not None and time.time() > self.deadline:
            raise WallTimeReachedError
        atoms = self.atoms.copy()
        atoms.constraints = []
        atoms.calc = self.inner
        forces = _plain(atoms.get_forces())
        return {
            "positions": _plain(atoms.positions),
            "cell": _plain(atoms.cell.array),
            "energy": float(atoms.get_potential_energy()),
            "free_energy": float(atoms.get_potential_energy(force_consistent=self._has_free_energy())),
            "forces": forces,
            "stress": _plain(atoms.get_stress()) if self.with_stress else None,
        }

    def _has_free_energy(self) -> bool:
        return "free_energy" in getattr(self.inner, "implemented_properties", [])


def _same_structure(record: Mapping[str, Any], atoms: Atoms) -> bool:
    return bool(
        np.array_equal(np.array(record["positions"]), atoms.positions)
        and np.array_equal(np.array(record["cell"]), atoms.cell.array)
    )


def _plain(array: NDArray[np.float64]) -> list[Any]:
    """Python floats print with every digit, so they come back bit for bit."""
    plain: list[Any] = np.asarray(array, dtype=float).tolist()
    return plain
