"""Ammonia and its mirror image in a box of 7 Å, with N-H 1.02 Å and H-N-H 106.5 degrees.

Then, in this folder:  nanoslab run study.yaml --engine cp2k:basis=TZV2P-GTH --campaign .
"""

import numpy as np
from ase import Atoms

BOND, ANGLE, BOX = 1.02, np.radians(106.5), 7.0
distance_from_axis = BOND * np.sin(ANGLE / 2) * 2 / np.sqrt(3)
height = np.sqrt(BOND**2 - distance_from_axis**2)
turns = 2 * np.pi * np.arange(3) / 3
for name, sign in (("start", -1), ("end", 1)):
    hydrogen = [[distance_from_axis * np.cos(t), distance_from_axis * np.sin(t), sign * height] for t in turns]
    # both ends have one centre of mass, so that the molecule turns over where it is
    molecule = Atoms("NH3", positions=[[0, 0, 0], *hydrogen], cell=[BOX] * 3, pbc=True)
    molecule.positions += BOX / 2 - molecule.get_center_of_mass()
    molecule.write(f"{name}.vasp", direct=False)
