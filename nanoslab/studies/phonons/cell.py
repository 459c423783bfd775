"""A relaxed cell whose vibrations are asked for: its supercells as calculations, and what their runs say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from pydantic import Field

from nanoslab.beam.phonon_vibration import velocity_tensors
from nanoslab.calculation import Calculation, CalculationResult, Role, Settings
from nanoslab.campaign.format import read_calculation
from nanoslab.crystals import read_structure_file
from nanoslab.energetics.consistency import SAME_CELL, require_energy
from nanoslab.energetics.phonon import (
    ThermalProperties,
    cell_of_supercell,
    displaced_supercells,
    mean_square_displacements,
    phonon_modes,
    thermal_properties,
)
from nanoslab.errors import InputError
from nanoslab.measure.sheet import faces_differ
from nanoslab.slab_geometry import empty_height
from nanoslab.studies.runs import UsableRun, UsableRuns
from nanoslab.studies.settings_model import SettingsModel
from nanoslab.studies.study import StudyModel

#: largest change of the energy in the last electronic step [eV]: force constants are small differences
ELECTRONIC_TOLERANCE = 1e-8
#: temperature at which the motion of every atom is given [K]
ROOM_TEMPERATURE = 300.0
#: wider layers without atoms are vacuum [Å]
VACUUM = 5.0

Count = Annotated[int, Field(gt=0)]
Counts = tuple[Count, Count, Count]
Temperatures = Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1)]
EVERY_100_K: Temperatures = (0.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0)


class SupercellRole(Role):
    """A supercell of the cell named ``phonon_of``; displacement 0 is the perfect one."""

    kind: Literal["phonon"] = "phonon"
    phonon_of: str
    displacement: int
    repeat: tuple[int, int, int]


class VibratingCell(StudyModel):
    """A relaxed cell, and how its vibrations are asked for.

    The structure is a file of atoms, or a calculation (as ``calculation.json``), which has settings of its own. Left
    out, the mesh is that of the preset, and a dipole correction is made where the cell has a vacuum and its faces
    differ. Supercell and mesh are 1 along the vacuum of a sheet.
    """

    structure: str
    kpoints: Counts | None = None
    dipole_correction: bool | None = None
    supercell: Counts = (2, 2, 1)
    displacement: float = Field(default=0.01, gt=0, le=1)
    mesh: Counts = (8, 8, 1)

    def supercells(self, name: str, path: Path, settings: SettingsModel) -> tuple[Calculation, ...]:
        """Supercells of the structure, found at `path`, as calculations; the settings are those of the study."""
        if path.suffix == ".json":
            if settings.model_fields_set or self.kpoints or self.dipole_correction is not None:
                got = "a calculation, which has its own"
                raise InputError("structure", expected="a structure file beside settings or kpoints", got=got)
            written = read_calculation(path)
            cell, of_cell = written.atoms, written.settings
        else:
            cell = free_cell(read_structure_file(path))
            of_cell = cell_settings(cell, settings.settings(), self.kpoints, dipole_correction=self.dipole_correction)
        made = supercell_calculations(name, cell, of_cell, self.supercell, self.displacement)
        return settings.with_moments(made)


def free_cell(atoms: Atoms) -> Atoms:
    """Copy grouped by species and free of constraints: every atom vibrates."""
    symbols = atoms.get_chemical_symbols()
    cell: Atoms = atoms[np.argsort([symbols.index(symbol) for symbol in symbols], kind="stable")]
    cell.set_constraint()
    cell.info = {}
    return cell


def cell_settings(
    cell: Atoms, settings: Settings, kpoints: Counts | None, *, dipole_correction: bool | None = None
) -> Settings:
    """Settings with the k-points of a cell, and by default a dipole correction where it is polar."""
    if kpoints is None and settings.kpoints == (1, 1, 1):
        advice = "such as --kpoints 4 3 1, or kpoints: [4, 3, 1] in a study file; one point is allowed"
        raise InputError("kpoints", expected="the mesh of the cell", got="none", advice=advice)
    if dipole_correction is None:
        dipole_correction = empty_height(cell) > VACUUM and faces_differ(cell)
    return replace(settings, kpoints=kpoints or settings.kpoints, dipole_correction=dipole_correction)


def supercell_calculations(
    name: str, cell: Atoms, settings: Settings, repeat: Counts, distance: float
) -> tuple[Calculation, ...]:
    """Calculations of one energy each: ``<name>-phonon-000``, the perfect supercell, then the displaced ones [Å].

    The settings are those of the relaxed cell; the supercells get its k-points at the same density and a tighter
    electronic tolerance, and keep everything else.

    Examples
    --------
    >>> from ase.build import bulk
    >>> settings = Settings(source="example", kpoints=(9, 9, 1), dipole_correction=True)
    >>> made = supercell_calculations("Cu", bulk("Cu"), settings, (2, 3, 1), 0.01)
    >>> [(one.name, one.settings.kpoints, one.settings.dipole_correction) for one in made[:2]]
    [('Cu-phonon-000', (5, 3, 1), True), ('Cu-phonon-001', (5, 3, 1), True)]
    """
    first, second, third = (-(-points // count) for points, count in zip(settings.kpoints, repeat, strict=True))
    tolerance = min(settings.electronic_tolerance, ELECTRONIC_TOLERANCE)
    single = replace(settings, relax="none", kpoints=(first, second, third), electronic_tolerance=tolerance)
    return tuple(
        Calculation(
            name=f"{name}-phonon-{number:03d}",
            role=SupercellRole(phonon_of=name, displacement=number, repeat=repeat),
            atoms=supercell,
            settings=single,
        )
        for number, supercell in enumerate(displaced_supercells(cell, repeat, distance))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Vibrations:
    """What the supercells of one cell say."""

    static: CalculationResult  #: of the perfect supercell
    cell: Atoms
    #: cells, and wave vectors, along the three lattice vectors
    repeat: tuple[int, int, int]
    mesh: tuple[int, int, int]
    displacements: tuple[float, ...]  #: lengths [Å]
    thermal: ThermalProperties
    #: <u_a u_b> [Å²] and <v_a v_b> [m²/s²] of every atom at 300 K, shape (atoms, 3, 3)
    mean_square_displacements: NDArray[np.float64]
    velocity_tensors: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for array in (self.mean_square_displacements, self.velocity_tensors):
            array.setflags(write=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values with units in the keys."""
        return {
            "level_of_theory": self.static.level_of_theory,
            "comparable": dict(self.static.comparable),
            "formula": self.cell.get_chemical_formula(),
            "n_atoms": len(self.cell),
            "symbols": self.cell.get_chemical_symbols(),
            "cell_A": self.cell.cell.array.tolist(),
            "supercell": list(self.repeat),
            "n_displacements": len(self.displacements),
            "displacement_A": round(max(self.displacements), 6),
            "energy_eV_per_atom": require_energy(self.static) / len(self.cell) / int(np.prod(self.repeat)),
            "max_residual_force_eV_per_A": self.static.max_free_force,
            "mesh": list(self.mesh),
            **self.thermal.to_dict(),
            "motion_temperature_K": ROOM_TEMPERATURE,
            "mean_square_displacement_A2": self.mean_square_displacements.tolist(),
            "velocity_covariance_m2_per_s2": self.velocity_tensors.tolist(),
        }


def vibrations(runs: UsableRuns, name: str, mesh: Counts, temperatures: Temperatures) -> Vibrations | None:
    """Vibrations of a cell from the runs of its supercells, as they were written; None where one cannot be used."""
    found = [(role, run) for role, run in runs.of(SupercellRole) if role.phonon_of == name]
    found.sort(key=lambda pair: pair[0].displacement)
    perfect: UsableRun | None = None
    forces = []
    for _, run in found:
        usable = runs.get(run, perfect, SAME_CELL)
        perfect = perfect or usable
        if usable is not None and (of_one := _forces(usable.result)) is not None:
            forces.append(of_one)
        elif usable is not None:
            runs.refuse(run.calculation.name, "; ".join(run.result.problems) or "no forces")
    if perfect is None or len(forces) < len(found):
        return None
    repeat, supercells = found[0][0].repeat, [run.calculation.atoms for _, run in found]
    phonon = phonon_modes(supercells, repeat, forces, mesh)
    return Vibrations(
        static=perfect.result,
        cell=cell_of_supercell(supercells[0], repeat),
        repeat=repeat,
        mesh=mesh,
        displacements=tuple(float(np.linalg.norm(one["displacement"])) for one in phonon.dataset["first_atoms"]),
        thermal=thermal_properties(phonon, temperatures),
        mean_square_displacements=mean_square_displacements(phonon, ROOM_TEMPERATURE),
        velocity_tensors=velocity_tensors(phonon, ROOM_TEMPERATURE),
    )


def _forces(result: CalculationResult) -> NDArray[np.float64] | None:
    """Forces of a converged run [eV/Å]; electrons that are not converged would spoil the frequencies."""
    calculator = None if result.atoms is None else result.atoms.calc
    forces = None if calculator is None else calculator.results.get("forces")
    return None if forces is None or not result.converged else np.asarray(forces, dtype=float)
