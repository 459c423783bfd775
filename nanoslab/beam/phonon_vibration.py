"""Mean square velocities from phonons: a projected density of states, or the modes themselves.

The average that is taken is derived in `nanoslab.beam.vibration`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nanoslab.beam.checks import require_not_negative, require_positive, unit_vector
from nanoslab.beam.constants import BOLTZMANN_EV_PER_K, REDUCED_PLANCK_EV_S
from nanoslab.beam.vibration import EV_PER_U_M2_S2
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

#: ħω of 1 THz [eV]
EV_PER_THZ = 2 * np.pi * 1e12 * REDUCED_PLANCK_EV_S


def mean_mode_energy(frequency_THz: ArrayLike, temperature: float) -> Array:
    """Mean energy (ħω/2) coth(ħω/2kT) of harmonic modes [eV]; kT for ω = 0 and for imaginary (negative) ones."""
    require_not_negative("temperature", temperature, "K")
    quantum = EV_PER_THZ * np.maximum(np.asarray(frequency_THz, dtype=float), 0)
    if temperature == 0:
        return np.asarray(quantum / 2)
    x = quantum / (BOLTZMANN_EV_PER_K * temperature)
    safe = np.maximum(x, 1e-8)
    return np.asarray(BOLTZMANN_EV_PER_K * temperature * safe / 2 / np.tanh(safe / 2))


def dos_velocity_variance(frequency_THz: ArrayLike, density: ArrayLike, mass: float, temperature: float) -> float:
    """<v_z²> of one atom from its phonon density of states [m²/s²].

    Parameters
    ----------
    frequency_THz
        Frequencies, increasing, shape (n,) [THz].
    density
        Density of states projected on the atom (and on the direction of the beam, if the environment is
        anisotropic), shape (n,); any normalisation, integrated by the trapezoidal rule. What lies below 0 is
        left out.
    mass
        Mass of the atom [u].
    temperature
        [K].

    Examples
    --------
    >>> frequencies = np.linspace(0, 3.77, 2000)  # a Debye solid of 181 K
    >>> round(dos_velocity_variance(frequencies, frequencies**2, 78.971, 300) / 3.2158e4, 3)
    1.0
    """
    require_positive("mass", mass, "u")
    frequencies, weights = np.asarray(frequency_THz, dtype=float), np.asarray(density, dtype=float)
    if frequencies.ndim != 1 or frequencies.shape != weights.shape or not np.all(np.diff(frequencies) > 0):
        raise InputError(
            "density of states",
            expected="two columns of one length, frequencies increasing",
            got=f"shapes {frequencies.shape} and {weights.shape}",
        )
    weights = np.where(frequencies < 0, 0.0, weights)
    norm = float(np.trapezoid(weights, frequencies))
    if not norm > 0:
        raise InputError("density of states", expected="a positive integral", got=norm)
    energies = mean_mode_energy(frequencies, temperature)
    return float(np.trapezoid(weights * energies, frequencies)) / norm / mass * EV_PER_U_M2_S2


def velocity_tensors(phonon: Any, temperature: float) -> Array:
    """Tensors <v_a v_b> of every atom of the primitive cell [m²/s²], shape (n_atoms, 3, 3).

    Each is a ``velocity_variance`` that cross-sections and etching take.

    M <v_a v_b> = (1/N) Σ_{qν} ε_{qν} Re(e_a e_b*), the sum over the N wave vectors and all branches with
    phonopy's eigenvectors, which are normalised to 1 over the cell. Translations and imaginary modes count with
    their classical energy kT, which no potential changes, so that no degree of freedom loses its motion.

    Parameters
    ----------
    phonon
        A `phonopy.Phonopy` after ``run_mesh(..., with_eigenvectors=True, is_mesh_symmetry=False)``: with
        symmetry, a wave vector stands for others whose eigenvectors point elsewhere.
    temperature
        [K].
    """
    mesh = phonon.mesh
    if mesh is None or getattr(mesh, "eigenvectors", None) is None:
        raise InputError(
            "phonon", expected="a mesh with eigenvectors", got="none", advice="call run_mesh(with_eigenvectors=True)"
        )
    if not np.all(np.asarray(mesh.weights) == 1):
        raise InputError(
            "phonon", expected="a mesh without symmetry", got="weights above 1", advice="is_mesh_symmetry=False"
        )
    masses = np.asarray(phonon.primitive.masses, dtype=float)
    energies = mean_mode_energy(mesh.frequencies, temperature)
    vectors = np.asarray(mesh.eigenvectors)  # (wave vectors, 3 atoms, branches)
    vectors = vectors.reshape(len(energies), len(masses), 3, -1)
    tensors = np.einsum("qn,qian,qibn->iab", energies, vectors, vectors.conj(), optimize=True).real / len(energies)
    return np.asarray(tensors / masses[:, None, None] * EV_PER_U_M2_S2)


#: name of `velocity_tensors` until version 0.1, kept for one release
phonopy_velocity_covariance = velocity_tensors


def velocity_variance_along(covariance: ArrayLike, beam_direction: ArrayLike) -> Array:
    """<v_z²> along the beam from the tensors, n·<vv>·n, shape (n_atoms,) [m²/s²].

    Examples
    --------
    >>> velocity_variance_along([np.diag([1.0, 2.0, 4.0])], [0, 0, -1])
    array([4.])
    """
    n = unit_vector("beam direction", beam_direction)
    return np.asarray(np.einsum("a,iab,b->i", n, np.asarray(covariance, dtype=float), n))
