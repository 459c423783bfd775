"""Wurtzite or zinc blende, atom by atom, from the torsion of the bonds.

Along every bond of a tetrahedral crystal the three further bonds at one end are either staggered against the three at
the other end (all bonds of zinc blende) or eclipsed (the one bond of each wurtzite atom that points along c). With the
dihedral angle phi, (1 + cos 3 phi)/2 is 0 for a staggered and 1 for an eclipsed bond and smooth in between. Its mean
over the dihedral angles of one bond decides about that bond, and the number of eclipsed bonds about the atom: displaced
atoms make every bond a little eclipsed, but none wholly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.slab_geometry import find_bonds
from nanoslab.structure_types import AnyStructure, as_atoms

#: A bond is eclipsed from this mean of (1 + cos 3 phi)/2 on, staggered up to 1 minus this, undecided between: the
#: eclipsed bonds in the rumpled surface of relaxed CdSe (11-20) have 0.57 (GPAW), the staggered ones up to 0.42. With
#: 0.3 Å of displacement along each axis, three times the thermal one at 300 K, 90 % of zinc blende is still called so
#: and 2 % wurtzite; 83 % of wurtzite is called so and 6 % zinc blende.
ECLIPSED = 0.55
ANIONS = frozenset({"N", "P", "As", "Sb", "O", "S", "Se", "Te", "F", "Cl", "Br", "I"})
#: a bond closer than this (sine of the angle) to the axis has no direction around it
_COLLINEAR = 0.2
#: an atom with fewer bonds (a dimer on a surface) turns about them: what is eclipsed there tells nothing of a crystal
_FEWEST_BONDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Environments:
    """What surrounds each atom."""

    coordination: NDArray[np.int_]  #: number of cation-anion bonds, shape (atoms,)
    #: sum of (1 + cos 3 phi)/2 over the bonds of an atom, shape (atoms,): 0 in zinc blende, 1 in wurtzite; larger where
    #: atoms are displaced
    eclipsed_bonds: NDArray[np.float64]
    #: by the bonds between atoms with at least three: ``zinc blende`` (none eclipsed), ``wurtzite`` (one),
    #: ``intermediate`` (some undecided). ``rock salt`` (six bonds); ``undetermined`` (fewer than three bonds, five,
    #: fewer than two to judge by, or more than one eclipsed).
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        for array in (self.coordination, self.eclipsed_bonds):
            array.setflags(write=False)

    def fraction(self, label: str) -> float:
        """Share of the atoms with a label."""
        return self.labels.count(label) / len(self.labels) if self.labels else 0.0


def local_environments(atoms: AnyStructure) -> Environments:
    """Coordination and wurtzite or zinc-blende character of every atom.

    An atom that lacks a bond is judged by those it has; where the missing one is the bond along c (the outermost
    atoms of a (0001) face) wurtzite cannot be told from zinc blende and reads as zinc blende.
    """
    atoms = as_atoms(atoms)
    i, j, vectors = cation_anion_bonds(atoms)
    n = len(atoms)
    coordination = np.bincount(i, minlength=n)
    eclipse = _eclipses(i, j, vectors, n)
    judged = (coordination[i] >= _FEWEST_BONDS) & (coordination[j] >= _FEWEST_BONDS)
    chosen = (judged & (eclipse >= ECLIPSED), judged & (eclipse <= 1.0 - ECLIPSED), judged)
    counts = [np.bincount(i[bonds], minlength=n).tolist() for bonds in chosen]
    return Environments(
        coordination=coordination,
        eclipsed_bonds=np.bincount(i, weights=eclipse, minlength=n).astype(float),
        labels=tuple(_label(*atom) for atom in zip(coordination.tolist(), *counts, strict=True)),
    )


def cation_anion_bonds(atoms: Atoms) -> tuple[NDArray[np.int_], NDArray[np.int_], NDArray[np.float64]]:
    """Every bond from both its ends: first atom, second atom, vector [Å] of shape (bonds, 3)."""
    i, j, vectors = find_bonds(atoms, "ijD")
    is_anion = np.array([symbol in ANIONS for symbol in atoms.get_chemical_symbols()], dtype=bool)
    keep = is_anion[i] != is_anion[j]
    return i[keep], j[keep], vectors[keep]


def _eclipses(i: NDArray[np.int_], j: NDArray[np.int_], vectors: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Mean of (1 + cos 3 phi)/2 over the dihedral angles about every bond; 0 without a further bond at one end."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    order = np.argsort(i, kind="stable")
    place = np.arange(len(i)) - np.searchsorted(i[order], i[order])
    around = np.zeros((n, int(place.max(initial=-1)) + 1, 3))
    around[i[order], place] = unit[order]
    sides = []
    for atom in (i, j):
        flat = around[atom] - np.einsum("bkx,bx->bk", around[atom], unit)[..., None] * unit[:, None, :]
        lengths = np.linalg.norm(flat, axis=2)
        # neither empty places nor the bond itself nor bonds along it have a direction around it
        seen = lengths > _COLLINEAR
        sides.append((flat / np.where(seen, lengths, 1.0)[..., None], seen))
    (first, first_seen), (second, second_seen) = sides
    cosine = np.clip(np.einsum("bkx,blx->bkl", first, second), -1.0, 1.0)
    both = first_seen[:, :, None] & second_seen[:, None, :]
    eclipse = np.where(both, (1.0 + 4.0 * cosine**3 - 3.0 * cosine) / 2.0, 0.0).sum(axis=(1, 2))
    return np.asarray(eclipse / np.maximum(both.sum(axis=(1, 2)), 1))


def _label(coordination: int, eclipsed: int, staggered: int, judged: int) -> str:
    if coordination == 6:
        return "rock salt"
    if coordination not in (3, 4) or judged < 2 or eclipsed > 1:
        return "undetermined"
    if eclipsed + staggered < judged:
        return "intermediate"
    return "wurtzite" if eclipsed else "zinc blende"
