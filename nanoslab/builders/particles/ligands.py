"""What is bound to the surface of a particle: anions (X), neutral molecules (L), salts (Z), or pseudo-hydrogen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, covalent_radii
from ase.formula import Formula
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from nanoslab.builders.ligand import ligand, ligand_names, ligand_record
from nanoslab.builders.ligand_pose import Anchor, find_pose
from nanoslab.builders.particles.sites import CLOSEST, Sites, bond_length
from nanoslab.errors import InputError, unknown_name
from nanoslab.species import cations_first

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
Lengths = dict[frozenset[str], float]

PSEUDO_HYDROGEN = "pseudo-hydrogen"
_HALIDES = ("F", "Cl", "Br", "I")
#: surroundings that a molecule can touch reach this far beyond it [Å]
_AROUND = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ligands:
    """Ligands of one kind.

    Attributes
    ----------
    name
        A halide such as ``Cl`` or a molecule with charge -1 (X), a neutral molecule (L), a salt such as ``CdCl2`` (Z:
        its metal takes a site of the crystal), or ``pseudo-hydrogen`` on every bond that is cut.
    count
        How many. When not given: X and Z replace the anions that lack more than one bond, as many as the charge needs;
        L binds to every metal atom that lacks a bond and has room.
    """

    name: str
    count: int | None = None

    def __post_init__(self) -> None:
        """Refuse what is no ligand, and a number that is none."""
        if self.count is not None and (self.count < 1 or self.name == PSEUDO_HYDROGEN):
            raise InputError("ligands", expected="1 or more", got=self.count, advice="pseudo-hydrogen needs no number")
        if self.name != PSEUDO_HYDROGEN and self.salt is None and self.name not in _HALIDES:
            try:
                ligand_record(self.name)
            except InputError:
                names = [*_HALIDES, "CdCl2", PSEUDO_HYDROGEN, *ligand_names()]
                raise unknown_name("ligand", self.name, names) from None

    @property
    def salt(self) -> tuple[str, int] | None:
        """Halide of a salt and how many it has; None for other ligands."""
        try:
            counts = Formula(self.name).count()
        except ValueError:
            return None
        halides = [one for one in counts if one in _HALIDES]
        return (halides[0], counts[halides[0]]) if len(counts) == 2 and len(halides) == 1 else None

    @property
    def charge(self) -> float:
        """Of one that is bound beside the crystal's own atoms [e]."""
        if self.name == PSEUDO_HYDROGEN:
            return 0.0
        return -1.0 if self.salt or self.name in _HALIDES else float(ligand_record(self.name).formal_charge)

    @property
    def number(self) -> int | None:
        """Of bound anions or molecules, where it is given."""
        return self.count and self.count * (self.salt[1] if self.salt else 1)

    @property
    def charge_range(self) -> tuple[float, float]:
        """Least and most charge that the ligands bring [e]."""
        if self.number is not None or not self.charge:
            known = self.charge * (self.number or 0)
            return known, known
        return -np.inf, 0.0


def add_ligands(
    sites: Sites, chosen: Mask, ligands: Ligands, context: tuple[float, Lengths]
) -> tuple[Atoms, dict[str, Any]]:
    """Particle with its ligands, and what the summary tells of them.

    `context` is the charge of the whole [e] and the bond lengths of the crystal [Å]. Every place is the site of a
    missing neighbour, drawn to the bond length of the ligand where one metal binds it alone.
    """
    charge, lengths = context
    core = sites.atoms(chosen)
    if ligands.name == PSEUDO_HYDROGEN:
        return _with_hydrogen(sites, chosen, core, lengths)
    metals, places = _places(sites, chosen, ligands, lengths)
    number = ligands.number
    if number is None:
        number = round(float(sites.charges[chosen].sum()) - charge) if ligands.charge else len(np.unique(metals))
    told: dict[str, Any] = {"name": ligands.name, "number": number, "charge_e": ligands.charge * number}
    ranked = _spread(metals, places, number, sites.bonds(chosen)[np.flatnonzero(chosen)])
    if ligands.salt or ligands.name in _HALIDES:
        halide = ligands.salt[0] if ligands.salt else ligands.name
        if len(ranked) < number:
            raise _no_room(number, len(ranked))
        return core + Atoms([halide] * number, positions=places[ranked[:number]]), told
    whole, placed = _with_molecules(core, ligands.name, (metals, places), (ranked, number))
    if placed < number and (ligands.charge or ligands.number is not None):
        raise _no_room(number, placed)
    return whole, {**told, "number": placed}


def _cut_bonds(sites: Sites, chosen: Mask, species: str | None) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Atom and empty site of every bond that is cut, atoms counted among the chosen ones."""
    own = chosen if species is None else chosen & (sites.symbols == species)
    rows = sites.bonded[np.flatnonzero(own)].tocoo()
    cut = ~chosen[rows.coords[1]]
    return np.flatnonzero(own)[rows.coords[0][cut]], rows.coords[1][cut]


def _places(sites: Sites, chosen: Mask, ligands: Ligands, lengths: Lengths) -> tuple[NDArray[np.intp], Vector]:
    """Metal (its number among the chosen atoms) and position of every place for a ligand."""
    metal = cations_first(sites.symbols[chosen])[0]
    atoms, empty = _cut_bonds(sites, chosen, metal)
    _, first, shared = np.unique(empty, return_index=True, return_counts=True)
    atoms, empty = atoms[first], empty[first]
    binding = ligands.salt[0] if ligands.salt else ligands.name
    bond = bond_length(metal, binding if binding in atomic_numbers else "O", lengths)
    outward = sites.positions[empty] - sites.positions[atoms]
    drawn = sites.positions[atoms] + bond * outward / np.linalg.norm(outward, axis=1)[:, None]
    places = np.where((shared == 1)[:, None], drawn, sites.positions[empty])
    return (np.cumsum(chosen) - 1)[atoms], places


def _spread(metals: NDArray[np.intp], places: Vector, number: int, bonds: NDArray[np.intp]) -> NDArray[np.intp]:
    """Order of places: those of metals with the fewest bonds and ligands first, then far from those taken already."""
    order: list[int] = []
    held = bonds.astype(float)
    far = np.full(len(places), 1e3)
    free = np.ones(len(places), dtype=bool)
    for _ in range(min(len(places), max(number, 1) * 2)):
        score = np.where(free, -1e4 * held[metals] + far, -np.inf)
        best = int(np.argmax(score))
        if not free[best]:
            break
        order.append(best)
        free[best] = False
        held[metals[best]] += 1.0
        far = np.minimum(far, np.linalg.norm(places - places[best], axis=1).round(6))
    return np.array(order, dtype=np.intp)


def _with_molecules(
    core: Atoms, name: str, spots: tuple[NDArray[np.intp], Vector], order: tuple[NDArray[np.intp], int]
) -> tuple[Atoms, int]:
    """Particle and number of molecules, each upright in its freest turn; places without room stay empty."""
    record, molecule = ligand_record(name), ligand(name)
    # one atom binds to one metal; both of a carboxylate only where it knows no other way
    binding = min(record.binding_atoms.values(), key=len)
    length = float(molecule.get_all_distances().max())
    whole, placed = core.copy(), 0
    (metals, places), (ranked, number) = spots, order
    for place in ranked:
        if placed == number:
            break
        start = core.positions[metals[place]]
        frame = _upright(places[place] - start)
        near = np.flatnonzero(np.linalg.norm(whole.positions - start, axis=1) < length + _AROUND)
        around = Atoms(whole.numbers[near], positions=(whole.positions[near] - start) @ frame.T)
        around.set_cell([4.0 * (length + _AROUND)] * 3)
        anchor = Anchor(
            metals=(int(np.searchsorted(near, metals[place])),), place=(0.0, 0.0, 0.0), separation=(0.0, 0.0), outward=1
        )
        pose = find_pose(molecule, binding, anchor, around)
        if pose is not None:
            whole += Atoms(molecule.numbers, positions=pose.positions @ frame + start)
            placed += 1
    return whole, placed


def _upright(direction: Vector) -> Vector:
    """Rotation that takes a direction to z."""
    z = direction / np.linalg.norm(direction)
    x = np.cross(z, np.eye(3)[int(np.abs(z).argmin())])
    x /= np.linalg.norm(x)
    return np.array([x, np.cross(z, x), z])


def _with_hydrogen(sites: Sites, chosen: Mask, core: Atoms, lengths: Lengths) -> tuple[Atoms, dict[str, Any]]:
    """Hydrogen on every cut bond; nuclear charges that give each bond two electrons, by element [e].

    An atom of formal charge q and z neighbours brings q/z electrons to a bond as a cation, (8 + q)/z as an anion, so
    that hydrogen brings (8 - q)/z or -q/z (1.5 and 0.5 in II-VI crystals).
    """
    atoms, empty = _cut_bonds(sites, chosen, None)
    every = sites.bonds(np.ones(len(chosen), dtype=bool))
    nuclear: dict[str, float] = {}
    for symbol in np.unique(sites.symbols[chosen]):
        first = int(np.flatnonzero(chosen & (sites.symbols == symbol))[0])
        charge = sites.charges[first]
        nuclear[str(symbol)] = float(((8.0 - charge) if charge > 0 else -charge) / every[first])
    lengths_here = np.array(
        [covalent_radii[atomic_numbers[str(symbol)]] + covalent_radii[1] for symbol in sites.symbols[atoms]]
    )
    outward = sites.positions[empty] - sites.positions[atoms]
    positions = sites.positions[atoms] + outward * (lengths_here / np.linalg.norm(outward, axis=1))[:, None]
    kept = _apart(positions, CLOSEST * bond_length("H", "H", lengths))
    told = {
        "name": PSEUDO_HYDROGEN,
        "number": len(positions),
        "charge_e": -float(sites.charges[chosen].sum()),
        "nuclear_charges_e": nuclear,
        "number_on": {str(one): int((sites.symbols[atoms] == one).sum()) for one in nuclear},
    }
    if not kept:
        raise _no_room(len(positions), len(positions) - 1)
    return core + Atoms(["H"] * len(positions), positions=positions), told


def _apart(positions: Vector, least: float) -> bool:
    return not len(cKDTree(positions).query_pairs(least))


def _no_room(number: int, found: int) -> InputError:
    return InputError(
        "ligands", expected=f"room for {number}", got=f"{found} places", advice="give fewer, or smaller ones"
    )
