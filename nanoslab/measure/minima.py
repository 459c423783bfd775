"""Which relaxed structures are the same: by energy and by all interatomic distances, whatever symmetry relates them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray

from nanoslab.slab_geometry import find_bonds

#: distances up to this tell structures apart [Å]
REACH = 5.0
#: two structures are one when their energies per atom differ by less than this [eV] ...
SAME_ENERGY = 2e-3
#: ... and their sorted distances, on average, by less than this [Å]
SAME_DISTANCE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimum:
    """One structure that starts relaxed to.

    Attributes
    ----------
    energy_per_atom
        Of the lowest of its members [eV].
    members
        Which of the structures belong to it, the lowest first.
    like_bonds
        Pair of species -> bonds between like atoms per cell of the lowest member: dimers.
    """

    energy_per_atom: float
    members: tuple[int, ...]
    like_bonds: dict[str, int]


def distinct_minima(structures: Sequence[Atoms], energies: Sequence[float]) -> tuple[Minimum, ...]:
    """Group relaxed structures of one composition, lowest energy first; supercells count as their smaller cell.

    Parameters
    ----------
    structures, energies
        Relaxed structures and their energies [eV].

    Examples
    --------
    >>> from ase.build import bulk
    >>> crystals = [bulk("Cu", a=3.6), bulk("Cu", a=3.6, cubic=True), bulk("Cu", "bcc", a=2.9)]
    >>> [minimum.members for minimum in distinct_minima(crystals, [-3.5, -14.0, -3.4])]
    [(0, 1), (2,)]
    """
    per_atom = [energy / len(atoms) for atoms, energy in zip(structures, energies, strict=True)]
    groups: list[list[int]] = []
    for index in np.argsort(per_atom, kind="stable").tolist():
        for group in groups:
            near = per_atom[index] - per_atom[group[0]] < SAME_ENERGY
            if near and distance_between(structures[group[0]], structures[index]) < SAME_DISTANCE:
                group.append(index)
                break
        else:
            groups.append([index])
    return tuple(
        Minimum(
            energy_per_atom=per_atom[group[0]],
            members=tuple(group),
            like_bonds=like_bonds(structures[group[0]]),
        )
        for group in groups
    )


def distance_between(one: Atoms, other: Atoms) -> float:
    """Mean difference of the sorted interatomic distances [Å], by pair of species; infinite between other species.

    Invariant under translation, rotation, reflection and the order of atoms, and equal for a supercell.

    Examples
    --------
    >>> from ase.build import bulk
    >>> distance_between(bulk("Cu", a=3.6), bulk("Cu", a=3.6) * (2, 1, 1)) < 1e-9
    True
    """
    from scipy.stats import wasserstein_distance

    first, second = _spectrum(one), _spectrum(other)
    if {pair for pair, d in first.items() if len(d)} != {pair for pair, d in second.items() if len(d)}:
        return float("inf")
    shares = {pair: len(d) for pair, d in first.items() if len(d)}
    apart = sum(n * float(wasserstein_distance(first[pair], second[pair])) for pair, n in shares.items())
    return apart / max(sum(shares.values()), 1)


def like_bonds(atoms: Atoms) -> dict[str, int]:
    """Bonds between atoms of one species, by species: dimers of a compound's surface.

    Examples
    --------
    >>> like_bonds(Atoms("Se2", positions=[[0, 0, 0], [0, 0, 2.4]]))
    {'Se-Se': 1}
    """
    symbols = atoms.get_chemical_symbols()
    i, j = find_bonds(atoms)
    found = Counter(symbols[a] for a, b in zip(i.tolist(), j.tolist(), strict=True) if symbols[a] == symbols[b])
    return {f"{symbol}-{symbol}": number // 2 for symbol, number in sorted(found.items())}


def _spectrum(atoms: Atoms) -> dict[str, NDArray[np.float64]]:
    """Pair of species -> distances up to the reach [Å]."""
    species, codes = np.unique(atoms.get_chemical_symbols(), return_inverse=True)
    i, j, d = neighbor_list("ijd", atoms, REACH)
    first, second = np.minimum(codes[i], codes[j]), np.maximum(codes[i], codes[j])
    return {
        f"{species[a]}-{species[b]}": d[(first == a) & (second == b)]
        for a, b in combinations_with_replacement(range(len(species)), 2)
    }
