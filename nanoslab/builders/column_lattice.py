"""A rock-salt or zinc-blende crystal seen along [001]: columns of atoms on a square lattice, plane after plane."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.crystals import crystal_names, crystal_record, load_crystal, make_recipe
from nanoslab.errors import InputError
from nanoslab.species import cations_first
from nanoslab.structure_types import AnyStructure
from nanoslab.symmetry import crystal_symmetry, standard_cell

Kind = Literal["rocksalt", "zincblende"]

#: international number -> structure, for cells of four formula units
_KINDS: dict[int, Kind] = {225: "rocksalt", 216: "zincblende"}

#: in-plane offsets of successive zinc-blende planes, in column spacings
_ZINCBLENDE_OFFSETS = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5))


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnLattice:
    """A {001} facet of a cubic compound, its cation at the origin of plane 0; `lattice` says whose edge [Å] it has."""

    name: str
    kind: Kind
    cation: str
    anion: str
    lattice_constant: float
    lattice: str = "given"

    @property
    def parameters(self) -> dict[str, Any]:
        """What recipes record of it, units in the key names."""
        return {"crystal": self.name, "lattice": self.lattice, "lattice_constant_A": self.lattice_constant}

    @property
    def spacing(self) -> float:
        """Distance between neighbouring columns [Å]."""
        return self.lattice_constant / (2.0 if self.kind == "rocksalt" else 2.0**0.5)

    @property
    def plane_spacing(self) -> float:
        """Distance between successive atomic planes [Å]."""
        return self.lattice_constant / (2.0 if self.kind == "rocksalt" else 4.0)

    @property
    def bond_length(self) -> float:
        """Distance between nearest neighbours [Å]."""
        return self.lattice_constant * (0.5 if self.kind == "rocksalt" else 3.0**0.5 / 4.0)

    @property
    def lateral_period(self) -> int:
        """Number of columns after which the species repeat along an axis."""
        return 2 if self.kind == "rocksalt" else 1

    def species(self, i: int, j: int, k: int) -> str:
        """Symbol of the atom of column (i, j) in plane k."""
        parity = i + j + k if self.kind == "rocksalt" else k
        return self.cation if parity % 2 == 0 else self.anion

    def position(self, i: int, j: int, k: int) -> NDArray[np.float64]:
        """Ideal position of the atom of column (i, j) in plane k [Å]."""
        x, y = _ZINCBLENDE_OFFSETS[k % 4] if self.kind == "zincblende" else (0.0, 0.0)
        return np.array([(i + x) * self.spacing, (j + y) * self.spacing, k * self.plane_spacing])


def column_lattice(
    source: str | Path | AnyStructure, *, lattice: str | None = None, lattice_constant: float | None = None
) -> ColumnLattice:
    """Columns of a named crystal, a file or atoms; named lattice constants (``pbe`` if known) or an edge [Å]."""
    if isinstance(source, str | Path) and str(source) in crystal_names():
        named = crystal_record(str(source)).lattices
        lattice = lattice or ("pbe" if "pbe" in named else next(iter(named)))
    name = str(source) if isinstance(source, str | Path) else "crystal"
    found = _recognized(load_crystal(source, lattice), name, lattice or "given")
    if lattice_constant is None:
        return found
    if not (math.isfinite(lattice_constant) and lattice_constant > 0):
        raise InputError("lattice constant", expected="a length above 0 Å", got=lattice_constant, advice="give 6.2")
    return replace(found, lattice_constant=lattice_constant, lattice="given")


def build_block(lattice: ColumnLattice, lateral: tuple[int, int]) -> Atoms:
    """Bulk crystal of that many columns along the two sides, about as high as the first side is long."""
    if min(lateral) < 1 or any(count % lattice.lateral_period for count in lateral):
        raise InputError("lateral", expected=f"multiples of {lattice.lateral_period}", got=lateral, advice="give 6 6")
    side = lateral[0] * lattice.spacing
    period = 2 if lattice.kind == "rocksalt" else 4  # planes after which a column repeats
    planes = period * max(1, round(side / lattice.plane_spacing / period))
    sites = [(i, j, k) for k in range(planes) for j in range(lateral[1]) for i in range(lateral[0])]
    sites.sort(key=lambda site: lattice.species(*site) != lattice.cation)
    atoms = Atoms(
        [lattice.species(*site) for site in sites],
        positions=[lattice.position(*site) for site in sites],
        cell=np.diag([side, lateral[1] * lattice.spacing, planes * lattice.plane_spacing]),
        pbc=True,
    )
    atoms.wrap()
    atoms.info["recipe"] = make_recipe("block", **lattice.parameters, lateral=list(lateral), planes=planes)
    return atoms


def _recognized(atoms: Atoms, name: str, lattice: str) -> ColumnLattice:
    symmetry = crystal_symmetry(atoms)
    symbols = list(dict.fromkeys(atoms.get_chemical_symbols()))
    cube = standard_cell(atoms, to_primitive=False)
    kind = _KINDS.get(symmetry.number)
    if kind is None or len(symbols) != 2 or len(cube) != 8:
        got = f"{name} ({atoms.get_chemical_formula()}, {symmetry.symbol})"
        advice = "necks and sandwiches are built on {001} facets of these two structures"
        raise InputError("crystal", expected="a binary rock-salt or zinc-blende crystal", got=got, advice=advice)
    cation, anion = cations_first(symbols)
    edge = round(float(cube.get_volume()) ** (1.0 / 3.0), 9)
    return ColumnLattice(name=name, kind=kind, cation=cation, anion=anion, lattice_constant=edge, lattice=lattice)
