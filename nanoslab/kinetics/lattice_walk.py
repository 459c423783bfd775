"""Cation exchange atom by atom: kinetic Monte Carlo of two species on the sites of a structure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from ase.units import kB
from numpy.typing import NDArray

from nanoslab.errors import InputError, unknown_name

Array = NDArray[np.float64]
#: sites within this factor of the shortest distance are neighbours
NEIGHBOUR_FACTOR = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRates:
    """Energies that decide how fast two neighbouring cations change places, and a surface cation with the solution."""

    barrier: float  #: of a swap between two neighbours that changes no energy [eV]
    surface_barrier: float  #: of an exchange with the solution that changes no energy [eV]
    unlike_pair: float = 0.0  #: energy of a pair of unlike neighbours [eV]: above zero they separate, below they mix
    #: Energy set free when the solution puts the second species in place of the first [eV]; counts the difference of
    #: chemical potentials
    gain: float = 0.0
    prefactor_per_s: float = 1e13  #: attempt frequency [1/s]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatticeWalk:
    """A course of the exchange."""

    times_s: Array  #: shape (n_frames,), the start first
    #: Which sites hold the second species, shape (n_frames, n_sites), sites in the order of `sites`
    is_second: NDArray[np.bool_]
    sites: NDArray[np.int64]  #: indices of the sites in the structure, shape (n_sites,)
    depths: Array  #: distance of each site from the nearest surface site [Å], shape (n_sites,)
    n_events: int  #: swaps and exchanges made

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for array in (self.times_s, self.is_second, self.sites, self.depths):
            array.flags.writeable = False

    @property
    def fractions(self) -> Array:
        """Fraction of the second species in each frame, shape (n_frames,)."""
        return np.asarray(self.is_second.mean(axis=1))


def walk_exchange(
    atoms: Atoms,
    species: Sequence[str],
    rates: ExchangeRates,
    temperature: float,
    *,
    n_events: int,
    seed: int = 0,
) -> LatticeWalk:
    """Exchange one cation of a structure for another by swaps of neighbours and exchange at the surface.

    Every event is chosen with its rate and advances the clock by the inverse of their sum (Bortz, Kalos and Lebowitz,
    J. Comput. Phys. 17 (1975) 10). An event that changes the energy by dE has the barrier E + dE / 2, and at least dE
    or 0, so forward and backward rates keep detailed balance.

    Parameters
    ----------
    atoms
        Structure; its atoms of the two species are the sites, all others stay. Surface sites are those with fewer
        neighbours of the lattice than the most any site has.
    species
        The species it starts with, and the one that comes in.
    rates
        Barriers and energies, for example from nudged elastic bands.
    temperature
        Of the exchange [K].
    n_events
        At most so many events.
    seed
        Of the random numbers; the same seed gives the same walk.

    Raises
    ------
    InputError
        The structure has none of the species, no neighbouring sites, or an argument lies outside its range.

    Examples
    --------
    >>> from ase.cluster import Octahedron
    >>> walk = walk_exchange(Octahedron("Pb", 5, latticeconstant=5.9), ("Pb", "Cd"),
    ...     ExchangeRates(barrier=1.0, surface_barrier=0.8, gain=0.5), 450, n_events=400)
    >>> float(walk.fractions[0]), bool(walk.fractions[-1] > 0.3)
    (0.0, True)
    """
    first, second = species
    sites = np.flatnonzero(np.isin(atoms.get_chemical_symbols(), (first, second)))
    if len(sites) < 2:
        raise unknown_name("species", f"{first}, {second}", sorted(set(atoms.get_chemical_symbols())))
    if not (np.isfinite(temperature) and temperature > 0):
        raise InputError("temperature", expected="above 0 K", got=temperature)
    if n_events < 1:
        raise InputError("n_events", expected="1 or more", got=n_events)
    lattice = atoms[sites]
    pairs = _neighbours(lattice)
    counts = np.bincount(pairs.ravel(), minlength=len(sites))
    surface = np.flatnonzero(counts < counts.max())
    state = np.array([atom.symbol == second for atom in lattice])
    system = _Events(state, pairs, surface, rates, kB * temperature)
    random = np.random.default_rng(seed)
    frames = np.unique(np.geomspace(1, n_events, min(n_events, 60)).astype(int))
    times, states, clock, made = [0.0], [state.copy()], 0.0, 0
    for made in range(1, n_events + 1):
        total = system.rates.sum()
        if total <= 0:
            made -= 1  # noqa: PLW2901 - nothing can happen any more
            break
        clock += random.exponential(1 / total)
        system.make(int(np.searchsorted(np.cumsum(system.rates), random.random() * total)))
        if made in frames:
            times.append(clock)
            states.append(system.state.copy())
    distances = lattice.get_all_distances(mic=True)[:, surface] if len(surface) else np.full((len(sites), 1), np.inf)
    return LatticeWalk(
        times_s=np.array(times),
        is_second=np.array(states),
        sites=sites.astype(np.int64),
        depths=distances.min(axis=1),
        n_events=made,
    )


class _Events:
    """Occupation of the sites, and the rate of every swap of a pair and every exchange of a surface site."""

    def __init__(
        self,
        state: NDArray[np.bool_],
        pairs: NDArray[np.int64],
        surface: NDArray[np.int64],
        energies: ExchangeRates,
        kT: float,
    ) -> None:
        self.state, self.pairs, self.surface, self.energies, self.kT = state.copy(), pairs, surface, energies, kT
        n = len(state)
        self.neighbours: list[NDArray[np.int64]] = [
            np.concatenate([pairs[pairs[:, 0] == i, 1], pairs[pairs[:, 1] == i, 0]]) for i in range(n)
        ]
        self.events_of: list[NDArray[np.int64]] = [
            np.concatenate([np.flatnonzero((pairs == i).any(axis=1)), len(pairs) + np.flatnonzero(surface == i)])
            for i in range(n)
        ]
        self.rates = np.array([self._rate(event) for event in range(len(pairs) + len(surface))])

    def make(self, event: int) -> None:
        """Make an event, and renew the rates of all that it touches."""
        touched = self.pairs[event] if event < len(self.pairs) else self.surface[[event - len(self.pairs)]]
        self.state[touched] = ~self.state[touched]
        near = np.unique(np.concatenate([touched, *(self.neighbours[i] for i in touched)]))
        for changed in np.unique(np.concatenate([self.events_of[i] for i in near])):
            self.rates[changed] = self._rate(int(changed))

    def _rate(self, event: int) -> float:
        if event < len(self.pairs):
            i, j = self.pairs[event]
            if self.state[i] == self.state[j]:
                return 0.0
            # the pair itself stays unlike
            change = self.energies.unlike_pair * (self._flipped(i) + self._flipped(j) + 2)
            barrier = self.energies.barrier
        else:
            i = self.surface[event - len(self.pairs)]
            change = self.energies.unlike_pair * self._flipped(i)
            change += self.energies.gain if self.state[i] else -self.energies.gain
            barrier = self.energies.surface_barrier
        barrier = max(barrier + change / 2, change, 0.0)
        return float(self.energies.prefactor_per_s * np.exp(-barrier / self.kT))

    def _flipped(self, site: int) -> int:
        """Unlike pairs gained when one site changes its species and its neighbours do not."""
        alike = int((self.state[self.neighbours[site]] == self.state[site]).sum())
        return 2 * alike - len(self.neighbours[site])


def _neighbours(lattice: Atoms) -> NDArray[np.int64]:
    """Pairs of neighbouring sites, shape (n_pairs, 2)."""
    distances = lattice.get_all_distances(mic=True)
    shortest = distances[distances > 0].min()
    i, j, d = neighbor_list("ijd", lattice, NEIGHBOUR_FACTOR * shortest)
    if (i == j).any():
        got, advice = "a site that is its own neighbour", "repeat the cell"
        raise InputError("atoms", expected="a cell larger than the distance of neighbours", got=got, advice=advice)
    kept = (i < j) & (d > 0)
    return np.unique(np.column_stack([i[kept], j[kept]]), axis=0).astype(np.int64)
