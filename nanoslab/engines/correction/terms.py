"""Terms of a correction: functions of how many neighbours every atom has, with forces and stress.

The number of neighbours is smooth: a neighbour counts fully up to `WINDOW[0]` times the sum of covalent radii, not at
all beyond `WINDOW[1]`, and falls along a cosine between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Literal

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list
from ase.stress import full_3x3_to_voigt_6_stress
from numpy.typing import NDArray

#: in sums of covalent radii: wide enough for bonds of 3.1 Å in CdSe, too narrow for second neighbours of its crystal
WINDOW = (1.2, 1.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term of a correction; its coefficient is an energy.

    Attributes
    ----------
    kind
        ``atoms``: number of atoms of a species. ``missing``: squares of the neighbours that atoms of a species lack,
        summed. ``bonds``: number of bonds between two species.
    species
        Chemical symbol; of ``bonds`` two in alphabetical order, such as ``Cd-Se``.
    complete
        Neighbours of an atom that lacks none (``missing``).

    Examples
    --------
    >>> Term(kind="missing", species="Cd", complete=4.0).name
    'missing:Cd'
    """

    kind: Literal["atoms", "missing", "bonds"]
    species: str
    complete: float = 0.0

    @property
    def name(self) -> str:
        """Kind and species."""
        return f"{self.kind}:{self.species}"


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Pairs of neighbours, each in both directions, and the numbers of neighbours.

    Attributes
    ----------
    species
        Symbols, sorted: the columns of `numbers`.
    first, second, column
        Atoms of a pair, and the column of the second; shape (pairs,).
    vectors
        From first to second [Å], shape (pairs, 3).
    slopes
        Derivative of a neighbour's weight by its distance [1/Å], shape (pairs,).
    numbers
        Neighbours of every atom by species, shape (atoms, species).
    """

    species: tuple[str, ...]
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    column: NDArray[np.intp]
    vectors: NDArray[np.float64]
    slopes: NDArray[np.float64]
    numbers: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Values:
    """Every term for one structure: its value, and minus its derivatives by positions [1/Å] and by strain [1/Å³].

    Shapes (terms,), (terms, atoms, 3), (terms, 6); the last in Voigt's order, with the sign of a stress.
    """

    values: NDArray[np.float64]
    forces: NDArray[np.float64]
    stresses: NDArray[np.float64]


def find_neighbours(atoms: Atoms) -> Neighbours:
    """Count the neighbours of every atom.

    Examples
    --------
    >>> from ase.build import bulk
    >>> find_neighbours(bulk("CdSe", "zincblende", a=6.19)).numbers.tolist()
    [[0.0, 4.0], [4.0, 0.0]]
    """
    radii = covalent_radii[atoms.numbers]
    first, second, distance, vectors = neighbor_list("ijdD", atoms, list(WINDOW[1] * radii))
    begin, end = (edge * (radii[first] + radii[second]) for edge in WINDOW)
    phase = np.pi * np.clip((distance - begin) / (end - begin), 0.0, 1.0)
    slopes = -0.5 * np.pi * np.sin(phase) / (end - begin)
    species, column = np.unique(atoms.get_chemical_symbols(), return_inverse=True)
    numbers = np.zeros((len(atoms), len(species)))
    np.add.at(numbers, (first, column[second]), 0.5 * (1.0 + np.cos(phase)))
    return Neighbours(tuple(species.tolist()), first, second, column[second], vectors, slopes, numbers)


def evaluate_terms(atoms: Atoms, terms: Sequence[Term]) -> Values:
    """Value, forces and stress of every term."""
    near = find_neighbours(atoms)
    symbols = np.array(atoms.get_chemical_symbols())
    lengths = np.linalg.norm(near.vectors, axis=1)
    values = np.zeros(len(terms))
    forces = np.zeros((len(terms), len(atoms), 3))
    stresses = np.zeros((len(terms), 6))
    for row, term in enumerate(terms):
        values[row], slope = _value_and_slope(term, near, symbols)
        pull = slope[near.first, near.column] * near.slopes / lengths
        along = pull[:, None] * near.vectors
        np.add.at(forces[row], near.first, along)
        np.add.at(forces[row], near.second, -along)
        if atoms.cell.rank == 3:
            tensor = np.einsum("pa,pb->ab", along, near.vectors) / atoms.get_volume()
            stresses[row] = full_3x3_to_voigt_6_stress(tensor)
    return Values(values, forces, stresses)


def terms_to_choose_from(coordination: Mapping[str, float]) -> tuple[Term, ...]:
    """Missing neighbours of every species, and bonds of every pair of them.

    Parameters
    ----------
    coordination
        Species -> neighbours in the crystal.

    Examples
    --------
    >>> [term.name for term in terms_to_choose_from({"Se": 4, "Cd": 4})]
    ['missing:Cd', 'missing:Se', 'bonds:Cd-Cd', 'bonds:Cd-Se', 'bonds:Se-Se']
    """
    species = sorted(coordination)
    missing = [Term(kind="missing", species=one, complete=float(coordination[one])) for one in species]
    pairs = combinations_with_replacement(species, 2)
    return (*missing, *(Term(kind="bonds", species="-".join(pair)) for pair in pairs))


def _value_and_slope(term: Term, near: Neighbours, symbols: NDArray[np.str_]) -> tuple[float, NDArray[np.float64]]:
    """Value, and its derivative by the numbers of neighbours, shape (atoms, species)."""
    slope = np.zeros_like(near.numbers)
    of_species = symbols == term.species
    if term.kind == "atoms":
        return float(of_species.sum()), slope
    if term.kind == "bonds":
        one, other = term.species.split("-")
        columns = np.array(near.species)
        joined = np.outer(symbols == one, columns == other) | np.outer(symbols == other, columns == one)
        slope[joined] = 0.5
        return 0.5 * float(near.numbers[joined].sum()), slope
    missing = np.where(of_species, np.maximum(term.complete - near.numbers.sum(axis=1), 0.0), 0.0)
    slope -= 2.0 * missing[:, None]
    return float((missing**2).sum()), slope
