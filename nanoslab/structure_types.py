"""Structures of pymatgen at the public border: taken wherever `Atoms` are, and given back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from ase import Atoms

from nanoslab.errors import InputError
from nanoslab.selective_dynamics import constraints_from_flags, free_components

if TYPE_CHECKING:
    from pymatgen.core import Molecule, Structure

#: what every function that builds from a structure or measures one takes
AnyStructure: TypeAlias = "Atoms | Structure | Molecule"
#: what a builder says of its structure, carried both ways
_CARRIED = ("recipe", "ledger")


def as_atoms(structure: AnyStructure) -> Atoms:
    """Atoms of a pymatgen ``Structure`` or ``Molecule``; `Atoms` are given back as they are.

    Selective dynamics become constraints; the site property ``magmom``, or else the spin of the species, initial
    moments [Bohr magnetons]; oxidation states are left out, for formal charges follow from the composition.

    Raises
    ------
    InputError
        If it is something else, a site is shared, or the whole is charged: `Atoms` cannot say so.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> cell = Structure(Lattice.cubic(4.0), ["Cd", "Se"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> as_atoms(cell).get_chemical_formula()
    'CdSe'
    """
    if isinstance(structure, Atoms):
        return structure
    if not hasattr(structure, "site_properties"):
        expected, got = "ase.Atoms, or a Structure or Molecule of pymatgen", f"a {type(structure).__name__}"
        raise InputError("structure", expected=expected, got=got, advice="read files with ase.io.read")
    _refuse_what_atoms_cannot_say(structure)
    symbols = [str(getattr(site.specie, "element", site.specie)) for site in structure]
    lattice = getattr(structure, "lattice", None)
    if lattice is None:
        atoms = Atoms(symbols, positions=structure.cart_coords)
    else:
        atoms = Atoms(symbols, scaled_positions=structure.frac_coords, cell=lattice.matrix, pbc=lattice.pbc)
    known = structure.site_properties
    if (free := known.get("selective_dynamics")) is not None:
        atoms.set_constraint(constraints_from_flags([[True] * 3 if row is None else row for row in free]))
    moments = known.get("magmom") or [getattr(site.specie, "spin", None) for site in structure]
    if any(moment is not None for moment in moments):
        atoms.set_initial_magnetic_moments([_moment(moment) for moment in moments])
    atoms.info.update({name: structure.properties[name] for name in _CARRIED if name in structure.properties})
    return atoms


def _refuse_what_atoms_cannot_say(structure: Any) -> None:
    if not structure.is_ordered:
        expected, advice = "every site held by one element", "make an ordered cell of it first"
        raise InputError("structure", expected=expected, got=structure.formula, advice=advice)
    if charge := getattr(structure, "_charge", None):
        expected, advice = "a neutral cell or molecule", "set its charge to 0: engines compute neutral cells"
        raise InputError("structure", expected=expected, got=f"a charge of {charge:+g} e", advice=advice)


def _moment(moment: Any) -> Any:
    """Collinear moment as a number, three components as they are; zero where none is given."""
    if moment is None:
        return 0.0
    return moment.moment if hasattr(moment, "moment") else moment


def to_structure(atoms: Atoms) -> Structure | Molecule:
    """Return a pymatgen ``Structure`` of atoms in a cell with three vectors, a ``Molecule`` of others.

    Constraints become ``selective_dynamics`` (along the lattice vectors), initial moments ``magmom``; recipe and
    structure summary stand in ``properties``.

    Raises
    ------
    InputError
        If a constraint does not act along lattice vectors.

    Examples
    --------
    >>> from ase.build import bulk
    >>> to_structure(bulk("CdSe", "zincblende", a=6.05)).reduced_formula
    'CdSe'
    """
    from pymatgen.core import Lattice, Molecule, Structure

    sites: dict[str, list[Any]] = {}
    if atoms.has("initial_magmoms"):
        sites["magmom"] = np.asarray(atoms.get_initial_magnetic_moments()).tolist()
    carried = {name: atoms.info[name] for name in _CARRIED if name in atoms.info}
    if atoms.cell.rank < 3:
        return Molecule(
            atoms.get_chemical_symbols(), atoms.positions, site_properties=sites or None, properties=carried
        )
    if atoms.constraints:
        sites["selective_dynamics"] = free_components(atoms).tolist()
    return Structure(
        Lattice(atoms.cell.array, pbc=tuple(map(bool, atoms.pbc))),
        atoms.get_chemical_symbols(),
        atoms.get_scaled_positions(wrap=False),
        site_properties=sites or None,
        properties=carried,
    )
