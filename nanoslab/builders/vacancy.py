"""Every symmetry-distinct way to remove atoms from a sheet, and whole layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.builders.enumeration.counting import count_orbits
from nanoslab.builders.enumeration.orbits import Choice, orbits
from nanoslab.builders.enumeration.sites import LEAST_VACUUM, permutations_of
from nanoslab.builders.recipe import describe_source, require_whole_number
from nanoslab.builders.summary import sheet_ledger
from nanoslab.crystals import make_recipe
from nanoslab.errors import InputError, unknown_name
from nanoslab.slab_geometry import empty_height, plane_numbers, slab_heights
from nanoslab.species import formal_charges
from nanoslab.structure_types import AnyStructure, as_atoms
from nanoslab.symmetry import TOLERANCE

REGIONS = ("any", "top", "bottom", "both", "depth")
#: more structures than this are counted, not made
MOST_STRUCTURES = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Vacancy:
    """One way to remove atoms, for all the ways that symmetry makes the same.

    Attributes
    ----------
    label
        Name such as ``v_Se-surface-1``.
    parent
        The sheet from which atoms are removed.
    species, region
        What was removed, and from where it was chosen.
    removed_indices
        Indices into the parent.
    degeneracy
        Number of ways in the region that are the same as this one.
    depth
        Mean distance of the removed atoms below the outermost nucleus of the face nearer to them [Å].
    layers
        For every removed atom, its layer of that species counted from the top, from 1.
    """

    label: str
    parent: Atoms
    species: str
    region: str
    removed_indices: tuple[int, ...]
    degeneracy: int
    depth: float
    layers: tuple[int, ...]

    @property
    def atoms(self) -> Atoms:
        """The sheet without the removed atoms, in the parent's order, with recipe and ledger."""
        removed = set(self.removed_indices)
        # by index, since deleting refuses every constraint but FixAtoms
        atoms: Atoms = self.parent[[index for index in range(len(self.parent)) if index not in removed]]
        # of the parent: what is left may not say what it lost (Se alone is neutral)
        charges = self.parent.info.get("ledger", {}).get("formal_charges_e")
        charges = charges or formal_charges(self.parent.get_chemical_formula())
        atoms.info = {
            "recipe": make_recipe(
                "vacancy",
                parent=describe_source(self.parent),
                label=self.label,
                species=self.species,
                region=self.region,
                removed_indices=list(self.removed_indices),
                degeneracy=self.degeneracy,
            ),
            "ledger": sheet_ledger(atoms, charges=charges).to_dict() if len(atoms) else {},
        }
        return atoms


@dataclass(frozen=True, slots=True, kw_only=True)
class VacancyCount:
    """How many ways there are: up to symmetry, and in all."""

    n_distinct: int
    n_total: int


def distinct_vacancies(
    slab: AnyStructure, species: str, count: int | str, region: str = "any", *, tolerance: float = TOLERANCE
) -> tuple[Vacancy, ...]:
    """Every symmetry-distinct way to remove atoms of a species, with its degeneracy.

    Two ways are the same when an operation of the sheet's space group maps one onto the other; operations that map
    frozen atoms onto free ones do not count.

    Parameters
    ----------
    slab
        Sheet with its vacuum along the third lattice vector; not changed.
    species
        Element to remove.
    count
        Number of atoms to remove, or ``"layer"`` for a whole layer of the species.
    region
        ``top``, ``bottom``: the outermost layer of the species at that face. ``both``: the two outermost layers.
        ``any``: the whole sheet. ``depth``: one atom from each of the `count` topmost layers of the species.
        With ``"layer"``: ``both`` removes both outermost layers at once, ``any`` gives every distinct layer.
    tolerance
        Distance within which symmetry maps atoms onto atoms [Å]; relaxed sheets may need 0.01.

    Returns
    -------
    tuple of Vacancy
        From the top down; the degeneracies add up to all ways there are.

    Examples
    --------
    >>> from nanoslab.builders import build_nanosheet
    >>> sheet = build_nanosheet("CdSe-zincblende", "001", 7)
    >>> [(v.label, v.degeneracy) for v in distinct_vacancies(sheet, "Se", 1, "top")]
    [('v_Se-surface-1', 1)]
    >>> distinct_vacancies(sheet, "Se", "layer", "top")[0].atoms.get_chemical_formula()
    'Cd7Se6'
    """
    slab = as_atoms(slab)
    layers = _species_layers(slab, species)
    _check_region(slab, region)
    chosen = _ways(slab, layers, count, region, tolerance)
    return _label(slab, species, region, layers, chosen, whole_layers=count == "layer")


def count_vacancies(
    slab: AnyStructure, species: str, count: int | str, region: str = "any", *, tolerance: float = TOLERANCE
) -> VacancyCount:
    """How many ways `distinct_vacancies` would give, without making them.

    Parameters
    ----------
    slab, species, count, region, tolerance
        As for `distinct_vacancies`.

    Examples
    --------
    >>> from nanoslab.builders import build_nanosheet
    >>> sheet = build_nanosheet("CdSe-wurtzite", "11-20", 7, repeat=(2, 2))
    >>> count_vacancies(sheet, "Se", 28)
    VacancyCount(n_distinct=478043198405312, n_total=7648690600760440)
    """
    slab = as_atoms(slab)
    layers = _species_layers(slab, species)
    _check_region(slab, region)
    if count == "layer" or region == "depth":
        chosen = _ways(slab, layers, count, region, tolerance)
        return VacancyCount(n_distinct=len(chosen), n_total=sum(degeneracy for _, degeneracy in chosen))
    size = require_whole_number("count", count)
    indices, choice = _choice(slab, layers, size, region, tolerance)
    return VacancyCount(n_distinct=count_orbits(choice), n_total=comb(len(indices), size))


def _ways(
    slab: Atoms, layers: Sequence[NDArray[np.intp]], count: int | str, region: str, tolerance: float
) -> list[tuple[tuple[int, ...], int]]:
    """Removed atoms and degeneracy of every distinct way."""
    if count == "layer":
        return _whole_layers(slab, layers, region, tolerance)
    size = require_whole_number("count", count)
    indices, choice = _choice(slab, layers, size, region, tolerance)
    _check_number(choice)
    parts = list(orbits(choice))
    subsets = np.concatenate([subsets for subsets, _ in parts])
    degeneracies = np.concatenate([numbers for _, numbers in parts])
    order = np.lexsort(subsets.T[::-1])
    removed = [tuple(sorted(one)) for one in indices[subsets[order]].tolist()]
    return list(zip(removed, degeneracies[order].tolist(), strict=True))


def _check_region(slab: Atoms, region: str) -> None:
    if region not in REGIONS:
        raise unknown_name("region", region, REGIONS)
    vacuum = empty_height(slab)
    if region != "any" and vacuum < LEAST_VACUUM:
        expected = f"at least {LEAST_VACUUM:g} Å of vacuum along the third vector for region {region!r}"
        advice = "take region any, or turn the cell so that its faces lie along the third vector"
        raise InputError("slab", expected=expected, got=f"{vacuum:.3f} Å", advice=advice)


def _species_layers(slab: Atoms, species: str) -> list[NDArray[np.intp]]:
    """Indices of every layer of the species, from the top down."""
    present = sorted(set(slab.get_chemical_symbols()))
    if species not in present:
        raise unknown_name("species", species, present)
    if slab.cell.rank != 3:
        raise InputError("slab", expected="a cell of three vectors", got=slab.cell.tolist(), advice="give it a cell")
    members = np.flatnonzero(slab.symbols == species)
    numbers = plane_numbers(slab_heights(slab)[0][members])
    return [members[numbers == number] for number in reversed(range(int(numbers.max()) + 1))]


def _choice(
    slab: Atoms, layers: Sequence[NDArray[np.intp]], size: int, region: str, tolerance: float
) -> tuple[NDArray[np.intp], Choice]:
    """Atoms that may go, from the top down, and what is asked of them: in depth, one atom of each layer."""
    outer = _outer_layers(layers, region)
    chosen = list(layers[:size]) if region == "depth" else list(layers) if region == "any" else outer
    indices = np.concatenate(chosen)
    most = len(layers) if region == "depth" else len(indices)
    if size > most:
        expected, advice = f"at most {most} for region {region!r}", "take fewer, or repeat the sheet in its plane"
        raise InputError("count", expected=expected, got=size, advice=advice)
    permutations = permutations_of(slab, indices, tolerance)
    if region == "depth":
        ends = tuple(np.cumsum([len(layer) for layer in chosen]).tolist())
        return indices, Choice(permutations, ends, (1,) * size)
    return indices, Choice(permutations, (len(indices),), (size,))


def _outer_layers(layers: Sequence[NDArray[np.intp]], region: str) -> list[NDArray[np.intp]]:
    """Topmost, lowest or both layers; a single one is both."""
    top, bottom = layers[:1], layers[-1:] if len(layers) > 1 else []
    return {"top": list(top), "bottom": list(layers[-1:])}.get(region, [*top, *bottom])


def _whole_layers(
    slab: Atoms, layers: Sequence[NDArray[np.intp]], region: str, tolerance: float
) -> list[tuple[tuple[int, ...], int]]:
    if region == "depth":
        raise InputError("region", expected="top, bottom, both or any for a layer", got="depth", advice="pick one")
    sets = list(layers) if region == "any" else [np.concatenate(_outer_layers(layers, region))]
    permutations = permutations_of(slab, np.arange(len(slab)), tolerance)
    kinds: dict[tuple[int, ...], int] = {}
    for members in sets:
        images = {tuple(sorted(row[members].tolist())) for row in permutations}
        same = next((kind for kind in kinds if kind in images), tuple(sorted(members.tolist())))
        kinds[same] = kinds.get(same, 0) + 1
    return list(kinds.items())


def _check_number(choice: Choice) -> None:
    if len(choice.ends) == 1:
        number = count_orbits(choice)
    else:
        number = int(np.prod(np.diff((0, *choice.ends)).astype(float))) // len(choice.permutations)
    if number > MOST_STRUCTURES:
        advice = "remove fewer atoms, only count them (--count-only), or take them as one table (--stream)"
        raise InputError("count", expected=f"at most {MOST_STRUCTURES} distinct structures", got=number, advice=advice)


def _label(
    slab: Atoms,
    species: str,
    region: str,
    layers: Sequence[NDArray[np.intp]],
    chosen: Sequence[tuple[tuple[int, ...], int]],
    *,
    whole_layers: bool,
) -> tuple[Vacancy, ...]:
    layer_of = {int(index): number for number, layer in enumerate(layers, start=1) for index in layer}
    heights, _ = slab_heights(slab)
    depths = np.minimum(heights.max() - heights, heights)
    used: dict[str, int] = {}
    vacancies = []
    for removed, degeneracy in chosen:
        numbers = tuple(layer_of[index] for index in removed)
        stem = _stem(species, region, numbers, len(layers), whole_layers=whole_layers)
        used[stem] = used.get(stem, 0) + 1
        vacancies.append(
            Vacancy(
                label=f"{stem}-{used[stem]}",
                parent=slab,
                species=species,
                region=region,
                removed_indices=removed,
                degeneracy=degeneracy,
                depth=float(depths[list(removed)].mean()),
                layers=numbers,
            )
        )
    return tuple(vacancies)


def _stem(species: str, region: str, numbers: Sequence[int], n_layers: int, *, whole_layers: bool) -> str:
    """Label without its running number, such as ``v_Se-surface``, ``v_2Se-both`` or ``v_Se-layers-both``."""
    if whole_layers:
        where = f"layer{numbers[0]}" if region == "any" else f"layer-{region}"
        return f"v_{species}-{'layers-both' if region == 'both' else where}"
    removed = species if len(numbers) == 1 else f"{len(numbers)}{species}"
    if region == "any" and len(numbers) == 1:
        names = {1: "surface", n_layers: "bottom"}
        return f"v_{removed}-{names.get(numbers[0], f'layer{numbers[0]}')}"
    return f"v_{removed}-{'surface' if region == 'top' else region}"
