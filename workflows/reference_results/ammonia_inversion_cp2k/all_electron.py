"""Barrier of ammonia by PBE of all electrons: both geometries relaxed within their symmetry. Needs PySCF."""

import numpy as np
from pyscf import dft, gto
from scipy.optimize import minimize


def energy(bond: float, height: float) -> float:
    """Energy [eV] of N at the origin and three H at a bond length and a height [Å]."""
    turns = 2 * np.pi * np.arange(3) / 3
    aside = np.sqrt(bond**2 - height**2)
    hydrogen = [("H", (aside * np.cos(t), aside * np.sin(t), height)) for t in turns]
    molecule = gto.M(atom=[("N", (0, 0, 0)), *hydrogen], basis="def2-tzvp", verbose=0)
    field = dft.RKS(molecule)
    field.xc, field.grids.level, field.conv_tol = "pbe", 4, 1e-9
    return float(field.kernel()) * 27.211386


options = {"xatol": 1e-4, "fatol": 1e-5}
pyramid = minimize(lambda x: energy(*x), [1.02, 0.38], method="Nelder-Mead", options=options)
flat = minimize(lambda x: energy(x[0], 0.0), [1.0], method="Nelder-Mead", options=options)
print(f"barrier {flat.fun - pyramid.fun:.4f} eV, N-H {pyramid.x[0]:.3f} and {flat.x[0]:.3f} Å")
