"""Two facing slabs with ligands in the gap between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms

from nanoslab.builders.double_slab import LIGAND, LOWER, UPPER, DoubleSlab, build_double_slab
from nanoslab.builders.ligand import LigandRecord, binding_atoms, ligand, ligand_record
from nanoslab.builders.ligand_coverage import ligands_per_face
from nanoslab.builders.ligand_pose import CLEARANCE, Anchor, Pose, find_pose, move_pose
from nanoslab.builders.ligand_sites import binding_sites
from nanoslab.builders.neck import describe_double_slab, double_slab_ledger
from nanoslab.builders.recipe import make_recipe
from nanoslab.errors import InputError

Face = Literal["lower", "upper", "both"]

_FACES: dict[str, tuple[int, ...]] = {"lower": (LOWER,), "upper": (UPPER,), "both": (LOWER, UPPER)}
#: free height above a ligand while it is placed on a lone slab [Å]
_ROOM_ABOVE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    tag: int
    anchor: Anchor
    pose: Pose


def build_sandwich(
    crystal: str | Path | Atoms,
    ligand_name: str,
    *,
    gap: float | None = None,
    gap_planes: int | None = None,
    lateral: tuple[int, int] = (6, 6),
    planes: int = 4,
    coverage: float | tuple[float, float] | None = None,
    count: int | tuple[int, int] | None = None,
    face: Face = "lower",
    binding: str | None = None,
    shift: tuple[float, float] = (0.0, 0.0),
    twist: float = 0.0,
    vacuum: float = 15.0,
    fixed_planes: int = 0,
    lattice: str | None = None,
    lattice_constant: float | None = None,
) -> Atoms:
    """Build two {001} slabs with ligands bound to the metal of the facing planes, nothing colliding.

    Parameters
    ----------
    crystal, gap, gap_planes, lateral, planes, shift, twist, vacuum, fixed_planes, lattice, lattice_constant
        See `build_neck`.
    ligand_name
        One of `ligand_names`.
    coverage, count
        Ligands per nm² or per cell on every chosen face, or two numbers for the lower and the upper
        one; one per cell when neither is given.
    face
        Which slab the ligands bind to.
    binding
        ``monodentate``, ``chelating`` (two atoms on one metal) or ``bridging`` (on two metals); the
        usual one of the ligand when not given.

    Returns
    -------
    Atoms: cations, anions, then the ligands' species; tags 1, 2, 4 for lower slab, upper slab,
    ligand; ``info["recipe"]`` with the ligands' indices, ``info["ledger"]`` with their charge.

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
    slab = describe_double_slab(
        crystal,
        gap=gap,
        gap_planes=gap_planes,
        lattice=lattice,
        lattice_constant=lattice_constant,
        lateral=lateral,
        planes=planes,
        shift=shift,
        twist=twist,
        vacuum=vacuum,
        fixed_planes=fixed_planes,
    )
    if face not in _FACES:
        raise InputError("face", expected="lower, upper or both", got=repr(face), advice="give lower")
    numbers = ligands_per_face(_area(slab), _FACES[face], coverage, count)
    return _filled(slab, ligand_record(ligand_name), binding, numbers)[0]


def build_capped_slab(
    crystal: str | Path | Atoms,
    ligand_name: str,
    *,
    lateral: tuple[int, int] = (6, 6),
    planes: int = 4,
    coverage: float | None = None,
    count: int | None = None,
    binding: str | None = None,
    vacuum: float = 15.0,
    fixed_planes: int = 0,
    lattice: str | None = None,
    lattice_constant: float | None = None,
) -> Atoms:
    """Build one {001} slab with ligands on its upper face.

    Parameters
    ----------
    crystal, ligand_name, lateral, planes, coverage, count, binding, lattice, lattice_constant
        See `build_sandwich`.
    vacuum
        Between the ligands and the next image [Å].
    fixed_planes
        Planes frozen at the lower face.

    Examples
    --------
    >>> atoms = build_capped_slab("PbSe-rocksalt", "acetic-acid", planes=2, lateral=(4, 4))
    >>> str(atoms.symbols), round(float(atoms.cell[2, 2] - np.ptp(atoms.positions[:, 2])), 6)
    ('Pb16Se16C2H4O2', 15.0)
    """
    record = ligand_record(ligand_name)
    slab = describe_double_slab(
        crystal,
        gap=_longest(ligand(record.name)) + 2.0 * _ROOM_ABOVE,
        lattice=lattice,
        lattice_constant=lattice_constant,
        lateral=lateral,
        planes=planes,
        fixed_planes=fixed_planes,
    )
    mode, atoms_that_bind = binding_atoms(record, binding)
    both = build_double_slab(slab)
    bare = both[both.get_tags() == LOWER]
    placed = _place_all(
        slab, bare, record, (mode, atoms_that_bind), ligands_per_face(_area(slab), (LOWER,), coverage, count)
    )
    top = max(float(one.pose.positions[:, 2].max()) for one in placed)
    bare.cell[2, 2] = top - float(bare.positions[:, 2].min()) + vacuum
    return _assembled(slab, bare, record, mode, placed)


def _area(slab: DoubleSlab) -> float:
    """In-plane area of the cell [nm²]."""
    return slab.sides[0] * slab.sides[1] / 100.0


def _longest(molecule: Atoms) -> float:
    return float(molecule.get_all_distances().max())


def scan_gaps(
    crystal: str | Path | Atoms,
    ligand_name: str,
    gaps: Sequence[float],
    *,
    face: Face = "lower",
    coverage: float | tuple[float, float] | None = None,
    count: int | tuple[int, int] | None = None,
    binding: str | None = None,
    vacuum: float = 15.0,
    **options: Any,
) -> tuple[Atoms, ...]:
    """Build the same sandwich at several gaps: one height of the cell, and ligands in the pose of the narrowest.

    With one pose the energy is a smooth curve; ligands that stood up as the gap widens would make it jump.

    Parameters
    ----------
    crystal, ligand_name, face, coverage, count, binding
        See `build_sandwich`.
    gaps
        Gaps [Å].
    vacuum
        Of the widest gap [Å].
    options
        Other options of `describe_double_slab`.

    Examples
    --------
    >>> scan = scan_gaps("PbSe-rocksalt", "formic-acid", [5.0, 6.0], planes=1, lateral=(4, 4))
    >>> [round(float(atoms.cell[2, 2] - scan[0].cell[2, 2]), 6) for atoms in scan]
    [0.0, 0.0]
    """
    if len(set(gaps)) < len(gaps) or not gaps:
        raise InputError("gaps", expected="different gaps", got=list(gaps), advice="give each once")
    record = ligand_record(ligand_name)
    scan: dict[float, Atoms] = {}
    models: Sequence[_Placed] = ()
    for gap in sorted(gaps):
        slab = describe_double_slab(crystal, gap=gap, vacuum=vacuum + max(gaps) - gap, **options)
        numbers = ligands_per_face(_area(slab), _FACES[face], coverage, count)
        scan[gap], models = _filled(slab, record, binding, numbers, models)
    return tuple(scan[gap] for gap in gaps)


def _filled(
    slab: DoubleSlab,
    record: LigandRecord,
    binding: str | None,
    numbers: Mapping[int, int],
    models: Sequence[_Placed] = (),
) -> tuple[Atoms, list[_Placed]]:
    """Two slabs with their ligands, in the poses of a narrower gap where there is one."""
    mode, atoms_that_bind = binding_atoms(record, binding)
    bare = build_double_slab(slab)
    if models:
        placed = [_like(model, ligand(record.name), atoms_that_bind, bare) for model in models]
    else:
        placed = _place_all(slab, bare, record, (mode, atoms_that_bind), numbers)
    return _assembled(slab, bare, record, mode, placed), placed


def _like(model: _Placed, molecule: Atoms, binding: Sequence[int], bare: Atoms) -> _Placed:
    """The same ligand on the same atoms of a double slab with a wider gap: nothing comes nearer to it."""
    x, y, _ = model.anchor.place
    anchor = replace(model.anchor, place=(x, y, float(bare.positions[model.anchor.metals[0], 2])))
    return replace(model, anchor=anchor, pose=move_pose(model.pose, molecule, binding, (model.anchor, anchor), bare))


def _place_all(
    slab: DoubleSlab,
    bare: Atoms,
    record: LigandRecord,
    binding: tuple[str, tuple[int, ...]],
    numbers: Mapping[int, int],
) -> list[_Placed]:
    """Ligand after ligand, face by turns, each on the free site farthest from the others."""
    molecule = ligand(record.name)
    surroundings = bare.copy()
    placed: list[_Placed] = []
    sites = {tag: binding_sites(slab.lattice, bare, tag, binding[0]) for tag, number in numbers.items() if number}
    for tag, own in sites.items():
        if numbers[tag] > len(own):
            raise _no_room(slab, record, numbers, f"{len(own)} binding sites on a face")
    for tag in [tag for turn in range(max(numbers.values())) for tag in sites if turn < numbers[tag]]:
        found = next(_poses(molecule, binding[1], sites[tag], surroundings, placed), None)
        if found is None:
            raise _no_room(slab, record, numbers, f"room for {len(placed)}")
        placed.append(_Placed(tag=tag, anchor=found[0], pose=found[1]))
        surroundings += Atoms(molecule.numbers, positions=found[1].positions)
    return placed


def _no_room(slab: DoubleSlab, record: LigandRecord, numbers: Mapping[int, int], got: str) -> InputError:
    return InputError(
        "ligands",
        expected=f"room for {sum(numbers.values())} x {record.name} in a gap of {slab.gap:.2f} Å",
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


def _assembled(slab: DoubleSlab, bare: Atoms, record: LigandRecord, mode: str, placed: Sequence[_Placed]) -> Atoms:
    """Slabs first, then the ligands' atoms grouped by species."""
    molecule = ligand(record.name)
    numbers = np.tile(molecule.numbers, len(placed))
    owner = np.repeat(np.arange(len(placed)), len(molecule))
    positions = np.concatenate([one.pose.positions for one in placed])
    symbols = np.tile(molecule.get_chemical_symbols(), len(placed))
    order = np.argsort(symbols, kind="stable")
    atoms = bare.copy()
    atoms.set_constraint()
    ligands = Atoms(numbers[order], positions=positions[order], tags=np.full(len(order), LIGAND))
    atoms += ligands
    frozen = [int(index) for constraint in bare.constraints for index in constraint.get_indices()]
    if frozen:
        atoms.set_constraint(FixAtoms(indices=frozen))
    indices = [[int(len(bare) + k) for k in np.flatnonzero(owner[order] == n)] for n in range(len(placed))]
    atoms.info["recipe"] = {
        **make_recipe("sandwich", **_parameters(slab, record, mode, placed, bare)),
        "ligand_indices": indices,
    }
    atoms.info["ledger"] = _ledger(slab, bare, atoms, record, placed)
    return atoms


def _ledger(
    slab: DoubleSlab, bare: Atoms, atoms: Atoms, record: LigandRecord, placed: Sequence[_Placed]
) -> dict[str, Any]:
    """Ledger of the slabs, with the ligands counted and their charge added."""
    ledger = double_slab_ledger(slab, bare).to_dict()
    if not np.any(bare.get_tags() == UPPER):
        ledger["vacuum_A"] = float(atoms.cell[2, 2] - np.ptp(atoms.positions[:, 2]))
    area = _area(slab)
    faces = Counter("lower" if one.tag == LOWER else "upper" for one in placed)
    slabs = float(ledger["formal_charge"])
    charge = float(record.formal_charge * len(placed))
    return {
        **ledger,
        "counts": dict(Counter(atoms.get_chemical_symbols())),
        "formal_charge": slabs + charge,
        "ligands": {
            "name": record.name,
            "lower": faces["lower"],
            "upper": faces["upper"],
            "coverage_per_nm2": {name: faces[name] / area for name in ("lower", "upper")},
            "formal_charge_each": record.formal_charge,
            "formal_charge_of_slabs": slabs,
            "clearance": min(one.pose.clearance for one in placed),
            "tilt_degree": [one.pose.tilt for one in placed],
        },
    }


def _parameters(
    slab: DoubleSlab, record: LigandRecord, mode: str, placed: Sequence[_Placed], bare: Atoms
) -> dict[str, Any]:
    one_slab = not np.any(bare.get_tags() == UPPER)
    return {
        "crystal": slab.lattice.name,
        "lattice": slab.lattice.lattice,
        "lattice_constant_A": slab.lattice.lattice_constant,
        "ligand": record.name,
        "ligand_made": record.made,
        "ligand_relaxed": dict(record.relaxed),
        "binding": mode,
        "n_ligands": len(placed),
        "lateral": list(slab.lateral),
        "planes": slab.planes,
        "n_slabs": 1 if one_slab else 2,
        "gap_A": None if one_slab else slab.gap,
        "facing_distance_A": None if one_slab else slab.facing_distance,
        "shift": list(slab.shift),
        "twist_degree": slab.twist,
        "vacuum_A": None if one_slab else slab.vacuum,
        "fixed_planes": slab.fixed_planes,
        "spacing_A": slab.lattice.spacing,
        "plane_spacing_A": slab.lattice.plane_spacing,
    }
