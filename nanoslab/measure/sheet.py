"""Numbers that describe a sheet: thickness, planes, spacings, strain, tilt and eclipse of its bonds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.measure.environment import ANIONS, Environments, cation_anion_bonds, local_environments
from nanoslab.slab_geometry import Plane, find_planes, in_plane_area, slab_heights, slab_normal


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetMetrics:
    """A sheet in numbers.

    Attributes
    ----------
    thickness
        Distance between the outermost nuclei [Å].
    vacuum
        Between the outermost nuclei and their images [Å].
    area
        Of the cell in the plane [Å²].
    planes
        From the bottom to the top.
    top_tilt_degrees, bottom_tilt_degrees
        Mean angle between the plane and the cation-anion bonds inside the outermost plane; positive when the anion
        stands out. None where that plane holds no such bond (polar faces).
    environments
        Coordination and stacking of every atom.
    """

    thickness: float
    vacuum: float
    area: float
    planes: tuple[Plane, ...]
    top_tilt_degrees: float | None
    bottom_tilt_degrees: float | None
    environments: Environments

    def mean_eclipsed_bonds(self, indices: tuple[int, ...] | None = None) -> float | None:
        """Mean over atoms with three or four bonds of the number that is 0 in zinc blende and 1 in wurtzite.

        Parameters
        ----------
        indices
            Atoms to average over, such as those of a plane; None takes all.

        Returns
        -------
        float or None
            None where no atom has bonds enough to tell.
        """
        telling = np.isin(self.environments.coordination, (3, 4))
        if indices is not None:
            telling &= np.isin(np.arange(len(telling)), indices)
        return float(self.environments.eclipsed_bonds[telling].mean()) if telling.any() else None


def measure_sheet(atoms: Atoms) -> SheetMetrics:
    """Measure a sheet whose vacuum lies along the third lattice vector.

    Parameters
    ----------
    atoms
        Relaxed or not, anywhere in its cell, in any in-plane setting.

    Returns
    -------
    SheetMetrics
        Invariant under translation, wrapping and the choice of the in-plane lattice vectors.

    Raises
    ------
    InputError
        There are no atoms, or no cell.

    Examples
    --------
    >>> from ase.build import bulk, surface
    >>> sheet = surface(bulk("CdSe", "zincblende", a=6.05, cubic=True), (0, 0, 1), 2, vacuum=8, periodic=True)
    >>> [round(plane.height, 2) for plane in measure_sheet(sheet).planes][:3]
    [0.0, 1.51, 3.02]
    """
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
    """Strain of a sheet's plane against a reference, symmetric and free of rotations.

    Attributes
    ----------
    tensor
        Small-rotation-free (Biot) strain in the reference's own axes: x along its first lattice vector, y normal to
        it in the plane; shape (2, 2), dimensionless.
    """

    tensor: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Make the tensor read-only."""
        self.tensor.setflags(write=False)

    @property
    def principal(self) -> NDArray[np.float64]:
        """Principal strains, smaller first, shape (2,)."""
        return np.asarray(np.linalg.eigvalsh(self.tensor), dtype=float)

    @property
    def area(self) -> float:
        """Relative change of the area."""
        return float(np.prod(1.0 + self.principal) - 1.0)


def in_plane_strain(sheet: Atoms, reference: Atoms) -> InPlaneStrain:
    """Strain that takes the reference's in-plane lattice to the sheet's.

    Parameters
    ----------
    sheet
        The sheet as relaxed.
    reference
        The same cell with the bulk's lattice constants (the sheet as built); the same in-plane vectors.

    Examples
    --------
    >>> in_plane_strain(Atoms(cell=[4.04, 5.05, 20]), Atoms(cell=[4, 5, 20])).area.__round__(4)
    0.0201
    """
    deformation = np.linalg.inv(_in_plane(reference)) @ _in_plane(sheet)
    left, stretch, _ = np.linalg.svd(deformation)
    tensor = left @ np.diag(stretch) @ left.T - np.eye(2)
    tensor.setflags(write=False)
    return InPlaneStrain(tensor=tensor)


def lateral_spacings(atoms: Atoms, shortest: float = 1.0) -> tuple[tuple[int, int, float], ...]:
    """Spacings of the rows of the in-plane lattice, as a diffraction pattern along the normal shows them.

    Parameters
    ----------
    atoms
        Only the first two lattice vectors matter.
    shortest
        Smaller spacings are left out [Å].

    Returns
    -------
    tuple of (h, k, d)
        Reflections of the in-plane cell and their spacing [Å], largest first; one of each +-(h, k). A centring of the
        atoms may extinguish some of them.

    Examples
    --------
    >>> [(h, k, round(d, 3)) for h, k, d in lateral_spacings(Atoms(cell=[6.05, 6.05, 30]), 2.0)][:3]
    [(0, 1, 6.05), (1, 0, 6.05), (1, -1, 4.278)]
    """
    reciprocal = np.linalg.inv(_in_plane(atoms)).T
    lengths = np.linalg.norm(_in_plane(atoms), axis=1)
    h_max, k_max = (int(np.floor(length / shortest)) for length in lengths)
    rows = [
        (h, k, float(1.0 / np.linalg.norm(np.array([h, k]) @ reciprocal)))
        for h in range(h_max + 1)
        for k in range(-k_max, k_max + 1)
        if (h, k) > (0, 0)
    ]
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
