"""The microscope: its voltage, lens and detector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.constants import c, e, h, m_e

from nanoslab.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Microscope:
    """Settings of an image; what a mode does not use is ignored by it.

    Attributes
    ----------
    kilovolts
        Beam energy [keV].
    defocus
        Underfocus positive [Å].
    spherical_aberration_mm
        Of third order, C_s [mm].
    focal_spread
        Standard deviation of the focus by the energy spread [Å]; HRTEM.
    aperture_mrad
        Objective aperture of HRTEM, or convergence semi-angle of the probe.
    detector_mrad
        Inner and outer angle of the annular detector; HAADF.
    """

    kilovolts: float
    defocus: float = 0.0
    spherical_aberration_mm: float = 0.0
    focal_spread: float = 30.0
    aperture_mrad: float = 20.0
    detector_mrad: tuple[float, float] = (70.0, 200.0)

    def __post_init__(self) -> None:
        """Refuse settings that no microscope has."""
        if not 1 <= self.kilovolts <= 3000:
            raise InputError("kilovolts", expected="a beam energy from 1 to 3000 keV", got=self.kilovolts)
        inner, outer = self.detector_mrad
        if not (0 < self.aperture_mrad <= 500 and 0 <= inner < outer <= 1000 and self.focal_spread >= 0):
            got = f"aperture {self.aperture_mrad:g}, detector {inner:g} to {outer:g}, spread {self.focal_spread:g}"
            raise InputError("microscope", expected="aperture > 0, inner < outer, spread from 0", got=got)
        if not np.isfinite(self.defocus) or not np.isfinite(self.spherical_aberration_mm):
            raise InputError("microscope", expected="finite defocus and aberration", got="NaN or infinity")

    @property
    def wavelength(self) -> float:
        """Relativistic de Broglie wavelength [Å].

        Examples
        --------
        >>> round(Microscope(kilovolts=200).wavelength, 5)
        0.02508
        """
        energy = self.kilovolts * 1e3 * e
        return float(h * c / np.sqrt(energy * (2 * m_e * c**2 + energy)) * 1e10)

    @property
    def mass_ratio(self) -> float:
        """Relativistic mass of the electron over its rest mass."""
        return float(1 + self.kilovolts * 1e3 * e / (m_e * c**2))

    @property
    def interaction(self) -> float:
        """Phase per projected potential, 2 pi m e lambda/h² with the relativistic mass [rad/(V Å)]."""
        return float(2 * np.pi * self.mass_ratio * m_e * e * self.wavelength * 1e-10 / h**2 * 1e-10)

    def aberration_phase(self, k: Array) -> Array:
        """Phase chi of the lens at spatial frequencies k [1/Å]; a wave is multiplied by exp(-i chi)."""
        angle = self.wavelength * k
        cs = self.spherical_aberration_mm * 1e7
        return np.asarray(2 * np.pi / self.wavelength * (-self.defocus * angle**2 / 2 + cs * angle**4 / 4))

    def passes(self, k: Array) -> Array:
        """1 inside the aperture, 0 outside, at spatial frequencies [1/Å]."""
        return (self.wavelength * k <= self.aperture_mrad * 1e-3).astype(float)
