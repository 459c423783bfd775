"""Published sizing curves: from the first absorption peak to the diameter and the number of formula units, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import units
from ase.data import atomic_masses, atomic_numbers
from ase.formula import Formula
from numpy.polynomial import Polynomial
from scipy.optimize import brentq

from nanoslab.builders.particles.particle import units_of_diameter
from nanoslab.errors import InputError, unknown_name

#: photon energy times wavelength [eV nm]
_HC = units._hplanck * units._c / units._e * 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingCurve:
    """One published curve.

    Attributes
    ----------
    polynomial
        Diameter [nm] as a polynomial of the wavelength [nm], constant first; empty where the energy is given.
    energy
        Gap of the bulk E0 [eV] and a, b, c of E = E0 + 1 / (a d² + b d + c), d in nm; empty where a polynomial is.
    wavelengths
        Range that is accepted: where the diameter rises with the wavelength, narrowed to the published one where
        `published_range` says so [nm].
    density
        Of the bulk [g/cm³], for the number of units; that of the reference crystal when None.
    """

    name: str
    crystal: str
    source: str
    wavelengths: tuple[float, float]
    published_range: str = "none here: all wavelengths at which the diameter rises with the wavelength"
    polynomial: Sequence[float] = ()
    energy: Sequence[float] = ()
    density: float | None = None

    @property
    def formula(self) -> str:
        """Of the compound."""
        return self.name.partition("-")[0]

    def diameter(self, wavelength: float) -> float:
        """Diameter of the particles whose first absorption peak lies at a wavelength; both in nm.

        Examples
        --------
        >>> [round(sizing_curve("CdSe-Yu2003").diameter(peak), 2) for peak in (350, 380, 403, 437, 467)]
        [1.09, 1.37, 1.58, 1.85, 2.08]
        """
        low, high = self.wavelengths
        if not low <= wavelength <= high:
            raise InputError(
                "wavelength",
                expected=f"{low:g} to {high:g} nm ({self.name})",
                got=f"{wavelength:g} nm",
                advice="check it",
            )
        if self.polynomial:
            return float(Polynomial(self.polynomial)(wavelength))
        gap, a, b, c = self.energy
        rest = c - 1.0 / (_HC / wavelength - gap)
        return float((-b + np.sqrt(b**2 - 4.0 * a * rest)) / (2.0 * a))

    def wavelength(self, diameter: float) -> float:
        """Wavelength of the first absorption peak of particles of a diameter; both in nm."""
        low, high = (self.diameter(one) for one in self.wavelengths)
        if not low <= diameter <= high:
            raise InputError(
                "diameter",
                expected=f"{low:.2f} to {high:.2f} nm ({self.name})",
                got=f"{diameter:g} nm",
                advice="check it",
            )
        return float(brentq(lambda one: self.diameter(one) - diameter, *self.wavelengths, xtol=1e-9))

    def n_units(self, diameter: float) -> int:
        """Formula units in a sphere of bulk density; diameter in nm.

        Examples
        --------
        >>> [sizing_curve("CdSe-Yu2003").n_units(diameter) for diameter in (1.09, 1.37, 1.58, 1.85, 2.06)]
        [12, 25, 38, 61, 84]
        """
        if self.density is None:
            return units_of_diameter(self.crystal, diameter, lattice="experimental")
        mass = sum(number * atomic_masses[atomic_numbers[one]] for one, number in Formula(self.formula).count().items())
        volume = mass * units._amu * 1e3 / self.density * 1e21  # nm³ of one unit
        return max(1, round(float(np.pi / 6.0 * diameter**3 / volume)))


_YU = "W. W. Yu et al., Chem. Mater. 15 (2003) 2854, doi:10.1021/cm034081k"
_CURVES = (
    SizingCurve(
        name="CdSe-Yu2003",
        crystal="CdSe-wurtzite",
        source=_YU,
        polynomial=(41.57, -0.4277, 1.6242e-3, -2.6575e-6, 1.6122e-9),
        wavelengths=(345.0, 700.0),
        # the handbook's density gives the numbers of units of Palencia 2020, doi:10.1039/d0nr05879c
        density=5.82,
    ),
    SizingCurve(
        name="CdS-Yu2003",
        crystal="CdS-wurtzite",
        source=_YU,
        polynomial=(13.29, -9.2352e-2, 1.9557e-4, -6.6521e-8),
        wavelengths=(280.0, 500.0),
    ),
    SizingCurve(
        name="CdTe-Yu2003",
        crystal="CdTe-zincblende",
        source=_YU,
        polynomial=(-194.84, 1.0064, -1.7147e-3, 9.8127e-7),
        wavelengths=(480.0, 750.0),
    ),
    SizingCurve(
        name="CdSe-Jasieniak2009",
        crystal="CdSe-wurtzite",
        source="J. Jasieniak et al., J. Phys. Chem. C 113 (2009) 19468",
        polynomial=(59.60816, -0.54736, 1.8873e-3, -2.85743e-6, 1.62974e-9),
        wavelengths=(450.0, 660.0),
        published_range="2 to 8 nm",
        density=5.82,
    ),
    SizingCurve(
        name="PbS-Moreels2009",
        crystal="PbS-rocksalt",
        source="I. Moreels et al., ACS Nano 3 (2009) 3023",
        energy=(0.41, 0.0252, 0.283, 0.0),
        wavelengths=(500.0, 2500.0),
    ),
    SizingCurve(
        name="PbSe-Moreels2007",
        crystal="PbSe-rocksalt",
        source="I. Moreels et al., Chem. Mater. 19 (2007) 6101",
        energy=(0.278, 0.016, 0.209, 0.45),
        wavelengths=(800.0, 3500.0),
    ),
)


def sizing_curves(formula: str | None = None) -> tuple[SizingCurve, ...]:
    """All curves, or those of a compound."""
    return tuple(curve for curve in _CURVES if formula in (None, curve.formula))


def sizing_curve(name: str) -> SizingCurve:
    """Curve of a name such as ``CdSe-Yu2003``."""
    known = {curve.name: curve for curve in _CURVES}
    if name not in known:
        raise unknown_name("sizing curve", name, known)
    return known[name]
