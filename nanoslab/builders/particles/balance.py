"""The fewest atoms to take from or put on a particle so that its charge and its bonds are what is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp
from scipy.sparse import csr_array

from nanoslab.builders.particles.sites import Sites
from nanoslab.errors import InputError

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
#: HiGHS is stopped here; no particle of 10⁵ atoms came near [s]
_TIME_LIMIT = 300.0
#: share of one edit that decides among equally few: atoms far out go first, sites far in are filled first
_TIE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """A sum over the chosen sites, such as their charge, and the range in which it must lie."""

    weights: Vector
    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the edited particle must fulfil.

    Attributes
    ----------
    totals
        Sums in their ranges.
    fewest_bonds
        Of every atom, counted within the particle, or of the atom on each site, shape (n_sites,).
    clashes
        Pairs of sites of which at most one may be taken, shape (n, 2).
    locked
        Sites that stay as they are; none when not given.
    """

    totals: Sequence[Total] = ()
    fewest_bonds: int | NDArray[np.intp] = 2
    clashes: NDArray[np.intp] = field(default_factory=lambda: np.empty((0, 2), dtype=np.intp))
    locked: Mask | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """Sites of the edited particle, what was done, and the proven least number of edits that do it."""

    chosen: Mask
    n_removed: int
    n_added: int
    fewest_possible: int

    @property
    def proven(self) -> bool:
        """Whether no other set of edits is smaller."""
        return self.n_removed + self.n_added == self.fewest_possible

    def to_dict(self) -> dict[str, int | bool]:
        """Plain numbers."""
        numbers = {"n_removed": self.n_removed, "n_added": self.n_added, "fewest_possible": self.fewest_possible}
        return {**numbers, "proven": self.proven}


def without_loose(sites: Sites, chosen: Mask, fewest_bonds: int | NDArray[np.intp]) -> Mask:
    """Largest part of the chosen sites in which every atom has its fewest bonds; all of them where there is none."""
    kept = chosen
    while (loose := kept & (sites.bonds(kept) < fewest_bonds)).any():
        kept = kept & ~loose
    return kept if kept.any() else chosen


def fewest_edits(sites: Sites, chosen: Mask, sizes: Vector, wanted: Wanted) -> Edits:
    """Fewest atoms to remove and sites to fill, by an integer programme that HiGHS solves to proven optimality.

    One binary variable for every atom that lacks a bond and for every empty site that two bonds, or one to an atom
    with too few, tie to the particle; a row says for each site that it has the fewest bonds if it is taken, one more
    for every total and every clash. Sites beyond are tried only where those allow no solution.

    Parameters
    ----------
    chosen
        Sites within the shape, shape (n_sites,).
    sizes
        How far out every site lies, in any unit, shape (n_sites,).
    """
    bonds = sites.bonds(chosen)
    few = chosen & (bonds < wanted.fewest_bonds)
    fulfilled = all(total.least <= total.weights[chosen].sum() <= total.most for total in wanted.totals)
    if fulfilled and not few.any() and not chosen[wanted.clashes].all(axis=1).any():
        return Edits(chosen=chosen, n_removed=0, n_added=0, fewest_possible=0)
    lacks_bonds = chosen & (bonds < sites.bonds(np.ones(len(chosen), dtype=bool)))
    near = ~chosen & ((bonds >= np.minimum(wanted.fewest_bonds, 2)) | ((bonds > 0) & (sites.bonds(few) > 0)))
    crossing = np.zeros(len(chosen), dtype=bool)
    crossing[wanted.clashes] = True
    wide = lacks_bonds | (sites.bonds(lacks_bonds) > 0) | (bonds > 0) | crossing
    for free in (lacks_bonds | near | crossing, wide, wide | (sites.bonds(wide) > 0)):
        solved = _solve(sites, chosen, sizes, wanted, free if wanted.locked is None else free & ~wanted.locked)
        if solved is not None and solved.chosen.any():
            return solved
    raise InputError(
        "charge",
        expected="one that surface atoms can reach, each keeping its bonds",
        got="none that the fewest bonds allow",
        advice="allow another charge, fewer bonds per atom, or change the diameter a little",
    )


def _solve(sites: Sites, chosen: Mask, sizes: Vector, wanted: Wanted, free: Mask) -> Edits | None:
    variables = np.flatnonzero(free)
    fixed = chosen & ~free
    if not len(variables):
        return None
    here = chosen[variables]
    spread = max(float(np.ptp(sizes[variables])), 1e-9)
    far = (sizes[variables] - sizes[variables].min()) / spread
    tie = _TIE * np.where(here, 1.0 - far, far) / (len(variables) + 1)
    costs = np.where(here, -1.0, 1.0) * (1.0 + tie)
    fewest = np.broadcast_to(wanted.fewest_bonds, chosen.shape)
    rows = [*bond_rows(sites, fixed, free, fewest), *_clash_rows(wanted.clashes, fixed, variables)]
    for total in wanted.totals:
        known = float(total.weights[fixed].sum())
        weights = csr_array(total.weights[variables][None])
        rows.append(LinearConstraint(weights, total.least - known, total.most - known))
    result: OptimizeResult = milp(
        costs,
        integrality=np.ones(len(variables)),
        bounds=Bounds(0, 1),
        constraints=rows,
        options={"time_limit": _TIME_LIMIT, "mip_rel_gap": 1e-9},
    )
    if result.x is None:
        return None
    edited = fixed.copy()
    edited[variables] = np.round(result.x) > 0.5
    # the costs leave out what keeping every atom costs; the tie never adds up to half an edit
    offset = float((1.0 + tie)[here].sum())
    least = int(np.ceil(result.mip_dual_bound + offset - _TIE - 1e-6))
    removed, added = int((chosen & ~edited).sum()), int((edited & ~chosen).sum())
    return Edits(chosen=edited, n_removed=removed, n_added=added, fewest_possible=max(least, 0))


def bond_rows(sites: Sites, fixed: Mask, free: Mask, fewest: NDArray[np.intp]) -> list[LinearConstraint]:
    """Bonds to fixed and chosen sites minus the fewest times the site itself are not negative."""
    concerned = np.flatnonzero(free | (fixed & (sites.bonds(free) > 0)))
    known = sites.bonds(fixed)[concerned]
    own = free[concerned]
    may_lack = known < fewest[concerned]
    concerned, known, own = concerned[may_lack], known[may_lack], own[may_lack]
    if not len(concerned):
        return []
    variables = np.flatnonzero(free)
    place = np.searchsorted(variables, concerned[own])
    itself = csr_array((fewest[concerned[own]], (np.flatnonzero(own), place)), shape=(len(concerned), len(variables)))
    neighbours = sites.bonded[concerned][:, variables]
    return [LinearConstraint(neighbours - itself, np.where(own, 0, fewest[concerned]) - known, np.inf)]


def _clash_rows(clashes: NDArray[np.intp], fixed: Mask, variables: NDArray[np.intp]) -> list[LinearConstraint]:
    """At most one of two sites that are too near."""
    if not len(clashes):
        return []
    pairs = np.arange(len(clashes)).repeat(2)
    taken = fixed[clashes].sum(axis=1)
    known = np.isin(clashes.ravel(), variables)
    place = np.searchsorted(variables, clashes.ravel()[known])
    matrix = csr_array((np.ones(len(place)), (pairs[known], place)), shape=(len(clashes), len(variables)))
    return [LinearConstraint(matrix, -np.inf, 1 - taken)]
