"""Ligands and sandwiches: the molecules are what their names say, and nothing collides."""

import json
from collections import Counter

import numpy as np
import pytest
from ase.data import vdw_radii
from ase.geometry import get_distances
from ase.neighborlist import natural_cutoffs, neighbor_list

from nanoslab.builders import build_nanocrystal, build_nanosheet, build_neck, rattle_atoms, sheet_ledger
from nanoslab.builders.double_slab import LIGAND, LOWER, UPPER, describe_double_slab
from nanoslab.builders.ligand import LigandLayer, ligand, ligand_names, ligand_record
from nanoslab.builders.ligand_pose import CLEARANCE
from nanoslab.builders.sandwich import build_capped_slab, build_sandwich, scan_gaps
from nanoslab.errors import InputError

#: formula, charge, and the number of bonds a chemist counts (atoms - 1 for a chain)
CHEMISTRY = {
    "formic-acid": ("CH2O2", 0),
    "formate": ("CHO2", -1),
    "acetic-acid": ("C2H4O2", 0),
    "acetate": ("C2H3O2", -1),
    "oleic-fragment": ("C10H18O2", 0),
    "oleate-fragment": ("C10H17O2", -1),
    "oleic-acid": ("C18H34O2", 0),
    "elaidic-acid": ("C18H34O2", 0),
    "oleate": ("C18H33O2", -1),
    "octylamine": ("C8H19N", 0),
}


def bonds(atoms):
    return neighbor_list("ijd", atoms, natural_cutoffs(atoms, mult=1.15))


def clashes(atoms, indices):
    """Smallest distance between each ligand and everything else, its images included, in van der Waals sums."""
    worst = np.inf
    radii = vdw_radii[atoms.numbers]
    first, second, distance, shift = neighbor_list("ijdS", atoms, 5.0)
    for ligand_indices in indices:
        inside = np.isin(first, ligand_indices)
        other = ~np.isin(second, ligand_indices) | shift.any(axis=1)
        chosen = inside & other
        relative = distance[chosen] / (radii[first[chosen]] + radii[second[chosen]])
        metal = np.isin(atoms.get_chemical_symbols(), ["Pb", "Cd"])[second[chosen]]
        head = np.isin(atoms.numbers[first[chosen]], [6, 7, 8, 1]) & metal & (distance[chosen] < 3.3)
        worst = min(worst, relative[~head].min())
    return worst


@pytest.mark.parametrize("name", sorted(CHEMISTRY))
def test_molecules_are_what_their_names_say(name):
    atoms, record = ligand(name), ligand_record(name)
    formula, charge = CHEMISTRY[name]
    assert atoms.get_chemical_formula(mode="hill") == record.formula == formula
    assert record.formal_charge == charge
    first, _, distance = bonds(atoms)
    assert len(first) // 2 == len(atoms) - 1, "an open chain has one bond less than atoms"
    valence = np.bincount(first, minlength=len(atoms))
    assert set(valence[atoms.numbers == 1]) == {1}
    assert valence[atoms.numbers == 6].max() <= 4
    assert 0.9 < distance.min() < distance.max() < 1.6
    assert record.relaxed["method"] == "GFN2-xTB"
    assert record.relaxed["max_force_eV_per_A"] < 0.01
    assert record.made
    assert record.source


def test_every_ligand_is_tested():
    assert set(ligand_names()) == set(CHEMISTRY)


def test_the_fragment_is_oleic_acid_up_to_its_double_bond():
    """HOOC-(CH2)7-CH=CH2: the chain after C=C omitted (Wang 2020)."""
    atoms = ligand("oleic-fragment")
    first, second, distance = bonds(atoms)
    carbon = atoms.numbers == 6
    double = (carbon[first] & carbon[second]) & (distance < 1.40)
    hydrogens = np.bincount(first[atoms.numbers[second] == 1], minlength=len(atoms))
    assert sorted(hydrogens[first[double]]) == [1, 2]
    assert sorted(hydrogens[carbon]) == [0, 1] + [2] * 8


@pytest.mark.parametrize(("name", "cis"), [("oleic-acid", True), ("oleate", True), ("elaidic-acid", False)])
def test_the_double_bond_has_the_isomer_of_the_name(name, cis):
    atoms = ligand(name)
    first, second, distance = bonds(atoms)
    carbon = atoms.numbers == 6
    double = (carbon[first] & carbon[second]) & (distance < 1.40)
    one, other = int(first[double][0]), int(second[double][0])
    ends = [next(int(k) for k in second[first == n] if carbon[k] and k not in (one, other)) for n in (one, other)]
    angle = atoms.get_dihedral(ends[0], one, other, ends[1])
    assert min(angle, 360 - angle) == pytest.approx(0.0 if cis else 180.0, abs=5.0)


@pytest.mark.parametrize("name", sorted(CHEMISTRY))
def test_binding_atoms_are_the_heteroatoms_of_the_group(name):
    atoms, record = ligand(name), ligand_record(name)
    for mode, members in record.binding_atoms.items():
        assert set(atoms.numbers[list(members)]) <= {7, 8}
        assert len(members) == (1 if mode == "monodentate" else 2)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("oleic-fragment", {"gap": 6.0}),
        ("oleic-fragment", {"gap": 4.0}),
        ("formic-acid", {"gap": 5.5, "face": "both"}),
        ("octylamine", {"gap": 9.0, "face": "upper", "coverage": 1.0}),
        ("acetate", {"gap": 7.0, "binding": "bridging", "coverage": 1.5}),
        ("oleate", {"gap": 20.0, "coverage": 2.0}),
    ],
)
def test_nothing_collides_and_the_head_touches_its_metal(name, options):
    atoms = build_sandwich("PbSe-rocksalt", name, planes=1, **options)
    indices = atoms.info["recipe"]["ligand_indices"]
    assert clashes(atoms, indices) >= CLEARANCE - 1e-6
    metal = np.flatnonzero(atoms.numbers == 82)
    hetero = 7 if name == "octylamine" else 8
    for members in indices:
        heads = [index for index in members if atoms.numbers[index] == hetero]
        nearest = get_distances(atoms.positions[heads], atoms.positions[metal], cell=atoms.cell, pbc=True)[1].min()
        # 1.15 sums of covalent radii
        assert 2.3 < nearest < 2.6


def test_ligands_stay_rigid_and_lie_between_the_slabs():
    atoms = build_sandwich("PbSe-rocksalt", "oleic-fragment", gap=6.0, planes=2, count=1)
    members = atoms.info["recipe"]["ligand_indices"][0]
    free = ligand("oleic-fragment")
    order = np.argsort(free.get_chemical_symbols(), kind="stable")
    own = atoms[members]
    assert own.get_chemical_symbols() == free[order].get_chemical_symbols()
    assert own.get_all_distances() == pytest.approx(free[order].get_all_distances(), abs=1e-9)
    tags, z = atoms.get_tags(), atoms.positions[:, 2]
    assert z[tags == LOWER].max() < z[tags == LIGAND].min() < z[tags == LIGAND].max() < z[tags == UPPER].min()
    assert z[tags == UPPER].min() - z[tags == LOWER].max() == pytest.approx(6.0 + 6.2086 / 2)


def test_the_handedness_of_the_molecule_survives_on_the_lower_face_only_as_a_mirror_image_may():
    """Both faces hold molecules with the same distances; the upper ones may be mirror images (no ligand is chiral)."""
    atoms = build_sandwich("PbSe-rocksalt", "acetic-acid", gap=8.0, planes=1, face="both")
    one, other = (atoms[members] for members in atoms.info["recipe"]["ligand_indices"])
    assert one.get_all_distances() == pytest.approx(other.get_all_distances(), abs=1e-9)


def test_the_ledger_counts_ligands_and_charges():
    atoms = build_sandwich("PbSe-rocksalt", "oleate-fragment", gap=16.0, planes=1, coverage=0.6, face="both")
    ledger = atoms.info["ledger"]
    assert (ledger["ligands"]["lower"], ledger["ligands"]["upper"]) == (2, 2)
    assert ledger["formal_charge"] == -4
    assert ledger["ligands"]["formal_charge_of_slabs"] == 0
    assert ledger["counts"] == dict(Counter(atoms.get_chemical_symbols()))
    area = atoms.cell.lengths()[0] * atoms.cell.lengths()[1] / 100
    assert ledger["ligands"]["coverage_per_nm2"]["lower"] == pytest.approx(2 / area)
    assert json.loads(json.dumps(atoms.info["recipe"]))["builder"] == "sandwich"


def test_each_face_may_have_its_own_coverage():
    atoms = build_sandwich("PbSe-rocksalt", "formic-acid", gap=8.0, planes=1, face="both", coverage=(0.9, 0.3))
    assert (atoms.info["ledger"]["ligands"]["lower"], atoms.info["ledger"]["ligands"]["upper"]) == (3, 1)
    atoms = build_sandwich("PbSe-rocksalt", "formic-acid", gap=8.0, planes=1, face="both", count=(0, 2))
    assert (atoms.info["ledger"]["ligands"]["lower"], atoms.info["ledger"]["ligands"]["upper"]) == (0, 2)


@pytest.mark.parametrize("name", ["oleic-fragment", "oleate", "octylamine"])
def test_a_capped_slab_has_ligands_upright_on_one_face(name):
    atoms = build_capped_slab("PbSe-rocksalt", name, planes=2, count=2, vacuum=12.0, fixed_planes=1)
    indices = atoms.info["recipe"]["ligand_indices"]
    assert clashes(atoms, indices) >= CLEARANCE - 1e-6
    z = atoms.positions[:, 2]
    assert not np.any(atoms.get_tags() == UPPER)
    assert z[atoms.get_tags() == LIGAND].min() > z[atoms.get_tags() == LOWER].max()
    assert atoms.cell[2, 2] - np.ptp(z) == pytest.approx(12.0) == atoms.info["ledger"]["vacuum_A"]
    assert atoms.info["ledger"]["n_planes"] == 2
    assert set(z[atoms.constraints[0].index].round(6)) == {z.min().round(6)}
    assert atoms.info["recipe"]["parameters"]["gap_A"] is None


def test_species_come_in_groups():
    symbols = build_sandwich("PbSe-rocksalt", "octylamine", gap=8.0, planes=1, face="both").get_chemical_symbols()
    assert len(list(dict.fromkeys(symbols))) == sum(a != b for a, b in zip(symbols, [None, *symbols], strict=False))


def test_a_gap_scan_has_one_cell_and_one_composition():
    scan = scan_gaps(
        describe_double_slab("PbSe-rocksalt", planes=1, lateral=(4, 4), fixed_planes=1),
        [5.0, 7.0, 9.0],
        LigandLayer(name="acetic-acid"),
    )
    assert {str(atoms.symbols) for atoms in scan} == {str(scan[0].symbols)}
    assert np.ptp([atoms.cell[2, 2] for atoms in scan]) == pytest.approx(0.0)
    gaps = []
    for atoms in scan:
        tags, z = atoms.get_tags(), atoms.positions[:, 2]
        gaps.append(z[tags == UPPER].min() - z[tags == LOWER].max() - 6.2086 / 2)
        assert len(atoms.constraints[0].index) == 32
    assert gaps == pytest.approx([5.0, 7.0, 9.0])


@pytest.mark.parametrize("face", ["lower", "upper", "both"])
def test_ligands_keep_their_pose_on_their_slab_through_a_scan(face):
    narrow, wide = scan_gaps(
        describe_double_slab("PbSe-rocksalt", planes=1), [6.5, 4.5], LigandLayer(name="octylamine", face=face, count=1)
    )[::-1]
    for one, other in zip(*(atoms.info["recipe"]["ligand_indices"] for atoms in (narrow, wide)), strict=True):
        # octylamine is long: its middle tells the face it is on by the distance to the slab's atoms
        moved = wide.positions[other] - narrow.positions[one]
        step = moved - moved[0]
        assert np.abs(step).max() < 1e-9
    assert clashes(wide, wide.info["recipe"]["ligand_indices"]) >= CLEARANCE - 1e-6
    tags = narrow.get_tags()
    shift = (wide.positions - narrow.positions)[:, 2]
    faces = {"lower": [LOWER], "upper": [UPPER], "both": [LOWER, UPPER]}[face]
    expected = sorted(round(float(shift[tags == tag][0]), 6) for tag in faces)
    found = sorted({round(float(shift[members[0]]), 6) for members in narrow.info["recipe"]["ligand_indices"]})
    assert found == pytest.approx(expected)


BAD = {
    "unknown ligand": ({"ligand_name": "oleic"}, "did you mean oleic-acid"),
    "no room": ({"gap": 3.2}, "ligands: expected room for 1 x oleic-fragment"),
    "gap below a bond": ({"gap": 1.0}, "gap: expected at least one bond"),
    "no ligand at all": ({"coverage": 0.01}, "coverage: expected one ligand or more"),
    "negative coverage": ({"coverage": -1.0}, "coverage"),
    "coverage of no number": ({"coverage": float("inf")}, "coverage"),
    "both amounts": ({"coverage": 1.0, "count": 1}, "coverage or a count"),
    "no count": ({"count": 0}, "a ligand on one face at least"),
    "half a ligand": ({"count": 0.5}, "count: expected a number of ligands"),
    "two coverages for one face": ({"coverage": (1.0, 1.0)}, "two numbers for both faces only"),
    "nothing on either": ({"coverage": (0.0, 0.0), "face": "both"}, "a ligand on one face"),
    "face": ({"face": "left"}, "lower, upper or both"),
    "binding": ({"binding": "bridging"}, "monodentate, the one way"),
    "more than sites": ({"ligand_name": "acetic-acid", "coverage": 30.0}, "got 18 binding sites"),
    "too many": ({"ligand_name": "octylamine", "count": 2, "lateral": (2, 2)}, "ligands: expected room for 2"),
}


@pytest.mark.parametrize(("options", "message"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_built_is_refused_in_one_line(options, message):
    given = {"ligand_name": "oleic-fragment", "gap": 6.0, "planes": 1, **options}
    with pytest.raises(InputError, match=message) as caught:
        build_sandwich("PbSe-rocksalt", **given)
    assert "\n" not in str(caught.value)


def test_a_face_without_metal_is_refused():
    with pytest.raises(InputError, match="holds Se only"):
        build_sandwich("CdSe-zincblende", "acetic-acid", gap=8.0, planes=2)
    assert (
        build_sandwich("CdSe-zincblende", "acetic-acid", gap=8.0, planes=2, face="upper").info["ledger"][
            "formal_charge"
        ]
        == 0
    )


def test_unknown_binding_of_a_carboxylate_is_refused():
    with pytest.raises(InputError, match="chelating"):
        build_sandwich("PbSe-rocksalt", "acetate", gap=8.0, planes=1, binding="tridentate")


@pytest.mark.parametrize(("name", "each"), [("acetic-acid", 0), ("oleate-fragment", -1)])
def test_the_summary_of_a_ligated_double_slab_counts_its_ligands_by_their_record(name, each):
    """Charges guessed from all elements gave +158 e for neutral ligands; a displaced start is summed up alike."""
    atoms = build_sandwich("PbSe-rocksalt", name, gap=14.0, planes=2, count=2)
    built = atoms.info["ledger"]
    for same in (atoms, rattle_atoms(atoms, 0.05)):
        summary = sheet_ledger(same)
        assert summary.formal_charge == built["formal_charge"] == 2 * each
        assert dict(summary.counts) == built["counts"]
        assert [plane.species for plane in summary.planes] == ["PbSe"] * 4
        assert summary.area == pytest.approx(built["area_A2"])
    assert sheet_ledger(atoms).thickness == pytest.approx(built["thickness_A"])
    assert sheet_ledger(atoms).vacuum == pytest.approx(built["vacuum_A"])


def test_slabs_and_nanocrystals_have_one_schema_of_summary():
    sheet, neck = build_nanosheet("CdSe-wurtzite", "11-20", 3), build_neck("PbSe-rocksalt", planes=1)
    ligated, dot = (
        build_sandwich("PbSe-rocksalt", "acetic-acid", gap=8.0, planes=1),
        build_nanocrystal("CdSe-wurtzite", 9),
    )
    assert len({tuple(built.info["ledger"]) for built in (sheet, neck, ligated, dot)}) == 1
    assert dot.info["ledger"]["planes"] is dot.info["ledger"]["vacuum_A"] is None


@pytest.mark.parametrize("build", [build_neck, lambda *a, **k: build_sandwich(*a, "acetic-acid", **k)])
def test_a_mistyped_option_is_named_with_the_closest(build):
    with pytest.raises(InputError, match=r"option of the double slab.*'latral'; did you mean lateral"):
        build("PbSe-rocksalt", latral=(4, 4))
