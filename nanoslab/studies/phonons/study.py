"""Vibrations of one relaxed cell: the study, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nanoslab.calculation import Calculation, Role
from nanoslab.plot_data import Plot, drawn
from nanoslab.studies import answers
from nanoslab.studies.phonons import cell
from nanoslab.studies.phonons.cell import SupercellRole, Temperatures, VibratingCell, Vibrations
from nanoslab.studies.phonons.plots import thermal_plot
from nanoslab.studies.result import StudyResult, Table
from nanoslab.studies.runs import UsableRuns
from nanoslab.studies.study import Reference, Study

#: a larger force on the perfect supercell means a cell that is not relaxed [eV/Å]
RELAXED = 0.02
PHONOPY = Reference(
    "A. Togo, L. Chaput, T. Tadano and I. Tanaka, J. Phys.: Condens. Matter 35, 353001 (2023)",
    "https://doi.org/10.1088/1361-648X/acd831",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhononsResult(StudyResult):
    """Vibrations of the cell; None where a supercell is missing or cannot be used."""

    vibrations: Vibrations | None

    def document(self) -> dict[str, Any]:
        """Static and free energy, imaginary modes, thermal motion of every atom."""
        return {} if self.vibrations is None else self.vibrations.to_dict()

    def tables(self) -> tuple[Table, ...]:
        """Free energy and entropy against temperature."""
        if self.vibrations is None:
            return ()
        static, thermal = self.vibrations.static, self.vibrations.thermal
        notes = [
            f"Level of theory: {self.level_of_theory}.",
            f"Static energy {self.document()['energy_eV_per_atom']:.5f} eV/atom.",
            f"{thermal.n_imaginary} of {thermal.n_modes} modes are imaginary; lowest frequency "
            f"{thermal.lowest_frequency_THz:.3f} THz.",
        ]
        if (static.max_free_force or 0.0) > RELAXED:
            notes.append(f"The cell is not relaxed: forces reach {static.max_free_force:.3f} eV/Å.")
        free = (thermal.free_energy, thermal.free_energy_imaginary_as_real, thermal.entropy)
        rows = tuple(
            (f"{t:g}", f"{1e3 * f:.2f}", f"{1e3 * g:.2f}", f"{1e3 * s:.4f}")
            for t, f, g, s in zip(thermal.temperatures, *free, strict=True)
        )
        title = f"Vibrations of {self.vibrations.cell.get_chemical_formula()}"
        columns = ("T [K]", "F [meV/atom]", "F, imaginary as real", "S [meV/K/atom]")
        return (Table(title=title, columns=columns, rows=rows, notes=tuple(notes)),)


class PhononsStudy(Study[PhononsResult], VibratingCell):
    """How the atoms of one relaxed structure vibrate, and what that adds to its free energy."""

    kind: ClassVar[str] = "phonons"
    asks: ClassVar[str] = "Does the structure rest in a minimum?"
    says = answers.phonons
    roles: ClassVar[tuple[type[Role], ...]] = (SupercellRole,)
    methods: ClassVar[tuple[Reference, ...]] = (PHONOPY,)

    analysis_only: ClassVar[dict[str, Any]] = {**Study.analysis_only, "mesh": True, "temperatures": True}

    temperatures: Temperatures = cell.EVERY_100_K

    @property
    def crystals(self) -> tuple[str, ...]:
        """Structure whose atoms vibrate."""
        return (self.structure,)

    def calculations(self) -> tuple[Calculation, ...]:
        """Perfect supercell, and those with one atom displaced."""
        return self.supercells("cell", self._find_file(self.structure), self.settings)

    def answer(self, runs: UsableRuns) -> PhononsResult:
        """Modes, and their sums at the temperatures."""
        return PhononsResult(vibrations=cell.vibrations(runs, "cell", self.mesh, self.temperatures))

    @classmethod
    def plots(cls, document: Mapping[str, Any]) -> tuple[Plot, ...]:
        """Free energy against temperature."""
        return drawn(thermal_plot({str(document["formula"]): document}) if "formula" in document else None)
