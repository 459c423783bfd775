"""Electrostatic potential of atoms, projected along the beam, from the form factors of neutral atoms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.constants import e, h, m_e

from nanoslab.errors import InputError
from nanoslab.measure.scattering.form_factors import LARGEST_Q, form_factors

Array = NDArray[np.float64]

#: potential in V Å² of a form factor of 1 Å: h²/(2 pi m e)
VOLT_A2_PER_A = h**2 / (2 * np.pi * m_e * e) * 1e20
#: atoms whose phase factors are held at a time
_CHUNK = 512
#: pixels of the largest image
_MOST_PIXELS = 4096**2


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldOfView:
    """A rectangle of the plane across the beam: corner and side lengths [Å], pixels along x and y.

    Periodic where it is the cell of a sheet; a particle stands alone in it, with empty borders.
    """

    corner: tuple[float, float]
    lengths: tuple[float, float]
    shape: tuple[int, int]

    @property
    def pixel(self) -> tuple[float, float]:
        """Size of a pixel along x and y [Å]."""
        return self.lengths[0] / self.shape[0], self.lengths[1] / self.shape[1]

    @property
    def frequencies(self) -> tuple[Array, Array]:
        """Spatial frequencies along x and y [1/Å], in the order of the Fourier transform."""
        (n, m), (dx, dy) = self.shape, self.pixel
        return np.asarray(np.fft.fftfreq(n, dx), float), np.asarray(np.fft.fftfreq(m, dy), float)

    @property
    def radial_frequency(self) -> Array:
        """Length of the spatial frequency [1/Å], shape of the image."""
        kx, ky = self.frequencies
        return np.hypot(kx[:, None], ky[None, :])


def field_of_view(atoms: Atoms, pixel: float = 0.1, border: float = 8.0) -> FieldOfView:
    """Rectangle that holds the atoms, seen along z: the cell of a sheet with sides along x and y, else the atoms.

    Parameters
    ----------
    pixel
        Largest side of a pixel [Å].
    border
        Empty space around atoms that do not repeat [Å].
    """
    if not len(atoms):
        raise InputError("structure", expected="atoms", got="none")
    if not (np.isfinite(pixel) and 0.01 <= pixel <= 2.0):
        raise InputError("pixel", expected="a length from 0.01 to 2 Å", got=pixel)
    cell = atoms.cell.array
    repeats = bool(np.all(atoms.pbc[:2])) and cell[0, 0] > 0 and cell[1, 1] > 0
    if repeats and np.allclose(cell[:2] - np.diag(np.diag(cell))[:2], 0.0, atol=1e-6):
        corner, lengths = np.zeros(2), np.array([cell[0, 0], cell[1, 1]])
    else:
        flat = atoms.positions[:, :2]
        corner, lengths = flat.min(axis=0) - border, np.ptp(flat, axis=0) + 2 * border
    shape = np.ceil(lengths / pixel - 1e-9).astype(int)
    if np.prod(shape) > _MOST_PIXELS:
        got = f"{shape[0]} x {shape[1]}"
        raise InputError("image", expected="at most 4096² pixels", got=got, advice="take larger pixels")
    return FieldOfView(
        corner=(float(corner[0]), float(corner[1])),
        lengths=(float(lengths[0]), float(lengths[1])),
        shape=(int(shape[0]), int(shape[1])),
    )


def projected_potential(atoms: Atoms, field: FieldOfView, u_iso: float = 0.0) -> Array:
    """Potential integrated along z [V Å], up to the highest frequency that the pixels hold.

    Neutral, spherical atoms at their exact positions (no rounding to pixels); bonds and charges are left out.

    Parameters
    ----------
    u_iso
        Mean square displacement of every atom along one direction [Å²].
    """
    k = field.radial_frequency
    limit = 0.5 / max(field.pixel)
    if 2 * np.pi * limit > LARGEST_Q:
        raise InputError(
            "pixel", expected="at least 0.042 Å", got=f"{max(field.pixel):.3g}", advice="take larger pixels"
        )
    inside = k <= limit
    # form factors depend on |k| alone: looked up on a fine grid
    grid = np.linspace(0.0, limit, 2000)
    symbols = np.array(atoms.get_chemical_symbols())
    total = np.zeros(field.shape, dtype=complex)
    for element in dict.fromkeys(symbols.tolist()):
        factor = form_factors([element], 2 * np.pi * grid, "electron")[0]
        sums = structure_sums(atoms.positions[symbols == element], np.ones(int(np.sum(symbols == element))), field)
        total += np.where(inside, np.interp(k, grid, factor), 0.0) * sums
    total *= np.exp(-2 * (np.pi * k) ** 2 * u_iso) * VOLT_A2_PER_A / np.prod(field.pixel)
    return np.asarray(np.fft.ifft2(total).real)


def structure_sums(positions: Array, weights: Array, field: FieldOfView) -> NDArray[np.complex128]:
    """Sum of weight exp(-2 pi i k x) over atoms at all frequencies of a field, shape of the image."""
    kx, ky = field.frequencies
    points = positions[:, :2] - np.array(field.corner)
    total = np.zeros(field.shape, dtype=complex)
    for start in range(0, len(points), _CHUNK):
        part = points[start : start + _CHUNK]
        x = np.exp(-2j * np.pi * np.outer(kx, part[:, 0])) * weights[start : start + _CHUNK]
        total += x @ np.exp(-2j * np.pi * np.outer(part[:, 1], ky))
    return total
