"""The answer of a barrier study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nanoslab.studies.result import StudyResult, Table, record


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierRow:
    """One path.

    Attributes
    ----------
    barrier, reverse_barrier, reaction_energy
        Saddle above start, saddle above end, end above start [eV].
    imaginary_frequency_THz, n_imaginary
        Of the saddle; None where no modes were computed.
    prefactor_per_s, rates_per_s
        Of harmonic transition state theory, forwards; rates at the study's temperatures. None and empty where the
        saddle is not proven.
    path, energies
        Distance along the path [Å] and energy above the start [eV] of every image.
    """

    calculation: str
    barrier: float
    reverse_barrier: float
    reaction_energy: float
    imaginary_frequency_THz: float | None
    n_imaginary: int | None
    prefactor_per_s: float | None
    rates_per_s: tuple[float, ...]
    path: tuple[float, ...]
    energies: tuple[float, ...]
    converged: bool
    notes: tuple[str, ...] = ()


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
        notes = [f"Level of theory: {self.level_of_theory}."]
        if any(row.n_imaginary is None for row in self.rows):
            notes.append("Without modes a highest image is not proven to be a saddle, and has no rate.")
        columns = ("path", "barrier [eV]", "backwards [eV]", "end - start [eV]", "imaginary mode [THz]", "remarks")
        barriers = tuple(
            (
                row.calculation,
                f"{row.barrier:.3f}{'' if row.converged else ' (!)'}",
                f"{row.reverse_barrier:.3f}",
                f"{row.reaction_energy:.3f}",
                "-" if row.imaginary_frequency_THz is None else f"{-row.imaginary_frequency_THz:.2f}i",
                "; ".join(row.notes),
            )
            for row in self.rows
        )
        tables = [Table(title="Barriers", columns=columns, rows=barriers, notes=tuple(notes))]
        proven = [row for row in self.rows if row.prefactor_per_s is not None]
        if proven:
            rates = tuple(
                (row.calculation, f"{row.prefactor_per_s:.2e}", *(f"{rate:.2e}" for rate in row.rates_per_s))
                for row in proven
            )
            tables.append(
                Table(
                    title="Rates of harmonic transition state theory",
                    columns=("path", "prefactor [1/s]", *(f"{t:g} K [1/s]" for t in self.temperatures)),
                    rows=rates,
                    notes=("Modes of the atoms that move most, all others held.",),
                )
            )
        return tuple(tables)
