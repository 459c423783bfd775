"""Numbers that describe a sheet: thickness, planes, spacings, strain, tilt and eclipse of its bonds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.measure.environment import ANIONS, Environments, cation_anion_bonds, local_environments
from nanoslab.slab_geometry import Plane, find_planes, in_plane_area, slab_heights, slab_normal
from nanoslab.structure_types import AnyStructure, as_atoms
from nanoslab.symmetry import site_permutations


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetMetrics:
    """A sheet in numbers."""

    #: between the outermost nuclei, and between these and their images [Å]
    thickness: float
    vacuum: float
    area: float  #: of the cell in the plane [Å²]
    planes: tuple[Plane, ...]  #: from the bottom to the top
    #: mean angle between the plane and the cation-anion bonds inside the outermost plane; positive when the anion
    #: stands out. None where that plane holds no such bond (polar faces).
    top_tilt_degrees: float | None
    bottom_tilt_degrees: float | None
    environments: Environments

    def mean_eclipsed_bonds(self, indices: tuple[int, ...] | None = None) -> float | None:
        """Mean over atoms with three or four bonds of the number that is 0 in zinc blende and 1 in wurtzite.

        Over some atoms, such as those of a plane, or all; None where no atom has bonds enough to tell.
        """
        telling = np.isin(self.environments.coordination, (3, 4))
        if indices is not None:
            telling &= np.isin(np.arange(len(telling)), indices)
        return float(self.environments.eclipsed_bonds[telling].mean()) if telling.any() else None


def measure_sheet(atoms: AnyStructure) -> SheetMetrics:
    """Measure a sheet whose vacuum lies along the third lattice vector, relaxed or not, anywhere in its cell."""
    atoms = as_atoms(atoms)
    heights, period = slab_heights(atoms)
    planes = find_planes(atoms)
    return SheetMetrics(
        thickness=float(heights.max()),
        vacuum=period - float(heights.max()),
        area=in_plane_area(atoms),
        planes=planes,
        top_tilt_degrees=_tilt(atoms, planes[-1], outward=1.0),
        bottom_tilt_degrees=_tilt(atoms, planes[0], outward=-1.0),
        environments=local_environments(atoms),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class InPlaneStrain:
    """Rotation-free (Biot) strain of a sheet's plane, shape (2, 2), x along the first vector of the reference."""

    tensor: NDArray[np.float64]

    def __post_init__(self) -> None:
        self.tensor.setflags(write=False)

    @property
    def principal(self) -> NDArray[np.float64]:
        """Principal strains, smaller first, shape (2,)."""
        return np.asarray(np.linalg.eigvalsh(self.tensor), dtype=float)

    @property
    def area(self) -> float:
        """Relative change of the area."""
        return float(np.prod(1.0 + self.principal) - 1.0)


def in_plane_strain(sheet: AnyStructure, reference: AnyStructure) -> InPlaneStrain:
    """Strain that takes the in-plane lattice of the reference (the sheet as built, same vectors) to the sheet's."""
    sheet, reference = as_atoms(sheet), as_atoms(reference)
    deformation = np.linalg.inv(_in_plane(reference)) @ _in_plane(sheet)
    left, stretch, _ = np.linalg.svd(deformation)
    return InPlaneStrain(tensor=left @ np.diag(stretch) @ left.T - np.eye(2))


def lateral_spacings(atoms: AnyStructure, shortest: float = 1.0) -> tuple[tuple[int, int, float], ...]:
    """One of each +-(h, k) of the in-plane lattice with its spacing [Å], largest first, down to a shortest one."""
    atoms = as_atoms(atoms)
    reciprocal = np.linalg.inv(_in_plane(atoms)).T
    h_max, k_max = (int(length // shortest) for length in np.linalg.norm(_in_plane(atoms), axis=1))
    indices = [(h, k) for h in range(h_max + 1) for k in range(-k_max, k_max + 1) if (h, k) > (0, 0)]
    rows = [(h, k, float(1.0 / np.linalg.norm(np.array([h, k]) @ reciprocal))) for h, k in indices]
    kept = [row for row in rows if row[2] >= shortest]
    return tuple(sorted(kept, key=lambda row: (-round(row[2], 6), row[0], row[1])))


def _in_plane(atoms: Atoms) -> NDArray[np.float64]:
    """First two lattice vectors in axes of their own plane, rows, lower triangular."""
    a, b = atoms.cell.array[:2]
    x = a / np.linalg.norm(a)
    along = float(b @ x)
    return np.array([[float(a @ x), 0.0], [along, float(np.linalg.norm(b - along * x))]])


def _tilt(atoms: Atoms, plane: Plane, outward: float) -> float | None:
    """Mean tilt of the bonds inside a plane [degrees], positive when the anion stands out."""
    i, j, vectors = cation_anion_bonds(atoms)
    members = np.isin(i, plane.indices) & np.isin(j, plane.indices)
    from_cation = np.array([symbol not in ANIONS for symbol in atoms.get_chemical_symbols()])[i]
    chosen = vectors[members & from_cation]
    if not len(chosen):
        return None
    sines = outward * (chosen @ slab_normal(atoms)) / np.linalg.norm(chosen, axis=1)
    return float(np.degrees(np.arcsin(np.clip(sines, -1.0, 1.0))).mean())


def faces_differ(sheet: Atoms) -> bool:
    """Whether no operation of the sheet turns it over: then it may hold a dipole along its normal."""
    heights, _ = slab_heights(sheet)
    turned = heights.max() - heights
    permuted = heights[site_permutations(sheet)]
    return not bool((np.abs(permuted - turned) < 0.01).all(axis=1).any())
