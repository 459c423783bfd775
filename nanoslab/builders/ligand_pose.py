"""Where a ligand may bind on a facet, and a pose of it there that touches nothing but the metal it binds to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import covalent_radii, vdw_radii
from ase.neighborlist import natural_cutoffs, neighbor_list
from numpy.typing import NDArray

from nanoslab.builders.double_slab import LOWER
from nanoslab.errors import InputError
from nanoslab.slab_geometry import PLANE_TOLERANCE

#: metal-ligand distance in sums of covalent radii (Pb-O 2.44 Å, Cd-O 2.42 Å; carboxylates on Pb: 2.4-2.6 Å)
BOND_FACTOR = 1.15
#: smallest distance to anything else, in sums of van der Waals radii
CLEARANCE = 0.75
#: nothing farther away than this is looked at [Å]
_REACH = 5.0
#: clearance where nothing is within reach
_UNTOUCHED = 2.0
_TILTS = np.arange(0.0, 91.0, 10.0)
_AZIMUTHS = np.arange(0.0, 360.0, 15.0)
_SPINS = np.arange(0.0, 360.0, 30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """Where a ligand binds: metal atoms, their mean position [Å], and +1 (up, lower slab) or -1 for out of the facet.

    `separation` is the vector between the two metals of a bridging site, zero for one metal [Å].
    """

    metals: tuple[int, ...]
    place: tuple[float, float, float]
    separation: tuple[float, float]
    outward: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """One placed ligand: positions [Å], tilt from the normal [degree], clearance in van der Waals sums."""

    positions: NDArray[np.float64]
    tilt: float
    clearance: float


def binding_sites(bare: Atoms, metal: str, tag: int, mode: str) -> list[Anchor]:
    """Metal atoms of the facing plane of a tagged slab, or for bridging the pairs of nearest ones."""
    outward = 1 if tag == LOWER else -1
    own = np.flatnonzero(bare.get_tags() == tag)
    heights = bare.positions[own, 2] * outward
    plane = own[heights > heights.max() - PLANE_TOLERANCE]
    metals = [int(index) for index in plane if bare[index].symbol == metal]
    if not metals:
        expected = f"a facing plane with {metal}, to which the ligand binds"
        got = f"the {'lower' if tag == LOWER else 'upper'} one, which holds {bare[int(plane[0])].symbol} only"
        advice = "choose the other face, or another number of planes"
        raise InputError("face", expected=expected, got=got, advice=advice)
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


def find_pose(
    molecule: Atoms, binding: Sequence[int], anchor: Anchor, surroundings: Atoms, *, clearance: float = CLEARANCE
) -> Pose | None:
    """Most upright pose that touches nothing, the freest of those; None where there is none.

    `surroundings` is all that is there, in a cell with right angles; `clearance` the smallest distance to anything but
    the metals of the site, in sums of van der Waals radii.
    """
    upright = _upright(molecule, binding)
    height = _height(molecule, binding, anchor, surroundings)
    for tilt in _TILTS:
        turned = np.array([upright @ turn.T for turn in _turns(tilt, anchor, len(binding))])
        if anchor.outward < 0:
            turned = turned * np.array([1.0, 1.0, -1.0])
        poses = turned + np.array(anchor.place) + np.array([0.0, 0.0, anchor.outward * height])
        free = _clearances(poses, molecule, binding, anchor, surroundings)
        best = int(free.argmax())
        if free[best] >= clearance:
            return Pose(positions=poses[best], tilt=float(tilt), clearance=float(free[best]))
    return None


def move_pose(
    model: Pose, molecule: Atoms, binding: Sequence[int], anchors: tuple[Anchor, Anchor], surroundings: Atoms
) -> Pose:
    """Pose moved from one anchor to another on the same face, with its clearance there."""
    moved = model.positions + np.subtract(anchors[1].place, anchors[0].place)
    free = float(_clearances(moved[None], molecule, binding, anchors[1], surroundings)[0])
    return Pose(positions=moved, tilt=model.tilt, clearance=free)


def _upright(molecule: Atoms, binding: Sequence[int]) -> NDArray[np.float64]:
    """Positions with the centre of the binding atoms (two lie along x) at the origin, the rest straight above it."""
    places = molecule.positions - molecule.positions[list(binding)].mean(axis=0)
    axis = places.mean(axis=0)
    if len(binding) == 2:
        along = places[binding[1]] - places[binding[0]]
        along /= np.linalg.norm(along)
        axis = axis - (axis @ along) * along
    else:
        along = np.cross(axis, [1.0, 0.0, 0.0] if abs(axis[0]) < 0.9 * np.linalg.norm(axis) else [0.0, 1.0, 0.0])
        along /= np.linalg.norm(along)
    axis = axis / np.linalg.norm(axis)
    frame = np.array([along, np.cross(axis, along), axis])
    return np.asarray(places @ frame.T)


def _height(molecule: Atoms, binding: Sequence[int], anchor: Anchor, surroundings: Atoms) -> float:
    """Height of the binding atoms above the metal at the bond length [Å]."""
    metal = surroundings.numbers[anchor.metals[0]]
    bond = BOND_FACTOR * (covalent_radii[metal] + covalent_radii[molecule.numbers[binding[0]]])
    half = 0.0
    if len(binding) == 2:
        half = 0.5 * float(np.linalg.norm(molecule.positions[binding[1]] - molecule.positions[binding[0]]))
    aside = half - 0.5 * float(np.linalg.norm(anchor.separation))
    return float(np.sqrt(max(bond**2 - aside**2, (0.5 * bond) ** 2)))


def _turns(tilt: float, anchor: Anchor, n_binding: int) -> Iterator[NDArray[np.float64]]:
    """Rotations: spin about the own axis, tilt, azimuth; two binding atoms stay level."""
    if n_binding == 2:
        start = np.degrees(np.arctan2(anchor.separation[1], anchor.separation[0]))
        bridging = bool(np.linalg.norm(anchor.separation) > 0)
        for azimuth in (0.0, 180.0) if bridging else _AZIMUTHS:
            for sign in (1.0, -1.0) if tilt else (1.0,):
                yield _about_z(start + azimuth) @ _about_x(sign * tilt)
        return
    for azimuth in _AZIMUTHS if tilt else (0.0,):
        for spin in _SPINS:
            yield _about_z(azimuth) @ _about_x(tilt) @ _about_z(spin)


def _about_z(degrees: float) -> NDArray[np.float64]:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _about_x(degrees: float) -> NDArray[np.float64]:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def _clearances(
    poses: NDArray[np.float64], molecule: Atoms, binding: Sequence[int], anchor: Anchor, surroundings: Atoms
) -> NDArray[np.float64]:
    """Smallest distance of every pose to anything but the head's metals [van der Waals sums], shape (n_poses,)."""
    sides = surroundings.cell.lengths()[:2]
    z = surroundings.positions[:, 2]
    near = np.flatnonzero((z > poses[..., 2].min() - _REACH) & (z < poses[..., 2].max() + _REACH))
    radii = _radii(molecule)
    change = poses[:, :, None, :] - surroundings.positions[near]
    change[..., :2] -= sides * np.round(change[..., :2] / sides)
    reach = np.linalg.norm(change, axis=3) / (radii[:, None] + _radii(surroundings)[near])
    head = np.isin(np.arange(len(molecule)), _head(molecule, binding))
    reach[:, head[:, None] & np.isin(near, anchor.metals)[None, :]] = np.inf
    free = reach.min(axis=(1, 2), initial=_UNTOUCHED)
    for step in ((1, 0), (0, 1), (1, 1), (1, -1)):
        images = poses + np.array([*(np.array(step) * sides), 0.0])
        apart = np.linalg.norm(poses[:, :, None, :] - images[:, None, :, :], axis=3)
        free = np.minimum(free, (apart / (radii[:, None] + radii[None, :])).min(axis=(1, 2)))
    return np.asarray(free)


def _head(molecule: Atoms, binding: Sequence[int]) -> list[int]:
    """Atoms that the bond brings near the metal: the binding ones and what is bonded to them."""
    first, second = neighbor_list("ij", molecule, natural_cutoffs(molecule, mult=1.15))
    return sorted({*binding, *(int(other) for one, other in zip(first, second, strict=True) if one in binding)})


def _radii(atoms: Atoms) -> NDArray[np.float64]:
    """Van der Waals radii [Å]; where none is tabulated, the covalent one and 0.8 Å."""
    tabulated = vdw_radii[atoms.numbers]
    return np.asarray(np.where(np.isnan(tabulated), covalent_radii[atoms.numbers] + 0.8, tabulated))
