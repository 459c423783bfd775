"""What harmonic modes say at a temperature: free energy, entropy, heat capacity, displacements (summed by phonopy).

Imaginary modes have no free energy. They are counted and shown, left out of the sums, and the free energy with their
frequencies taken as real stands beside it, so that a reader sees how much hangs on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from phonopy import Phonopy
from phonopy.physical_units import get_physical_units

from nanoslab.errors import InputError

#: slower modes are translations of the whole, or numerical noise about them [THz]
TRANSLATION_THZ = 0.05

Array = NDArray[np.float64]


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
        Most imaginary (negative) or softest frequency, translations left out [THz].
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

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for field in _ARRAYS:
            getattr(self, field).setflags(write=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values with units in the keys."""
        return {
            **{key: getattr(self, field).tolist() for field, key in _ARRAYS.items()},
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
        arrays = {field: np.array(record[key], dtype=float) for field, key in _ARRAYS.items()}
        wanted = arrays["temperatures"].shape
        for field, values in arrays.items():
            if values.shape != wanted:
                raise InputError(_ARRAYS[field], expected=f"shape {wanted}", got=values.shape)
        return cls(
            **arrays,
            n_imaginary=int(record["n_imaginary_modes"]),
            n_modes=int(record["n_modes"]),
            lowest_frequency_THz=float(record["lowest_frequency_THz"]),
        )


#: field -> key of a record
_ARRAYS = {
    "temperatures": "temperature_K",
    "free_energy": "free_energy_eV_per_atom",
    "free_energy_imaginary_as_real": "free_energy_imaginary_as_real_eV_per_atom",
    "entropy": "entropy_eV_per_K_per_atom",
    "entropy_imaginary_as_real": "entropy_imaginary_as_real_eV_per_K_per_atom",
    "heat_capacity": "heat_capacity_eV_per_K_per_atom",
}


def thermal_properties(phonon: Phonopy, temperatures: Sequence[float]) -> ThermalProperties:
    """Free energy, entropy and heat capacity of harmonic oscillators.

    Parameters
    ----------
    phonon
        With modes on a mesh (`nanoslab.energetics.phonon.phonon_modes`); translations (below 0.05 THz) are left
        out, as their share vanishes with a denser mesh.
    temperatures
        [K], 0 allowed.
    """
    frequencies = np.asarray(phonon.mesh.frequencies)
    still = np.abs(frequencies) < TRANSLATION_THZ
    plain, as_real = (_per_atom(phonon, temperatures, pretend_real=pretend) for pretend in (False, True))
    return ThermalProperties(
        temperatures=np.array(temperatures, dtype=float),
        free_energy=plain[0],
        free_energy_imaginary_as_real=as_real[0],
        entropy=plain[1],
        entropy_imaginary_as_real=as_real[1],
        heat_capacity=plain[2],
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


def _per_atom(phonon: Phonopy, temperatures: Sequence[float], *, pretend_real: bool) -> tuple[Array, Array, Array]:
    """Free energy [eV], entropy and heat capacity [eV/K]."""
    found = phonon.run_thermal_properties(
        temperatures=list(temperatures), cutoff_frequency=TRANSLATION_THZ, pretend_real=pretend_real
    )
    to_eV = 1 / (get_physical_units().EvTokJmol * len(phonon.primitive))  # of kJ/mol, in phonopy's own constants
    return found.free_energy * to_eV, found.entropy * to_eV / 1000, found.heat_capacity * to_eV / 1000
