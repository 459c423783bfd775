"""A crystal as an endless stack of atomic planes along a face's normal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray

from nanoslab.errors import InputError
from nanoslab.species import cations_first
from nanoslab.symmetry import standard_cell

Vector = NDArray[np.float64]

_PLANE_TOLERANCE = 0.05  # Å
#: neighbours up to this many times the shortest distance count as bonded
BOND_REACH = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class StackedPlane:
    """One plane of the repeating unit: species (cations first) and the element of every atom.

    Positions have z along the normal [Å], shape (n_atoms, 3); `bonds` says for every bond of its atoms how many planes
    up the neighbour lies.
    """

    species: str
    symbols: tuple[str, ...]
    positions: Vector
    bonds: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stacking:
    """Planes of one repeat along a face's normal, bottom up; plane i + n_planes is plane i shifted by `step`."""

    in_plane: Vector  #: smallest in-plane cell, the shorter vector along x [Å], shape (2, 3)
    step: Vector  #: lattice vector to the next repeat of the stack [Å], shape (3,)
    planes: tuple[StackedPlane, ...]
    planes_per_monolayer: int  #: planes of the thinnest slice with the composition of the crystal

    @property
    def smallest_spacing(self) -> float:
        """Between neighbouring planes [Å]."""
        heights = [self.plane(number).positions[:, 2].mean() for number in range(len(self.planes) + 1)]
        return float(np.diff(heights).min())

    def plane(self, number: int) -> StackedPlane:
        """Plane by its number, any whole number, at its positions in the repeat that holds it."""
        repeat, index = divmod(number, len(self.planes))
        return replace(self.planes[index], positions=self.planes[index].positions + repeat * self.step)

    def broken_bonds(self, start: int, n_planes: int) -> int:
        """Bonds per in-plane cell that a sheet of these planes has cut."""
        return sum(
            not 0 <= offset + reach < n_planes
            for offset in range(n_planes)
            for reach in self.planes[(start + offset) % len(self.planes)].bonds
        )

    def is_stoichiometric(self, start: int, n_planes: int) -> bool:
        """Whether these planes have the composition of the crystal."""
        part = [self.planes[(start + i) % len(self.planes)] for i in range(n_planes)]
        return _same_composition(part, self.planes)


def conventional_cell(crystal: Atoms) -> Atoms:
    """Conventional cell of a crystal in its own orientation; the crystal itself when it is conventional already."""
    standard = standard_cell(crystal, to_primitive=False)
    same = len(standard) == len(crystal) and np.allclose(standard.cell.cellpar(), crystal.cell.cellpar(), atol=1e-3)
    return crystal.copy() if same else standard


def is_hexagonal(cell: Atoms) -> bool:
    """Whether a conventional cell has hexagonal axes."""
    a, b, _, alpha, beta, gamma = cell.cell.cellpar()
    return bool(abs(a - b) < 1e-2 and np.allclose((alpha, beta, gamma), (90, 90, 120), atol=0.1))


def stack_planes(conventional: Atoms, miller: tuple[int, int, int]) -> Stacking:
    """Stack of planes along the normal of a face, whose indices refer to the conventional cell."""
    primitive = standard_cell(conventional, to_primitive=True)
    lattice = primitive.cell.array
    normal = np.asarray(miller) @ np.asarray(conventional.cell.reciprocal())
    indices = _whole_indices(lattice @ normal)
    transform = _unimodular(indices)
    step, *in_plane = transform @ lattice
    first, second = _shortest_pair(in_plane[0], in_plane[1], normal)
    x, z = first / np.linalg.norm(first), normal / np.linalg.norm(normal)
    rotation = np.array([x, np.cross(z, x), z])  # rows are the new axes: x along the first vector, z along the normal
    planes = _planes(primitive, indices, rotation, step @ rotation.T)
    return Stacking(
        in_plane=np.array([first, second]) @ rotation.T,
        step=step @ rotation.T,
        planes=planes,
        planes_per_monolayer=_planes_per_monolayer(planes),
    )


def _whole_indices(fractions: Vector) -> NDArray[np.int64]:
    """Indices with no common factor along a vector of small fractions."""
    for factor in range(1, 13):
        scaled = fractions * factor
        whole = np.rint(scaled)
        if np.allclose(scaled, whole, atol=1e-3):
            return np.asarray(whole.astype(np.int64) // gcd(*whole.astype(int).tolist()))
    raise InputError("face", expected="a lattice plane of the crystal", got=fractions.tolist(), advice="check the cell")


def _unimodular(indices: NDArray[np.int64]) -> NDArray[np.int64]:
    """Whole-number matrix of determinant ±1 whose rows dotted with `indices` are 1, 0, 0 (Euclid's algorithm)."""
    rows = np.eye(3, dtype=np.int64)
    values = indices.copy()
    while np.count_nonzero(values) > 1:
        nonzero = np.flatnonzero(values)
        pivot = nonzero[np.abs(values[nonzero]).argmin()]
        for other in nonzero[nonzero != pivot]:
            times = values[other] // values[pivot]
            values[other] -= times * values[pivot]
            rows[other] -= times * rows[pivot]
    pivot = int(np.flatnonzero(values)[0])
    rows[pivot] *= values[pivot]
    return rows[[pivot, *(i for i in range(3) if i != pivot)]]


def _shortest_pair(first: Vector, second: Vector, normal: Vector) -> tuple[Vector, Vector]:
    """Shortest in-plane vectors (Gauss's reduction), the shorter first, right-handed, at 90 degrees or more."""
    while True:
        if first @ first > second @ second * (1 + 1e-9):
            first, second = second, first
        times = np.rint(first @ second / (first @ first))
        if times == 0:
            break
        second = second - times * first
    if first @ second > 1e-9:
        second = -second
    if np.cross(first, second) @ normal < 0:
        equal = np.isclose(first @ first, second @ second)
        first, second = (second, first) if equal else (first, -second)
    return first, second


def _planes(primitive: Atoms, indices: NDArray[np.int64], rotation: Vector, step: Vector) -> tuple[StackedPlane, ...]:
    positions = primitive.positions @ rotation.T
    period = step[2]
    numbers, repeats = _plane_numbers(positions[:, 2], period)
    positions = positions - repeats[:, None] * step
    symbols = primitive.get_chemical_symbols()
    n_planes = int(numbers.max()) + 1
    absolute = numbers + n_planes * repeats
    reach = _bond_reaches(primitive, indices, absolute, n_planes)
    return tuple(
        StackedPlane(
            species="".join(cations_first(symbols[i] for i in members)),
            symbols=tuple(symbols[i] for i in members),
            positions=positions[members],
            bonds=tuple(reach[1][np.isin(reach[0], members)].tolist()),
        )
        for members in (np.flatnonzero(numbers == number) for number in range(n_planes))
    )


def _plane_numbers(heights: Vector, period: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Plane of every atom within one period, and the period in which the atom lies."""
    # shifted by the tolerance, so that rounding cannot send a plane at height 0 to the top of the period
    folded = (heights + _PLANE_TOLERANCE) % period
    order = np.argsort(folded)
    levels = folded[order]
    gaps = np.diff(levels, prepend=levels[-1] - period) > _PLANE_TOLERANCE
    # start counting at a true step, so that no plane lies across the border of the period
    first = int(np.argmax(gaps))
    numbers = np.zeros(len(heights), dtype=np.intp)
    if gaps.any():
        numbers[np.roll(order, -first)] = np.cumsum(np.roll(gaps, -first)) - 1
    start = levels[first] - 2 * _PLANE_TOLERANCE
    repeats = np.floor((heights - start) / period).astype(np.intp)
    return numbers, repeats


def _bond_reaches(
    primitive: Atoms, indices: NDArray[np.int64], absolute: NDArray[np.intp], n_planes: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For every bond from both its ends: the atom, and how many planes up its neighbour lies."""
    centre, neighbour, shift = neighbor_list("ijS", primitive, shortest_distance(primitive) * BOND_REACH)
    return centre, absolute[neighbour] + n_planes * (shift @ indices) - absolute[centre]


def shortest_distance(crystal: Atoms) -> float:
    """Shortest distance between two atoms of a crystal [Å]."""
    radius = 3.0
    while True:
        distances = neighbor_list("d", crystal, radius)
        if len(distances):
            return float(distances.min())
        radius *= 1.5


def _planes_per_monolayer(planes: tuple[StackedPlane, ...]) -> int:
    n_planes = len(planes)
    for size in (divisor for divisor in range(1, n_planes) if n_planes % divisor == 0):
        for start in (0, 1):
            blocks = ([planes[(i + j) % n_planes] for j in range(size)] for i in range(start, n_planes, size))
            if all(_same_composition(block, planes) for block in blocks):
                return size
    return n_planes


def _same_composition(*stacks: Sequence[StackedPlane]) -> bool:
    """Whether some planes have the species of all of them in the same ratio."""
    part, whole = (Counter(symbol for plane in planes for symbol in plane.symbols) for planes in stacks)
    return all(part[element] * whole.total() == whole[element] * part.total() for element in whole)
