"""The potential of Müller and Brown, Theor. Chim. Acta 53 (1979) 75, for every atom in its plane xy [0.01 eV]."""

import numpy as np
from ase.calculators.calculator import Calculator, all_changes

HEIGHT = np.array([-200.0, -100.0, -170.0, 15.0]) * 0.01
A, B, C = np.array([-1, -1, -6.5, 0.7]), np.array([0, 0, 11, 0.6]), np.array([-10, -10, -6.5, 0.7])
X0, Y0 = np.array([1, 0, -0.5, -1]), np.array([0, 0.5, 1.5, 1])
#: minima and the saddle between the first two, with their energies [eV]: Müller and Brown, table 1
MINIMA = ((-0.558, 1.442), (0.623, 0.028))
SADDLE = (-0.822, 0.624)
ENERGIES = {"first": -1.46700, "second": -1.08167, "saddle": -0.40665}


class MuellerBrown(Calculator):
    """Energy and forces; z is held by a spring."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        x, y, z = self.atoms.positions.T
        dx, dy = x[:, None] - X0, y[:, None] - Y0
        terms = HEIGHT * np.exp(A * dx**2 + B * dx * dy + C * dy**2)
        forces = -np.column_stack(
            [(terms * (2 * A * dx + B * dy)).sum(1), (terms * (B * dx + 2 * C * dy)).sum(1), 2 * z]
        )
        self.results = {"energy": float(terms.sum() + (z**2).sum()), "forces": forces}


def calculator():
    return MuellerBrown()
