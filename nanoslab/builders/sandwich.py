"""Ligated double slabs: two facing slabs with ligands in the gap between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms

from nanoslab.builders.double_slab import (
    LIGAND,
    LOWER,
    UPPER,
    DoubleSlab,
    build_double_slab,
    describe_double_slab,
    summarize_double_slab,
)
from nanoslab.builders.ligand import LigandLayer, ligand
from nanoslab.builders.ligand_pose import CLEARANCE, Anchor, Pose, binding_sites, find_pose, move_pose
from nanoslab.builders.neck import build_neck_of_shape
from nanoslab.builders.summary import StructureSummary, count_species
from nanoslab.crystals import make_recipe
from nanoslab.errors import InputError
from nanoslab.structure_types import AnyStructure

_TAGS = {"lower": LOWER, "upper": UPPER}
_LAYER_OPTIONS = ("coverage", "count", "face", "binding")
#: free height above a ligand while it is placed on a lone slab [Å]
_ROOM_ABOVE = 5.0
#: a gap wider than that of the slab takes from its vacuum; with less left than this the outer faces feel each other [Å]
LEAST_VACUUM = 8.0


class PosedGap(NamedTuple):
    """Two slabs at one gap, and the gap in which the pose of their ligands was found [Å]."""

    gap: float
    pose_gap: float
    atoms: Atoms


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    tag: int
    anchor: Anchor
    pose: Pose


def build_sandwich(crystal: str | Path | AnyStructure, ligand_name: str, **options: Any) -> Atoms:
    """Two {001} slabs with ligands bound to the metal of the facing planes, nothing colliding.

    The ligand is one of `ligand_names`; the options are fields of `LigandLayer` (coverage, count, face, binding) and of
    `describe_double_slab`, which also says what crystals there are.

    Returns
    -------
    Atoms
        Cations, anions, then the ligands' species; tags 1, 2, 4 for lower slab, upper slab, ligand; ``info["recipe"]``
        with the ligands' indices, ``info["ledger"]`` with their charge.

    Raises
    ------
    InputError
        The ligand is unknown, the face holds no metal, or there is no room.

    Examples
    --------
    >>> atoms = build_sandwich("PbSe-rocksalt", "formic-acid", gap=6.0, planes=2, lateral=(4, 4))
    >>> atoms.info["ledger"]["ligands"]["lower"], atoms.info["ledger"]["formal_charge"]
    (1, 0.0)
    """
    layer, rest = _layer(ligand_name, options)
    return _filled(describe_double_slab(crystal, **rest), layer)[0]


def build_capped_slab(
    crystal: str | Path | AnyStructure, ligand_name: str, *, vacuum: float = 15.0, **options: Any
) -> Atoms:
    """One {001} slab with ligands on its upper face, and a vacuum [Å] between them and the next image.

    Options as for `build_sandwich` but those of a second slab; fixed planes lie at the lower face.
    """
    if foreign := sorted({"gap", "gap_planes", "shift", "twist", "face"} & set(options)):
        raise InputError(foreign[0], expected="none for one slab", got=repr(options[foreign[0]]), advice="leave it out")
    layer, rest = _layer(ligand_name, options)
    longest = float(ligand(layer.record.name).get_all_distances().max())
    slab = describe_double_slab(crystal, gap=longest + 2.0 * _ROOM_ABOVE, **rest)
    both = build_double_slab(slab)
    bare = both[both.get_tags() == LOWER]
    placed = _place_all(slab, bare, layer)
    top = max(float(one.pose.positions[:, 2].max()) for one in placed)
    bare.cell[2, 2] = top - float(bare.positions[:, 2].min()) + vacuum
    return _assembled(slab, bare, layer, placed)


def scan_gaps(slab: DoubleSlab, gaps: Sequence[float], ligands: LigandLayer | None = None) -> tuple[Atoms, ...]:
    """Build the same double slab at several gaps: one height of the cell, and ligands in the pose of the narrowest.

    With one pose the energy is a smooth curve; ligands that stood up as the gap [Å] widens would make it jump. The
    vacuum of the slab is that of the widest gap; without ligands the slabs are bare.

    Examples
    --------
    >>> slab = describe_double_slab("PbSe-rocksalt", planes=1, lateral=(4, 4))
    >>> scan = scan_gaps(slab, [5.0, 6.0], LigandLayer(name="formic-acid"))
    >>> [round(float(atoms.cell[2, 2] - scan[0].cell[2, 2]), 6) for atoms in scan]
    [0.0, 0.0]
    """
    slabs = _at_gaps(slab, gaps, slab.vacuum + max(gaps, default=0.0))
    if ligands is None:
        return tuple(build_neck_of_shape(slabs[gap], None) for gap in gaps)
    models = _filled(slabs[min(gaps)], ligands)[1]
    return tuple(_filled(slabs[gap], ligands, models)[0] for gap in gaps)


def scan_poses(slab: DoubleSlab, gaps: Sequence[float], ligands: LigandLayer | None = None) -> tuple[PosedGap, ...]:
    """Build every gap [Å] with the ligands in the pose that fits there, and in those that fit narrower gaps.

    The lowest energy of each gap is then that of the best pose tried, and no single pose bends the curve. Equal poses
    are built once. All cells have the height of the slab as it is given: its vacuum is what is left at its own gap.

    Examples
    --------
    >>> slab = describe_double_slab("PbSe-rocksalt", planes=1, lateral=(4, 4), gap=6.0)
    >>> [(one.gap, one.pose_gap) for one in scan_poses(slab, [4.0, 6.0], LigandLayer(name="formic-acid"))]
    [(4.0, 4.0), (6.0, 4.0), (6.0, 6.0)]
    """
    slabs = _at_gaps(slab, gaps, slab.vacuum + slab.gap)
    if max(gaps) > slab.gap and slab.vacuum + slab.gap - max(gaps) < LEAST_VACUUM:
        expected = f"gaps that leave {LEAST_VACUUM:g} Å of vacuum in a cell of this height"
        raise InputError("gaps", expected=expected, got=max(gaps), advice="give more vacuum")
    if ligands is None:
        return tuple(PosedGap(gap, gap, build_neck_of_shape(slabs[gap], None)) for gap in gaps)
    poses = {gap: _filled(slabs[gap], ligands)[1] for gap in gaps}
    scan = []
    for gap in gaps:
        tried: list[list[_Placed]] = []
        for pose_gap, models in poses.items():
            if pose_gap <= gap and not any(_same_pose(models, other) for other in tried):
                tried.append(models)
                scan.append(PosedGap(gap=gap, pose_gap=pose_gap, atoms=_filled(slabs[gap], ligands, models)[0]))
    return tuple(scan)


def _at_gaps(slab: DoubleSlab, gaps: Sequence[float], free: float) -> dict[float, DoubleSlab]:
    """The slabs at every gap, gap and vacuum [Å] together the same, so that all cells have one height."""
    if len(set(gaps)) < len(gaps) or not gaps:
        raise InputError("gaps", expected="different gaps", got=list(gaps), advice="give each once")
    return {gap: replace(slab, gap=gap, vacuum=free - gap) for gap in gaps}


def _same_pose(one: Sequence[_Placed], other: Sequence[_Placed]) -> bool:
    return all(
        a.anchor.metals == b.anchor.metals
        and np.allclose(a.pose.positions - a.anchor.place, b.pose.positions - b.anchor.place, atol=1e-3)
        for a, b in zip(one, other, strict=True)
    )


def _layer(name: str, options: dict[str, Any]) -> tuple[LigandLayer, dict[str, Any]]:
    """The layer of ligands, and the options that are left for the double slab."""
    own = {key: value for key, value in options.items() if key in _LAYER_OPTIONS}
    return LigandLayer(name=name, **own), {key: value for key, value in options.items() if key not in own}


def _filled(slab: DoubleSlab, layer: LigandLayer, models: Sequence[_Placed] = ()) -> tuple[Atoms, list[_Placed]]:
    """Two slabs with their ligands, in the poses of a narrower gap where there is one."""
    bare = build_double_slab(slab)
    placed = [_like(model, layer, bare) for model in models] if models else _place_all(slab, bare, layer)
    return _assembled(slab, bare, layer, placed), placed


def _like(model: _Placed, layer: LigandLayer, bare: Atoms) -> _Placed:
    """The same ligand on the same atoms of a double slab with a wider gap: nothing comes nearer to it."""
    x, y, _ = model.anchor.place
    anchor = replace(model.anchor, place=(x, y, float(bare.positions[model.anchor.metals[0], 2])))
    molecule = ligand(layer.record.name)
    pose = move_pose(model.pose, molecule, layer.binding_atoms, (model.anchor, anchor), bare)
    return replace(model, anchor=anchor, pose=pose)


def _place_all(slab: DoubleSlab, bare: Atoms, layer: LigandLayer) -> list[_Placed]:
    """Ligand after ligand, face by turns, each on the free site farthest from the others."""
    molecule = ligand(layer.record.name)
    surroundings = bare.copy()
    placed: list[_Placed] = []
    numbers = {_TAGS[face]: number for face, number in layer.numbers(slab.area_nm2).items() if number}
    sites = {tag: binding_sites(bare, slab.lattice.cation, tag, layer.mode) for tag in numbers}
    for tag, own in sites.items():
        if numbers[tag] > len(own):
            raise _no_room(slab, layer, f"{len(own)} binding sites on a face")
    for tag in [tag for turn in range(max(numbers.values())) for tag in sites if turn < numbers[tag]]:
        found = next(_poses(molecule, layer.binding_atoms, sites[tag], surroundings, placed), None)
        if found is None:
            raise _no_room(slab, layer, f"room for {len(placed)}")
        placed.append(_Placed(tag=tag, anchor=found[0], pose=found[1]))
        surroundings += Atoms(molecule.numbers, positions=found[1].positions)
    return placed


def _no_room(slab: DoubleSlab, layer: LigandLayer, got: str) -> InputError:
    number = sum(layer.numbers(slab.area_nm2).values())
    return InputError(
        "ligands",
        expected=f"room for {number} x {layer.record.name} in a gap of {slab.gap:.2f} Å",
        got=got,
        advice="widen the gap, lower the coverage or make the cell larger",
    )


def _poses(
    molecule: Atoms, binding: Sequence[int], sites: Sequence[Anchor], surroundings: Atoms, placed: Sequence[_Placed]
) -> Iterator[tuple[Anchor, Pose]]:
    """Poses at the sites far from the ligands there: like the last one on that face, then any other."""
    sides = surroundings.cell.lengths()[:2]
    targets = np.array([one.anchor.place[:2] for one in placed]) if placed else sides[None, :] / 2.0

    def distance(site: Anchor) -> float:
        change = np.array(site.place[:2]) - targets
        change -= sides * np.round(change / sides)
        nearest = float(np.linalg.norm(change, axis=1).min())
        return nearest if placed else -nearest

    # without others around, all sites of a facet are alike: the one nearest to the middle stands for all
    ordered = sorted(sites, key=lambda site: (-round(distance(site), 6), site.metals))
    models = [one for one in placed if one.anchor.outward == sites[0].outward][-1:]
    for model in models:
        for site in ordered:
            same = move_pose(model.pose, molecule, binding, (model.anchor, site), surroundings)
            if same.clearance >= CLEARANCE:
                yield site, same
    for site in ordered if placed else ordered[:1]:
        pose = find_pose(molecule, binding, site, surroundings)
        if pose is not None:
            yield site, pose


def _assembled(slab: DoubleSlab, bare: Atoms, layer: LigandLayer, placed: Sequence[_Placed]) -> Atoms:
    """Slabs first, then the ligands' atoms grouped by species."""
    molecule = ligand(layer.record.name)
    owner = np.repeat(np.arange(len(placed)), len(molecule))
    ligands = Atoms(np.tile(molecule.numbers, len(placed)), np.concatenate([one.pose.positions for one in placed]))
    order = np.argsort(ligands.get_chemical_symbols(), kind="stable")
    atoms = bare.copy()
    atoms.set_constraint()
    ligands.set_tags(LIGAND)
    atoms += ligands[order]
    frozen = [int(index) for constraint in bare.constraints for index in constraint.get_indices()]
    if frozen:
        atoms.set_constraint(FixAtoms(indices=frozen))
    one_slab = not np.any(bare.get_tags() == UPPER)
    parameters = {
        **slab.parameters,
        **({"gap_A": None, "gap_planes": None, "facing_distance_A": None, "vacuum_A": None} if one_slab else {}),
        "ligand": layer.record.name,
        "ligand_made": layer.record.made,
        "ligand_relaxed": dict(layer.record.relaxed),
        "binding": layer.mode,
        "n_ligands": len(placed),
        "n_slabs": 1 if one_slab else 2,
    }
    indices = [[int(len(bare) + k) for k in np.flatnonzero(owner[order] == n)] for n in range(len(placed))]
    atoms.info["recipe"] = {**make_recipe("sandwich", **parameters), "ligand_indices": indices}
    atoms.info["ledger"] = _summary(slab, bare, atoms, layer, placed).to_dict()
    return atoms


def _summary(
    slab: DoubleSlab, bare: Atoms, atoms: Atoms, layer: LigandLayer, placed: Sequence[_Placed]
) -> StructureSummary:
    """Summary of the slabs, with the ligands counted and their charge added."""
    own = summarize_double_slab(slab, bare)
    record = layer.record
    faces = Counter("lower" if one.tag == LOWER else "upper" for one in placed)
    return replace(
        own,
        counts=count_species(atoms, bare.get_chemical_symbols()),
        formal_charge=own.formal_charge + float(record.formal_charge * len(placed)),
        vacuum=float(atoms.cell[2, 2] - np.ptp(atoms.positions[:, 2])),
        ligands={
            "name": record.name,
            "lower": faces["lower"],
            "upper": faces["upper"],
            "coverage_per_nm2": {name: faces[name] / slab.area_nm2 for name in ("lower", "upper")},
            "formal_charge_each": record.formal_charge,
            "formal_charge_of_slabs": own.formal_charge,
            "clearance": min(one.pose.clearance for one in placed),
            "tilt_degree": [one.pose.tilt for one in placed],
        },
    )
