"""Starts of a search for reconstructions: atoms that lack bonds pulled together in pairs, and all atoms displaced."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.geometry import get_distances
from numpy.typing import NDArray

from nanoslab.builders.rattle import LARGEST, rattle_atoms
from nanoslab.errors import InputError
from nanoslab.slab_geometry import find_bonds

#: atoms farther apart are not pulled together [Å]
REACH = 5.5
#: a pulled pair ends at this part of its distance, drawn evenly between the two
PULLED = (0.55, 0.75)


def distorted_starts(atoms: Atoms, count: int, *, standard_deviation: float = 0.1, seed: int = 0) -> list[Atoms]:
    """Starts that break the symmetry of a structure: all atoms rattled, and in every species one pair pulled together.

    The pairs are drawn among free like atoms that have fewer bonds than others of their species, as at surfaces and
    around vacancies. Of the zinc-blende CdSe (001) sheet a rattle alone leads CHGNet to the Se dimer in few cases.

    Parameters
    ----------
    atoms
        Structure with its constraints; not changed.
    count
        Number of starts.
    standard_deviation, seed
        Of every free coordinate [Å], up to 0.3; start number k takes the seed ``seed + k``.

    Raises
    ------
    InputError
        Fewer than one start, or a displacement out of range.

    Examples
    --------
    >>> from nanoslab.builders import build_nanosheet
    >>> sheet = build_nanosheet("CdSe-zincblende", "001", 3, fix="none")
    >>> starts = distorted_starts(sheet, 4, seed=7)
    >>> len(starts), bool(starts[0].get_chemical_formula() == sheet.get_chemical_formula())
    (4, True)
    """
    if count < 1:
        raise InputError("starts", expected="at least 1", got=count, advice="10 to 50 are usual")
    if not 0 < standard_deviation <= LARGEST:
        raise InputError("rattle", expected=f"above 0, up to {LARGEST:g} Å", got=standard_deviation)
    pairs = lacking_pairs(atoms)
    return [_start(atoms, pairs, standard_deviation, seed + k) for k in range(count)]


def lacking_pairs(atoms: Atoms) -> NDArray[np.intp]:
    """Pairs of free like atoms that lack bonds and are within reach of one another, shape (n, 2)."""
    i, _ = find_bonds(atoms)
    n_bonds = np.bincount(i, minlength=len(atoms))
    most = {number: n_bonds[atoms.numbers == number].max() for number in set(atoms.numbers.tolist())}
    held = {int(index) for constraint in atoms.constraints for index in constraint.get_indices()}
    lacking = [k for k in range(len(atoms)) if k not in held and n_bonds[k] < most[int(atoms.numbers[k])]]
    _, distances = get_distances(atoms.positions[lacking], cell=atoms.cell, pbc=atoms.pbc)
    pairs = [
        (one, other)
        for a, one in enumerate(lacking)
        for b, other in enumerate(lacking[:a])
        if atoms.numbers[one] == atoms.numbers[other] and distances[a, b] < REACH
    ]
    return np.array(pairs, dtype=np.intp).reshape(-1, 2)


def _start(atoms: Atoms, pairs: NDArray[np.intp], standard_deviation: float, seed: int) -> Atoms:
    """One rattle, and of every species that has such pairs one of them pulled together."""
    start = rattle_atoms(atoms, standard_deviation, seed=seed)
    draw = np.random.default_rng([seed, 1])
    for number in sorted(set(atoms.numbers[pairs[:, 0]].tolist())):
        own = pairs[atoms.numbers[pairs[:, 0]] == number]
        one, other = own[draw.integers(len(own))].tolist()
        shift = 0.5 * (1.0 - draw.uniform(*PULLED)) * start.get_distance(one, other, mic=True, vector=True)
        start.positions[one] += shift
        start.positions[other] -= shift
    return start
