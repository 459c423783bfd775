"""Cubic or hexagonal stacking about every atom, by common neighbours, and the faults that hexagonal layers make.

Works on one close-packed sublattice: all atoms of a metal, or one element of zinc blende, wurtzite or rock salt, whose
cations are stacked as face-centred cubic (ABC) or hexagonal (AB).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from nanoslab.errors import unknown_name

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackingFault:
    """Hexagonal layers that hang together.

    Attributes
    ----------
    kind
        ``twin`` (one layer), ``intrinsic fault`` (two), ``hexagonal`` (more). An extrinsic fault is two twins one
        cubic layer apart.
    normal
        Unit vector across the layers, shape (3,).
    n_layers
        Hexagonal layers.
    indices
        Their atoms.
    """

    kind: str
    normal: tuple[float, float, float]
    n_layers: int
    indices: tuple[int, ...]


def stacking_labels(atoms: Atoms, element: str | None = None) -> tuple[str, ...]:
    """``cubic``, ``hexagonal`` or ``other`` for every atom of a sublattice; empty for the atoms of other elements.

    Common neighbour analysis with a cutoff of its own for every atom (Honeycutt and Andersen, J. Phys. Chem. 91
    (1987) 4950; Stukowski, Modelling Simul. Mater. Sci. Eng. 20 (2012) 045021). Atoms with fewer than twelve neighbours
    of their kind, such as those of the surface, are ``other``.

    Parameters
    ----------
    element
        Of the sublattice; all atoms when not given.

    Examples
    --------
    >>> from ase.cluster import Octahedron
    >>> labels = stacking_labels(Octahedron("Pt", 5))
    >>> labels.count("cubic"), labels.count("hexagonal"), len(labels)
    (19, 0, 85)
    """
    index = _sublattice(atoms, element)
    labels = [""] * len(atoms)
    points = atoms.positions[index]
    if len(index) < 13:
        for atom in index:
            labels[atom] = "other"
        return tuple(labels)
    gaps, near = cKDTree(points).query(points, 13)
    for row, atom in enumerate(index):
        labels[atom] = _label(points[near[row, 1:]] - points[row], gaps[row, 1:])
    return tuple(labels)


def _label(vectors: Array, gaps: Array) -> str:
    """Stacking about an atom from its twelve nearest neighbours."""
    cutoff = 0.5 * (1 + 2**0.5) * gaps.mean()
    if gaps.max() > cutoff:
        return "other"
    bonded = np.linalg.norm(vectors[:, None] - vectors[None], axis=2) < cutoff
    np.fill_diagonal(bonded, val=False)
    chains = 0
    for neighbour in range(12):
        common = np.flatnonzero(bonded[neighbour])
        among = bonded[np.ix_(common, common)]
        if len(common) != 4 or among.sum() != 4:
            return "other"
        chains += among.sum(axis=1).max() == 2
    return {0: "cubic", 6: "hexagonal"}.get(int(chains), "other")


def find_faults(atoms: Atoms, element: str | None = None, fewest: int = 4) -> tuple[StackingFault, ...]:
    """Twins and stacking faults: hexagonal atoms that touch, by the number of their layers, largest first.

    Parameters
    ----------
    fewest
        Atoms that a fault has at least; fewer are noise.
    """
    labels = np.array(stacking_labels(atoms, element))
    index = np.flatnonzero(labels == "hexagonal")
    if len(index) < fewest:
        return ()
    points = atoms.positions[index]
    every = atoms.positions[_sublattice(atoms, element)]
    tree = cKDTree(every)
    nearest = float(np.median(tree.query(every, 2)[0][:, 1]))
    pairs = cKDTree(points).query_pairs(1.2 * nearest, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(index),) * 2)
    _, groups = connected_components(graph, directed=False)
    found = []
    for group in range(groups.max() + 1):
        members = np.flatnonzero(groups == group)
        if len(members) < fewest:
            continue
        normal = _normal(every[tree.query(points[members], 13)[1][:, 1:]] - points[members][:, None], nearest)
        heights = np.sort(points[members] @ normal)
        n_layers = 1 + int(np.sum(np.diff(heights) > 0.4 * nearest))
        kind = {1: "twin", 2: "intrinsic fault"}.get(n_layers, "hexagonal")
        x, y, z = (float(value) for value in normal * (1 if normal[np.abs(normal).argmax()] > 0 else -1))
        atoms_of = tuple(index[members].tolist())
        found.append(StackingFault(kind=kind, normal=(x, y, z), n_layers=n_layers, indices=atoms_of))
    return tuple(sorted(found, key=lambda fault: -len(fault.indices)))


def _normal(vectors: Array, nearest: float) -> Array:
    """Normal of hexagonal layers from the neighbours of their atoms, shape (atoms, 12, 3).

    Only the six in the layer have one opposite to them.
    """
    opposite = np.linalg.norm(vectors[:, :, None] + vectors[:, None], axis=3).min(axis=2) < 0.3 * nearest
    return np.asarray(np.linalg.svd(vectors[opposite])[2][2])


def _sublattice(atoms: Atoms, element: str | None) -> NDArray[np.intp]:
    symbols = np.array(atoms.get_chemical_symbols())
    if element is not None and element not in symbols:
        raise unknown_name("element", element, dict.fromkeys(symbols.tolist()))
    return np.flatnonzero(symbols == element) if element else np.arange(len(atoms))
