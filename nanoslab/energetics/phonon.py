"""Phonons by finite displacements: displaced supercells out, forces in; modes and their sums are phonopy's.

Imaginary modes have no free energy. They are counted and shown, left out of the sums, and the free energy with their
frequencies taken as real stands beside it, so that a reader sees how much depends on them.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray
from phonopy import Phonopy
from phonopy.physical_units import get_physical_units
from phonopy.structure.atoms import PhonopyAtoms

from nanoslab.errors import InputError

#: slower modes are translations of the whole, or numerical noise about them [THz]
TRANSLATION_THZ = 0.05

Array = NDArray[np.float64]
#: field of `ThermalProperties` -> key of its record
_KEYS = {
    "temperatures": "temperature_K",
    "free_energy": "free_energy_eV_per_atom",
    "free_energy_imaginary_as_real": "free_energy_imaginary_as_real_eV_per_atom",
    "entropy": "entropy_eV_per_K_per_atom",
    "entropy_imaginary_as_real": "entropy_imaginary_as_real_eV_per_K_per_atom",
    "heat_capacity": "heat_capacity_eV_per_K_per_atom",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ThermalProperties:
    """Harmonic thermodynamics per atom."""

    temperatures: Array  #: shape (temperatures,) [K]
    #: vibrational Helmholtz energy with the zero-point energy [eV per atom], its derivatives [eV/K per atom]; imaginary
    #: modes left out
    free_energy: Array
    #: the same with imaginary modes at the absolute value of their frequency
    free_energy_imaginary_as_real: Array
    entropy: Array
    entropy_imaginary_as_real: Array
    heat_capacity: Array
    #: how many modes of the mesh were imaginary, of how many
    n_imaginary: int
    n_modes: int
    lowest_frequency_THz: float  #: most imaginary (negative) or softest frequency, translations left out [THz]

    def __post_init__(self) -> None:
        for field in _KEYS:
            getattr(self, field).setflags(write=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values with units in the keys."""
        return {
            **{key: getattr(self, field).tolist() for field, key in _KEYS.items()},
            "n_imaginary_modes": self.n_imaginary,
            "n_modes": self.n_modes,
            "lowest_frequency_THz": self.lowest_frequency_THz,
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` gave; KeyError for a key that is not there, InputError for a list too short."""
        arrays = {field: np.array(record[key], dtype=float) for field, key in _KEYS.items()}
        wanted = arrays["temperatures"].shape
        for field, values in arrays.items():
            if values.shape != wanted:
                raise InputError(_KEYS[field], expected=f"shape {wanted}", got=values.shape)
        return cls(
            **arrays,
            n_imaginary=int(record["n_imaginary_modes"]),
            n_modes=int(record["n_modes"]),
            lowest_frequency_THz=float(record["lowest_frequency_THz"]),
        )


def displaced_supercells(cell: Atoms, repeat: Sequence[int], distance: float = 0.01) -> tuple[Atoms, ...]:
    """Supercell with every atom in its place, then those with one atom moved by a distance [Å], as symmetry asks for.

    Atoms are ordered as those of the relaxed cell, all images of one after the other; its constraints are not taken
    over, since every atom vibrates. Along the vacuum of a sheet it is repeated once.
    """
    if len(repeat) != 3 or min(repeat) < 1:
        raise InputError("supercell", expected="three numbers of at least 1", got=tuple(repeat))
    if distance <= 0:
        raise InputError("displacement", expected="a length above 0 Å", got=distance)
    phonon = _phonopy(cell, repeat)
    phonon.generate_displacements(distance=distance)
    return tuple(_to_ase(made) for made in (phonon.supercell, *(phonon.supercells_with_displacements or ())))


def cell_of_supercell(perfect: Atoms, repeat: Sequence[int]) -> Atoms:
    """Cell from which `displaced_supercells` made a perfect supercell."""
    cell: Atoms = perfect[:: int(np.prod(repeat))]
    cell.set_cell(perfect.cell.array / np.reshape(repeat, (3, 1)), scale_atoms=False)
    return cell


def phonon_modes(supercells: Sequence[Atoms], repeat: Sequence[int], forces: ArrayLike, mesh: Sequence[int]) -> Phonopy:
    """Modes on a mesh of wave vectors that holds Gamma, from the forces on supercells of `displaced_supercells`.

    The perfect one comes first; forces [eV/Å] have the shape (supercells, atoms of a supercell, 3). Force constants
    [eV/Å²] are made translationally invariant and symmetric; frequencies [THz, imaginary ones negative] and
    eigenvectors stand in phonopy's ``mesh`` for every wave vector, symmetry not used, so that projections are those of
    the atoms as they stand.
    """
    perfect, *displaced = supercells
    found = np.asarray(forces, dtype=float)
    expected = (len(supercells), len(perfect), 3)
    if found.shape != expected:
        raise InputError("forces", expected=f"shape {expected}", got=found.shape)
    try:
        phonon = _phonopy(cell_of_supercell(perfect, repeat), repeat)
        is_repeated = np.abs(_moves(_to_ase(phonon.supercell), perfect)).max() < 1e-4
    except (RuntimeError, ValueError):  # phonopy finds atoms on top of one another, or another number of them
        is_repeated = False
    if not is_repeated:
        raise InputError("supercells", expected=f"{tuple(repeat)} times one cell, atom by atom", got="another order")
    phonon.dataset = {"natom": len(perfect), "first_atoms": [_displacement(one, perfect) for one in displaced]}
    # What the perfect supercell feels (a relaxation stops at a finite force, a grid in space pulls on every atom) is
    # no answer to a displacement; it would enter the force constants divided by the displacement.
    changes = found[1:] - found[0]
    phonon.forces = changes - changes.mean(axis=1, keepdims=True)
    phonon.produce_force_constants(calculate_full_force_constants=True)
    phonon.symmetrize_force_constants()
    phonon.run_mesh(
        list(mesh), is_mesh_symmetry=False, is_time_reversal=False, with_eigenvectors=True, is_gamma_center=True
    )
    return phonon


def thermal_properties(phonon: Phonopy, temperatures: Sequence[float]) -> ThermalProperties:
    """Free energy, entropy and heat capacity of harmonic oscillators at temperatures [K]; translations are left out."""
    frequencies = np.asarray(phonon.mesh.frequencies)
    still = np.abs(frequencies) < TRANSLATION_THZ
    plain, as_real = (
        phonon.run_thermal_properties(
            temperatures=list(temperatures), cutoff_frequency=TRANSLATION_THZ, pretend_real=pretend_real
        )
        for pretend_real in (False, True)
    )
    to_eV = 1 / (get_physical_units().EvTokJmol * len(phonon.primitive))  # of kJ/mol, in phonopy's own constants
    return ThermalProperties(
        temperatures=np.array(temperatures, dtype=float),
        free_energy=plain.free_energy * to_eV,
        free_energy_imaginary_as_real=as_real.free_energy * to_eV,
        entropy=plain.entropy * to_eV / 1000,
        entropy_imaginary_as_real=as_real.entropy * to_eV / 1000,
        heat_capacity=plain.heat_capacity * to_eV / 1000,
        n_imaginary=int((frequencies <= -TRANSLATION_THZ).sum()),
        n_modes=frequencies.size,
        lowest_frequency_THz=float(frequencies[~still].min(initial=np.inf)),
    )


def mean_square_displacements(phonon: Phonopy, temperature: float) -> Array:
    """Tensors <u_a u_b> of every atom [Å²], shape (atoms, 3, 3); translations and imaginary modes left out.

    M <u_a u_b> = (1/N) sum over modes of (hbar / 2 omega) coth(hbar omega / 2kT) Re(e_a e_b*). In a free-standing
    sheet the bending waves make it grow (slowly) with the size of the mesh.
    """
    found = phonon.run_thermal_displacement_matrices(temperatures=[temperature], freq_min=TRANSLATION_THZ)
    return np.array(found.thermal_displacement_matrices[0])


def _phonopy(cell: Atoms, repeat: Sequence[int]) -> Phonopy:
    unit = PhonopyAtoms(
        symbols=cell.get_chemical_symbols(),
        cell=cell.cell.array,
        scaled_positions=cell.get_scaled_positions(wrap=False),
        masses=cell.get_masses(),
        magnetic_moments=cell.get_initial_magnetic_moments() if cell.has("initial_magmoms") else None,
    )
    with warnings.catch_warnings():
        # a supercell that is longer one way has fewer operations than the crystal; the fewer are then used
        warnings.filterwarnings("ignore", message="Warning: Point group symmetries")
        return Phonopy(unit, supercell_matrix=np.diag(repeat), primitive_matrix="P")


def _to_ase(made: PhonopyAtoms) -> Atoms:
    atoms = Atoms(made.symbols, scaled_positions=made.scaled_positions, cell=made.cell, masses=made.masses, pbc=True)
    if made.magnetic_moments is not None:
        atoms.set_initial_magnetic_moments(made.magnetic_moments)
    return atoms


def _moves(atoms: Atoms, perfect: Atoms) -> Array:
    moved = np.linalg.solve(perfect.cell.array.T, (atoms.positions - perfect.positions).T).T
    return np.asarray((moved - np.round(moved)) @ perfect.cell.array)


def _displacement(atoms: Atoms, perfect: Atoms) -> dict[str, object]:
    """Which atom of a supercell was moved, and where to [Å]."""
    moves = _moves(atoms, perfect)
    lengths = np.linalg.norm(moves, axis=1)
    number = int(lengths.argmax())
    if np.delete(lengths, number).max(initial=0.0) > 1e-3 * lengths[number]:
        raise InputError("supercells", expected="one atom moved in each", got=f"{(lengths > 1e-6).sum()} atoms moved")
    return {"number": number, "displacement": moves[number]}
