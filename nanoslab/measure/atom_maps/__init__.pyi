from .lattice import LatticeMap, map_lattice
from .stacking import StackingFault, find_faults, stacking_labels
from .strain import AtomStrain, RadialProfile, atom_strain, bond_profile

__all__ = [
    "AtomStrain",
    "LatticeMap",
    "RadialProfile",
    "StackingFault",
    "atom_strain",
    "bond_profile",
    "find_faults",
    "map_lattice",
    "stacking_labels",
]
