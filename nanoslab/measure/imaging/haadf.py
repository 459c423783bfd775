"""Annular dark-field images, incoherent: every atom scatters electrons out of a probe that no other atom changes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.fft import fft2, next_fast_len
from scipy.integrate import trapezoid
from scipy.interpolate import CubicSpline
from scipy.special import j0

from nanoslab.measure.imaging.image import Image
from nanoslab.measure.imaging.microscope import Microscope
from nanoslab.measure.imaging.potential import VOLT_A2_PER_A, FieldOfView, structure_sums
from nanoslab.measure.scattering.form_factors import LARGEST_Q, form_factors

Array = NDArray[np.float64]

#: side of the box whose reciprocal is the step of the frequencies of one atom's image [Å], and its finest detail
_BOX = 16.0
_FINEST = 0.06


def annular_cross_section(element: str, microscope: Microscope) -> float:
    """Cross-section of an atom into the detector, for electrons that come from all directions of the probe [Å²]."""
    return float(_atom_transfer(element, microscope)[1][0])


def haadf_image(
    atoms: Atoms, microscope: Microscope, field: FieldOfView, source_size: float = 0.4, u_iso: float = 0.006
) -> Image:
    """Fraction of the electrons that reach the detector from each probe position, atom by atom.

    Exact for one atom in the phase-grating approximation (its potential as one phase, so beyond the Born
    approximation, with the angles of the probe and of the detector's edge). Left out is what atoms do together: the
    probe is not focused by columns (channelling), and waves from different atoms do not interfere.

    Parameters
    ----------
    source_size
        Standard deviation of the effective source [Å].
    u_iso
        Mean square displacement of the atoms along one direction [Å²].
    """
    symbols = np.array(atoms.get_chemical_symbols())
    k = field.radial_frequency
    total = np.zeros(field.shape, dtype=complex)
    for element in dict.fromkeys(symbols.tolist()):
        steps, transfer = _atom_transfer(element, microscope)
        here = np.where(k <= steps[-1], CubicSpline(steps, transfer)(np.minimum(k, steps[-1])), 0.0)
        chosen = atoms.positions[symbols == element]
        total += here * structure_sums(chosen, np.ones(len(chosen)), field)
    blur = np.exp(-2 * (np.pi * k) ** 2 * (source_size**2 + u_iso))
    values = np.fft.ifft2(total * blur).real / np.prod(field.pixel)
    return Image(values=np.clip(values, 0.0, None), field=field)


@lru_cache(maxsize=64)
def _atom_transfer(element: str, microscope: Microscope) -> tuple[Array, Array]:
    """Frequencies of an image from 0 to twice the aperture [1/Å], and the transform of one atom's image [Å²].

    An electron of the probe at frequency a reaches b through the atom's wave t(b - a). The image at frequency q is the
    sum over all b of the detector and all a of p(a) p*(a+q) t(b-a) t*(b-a-q), a convolution for every q.
    """
    inner, outer = (angle * 1e-3 / microscope.wavelength for angle in microscope.detector_mrad)
    aperture = microscope.aperture_mrad * 1e-3 / microscope.wavelength
    step = 1.0 / _BOX
    n = next_fast_len(int(2 * (outer + 3 * aperture) / step) + 2)
    axis = np.fft.fftfreq(n, 1.0 / (n * step))
    k = np.hypot(axis[:, None], axis[None, :])
    # edges cut pixels: each counts with the share of it that is inside
    ring = np.clip((outer - k) / step + 0.5, 0, 1) - np.clip((inner - k) / step + 0.5, 0, 1)
    disc = np.clip((aperture - k) / step + 0.5, 0, 1)
    lens = np.exp(-1j * microscope.aberration_phase(k))
    wave = _atom_wave(element, microscope)(np.minimum(k, outer + 3 * aperture))
    detected = fft2(ring).conj()
    shifts = np.arange(0, int(2 * aperture / step) + 2)
    transfer = np.empty(len(shifts))
    for shift in shifts:
        shared = np.minimum(disc, np.roll(disc, -shift, axis=0))
        passed = fft2(shared * lens * np.roll(lens, -shift, axis=0).conj())
        scattered = fft2(wave * np.roll(wave, shift, axis=0).conj())
        transfer[shift] = np.sum(detected * passed * scattered).real / n**2
    return np.asarray(shifts * step), np.asarray(transfer * step**2 / disc.sum())


def _atom_wave(element: str, microscope: Microscope) -> CubicSpline:
    """Transform of exp(i sigma V) - 1 of one atom [Å²] against spatial frequency [1/Å].

    Beyond the table of form factors the electrons of the atom add next to nothing to its nucleus: falling as 1/q².
    """
    k = np.linspace(0.0, 40.0, 2000)
    r = 8.0 * np.linspace(0.0, 1.0, 2000) ** 2
    q = 2 * np.pi * k
    factor = (
        form_factors([element], np.minimum(q, LARGEST_Q), "electron")[0] * np.minimum(1, LARGEST_Q / (q + 1e-9)) ** 2
    )
    bessel = j0(np.outer(r, q))
    potential = trapezoid(bessel * (q * factor), k, axis=1) * VOLT_A2_PER_A
    phase = np.exp(1j * microscope.interaction * potential) - 1
    return CubicSpline(k, trapezoid(bessel * (2 * np.pi * r * phase)[:, None], r, axis=0))
