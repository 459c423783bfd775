"""What has become of a neck: which columns still bridge, how wide, how long, how far its planes lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.geometry import find_mic
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from nanoslab.errors import InputError
from nanoslab.slab_geometry import PLANE_TOLERANCE, plane_numbers
from nanoslab.structure_types import AnyStructure, as_atoms

#: longest bond between unlike atoms, in bond lengths of the crystal (second neighbours: 1.41 and more)
_BOND = 1.2
#: planes whose spacing left the crystal's by more than this fraction are no longer that crystal
_LARGEST_STRAIN = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class NeckMetrics:
    """A neck measured in a structure, relaxed or not."""

    #: columns that bridged the gap in the start, and separate bonded chains of neck atoms that still do
    n_columns: int
    n_connected: int
    #: mean distance of successive planes from the lower slab through the neck to the upper one [Å]
    plane_spacing: float
    column_spacing: float  #: mean distance of bonded neighbours within the planes of the neck [Å]
    n_planes: int
    largest_displacement: float  #: of an atom of the neck, from the start [Å]
    problems: tuple[str, ...]  #: what is wrong with it, in words; empty for a neck that is one

    @property
    def width_nm(self) -> float:
        """Side of the square that holds the connected columns [nm]."""
        return float(self.n_connected**0.5 * self.column_spacing / 10.0)

    @property
    def length(self) -> float:
        """Planes of the neck times their spacing [Å]."""
        return self.n_planes * self.plane_spacing

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def measure_neck(
    atoms: AnyStructure, start: AnyStructure, neck_indices: Sequence[int], *, bond_length: float, column_spacing: float
) -> NeckMetrics:
    """Measure a neck against the start, whose atoms come in the same order; bond and spacing of the crystal [Å]."""
    atoms, start = as_atoms(atoms), as_atoms(start)
    neck = np.array(sorted(neck_indices), dtype=int)
    if len(atoms) != len(start) or not np.array_equal(atoms.numbers, start.numbers) or len(neck) == 0:
        expected = "the start's atoms in the start's order, with a neck"
        got = f"{atoms.get_chemical_formula()} with {len(neck)} atoms of a neck"
        raise InputError("structure", expected=expected, got=got, advice="measure the run of that start")
    change, _ = find_mic(atoms.positions - start.positions, atoms.cell, pbc=True)
    drift = change[np.setdiff1d(np.arange(len(atoms)), neck)].mean(axis=0)
    n_columns, n_connected = (_paths(one, start, neck, bond_length) for one in (start, atoms))
    ideal, spacing = (_plane_spacing(start, moves, neck, bond_length) for moves in (np.zeros_like(change), change))
    return NeckMetrics(
        n_columns=n_columns,
        n_connected=n_connected,
        plane_spacing=spacing,
        column_spacing=_column_spacing(atoms, start, neck, bond_length, column_spacing),
        n_planes=len(_planes(start, neck)),
        largest_displacement=float(np.linalg.norm(change[neck] - drift, axis=1).max()),
        problems=_problems(n_columns, n_connected, spacing, ideal),
    )


def _problems(n_columns: int, n_connected: int, spacing: float, ideal: float) -> tuple[str, ...]:
    problems = [f"only {n_connected} of {n_columns} columns still bridge the gap"] if n_connected < n_columns else []
    if n_columns and not n_connected:
        problems = ["the neck has come apart: no chain of bonds crosses the gap"]
    if abs(spacing / ideal - 1.0) > _LARGEST_STRAIN:
        problems.append(f"the neck has collapsed or stretched: planes {spacing:.2f} Å apart, built {ideal:.2f} Å")
    return tuple(problems)


def _paths(atoms: Atoms, start: Atoms, neck: NDArray[np.int64], bond_length: float) -> int:
    """Most chains of bonded neck atoms from slab to slab that share no atom (maximum flow)."""
    first, second = _bonds(atoms, bond_length)
    lower, upper = _slabs(start, neck)
    place = {int(index): n for n, index in enumerate(neck)}
    source, sink, size = 2 * len(neck), 2 * len(neck) + 1, 2 * len(neck) + 2
    capacity = np.zeros((size, size), dtype=np.int32)
    for n in range(len(neck)):
        capacity[2 * n, 2 * n + 1] = 1  # every atom carries one chain
    for one, other in zip(first.tolist(), second.tolist(), strict=True):
        if one not in place:
            continue
        out = 2 * place[one] + 1
        if other in place:
            capacity[out, 2 * place[other]] = 1
        elif lower[other]:
            capacity[source, out - 1] = 1
        elif upper[other]:
            capacity[out, sink] = 1
    return int(maximum_flow(csr_array(capacity), source, sink).flow_value)


def _bonds(atoms: Atoms, bond_length: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    first, second = neighbor_list("ij", atoms, _BOND * bond_length)
    unlike = atoms.numbers[first] != atoms.numbers[second]
    return first[unlike], second[unlike]


def _slabs(start: Atoms, neck: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which atoms belong to the lower and to the upper slab."""
    z = start.positions[:, 2]
    other = ~np.isin(np.arange(len(start)), neck)
    return other & (z < z[neck].mean()), other & (z > z[neck].mean())


def _planes(start: Atoms, neck: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Atoms of the neck plane by plane as built, from the bottom up."""
    numbers = plane_numbers(start.positions[neck, 2])
    return [neck[numbers == number] for number in range(int(numbers.max()) + 1)]


def _plane_spacing(start: Atoms, change: NDArray[np.float64], neck: NDArray[np.int64], bond_length: float) -> float:
    """Mean spacing over the neck's planes and the slab atoms bonded to them as built [Å]."""
    heights = start.positions[:, 2] + change[:, 2]
    first, second = _bonds(start, bond_length)
    lower, upper = _slabs(start, neck)
    touching = second[np.isin(first, neck)]
    below, above = np.unique(touching[lower[touching]]), np.unique(touching[upper[touching]])
    levels = [float(heights[part].mean()) for part in (below, *_planes(start, neck), above) if len(part)]
    return (levels[-1] - levels[0]) / (len(levels) - 1) if len(levels) > 1 else 0.0


def _column_spacing(
    atoms: Atoms, start: Atoms, neck: NDArray[np.int64], bond_length: float, column_spacing: float
) -> float:
    """Mean distance of neck atoms that were neighbours within a plane as built [Å]; the crystal's for one column."""
    first, second, vectors = neighbor_list("ijD", start, 1.05 * column_spacing)
    flat = np.isin(first, neck) & np.isin(second, neck) & (np.abs(vectors[:, 2]) < PLANE_TOLERANCE)
    pairs = zip(first[flat].tolist(), second[flat].tolist(), strict=True)
    lengths = [atoms.get_distance(one, other, mic=True) for one, other in pairs if one < other]
    bonded = [length for length in lengths if length < _BOND * max(bond_length, column_spacing)]
    return float(np.mean(bonded)) if bonded else column_spacing
