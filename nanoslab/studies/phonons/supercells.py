"""Perfect and displaced supercells of a cell as calculations, and what their forces say about its vibrations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.beam.phonon_vibration import M2_S2_PER_A2_FS2, velocity_tensors
from nanoslab.calculation import Calculation, CalculationResult, Role, Run, Settings
from nanoslab.energetics.consistency import require_energy
from nanoslab.energetics.phonon import cell_of_supercell, displaced_supercells, phonon_modes
from nanoslab.energetics.thermal import ThermalProperties, mean_square_displacements, thermal_properties
from nanoslab.errors import InputError

#: largest change of the energy in the last electronic step [eV]: force constants are small differences
ELECTRONIC_TOLERANCE = 1e-8
#: temperature at which the motion of every atom is given [K]
ROOM_TEMPERATURE = 300.0

Array = NDArray[np.float64]


class SupercellRole(Role):
    """A supercell of the cell whose phonons are asked for.

    Attributes
    ----------
    phonon_of
        Name of the cell.
    displacement
        Which displaced supercell, from 1; 0 is the perfect one.
    repeat
        Supercell along the three lattice vectors.
    """

    kind: str = "phonon"
    phonon_of: str
    displacement: int
    repeat: tuple[int, int, int]


def supercell_calculations(
    name: str, cell: Atoms, settings: Settings, repeat: Sequence[int], distance: float = 0.01
) -> tuple[Calculation, ...]:
    """Perfect and displaced supercells as calculations of one energy each.

    Parameters
    ----------
    name
        Of the cell; the calculations are ``<name>-phonon-000``, the perfect supercell, then ``-001`` and so on.
    cell
        Relaxed cell, grouped by species.
    settings
        Of the cell, with its k-points; see `supercell_settings`.
    repeat
        Supercell along the three lattice vectors.
    distance
        Length of a displacement [Å].

    Examples
    --------
    >>> from ase.build import bulk
    >>> made = supercell_calculations("Cu", bulk("Cu"), Settings(source="example", kpoints=(9, 9, 9)), (2, 2, 2))
    >>> [(one.name, one.settings.kpoints) for one in made]
    [('Cu-phonon-000', (5, 5, 5)), ('Cu-phonon-001', (5, 5, 5))]
    """
    first, second, third = (int(count) for count in repeat)
    single = supercell_settings(settings, repeat)
    return tuple(
        Calculation(
            name=f"{name}-phonon-{number:03d}",
            role=SupercellRole(phonon_of=name, displacement=number, repeat=(first, second, third)),
            atoms=supercell,
            settings=single,
        )
        for number, supercell in enumerate(displaced_supercells(cell, repeat, distance))
    )


def supercell_settings(settings: Settings, repeat: Sequence[int]) -> Settings:
    """Settings of a cell for single energies of its supercell: k-points of the same density, a tighter energy.

    Everything else, the dipole correction of a polar sheet included, stays as it is.

    Examples
    --------
    >>> sheet = Settings(source="example", kpoints=(4, 3, 1), dipole_correction=True)
    >>> supercell = supercell_settings(sheet, (2, 2, 1))
    >>> supercell.kpoints, supercell.dipole_correction
    ((2, 2, 1), True)
    """
    first, second, third = (-(-points // count) for points, count in zip(settings.kpoints, repeat, strict=True))
    return replace(
        settings,
        relax="none",
        kpoints=(first, second, third),
        electronic_tolerance=min(settings.electronic_tolerance, ELECTRONIC_TOLERANCE),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Vibrations:
    """What the supercells of one cell say.

    Attributes
    ----------
    static
        Result of the perfect supercell.
    cell
        Of the vibrating atoms.
    repeat, mesh
        Supercell, and wave vectors, along the three lattice vectors.
    n_displacements, displacement
        How many supercells had an atom moved, and how far [Å].
    thermal
        Free energy and what belongs to it.
    mean_square_displacement
        At room temperature, shape (atoms, 3, 3) [Å²].
    velocity_tensors
        <v_a v_b> at room temperature, shape (atoms, 3, 3) [Å²/fs²].
    """

    static: CalculationResult
    cell: Atoms
    repeat: tuple[int, int, int]
    mesh: tuple[int, int, int]
    n_displacements: int
    displacement: float
    thermal: ThermalProperties
    mean_square_displacement: Array
    velocity_tensors: Array

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for array in (self.mean_square_displacement, self.velocity_tensors):
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
            "n_displacements": self.n_displacements,
            "displacement_A": self.displacement,
            "energy_eV_per_atom": require_energy(self.static) / len(self.cell) / int(np.prod(self.repeat)),
            "max_residual_force_eV_per_A": self.static.max_free_force,
            "mesh": list(self.mesh),
            **self.thermal.to_dict(),
            "motion_temperature_K": ROOM_TEMPERATURE,
            "mean_square_displacement_A2": self.mean_square_displacement.tolist(),
            "velocity_covariance_m2_per_s2": (self.velocity_tensors * M2_S2_PER_A2_FS2).tolist(),
        }


def vibrations(runs: Sequence[Run], mesh: tuple[int, int, int], temperatures: Sequence[float]) -> Vibrations:
    """Vibrations of a cell from the runs of its supercells, in their order, the perfect one first.

    Parameters
    ----------
    runs
        Of the calculations of `supercell_calculations`, as they were written.
    mesh
        Wave vectors along the three reciprocal vectors; 1 along the vacuum of a sheet.
    temperatures
        [K].

    Raises
    ------
    InputError
        One is not finished, not converged, or has no forces; or they are not supercells of one cell.
    """
    role, supercells = runs[0].calculation.role, [run.calculation.atoms for run in runs]
    repeat = tuple(getattr(role, "repeat", (1, 1, 1)))
    phonon = phonon_modes(supercells, repeat, [_forces(run.result) for run in runs], mesh)
    moves = [np.linalg.norm(one["displacement"]) for one in phonon.dataset["first_atoms"]]
    return Vibrations(
        static=runs[0].result,
        cell=cell_of_supercell(supercells[0], repeat),
        repeat=repeat,
        mesh=mesh,
        n_displacements=len(runs) - 1,
        displacement=round(float(np.mean(moves)), 6),
        thermal=thermal_properties(phonon, temperatures),
        mean_square_displacement=mean_square_displacements(phonon, ROOM_TEMPERATURE),
        velocity_tensors=velocity_tensors(phonon, ROOM_TEMPERATURE),
    )


def _forces(result: CalculationResult) -> Array:
    calculator = None if result.atoms is None else result.atoms.calc
    forces = None if calculator is None else calculator.results.get("forces")
    if result.energy is None or forces is None or not result.converged:
        said = "; ".join(result.problems) or "no forces"
        raise InputError(
            result.path, expected="a finished, converged run with forces", got=said, advice="run it, or continue it"
        )
    return np.asarray(forces, dtype=float)
