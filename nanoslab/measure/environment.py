"""Wurtzite or zinc blende, atom by atom, from the torsion of the bonds.

Along every bond of a tetrahedral crystal the three further bonds at one end are either staggered against the three at
the other end (all bonds of zinc blende) or eclipsed (the one bond of each wurtzite atom that points along c). With the
dihedral angle phi, (1 + cos 3 phi)/2 is 0 for a staggered and 1 for an eclipsed bond and smooth in between, so the sum
over an atom's bonds is 0 in zinc blende, 1 in wurtzite, and a half for an atom half-way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.slab_geometry import find_bonds

#: up to here an atom is zinc blende, from 1 minus this on wurtzite, and intermediate between
HALF_WAY_MARGIN = 0.25
ANIONS = frozenset({"N", "P", "As", "Sb", "O", "S", "Se", "Te", "F", "Cl", "Br", "I"})
#: a bond closer than this (sine of the angle) to the axis has no direction around it
_COLLINEAR = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Environments:
    """What surrounds each atom.

    Attributes
    ----------
    coordination
        Number of cation-anion bonds, shape (atoms,).
    eclipsed_bonds
        Sum of (1 + cos 3 phi)/2 over the bonds of an atom, shape (atoms,): 0 in zinc blende, 1 in wurtzite.
    labels
        ``wurtzite``, ``zinc blende``, ``intermediate``, ``rock salt`` (six bonds) or ``undetermined`` (fewer than
        three bonds, five, or torsions of neither crystal).

    Examples
    --------
    >>> from ase.build import bulk
    >>> local_environments(bulk("CdSe", "zincblende", a=6.05)).labels
    ('zinc blende', 'zinc blende')
    """

    coordination: NDArray[np.int_]
    eclipsed_bonds: NDArray[np.float64]
    labels: tuple[str, ...]

    def fraction(self, label: str) -> float:
        """Share of the atoms with a label.

        Examples
        --------
        >>> from ase.build import bulk
        >>> local_environments(bulk("CdSe", "wurtzite", a=4.3, c=7.01)).fraction("wurtzite")
        1.0
        """
        return self.labels.count(label) / len(self.labels) if self.labels else 0.0


def local_environments(atoms: Atoms) -> Environments:
    """Coordination and wurtzite or zinc-blende character of every atom.

    An atom that lacks a bond is judged by those it has; where the missing one is the bond along c (the outermost
    atoms of a (0001) face) wurtzite cannot be told from zinc blende and reads as zinc blende.

    Parameters
    ----------
    atoms
        Cations and anions, periodic or not.

    Examples
    --------
    >>> from ase.build import bulk
    >>> local_environments(bulk("CdSe", "wurtzite", a=4.3, c=7.01)).eclipsed_bonds.round(2).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    i, j, vectors = cation_anion_bonds(atoms)
    coordination = np.bincount(i, minlength=len(atoms))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    around = [np.flatnonzero(i == atom) for atom in range(len(atoms))]
    eclipsed = np.zeros(len(atoms))
    for bond in range(len(i)):
        first = unit[[k for k in around[i[bond]] if k != bond]]
        second = unit[[k for k in around[j[bond]] if not np.allclose(vectors[k], -vectors[bond], atol=1e-8)]]
        eclipsed[i[bond]] += bond_eclipse(unit[bond], first, second)
    labels = tuple(_label(int(n), float(e)) for n, e in zip(coordination, eclipsed, strict=True))
    return Environments(coordination=coordination, eclipsed_bonds=eclipsed, labels=labels)


def cation_anion_bonds(atoms: Atoms) -> tuple[NDArray[np.int_], NDArray[np.int_], NDArray[np.float64]]:
    """Every bond from both its ends: first atom, second atom, vector [Å] of shape (bonds, 3).

    Examples
    --------
    >>> from ase.build import bulk
    >>> i, j, vectors = cation_anion_bonds(bulk("CdSe", "zincblende", a=6.05))
    >>> len(i), round(float(np.linalg.norm(vectors[0])), 2)
    (8, 2.62)
    """
    i, j, vectors = find_bonds(atoms, "ijD")
    is_anion = np.array([symbol in ANIONS for symbol in atoms.get_chemical_symbols()], dtype=bool)
    keep = is_anion[i] != is_anion[j]
    return i[keep], j[keep], vectors[keep]


def bond_eclipse(axis: NDArray[np.float64], first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Mean of (1 + cos 3 phi)/2 over the dihedral angles about a bond; 0 staggered, 1 eclipsed.

    Parameters
    ----------
    axis
        Unit vector along the bond.
    first, second
        Further bonds at its two ends, shape (bonds, 3); without any at one end the answer is 0.

    Examples
    --------
    >>> z = np.array([0.0, 0.0, 1.0])
    >>> down = np.array([[1.0, 0.0, -0.3]])
    >>> bond_eclipse(z, down, np.array([[1.0, 0.0, 0.3]])), bond_eclipse(z, down, np.array([[-1.0, 0.0, 0.3]]))
    (1.0, 0.0)
    """
    p, q = _around(axis, first), _around(axis, second)
    if not len(p) or not len(q):
        return 0.0
    cosine = np.clip(p @ q.T, -1.0, 1.0)
    return float(np.mean((1.0 + 4.0 * cosine**3 - 3.0 * cosine) / 2.0))


def _around(axis: NDArray[np.float64], bonds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Directions of bonds seen along the axis, those along it left out."""
    flat = bonds.reshape(-1, 3) - np.outer(bonds.reshape(-1, 3) @ axis, axis)
    lengths = np.linalg.norm(flat, axis=1)
    seen = lengths > _COLLINEAR
    directions: NDArray[np.float64] = flat[seen] / lengths[seen, None]
    return directions


def _label(coordination: int, eclipsed: float) -> str:
    if coordination == 6:
        return "rock salt"
    if coordination not in (3, 4) or eclipsed > 1.0 + 2 * HALF_WAY_MARGIN:
        return "undetermined"
    if eclipsed <= HALF_WAY_MARGIN:
        return "zinc blende"
    return "wurtzite" if eclipsed >= 1.0 - HALF_WAY_MARGIN else "intermediate"
