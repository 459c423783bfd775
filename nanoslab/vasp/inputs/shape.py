"""What a cell looks like to a deck: vacuum, angles, centre of mass, an atom alone."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.slab_geometry import widest_gap

#: an empty layer wider than this is vacuum, not a crystal's own spacing [Å]
ISOLATED_GAP = 6.0

_PERPENDICULAR = 1e-4  # cosine below which two vectors are perpendicular (0.006 degrees)


def empty_widths(atoms: Atoms) -> tuple[float, float, float]:
    """Widest empty layer between nuclei, perpendicular to each pair of lattice vectors [Å]."""
    heights = 1 / np.linalg.norm(np.asarray(atoms.cell.reciprocal()), axis=1)
    widths = [widest_gap(column)[0] * height for column, height in zip(_fractions(atoms).T, heights, strict=True)]
    first, second, third = (round(float(width), 9) for width in widths)
    return first, second, third


def is_isolated_atom(atoms: Atoms) -> bool:
    """One atom, with vacuum in all three directions."""
    return len(atoms) == 1 and min(empty_widths(atoms)) > ISOLATED_GAP


def is_third_vector_perpendicular(atoms: Atoms) -> bool:
    """Third lattice vector at right angles to the first two."""
    directions = np.asarray(atoms.cell) / atoms.cell.lengths()[:, None]
    return bool(np.abs(directions[:2] @ directions[2]).max() < _PERPENDICULAR)


def is_hexagonal_like(atoms: Atoms) -> bool:
    """Two lattice vectors of one length at 60 or 120 degrees: hexagonal, primitive fcc, bcc or rhombohedral."""
    lengths, angles = atoms.cell.lengths(), atoms.cell.angles()
    is_usual = np.minimum(np.abs(angles - 60), np.abs(angles - 120)) < 0.1
    pairs = enumerate(((1, 2), (0, 2), (0, 1)))
    return any(is_usual[i] and abs(lengths[j] - lengths[k]) < 1e-3 * lengths[j] for i, (j, k) in pairs)


def centre_of_mass(atoms: Atoms) -> NDArray[np.float64]:
    """Centre of mass in fractions of the lattice vectors, of the slab or molecule that the cell may cut in two."""
    fractions = _fractions(atoms)
    start = np.array([widest_gap(column)[1] for column in fractions.T])  # where matter begins behind the widest gap
    centre = start + np.average((fractions - start) % 1.0, axis=0, weights=atoms.get_masses())
    return np.asarray(np.round(centre % 1.0, 12) % 1.0)


def _fractions(atoms: Atoms) -> NDArray[np.float64]:
    # coordinates a rounding below 1 are the same plane as those at 0
    fractions: NDArray[np.float64] = np.round(atoms.get_scaled_positions(wrap=False), 9) % 1.0
    return fractions
