"""What may be removed from a structure: the atoms in question, what permutes them, and which may go together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.builders.enumeration.counting import count_orbits, count_subsets
from nanoslab.builders.enumeration.orbits import Choice, canonical, orbits
from nanoslab.builders.enumeration.sampling import Draws, draw_orbits
from nanoslab.builders.enumeration.sites import Sites, find_sites
from nanoslab.builders.recipe import describe_source, require_whole_number
from nanoslab.builders.summary import sheet_ledger
from nanoslab.crystals import make_recipe
from nanoslab.errors import InputError, unknown_name
from nanoslab.slab_geometry import empty_height
from nanoslab.species import formal_charges
from nanoslab.structure_types import AnyStructure, as_atoms
from nanoslab.symmetry import TOLERANCE

#: above this many distinct ways without the filters, those that pass them are not counted one by one
MOST_COUNTED = 20_000_000
#: above so many lost atoms a sort is faster than exchanges
MOST_EXCHANGED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Some of the distinct ways to lose atoms, in arrays.

    Attributes
    ----------
    names
        Identifier of every way, shape (n,), in bytes: per species the removed atoms as hexadecimal digits, one bit per
        atom of the species in the order of `Removal.sites`. The same from run to run and for any order of the atoms in
        the file.
    removed
        Indices of the removed atoms in the parent, rising, shape (n, n_removed).
    degeneracies
        Ways that symmetry makes the same as this one, shape (n,).
    drawn
        How often a sample has drawn each, shape (n,); ones where all are listed.
    """

    names: NDArray[np.bytes_]
    removed: NDArray[np.int32]
    degeneracies: NDArray[np.integer]
    drawn: NDArray[np.intp]

    def __len__(self) -> int:
        """Number of ways."""
        return len(self.degeneracies)

    @property
    def identifiers(self) -> list[str]:
        """Names as text."""
        return [name.decode() for name in self.names.tolist()]


@dataclass(frozen=True)
class Removal:
    """One question: so many atoms of each species, from these sites.

    Attributes
    ----------
    parent
        The structure that loses atoms.
    counts
        Species -> atoms to remove.
    sites
        Atoms in question and their symmetry.

    Examples
    --------
    >>> from nanoslab.builders import build_nanosheet
    >>> sheet = build_nanosheet("CdSe-wurtzite", "11-20", 7, fix="none")
    >>> (removal,) = removals(sheet, {"Se": 2, "Cd": 1})
    >>> removal.n_distinct, removal.n_total
    (322, 1274)
    >>> block = next(removal.blocks())
    >>> block.identifiers[0], int(block.degeneracies.sum())
    ('Cd-8000.Se-c000', 1274)
    """

    parent: Atoms
    counts: Mapping[str, int]
    sites: Sites

    @cached_property
    def choice(self) -> Choice:
        """The same question to the enumeration."""
        sizes = tuple(self.counts.get(species, 0) for species in self.sites.species)
        return Choice(self.sites.permutations, self.sites.ends, sizes, self.sites.conflicts)

    @property
    def n_total(self) -> int:
        """Ways in all, filters on pairs left out: a product of binomial coefficients."""
        return count_subsets(self.choice)

    @property
    def n_distinct(self) -> int:
        """Ways up to symmetry, filters on pairs left out (Cauchy-Frobenius)."""
        return count_orbits(self.choice)

    @property
    def n_passing(self) -> int | None:
        """Ways up to symmetry that pass the filters; None where there are too many to go through."""
        if self.choice.conflicts is None:
            return self.n_distinct
        if self.n_distinct > MOST_COUNTED:
            return None
        return sum(len(members) for members, _ in orbits(self.choice))

    def blocks(self) -> Iterator[Block]:
        """Every distinct way, in portions; memory does not grow with their number."""
        for members, degeneracies in orbits(self.choice):
            yield self._block(members, degeneracies, np.ones(len(members), dtype=np.intp))

    def sample(self, number: int, *, seed: int = 0, each_way_alike: bool = False) -> tuple[Block, Draws]:
        """Ways drawn at random, with replacement; none is enumerated.

        Parameters
        ----------
        number
            How many to draw.
        seed
            The same seed draws the same.
        each_way_alike
            Draw every distinct way with the same chance; otherwise with its degeneracy, as random loss would.
        """
        number = require_whole_number("sample", number)
        draws = draw_orbits(self.choice, number, seed=seed, each_orbit_alike=each_way_alike)
        return self._block(self.choice.members(draws.masks), draws.degeneracies, draws.times), draws

    def way_of(self, removed: Sequence[int]) -> tuple[str, int]:
        """Identifier and degeneracy of the way that a set of atoms belongs to, whatever its counts."""
        counts = Counter(str(self.parent.symbols[i]) for i in removed)
        own = replace(self, counts=counts)
        places = {int(index): place for place, index in enumerate(self.sites.indices)}
        points = np.array([[places[int(index)] for index in removed]])
        masks, degeneracies = canonical(own.choice, own.choice.masks(points))
        return self.sites.names(own.choice.members(masks))[0].decode(), int(degeneracies[0])

    def atoms(self, removed: NDArray[np.intp], **parameters: Any) -> Atoms:
        """The parent without some atoms, with recipe and summary; further parameters go into the recipe."""
        gone = {int(index) for index in removed}
        atoms: Atoms = self.parent[[index for index in range(len(self.parent)) if index not in gone]]
        charges = self.parent.info.get("ledger", {}).get("formal_charges_e")
        charges = charges or formal_charges(self.parent.get_chemical_formula())
        recipe = make_recipe(
            "vacancies", parent=describe_source(self.parent), removed_indices=sorted(gone), **parameters
        )
        atoms.info = {"recipe": recipe}
        if len(atoms) and empty_height(atoms) > 0:
            atoms.info["ledger"] = sheet_ledger(atoms, charges=charges).to_dict()
        return atoms

    def _block(self, points: NDArray[np.intp], degeneracies: NDArray[np.integer], drawn: NDArray[np.intp]) -> Block:
        return Block(
            names=self.sites.names(points),
            removed=_rising(self.sites.indices.astype(np.int32).take(points.T)).T,
            degeneracies=degeneracies,
            drawn=drawn,
        )


def removals(
    atoms: AnyStructure,
    counts: Mapping[str, int | tuple[int, int]],
    *,
    region: str = "any",
    depth: tuple[float, float] | None = None,
    apart: tuple[float, float] | None = None,
    charge: tuple[float, float] | None = None,
    tolerance: float = TOLERANCE,
) -> tuple[Removal, ...]:
    """Questions for every combination of counts.

    Two ways are the same when an operation of the structure's space group, of a particle its point group, maps one
    onto the other; operations that map frozen atoms onto free ones do not count.

    Parameters
    ----------
    atoms
        Sheet with its vacuum along the third lattice vector, supercell, or particle; not changed.
    counts
        Species -> atoms to remove, or the smallest and the largest number.
    region
        ``any``, or of a sheet ``top``, ``bottom``, ``both``: the outermost layer of each species there.
    depth
        Smallest and largest depth below the nearer face of a sheet, below the farthest atom of a particle [Å].
    apart
        Smallest and largest distance between any two removed atoms [Å], the nearest images counting.
    charge
        Smallest and largest formal charge of what is left [e]; combinations of counts outside are left out.
    tolerance
        Distance within which symmetry maps atoms onto atoms [Å]; relaxed sheets may need 0.05.

    Returns
    -------
    tuple of Removal
        By rising numbers.
    """
    atoms = as_atoms(atoms)
    if not counts:
        raise InputError("remove", expected="at least one species", got="none", advice="such as Se=3")
    present = sorted(set(atoms.get_chemical_symbols()))
    for species in counts:
        if species not in present:
            raise unknown_name("remove", species, present)
    sites = find_sites(atoms, tuple(sorted(counts)), region=region, depth=depth, apart=apart, tolerance=tolerance)
    numbers = {species: _numbers(species, wanted) for species, wanted in counts.items()}
    lengths = dict(zip(sites.species, np.diff((0, *sites.ends)).tolist(), strict=True))
    for species, wanted in numbers.items():
        if wanted[-1] > lengths[species]:
            raise InputError(
                f"remove {species}",
                expected=f"at most {lengths[species]}, for so many may go",
                got=wanted[-1],
                advice="take fewer, or repeat the structure",
            )
    combinations = [dict(zip(numbers, values, strict=True)) for values in product(*numbers.values())]
    charges = formal_charges(atoms.get_chemical_formula()) if charge else {}
    whole = sum(charges[symbol] for symbol in atoms.get_chemical_symbols()) if charge else 0.0
    kept = [
        one
        for one in combinations
        if any(one.values())
        and (charge is None or charge[0] <= whole - sum(charges[s] * n for s, n in one.items()) <= charge[1])
    ]
    if not kept:
        raise InputError("charge", expected="counts that leave it", got=charge, advice="widen the counts or the charge")
    return tuple(Removal(parent=atoms, counts=one, sites=sites) for one in sorted(kept, key=_size))


def _rising(columns: NDArray[np.int32]) -> NDArray[np.int32]:
    """Sorted along the first axis; few long rows by exchanging neighbours, which beats sorting every column."""
    if len(columns) > MOST_EXCHANGED:
        return np.sort(columns, axis=0)
    rows = list(columns)
    for last in range(len(rows) - 1, 0, -1):
        for i in range(last):
            rows[i], rows[i + 1] = np.minimum(rows[i], rows[i + 1]), np.maximum(rows[i], rows[i + 1])
    return np.array(rows)


def _size(counts: Mapping[str, int]) -> tuple[int, ...]:
    return (sum(counts.values()), *counts.values())


def _numbers(species: str, wanted: int | tuple[int, int]) -> range:
    low, high = wanted if isinstance(wanted, tuple) else (wanted, wanted)
    require_whole_number(f"remove {species}", low, 0)
    return range(low, require_whole_number(f"remove {species}", high, low) + 1)
