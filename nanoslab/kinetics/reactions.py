"""Networks of reactions with time: chains of clusters that grow, isomers that change into one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import solve_ivp

from nanoslab.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """One step: what it takes, what it gives, how fast."""

    #: Species -> how many
    takes: Mapping[str, int]
    gives: Mapping[str, int]
    rate_constant: float  #: k, in concentration^(1 - order) per second
    #: Species -> exponent in the rate; by default the numbers taken. A cluster that takes six monomers to its next
    #: size in a row of fast steps after a slow first one has the exponent 1 for the monomer.
    orders: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Amounts against time."""

    times_s: NDArray[np.float64]  #: shape (n_times,)
    species: tuple[str, ...]  #: names, n_species of them
    amounts: NDArray[np.float64]  #: concentrations, shape (n_times, n_species), in the unit of the start

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        self.times_s.flags.writeable = self.amounts.flags.writeable = False

    def of(self, name: str) -> NDArray[np.float64]:
        """Return the amounts of one species."""
        return self.amounts[:, self.species.index(name)]


def solve_reactions(reactions: Sequence[Reaction], start: Mapping[str, float], times_s: Sequence[float]) -> Course:
    """Integrate the rate equations with an implicit solver (Radau IIA, order 5), which stiff chains need.

    What the reactions conserve, such as the number of monomers in all clusters, stays constant to rounding: the solver
    is given the exact Jacobian, whose columns conserve it too.

    Parameters
    ----------
    reactions
        All steps; a reverse step is a step of its own.
    start
        Species -> concentration at time zero; species that only reactions name start at zero.
    times_s
        Increasing times from 0 on [s].

    Raises
    ------
    InputError
        A rate constant or start below zero, or times that do not increase.

    Examples
    --------
    >>> decay = Reaction(takes={"alpha": 1}, gives={"beta": 1}, rate_constant=2.0)
    >>> course = solve_reactions([decay], {"alpha": 1.0}, [0.0, 0.5])
    >>> course.species, round(float(course.of("alpha")[-1]), 6)
    (('alpha', 'beta'), 0.367879)
    """
    times = np.asarray(times_s, float)
    if len(times) < 1 or times[0] < 0 or (np.diff(times) <= 0).any():
        raise InputError("times_s", expected="increasing times from 0 on", got=list(times_s)[:5])
    names = dict.fromkeys([*start, *(name for r in reactions for name in (*r.takes, *r.gives))])
    species = tuple(names)
    change, orders = np.zeros((len(species), len(reactions))), np.zeros((len(reactions), len(species)))
    for column, reaction in enumerate(reactions):
        if not (np.isfinite(reaction.rate_constant) and reaction.rate_constant >= 0):
            raise InputError("rate_constant", expected="0 or more", got=reaction.rate_constant)
        for name, number in reaction.gives.items():
            change[species.index(name), column] += number
        for name, number in reaction.takes.items():
            change[species.index(name), column] -= number
        for name, order in (reaction.orders or reaction.takes).items():
            orders[column, species.index(name)] = order
    begin = np.array([float(start.get(name, 0.0)) for name in species])
    if not (np.isfinite(begin).all() and (begin >= 0).all()):
        raise InputError("start", expected="concentrations of 0 or more", got=dict(start))
    constants = np.array([reaction.rate_constant for reaction in reactions])

    def rates(amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(constants * (np.maximum(amounts, 0.0) ** orders).prod(axis=1))

    def slopes(amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Derivatives by the amounts; of an order below 1 infinite at zero, where the step stands still."""
        y = np.maximum(amounts, 1e-300)
        all_slopes = (constants * (y**orders).prod(axis=1))[:, None] * orders / y
        return np.where((amounts <= 0) & (orders < 1), 0.0, all_slopes)

    solution = solve_ivp(
        lambda _, y: change @ rates(y),
        (0.0, float(times[-1])),
        begin,
        method="Radau",
        t_eval=times,
        jac=lambda _, y: change @ slopes(y),
        rtol=1e-8,
        atol=1e-12 * max(begin.max(initial=0.0), 1e-300),
    )
    if not solution.success:
        raise InputError("reactions", expected="rate equations that can be integrated", got=solution.message)
    return Course(times_s=times, species=species, amounts=np.ascontiguousarray(solution.y.T))


def growth_chain(
    sizes: Sequence[int], forward: Sequence[float], backward: Sequence[float] | None = None
) -> tuple[Reaction, ...]:
    """Return the steps by which clusters take monomers to the next size of a list.

    Each step has the rate k [cluster] [monomer], as Palencia 2020 writes it for magic-size CdSe clusters, and takes as
    many monomers as the sizes differ. A backward step gives them back with the rate k' [larger cluster].

    Parameters
    ----------
    sizes
        Units per cluster, increasing, at least two: (13, 19, 33, 66).
    forward, backward
        Rate constants of the steps between neighbours, one fewer than sizes; backward is left out by default.

    Raises
    ------
    InputError
        Sizes that do not increase, or another number of rate constants.

    Examples
    --------
    >>> first, *_ = growth_chain((13, 19, 33), (1e-3, 1e-4))
    >>> dict(first.takes), dict(first.gives), dict(first.orders)
    ({'13': 1, 'monomer': 6}, {'19': 1}, {'13': 1, 'monomer': 1})
    """
    steps = np.diff(sizes)
    if len(sizes) < 2 or (steps <= 0).any():
        raise InputError("sizes", expected="at least two increasing sizes", got=list(sizes))
    for name, given in (("forward", forward), ("backward", backward)):
        if given is not None and len(given) != len(steps):
            raise InputError(name, expected=f"{len(steps)} rate constants, one for each step", got=len(given))
    chain = []
    for i, n in enumerate(int(step) for step in steps):
        small, large = str(sizes[i]), str(sizes[i + 1])
        taken = {small: 1, "monomer": n}
        chain.append(Reaction(takes=taken, gives={large: 1}, rate_constant=forward[i], orders={small: 1, "monomer": 1}))
        if backward is not None:
            chain.append(Reaction(takes={large: 1}, gives=taken, rate_constant=backward[i]))
    return tuple(chain)


def isomer_fraction(forward: float, backward: float, times_s: ArrayLike, *, start: float = 0.0) -> NDArray[np.float64]:
    """Fraction of isomer beta of alpha <-> beta against time: x_eq + (x_0 - x_eq) exp(-(k + k') t).

    Parameters
    ----------
    forward, backward
        Rate constants alpha -> beta and beta -> alpha [1/s], not both zero.
    times_s
        Times [s].
    start
        Fraction at time zero.

    Raises
    ------
    InputError
        A rate constant below zero, both zero, or a start outside 0 to 1.

    Examples
    --------
    >>> isomer_fraction(3.0, 1.0, [0.0, 100.0]).tolist()
    [0.0, 0.75]
    """
    if min(forward, backward) < 0 or forward + backward <= 0:
        raise InputError("rate constants", expected="0 or more, not both 0", got=f"{forward:g} and {backward:g}")
    if not 0 <= start <= 1:
        raise InputError("start", expected="a fraction between 0 and 1", got=start)
    total = forward + backward
    end = forward / total
    return np.asarray(end + (start - end) * np.exp(-total * np.asarray(times_s, float)))
