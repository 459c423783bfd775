"""Where an atom goes that is knocked: out, along an edge, or into an atom in its way.

Notes
-----
An atom that flies off in a direction d is stopped by the first atom whose centre lies ahead and closer to its path
than the two can come at the energy of the threshold (`nanoslab.beam.loss.repulsion.closest_approach`, 2 Å for Cd and
Se at 6 eV). A path that is clear for `LENGTH` is a way out. Deflection, and openings that widen while the atom
passes, are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nanoslab.beam.checks import unit_vector
from nanoslab.beam.loss.repulsion import closest_approach

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: how far ahead an atom can be in the way [Å]; a clear path this long has left any solid
LENGTH = 8.0

#: an empty stretch of the cell longer than this is vacuum, across which nothing is in the way [Å]
VACUUM = 5.0


class Surroundings:
    """What lies around every atom of a structure, for following paths while atoms disappear.

    Parameters
    ----------
    atoms
        The structure; not changed. Periodic unless a cell edge crosses vacuum.
    energies
        For each element the energy with which its atoms fly off [eV]; sets how close they pass others.
    """

    def __init__(self, atoms: Atoms, energies: Mapping[str, float]) -> None:
        from ase.neighborlist import neighbor_list

        first, second, vectors = neighbor_list("ijD", open_across_vacuum(atoms), LENGTH)
        symbols = np.array(atoms.get_chemical_symbols())
        radii = np.empty(len(first))
        for moving in dict.fromkeys(symbols.tolist()):
            for standing in dict.fromkeys(symbols.tolist()):
                pair = (symbols[first] == moving) & (symbols[second] == standing)
                radii[pair] = closest_approach(moving, standing, energies[moving])
        starts = np.searchsorted(first, np.arange(len(atoms) + 1))
        self._spans = list(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True))
        self._others, self._vectors, self._radii = second, vectors, radii

    def first_in_the_way(self, atom: int, direction: Array, alive: NDArray[np.bool_]) -> int | None:
        """Index of the atom that stops `atom` on its way; None when the way is free.

        Parameters
        ----------
        direction
            Unit vector, shape (3,).
        alive
            Which atoms are still there, shape (n_atoms,).
        """
        low, high = self._spans[atom]
        vectors = self._vectors[low:high]
        ahead = vectors @ direction
        aside = np.einsum("ij,ij->i", vectors, vectors) - ahead**2
        stops = (ahead > 0) & (aside < self._radii[low:high] ** 2) & alive[self._others[low:high]]
        if not stops.any():
            return None
        return int(self._others[low:high][np.argmin(np.where(stops, ahead, np.inf))])


def open_across_vacuum(atoms: Atoms) -> Atoms:
    """The structure, not periodic along cell edges that cross vacuum, cut in the vacuum. A copy."""
    opened = atoms.copy()
    if not opened.pbc.any():
        return opened
    heights = 1 / np.linalg.norm(np.linalg.pinv(opened.cell[:]), axis=0)
    for axis in np.flatnonzero(opened.pbc):
        position = np.sort(opened.get_scaled_positions()[:, axis])
        gaps = np.diff(np.append(position, position[0] + 1))
        widest = int(np.argmax(gaps))
        if gaps[widest] * heights[axis] <= VACUUM:
            continue
        middle = (position[widest] + gaps[widest] / 2) % 1.0
        scaled = opened.get_scaled_positions()
        scaled[:, axis] = (scaled[:, axis] - middle) % 1.0
        opened.set_scaled_positions(scaled)
        periodic = opened.pbc
        periodic[axis] = False
        opened.pbc = periodic
    return opened


def beam_frame(direction: Sequence[float]) -> Array:
    """Three orthonormal rows, the last along the beam, shape (3, 3).

    Examples
    --------
    >>> beam_frame((0, 0, -2))[2].tolist()
    [0.0, 0.0, -1.0]
    """
    beam = unit_vector("beam direction", direction)
    helper = np.eye(3)[int(np.argmin(np.abs(beam)))]
    across = np.cross(beam, helper)
    across /= np.linalg.norm(across)
    return np.array([across, np.cross(beam, across), beam]) + 0.0
