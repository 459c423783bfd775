"""Kinetic Monte Carlo of a crystal that loses atoms to the beam, exact and event by event.

Notes
-----
Atoms leave independently, each with its own cross-section σ_i, so with the dose D as the clock the next loss comes
after an exponentially distributed dose of mean 1/Σσ_i and takes atom i with probability σ_i/Σσ_j (Gillespie,
J. Comput. Phys. 22 (1976) 403). No step is chosen; nothing is approximated. Where cross-sections depend on the
neighbours that are left, they are updated after every event, which the exponential law allows since it has
no memory. Atoms left without any neighbour are lost with the event that freed them.

Here every atom that is hit leaves: give 0 barn to those that cannot, or take `nanoslab.beam.etch_sites`, which
follows the way of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nanoslab.beam.binding import energies_per_bond, full_neighbours, neighbour_lists
from nanoslab.beam.checks import require_not_negative, require_positive
from nanoslab.beam.closed_form import Escape
from nanoslab.beam.cross_section import named_exit
from nanoslab.beam.dose import A2_PER_BARN
from nanoslab.beam.totals import Target, total_cross_section
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Update = Callable[[NDArray[np.bool_], int, Array], Array]


@dataclass(frozen=True, slots=True, kw_only=True)
class Etching:
    """Atoms left against dose, over several runs.

    Attributes
    ----------
    doses_e_per_A2
        Shape (n_doses,) [e/Å²].
    counts
        For each element the atoms left, shape (n_runs, n_doses).
    last_removed
        Indices of the atoms that the first run has lost at the last dose, in the order of loss.
    """

    doses_e_per_A2: Array
    counts: Mapping[str, NDArray[np.int_]]
    last_removed: tuple[int, ...]

    def mean_counts(self, symbol: str) -> Array:
        """Atoms left, averaged over the runs."""
        return np.asarray(self.counts[symbol].mean(axis=0))

    def ratio(self, numerator: str, denominator: str) -> tuple[Array, Array]:
        """Mean and standard deviation over the runs of a composition such as Se : Cd.

        NaN once a run has no atom of the denominator left.
        """
        top, bottom = self.counts[numerator].astype(float), self.counts[denominator].astype(float)
        ratios = np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0)
        spread = ratios.std(axis=0, ddof=1) if len(ratios) > 1 else np.zeros(ratios.shape[1])
        return ratios.mean(axis=0), spread

    def dose_at_ratio(self, numerator: str, denominator: str, value: float) -> float | None:
        """Dose at which the mean ratio first falls or rises to a value [e/Å²], between two counts on a straight line.

        None when it does not get there.
        """
        mean, _ = self.ratio(numerator, denominator)
        beyond = mean <= value if mean[0] > value else mean >= value
        if not beyond.any():
            return None
        at = int(np.argmax(beyond))
        if at == 0:
            return float(self.doses_e_per_A2[0])
        fraction = (mean[at - 1] - value) / (mean[at - 1] - mean[at])
        return float(self.doses_e_per_A2[at - 1] + fraction * (self.doses_e_per_A2[at] - self.doses_e_per_A2[at - 1]))

    def to_dict(self) -> dict[str, Any]:
        """Plain lists for JSON."""
        return {
            "doses_e_per_A2": self.doses_e_per_A2.tolist(),
            "counts": {symbol: values.tolist() for symbol, values in self.counts.items()},
        }


def etch(
    atoms: Atoms, cross_sections_barn: ArrayLike, doses_e_per_A2: ArrayLike, *, n_runs: int = 20, seed: int = 0
) -> Etching:
    """Etch a structure whose atoms each keep their own cross-section.

    Parameters
    ----------
    atoms
        The structure; not changed.
    cross_sections_barn
        Of every atom, shape (n_atoms,) [barn], such as from `site_cross_sections`.
    doses_e_per_A2
        Where atoms are counted, increasing [e/Å²]. A time is a dose over the dose rate.
    n_runs, seed
        Independent runs, and the seed that makes them reproducible.

    Examples
    --------
    >>> from ase import Atoms
    >>> etching = etch(Atoms("Se1000"), np.full(1000, 100.0), [0, 1e6], n_runs=10)
    >>> etching.mean_counts("Se")  # exp(-1) of them are left, 368
    array([1000. ,  364.9])
    """
    initial = np.array(cross_sections_barn, dtype=float)
    if initial.shape != (len(atoms),):
        raise InputError("cross-sections", expected=f"one for each of {len(atoms)} atoms", got=initial.shape)
    require_not_negative("cross-sections", initial, "barn")
    return _etch(atoms, initial, lambda _alive, _lost, rates: rates, doses_e_per_A2, n_runs=n_runs, seed=seed)


def etch_by_coordination(
    atoms: Atoms,
    cross_sections_barn: Mapping[str, Sequence[float]],
    doses_e_per_A2: ArrayLike,
    *,
    n_runs: int = 20,
    seed: int = 0,
) -> Etching:
    """Etch a structure whose atoms leave the easier the fewer neighbours they have left.

    Parameters
    ----------
    cross_sections_barn
        For each element the cross-section with 0, 1, 2, ... neighbours [barn], such as from
        `coordination_cross_sections`; more neighbours than listed count as the last. Those with 0 are not used:
        an atom without neighbours is gone.

    Other parameters are those of `etch`.
    """
    near = neighbour_lists(atoms)
    symbols = atoms.get_chemical_symbols()
    tables = [_table(symbol, cross_sections_barn) for symbol in symbols]

    def rate(atom: int, alive: NDArray[np.bool_]) -> float:
        left = int(alive[near[atom]].sum())
        return float(tables[atom][min(left, len(tables[atom]) - 1)]) if left else np.inf

    def update(alive: NDArray[np.bool_], lost: int, rates: Array) -> Array:
        for atom in set(near[lost].tolist()):
            if alive[atom]:
                rates[atom] = rate(atom, alive)
        return rates

    everyone = np.ones(len(atoms), dtype=bool)
    initial = np.array([rate(atom, everyone) for atom in range(len(atoms))])
    return _etch(atoms, initial, update, doses_e_per_A2, n_runs=n_runs, seed=seed)


def site_cross_sections(
    atoms: Atoms,
    threshold_energies: ArrayLike,
    beam_energy_keV: float,
    *,
    escape: Escape = "spherical",
    targets: Mapping[str, Target] | None = None,
) -> Array:
    """Cross-section of every atom from its own threshold [barn].

    Parameters
    ----------
    threshold_energies
        Of every atom [eV], shape (n_atoms,): from a study, or `surface_binding_energies`. Infinite keeps the atom.
    targets
        For each element how it scatters and moves; by default Mott with the natural isotopes at rest.

    Examples
    --------
    >>> from ase import Atoms
    >>> site_cross_sections(Atoms("CdSe"), [5.0, 5.12], 200).round(1)
    array([  0., 134.])
    """
    thresholds = np.array(threshold_energies, dtype=float)
    if thresholds.shape != (len(atoms),):
        raise InputError("threshold energies", expected=f"one for each of {len(atoms)} atoms", got=thresholds.shape)
    symbols = np.array(atoms.get_chemical_symbols())
    barns = np.zeros(len(atoms))
    for symbol in dict.fromkeys(symbols.tolist()):
        target = (targets or {}).get(symbol, Target(element=symbol, masses="isotopes"))
        here = (symbols == symbol) & np.isfinite(thresholds)
        if here.any():
            distinct, back = np.unique(thresholds[here], return_inverse=True)
            barns[here] = total_cross_section(target, beam_energy_keV, distinct, named_exit(escape))[back]
    return barns


def coordination_cross_sections(
    atoms: Atoms,
    cohesive_energies: Mapping[str, float],
    beam_energy_keV: float,
    *,
    full_coordination: Mapping[str, int] | None = None,
    escape: Escape = "spherical",
    targets: Mapping[str, Target] | None = None,
) -> dict[str, tuple[float, ...]]:
    """Cross-sections by number of neighbours, with the energy to leave 2 E_coh z/Z [barn].

    The parameters are those of `nanoslab.beam.surface_binding_energies` and `site_cross_sections`. The first
    entry, for no neighbours, is infinite.
    """
    symbols = np.array(atoms.get_chemical_symbols())
    counts = np.array([len(near) for near in neighbour_lists(atoms)])
    tables = {}
    full = full_neighbours(symbols, counts, full_coordination)
    for symbol, energy in energies_per_bond(full, cohesive_energies).items():
        most = max(full[symbol], int(counts[symbols == symbol].max()))
        thresholds = energy * np.arange(1, most + 1)
        target = (targets or {}).get(symbol, Target(element=symbol, masses="isotopes"))
        barns = total_cross_section(target, beam_energy_keV, thresholds, named_exit(escape))
        tables[symbol] = (np.inf, *barns.tolist())
    return tables


def _etch(atoms: Atoms, initial: Array, update: Update, doses: ArrayLike, *, n_runs: int, seed: int) -> Etching:
    grid = counted_doses(doses, n_runs)
    symbols = np.array(atoms.get_chemical_symbols())
    counts = {symbol: np.empty((n_runs, len(grid)), dtype=int) for symbol in dict.fromkeys(symbols.tolist())}
    first: tuple[int, ...] = ()
    for run, sequence in enumerate(np.random.SeedSequence(seed).spawn(n_runs)):
        order, at = _one_run(np.random.default_rng(sequence), initial.copy(), update, float(grid[-1]))
        for symbol, rows in counts.items():
            lost = np.searchsorted(at[symbols[order] == symbol], grid, side="right")
            rows[run] = np.count_nonzero(symbols == symbol) - lost
        first = first if run else tuple(order.tolist())
    return Etching(doses_e_per_A2=grid, counts=counts, last_removed=first)


def counted_doses(doses: ArrayLike, n_runs: int) -> Array:
    """Doses at which atoms are counted, checked with the number of runs, shape (n_doses,) [e/Å²]."""
    grid = np.atleast_1d(np.array(doses, dtype=float))
    require_not_negative("doses", grid, "e/Å²")
    if grid.ndim != 1 or not np.all(np.diff(grid) >= 0):
        raise InputError("doses", expected="increasing numbers", got=grid.tolist())
    require_positive("number of runs", n_runs, "")
    return grid


def _one_run(
    random: np.random.Generator, rates: Array, update: Update, last_dose: float
) -> tuple[NDArray[np.intp], Array]:
    """Atoms in the order in which they leave, and the doses at which they do."""
    alive = np.ones(len(rates), dtype=bool)
    order: list[int] = []
    at: list[float] = []
    dose = 0.0
    while True:
        freed = np.flatnonzero(np.isinf(rates))
        if freed.size:
            lost = int(freed[0])
        else:
            steps = np.cumsum(rates)
            if not steps.size or steps[-1] <= 0:
                break
            dose += random.exponential() / (steps[-1] * A2_PER_BARN)
            if dose > last_dose:
                break
            lost = int(np.searchsorted(steps, random.random() * steps[-1], side="right"))
        alive[lost] = False
        rates[lost] = 0.0
        rates = update(alive, lost, rates)
        order.append(lost)
        at.append(dose)
    return np.array(order, dtype=int), np.array(at)


def _table(symbol: str, cross_sections: Mapping[str, Sequence[float]]) -> Sequence[float]:
    if symbol not in cross_sections or not len(cross_sections[symbol]):
        raise InputError("cross-sections", expected=f"a list for {symbol}", got=", ".join(cross_sections) or "none")
    return cross_sections[symbol]
