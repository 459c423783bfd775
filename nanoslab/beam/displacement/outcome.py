"""What became of the atoms after a kick, from distances, energies and forces: left, hopped, replaced, returned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase.geometry import wrap_positions
from ase.neighborlist import neighbor_list
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from nanoslab.errors import InputError

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Indices = NDArray[np.intp]

#: what can become of a kicked atom; the first three leave a vacancy or a foreign atom behind
OUTCOMES = ("left", "hopped", "replaced", "returned", "undecided")

#: places are compared so often [fs]
EVERY_FS = 5.0

#: after so many returns of everything to its place an atom will not leave any more
RETURNS = 2

#: a fragment has left when the energy of its way out beats the force that pulls it back over this way [Å]
PULL_A = 2.0


class Places:
    """Where every atom belongs: its position at rest (array ``places`` of the atoms, or else their positions).

    An atom is at a place when it is nearer to it than half the distance of that place's nearest neighbour.
    """

    def __init__(self, atoms: Atoms) -> None:
        if len(atoms) < 2:
            raise InputError("structure", expected="two atoms or more", got=len(atoms))
        self.sites = np.array(atoms.get_array("places") if atoms.has("places") else atoms.positions)
        self._cell, self._pbc = atoms.cell.array.copy(), atoms.pbc.copy()
        shifts = np.stack(np.meshgrid(*[(-1, 0, 1) if periodic else (0,) for periodic in self._pbc]), -1).reshape(-1, 3)
        wrapped = self._wrapped(self.sites)
        images = (wrapped[None] + (shifts @ self._cell)[:, None]).reshape(-1, 3)
        self._tree, self._owner = cKDTree(images), np.tile(np.arange(len(atoms)), len(shifts))
        self.radii = self._tree.query(wrapped, k=2)[0][:, 1] / 2

    def of(self, positions: Array) -> Indices:
        """Place at which each atom is, -1 between places, shape (n_atoms,)."""
        distances, nearest = self._tree.query(self._wrapped(positions))
        owners = self._owner[nearest]
        return np.where(distances < self.radii[owners], owners, -1)

    def _wrapped(self, positions: Array) -> Array:
        return np.asarray(wrap_positions(positions, self._cell, self._pbc)) if self._pbc.any() else positions


class Fate:
    """Watches a flight until its outcome is clear."""

    def __init__(self, places: Places, index: int, free_A: float, settled_fs: float) -> None:
        self.outcome: str | None = None
        self.gone: int | None = None
        self._places, self._index, self._free, self._settled = places, index, free_A, settled_fs
        self._others = np.delete(np.arange(len(places.sites)), index)
        self._key: bytes = b""
        self._since = self._looked = 0.0
        self._away, self._returns = False, 0
        self._there = places.sites

    def update(self, atoms: Atoms, forces: Array, time: float) -> tuple[float, float]:
        """Look at the atoms after a step; shortest distance of any two, and the kicked atom's from its place [Å]."""
        first, second, distances = neighbor_list("ijd", atoms, self._free)
        positions = atoms.positions - np.mean(atoms.positions[self._others] - self._places.sites[self._others], axis=0)
        away = float(np.linalg.norm(positions[self._index] - self._places.sites[self._index]))
        self._look_for_gone(atoms, forces, first, second)
        if self.outcome is None and time - self._looked >= EVERY_FS:
            self._looked = time
            self._look_at_places(positions, time, np.unique(first))
        return float(distances.min(initial=np.inf)), away

    def _look_for_gone(self, atoms: Atoms, forces: Array, first: Indices, second: Indices) -> None:
        """A fragment beyond `free_A` of all others is gone when nothing pulls it back in time."""
        graph = coo_array((np.ones(len(first)), (first, second)), shape=(len(atoms), len(atoms)))
        n_parts, part = connected_components(graph, directed=False)
        if n_parts == 1:
            return
        main = int(np.argmax(np.bincount(part)))
        masses = atoms.get_masses()
        for number in (number for number in range(n_parts) if number != main):
            inside = np.flatnonzero(part == number)
            mass, pull = masses[inside].sum(), forces[inside].sum(axis=0)
            velocity = (masses[inside, None] * atoms.get_velocities()[inside]).sum(axis=0) / mass
            strength = float(np.linalg.norm(pull))
            outward = -float(velocity @ pull) / strength if strength > 1e-6 else float(np.linalg.norm(velocity))
            if outward > 0 and mass * outward**2 / 2 > strength * PULL_A:
                self.outcome = "left"
                self.gone = self._index if self._index in inside else int(inside[0])
                return

    def _look_at_places(self, positions: Array, time: float, bound: Indices) -> None:
        """All atoms at the same places, or the strays hardly moving, for long enough: the flight is over."""
        at = self._places.of(positions)
        home = bool(np.all(at == np.arange(len(at))))
        self._returns += home and self._away
        self._away = not home
        if self._returns >= RETURNS:
            self.outcome = "returned"
            return
        strays = np.flatnonzero(at < 0)
        moved = np.linalg.norm(positions[strays] - self._there[strays], axis=1)
        calm = np.all(moved < self._places.radii[strays]) and np.isin(strays, bound).all()
        if at.tobytes() != self._key or not calm:
            self._key, self._since, self._there = at.tobytes(), time, positions.copy()
            return
        # an atom between places may hang at a turning point: it is watched three times as long
        if time - self._since >= self._settled * (3 if strays.size else 1):
            self.outcome = self._named(at)

    def _named(self, at: Indices) -> str:
        if np.array_equal(at, np.arange(len(at))):
            return "returned"
        return "replaced" if at[self._index] not in (-1, self._index) else "hopped"
