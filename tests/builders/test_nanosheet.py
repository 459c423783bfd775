"""Nanosheets: exact counts, and geometry against ASE's and pymatgen's own slab builders and the bulk."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import make_supercell, surface
from ase.neighborlist import neighbor_list
from pymatgen.core.surface import SlabGenerator
from pymatgen.io.ase import AseAtomsAdaptor

from nanoslab.builders import available_terminations, build_nanosheet
from nanoslab.crystals import crystal
from nanoslab.errors import InputError

WURTZITE, ZINC_BLENDE, ROCK_SALT = "CdSe-wurtzite", "CdSe-zincblende", "PbSe-rocksalt"
FACES = [(WURTZITE, face) for face in ("11-20", "10-10", "0001")]
FACES += [(name, face) for name in (ZINC_BLENDE, ROCK_SALT) for face in ("001", "110", "111")]


def distances(atoms: Atoms, cutoff: float = 5.0) -> list[float]:
    """Pair distances per Å² of sheet, each smeared by 0.02 Å so that rounding moves nothing across a border."""
    area = np.linalg.norm(np.cross(atoms.cell[0], atoms.cell[1]))
    found = neighbor_list("d", atoms, cutoff + 0.2)
    grid = np.arange(2.0, cutoff, 0.01)
    return list(np.exp(-0.5 * ((grid[:, None] - found) / 0.02) ** 2).sum(axis=1) / area)


def coordination(atoms: Atoms) -> list[int]:
    return sorted(np.bincount(neighbor_list("i", atoms, 3.3), minlength=len(atoms)))


@pytest.mark.parametrize("monolayers", [1, 2, 7, 8])
@pytest.mark.parametrize(
    ("name", "face", "atoms_per_monolayer", "planes_per_monolayer"),
    [
        (WURTZITE, "11-20", 4, 1),
        (WURTZITE, "10-10", 2, 1),
        (WURTZITE, "0001", 2, 2),
        (ZINC_BLENDE, "001", 2, 2),
        (ZINC_BLENDE, "110", 2, 1),
        (ZINC_BLENDE, "111", 2, 2),
        (ROCK_SALT, "001", 2, 1),
        (ROCK_SALT, "110", 2, 1),
        (ROCK_SALT, "111", 2, 2),
    ],
)
def test_number_of_monolayers_is_exact(
    name: str, face: str, atoms_per_monolayer: int, planes_per_monolayer: int, monolayers: int
) -> None:
    sheet = build_nanosheet(name, face, monolayers)
    ledger = sheet.info["ledger"]
    assert len(sheet) == monolayers * atoms_per_monolayer
    assert ledger["n_planes"] == monolayers * planes_per_monolayer
    assert ledger["formal_charge"] == 0
    assert len(set(ledger["counts"].values())) == 1


def test_cells_are_the_conventional_ones() -> None:
    a, _, c = crystal(WURTZITE).cell.cellpar()[:3]
    edge = crystal(ZINC_BLENDE).cell.cellpar()[0]
    expected = {
        (WURTZITE, "11-20"): (c, 3**0.5 * a, 90),
        (WURTZITE, "10-10"): (a, c, 90),
        (WURTZITE, "0001"): (a, a, 120),
        (ZINC_BLENDE, "001"): (edge / 2**0.5, edge / 2**0.5, 90),
        (ZINC_BLENDE, "110"): (edge / 2**0.5, edge, 90),
        (ZINC_BLENDE, "111"): (edge / 2**0.5, edge / 2**0.5, 120),
    }
    for (name, face), (first, second, angle) in expected.items():
        cell = build_nanosheet(name, face, 3).cell.cellpar()
        assert cell[[0, 1, 5]] == pytest.approx((first, second, angle), abs=1e-9), face
        assert cell[3:5] == pytest.approx(90, abs=1e-9)


@pytest.mark.parametrize(("name", "face"), FACES)
def test_vacuum_is_the_vacuum_and_the_sheet_is_centred(name: str, face: str) -> None:
    sheet = build_nanosheet(name, face, 4, vacuum=12.5, repeat=(2, 1))
    heights = sheet.positions[:, 2]
    assert sheet.cell[2, :2] == pytest.approx(0, abs=1e-12)
    assert sheet.cell[:2, 2] == pytest.approx(0, abs=1e-12)
    assert sheet.cell[0, 1:] == pytest.approx(0, abs=1e-12)
    assert np.linalg.det(sheet.cell) > 0
    assert sheet.cell[2, 2] - np.ptp(heights) == pytest.approx(12.5, abs=1e-9)
    assert heights.min() == pytest.approx(6.25, abs=1e-9)
    assert sheet.info["ledger"]["vacuum_A"] == pytest.approx(12.5, abs=1e-9)
    assert sheet.get_scaled_positions(wrap=False).min() > -1e-9
    assert sheet.get_scaled_positions(wrap=False).max() < 1


@pytest.mark.parametrize(("name", "face"), FACES)
def test_inside_of_a_sheet_is_the_bulk(name: str, face: str) -> None:
    cutoff = 6.0
    sheet = build_nanosheet(name, face, 14)
    bulk = crystal(name)
    depth = np.minimum(sheet.positions[:, 2] - sheet.positions[:, 2].min(), np.ptp(sheet.positions[:, 2]))
    depth = np.minimum(depth, sheet.positions[:, 2].max() - sheet.positions[:, 2])
    inner = np.flatnonzero(depth > cutoff)
    assert len(inner) > 0
    i_bulk, j_bulk, d_bulk = neighbor_list("ijd", bulk, cutoff)
    i_sheet, j_sheet, d_sheet = neighbor_list("ijd", sheet, cutoff)
    shells = {
        bulk[i].symbol: sorted(zip(bulk.symbols[j_bulk[i_bulk == i]], d_bulk[i_bulk == i].round(6), strict=True))
        for i in range(len(bulk))
    }
    for atom in inner:
        mine = i_sheet == atom
        found = sorted(zip(sheet.symbols[j_sheet[mine]], d_sheet[mine].round(6), strict=True))
        assert found == shells[sheet[atom].symbol]


@pytest.mark.parametrize(
    ("name", "face", "miller", "planes_per_monolayer"),
    [
        (WURTZITE, "11-20", (1, 1, 0), 1),
        (ZINC_BLENDE, "001", (0, 0, 1), 2),
        (ZINC_BLENDE, "110", (1, 1, 0), 1),
        (ROCK_SALT, "001", (0, 0, 1), 1),
        (ROCK_SALT, "110", (1, 1, 0), 1),
    ],
)
def test_sheet_is_the_slab_of_ase(
    name: str, face: str, miller: tuple[int, int, int], planes_per_monolayer: int
) -> None:
    bulk = crystal(name)
    # off the cell border, where rounding makes ASE put half a plane at the bottom and half at the top
    bulk.positions += (0.11, 0.07, 0.05)
    bulk.wrap()
    theirs = surface(bulk, miller, layers=4, vacuum=10, periodic=True)
    n_planes = len(np.unique(theirs.positions[:, 2].round(3)))
    ours = build_nanosheet(name, face, n_planes // planes_per_monolayer)
    assert distances(ours) == pytest.approx(distances(theirs), abs=2e-3)


@pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")  # pymatgen calls spglib so
@pytest.mark.parametrize(
    ("name", "face", "miller", "monolayers"),
    [(WURTZITE, "0001", (0, 0, 1), 4), (WURTZITE, "10-10", (1, 0, 0), 6), (ZINC_BLENDE, "111", (1, 1, 1), 6)],
)
def test_cut_is_the_best_bonded_one_of_pymatgen(
    name: str, face: str, miller: tuple[int, int, int], monolayers: int
) -> None:
    structure = AseAtomsAdaptor.get_structure(crystal(name))
    ours = build_nanosheet(name, face, monolayers)
    thickness = np.ptp(ours.positions[:, 2])
    generator = SlabGenerator(structure, miller, thickness, 15, primitive=True, center_slab=True)
    slabs = [AseAtomsAdaptor.get_atoms(slab) for slab in generator.get_slabs(ftol=0.05)]
    area = ours.info["ledger"]["area_A2"]
    same = [slab for slab in slabs if len(slab) / np.linalg.norm(np.cross(*slab.cell[:2])) * area < len(ours) + 0.1]
    best = max(same, key=lambda slab: np.mean(coordination(slab)))
    assert coordination(ours)[0] == coordination(best)[0] == 3
    assert np.mean(coordination(ours)) == pytest.approx(np.mean(coordination(best)))
    assert distances(ours) == pytest.approx(distances(best), abs=2e-3)


@pytest.mark.parametrize(
    ("termination", "formula", "charge"),
    [("Cd/Se", "Cd7Se7", 0), ("Se/Cd", "Cd7Se7", 0), ("Cd/Cd", "Cd8Se7", 2), ("Se/Se", "Cd7Se8", -2)],
)
def test_terminations_of_zinc_blende(termination: str, formula: str, charge: int) -> None:
    sheet = build_nanosheet(ZINC_BLENDE, "001", 7, termination=termination)
    assert sheet.get_chemical_formula() == formula
    assert sheet.info["ledger"]["termination"] == termination.split("/")
    assert sheet.info["ledger"]["formal_charge"] == charge
    symmetric = charge != 0
    assert (sheet.info["ledger"]["dipole_eA"] == 0) == symmetric


@pytest.mark.parametrize(("name", "face", "atoms_kept"), [(WURTZITE, "0001", 3), (ZINC_BLENDE, "111", 3)])
@pytest.mark.parametrize("termination", ["Cd/Se", "Se/Cd"])
def test_polar_sheets_never_end_in_atoms_with_one_bond(name: str, face: str, atoms_kept: int, termination: str) -> None:
    sheet = build_nanosheet(name, face, 5, termination=termination)
    assert sheet.info["ledger"]["termination"] == termination.split("/")
    assert coordination(sheet)[0] == atoms_kept


def test_polar_faces_end_in_the_species_of_their_name() -> None:
    # (0001) and (111) are the A faces, ending in cations; their opposites end in anions
    for name, face, opposite in ((WURTZITE, "0001", "000-1"), (ZINC_BLENDE, "111", "-1-1-1")):
        assert build_nanosheet(name, face, 3).info["ledger"]["termination"] == ["Se", "Cd"]
        assert build_nanosheet(name, opposite, 3).info["ledger"]["termination"] == ["Cd", "Se"]


@pytest.mark.parametrize(("name", "face"), FACES)
def test_the_users_own_cell_gives_the_same_sheet(name: str, face: str) -> None:
    reference = build_nanosheet(name, face, 4)
    conventional = crystal(name)
    skewed = make_supercell(conventional, [[1, 1, 0], [0, 1, 0], [0, 0, 1]])
    turned = conventional.copy()
    turned.rotate(40, (1, 2, -1), rotate_cell=True)
    turned.positions += (0.4, 0.1, -2.0)
    for own in (conventional * (2, 1, 1), skewed, turned):
        before = own.copy()
        sheet = build_nanosheet(own, face, 4)
        assert own == before
        assert sheet.get_chemical_formula() == reference.get_chemical_formula()
        assert sheet.cell.cellpar() == pytest.approx(reference.cell.cellpar(), abs=1e-4)
        assert distances(sheet) == pytest.approx(distances(reference), abs=2e-3)


def test_repeat_by_a_matrix_turns_the_cell_and_keeps_the_crystal() -> None:
    one = build_nanosheet("CdSe-zincblende", "001", 7, termination=("Cd", "Se"))
    turned = build_nanosheet("CdSe-zincblende", "001", 7, termination=("Cd", "Se"), repeat=((1, 1), (-1, 1)))
    assert turned.get_chemical_formula() == "Cd14Se14"
    np.testing.assert_allclose(turned.cell.lengths()[:2], one.cell.lengths()[:2] * np.sqrt(2))
    np.testing.assert_allclose(turned.cell.angles(), 90.0)
    nearest = [np.sort(sheet.get_all_distances(mic=True)[0])[1:4] for sheet in (one, turned)]
    np.testing.assert_allclose(nearest[0][0], nearest[1][0])
    assert turned.info["ledger"]["area_A2"] == pytest.approx(2 * one.info["ledger"]["area_A2"])


@pytest.mark.parametrize("repeat", [((1, 1), (1, 1)), ((0, 1), (1, 0)), ((1.5, 0), (0, 1)), ((1, 0),), "12"])
def test_a_matrix_that_is_no_cell_is_refused(repeat: object) -> None:
    with pytest.raises(InputError, match="repeat"):
        build_nanosheet(WURTZITE, "11-20", 3, repeat=repeat)  # type: ignore[arg-type]


def test_repeat_multiplies_everything_but_the_planes() -> None:
    one, many = (build_nanosheet(WURTZITE, "11-20", 7, repeat=repeat) for repeat in ((1, 1), (2, 3)))
    assert len(many) == 6 * len(one)
    assert many.info["ledger"]["n_planes"] == 7
    assert distances(many) == pytest.approx(distances(one), abs=2e-3)
    assert len(many.constraints[0].index) == 6 * len(one.constraints[0].index)


@pytest.mark.parametrize(
    ("name", "face", "monolayers", "termination", "planes"),
    [
        (WURTZITE, "11-20", 7, None, [3]),
        (WURTZITE, "11-20", 8, None, [3, 4]),
        (ZINC_BLENDE, "001", 7, None, [6, 7]),
        (ZINC_BLENDE, "001", 8, None, [6, 7, 8, 9]),
        (ZINC_BLENDE, "001", 7, "Cd/Cd", [7]),
    ],
)
def test_middle_layer_is_frozen(
    name: str, face: str, monolayers: int, termination: str | None, planes: list[int]
) -> None:
    sheet = build_nanosheet(name, face, monolayers, termination=termination)
    levels = np.unique(sheet.positions[:, 2].round(6))
    frozen = sheet.positions[sheet.constraints[0].index, 2].round(6)
    assert sorted(set(frozen)) == pytest.approx(levels[planes])
    assert len(frozen) == sum(np.isin(sheet.positions[:, 2].round(6), levels[planes]))
    assert frozen.mean() == pytest.approx(sheet.cell[2, 2] / 2, abs=1e-5)


def test_bottom_or_nothing_may_be_frozen_instead() -> None:
    bottom = build_nanosheet(ZINC_BLENDE, "001", 3, fix="bottom")
    assert sorted(bottom.constraints[0].index) == sorted(np.argsort(bottom.positions[:, 2])[:2])
    assert build_nanosheet(ZINC_BLENDE, "001", 3, fix="none").constraints == []


@pytest.mark.parametrize(("monolayers", "fix"), [(1, "middle"), (1, "bottom"), (2, "middle")])
def test_a_sheet_of_which_nothing_would_be_free_is_not_frozen(monolayers: int, fix: str) -> None:
    assert not build_nanosheet(WURTZITE, "11-20", monolayers, fix=fix).constraints


def test_atoms_are_grouped_with_cations_first() -> None:
    for name, face in FACES:
        symbols = build_nanosheet(name, face, 3, repeat=(2, 1)).get_chemical_symbols()
        half = len(symbols) // 2
        assert set(symbols[:half]) <= {"Cd", "Pb"}
        assert set(symbols[half:]) == {"Se"}


def test_metals_and_other_faces_work_too() -> None:
    lead = build_nanosheet("Pb-fcc", "111", 5)
    assert len(lead) == 5
    assert lead.info["ledger"]["formal_charge"] == 0
    stepped = build_nanosheet(ROCK_SALT, "310", 9)
    assert stepped.info["ledger"]["n_planes"] == 9
    assert set(stepped.info["ledger"]["counts"].values()) == {9}


def test_recipe_of_the_users_own_file_names_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.cif"
    crystal(ZINC_BLENDE).write(path)
    parameters = build_nanosheet(str(path), "001", 3).info["recipe"]["parameters"]
    assert parameters["crystal"] == str(path)
    assert parameters["lattice"] is None


def test_recipe_is_plain_json_and_builds_the_same_sheet_again() -> None:
    import json

    sheet = build_nanosheet(WURTZITE, (1, 1, -2, 0), 5, repeat=[2, 1], fix="bottom", lattice="experimental")
    parameters = json.loads(json.dumps(sheet.info["recipe"]))["parameters"]
    parameters.pop("turned_over")
    again = build_nanosheet(
        parameters.pop("crystal"), parameters.pop("face"), parameters.pop("monolayers"), **parameters
    )
    assert again == sheet
    assert again.info == sheet.info


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"monolayers": 0}, "monolayers: expected a whole number of at least 1, got 0"),
        ({"monolayers": 7.5}, "monolayers"),
        ({"monolayers": True}, "monolayers"),
        ({"vacuum": -3}, "vacuum: expected a length above 0 Å, got -3"),
        ({"vacuum": 0}, "vacuum"),
        ({"vacuum": float("nan")}, "vacuum"),
        ({"repeat": (0, 1)}, "repeat"),
        ({"repeat": 2}, "repeat"),
        ({"fix": "midle"}, "did you mean middle"),
        ({"termination": ("S", "Cd")}, "Cd/Se, Se/Cd, Cd/Cd, Se/Se"),
        ({"termination": ("CdSe", "CdSe")}, "Cd/Se, Se/Cd, Cd/Cd, Se/Se"),
        ({"termination": "Cd"}, "bottom and top species"),
        ({"face": "0001"}, "usual faces of this crystal are 001, 110, 111"),
        ({"crystal": "CdSe"}, "did you mean CdSe-wurtzite or CdSe-zincblende"),
        ({"lattice": "lda"}, "experimental, pbe"),
    ],
)
def test_the_impossible_is_an_error_that_says_what_can_be_had(change: dict[str, object], words: str) -> None:
    arguments = {"crystal": ZINC_BLENDE, "face": "001", "monolayers": 7, **change}
    with pytest.raises(InputError, match=words):
        build_nanosheet(**arguments)


def test_a_mixed_plane_has_one_termination() -> None:
    assert available_terminations(WURTZITE, "11-20", 7) == (("CdSe", "CdSe"),)
    with pytest.raises(InputError, match=r"bottom/top: CdSe/CdSe"):
        build_nanosheet(WURTZITE, "11-20", 7, termination="Cd/Cd")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"monolayers": 10**20}, "monolayers: expected at most 10000"),
        ({"vacuum": 1e300}, "vacuum: expected at most 10000 Å"),
        ({"repeat": (9999, 9999)}, "repeat: expected at most 1000000 atoms"),
    ],
)
def test_numbers_beyond_reason_are_refused_at_once(options: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        build_nanosheet("CdSe-wurtzite", "11-20", **{"monolayers": 7, **options})


def test_former_names_lead_to_the_new_ones_for_one_release() -> None:
    import nanoslab.builders
    from nanoslab.slab_geometry import Plane

    with pytest.warns(DeprecationWarning, match="StructureSummary"):
        assert nanoslab.builders.Ledger is nanoslab.builders.StructureSummary
    with pytest.warns(DeprecationWarning, match="slab_geometry"):
        assert nanoslab.builders.Plane is Plane
