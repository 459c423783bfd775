"""Hexagonal stacking to cubic: layers that slide over one another, as wurtzite can turn into zinc blende."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.neighborlist import natural_cutoffs, neighbor_list
from numpy.typing import NDArray

from nanoslab.crystals import make_recipe
from nanoslab.errors import InputError
from nanoslab.slab_geometry import BOND_FACTOR
from nanoslab.species import cations_first

#: cosine of the angle with c above which a bond counts as parallel to it: the others lie near 70 degrees
PARALLEL = 0.9


def cubic_stacking(atoms: Atoms, *, axis: int = 0, along: int = 1) -> Atoms:
    """Slide the (0001) layers of a wurtzite sheet until ABAB... is ABCABC...

    A layer is the cations and anions joined by the bonds along c, which stay whole; each slides by a third of the
    lattice vector that lies along [1-100]. Six layers, three cells of wurtzite along c, come back to the first one.

    Parameters
    ----------
    atoms
        Sheet whose lattice vector `axis` is c and whose lattice vector `along` is [1-100], as `build_nanosheet`
        makes the wurtzite (11-20) sheet; three cells, or a multiple, along c.
    axis, along
        Numbers of these lattice vectors, from 0.

    Returns
    -------
    Atoms
        The same atoms in their order and the same cell.

    Raises
    ------
    InputError
        The layers are no multiple of six, or do not alternate between two places.

    Examples
    --------
    >>> from nanoslab.builders import build_nanosheet
    >>> sheet = build_nanosheet("CdSe-wurtzite", "11-20", 3, repeat=(3, 1))
    >>> moved = cubic_stacking(sheet).positions - sheet.positions
    >>> sorted(set((moved[:, 1] / sheet.cell[1, 1] * 3).round(6).tolist()))
    [-1.0, 0.0, 1.0]
    """
    layers = _layers(atoms, axis)
    n_layers = int(layers.max()) + 1
    if n_layers % 6:
        advice = "repeat the sheet three times along c"
        raise InputError("atoms", expected="a multiple of six layers along c", got=n_layers, advice=advice)
    numbers = np.arange(n_layers)
    turn = _third_to_next_layer(atoms, layers, along)
    slides = (turn * (numbers - numbers % 2) + 1) % 3 - 1
    end = atoms.copy()
    end.set_positions(end.positions + np.outer(slides[layers] / 3, atoms.cell[along]), apply_constraint=False)
    end.info = {"recipe": make_recipe("cubic stacking", source=atoms.info.get("recipe"), axis=axis, along=along)}
    return end


def _layers(atoms: Atoms, axis: int) -> NDArray[np.int64]:
    """Number of the layer along c that each atom belongs to, shape (n,): cations and anions bonded parallel to c."""
    c = atoms.cell[axis] / atoms.cell.lengths()[axis]
    period = atoms.cell.lengths()[axis]
    first, second, ways = neighbor_list("ijD", atoms, natural_cutoffs(atoms, mult=BOND_FACTOR))
    cation = cations_first(atoms.get_chemical_symbols())[0]
    is_cation = np.array(atoms.get_chemical_symbols()) == cation
    upright = (ways @ c / np.linalg.norm(ways, axis=1) > PARALLEL) & is_cation[first] & ~is_cation[second]
    down = (ways @ c / np.linalg.norm(ways, axis=1) < -PARALLEL) & is_cation[first] & ~is_cation[second]
    pairs = upright if upright.sum() >= down.sum() else down
    heights = atoms.positions @ c
    heights[second[pairs]] = heights[first[pairs]]  # a layer has the height of its cations
    alone = ~is_cation & ~np.isin(np.arange(len(atoms)), second[pairs])
    if alone.any():
        got = f"{int(alone.sum())} anions without a bond parallel to c"
        raise InputError("atoms", expected="wurtzite with c along the sheet", got=got, advice="slide before removing atoms")
    phases = heights / period * 2 * np.pi
    n_layers = _count(phases, round(period / 2.5))
    return np.round((phases - phases[0]) / (2 * np.pi) * n_layers).astype(int) % n_layers


def _count(phases: NDArray[np.float64], most: int) -> int:
    """Number of equal steps along c at which the atoms lie: the strongest period."""
    strength = [abs(np.exp(1j * n * phases).mean()) for n in range(1, most + 1)]
    return int(np.argmax(strength)) + 1


def _third_to_next_layer(atoms: Atoms, layers: NDArray[np.int64], along: int) -> int:
    """Whether the second layer lies a third of the lattice vector up or down from the first: 1 or -1."""
    fractions = atoms.get_scaled_positions()[:, along]
    votes = []
    for number in np.unique(atoms.numbers):
        one, two = (np.flatnonzero((layers == layer) & (atoms.numbers == number)) for layer in (0, 1))
        rest = np.delete(np.arange(3), along)
        heights = atoms.get_scaled_positions(wrap=False)[:, rest[-1]]
        for i in one:
            near = two[np.abs(heights[two] - heights[i]) < np.ptp(heights) / 20]
            votes += [round(float((fractions[j] - fractions[i]) % 1.0 * 3)) % 3 for j in near]
    thirds = {vote for vote in votes if vote}
    if len(thirds) != 1:
        got = f"steps of {sorted(set(votes))} thirds between the first two layers"
        raise InputError("atoms", expected="layers stacked ABAB", got=got)
    return 1 if thirds == {1} else -1
