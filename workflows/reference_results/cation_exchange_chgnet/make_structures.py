"""PbS and CdS at CHGNet's own lattice constants.

Then, in this folder:  nanoslab run study.yaml --engine chgnet --campaign .
"""

from ase.build import bulk
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS

from nanoslab.calculation import Settings
from nanoslab.engines import engine

for name, atoms in {
    "PbS-rocksalt": bulk("PbS", "rocksalt", a=6.0, cubic=True),
    "CdS-zincblende": bulk("CdS", "zincblende", a=5.9, cubic=True),
}.items():
    atoms.calc = engine("chgnet").calculator(atoms, Settings(source="PBE"))
    BFGS(FrechetCellFilter(atoms), logfile=None).run(fmax=0.003, steps=60)
    atoms.info = {}
    atoms.write(f"{name}.vasp", format="vasp", sort=True)
