"""Nearest-neighbour bonds as an ASE calculator: an engine whose necks can be counted by hand."""

import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from ase.neighborlist import neighbor_list


class BondModel(Calculator):
    """Every bond between unlike atoms up to a length gives one strength [eV]; there are no forces."""

    implemented_properties = ("energy", "forces")

    def __init__(self, strength: float = 1.0, reach: float = 3.4) -> None:
        super().__init__()
        self.strength = strength
        self.reach = reach

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        first, second = neighbor_list("ij", atoms, self.reach)
        numbers = atoms.numbers
        bonds = np.count_nonzero(numbers[first] != numbers[second]) / 2
        self.results = {"energy": -self.strength * bonds, "forces": np.zeros((len(atoms), 3))}
