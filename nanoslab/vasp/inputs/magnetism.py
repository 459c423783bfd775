"""INCAR tags of spin and of a Hubbard U."""

from __future__ import annotations

import numpy as np
from ase.data import ground_state_magnetic_moments
from numpy.typing import NDArray
from pymatgen.core import Element

from nanoslab.calculation import Calculation
from nanoslab.errors import InputError
from nanoslab.vasp.inputs.incar_names import TagValue
from nanoslab.vasp.inputs.shape import is_isolated_atom
from nanoslab.vasp.poscar import species_order


def spin(calculation: Calculation) -> dict[str, TagValue]:
    """Spin, with one moment per atom in the order of the POSCAR.

    Without moments an isolated atom gets those of its ground state, everything else VASP's own start of 1 each.
    """
    if not calculation.settings.spin_polarized:
        return {"ISPIN": 1}
    moments = starting_moments(calculation)
    magmom = tuple(moments.ravel().tolist())
    return {"MAGMOM": magmom} if moments.ndim == 2 else {"ISPIN": 2, "MAGMOM": magmom}


def hubbard(calculation: Calculation) -> dict[str, TagValue]:
    """U - J after Dudarev on d electrons of transition metals, f of lanthanides and actinides, p of all others."""
    values = calculation.settings.hubbard_u
    species = list(dict.fromkeys(calculation.atoms.get_chemical_symbols()))
    if not any(values.get(symbol) for symbol in species):
        return {}
    shells = [_correlated_shell(symbol) if values.get(symbol) else -1 for symbol in species]
    return {
        "LDAU": True,
        "LDAUTYPE": 2,
        "LDAUL": " ".join(map(str, shells)),
        "LDAUU": " ".join(f"{values.get(symbol, 0.0):.12g}" for symbol in species),
        "LDAUJ": " ".join("0" for _ in species),
        "LMAXMIX": 2 * max(shells),
    }


def starting_moments(calculation: Calculation) -> NDArray[np.float64]:
    """Moments per atom in the order of the POSCAR [Bohr magnetons], shape (n,) or (n, 3)."""
    atoms = calculation.atoms
    moments: NDArray[np.float64] = atoms.get_initial_magnetic_moments()[list(species_order(atoms))]
    if moments.ndim == 2 and not is_noncollinear(calculation):
        where, expected = f"{calculation.name}: initial magnetic moments", "one number per atom for collinear spin"
        advice = "add LNONCOLLINEAR or LSORBIT to settings.extra"
        raise InputError(where, expected=expected, got="vectors", advice=advice)
    if atoms.has("initial_magmoms"):
        return moments
    if is_isolated_atom(atoms):
        return np.array([float(ground_state_magnetic_moments[atoms.numbers[0]])])
    return np.ones(len(atoms))


def is_noncollinear(calculation: Calculation) -> bool:
    """Spins as vectors: the tags of ``extra`` say so."""
    return any(calculation.settings.extra.get(tag) in (True, ".TRUE.", "T") for tag in ("LSORBIT", "LNONCOLLINEAR"))


def _correlated_shell(symbol: str) -> int:
    """Angular momentum of the electrons that a U acts on."""
    group, block = Element(symbol).group, Element(symbol).block
    if block == "f":
        return 3
    return 2 if 3 <= group <= 12 else 1
