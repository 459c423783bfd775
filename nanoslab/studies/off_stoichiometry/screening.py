"""Which ways a cluster expansion of those computed puts lowest, and how many it leaves below them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

import numpy as np

from nanoslab.builders.enumeration import Block, Removal
from nanoslab.studies.off_stoichiometry.expansion import Expansion, fit_expansion
from nanoslab.studies.off_stoichiometry.record import Screen, Way, with_least_energy

#: ways of a composition that all get an energy from the expansion; of more, so many drawn ones
LARGEST_POOL, DRAWN_POOL = 1_000_000, 100_000


def expansion_of(question: Removal, ways: Sequence[Way]) -> Expansion | None:
    """Fit to the ways that can be used; see `fit_expansion`."""
    usable = with_least_energy(ways)
    return fit_expansion(question, [way.removed for way in usable], [way.energy or 0.0 for way in usable])


def lowest_predicted(
    question: Removal, expansion: Expansion, number: int, known: Set[str]
) -> list[tuple[str, tuple[int, ...], int]]:
    """Identifier, removed atoms and degeneracy of the ways not known that are predicted lowest."""
    best: list[tuple[float, str, tuple[int, ...], int]] = []
    for block in _pool(question):
        energies = expansion.predict(block.removed)
        for i in np.argsort(energies, kind="stable")[: number + len(known)].tolist():
            name = block.names[i].decode()
            if name not in known:
                best.append((float(energies[i]), name, tuple(block.removed[i].tolist()), int(block.degeneracies[i])))
        best = sorted(best)[:number]
    return [row[1:] for row in best]


def screens(phase: str, questions: Sequence[Removal], ways: Sequence[Way]) -> list[Screen]:
    """What an expansion of all computed ways of a phase says of those that were not computed."""
    expansion = expansion_of(questions[0], ways) if questions else None
    if expansion is None:
        return []
    found = []
    for question in questions:
        own = with_least_energy([way for way in ways if way.lost == question.counts])
        if not own:
            continue
        predicted = expansion.predict(np.array([way.removed for way in own]))
        energies = np.array([way.energy for way in own])
        # up to the constant of the composition
        limit = energies.min() - (energies - predicted).mean()
        names = {way.identifier.encode() for way in own}
        n_predicted = n_lower = 0
        for block in _pool(question):
            low = np.flatnonzero(expansion.predict(block.removed) < limit)
            n_predicted += len(block)
            n_lower += sum(block.names[i] not in names for i in low)
        found.append(
            Screen(
                phase=phase,
                lost=dict(question.counts),
                n_predicted=n_predicted,
                n_lower=n_lower,
                n_terms=expansion.n_terms,
                n_ways=expansion.n_ways,
                error=expansion.error,
                constant_error=expansion.constant_error,
            )
        )
    return found


def _pool(question: Removal) -> Iterator[Block]:
    if question.n_distinct <= LARGEST_POOL:
        yield from question.blocks()
    else:
        yield question.sample(DRAWN_POOL, seed=0)[0]
