"""Hexagonal stacking to cubic: layers that slide over one another, a way from wurtzite to zinc blende."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.neighborlist import natural_cutoffs, neighbor_list
from numpy.typing import NDArray

from nanoslab.crystals import make_recipe
from nanoslab.errors import InputError
from nanoslab.slab_geometry import BOND_FACTOR, plane_numbers
from nanoslab.species import cations_first

#: cosine of the angle with c above which a bond counts as parallel to it: the others lie near 70 degrees
PARALLEL = 0.9


def slide_layers(
    atoms: Atoms, fraction: float, *, boundaries: int | None = None, axis: int = 0, along: int = 1
) -> Atoms:
    """Slide the (0001) layers of a wurtzite sheet by a fraction of the way to zinc blende, where ABAB is ABCABC.

    A layer is the cations and anions joined by the bonds along c, which stay whole. Between every second pair of
    neighbours (the first so many `boundaries`, all when absent) the upper layer slides by a third of the period along
    [1-100], the way that passes between two atoms below and not over one. All slips have one sense, so the lattice
    vector along c is sheared with them; the (11-20) sheet of wurtzite ends as the (110) sheet of zinc blende.

    Lattice vector `axis` is c and `along` [1-100], as `build_nanosheet` makes the sheet; the result has its atoms in
    their order, without constraints.
    """
    if not 0 <= fraction <= 1:
        raise InputError("fraction", expected="0 to 1", got=fraction)
    layers, slip = _stack(atoms, axis, along)
    n_layers = int(layers.max()) + 1
    many = n_layers // 2 if boundaries is None else boundaries
    if not 1 <= many <= n_layers // 2:
        raise InputError("boundaries", expected=f"1 to {n_layers // 2}", got=many, advice="repeat the sheet along c")
    # what lies below the first layer by the borders of the cell belongs to the layers above
    shift = np.floor(atoms.get_scaled_positions(wrap=False)[:, axis] - layers / n_layers + 0.5)
    slid = _told(atoms, "slip", fraction=fraction, boundaries=many, axis=axis, along=along)
    slid.positions += np.outer(np.minimum(layers // 2, many) + shift * many, fraction * slip)
    slid.cell[axis] += many * fraction * slip
    return slid


def slide_one_layer(atoms: Atoms, share: float = 1.0, *, axis: int = 0, along: int = 1) -> Atoms:
    """Slide one (0001) layer in a stack of four or more from A to C: ABAB becomes ABCB, half of it cubic.

    Both of its boundaries slip against one another, so the cell keeps its shape and a band can join start and end.
    Of the sheet's planes a share slides, from the top, or below zero from the bottom: a slip that begins at one face.
    """
    layers, slip = _stack(atoms, axis, along)
    if layers.max() < 3:
        got = f"{int(layers.max()) + 1} layers"
        raise InputError("atoms", expected="four layers along c or more", got=got, advice="repeat the sheet along c")
    from_bottom = plane_numbers(atoms.positions[:, 3 - axis - along])
    n_planes = int(from_bottom.max()) + 1
    n_slid = round(abs(share) * n_planes)
    chosen = from_bottom >= n_planes - n_slid if share > 0 else from_bottom < n_slid
    slid = _told(atoms, "slip of one layer", share=share, axis=axis, along=along)
    slid.positions[(layers == 2) & chosen] += slip
    return slid


def _told(atoms: Atoms, function: str, **parameters: object) -> Atoms:
    slid = atoms.copy()
    slid.set_constraint()
    slid.info = {"recipe": make_recipe(function, source=atoms.info.get("recipe"), **parameters)}
    return slid


def _stack(atoms: Atoms, axis: int, along: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Number of the layer of each atom, and the way from an A place to the C place [Å]; InputError if not ABAB."""
    layers = _layers(atoms, axis)
    if layers.max() % 2 == 0:
        raise InputError("atoms", expected="an even number of layers along c", got=int(layers.max()) + 1)
    return layers, -_step_to_next_layer(atoms, layers, axis, along)


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
    lengths = (ways @ c)[pairs]
    alone = ~is_cation & ~np.isin(np.arange(len(atoms)), second[pairs])
    if not len(lengths) or alone.sum() > (~is_cation).sum() / 2:
        got = f"{int(alone.sum())} of {int((~is_cation).sum())} anions without a bond parallel to c"
        raise InputError("atoms", expected="wurtzite with c along the sheet", got=got)
    # a layer has the height of its cations
    heights[second[pairs]] = heights[first[pairs]]
    heights[alone] -= np.median(lengths)
    phases = heights / period * 2 * np.pi
    n_layers = _count(phases, round(period / 2.5))
    return np.asarray(np.round((phases - phases[0]) / (2 * np.pi) * n_layers).astype(int) % n_layers)


def _count(phases: NDArray[np.float64], most: int) -> int:
    """Number of equal steps along c at which the atoms lie: the strongest period."""
    strength = [abs(np.exp(1j * n * phases).mean()) for n in range(1, most + 1)]
    return int(np.argmax(strength)) + 1


def _step_to_next_layer(atoms: Atoms, layers: NDArray[np.int64], axis: int, along: int) -> NDArray[np.float64]:
    """From a place of the first layer to the nearest one of the second, along a lattice vector [Å], shape (3,)."""
    fractions = atoms.get_scaled_positions()
    heights = fractions[:, 3 - along - axis]
    steps = set()
    for number in np.unique(atoms.numbers):
        one, two = (np.flatnonzero((layers == layer) & (atoms.numbers == number)) for layer in (0, 1))
        for i in one:
            beside = one[np.abs(heights[one] - heights[i]) < np.ptp(heights) / 20]
            near = two[np.abs(heights[two] - heights[i]) < np.ptp(heights) / 20]
            thirds = 3 * len(beside)  # of one cell, in the lattice vector
            steps |= {(round(float(fractions[j, along] - fractions[i, along]) * thirds) % 3, thirds) for j in near}
    if len(steps) != 1 or 0 in {third for third, _ in steps}:
        got = f"steps of {sorted({third for third, _ in steps})} thirds between the first two layers"
        raise InputError("atoms", expected="layers stacked ABAB", got=got)
    ((third, thirds),) = steps
    return np.asarray((1 if third == 1 else -1) * atoms.cell[along] / thirds)
