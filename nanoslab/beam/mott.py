"""Mott scattering by a point nucleus: the ratio R to Rutherford, from partial waves.

Notes
-----
With q = αZ/β, x = sin²(θ/2) and P_k Legendre polynomials of cos θ = 1 - 2x, Doggett and Spencer
(Phys. Rev. 103 (1956) 1597) write the Dirac amplitudes as F = F₀ + F₁ and G = G₀ + G₁, where F₀ and G₀ are
closed forms of the Klein-Gordon-like problem (ρ_k replaced by k) and the rest is a series. With
D_k = (-1)^k d_k, whose alternating sign cancels against that of the series,

    F₀ = (i/2) Γ(1-iq)/Γ(1+iq) e^{iq ln x}         G₀ = -iq (1-x)/x F₀
    F₁ = (i/2) Σ [k d_k - (k+1) d_{k+1}] P_k       G₁ = (i/2) Σ [k² d_k + (k+1)² d_{k+1}] P_k
    d_k = Γ(k-iq)/[Γ(k+iq) (k+iq)] - e^{iπ(k-ρ)} Γ(ρ-iq)/[Γ(ρ+iq) (ρ+iq)],   ρ = sqrt(k² - α²Z²)
    R = (4x²/q²) [q² (1-β²) |F|²/x + |G|²/(1-x)].

The series of G₁ does not converge as it stands. Multiplied by (1 - cos θ)^3, with the recurrence of the P_k
moved to the coefficients (Yennie, Ravenhall and Wilson, Phys. Rev. 95 (1954) 500), it does, as k^-6.
The division by (1 - cos θ)^3 afterwards magnifies what is left at small angles: 400 waves keep R within 1e-5 at
sin(θ/2) = 0.02 and within 1e-9 beyond 0.1, for Z up to 94 and 10 keV to 1.5 MeV, against 50-digit arithmetic.

The nucleus is a bare point charge. Screening by the electrons of the atom raises the backward
cross-section by about 3 % (Ag) to 4 % (Au) at 300 keV.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import loggamma

from nanoslab.beam.checks import number_or_array, require_beam_energy
from nanoslab.beam.constants import FINE_STRUCTURE
from nanoslab.beam.elements import LAST_ATOMIC_NUMBER
from nanoslab.beam.kinematics import electron_speed
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    ComplexArray = NDArray[np.complex128]

N_WAVES = 400
REDUCTIONS = 3

#: sin(θ/2) below which R is taken from a straight line to 1 instead of the series; the line is within 5e-5
SMALLEST_SINE = 0.02

#: where the partial waves have been checked [keV]
LOWEST_MOTT_KEV, HIGHEST_MOTT_KEV = 10.0, 1500.0


def mott_ratio(atomic_number: int, beam_energy_keV: ArrayLike, scattering_angle_deg: ArrayLike) -> Array:
    """Mott over Rutherford cross-section at any angle, every angle from its own sum of the series.

    Parameters
    ----------
    atomic_number
        Protons in the nucleus, 1 to 94.
    beam_energy_keV, scattering_angle_deg
        Beam energies [keV] and deflections of the electron [degrees]; they broadcast.

    Returns
    -------
    R, of the broadcast shape.

    Examples
    --------
    >>> mott_ratio(34, 200, [90, 150]).round(6)
    array([0.980202, 0.656817])
    """
    energies, angles = np.broadcast_arrays(number_or_array(beam_energy_keV), number_or_array(scattering_angle_deg))
    if not (np.all(angles >= 0) and np.all(angles <= 180)):
        raise InputError("scattering angle", expected="0 to 180 degrees", got=angles.tolist())
    sines = np.sin(np.radians(angles / 2))
    # At 180 degrees |G|²/(1-x) is 0/0; R is flat there.
    summed, column = np.unique(np.clip(sines, SMALLEST_SINE, 1 - 1e-12), return_inverse=True)
    kilovolts, row = np.unique(energies, return_inverse=True)
    ratios = ratio_at_nodes(atomic_number, kilovolts, summed)[row, column]
    return bridge_to_one(ratios, sines)


def bridge_to_one(ratio: Array, sines: Array) -> Array:
    """R below `SMALLEST_SINE`: on the straight line from 1 (exact at angle 0) to the last summed value.

    Parameters
    ----------
    ratio
        R at `SMALLEST_SINE` where the sine is smaller, R at the sine elsewhere.
    sines
        sin(θ/2), same shape.
    """
    return np.asarray(np.where(sines < SMALLEST_SINE, 1 + (ratio - 1) * sines / SMALLEST_SINE, ratio))


def ratio_at_nodes(atomic_number: int, beam_energies_keV: Array, sines: Array) -> Array:
    """R for every beam energy at the same half-angle sines, in one go.

    Parameters
    ----------
    beam_energies_keV
        Shape (n_energies,) [keV].
    sines
        sin(θ/2), shape (n_angles,), between 0 and 1 exclusive.

    Returns
    -------
    R, shape (n_energies, n_angles).
    """
    _check(atomic_number, beam_energies_keV)
    beta = np.asarray(electron_speed(beam_energies_keV))[:, None]
    charge = FINE_STRUCTURE * atomic_number
    q = charge / beta
    x = sines**2
    legendre = _legendre(sines.tobytes())
    series_f, series_g = _reduced_coefficients(charge, q)
    magnified = (2 * x) ** REDUCTIONS
    f_zero = 0.5j * np.exp(-2j * loggamma(1 + 1j * q).imag + 1j * q * np.log(x))
    # einsum and not @: waking the threads of a linear-algebra library costs more than these small sums
    sum_f, sum_g = (np.einsum("el,la->ea", series, legendre) for series in (series_f, series_g))
    f = f_zero + 0.5j * sum_f / magnified
    g = -1j * q * (1 - x) / x * f_zero + 0.5j * sum_g / magnified
    squares = q**2 * (1 - beta**2) * np.abs(f) ** 2 / x + np.abs(g) ** 2 / (1 - x)
    ratio: Array = 4 * x**2 / q**2 * squares
    return ratio


def _reduced_coefficients(charge: float, q: Array) -> tuple[ComplexArray, ComplexArray]:
    """Coefficients of (1 - cos θ)^3 F₁ and (1 - cos θ)^3 G₁ on the P_k, shapes (n_energies, n_waves)."""
    k = np.arange(1, N_WAVES + REDUCTIONS + 2, dtype=float)
    rho = np.sqrt(k**2 - charge**2)
    defect = charge**2 / (k + rho)  # k - ρ without cancellation
    integer = np.exp(-2j * loggamma(k + 1j * q).imag) / (k + 1j * q)
    real = np.exp(1j * (np.pi * defect - 2 * loggamma(rho + 1j * q).imag)) / (rho + 1j * q)
    waves = np.concatenate([np.zeros_like(q), integer - real], axis=1)
    once: ComplexArray = waves * np.arange(waves.shape[1], dtype=float)
    twice: ComplexArray = once * np.arange(waves.shape[1], dtype=float)
    return _reduced(once[:, :-1] - once[:, 1:]), _reduced(twice[:, :-1] + twice[:, 1:])


def _reduced(coefficients: ComplexArray) -> ComplexArray:
    """Multiply a Legendre series by (1 - cos θ), three times; the last coefficient falls off each time."""
    for _ in range(REDUCTIONS):
        n = coefficients.shape[1] - 1
        k = np.arange(n)
        result = coefficients[:, :n] - (k + 1) / (2 * k + 3) * coefficients[:, 1:]
        result[:, 1:] -= (k / (2 * k - 1))[1:] * coefficients[:, : n - 1]
        coefficients = result
    return coefficients


@lru_cache(maxsize=4)
def _legendre(sines: bytes) -> Array:
    """P_k(1 - 2 s²), shape (n_waves, n_angles); the angles of the quadrature never change."""
    values = np.frombuffer(sines, dtype=float)
    table: Array = np.polynomial.legendre.legvander(1 - 2 * values**2, N_WAVES).T
    return table


def _check(atomic_number: int, beam_energies_keV: Array) -> None:
    if not 1 <= atomic_number <= LAST_ATOMIC_NUMBER:
        raise InputError("atomic number", expected=f"1 to {LAST_ATOMIC_NUMBER}", got=atomic_number)
    require_beam_energy(beam_energies_keV)
    outside = (beam_energies_keV < LOWEST_MOTT_KEV) | (beam_energies_keV > HIGHEST_MOTT_KEV)
    if outside.any():
        raise InputError(
            "beam energy of the Mott model",
            expected=f"{LOWEST_MOTT_KEV:g} to {HIGHEST_MOTT_KEV:g} keV",
            got=f"{beam_energies_keV[outside][0]:g}",
            advice="take --model mckinley-feshbach for light elements outside this range",
        )
