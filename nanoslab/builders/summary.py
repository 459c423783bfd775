"""The summary of a built structure: what it holds, its formal charge and dipole, its planes, thickness and vacuum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.builders.ligand import ligand_record
from nanoslab.errors import InputError
from nanoslab.slab_geometry import PLANE_TOLERANCE, Plane, find_planes, in_plane_area, slab_heights
from nanoslab.species import cations_first, formal_charges
from nanoslab.structure_types import AnyStructure, as_atoms


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureSummary:
    """Everything to be counted on a structure; None where a thing has no meaning, such as planes of a nanocrystal."""

    counts: Mapping[str, int]  #: atoms of every species, those of the crystal first, cations before anions
    charges: Mapping[str, float]  #: formal charge of every species of the crystal [e]
    formal_charge: float  #: of the whole, the ligands' included [e]; 0 when it is stoichiometric
    #: of the crystal's formal charges [e Å]: along the normal of a slab about its middle, 0 for a symmetric one; the
    #: vector about the mean position, shape (3,), of a nanocrystal
    dipole: float | tuple[float, float, float]
    planes: tuple[Plane, ...] | None = None  #: atomic planes of the slab or slabs from the bottom up
    thickness: float | None = None  #: between the outermost nuclei of the slab or slabs, along the normal [Å]
    #: between the outermost nuclei, ligands included, and the next image, along the normal [Å]
    vacuum: float | None = None
    area: float | None = None  #: in-plane area of the cell [Å²]
    diameter: float | None = None  #: of the sphere with the nanocrystal's volume [Å]
    #: bonds of the nanocrystal's least bonded atom, and of all in the mean
    fewest_bonds: int | None = None
    mean_bonds: float | None = None
    #: name, numbers and coverage on the two faces, charges [e], clearance and tilts of the ligands
    ligands: Mapping[str, Any] | None = None

    @property
    def termination(self) -> tuple[str, str] | None:
        """Species of the lowest and of the highest plane."""
        return (self.planes[0].species, self.planes[-1].species) if self.planes else None

    @property
    def ratio(self) -> str:
        """Counts of the crystal's species and their ratio to the first, such as ``14:12 = 1:0.857``."""
        numbers = [self.counts[species] for species in self.charges]
        relative = ":".join(f"{number / numbers[0]:.4g}" if numbers[0] else "-" for number in numbers)
        return f"{':'.join(map(str, numbers))} = {relative}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON, units in the key names; the same keys for every kind of structure."""
        planes = self.planes or ()
        return {
            "counts": dict(self.counts),
            "ratio": self.ratio,
            "formal_charges_e": dict(self.charges),
            "formal_charge": self.formal_charge,
            "dipole_eA": self.dipole if isinstance(self.dipole, float) else list(self.dipole),
            "n_planes": len(planes) or None,
            "planes": [{"height_A": plane.height, "counts": dict(plane.counts)} for plane in planes] or None,
            "termination": self.termination and list(self.termination),
            "thickness_A": self.thickness,
            "vacuum_A": self.vacuum,
            "area_A2": self.area,
            "diameter_A": self.diameter,
            "fewest_bonds": self.fewest_bonds,
            "mean_bonds": self.mean_bonds,
            "ligands": self.ligands and dict(self.ligands),
        }


def sheet_ledger(
    atoms: AnyStructure, *, charges: Mapping[str, float] | None = None, plane_tolerance: float = PLANE_TOLERANCE
) -> StructureSummary:
    """Summary of a sheet or double slab whose vacuum lies along the third lattice vector.

    Ligands that the recipe tells of count with their atoms and their charge, not as planes.

    Parameters
    ----------
    atoms
        The slab; it may lie across the cell border.
    charges
        Formal charge of every species of the crystal [e]; from the common oxidation states when not given.
    plane_tolerance
        A step in height larger than this starts the next plane [Å]; smaller for stepped faces such as (113).

    Examples
    --------
    >>> sheet = Atoms("CdSe", positions=[(0, 0, 1), (2, 2, 3)], cell=[4, 4, 14], pbc=True)
    >>> summary = sheet_ledger(sheet)
    >>> summary.termination, summary.dipole, summary.vacuum
    (('Cd', 'Se'), -4.0, 12.0)
    """
    atoms = as_atoms(atoms)
    ligands, ligand_charge = _ligands(atoms.info.get("recipe", {}))
    crystal = np.setdiff1d(np.arange(len(atoms)), ligands)
    slab = atoms[crystal]
    all_heights, period = slab_heights(atoms)  # ligands fill a gap that may be wider than the vacuum
    heights = all_heights[crystal] - all_heights[crystal].min()
    species = slab.get_chemical_symbols()
    if charges is None:
        charges = formal_charges(slab.get_chemical_formula())
    if unknown := set(species) - set(charges):
        raise InputError("charges", expected="one of every species", got=f"none of {', '.join(sorted(unknown))}")
    thickness = float(heights.max())
    dipole = float(np.array([charges[one] for one in species]) @ (heights - thickness / 2))
    return StructureSummary(
        counts=count_species(atoms, species),
        charges={one: charges[one] for one in cations_first(species)},
        formal_charge=sum(charges[one] for one in species) + ligand_charge,
        dipole=0.0 if abs(dipole) < 1e-6 else dipole,
        planes=find_planes(slab, plane_tolerance, heights),
        thickness=thickness,
        vacuum=period - float(all_heights.max()),
        area=in_plane_area(atoms),
    )


def count_species(atoms: Atoms, crystal: list[str]) -> dict[str, int]:
    """Atoms of every species, those of the crystal first with cations before anions."""
    counts = Counter(atoms.get_chemical_symbols())
    return {species: counts[species] for species in [*cations_first(crystal), *counts]}


def _ligands(recipe: Any) -> tuple[NDArray[np.intp], float]:
    """Indices of the ligands' atoms and the charge of all ligands [e]; a displaced start has those of its parent."""
    while isinstance(recipe, dict) and recipe.get("builder") == "rattle":
        recipe = recipe.get("parameters", {}).get("parent")
    if not (molecules := recipe.get("ligand_indices") if isinstance(recipe, dict) else None):
        return np.zeros(0, dtype=np.intp), 0.0
    charge = ligand_record(str(recipe.get("parameters", {}).get("ligand"))).formal_charge
    return np.concatenate(molecules), float(charge * len(molecules))
