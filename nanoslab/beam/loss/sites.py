"""What every atom of a structure costs to remove, now and with fewer neighbours: from any level of theory.

Notes
-----
An energy may be given for an element, for its atoms with a number of neighbours, for those of a layer, or both. Where
atoms have lost neighbours and nothing is given for what is left, the nearest number of neighbours that is known is
scaled by z/z_known, as in bond counting. A single energy for an element is taken as it stands at every site.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nanoslab.beam.binding import energies_per_bond, full_neighbours, neighbour_lists
from nanoslab.beam.checks import require_positive
from nanoslab.beam.loss.paths import beam_frame
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: atoms whose heights differ by less belong to one layer [Å]: above the buckling of a surface, below any plane spacing
LAYER_GAP = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteEnergy:
    """An energy to leave and the atoms it holds for.

    Attributes
    ----------
    element
        Chemical symbol.
    energy
        [eV].
    n_neighbours
        Only atoms with so many neighbours; None for any number.
    layer
        Only atoms of this layer, counted from the nearer surface, 1 the outermost; None for any layer.
    source
        Level of theory and where the number is from.
    """

    element: str
    energy: float
    n_neighbours: int | None = None
    layer: int | None = None
    source: str = "given"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteThresholds:
    """Energy to leave of every atom for every number of neighbours that it may have left.

    Attributes
    ----------
    by_neighbours
        Shape (n_atoms, most neighbours + 1) [eV]; the first column, for none, is 0: such an atom is free.
    sources
        Of every atom, in words.
    """

    by_neighbours: Array
    sources: tuple[str, ...]

    def __post_init__(self) -> None:
        self.by_neighbours.flags.writeable = False


def site_thresholds(atoms: Atoms, energies: Sequence[SiteEnergy]) -> SiteThresholds:
    """Thresholds of a structure from energies for its sites.

    Parameters
    ----------
    atoms
        The structure; not changed.
    energies
        The most particular one that fits an atom counts: neighbours and layer, then neighbours, layer, element.

    Examples
    --------
    >>> from ase.build import bulk
    >>> cell = bulk("CdSe", "zincblende", a=6.05)
    >>> rows = [SiteEnergy(element="Cd", energy=8.0), SiteEnergy(element="Se", energy=5.24, n_neighbours=4)]
    >>> site_thresholds(cell, rows).by_neighbours.round(2)  # one energy for Cd; Se scaled with the bonds it has left
    array([[0.  , 8.  , 8.  , 8.  , 8.  ],
           [0.  , 1.31, 2.62, 3.93, 5.24]])
    """
    for row in energies:
        require_positive(f"energy of {row.element}", row.energy, "eV")
        if row.n_neighbours is not None:
            require_positive(f"neighbours of {row.element}", row.n_neighbours, "", "an atom without any is free")
    counts = np.array([len(near) for near in neighbour_lists(atoms)])
    layers = depths(atoms)
    symbols = atoms.get_chemical_symbols()
    table = np.zeros((len(atoms), int(counts.max(initial=0)) + 1))
    sources = []
    for atom, symbol in enumerate(symbols):
        own = [row for row in energies if row.element == symbol and row.layer in (None, layers[atom])]
        if not own:
            raise InputError(
                "energies of the sites",
                expected=f"an energy for {symbol} in layer {layers[atom]}",
                got=", ".join(dict.fromkeys(row.element for row in energies)) or "none",
            )
        own.sort(key=lambda row: row.layer is None)  # those of the layer first
        table[atom, 1:] = [_energy(own, z, int(counts[atom])) for z in range(1, table.shape[1])]
        exact = [row for row in own if row.n_neighbours in (counts[atom], None)]
        sources.append(exact[0].source if exact else f"scaled with the bonds from: {own[0].source}")
    return SiteThresholds(by_neighbours=table, sources=tuple(sources))


def bond_counting_thresholds(
    atoms: Atoms, cohesive_energies: Mapping[str, float], full_coordination: Mapping[str, int] | None = None
) -> SiteThresholds:
    """Thresholds 2 E_coh z/Z for want of anything better; parameters of `surface_binding_energies`.

    Examples
    --------
    >>> from ase.build import bulk
    >>> bond_counting_thresholds(bulk("Al"), {"Al": 3.39}).by_neighbours[0, [6, 9]]  # a kink, a (111) terrace
    array([3.39 , 5.085])
    """
    counts = np.array([len(near) for near in neighbour_lists(atoms)])
    species = np.array(atoms.get_chemical_symbols())
    table = np.zeros((len(atoms), int(counts.max(initial=0)) + 1))
    full = full_neighbours(species, counts, full_coordination)
    for symbol, energy in energies_per_bond(full, cohesive_energies).items():
        table[species == symbol] = energy * np.arange(table.shape[1])
    return SiteThresholds(by_neighbours=table, sources=("bonds counted, 2 E_coh z/Z",) * len(atoms))


def layers_along(atoms: Atoms, beam_direction: Sequence[float] = (0.0, 0.0, -1.0)) -> NDArray[np.int_]:
    """Layer of every atom, 1 where the electrons leave the structure, shape (n_atoms,).

    Examples
    --------
    >>> from ase import Atoms
    >>> layers_along(Atoms("CdSeCd", positions=[[0, 0, 0], [2, 0, 0.4], [0, 0, 2.2]])).tolist()
    [1, 1, 2]
    """
    from nanoslab.beam.loss.paths import open_across_vacuum

    heights = -open_across_vacuum(atoms).positions @ beam_frame(beam_direction)[2]
    order = np.argsort(heights, kind="stable")
    numbers = 1 + np.cumsum(np.diff(heights[order], prepend=heights[order[:1]]) > LAYER_GAP)
    layers = np.empty(len(atoms), dtype=int)
    layers[order] = numbers
    return layers


def depths(atoms: Atoms) -> NDArray[np.int_]:
    """Layer of every atom counted from the nearer of the two surfaces across z, shape (n_atoms,)."""
    layers = layers_along(atoms)
    return np.asarray(np.minimum(layers, layers.max(initial=0) + 1 - layers))


def _energy(rows: Sequence[SiteEnergy], left: int, now: int) -> float:
    """Energy with `left` neighbours of an atom that has `now`; rows of its own layer stand first."""
    for row in rows:
        if row.n_neighbours == left:
            return row.energy
    for row in rows:
        if row.n_neighbours is None:
            return row.energy if row.layer is None else row.energy * min(left / max(now, 1), 1.0)
    nearest = min(rows, key=lambda row: (abs((row.n_neighbours or 1) - left), -(row.n_neighbours or 1)))
    return nearest.energy * left / max(nearest.n_neighbours or 1, 1)
