"""Where ligands may bind on a facing plane."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.builders.column_lattice import ColumnLattice
from nanoslab.builders.double_slab import LOWER
from nanoslab.builders.ligand_pose import Anchor
from nanoslab.errors import InputError

#: heights of one plane differ by less [Å]
_SAME_PLANE = 0.1


def binding_sites(lattice: ColumnLattice, bare: Atoms, tag: int, mode: str) -> list[Anchor]:
    """Return the metal atoms of a facing plane, or for bridging the pairs of nearest ones.

    Parameters
    ----------
    lattice
        The compound.
    bare
        The slabs without ligands, tagged.
    tag
        Which slab.
    mode
        Of binding.

    Raises
    ------
    InputError
        The facing plane holds no metal.

    Examples
    --------
    >>> from nanoslab.builders.column_lattice import column_lattice
    >>> from nanoslab.builders.double_slab import DoubleSlab, build_double_slab
    >>> slab = DoubleSlab(lattice=column_lattice("PbSe-rocksalt"), gap=8.0, lateral=(4, 4))
    >>> len(binding_sites(slab.lattice, build_double_slab(slab), LOWER, "monodentate"))
    8
    """
    outward = 1 if tag == LOWER else -1
    own = np.flatnonzero(bare.get_tags() == tag)
    heights = bare.positions[own, 2] * outward
    plane = own[heights > heights.max() - _SAME_PLANE]
    metals = [int(index) for index in plane if bare[index].symbol == lattice.cation]
    if not metals:
        name = "lower" if tag == LOWER else "upper"
        raise InputError(
            "face",
            expected=f"a facing plane with {lattice.cation}, to which the ligand binds",
            got=f"the {name} one, which holds {lattice.anion} only",
            advice="choose the other face, or another number of planes",
        )
    if mode != "bridging":
        return [_anchor(bare, (index,), np.zeros(2), outward) for index in metals]
    vectors = bare.get_distances(metals[0], metals, mic=True, vector=True)[:, :2]
    lengths = np.linalg.norm(vectors, axis=1)
    lengths[0] = np.inf
    step = vectors[int(lengths.argmin())]
    anchors = []
    for index in metals:
        change = bare.get_distances(index, metals, mic=True, vector=True)[:, :2]
        other = int(np.linalg.norm(change - step, axis=1).argmin())
        anchors.append(_anchor(bare, (index, metals[other]), step, outward))
    return anchors


def _anchor(bare: Atoms, metals: tuple[int, ...], separation: NDArray[np.float64], outward: int) -> Anchor:
    x, y, z = bare.positions[metals[0]]
    dx, dy = separation
    return Anchor(
        metals=metals,
        place=(float(x + dx / 2.0), float(y + dy / 2.0), float(z)),
        separation=(float(dx), float(dy)),
        outward=outward,
    )
