"""Bonds between unlike atoms as an ASE calculator with forces and stresses of zero: every energy is a count."""

import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from ase.neighborlist import neighbor_list


class BondSheet(Calculator):
    """Every bond between Cd and Se up to 3.4 Å gives 1 eV."""

    implemented_properties = ("energy", "forces", "stress")

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        first, second = neighbor_list("ij", atoms, 3.4)
        bonds = np.count_nonzero(atoms.numbers[first] != atoms.numbers[second]) / 2
        self.results = {"energy": -bonds, "forces": np.zeros((len(atoms), 3)), "stress": np.zeros(6)}
