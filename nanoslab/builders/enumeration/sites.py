"""Atoms that may be removed, in an order that geometry gives, with the permutations and pairs that matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.builders.enumeration.particle import is_particle, particle_permutations, particle_positions
from nanoslab.errors import InputError, unknown_name
from nanoslab.slab_geometry import empty_height, plane_numbers, slab_heights, upright_slab
from nanoslab.symmetry import site_permutations

REGIONS = ("any", "top", "bottom", "both")
#: a structure with less empty space between its faces has none [Å]
LEAST_VACUUM = 4.0
#: coordinates that differ by less are the same when atoms are put in order [Å], and depths and distances at a limit
SAME = 0.01
_HEX = np.array([f"{value:04x}" for value in range(1 << 16)], dtype="S4")


@dataclass(frozen=True)
class Sites:
    """Atoms in question.

    Attributes
    ----------
    species
        In alphabetical order.
    indices
        Of the atoms in question, species after species, from the top down and across the plane; shape (n_points,).
    ends
        Where each species ends in `indices`.
    permutations
        Of the atoms in question among themselves, shape (n_operations, n_points).
    conflicts
        Pairs that may not go together, (n_points, n_points), or None.
    places, n_of_species
        Place of every atom in question among all atoms of its species, and how many of each species there are.
    """

    species: tuple[str, ...]
    indices: NDArray[np.intp]
    ends: tuple[int, ...]
    permutations: NDArray[np.intp]
    conflicts: NDArray[np.bool_] | None
    places: NDArray[np.intp]
    n_of_species: tuple[int, ...]

    def names(self, members: NDArray[np.intp]) -> NDArray[np.bytes_]:
        """Identifiers of subsets of the points, shape (n_subsets,), from their members (n_subsets, size)."""
        widths = [(len(one) + 1 + bool(n), 2 * -(-self.n_of_species[n] // 8)) for n, one in enumerate(self.species)]
        rows = np.empty(len(members), dtype=",".join(f"S{width}" for pair in widths for width in pair))
        # members rise, so that each species has its own columns, as many in every row
        edges = np.searchsorted(members[0], (0, *self.ends)).tolist() if len(members) else [0] * (len(widths) + 1)
        for number, species in enumerate(self.species):
            words = np.zeros((len(members), -(-self.n_of_species[number] // 64)), dtype=np.uint64)
            bits = np.zeros((len(self.indices), words.shape[1]), dtype=np.uint64)
            own = np.arange((0, *self.ends)[number], self.ends[number])
            bits[own, self.places[own] // 64] = np.uint64(1) << (63 - self.places[own] % 64).astype(np.uint64)
            for column in members.T[edges[number] : edges[number + 1]]:
                words |= bits.take(column, axis=0)
            quads = words.astype(">u8").view(">u2").astype(np.intp)
            rows[f"f{2 * number}"] = f"{'.' if number else ''}{species}-".encode()
            rows[f"f{2 * number + 1}"] = _HEX.take(quads).view(f"S{16 * words.shape[1]}").ravel()
        return rows.view(f"S{rows.itemsize}")


def find_sites(
    atoms: Atoms,
    species: Sequence[str],
    *,
    region: str,
    depth: tuple[float, float] | None,
    apart: tuple[float, float] | None,
    tolerance: float,
) -> Sites:
    """Atoms of some species that may be removed; see `nanoslab.builders.enumeration.removals`."""
    if region not in REGIONS:
        raise unknown_name("region", region, REGIONS)
    particle = is_particle(atoms, LEAST_VACUUM)
    if region != "any" and (particle or empty_height(atoms) < LEAST_VACUUM):
        raise InputError(
            "structure",
            expected=f"a sheet with at least {LEAST_VACUUM:g} Å of vacuum for region {region!r}",
            got="a particle" if particle else f"{empty_height(atoms):.3f} Å",
            advice="take region any",
        )
    depths = _depths(atoms, particle)
    ordered = {one: in_order(atoms, one, particle) for one in species}
    chosen = []
    for one in species:
        own = ordered[one]
        inside = np.ones(len(own), dtype=bool) if depth is None else _within(depths[own], depth)
        chosen.append(own[inside & _in_region(atoms, own, region)])
    indices = np.concatenate(chosen)
    places = [np.flatnonzero(np.isin(ordered[one], own)) for one, own in zip(species, chosen, strict=True)]
    if not len(indices):
        raise InputError("depth", expected="at least one atom there", got=depth, advice="widen it")
    permutations = permutations_of(atoms, indices, tolerance)
    return Sites(
        species=tuple(species),
        indices=indices,
        ends=tuple(np.cumsum([len(own) for own in chosen]).tolist()),
        permutations=permutations,
        conflicts=None if apart is None else _conflicts(_distances(atoms, indices, permutations), apart),
        places=np.concatenate(places),
        n_of_species=tuple(len(ordered[one]) for one in species),
    )


def in_order(atoms: Atoms, species: str, particle: bool) -> NDArray[np.intp]:
    """Atoms of a species by layers from the top down, in a layer upwards and across; the file's order plays no part."""
    members = np.flatnonzero(atoms.symbols == species)
    if particle:
        x, y, z = np.rint(particle_positions(atoms)[members] / SAME).T
        return np.asarray(members[np.lexsort((x, y, z))[::-1]])
    heights = slab_heights(atoms)[0][members]
    across = atoms.get_scaled_positions()[members][:, :2] * atoms.cell.lengths()[:2]
    a, b = (np.rint(across / SAME) % np.rint(atoms.cell.lengths()[:2] / SAME)).T
    layers = plane_numbers(heights)
    return np.asarray(members[np.lexsort((a, b, np.rint(heights / SAME), -layers))])


def permutations_of(atoms: Atoms, indices: NDArray[np.intp], tolerance: float) -> NDArray[np.intp]:
    """Permutations of some atoms among themselves, by operations that keep frozen atoms frozen."""
    if is_particle(atoms, LEAST_VACUUM):
        everywhere = particle_permutations(atoms, tolerance)
    else:
        has_vacuum = empty_height(atoms) >= LEAST_VACUUM
        everywhere = site_permutations(upright_slab(atoms) if has_vacuum else atoms, tolerance)
    marks = np.array(_marks(atoms))
    kept = everywhere[(marks[everywhere] == marks).all(axis=1)]
    place = np.full(len(atoms), -1)
    place[indices] = np.arange(len(indices))
    images = place[kept[:, indices]]
    return np.unique(images[(images >= 0).all(axis=1)], axis=0)


def _marks(atoms: Atoms) -> list[int]:
    """A number per atom, equal for atoms under the same constraints and with the same initial moment."""
    texts: list[Any] = [f"{moment}" for moment in np.round(atoms.get_initial_magnetic_moments(), 6)]
    for constraint in atoms.constraints:
        description = constraint.todict()
        description["kwargs"] = {k: v for k, v in description["kwargs"].items() if k not in ("a", "indices")}
        for index in constraint.get_indices():
            texts[index] += repr(description)
    known = {text: number for number, text in enumerate(sorted(set(texts)))}
    return [known[text] for text in texts]


def _depths(atoms: Atoms, particle: bool) -> NDArray[np.float64]:
    """Below the nearer face of a sheet, below the farthest atom of a particle [Å]; shape (n_atoms,)."""
    if particle:
        radii = np.linalg.norm(particle_positions(atoms), axis=1)
        return np.asarray(radii.max() - radii)
    heights = slab_heights(atoms)[0]
    return np.asarray(np.minimum(heights.max() - heights, heights))


def _in_region(atoms: Atoms, members: NDArray[np.intp], region: str) -> NDArray[np.bool_]:
    if region == "any":
        return np.ones(len(members), dtype=bool)
    layers = plane_numbers(slab_heights(atoms)[0][members])
    top, bottom = layers == layers.max(), layers == 0
    return np.asarray({"top": top, "bottom": bottom, "both": top | bottom}[region])


def _distances(atoms: Atoms, indices: NDArray[np.intp], permutations: NDArray[np.intp]) -> NDArray[np.float64]:
    """Distances of the atoms in question, nearest images, (n_points, n_points) [Å]; exactly invariant."""
    distances = atoms[indices].get_all_distances(mic=bool(atoms.pbc.any()))
    mean: NDArray[np.float64] = np.zeros_like(distances)
    for row in permutations:
        mean += distances[np.ix_(row, row)]
    # rounded, so that the order in which they were added does not decide at a limit
    return np.asarray((mean / len(permutations)).round(6))


def _conflicts(distances: NDArray[np.float64], apart: tuple[float, float]) -> NDArray[np.bool_]:
    outside = ~_within(distances, apart)
    np.fill_diagonal(outside, False)
    return outside


def _within(values: NDArray[np.float64], limits: tuple[float, float]) -> NDArray[np.bool_]:
    low, high = limits
    if not 0 <= low <= high:
        raise InputError("limits", expected="two lengths, the smaller first", got=limits, advice="such as 0 5")
    return (values >= low - SAME) & (values <= high + SAME)
