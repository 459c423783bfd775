"""A ring with two minima and a pass on either side of its hill, (r^2 - 1)^2 + 0.3 y^2 + tilt y + z^2 [eV, Å]."""

import numpy as np
from ase.calculators.calculator import Calculator, all_changes


class Ring(Calculator):
    """Energy and forces of every atom."""

    implemented_properties = ("energy", "forces")

    def __init__(self, tilt=0.0):
        super().__init__()
        self.tilt = tilt

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        x, y, z = self.atoms.positions.T
        beyond = x**2 + y**2 - 1
        energy = beyond**2 + 0.3 * y**2 + self.tilt * y + z**2
        forces = -np.column_stack([4 * x * beyond, 4 * y * beyond + 0.6 * y + self.tilt, 2 * z])
        self.results = {"energy": float(energy.sum()), "forces": forces}


def passes(tilt=0.0):
    """Barriers of the upper and the lower pass: on the line x = 0 the slope along y is a cubic."""
    places = np.sort(np.roots([4, 0, -4 + 0.6, tilt]).real)[[2, 0]]
    lowest = -(tilt**2) / 1.2
    return (places**2 - 1) ** 2 + 0.3 * places**2 + tilt * places - lowest


def tilted():
    return Ring(0.05)


def even():
    return Ring()
