"""High-resolution images: the wave behind the structure, slice by slice or as one phase, and the lens."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.errors import InputError
from nanoslab.measure.imaging.image import Image
from nanoslab.measure.imaging.microscope import Microscope
from nanoslab.measure.imaging.potential import FieldOfView, projected_potential


def exit_wave(
    atoms: Atoms, microscope: Microscope, field: FieldOfView, slice_thickness: float | None = 2.0, u_iso: float = 0.0
) -> NDArray[np.complex128]:
    """Wave behind a structure, of a plane wave along z (multislice: Cowley and Moodie, Acta Cryst. 10 (1957) 609).

    Parameters
    ----------
    slice_thickness
        Thickness of a slice [Å], whose potential is projected onto its exit face; None: one phase for the whole
        structure (the projection approximation), for a first look.
    u_iso
        Mean square displacement of the atoms [Å²].

    Returns
    -------
    Shape of the field, 1 in vacuum.
    """
    if slice_thickness is not None and not slice_thickness >= 0.1:
        raise InputError("slice_thickness", expected="at least 0.1 Å", got=slice_thickness)
    z = atoms.positions[:, 2] - atoms.positions[:, 2].min()
    numbers = np.zeros(len(atoms), int) if slice_thickness is None else (z / slice_thickness).astype(int)
    k = field.radial_frequency
    inside = k <= 2 / 3 * 0.5 / max(field.pixel)
    step = inside * np.exp(-1j * np.pi * microscope.wavelength * (slice_thickness or 0.0) * k**2)
    wave = np.ones(field.shape, dtype=complex)
    for number in range(numbers.max() + 1):
        if np.any(numbers == number):
            potential = projected_potential(atoms[numbers == number], field, u_iso)
            # the product of two waves holds twice their frequencies: above two thirds they would fold back
            wave = wave * np.fft.ifft2(np.fft.fft2(np.exp(1j * microscope.interaction * potential)) * inside)
        wave = np.fft.ifft2(np.fft.fft2(wave) * step)
    return np.asarray(wave)


def hrtem_image(
    atoms: Atoms, microscope: Microscope, field: FieldOfView, slice_thickness: float | None = 2.0, u_iso: float = 0.0
) -> Image:
    """Image in parallel illumination, 1 in vacuum, of the wave behind a structure as `exit_wave` gives it.

    The focus is that of the exit face of the last slice.
    """
    return wave_image(exit_wave(atoms, microscope, field, slice_thickness, u_iso), microscope, field)


def wave_image(wave: NDArray[np.complex128], microscope: Microscope, field: FieldOfView) -> Image:
    """Image of a wave, of shape of the field: aberrations, focal spread (quasi-coherent) and aperture applied."""
    k = field.radial_frequency
    blur = np.exp(-((np.pi * microscope.wavelength * microscope.focal_spread * k**2) ** 2) / 2)
    lens = np.exp(-1j * microscope.aberration_phase(k)) * blur * microscope.passes(k)
    return Image(values=np.abs(np.fft.ifft2(np.fft.fft2(wave) * lens)) ** 2, field=field)
