"""Which phase of one composition is stable at which temperature: the study, and its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from ase import Atoms
from pydantic import Field

from nanoslab.calculation import Calculation, CalculationResult, Role
from nanoslab.energetics.free_energy import Phase, PhaseComparison, compare_phases
from nanoslab.energetics.phonon import ThermalProperties
from nanoslab.errors import MismatchError
from nanoslab.plot_data import Plot, drawn
from nanoslab.studies import answers
from nanoslab.studies.phonons.cell import EVERY_100_K, SupercellRole, Temperatures, VibratingCell, vibrations
from nanoslab.studies.phonons.plots import phase_plot
from nanoslab.studies.phonons.study import PHONOPY
from nanoslab.studies.result import Cell, StudyResult, Table, table_of
from nanoslab.studies.runs import UsableRuns
from nanoslab.studies.study import Reference, Study


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeEnergyResult(StudyResult):
    """Phases, the first of them the reference, and each of the others less the reference."""

    phases: tuple[Phase, ...]
    comparisons: tuple[PhaseComparison, ...]

    def document(self) -> dict[str, Any]:
        """Free energy of every phase, and their differences."""
        if not self.comparisons:
            return {}
        return {
            "reference": self.phases[0].name,
            "level_of_theory": "; ".join(dict.fromkeys(phase.static.level_of_theory for phase in self.phases)),
            "composition": self.phases[0].composition,
            "temperature_K": self.comparisons[0].temperatures.tolist(),
            "phases": [_record(phase) for phase in self.phases],
            "comparisons": [comparison.to_dict() for comparison in self.comparisons],
        }

    def tables(self) -> tuple[Table, ...]:
        """Phases, and every difference against temperature."""
        document = self.document()
        if not document:
            return ()
        columns: dict[str, Cell] = {
            "phase": "path",
            "E [eV/atom]": "energy_eV_per_atom:.5f",
            "imaginary modes": lambda phase: f"{phase['n_imaginary_modes']} of {phase['n_modes']}",
            "lowest [THz]": "lowest_frequency_THz:.3f",
        }
        phases = table_of("Phases", document["phases"], columns, [f"Level of theory: {document['level_of_theory']}."])
        return (phases, *(_difference(one, document["temperature_K"]) for one in document["comparisons"]))


class PhaseModel(VibratingCell):
    """One phase of a study of free energies."""

    name: str


class FreeEnergyStudy(Study[FreeEnergyResult]):
    """Which phase of one composition is stable at which temperature; the first phase is the reference."""

    kind: ClassVar[str] = "free-energy"
    asks: ClassVar[str] = "Does warming make another phase the stable one?"
    says = answers.free_energy
    roles: ClassVar[tuple[type[Role], ...]] = (SupercellRole,)
    methods: ClassVar[tuple[Reference, ...]] = (PHONOPY,)
    analysis_only: ClassVar[dict[str, Any]] = {
        **Study.analysis_only,
        "temperatures": True,
        "phases": {"__all__": {"mesh"}},
    }

    phases: Annotated[tuple[PhaseModel, ...], Field(min_length=2)]
    temperatures: Temperatures = EVERY_100_K

    @property
    def crystals(self) -> tuple[str, ...]:
        """Structures of the phases."""
        return tuple(phase.structure for phase in self.phases)

    def calculations(self) -> tuple[Calculation, ...]:
        """Perfect and displaced supercells of every phase."""
        made = (one.supercells(one.name, self._find_file(one.structure), self.settings) for one in self.phases)
        return tuple(supercell for of_phase in made for supercell in of_phase)

    def answer(self, runs: UsableRuns) -> FreeEnergyResult:
        """Static and vibrational energy of every phase less that of the first."""
        found = [(phase.name, vibrations(runs, phase.name, phase.mesh, self.temperatures)) for phase in self.phases]
        phases = [phase_of(name, one.to_dict()) for name, one in found if one is not None]
        if not phases or found[0][1] is None:
            return FreeEnergyResult(phases=(), comparisons=())
        comparisons = []
        for phase in phases[1:]:
            try:
                comparisons.append(compare_phases(phase, phases[0], allow_mismatch=runs.allow_mismatch))
            except MismatchError as error:
                runs.refuse(f"{phase.name}-phonon-000", str(error))
        return FreeEnergyResult(phases=tuple(phases), comparisons=tuple(comparisons))

    @classmethod
    def plots(cls, document: Mapping[str, Any]) -> tuple[Plot, ...]:
        """Differences against temperature."""
        return drawn(phase_plot(document) if "comparisons" in document else None)


def phase_of(name: str, record: Mapping[str, Any]) -> Phase:
    """Phase from the document of a study of phonons; a `KeyError` for a key that is not there."""
    # what is compared asks for the lattice (density of k-points) and the elements; positions are not in the record
    atoms = Atoms(record["symbols"], cell=record["cell_A"], pbc=True).repeat(record["supercell"])
    static = CalculationResult(
        name=name,
        path=name,
        level_of_theory=record["level_of_theory"],
        energy=record["energy_eV_per_atom"] * len(atoms),
        atoms=atoms,
        converged=True,  # a study of phonons refuses others
        comparable={**record["comparable"], "displacement": record["displacement_A"]},
    )
    return Phase(name=name, static=static, thermal=ThermalProperties.from_dict(record))


def _record(phase: Phase) -> dict[str, Any]:
    increasing = np.unique(phase.thermal.temperatures, return_index=True)[1]
    return {
        "path": phase.name,
        "energy_eV_per_atom": phase.energy_per_atom,
        "total_free_energy_eV_per_atom": phase.free_energy[increasing].tolist(),
        "total_free_energy_imaginary_as_real_eV_per_atom": phase.free_energy_imaginary_as_real[increasing].tolist(),
        "n_imaginary_modes": phase.thermal.n_imaginary,
        "n_modes": phase.thermal.n_modes,
        "lowest_frequency_THz": phase.thermal.lowest_frequency_THz,
    }


def _difference(comparison: Mapping[str, Any], temperatures: Sequence[float]) -> Table:
    keys = ("difference_meV_per_atom", "difference_imaginary_as_real_meV_per_atom")
    rows = zip(temperatures, *(comparison[key] for key in keys), strict=True)
    static = f"Static: {_millielectronvolts(comparison['static_difference_meV_per_atom'])} meV/atom."
    return Table(
        title=f"{comparison['phase']} less {comparison['reference']} [meV/atom]",
        columns=("T [K]", "E + F_vib", "imaginary as real"),
        rows=tuple((f"{kelvin:g}", *map(_millielectronvolts, values)) for kelvin, *values in rows),
        notes=(static, comparison["reading"], *comparison["notes"]),
    )


def _millielectronvolts(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}"  # no -0.00
