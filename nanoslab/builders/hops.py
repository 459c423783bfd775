"""The two ends of an atom's way: a vacancy that changes places, an interstitial that moves, two atoms that swap.

Start and end are atom by atom the same and keep the constraints of the structure.
"""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.geometry import find_mic
from numpy.typing import ArrayLike, NDArray

from nanoslab.crystals import make_recipe
from nanoslab.errors import InputError, unknown_name

Pair = tuple[Atoms, Atoms]


def vacancy_hop(atoms: Atoms, vacancy: int | str, hopping: int | None = None) -> Pair:
    """Start and end of a hop into an empty place: by its index, or by its species, of which the first is missing.

    The atom of that index moves, the nearest of the missing one's species when absent.
    """
    if isinstance(vacancy, str):
        if vacancy not in atoms.symbols:
            raise unknown_name("vacancy", vacancy, sorted(set(atoms.symbols)))
        vacancy = list(atoms.symbols).index(vacancy)
    if hopping is None:
        _require_different(atoms, vacancy)
        others = np.flatnonzero((atoms.numbers == atoms.numbers[vacancy]) & (np.arange(len(atoms)) != vacancy))
        if not len(others):
            raise InputError("vacancy", expected="two atoms of its species or more", got="one", advice="repeat it")
        hopping = int(others[np.argmin(atoms.get_distances(vacancy, others, mic=True).round(6))])
    _require_different(atoms, vacancy, hopping)
    if atoms.numbers[vacancy] != atoms.numbers[hopping]:
        got = f"{atoms.symbols[hopping]} into a place of {atoms.symbols[vacancy]}"
        raise InputError("hopping", expected="an atom of the species that is missing", got=got)
    end = atoms.copy()
    end.positions[hopping] = _near(atoms, hopping, atoms.positions[vacancy])
    ends = tuple(one[[i for i in range(len(one)) if i != vacancy]] for one in (atoms, end))
    return _told(ends, "vacancy hop", vacancy=vacancy, hopping=hopping)


def interstitial_hop(atoms: Atoms, symbol: str, start: ArrayLike, end: ArrayLike) -> Pair:
    """Start and end of an additional atom's way through the host, positions in Å."""
    first = atoms + Atoms(symbol, positions=[np.asarray(start, float)])
    first.set_constraint(atoms.constraints)
    last = first.copy()
    last.positions[-1] = _near(first, -1, np.asarray(end, float))
    for name, one in (("start", first), ("end", last)):
        nearest = one.get_distances(-1, range(len(atoms)), mic=True).min()
        if nearest < 1.0:
            raise InputError(name, expected="1 Å or more from every atom", got=f"{nearest:.2f} Å")
    return _told((first, last), "interstitial hop", symbol=symbol)


def exchange(atoms: Atoms, first: int, second: int) -> Pair:
    """Start and end of two atoms of different species changing places, as in a step of cation exchange."""
    _require_different(atoms, first, second)
    if atoms.numbers[first] == atoms.numbers[second]:
        raise InputError("exchange", expected="two atoms of different species", got=atoms.symbols[first])
    end = atoms.copy()
    end.positions[first] = _near(atoms, first, atoms.positions[second])
    end.positions[second] = _near(atoms, second, atoms.positions[first])
    return _told((atoms.copy(), end), "exchange", first=first, second=second)


def _near(atoms: Atoms, moving: int, place: NDArray[np.float64]) -> NDArray[np.float64]:
    """The image of a place that is nearest to an atom."""
    way, _ = find_mic(place - atoms.positions[moving], atoms.cell, atoms.pbc)
    return np.asarray(atoms.positions[moving] + way)


def _require_different(atoms: Atoms, *indices: int) -> None:
    for index in indices:
        if not 0 <= index < len(atoms):
            raise InputError("atom", expected=f"an index from 0 to {len(atoms) - 1}", got=index)
    if len(set(indices)) < len(indices):
        raise InputError("atom", expected="two different atoms", got=f"{indices[0]} twice")


def _told(ends: tuple[Atoms, ...], function: str, **parameters: object) -> Pair:
    start, end = ends
    source = start.info.get("recipe")
    for one, which in ((start, "start"), (end, "end")):
        one.info = {"recipe": make_recipe(function, which=which, source=source, **parameters)}
    return start, end
