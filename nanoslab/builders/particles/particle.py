"""Particles of any crystal: a shape, the charge or composition asked for, and ligands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.builders.particles.balance import Edits, Mask, Total, Wanted, fewest_edits, without_loose
from nanoslab.builders.particles.ligands import Ligands, add_ligands
from nanoslab.builders.particles.shapes import Shape, lay
from nanoslab.builders.particles.sites import Sites, bond_lengths, find_centre, require_apart, sites_within
from nanoslab.builders.recipe import (
    describe_lattice,
    describe_source,
    group_by_species,
    require_positive,
    require_whole_number,
)
from nanoslab.builders.stacking import conventional_cell, shortest_distance
from nanoslab.builders.summary import StructureSummary, count_species
from nanoslab.crystals import load_crystal, make_recipe
from nanoslab.errors import InputError, unknown_name
from nanoslab.species import cations_first, formal_charges
from nanoslab.structure_types import AnyStructure

#: sites are laid out this many shortest distances beyond the shape, as room for atoms and ligands to be put on
_MARGIN = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """What the surface of a particle must be like.

    Attributes
    ----------
    charge
        Formal charge of the particle with its ligands [e]; whatever the shape gives when None.
    stoichiometric
        Whether the atoms of the crystal must also be in its own ratio.
    fewest_bonds
        Of every atom, within the crystal.
    ligands
        What is bound to it; nothing when not given.
    """

    charge: float | None = 0.0
    stoichiometric: bool = False
    fewest_bonds: int = 2
    ligands: Ligands | None = None


def build_particle(
    crystal: str | Path | AnyStructure,
    shape: Shape,
    surface: Surface | None = None,
    *,
    centre: str = "bond",
    vacuum: float = 10.0,
    lattice: str | None = None,
) -> Atoms:
    """Particle of a shape cut from a crystal, with the charge asked for and no atom held by one bond.

    Atoms within the shape that too few bonds hold go first. The others are edited as little as possible: an integer
    programme finds the smallest set of surface atoms to remove and of empty sites to fill that gives the charge and
    leaves every atom its bonds, and proves that no smaller one exists.

    Parameters
    ----------
    crystal
        Name of a reference crystal, path of a structure file, or a crystal of any cell.
    shape
        What is cut.
    surface
        Charge, bonds and ligands; neutral and bare when not given.
    centre
        A species (one of its atoms is the centre), or ``bond`` (the middle of a shortest distance).
    vacuum
        Smallest distance to the next image along each axis of the cubic cell [Å].
    lattice
        Named lattice constants of a reference crystal: ``pbe`` (when not given) or ``experimental``.

    Returns
    -------
    Atoms
        Grouped by species, cations first; ``info`` holds ``recipe`` (with ``edits``) and ``ledger``.

    Raises
    ------
    InputError
        No set of surface atoms gives that charge, or two atoms would be nearer than 80 % of a bond.

    Examples
    --------
    >>> dot = build_particle("CdSe-zincblende", Shape(diameter=2.0))
    >>> dot.get_chemical_formula(), dot.info["ledger"]["formal_charge"], dot.info["recipe"]["edits"]["proven"]
    ('Cd65Se65', 0.0, True)
    """
    surface = surface or Surface()
    cell = conventional_cell(load_crystal(crystal, lattice))
    charges = formal_charges(cell.get_chemical_formula())
    cut = lay(shape, cell)
    reach = cut.reach + _MARGIN * shortest_distance(cell)
    sites = sites_within(cell, charges, find_centre(cell, centre), reach)
    sizes = cut.size(sites.positions)
    inside = cut.inside(sizes)
    if not inside.any():
        raise InputError("diameter", expected="a shape that holds an atom", got=shape.diameter, advice="enlarge it")
    fewest = _fewest_bonds(sites, surface)
    kept = without_loose(sites, inside, fewest)
    wanted = Wanted(totals=_totals(sites, surface, cell), fewest_bonds=fewest)
    # a hollow has its surface too: what lies out there is what lies farthest from the middle of the wall
    depth = np.abs(sizes - (1.0 + cut.hollow) / 2.0) if cut.hollow else sizes
    edits = fewest_edits(sites, kept, depth, wanted)
    recipe = make_recipe(
        "particle",
        crystal=describe_source(crystal),
        lattice=describe_lattice(crystal, lattice),
        **shape.parameters,
        charge=surface.charge,
        stoichiometric=surface.stoichiometric,
        fewest_bonds=surface.fewest_bonds,
        ligand=surface.ligands and surface.ligands.name,
        centre=centre,
        vacuum=vacuum,
    )
    told = {"n_loose_removed": int((inside & ~kept).sum()), **edits.to_dict()}
    return finish_particle(sites, edits.chosen, cell, {**recipe, "edits": told}, (surface, vacuum))


def build_nanocrystal(
    crystal: str | Path | AnyStructure,
    composition: int | Mapping[str, int],
    *,
    facets: Mapping[str, float] | None = None,
    centre: str = "bond",
    vacuum: float = 10.0,
    lattice: str | None = None,
) -> Atoms:
    """Nanocrystal with exactly the atoms asked for, cut as a sphere or along facets.

    Of every species, the sites nearest to the centre are taken: by distance, or by the size of Wulff's polyhedron. Then
    the fewest atoms move that leave none with a single bond, where there is such a way. Parameters as for
    `build_particle`; `composition` is a number of formula units, or atoms of every species.

    Examples
    --------
    >>> dot = build_nanocrystal("CdSe-wurtzite", 33)
    >>> dot.get_chemical_formula(), dot.info["ledger"]["formal_charge"], dot.info["ledger"]["fewest_bonds"]
    ('Cd33Se33', 0.0, 2)
    """
    cell = conventional_cell(load_crystal(crystal, lattice))
    counts = _counts(cell, composition)
    # a composition far from the crystal's own needs the room of its most frequent species
    cells = max(number / (cell.symbols == element).sum() for element, number in counts.items())
    diameter = (6.0 * cell.get_volume() * cells / np.pi) ** (1 / 3) / 10.0
    cut = lay(Shape(kind="wulff" if facets else "sphere", diameter=float(diameter), facets=facets), cell)
    reach = cut.reach + _MARGIN * shortest_distance(cell)
    sites = sites_within(cell, formal_charges(cell.get_chemical_formula()), find_centre(cell, centre), reach)
    sizes = cut.size(sites.positions)
    chosen = np.zeros(len(sizes), dtype=bool)
    totals = []
    for element, number in counts.items():
        own = np.flatnonzero(sites.symbols == element)
        chosen[own[np.argsort(sizes[own].round(6), kind="stable")[:number]]] = True
        totals.append(Total(weights=(sites.symbols == element).astype(float), least=number, most=number))
    try:
        edits = fewest_edits(sites, chosen, sizes, Wanted(totals=totals))
    except InputError:
        edits = Edits(chosen=chosen, n_removed=0, n_added=0, fewest_possible=0)
    recipe = make_recipe(
        "nanocrystal",
        crystal=describe_source(crystal),
        lattice=describe_lattice(crystal, lattice),
        composition=counts,
        facets=None if facets is None else dict(facets),
        centre=centre,
        vacuum=vacuum,
    )
    return finish_particle(sites, edits.chosen, cell, {**recipe, "edits": edits.to_dict()}, (Surface(), vacuum))


def units_of_diameter(crystal: str | Path | AnyStructure, diameter_nm: float, *, lattice: str | None = None) -> int:
    """Formula units in the sphere of a diameter, at the volume that they have in the crystal; at least one."""
    cell = load_crystal(crystal, lattice)
    volume = np.pi / 6 * (10.0 * require_positive("diameter", diameter_nm, "nm")) ** 3
    units = len(cell) / len(cell.symbols.formula.reduce()[0])
    return max(1, round(float(volume / cell.get_volume() * units)))


def box(atoms: Atoms, vacuum: float) -> Atoms:
    """Atoms by species in the middle of a periodic cube that leaves a vacuum [Å] along every axis."""
    boxed = group_by_species(atoms)
    edge = float(np.ptp(boxed.positions, axis=0).max()) + require_positive("vacuum", vacuum, "Å")
    boxed.set_cell([edge] * 3)
    boxed.pbc = True
    boxed.positions += edge / 2 - (boxed.positions.max(axis=0) + boxed.positions.min(axis=0)) / 2
    return boxed


def summarize(atoms: Atoms, charges: Mapping[str, float], volume: float, bonds: NDArray[np.intp]) -> StructureSummary:
    """Summary of a particle without ligands: its formal charges [e], volume [Å³] and the bonds of every atom."""
    charge = np.array([charges[symbol] for symbol in atoms.get_chemical_symbols()])
    x, y, z = charge @ (atoms.positions - atoms.positions.mean(axis=0))
    return StructureSummary(
        counts=count_species(atoms, cations_first(charges)),
        charges={one: charges[one] for one in cations_first(charges)},
        formal_charge=float(charge.sum()),
        dipole=(float(x), float(y), float(z)),
        diameter=float((6 * volume / np.pi) ** (1 / 3)),
        fewest_bonds=int(min(bonds, default=0)),
        mean_bonds=float(np.mean(bonds)),
    )


def _counts(cell: Atoms, composition: int | Mapping[str, int]) -> dict[str, int]:
    species = cations_first(cell.get_chemical_symbols())
    if not isinstance(composition, Mapping):
        units = require_whole_number("composition", composition)
        unit = cell.symbols.formula.reduce()[0].count()
        return {element: units * unit[element] for element in species}
    for element in composition:
        if element not in species:
            raise unknown_name("composition", element, species)
    return {element: require_whole_number(element, composition.get(element, 0), 0) for element in species}


def _fewest_bonds(sites: Sites, surface: Surface) -> NDArray[np.intp]:
    """Fewest bonds on every site; anions lack one at most where ligands with a charge are to replace them."""
    fewest = np.full(len(sites.symbols), surface.fewest_bonds)
    ligands = surface.ligands
    if ligands is None or not ligands.charge or ligands.count is not None:
        return fewest
    anions = sites.charges < 0
    most = sites.bonds(np.ones(len(fewest), dtype=bool)).max()
    return np.where(anions, np.maximum(fewest, most - 1), fewest)


def _totals(sites: Sites, surface: Surface, cell: Atoms) -> list[Total]:
    """Charge of the crystal's atoms that the ligands complete to the one asked for; their ratio where that is fixed."""
    totals = []
    if surface.charge is not None:
        low, high = (0.0, 0.0) if surface.ligands is None else surface.ligands.charge_range
        least, most = surface.charge - high, surface.charge - low
        units = np.unique(np.abs(sites.charges))
        if least == most and not np.any(units) and least:
            raise InputError("charge", expected="0 for a crystal of one element", got=least, advice="leave it out")
        if least == most and len(units) == 1 and units[0] and least % units[0]:
            got = f"{least:g} e"
            raise InputError(
                "charge", expected=f"a multiple of {units[0]:g} e", got=got, advice="add a ligand of charge -1"
            )
        totals.append(Total(weights=sites.charges, least=least, most=most))
    if surface.stoichiometric:
        ratio = {str(one): int(number) for one, number in cell.symbols.formula.reduce()[0].count().items()}
        first, *others = ratio
        for other in others:
            weights = (sites.symbols == other) * float(ratio[first]) - (sites.symbols == first) * float(ratio[other])
            totals.append(Total(weights=weights, least=0.0, most=0.0))
    return totals


def finish_particle(
    sites: Sites, chosen: Mask, cell: Atoms, recipe: dict[str, Any], finish: tuple[Surface, float]
) -> Atoms:
    """Chosen sites with ligands in their box, checked and described; `finish` is the surface and the vacuum [Å]."""
    surface, vacuum = finish
    core = sites.atoms(chosen)
    charges = formal_charges(cell.get_chemical_formula())
    volume = len(core) * cell.get_volume() / len(cell)
    summary = summarize(core, charges, volume, sites.bonds(chosen)[chosen]).to_dict()
    atoms, lengths = core, bond_lengths(cell)
    if surface.ligands is not None:
        atoms, told = add_ligands(sites, chosen, surface.ligands, (surface.charge or 0.0, lengths))
        summary["counts"] = count_species(atoms, list(charges))
        summary["formal_charge"] += told["charge_e"]
        summary["ligands"] = told
    recipe["closest_contact_bonds"] = round(require_apart(atoms, lengths, "give fewer ligands, or others"), 4)
    boxed = box(atoms, vacuum)
    boxed.info = {"recipe": recipe, "ledger": summary}
    return boxed
