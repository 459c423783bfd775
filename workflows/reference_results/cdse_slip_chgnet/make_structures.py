"""CdSe (11-20) sheets of seven monolayers: whole, without the Se of one face, without that of both.

Then, in this folder:  nanoslab run study.yaml --engine chgnet --campaign .
"""

import numpy as np
from ase.io import write

from nanoslab.builders import build_nanosheet

sheet = build_nanosheet("CdSe-wurtzite", "11-20", 7)
heights = sheet.positions[:, 2]
is_selenium = np.array(sheet.get_chemical_symbols()) == "Se"
top, bottom = heights > heights.max() - 0.5, heights < heights.min() + 0.5
for name, gone in (("lost-0", top & False), ("lost-2", top & is_selenium), ("lost-4", (top | bottom) & is_selenium)):
    kept = sheet[~gone]
    kept.set_constraint()
    kept.info = {}
    write(f"{name}.vasp", kept, format="vasp", sort=False, direct=False)
