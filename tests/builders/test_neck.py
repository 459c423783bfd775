"""Necks: counted and measured against the crystal they continue."""

from collections import Counter

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell
from ase.geometry import get_distances
from ase.neighborlist import neighbor_list

from nanoslab.builders.double_slab import LOWER, NECK, UPPER, describe_double_slab
from nanoslab.builders.neck import Filament, build_neck, build_neck_of_shape
from nanoslab.builders.neck_shapes import distinct_neck_shapes
from nanoslab.crystals import crystal, crystal_record
from nanoslab.errors import InputError

CUBIC = ["PbSe-rocksalt", "PbS-rocksalt", "CdSe-zincblende", "CdTe-zincblende", "ZnSe-zincblende"]
EDGE = crystal("PbSe-rocksalt").cell.lengths()[0]


def cube(name):
    lattices = crystal_record(name).lattices
    return crystal(name, "pbe" if "pbe" in lattices else "experimental")


def neck_of(atoms):
    return atoms[atoms.info["recipe"]["neck_indices"]]


def bond(name):
    atoms = cube(name)
    return neighbor_list("d", atoms, 3.5).min()


def test_three_by_three_columns_in_a_two_plane_gap():
    atoms = build_neck("PbSe-rocksalt", pairs=9, planes=4)
    neck = neck_of(atoms)
    assert len(neck) == 18
    assert Counter(neck.symbols) == {"Pb": 9, "Se": 9}
    # 3 columns of a/2 each, 0.9 nm, by Wang 2020
    assert np.ptp(neck.positions[:, 0]) + EDGE / 2 == pytest.approx(3 * EDGE / 2)
    assert 0.9 < 3 * EDGE / 20 < 0.95
    assert len(atoms) == 2 * 4 * 36 + 18
    assert neighbor_list("d", atoms, 0.6 * EDGE) == pytest.approx(EDGE / 2)


@pytest.mark.parametrize("n", range(1, 10))
def test_necks_are_stoichiometric_and_bonded_to_unlike_atoms_only(n):
    atoms = build_neck("PbSe-rocksalt", pairs=n, planes=2)
    assert Counter(neck_of(atoms).symbols) == {"Pb": n, "Se": n}
    first, second, distance = neighbor_list("ijd", atoms, 0.55 * EDGE)
    assert distance == pytest.approx(EDGE / 2)
    assert np.all(atoms.numbers[first] != atoms.numbers[second])


@pytest.mark.parametrize("name", CUBIC)
def test_a_full_gap_without_vacuum_is_the_bulk_crystal(name):
    """Filling every column and closing the cell gives back the crystal, whatever built it."""
    kind = 4 if "zincblende" in name else 2
    slab = describe_double_slab(name, lateral=(2, 2), planes=kind + 1, gap_planes=2)
    columns = [(i, j) for i in range(2) for j in range(2)]
    atoms = build_neck(name, columns=columns, lateral=(2, 2), planes=kind + 1, empty_columns=0)
    height = slab.height - slab.vacuum + slab.lattice.plane_spacing
    assert round(height / slab.lattice.plane_spacing) % kind == 0
    atoms.cell[2, 2] = height
    coordination = np.bincount(neighbor_list("i", atoms, 1.1 * bond(name)))
    assert set(coordination) == {4 if kind == 4 else 6}
    assert atoms.get_volume() / len(atoms) == pytest.approx(cube(name).get_volume() / 8)
    first, second = neighbor_list("ij", atoms, 1.1 * bond(name))
    assert np.all(atoms.numbers[first] != atoms.numbers[second])


@pytest.mark.parametrize("name", CUBIC)
def test_every_distance_of_the_neck_is_one_of_the_crystal(name):
    reach = 2.1 * bond(name)
    inside = np.unique(neighbor_list("d", cube(name), reach).round(5))
    atoms = build_neck(name, pairs=4, planes=4)
    assert set(np.unique(neighbor_list("d", atoms, reach).round(5))) <= set(inside)


def test_no_pairs_is_the_double_slab_in_the_same_order():
    bare = build_neck("PbSe-rocksalt", planes=2)
    necked = build_neck("PbSe-rocksalt", planes=2, pairs=5)
    kept = necked[necked.get_tags() != NECK]
    assert np.allclose(kept.positions, bare.positions)
    assert np.array_equal(kept.numbers, bare.numbers)
    assert bare.info["recipe"]["neck_indices"] == []


@pytest.mark.parametrize(("planes", "gap_planes"), [(2, 2), (3, 4), (4, 6)])
def test_the_gap_is_the_missing_planes(planes, gap_planes):
    atoms = build_neck("PbSe-rocksalt", planes=planes, gap_planes=gap_planes, vacuum=12.0)
    tags, z = atoms.get_tags(), atoms.positions[:, 2]
    facing = z[tags == UPPER].min() - z[tags == LOWER].max()
    assert facing == pytest.approx((gap_planes + 1) * EDGE / 2)
    assert atoms.info["recipe"]["parameters"]["gap_A"] == pytest.approx(gap_planes * EDGE / 2)
    assert atoms.cell[2, 2] - np.ptp(z) == pytest.approx(12.0)


def test_a_gap_in_angstrom_moves_only_the_upper_slab():
    one, other = (build_neck("PbSe-rocksalt", planes=2, gap=gap) for gap in (6.0, 7.5))
    moved = other.positions - one.positions
    assert moved[one.get_tags() == LOWER] == pytest.approx(0.0)
    assert moved[one.get_tags() == UPPER][:, 2] == pytest.approx(1.5)


def test_columns_of_a_four_plane_gap_hold_two_pairs():
    atoms = build_neck("PbSe-rocksalt", pairs=8, gap_planes=4, planes=2)
    assert len(atoms.info["recipe"]["parameters"]["columns"]) == 4
    assert Counter(neck_of(atoms).symbols) == {"Pb": 8, "Se": 8}


def test_registry_shift_displaces_the_upper_slab_alone():
    one, other = (build_neck("PbSe-rocksalt", planes=2, shift=shift) for shift in ((0.0, 0.0), (0.5, 0.25)))
    vectors, _ = get_distances(one.positions, other.positions, cell=one.cell, pbc=True)
    moved = vectors[np.arange(len(one)), np.arange(len(one))]
    assert moved[one.get_tags() == LOWER] == pytest.approx(0.0)
    expected = np.tile([EDGE / 4, EDGE / 8, 0.0], (72, 1))
    assert moved[one.get_tags() == UPPER] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "twist"), [("PbSe-rocksalt", 36.8699), ("PbSe-rocksalt", 53.1301), ("CdSe-zincblende", 90)]
)
def test_a_twist_turns_the_upper_slab_and_both_stay_crystals(name, twist):
    atoms = build_neck(name, planes=3, lateral=(4, 4), twist=twist, gap=12.0)
    length = bond(name)
    for tag in (LOWER, UPPER):
        part = atoms[atoms.get_tags() == tag]
        first, second, distance = neighbor_list("ijd", part, 1.05 * length)
        assert distance == pytest.approx(length)
        assert np.all(part.numbers[first] != part.numbers[second])
    angles = []
    for tag in (LOWER, UPPER):
        part = atoms[(atoms.get_tags() == tag)]
        low = part[part.numbers == part.numbers.max()]
        vectors = neighbor_list("D", low, 1.02 * 2**0.5 * crystal(name).cell.lengths()[0] / 2)
        flat = vectors[np.abs(vectors[:, 2]) < 0.1]
        angles.append(np.degrees(np.arctan2(flat[:, 1], flat[:, 0])) % 90)
    change = (angles[1].mean() - angles[0].mean()) % 90
    assert min(abs(change - twist % 90), abs(change - twist % 90 + 90)) < 0.01


def test_planes_are_frozen_at_the_outer_faces():
    atoms = build_neck("PbSe-rocksalt", planes=3, fixed_planes=1)
    frozen = atoms.constraints[0].index
    z = atoms.positions[:, 2]
    assert len(frozen) == 72
    assert set(z[frozen].round(6)) == {z.min().round(6), z.max().round(6)}


@pytest.mark.parametrize(
    ("filament", "pairs", "gap_planes", "bridges"),
    [
        (Filament(planes=2), 2, 4, False),
        (Filament(planes=1, side="upper"), 2, 2, False),
        (Filament(planes=1, side="both"), 2, 4, False),
        (Filament(planes=1, side="both"), 2, 2, True),
    ],
)
def test_filaments_fill_part_of_the_gap_and_stay_stoichiometric(filament, pairs, gap_planes, bridges):
    atoms = build_neck("PbSe-rocksalt", pairs=pairs, filament=filament, gap_planes=gap_planes, planes=2)
    assert Counter(neck_of(atoms).symbols) == {"Pb": pairs, "Se": pairs}
    first, second = neighbor_list("ij", atoms, 0.55 * EDGE)
    group = np.arange(len(atoms))
    for _ in range(len(atoms)):
        new = group.copy()
        np.minimum.at(new, first, group[second])
        if np.array_equal(new, group):
            break
        group = new
    assert (len(set(group)) == 1) == bridges


def test_any_cell_of_a_crystal_will_do_and_stays_as_it_was():
    primitive = bulk("PbS", "rocksalt", a=5.936)
    oblique = make_supercell(primitive, [[1, 1, 0], [0, 1, 0], [0, 2, 1]])
    before = oblique.copy()
    atoms = build_neck(oblique, pairs=1, planes=2)
    assert neighbor_list("d", atoms, 3.2) == pytest.approx(5.936 / 2)
    assert oblique == before


def test_species_come_in_groups_with_cations_first_and_the_recipe_is_json():
    import json

    atoms = build_neck("PbSe-rocksalt", pairs=3)
    symbols = atoms.get_chemical_symbols()
    assert symbols == sorted(symbols)
    assert atoms.pbc.all()
    assert json.loads(json.dumps(atoms.info["recipe"]))["parameters"]["n_pairs"] == 3


def test_every_shape_that_fits_is_built_with_its_own_columns():
    slab = describe_double_slab("PbSe-rocksalt", lateral=(6, 4), planes=1)
    for shape in distinct_neck_shapes(slab, 4, box=(4, 2)):
        atoms = build_neck_of_shape(slab, shape)
        assert neighbor_list("d", atoms, 0.55 * EDGE) == pytest.approx(EDGE / 2)
        built = np.array(atoms.info["recipe"]["parameters"]["columns"])
        assert sorted(np.ptp(built, axis=0)) == sorted(np.array(shape.extent) - 1)
        assert sum((i + j + 1) % 2 == 0 for i, j in built) == shape.n_cation_first


BAD = {
    "odd lateral size": ({"lateral": (5, 6)}, "lateral: expected even numbers .* give 6 6"),
    "no lateral size": ({"lateral": (0, 6)}, "at least 2 columns"),
    "neck larger than the cell": ({"pairs": 25}, "at least 8 x 8 columns"),
    "long neck": ({"columns": [(i, 0) for i in range(9)]}, "at least 12 x 4 columns"),
    "gap below a bond": ({"gap": 2.0}, r"gap: expected at least one bond, 3.10 Å, got 2 Å"),
    "gap of no number": ({"gap": float("nan")}, "gap: expected at least one bond"),
    "odd gap": ({"gap_planes": 3}, "even number from 2"),
    "two gaps": ({"gap_planes": 2, "gap": 6.0}, "gap: expected planes or Å"),
    "strained neck": ({"gap": 7.5, "pairs": 1}, "to within 10%"),
    "shift of one column": ({"pairs": 1, "shift": (1.0, 0.0)}, "over their own kind"),
    "neck in a twisted gap": ({"pairs": 1, "twist": 36.8699}, "no twist"),
    "no coincidence": ({"twist": 10.0}, "twist: expected .* give"),
    "loose columns": ({"columns": [(0, 0), (1, 1)]}, "touch edge to edge"),
    "pairs and columns": ({"columns": [(0, 0)], "pairs": 2}, "pairs: expected those of 1 columns"),
    "a million columns": ({"pairs": 10**6}, "at least 1002 x 1002 columns"),
    "negative distance to images": ({"pairs": 1, "empty_columns": -1}, "empty columns: expected 0 or more"),
    "half columns": ({"pairs": 3, "gap_planes": 4}, "whole columns of 4 atoms"),
    "negative pairs": ({"pairs": -1}, "pairs"),
    "lone atom": ({"columns": [(0, 0)], "filament": Filament(planes=1)}, "as many cations as anions"),
    "long filament": ({"pairs": 1, "filament": Filament(planes=4)}, "filament planes: expected 1 to 2"),
    "no planes": ({"planes": 0}, "planes"),
    "little vacuum": ({"vacuum": 1.0}, "vacuum"),
    "frozen beyond": ({"fixed_planes": 9}, "fixed planes"),
    "lattice constant": ({"lattice_constant": -1.0}, "lattice constant"),
}


@pytest.mark.parametrize(("options", "message"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_built_is_refused_in_one_line(options, message):
    with pytest.raises(InputError, match=message) as caught:
        build_neck("PbSe-rocksalt", **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("source", ["PbSi-rocksalt", "CdSe-wurtzite", "Pb-fcc"])
def test_other_crystals_are_refused(source):
    with pytest.raises(InputError, match="crystal"):
        build_neck(source)


def test_a_crystal_of_three_species_is_refused():
    atoms = Atoms(
        "CuFeS2", scaled_positions=[[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0.5], [0.5, 0.5, 0.5]], cell=[4, 4, 4], pbc=True
    )
    with pytest.raises(InputError, match="binary"):
        build_neck(atoms)
