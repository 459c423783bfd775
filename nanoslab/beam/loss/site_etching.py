"""What a dose leaves of a structure when only atoms with a free way out leave: kinetic Monte Carlo, event by event.

Notes
-----
Every atom is hit with its own cross-section σ_i, from the threshold of its site with the neighbours it has left. The
clock is the dose (`nanoslab.beam.loss.etching`). A hit atom draws its recoil from the distribution that belongs to its
cross-section and an azimuth, and its way is followed (`nanoslab.beam.loss.paths`):

    exit face       free, and so is the way straight along the beam
    sideways        free, while the way along the beam is not: past an edge, or aslant through a gap
    replacement     stopped by an atom to which it can hand that atom's own threshold in a head-on collision
    interstitial    stopped by any other

The first two leave; their neighbours are evaluated again, and atoms without any neighbour are freed. The last two stay
in the crystal. They are counted and put back on their site, as if every vacancy found its atom again: the composition
that comes out is therefore that of an undamaged crystal that loses atoms, and the numbers counted say how far from
that it is. Their threshold is that of leaving, below the threshold of a lasting pair in the bulk, so they are counted
at most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nanoslab.beam.binding import neighbour_lists
from nanoslab.beam.closed_form import Escape
from nanoslab.beam.cross_section import named_exit
from nanoslab.beam.dose import A2_PER_BARN
from nanoslab.beam.loss.etching import Etching, counted_doses
from nanoslab.beam.loss.paths import Surroundings, beam_frame
from nanoslab.beam.loss.recoils import Recoils, recoils
from nanoslab.beam.loss.sites import SiteThresholds, layers_along
from nanoslab.beam.totals import Target, total_cross_section
from nanoslab.beam.vibration import natural_target
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

LEFT = ("exit face", "sideways", "freed")
INSIDE = ("interstitial", "replacement")
OUTCOMES = (*LEFT, *INSIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteEtching(Etching):
    """Atoms left against dose, where the others went, and from which layer.

    Attributes
    ----------
    outcomes
        For each element and each of `OUTCOMES` the events up to a dose, shape (n_runs, n_doses). An atom may be
        knocked inside more than once.
    layer_counts
        For each element the atoms left in a layer, shape (n_layers, n_runs, n_doses); layer 1 is the exit face.
    cross_sections_barn
        Of every atom at the start, for being knocked off its site [barn].
    """

    outcomes: Mapping[str, Mapping[str, NDArray[np.int_]]]
    layer_counts: Mapping[str, NDArray[np.int_]]
    cross_sections_barn: Array

    def layer_ratio(self, numerator: str, denominator: str) -> tuple[Array, Array]:
        """Mean and standard deviation over the runs of a composition by layer, shape (n_layers, n_doses).

        NaN where a layer has no atom of the denominator.
        """
        top, bottom = self.layer_counts[numerator].astype(float), self.layer_counts[denominator].astype(float)
        ratios = np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0)
        spread = ratios.std(axis=1, ddof=1) if ratios.shape[1] > 1 else np.zeros(ratios.shape[::2])
        return ratios.mean(axis=1), spread

    def to_dict(self) -> dict[str, Any]:
        """Plain lists for JSON."""
        return {
            **Etching.to_dict(self),
            "outcomes": {e: {name: n.tolist() for name, n in by.items()} for e, by in self.outcomes.items()},
            "layer_counts": {element: counts.tolist() for element, counts in self.layer_counts.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Irradiation:
    """What a structure is exposed to.

    Attributes
    ----------
    beam_energy_keV
        [keV].
    doses_e_per_A2
        Where atoms are counted, increasing [e/Å²].
    escape
        ``spherical`` (the energy decides) or ``planar`` (the momentum along the beam).
    targets
        For each element how it scatters and moves; by default Mott with the natural isotopes at 300 K.
    beam_direction
        Cartesian flight of the electrons, any length; by default down the z axis.
    """

    beam_energy_keV: float
    doses_e_per_A2: ArrayLike
    escape: Escape = "spherical"
    targets: Mapping[str, Target] | None = None
    beam_direction: Sequence[float] = (0.0, 0.0, -1.0)


def etch_sites(
    atoms: Atoms,
    thresholds: SiteThresholds,
    irradiation: Irradiation,
    *,
    relax: Callable[[Atoms], Atoms] | None = None,
    n_runs: int = 20,
    seed: int = 0,
) -> SiteEtching:
    """Etch a structure whose atoms leave where their way is free.

    Parameters
    ----------
    atoms
        The structure; not changed.
    thresholds
        From `site_thresholds` or `bond_counting_thresholds`.
    irradiation
        The beam, and the doses at which atoms are counted.
    relax
        Called after every loss with what is left; returns the same atoms at rest. Neighbours and ways out, and with
        them the thresholds, are evaluated anew from there. None leaves the atoms where they are.
    n_runs, seed
        Independent runs, and the seed that makes them reproducible.

    Examples
    --------
    >>> from ase import Atoms
    >>> from nanoslab.beam.loss.sites import SiteEnergy, site_thresholds
    >>> column = Atoms("CdSe", positions=[[0, 0, 0], [0, 0, 2.6]])  # the electrons fly down: Cd covers Se
    >>> energies = [SiteEnergy(element="Cd", energy=8.0), SiteEnergy(element="Se", energy=6.5)]
    >>> beam = Irradiation(beam_energy_keV=200, doses_e_per_A2=[1e8])
    >>> etching = etch_sites(column, site_thresholds(column, energies), beam, n_runs=1)
    >>> int(etching.counts["Se"][0, 0]), int(etching.outcomes["Se"]["interstitial"][0, 0])
    (1, 19)
    """
    grid = counted_doses(irradiation.doses_e_per_A2, n_runs)
    if thresholds.by_neighbours.shape[0] != len(atoms):
        raise InputError("thresholds", expected=f"those of {len(atoms)} atoms", got=thresholds.by_neighbours.shape[0])
    model = _Model(atoms, thresholds, irradiation, relax)
    runs = [
        model.run(np.random.default_rng(sequence), float(grid[-1]))
        for sequence in np.random.SeedSequence(seed).spawn(n_runs)
    ]
    return _result(atoms, runs, grid, layers_along(atoms, irradiation.beam_direction), model.barns_at_start)


class _Around:
    """Neighbours and ways of the atoms that are left, by their index in the whole structure."""

    def __init__(self, left: Atoms, kept: NDArray[np.intp], n_atoms: int, energies: Mapping[str, float]) -> None:
        self.near: list[NDArray[np.intp]] = [kept[:0]] * n_atoms
        for atom, near in zip(kept.tolist(), neighbour_lists(left), strict=True):
            self.near[atom] = kept[near]
        self._kept, self._surroundings = kept, Surroundings(left, energies)

    def first_in_the_way(self, atom: int, direction: Array, alive: NDArray[np.bool_]) -> int | None:
        """See `nanoslab.beam.loss.paths.Surroundings`."""
        at = int(np.searchsorted(self._kept, atom))
        struck = self._surroundings.first_in_the_way(at, direction, alive[self._kept])
        return None if struck is None else int(self._kept[struck])


class _Model:
    """Rates, recoils and ways of one structure under one beam."""

    def __init__(
        self,
        atoms: Atoms,
        thresholds: SiteThresholds,
        irradiation: Irradiation,
        relax: Callable[[Atoms], Atoms] | None,
    ) -> None:
        self.atoms, self.relax = atoms, relax
        self.frame, self.thresholds = beam_frame(irradiation.beam_direction), thresholds.by_neighbours
        self.masses = atoms.get_masses()
        symbols = np.array(atoms.get_chemical_symbols())
        self.barns = np.full(self.thresholds.shape, np.inf)
        self.recoils: dict[tuple[str, float], Recoils] = {}
        self.symbols, self.escape, self.kilovolts = symbols, irradiation.escape, irradiation.beam_energy_keV
        given = irradiation.targets or {}
        self.targets = {
            symbol: given.get(symbol) or natural_target(symbol, 300.0) for symbol in dict.fromkeys(symbols.tolist())
        }
        for symbol, target in self.targets.items():
            here = symbols == symbol
            distinct, back = np.unique(self.thresholds[here, 1:], return_inverse=True)
            totals = np.asarray(total_cross_section(target, self.kilovolts, distinct, named_exit(self.escape)))
            self.barns[here, 1:] = totals[back.reshape(here.sum(), -1)]
        at_start = np.array([self.thresholds[i, len(near)] for i, near in enumerate(neighbour_lists(atoms))])
        self.typical = {symbol: float(at_start[symbols == symbol].max()) or 1.0 for symbol in self.targets}
        self.at_start = _Around(atoms, np.arange(len(atoms)), len(atoms), self.typical)

    @property
    def barns_at_start(self) -> Array:
        """Cross-sections of the atoms with all their neighbours."""
        return np.array([self.barns[i, len(near)] for i, near in enumerate(self.at_start.near)])

    def run(self, random: np.random.Generator, last_dose: float) -> tuple[list[int], list[float], list[str]]:
        """Atoms that were hit, the doses at which they were, and what became of them."""
        alive, around = np.ones(len(self.atoms), dtype=bool), self.at_start
        rates, now = self.barns_at_start, self.atoms
        hit: tuple[list[int], list[float], list[str]] = ([], [], [])
        dose = 0.0
        while True:
            freed = np.flatnonzero(np.isinf(rates))
            if freed.size:
                atom, outcome = int(freed[0]), "freed"
            else:
                steps = np.cumsum(rates)
                if not steps.size or steps[-1] <= 0:
                    break
                dose += random.exponential() / (steps[-1] * A2_PER_BARN)
                if dose > last_dose:
                    break
                atom = int(np.searchsorted(steps, random.random() * steps[-1], side="right"))
                outcome = self._outcome(atom, alive, around, random)
            hit[0].append(atom)
            hit[1].append(dose)
            hit[2].append(outcome)
            if outcome in LEFT:
                affected = set(around.near[atom].tolist())
                alive[atom], rates[atom] = False, 0.0
                if self.relax is not None and alive.any():
                    now = self._relaxed(now, atom, alive)
                    around = _Around(now, np.flatnonzero(alive), len(self.atoms), self.typical)
                    affected = set(np.flatnonzero(alive).tolist())
                for other in affected:
                    if alive[other]:
                        rates[other] = self.barns[other, self._left(other, alive, around)]
        return hit

    def _left(self, atom: int, alive: NDArray[np.bool_], around: _Around) -> int:
        """Neighbours that an atom has left, at most as many as there are thresholds for."""
        return min(int(alive[around.near[atom]].sum()), int(self.thresholds.shape[1]) - 1)

    def _relaxed(self, before: Atoms, lost: int, alive: NDArray[np.bool_]) -> Atoms:
        """What is left after one more loss, at rest."""
        left = before.copy()
        del left[int(alive[:lost].sum())]
        relaxed = self.relax(left) if self.relax else left
        if not np.array_equal(relaxed.numbers, left.numbers):
            raise InputError(
                "relaxation between losses",
                expected=f"{left.get_chemical_formula()} in the same order",
                got=relaxed.get_chemical_formula(),
            )
        return relaxed

    def _outcome(self, atom: int, alive: NDArray[np.bool_], around: _Around, random: np.random.Generator) -> str:
        threshold = float(self.thresholds[atom, self._left(atom, alive, around)])
        key = str(self.symbols[atom]), threshold
        if key not in self.recoils:
            self.recoils[key] = recoils(self.targets[key[0]], self.kilovolts, threshold, escape=self.escape)
        cosine, energy = self.recoils[key].draw(random)
        phi, sine = 2 * np.pi * random.random(), (1 - cosine**2) ** 0.5
        direction = np.array([sine * np.cos(phi), sine * np.sin(phi), cosine]) @ self.frame
        struck = around.first_in_the_way(atom, direction, alive)
        if struck is None:
            straight = around.first_in_the_way(atom, self.frame[2], alive)
            return "exit face" if straight is None else "sideways"
        mine, other = self.masses[atom], self.masses[struck]
        handed = energy * 4 * mine * other / (mine + other) ** 2
        needed = self.thresholds[struck, self._left(struck, alive, around)]
        return "replacement" if handed >= needed else "interstitial"


def _result(
    atoms: Atoms,
    runs: Sequence[tuple[list[int], list[float], list[str]]],
    grid: Array,
    layers: NDArray[np.int_],
    barns: Array,
) -> SiteEtching:
    symbols = np.array(atoms.get_chemical_symbols())
    elements = list(dict.fromkeys(symbols.tolist()))
    shape = (len(runs), len(grid))
    outcomes = {element: {name: np.zeros(shape, dtype=int) for name in OUTCOMES} for element in elements}
    per_layer = {element: np.zeros((int(layers.max()), *shape), dtype=int) for element in elements}
    for run, (hit, at, became) in enumerate(runs):
        hit_atoms, doses, names = np.array(hit, dtype=int), np.array(at), np.array(became, dtype=str)
        gone = np.isin(names, LEFT)
        for element in elements:
            own = symbols[hit_atoms] == element if hit else np.zeros(0, dtype=bool)
            for name, rows in outcomes[element].items():
                rows[run] = np.searchsorted(doses[own & (names == name)], grid, side="right")
            for layer in range(per_layer[element].shape[0]):
                n_there = np.count_nonzero((symbols == element) & (layers == layer + 1))
                lost = doses[own & gone & (layers[hit_atoms] == layer + 1)] if hit else np.zeros(0)
                per_layer[element][layer, run] = n_there - np.searchsorted(lost, grid, side="right")
    first = [atom for atom, name in zip(runs[0][0], runs[0][2], strict=True) if name in LEFT]
    return SiteEtching(
        doses_e_per_A2=grid,
        counts={element: rows.sum(axis=0) for element, rows in per_layer.items()},
        last_removed=tuple(first),
        outcomes=outcomes,
        layer_counts=per_layer,
        cross_sections_barn=barns,
    )
