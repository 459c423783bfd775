"""The answer of a barrier study."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from nanoslab.studies.result import Cell, Record, StudyResult, Table, marked, record, remarks, table_of


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierRow:
    """One path."""

    calculation: str
    #: Saddle above start, saddle above end, end above start [eV]
    barrier: float
    reverse_barrier: float
    reaction_energy: float
    #: Of the saddle; None where no modes were computed
    imaginary_frequency_THz: float | None
    n_imaginary: int | None
    #: Of harmonic transition state theory, forwards; rates at the study's temperatures. None and empty where the
    #: saddle is not proven.
    prefactor_per_s: float | None
    rates_per_s: tuple[float, ...]
    #: Distance along the path [Å] and energy above the start [eV] of every image
    path: tuple[float, ...]
    energies: tuple[float, ...]
    converged: bool
    notes: tuple[str, ...] = ()
    #: Of a vacancy's hop: the species that moves, the crystal, and whether it is a cation there
    moving: str = ""
    host: str = ""
    moves_cation: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierStudyResult(StudyResult):
    """Barriers in the order of the file, and the temperatures of their rates [K]."""

    rows: tuple[BarrierRow, ...]
    temperatures: tuple[float, ...]

    def document(self) -> dict[str, Any]:
        """Return the numbers; the keys carry their units."""
        names = {
            "barrier": "barrier_eV",
            "reverse_barrier": "reverse_barrier_eV",
            "reaction_energy": "reaction_energy_eV",
            "path": "path_A",
            "energies": "energies_eV",
        }
        return {"barriers": [record(row, **names) for row in self.rows], "temperatures_K": list(self.temperatures)}

    def tables(self) -> tuple[Table, ...]:
        """Barriers, and rates."""
        document = self.document()
        notes = [f"Level of theory: {self.level_of_theory}."]
        if any(row.n_imaginary is None for row in self.rows):
            notes.append("Without modes a highest image is not proven to be a saddle, and has no rate.")
        columns: dict[str, Cell] = {
            "path": "calculation",
            "barrier [eV]": marked("barrier_eV:.3f"),
            "backwards [eV]": "reverse_barrier_eV:.3f",
            "end - start [eV]": "reaction_energy_eV:.3f",
            "imaginary mode [THz]": _imaginary,
            "remarks": remarks,
        }
        barriers = table_of("Barriers", document["barriers"], columns, notes)
        proven = [row for row in document["barriers"] if row["prefactor_per_s"] is not None]
        if not proven:
            return (barriers,)
        rates: dict[str, Cell] = {"path": "calculation", "prefactor [1/s]": "prefactor_per_s:.2e"}
        for number, temperature in enumerate(self.temperatures):
            rates[f"{temperature:g} K [1/s]"] = partial(_rate, number)
        note = "Modes of the atoms that move most, all others held."
        return barriers, table_of("Rates of harmonic transition state theory", proven, rates, [note])


def _imaginary(row: Record) -> str:
    frequency = row["imaginary_frequency_THz"]
    return "-" if frequency is None else f"{-frequency:.2f}i"


def _rate(number: int, row: Record) -> str:
    return f"{row['rates_per_s'][number]:.2e}"
