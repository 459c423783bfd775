"""Particles of two materials, each on its own lattice: core and shell, rods with caps, Janus particles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from nanoslab.builders.interfaces.coincidence import coincident_cells, rotation_of
from nanoslab.builders.particles.balance import Total, Wanted, fewest_edits, without_loose
from nanoslab.builders.particles.particle import box, summarize
from nanoslab.builders.particles.shapes import Cut, Shape, axis_direction, lay
from nanoslab.builders.particles.sites import CLOSEST, Sites, bond_lengths, find_centre, require_apart, sites_within
from nanoslab.builders.recipe import describe_source, require_positive
from nanoslab.builders.stacking import BOND_REACH, conventional_cell
from nanoslab.crystals import load_crystal, make_recipe
from nanoslab.errors import InputError, unknown_name
from nanoslab.species import formal_charges
from nanoslab.structure_types import AnyStructure

Vector = NDArray[np.float64]
Form = Literal["core-shell", "capped", "janus"]
FORMS = ("core-shell", "capped", "janus")
_MARGIN = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """How two materials share a particle.

    Attributes
    ----------
    form
        ``core-shell`` (the first inside), ``capped`` (the second at both ends of the axis) or ``janus``.
    first_size
        Diameter of the core, or length of the first material between the caps [nm]; half the particle's when not given.
    faces
        Faces of the first and the second crystal that meet; the first's normal is the axis. 0001 or 001 if not given.
    parallel
        Directions of the first and the second crystal, within the faces, that lie along one another; those of the
        smallest coincident cell when not given.
    rotation
        Instead of directions, the turn of the second crystal in the plane [degree]: between the shortest lattice
        vectors of the two faces.
    coherency
        Share of the misfit that the second lattice takes up as strain: 1 meets the first, 0 keeps its own constants.
    largest_strain, largest_area
        What coincident cells may need, see `coincident_cells`.
    """

    form: Form = "core-shell"
    first_size: float | None = None
    faces: tuple[str, str] | None = None
    parallel: tuple[str, str] | None = None
    rotation: float | None = None
    coherency: float = 1.0
    largest_strain: float = 0.1
    largest_area: float = 400.0

    def __post_init__(self) -> None:
        """Refuse a form that does not exist and shares beyond the whole."""
        if self.form not in FORMS:
            raise unknown_name("form", self.form, FORMS)
        if not 0 <= self.coherency <= 1:
            raise InputError("coherency", expected="a share from 0 to 1", got=self.coherency, advice="give 1 or 0")
        if self.parallel is not None and self.rotation is not None:
            raise InputError("rotation", expected="directions or a turn", got="both", advice="leave one of them out")
        if self.first_size is not None:
            require_positive("first size", self.first_size, "nm")


def build_heterostructure(
    first: str | Path | AnyStructure,
    second: str | Path | AnyStructure,
    shape: Shape,
    join: Join | None = None,
    *,
    vacuum: float = 10.0,
    lattice: str | None = None,
) -> Atoms:
    """Neutral particle of two materials, the fewest atoms removed where the lattices are too near one another.

    Both lattices have an atom of a common element (or the middle of a bond) at the same point: the centre of a core,
    a point on the interface of others. Neither is relabelled: rock salt stays rock salt inside zinc blende.

    Parameters
    ----------
    first, second, lattice
        Crystals, as for `build_particle`.
    shape
        Of the whole particle, in the orientation of the first crystal.
    join
        How they share it.
    vacuum
        Smallest distance to the next image along each axis of the cubic cell [Å].

    Returns
    -------
    Atoms with tags 1 and 2 for the two materials; ``info["recipe"]`` holds the coincident cell with its strains.

    Examples
    --------
    >>> dot = build_heterostructure("PbS-rocksalt", "CdS-zincblende", Shape(diameter=3.0), lattice="experimental")
    >>> dot.info["ledger"]["formal_charge"], [round(s, 3) for s in dot.info["recipe"]["coincidence"]["strains"]]
    (0.0, [0.02, 0.02])
    """
    join = join or Join()
    cells = [conventional_cell(load_crystal(crystal, lattice)) for crystal in (first, second)]
    faces = join.faces or ("", "")
    rotation = join.rotation if join.parallel is None else rotation_of((cells[0], cells[1]), faces, join.parallel)
    limits = {"largest_strain": join.largest_strain, "largest_area": join.largest_area}
    found = coincident_cells(cells[0], cells[1], faces, rotation=rotation, **limits)[0]
    turned = cells[1].copy()
    taken = found.deformation(join.coherency, along_normal=join.form == "core-shell")
    turned.set_cell(turned.cell.array @ taken.T, scale_atoms=True)
    charges = {**formal_charges(cells[1].get_chemical_formula()), **formal_charges(cells[0].get_chemical_formula())}
    axis = axis_direction(cells[0], faces[0] or None)
    cut = lay(shape, cells[0])
    sites, material, sizes = _both_lattices((cells[0], turned), charges, (shape, join), (cut, axis))
    inside = without_loose(sites, cut.inside(sizes), 2)
    if len(np.unique(material[inside])) < 2:
        raise InputError("first size", expected="room for both materials", got=join.first_size, advice="change it")
    lengths = bond_lengths(cells[0], turned)
    total = Total(weights=sites.charges, least=0.0, most=0.0)
    edits = fewest_edits(sites, inside, sizes, Wanted(totals=[total], clashes=_clashes(sites, lengths)))
    atoms = sites.atoms(edits.chosen)
    atoms.set_tags(material[edits.chosen])
    volume = sum(
        (atoms.get_tags() == tag).sum() * cell.get_volume() / len(cell) for tag, cell in ((1, cells[0]), (2, turned))
    )
    summary = summarize(atoms, charges, float(volume), sites.bonds(edits.chosen)[edits.chosen]).to_dict()
    recipe: dict[str, Any] = make_recipe(
        "heterostructure",
        crystals=[describe_source(first), describe_source(second)],
        lattice=lattice,
        **shape.parameters,
        form=join.form,
        first_size_nm=_first_size(shape, join),
        faces=list(faces),
        parallel=join.parallel and list(join.parallel),
        rotation_degree=join.rotation,
        coherency=join.coherency,
        vacuum=vacuum,
    )
    recipe |= {"coincidence": found.to_dict(), "edits": edits.to_dict()}
    recipe["closest_contact_bonds"] = round(require_apart(atoms, lengths, "take other faces or sizes"), 4)
    boxed = box(atoms, vacuum)
    boxed.info = {"recipe": recipe, "ledger": summary}
    return boxed


def _first_size(shape: Shape, join: Join) -> float:
    """Diameter of the core or length of the first material [nm]."""
    whole = shape.diameter if join.form == "core-shell" or not shape.extent else shape.extent
    return whole / 2.0 if join.first_size is None else join.first_size


def _both_lattices(
    cells: tuple[Atoms, Atoms], charges: dict[str, float], plan: tuple[Shape, Join], laid: tuple[Cut, Vector]
) -> tuple[Sites, NDArray[np.intp], Vector]:
    """Sites of both crystals, each in its own region; 1 or 2 for the crystal; and how far out each lies."""
    (shape, join), (cut, axis) = plan, laid
    first, second = cells
    common = [one for one in dict.fromkeys(first.get_chemical_symbols()) if one in second.symbols and charges[one] <= 0]
    at = common[0] if common else "bond"
    reach = cut.reach + _MARGIN
    host = sites_within(first, charges, find_centre(first, at), reach)
    half = 5.0 * _first_size(shape, join)
    ends = {"core-shell": [0.0], "capped": [half, -half], "janus": [0.0]}[join.form]
    parts: list[tuple[NDArray[np.str_], Vector]] = [(host.symbols, host.positions)]
    for end in ends:
        anchors = host.positions[host.symbols == at] if common else host.positions
        anchor = anchors[np.argmin(np.linalg.norm(anchors - end * axis, axis=1).round(6))] if end else np.zeros(3)
        guest = sites_within(second, charges, find_centre(second, at), reach + abs(end) + 5.0)
        positions = guest.positions + anchor
        here = (positions @ axis) * end > 0 if end else np.ones(len(positions), dtype=bool)
        parts.append((guest.symbols[here], positions[here]))
    symbols = np.concatenate([part[0] for part in parts])
    positions = np.concatenate([part[1] for part in parts])
    material = np.repeat([1, *([2] * len(ends))], [len(part[0]) for part in parts])
    if join.form == "core-shell":
        belongs = np.linalg.norm(positions, axis=1) if cut.hollow else cut.size(positions) * shape.diameter * 5.0
        own = belongs <= half + 1e-6
    else:
        height = positions @ axis
        own = (np.abs(height) <= half + 1e-6) if join.form == "capped" else (height <= 1e-6)
    kept = own == (material == 1)
    symbols, positions, material = symbols[kept], positions[kept], material[kept]
    sizes = cut.size(positions)
    near = sizes < sizes[cut.inside(sizes)].max(initial=0.0) * (1.0 + 6.0 / max(cut.reach, 6.0))
    symbols, positions, material, sizes = symbols[near], positions[near], material[near], sizes[near]
    weights = np.array([charges[str(one)] for one in symbols])
    bonded = _bonds(symbols, positions, weights, bond_lengths(*cells))
    return Sites(symbols=symbols, positions=positions, charges=weights, bonded=bonded), material, sizes


def _bonds(
    symbols: NDArray[np.str_], positions: Vector, charges: Vector, lengths: dict[frozenset[str], float]
) -> csr_array:
    """Unlike charges (or any atoms of metals) within reach of the bond of their species."""
    reach = BOND_REACH * max(lengths.values())
    first, second = cKDTree(positions).query_pairs(reach, output_type="ndarray").T
    distances = np.linalg.norm(positions[first] - positions[second], axis=1)
    limits = BOND_REACH * _table(symbols, lengths)
    kinds = np.unique(symbols, return_inverse=True)[1]
    unlike = (charges[first] * charges[second] < 0) | ~charges.any()
    kept = unlike & (distances < limits[kinds[first], kinds[second]])
    rows, columns = np.concatenate([first[kept], second[kept]]), np.concatenate([second[kept], first[kept]])
    return csr_array((np.ones(len(rows), dtype=np.intp), (rows, columns)), shape=(len(symbols),) * 2)


def _clashes(sites: Sites, lengths: dict[frozenset[str], float]) -> NDArray[np.intp]:
    """Pairs of sites nearer than 80 % of the bond of their species, or of the nearest like ions of either crystal."""
    pairs = cKDTree(sites.positions).query_pairs(CLOSEST * max(lengths.values()), output_type="ndarray")
    distances = np.linalg.norm(sites.positions[pairs[:, 0]] - sites.positions[pairs[:, 1]], axis=1)
    kinds = np.unique(sites.symbols, return_inverse=True)[1]
    table = _table(sites.symbols, lengths)
    # like ions of two crystals have no distance of their own: the shortest of either crystal stands for it
    charge = {int(kind): sites.charges[kinds == kind][0] for kind in np.unique(kinds)}
    alike = [(i, j) for i in charge for j in charge if charge[i] * charge[j] > 0]
    for i, j in alike:
        table[i, j] = min(table[i, i], table[j, j])
    return np.asarray(pairs[distances < CLOSEST * table[kinds[pairs[:, 0]], kinds[pairs[:, 1]]] - 1e-6])


def _table(symbols: NDArray[np.str_], lengths: dict[frozenset[str], float]) -> Vector:
    """Distance of every pair of species [Å]: of the crystals, else the mean of their shortest ones."""
    names = [str(one) for one in np.unique(symbols)]
    nearest = {one: min(length for pair, length in lengths.items() if one in pair) for one in names}
    return np.array([[lengths.get(frozenset((i, j)), 0.5 * (nearest[i] + nearest[j])) for j in names] for i in names])
