"""Ends of the slip of a CdSe (11-20) sheet from wurtzite to zinc-blende stacking, with 0, 2 and 4 Se of one face gone.

Run in this folder:  python make_structures.py && nanoslab run study.yaml --engine chgnet --campaign .
"""

from ase.io import write

from nanoslab.builders import build_nanosheet
from nanoslab.builders.slip import cubic_stacking

MONOLAYERS = 5

sheet = build_nanosheet("CdSe-wurtzite", "11-20", MONOLAYERS, repeat=(3, 1))
ends = {"wurtzite": sheet, "zincblende": cubic_stacking(sheet)}
top = sheet.positions[:, 2].max()
face = [i for i, atom in enumerate(sheet) if atom.symbol == "Se" and top - atom.position[2] < 0.5]
# every other one along c first, so that no two neighbours go
order = sorted(face, key=lambda i: sheet.positions[i, 0])
order = order[::2] + order[1::2]
for lost in (0, 2, 4):
    for name, atoms in ends.items():
        kept = atoms[[i for i in range(len(atoms)) if i not in order[:lost]]]
        kept.set_constraint()
        kept.info = {}
        write(f"{name}-{lost}.vasp", kept, format="vasp", sort=False, direct=False)
