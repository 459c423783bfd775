"""Annular dark-field images, incoherent: every atom scatters its cross-section out of a probe that no atom changes."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.integrate import quad

from nanoslab.measure.imaging.image import Image
from nanoslab.measure.imaging.microscope import Microscope
from nanoslab.measure.imaging.potential import FieldOfView, structure_sums
from nanoslab.measure.scattering.form_factors import LARGEST_Q, form_factors


def annular_cross_section(element: str, microscope: Microscope) -> float:
    """Elastic cross-section of an atom into the detector [Å²], in the first Born approximation.

    The integral of (m/m0)² |f_e|² over the solid angle of the ring. Scattering vectors beyond the table of form
    factors (75 1/Å) are left out: nothing up to 200 mrad at 300 kV (q = 64 1/Å).
    """
    inner, outer = (
        min(2 * np.pi * angle * 1e-3 / microscope.wavelength, LARGEST_Q) for angle in microscope.detector_mrad
    )
    scale = microscope.mass_ratio**2 * (microscope.wavelength / (2 * np.pi)) ** 2

    def ring(q: float) -> float:
        return float(2 * np.pi * q * form_factors([element], [q], "electron")[0, 0] ** 2)

    return float(scale * quad(ring, inner, outer, limit=200)[0])


def probe_intensity(microscope: Microscope, field: FieldOfView) -> NDArray[np.float64]:
    """Intensity of the focused probe [1/Å²], in the corner pixel of a periodic field; its sum times dA is 1."""
    k = field.radial_frequency
    wave = np.fft.ifft2(microscope.passes(k) * np.exp(-1j * microscope.aberration_phase(k)))
    intensity = np.abs(wave) ** 2
    return np.asarray(intensity / intensity.sum() / np.prod(field.pixel))


def haadf_image(
    atoms: Atoms, microscope: Microscope, field: FieldOfView, source_size: float = 0.4, u_iso: float = 0.006
) -> Image:
    """Fraction of the electrons that reach the detector from each probe position, without channelling.

    Parameters
    ----------
    source_size
        Standard deviation of the effective source [Å].
    u_iso
        Mean square displacement of the atoms along one direction [Å²].
    """
    symbols = np.array(atoms.get_chemical_symbols())
    sections = {element: annular_cross_section(element, microscope) for element in dict.fromkeys(symbols.tolist())}
    weights = np.array([sections[symbol] for symbol in symbols])
    k = field.radial_frequency
    blur = np.exp(-2 * (np.pi * k) ** 2 * (source_size**2 + u_iso))
    transfer = np.fft.fft2(probe_intensity(microscope, field)) * blur
    values = np.fft.ifft2(structure_sums(atoms.positions, weights, field) * transfer).real
    return Image(values=np.clip(values, 0.0, None), field=field)
