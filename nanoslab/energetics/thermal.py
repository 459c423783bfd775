"""What harmonic modes say at a temperature: free energy, entropy, heat capacity, displacements and velocities.

Imaginary modes have no free energy. They are counted and shown, left out of the sums, and the free energy with their
frequencies taken as real stands beside it, so that a reader sees how much hangs on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import constants

from nanoslab.errors import InputError

#: quantum of 1 THz [eV]
EV_PER_THZ = constants.h * 1e12 / constants.e
BOLTZMANN_EV_PER_K = constants.k / constants.e
#: slower modes are translations of the whole, or numerical noise about them [THz]
TRANSLATION_THZ = 0.05

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhononModes:
    """Frequencies and eigenvectors on a full mesh of wave vectors.

    Attributes
    ----------
    frequencies_THz
        Shape (wave vectors, 3 atoms); imaginary ones negative.
    eigenvectors
        Shape (wave vectors, atoms, 3, 3 atoms), complex, normalised to 1 over the cell.
    masses
        Shape (atoms,) [u].

    Examples
    --------
    >>> PhononModes(frequencies_THz=np.full((1, 3), 5.0), eigenvectors=np.eye(3).reshape(1, 1, 3, 3),
    ...             masses=np.array([12.0])).n_imaginary
    0
    """

    frequencies_THz: Array
    eigenvectors: NDArray[np.complex128]
    masses: Array

    @property
    def n_modes(self) -> int:
        """Number of modes on the mesh."""
        return int(self.frequencies_THz.size)

    @property
    def translational(self) -> NDArray[np.bool_]:
        """Modes of the whole crystal moving: slower than 0.05 THz."""
        still: NDArray[np.bool_] = np.abs(self.frequencies_THz) < TRANSLATION_THZ
        return still

    @property
    def imaginary(self) -> NDArray[np.bool_]:
        """Modes along which the energy falls."""
        falling: NDArray[np.bool_] = self.frequencies_THz <= -TRANSLATION_THZ
        return falling

    @property
    def n_imaginary(self) -> int:
        """Number of imaginary modes on the mesh."""
        return int(self.imaginary.sum())

    @property
    def lowest_frequency_THz(self) -> float:
        """Most imaginary (negative) or softest frequency, translations left out [THz]."""
        return float(self.frequencies_THz[~self.translational].min(initial=np.inf))


@dataclass(frozen=True, slots=True, kw_only=True)
class ThermalProperties:
    """Harmonic thermodynamics per atom.

    Attributes
    ----------
    temperatures
        Shape (temperatures,) [K].
    free_energy
        Vibrational Helmholtz energy, zero-point energy included, imaginary modes left out [eV per atom].
    free_energy_imaginary_as_real
        The same with imaginary modes at the absolute value of their frequency [eV per atom].
    entropy, heat_capacity
        Imaginary modes left out [eV/K per atom].
    entropy_imaginary_as_real
        Entropy with imaginary modes at the absolute value of their frequency [eV/K per atom].
    n_imaginary, n_modes
        How many modes of the mesh were imaginary, of how many.
    lowest_frequency_THz
        Most imaginary (negative) or softest frequency [THz].

    Examples
    --------
    >>> modes = PhononModes(frequencies_THz=np.full((1, 3), 5.0), eigenvectors=np.eye(3).reshape(1, 1, 3, 3),
    ...                     masses=np.array([12.0]))
    >>> thermal = thermal_properties(modes, [0.0, 300.0])
    >>> thermal.free_energy.round(4).tolist()
    [0.031, -0.0153]
    """

    temperatures: Array
    free_energy: Array
    free_energy_imaginary_as_real: Array
    entropy: Array
    entropy_imaginary_as_real: Array
    heat_capacity: Array
    n_imaginary: int
    n_modes: int
    lowest_frequency_THz: float

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values with units in the keys."""
        return {
            "temperature_K": self.temperatures.tolist(),
            "free_energy_eV_per_atom": self.free_energy.tolist(),
            "free_energy_imaginary_as_real_eV_per_atom": self.free_energy_imaginary_as_real.tolist(),
            "entropy_eV_per_K_per_atom": self.entropy.tolist(),
            "entropy_imaginary_as_real_eV_per_K_per_atom": self.entropy_imaginary_as_real.tolist(),
            "heat_capacity_eV_per_K_per_atom": self.heat_capacity.tolist(),
            "n_imaginary_modes": self.n_imaginary,
            "n_modes": self.n_modes,
            "lowest_frequency_THz": self.lowest_frequency_THz,
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` gave.

        Raises
        ------
        KeyError
            For a key that is not there.
        InputError
            For a list that is not as long as that of the temperatures.
        """
        arrays = {
            "temperatures": "temperature_K",
            "free_energy": "free_energy_eV_per_atom",
            "free_energy_imaginary_as_real": "free_energy_imaginary_as_real_eV_per_atom",
            "entropy": "entropy_eV_per_K_per_atom",
            "entropy_imaginary_as_real": "entropy_imaginary_as_real_eV_per_K_per_atom",
            "heat_capacity": "heat_capacity_eV_per_K_per_atom",
        }
        read = {field: np.array(record[key], dtype=float) for field, key in arrays.items()}
        wanted = read["temperatures"].shape
        for field, values in read.items():
            if values.shape != wanted:
                raise InputError(arrays[field], expected=f"shape {wanted}", got=values.shape)
        return cls(
            **read,
            n_imaginary=int(record["n_imaginary_modes"]),
            n_modes=int(record["n_modes"]),
            lowest_frequency_THz=float(record["lowest_frequency_THz"]),
        )


def thermal_properties(modes: PhononModes, temperatures: Sequence[float]) -> ThermalProperties:
    """Sum the free energy, entropy and heat capacity of harmonic oscillators.

    Parameters
    ----------
    modes
        On a full mesh; translations (below 0.05 THz) are left out, as their share vanishes with a denser mesh.
    temperatures
        [K], 0 allowed.

    Examples
    --------
    >>> modes = PhononModes(frequencies_THz=np.full((1, 3), 5.0), eigenvectors=np.eye(3).reshape(1, 1, 3, 3),
    ...                     masses=np.array([12.0]))
    >>> round(thermal_properties(modes, [3000.0]).heat_capacity[0] / (3 * BOLTZMANN_EV_PER_K), 3)  # Dulong and Petit
    np.float64(0.999)
    """
    kelvin = np.asarray(temperatures, dtype=float)
    n_atoms, n_cells = len(modes.masses), len(modes.frequencies_THz)
    quanta = EV_PER_THZ * modes.frequencies_THz[~modes.imaginary & ~modes.translational]
    unstable = EV_PER_THZ * np.abs(modes.frequencies_THz[modes.imaginary])
    sums = np.array([_oscillators(quanta, float(t)) for t in kelvin]) / (n_atoms * n_cells)
    extra = np.array([_oscillators(unstable, float(t)) for t in kelvin]) / (n_atoms * n_cells)
    return ThermalProperties(
        temperatures=kelvin,
        free_energy=sums[:, 0],
        free_energy_imaginary_as_real=sums[:, 0] + extra[:, 0],
        entropy=sums[:, 1],
        entropy_imaginary_as_real=sums[:, 1] + extra[:, 1],
        heat_capacity=sums[:, 2],
        n_imaginary=modes.n_imaginary,
        n_modes=modes.n_modes,
        lowest_frequency_THz=modes.lowest_frequency_THz,
    )


def mean_square_displacements(modes: PhononModes, temperature: float) -> Array:
    """Tensors <u_a u_b> of every atom [Å²], shape (atoms, 3, 3); translations and imaginary modes left out.

    M <u_a u_b> = (1/N) sum over modes of (hbar / 2 omega) coth(hbar omega / 2kT) Re(e_a e_b*). In a free-standing
    sheet the bending waves make it grow (slowly) with the size of the mesh.

    Examples
    --------
    >>> modes = PhononModes(frequencies_THz=np.full((1, 3), 5.0), eigenvectors=np.eye(3).reshape(1, 1, 3, 3),
    ...                     masses=np.array([12.0]))
    >>> mean_square_displacements(modes, 300.0)[0].diagonal().round(5).tolist()
    [0.02217, 0.02217, 0.02217]
    """
    use = ~modes.imaginary & ~modes.translational
    omega = 2e12 * np.pi * np.where(use, modes.frequencies_THz, 1.0)  # rad/s
    energy = _mean_energies(EV_PER_THZ * np.where(use, modes.frequencies_THz, 1.0), temperature) * constants.e  # J
    per_mass = np.where(use, energy / omega**2, 0.0)  # kg m²
    displacements: Array = _projected(modes, per_mass) / constants.atomic_mass * 1e20
    return displacements


def velocity_covariances(modes: PhononModes, temperature: float) -> Array:
    """Tensors <v_a v_b> of every atom [m²/s²], shape (atoms, 3, 3), for Doppler broadening under a beam.

    M <v_a v_b> = (1/N) sum over modes of (hbar omega / 2) coth(hbar omega / 2kT) Re(e_a e_b*). Translations and
    imaginary modes count with their classical energy kT, so that no degree of freedom loses its motion.

    Examples
    --------
    >>> modes = PhononModes(frequencies_THz=np.full((1, 3), 5.0), eigenvectors=np.eye(3).reshape(1, 1, 3, 3),
    ...                     masses=np.array([12.0]))
    >>> velocity_covariances(modes, 300.0)[0].diagonal().round(-3).tolist()
    [219000.0, 219000.0, 219000.0]
    """
    use = ~modes.imaginary & ~modes.translational
    energy = _mean_energies(EV_PER_THZ * np.where(use, modes.frequencies_THz, 1.0), temperature)
    energy = np.where(use, energy, BOLTZMANN_EV_PER_K * temperature) * constants.e  # J
    velocities: Array = _projected(modes, energy) / constants.atomic_mass
    return velocities


def _projected(modes: PhononModes, per_mode: Array) -> Array:
    """Sum over modes of a number times Re(e_a e_b*)/M, per wave vector; shape (atoms, 3, 3)."""
    e = modes.eigenvectors
    tensors = np.einsum("qn,qian,qibn->iab", per_mode, e, e.conj(), optimize=True).real
    projected: Array = tensors / len(e) / modes.masses[:, None, None]
    return projected


def _mean_energies(quanta: Array, temperature: float) -> Array:
    """Mean energy (hbar omega / 2) coth(hbar omega / 2kT) of oscillators [eV]."""
    if temperature <= 0.0:
        return quanta / 2
    half = quanta / (2 * BOLTZMANN_EV_PER_K * temperature)
    energies: Array = quanta / 2 / np.tanh(half)
    return energies


def _oscillators(quanta: Array, temperature: float) -> tuple[float, float, float]:
    """Free energy [eV], entropy and heat capacity [eV/K] of oscillators with these quanta [eV]."""
    zero_point = float(quanta.sum() / 2)
    if temperature <= 0.0 or not len(quanta):
        return zero_point, 0.0, 0.0
    kt = BOLTZMANN_EV_PER_K * temperature
    x = quanta / kt
    vacancy = -np.expm1(-x)  # 1 - exp(-x)
    occupied = np.exp(-x) / vacancy
    free = zero_point + kt * float(np.log(vacancy).sum())
    entropy = BOLTZMANN_EV_PER_K * float((x * occupied - np.log(vacancy)).sum())
    heat_capacity = BOLTZMANN_EV_PER_K * float((x**2 * occupied / vacancy).sum())
    return free, entropy, heat_capacity
