"""Which calculation starts from which: their order, their levels, a selection with all it needs, and every check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

import numpy as np

from nanoslab.calculation import Calculation
from nanoslab.campaign.names import RESERVED, matching
from nanoslab.errors import InputError


class Node(Protocol):
    """Anything that may start from another: a calculation, or the driver's view of it."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def starts_from(self) -> str | None: ...  # noqa: D102


Item = TypeVar("Item", bound=Node)


def parents_first(items: Sequence[Item]) -> tuple[Item, ...]:
    """Items in an order in which every one comes after the one it starts from.

    Examples
    --------
    >>> from types import SimpleNamespace as Item
    >>> [item.name for item in parents_first([Item(name="a", starts_from="z"), Item(name="z", starts_from=None)])]
    ['z', 'a']
    """
    by_name = {item.name: item for item in items}
    ordered: dict[str, Item] = {}
    for item in items:
        chain: list[Item] = []
        link: str | None = item.name
        while link is not None and link not in ordered:
            if link not in by_name or by_name[link] in chain:
                got = f"{link!r}, which is not there" if link not in by_name else "itself in a circle"
                raise InputError(f"{item.name}: starts_from", expected="another calculation of the campaign", got=got)
            chain.append(by_name[link])
            link = by_name[link].starts_from
        ordered.update({member.name: member for member in reversed(chain)})
    return tuple(ordered.values())


def levels(items: Sequence[Item]) -> dict[str, int]:
    """How many calculations must end one after the other before each of them can begin."""
    found: dict[str, int] = {}
    for item in parents_first(items):
        found[item.name] = 0 if item.starts_from is None else found[item.starts_from] + 1
    return found


def select(items: Sequence[Item], patterns: Iterable[str]) -> tuple[Item, ...]:
    """Items whose name matches one of the shell patterns, and all they start from; everything without a pattern.

    Examples
    --------
    >>> from types import SimpleNamespace as Item
    >>> both = [Item(name="z", starts_from=None), Item(name="a1", starts_from="z"), Item(name="b", starts_from=None)]
    >>> [item.name for item in select(both, ["a*"])]
    ['z', 'a1']
    """
    patterns = tuple(patterns)
    if not patterns:
        return tuple(items)
    wanted = matching([item.name for item in items], patterns)
    for item in reversed(parents_first(items)):  # children stand after their parents
        if item.name in wanted and item.starts_from is not None:
            wanted.add(item.starts_from)
    return tuple(item for item in items if item.name in wanted)


def check_calculations(calculations: Sequence[Calculation]) -> None:
    """Refuse calculations that cannot stand beside one another in a campaign.

    Raises
    ------
    InputError
        For names that are equal (also where capitals are not told apart) or taken, a parent that does not stand
        before its child, and removed indices that do not leave the child.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from ase import Atoms
    >>> from nanoslab.calculation import Role, Settings
    >>> a = Calculation(name="a", role=Role(kind="atom"), atoms=Atoms("Se"), settings=Settings(source="test"))
    >>> check_calculations([a, replace(a, name="A")])
    Traceback (most recent call last):
    ...
    nanoslab.errors.InputError: calculation name: expected names that differ in more than capitals, got 'a' and 'A'
    """
    if not calculations:
        raise InputError("calculations", expected="at least one", got="none", advice="add a structure to the study")
    before: dict[str, Calculation] = {}
    for calculation in calculations:
        name = calculation.name
        rivals = [earlier for earlier in before if earlier.lower() == name.lower()]
        if rivals:
            got = f"{rivals[0]!r} and {name!r}"
            raise InputError("calculation name", expected="names that differ in more than capitals", got=got)
        if name.lower() in RESERVED:
            raise InputError("calculation name", expected="one that the campaign itself does not use", got=repr(name))
        _check_parent(calculation, before)
        before[name] = calculation


def _check_parent(calculation: Calculation, before: Mapping[str, Calculation]) -> None:
    """Refuse a parent that is not there yet, or one that less the removed atoms is not this calculation."""
    if calculation.starts_from is None:
        return
    if calculation.starts_from not in before:
        where, advice = f"{calculation.name}: starts_from", f"there are {', '.join(before) or 'none before it'}"
        expected = "the name of a calculation that stands before it"
        raise InputError(where, expected=expected, got=repr(calculation.starts_from), advice=advice)
    parent, child = before[calculation.starts_from].atoms, calculation.atoms
    removed = set(calculation.removed_indices)
    kept = [number for i, number in enumerate(parent.numbers) if i not in removed]
    if not removed <= set(range(len(parent))) or not np.array_equal(kept, child.numbers):
        expected = f"the atoms that {calculation.starts_from} ({parent.get_chemical_formula()}) has more"
        got = f"{sorted(removed)}, which do not leave {child.get_chemical_formula()} in the same order"
        advice = "group the atoms of both by species and keep the parent's order"
        raise InputError(f"{calculation.name}: removed_indices", expected=expected, got=got, advice=advice)
