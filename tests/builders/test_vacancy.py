"""Vacancies: every way once, against pymatgen's StructureMatcher over all subsets."""

import json
import pickle
import time
from itertools import combinations
from math import comb

import numpy as np
import pytest
from ase import Atoms
from ase.build import make_supercell
from ase.constraints import FixAtoms, FixScaled
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.io.ase import AseAtomsAdaptor

from nanoslab.builders import build_nanosheet, count_vacancies, distinct_vacancies
from nanoslab.errors import InputError

SKEW = [[1, 1, 0], [0, 1, 0], [0, 0, 1]]


def zinc_blende() -> Atoms:
    return build_nanosheet("CdSe-zincblende", "001", 3, termination="Cd/Cd", repeat=(2, 1))


def wurtzite() -> Atoms:
    return build_nanosheet("CdSe-wurtzite", "11-20", 3)


def rock_salt() -> Atoms:
    return build_nanosheet("PbSe-rocksalt", "001", 2, repeat=(2, 2))


def hexagonal() -> Atoms:
    return build_nanosheet("CdSe-zincblende", "111", 2, repeat=(2, 2))


def skewed(sheet: Atoms) -> Atoms:
    other = make_supercell(sheet, SKEW)
    other.set_constraint(FixAtoms(indices=[i for i in range(len(other)) if is_middle(other, i)]))
    return other


def is_middle(sheet: Atoms, index: int) -> bool:
    return bool(abs(sheet.positions[index, 2] - sheet.positions[:, 2].mean()) < 0.1)


SHEETS = {
    "zinc blende": zinc_blende(),
    "wurtzite": wurtzite(),
    "rock salt": rock_salt(),
    "hexagonal": hexagonal(),
    "skewed": skewed(zinc_blende()),
    "skewed wurtzite": skewed(wurtzite()),
}


def classes_of_pymatgen(sheet: Atoms, candidates: list[int], size: int) -> list[int]:
    """Sizes of the classes of all subsets, by matching structures with pymatgen."""
    matcher = StructureMatcher(primitive_cell=False, scale=False, attempt_supercell=False, stol=0.05, ltol=0.01)
    kinds: list[tuple[object, int]] = []
    for removed in combinations(candidates, size):
        atoms = sheet.copy()
        del atoms[list(removed)]
        atoms.set_constraint()
        structure = AseAtomsAdaptor.get_structure(atoms)
        for i, (known, number) in enumerate(kinds):
            if matcher.fit(known, structure):
                kinds[i] = (known, number + 1)
                break
        else:
            kinds.append((structure, 1))
    return sorted(number for _, number in kinds)


@pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")
@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("name", SHEETS)
def test_classes_are_those_of_pymatgen(name: str, size: int) -> None:
    sheet = SHEETS[name]
    candidates = [i for i, symbol in enumerate(sheet.symbols) if symbol == "Se"]
    found = distinct_vacancies(sheet, "Se", size)
    assert sorted(vacancy.degeneracy for vacancy in found) == classes_of_pymatgen(sheet, candidates, size)


@pytest.mark.parametrize("region", ["any", "top", "bottom", "both", "depth"])
@pytest.mark.parametrize("name", SHEETS)
def test_degeneracies_add_up_to_all_ways(name: str, region: str) -> None:
    sheet = SHEETS[name]
    for size in (1, 2):
        count = count_vacancies(sheet, "Se", size, region)
        found = distinct_vacancies(sheet, "Se", size, region)
        assert len(found) == count.n_distinct
        assert sum(vacancy.degeneracy for vacancy in found) == count.n_total
        assert len({vacancy.label for vacancy in found}) == len(found)
        assert len({vacancy.removed_indices for vacancy in found}) == len(found)


def test_number_of_all_ways_is_a_binomial_coefficient() -> None:
    sheet = build_nanosheet("CdSe-wurtzite", "11-20", 7)
    assert [count_vacancies(sheet, "Se", size).n_total for size in range(1, 15)] == [comb(14, k) for k in range(1, 15)]
    assert count_vacancies(sheet, "Se", 2, "both").n_total == comb(4, 2)
    assert count_vacancies(sheet, "Se", 3, "depth").n_total == 2**3


@pytest.mark.parametrize("name", SHEETS)
def test_skewed_cells_and_shifted_sheets_have_the_same_vacancies(name: str) -> None:
    plain = SHEETS[name]
    other = make_supercell(plain, SKEW)
    other.set_constraint(plain.constraints)
    other.positions[:, 2] += 0.6 * other.cell[2, 2]
    other.wrap()
    for size, region in ((1, "any"), (2, "any"), (2, "both"), (1, "top")):
        mine, theirs = (distinct_vacancies(sheet, "Se", size, region) for sheet in (plain, other))
        assert [v.degeneracy for v in mine] == [v.degeneracy for v in theirs]
        assert [v.depth for v in mine] == pytest.approx([v.depth for v in theirs], abs=1e-6)


def test_whole_layers_of_the_paper() -> None:
    # Ma 2023: one face's Se layer gone is 14:12, both 14:10 (doi:10.1002/advs.202205690)
    sheet = build_nanosheet("CdSe-wurtzite", "11-20", 7)
    formulas = {
        region: [vacancy.atoms.get_chemical_formula() for vacancy in distinct_vacancies(sheet, "Se", "layer", region)]
        for region in ("top", "bottom", "both")
    }
    assert formulas == {"top": ["Cd14Se12"], "bottom": ["Cd14Se12"], "both": ["Cd14Se10"]}
    every = distinct_vacancies(sheet, "Se", "layer")
    assert [vacancy.degeneracy for vacancy in every] == [2, 2, 2, 1]
    assert count_vacancies(sheet, "Se", "layer").n_total == 7


def test_top_is_the_outermost_layer_of_the_species() -> None:
    sheet = build_nanosheet("CdSe-zincblende", "001", 7, repeat=(2, 2))
    heights = sheet.positions[:, 2]
    se_heights = heights[sheet.symbols == "Se"]
    (top,) = distinct_vacancies(sheet, "Se", 1, "top")
    (bottom,) = distinct_vacancies(sheet, "Se", 1, "bottom")
    assert heights[list(top.removed_indices)] == pytest.approx(se_heights.max())
    assert heights[list(bottom.removed_indices)] == pytest.approx(se_heights.min())
    assert (top.degeneracy, bottom.degeneracy) == (4, 4)
    assert (top.label, top.layers, top.depth) == ("v_Se-surface-1", (1,), pytest.approx(0))
    assert (bottom.label, bottom.layers) == ("v_Se-bottom-1", (7,))


def test_depth_goes_down_layer_by_layer() -> None:
    sheet = build_nanosheet("CdSe-zincblende", "001", 7)
    series = [distinct_vacancies(sheet, "Se", size, "depth") for size in range(1, 8)]
    assert [len(found) for found in series] == [1] * 7
    assert [found[0].layers for found in series] == [tuple(range(size, 0, -1)) for size in range(1, 8)]


def test_relaxed_rumpled_surfaces_keep_their_layers() -> None:
    sheet = build_nanosheet("CdSe-wurtzite", "11-20", 7, fix="none")
    middle = sheet.positions[:, 2].mean()
    sheet.positions[:, 2] += 0.2 * np.sign(sheet.positions[:, 2] - middle) * np.where(sheet.symbols == "Se", 1, -1)
    assert [len(distinct_vacancies(sheet, "Se", "layer", region)[0].removed_indices) for region in ("top", "both")] == [
        2,
        4,
    ]


def test_frozen_atoms_tell_the_faces_apart() -> None:
    free = build_nanosheet("CdSe-wurtzite", "11-20", 3, fix="none")
    one_sided = build_nanosheet("CdSe-wurtzite", "11-20", 3, fix="bottom")
    assert [v.degeneracy for v in distinct_vacancies(free, "Se", 1)] == [4, 2]
    assert [v.degeneracy for v in distinct_vacancies(one_sided, "Se", 1)] == [2, 2, 2]


def test_magnetic_moments_tell_sites_apart() -> None:
    sheet = rock_salt()
    moments = np.zeros(len(sheet))
    moments[-1] = 2.0
    sheet.set_initial_magnetic_moments(moments)
    assert 1 in [v.degeneracy for v in distinct_vacancies(sheet, "Se", 1)]


def test_structure_is_the_parent_less_the_removed_atoms() -> None:
    sheet = build_nanosheet("CdSe-wurtzite", "11-20", 7)
    before, info = sheet.copy(), json.dumps(sheet.info)
    for vacancy in distinct_vacancies(sheet, "Se", 2):
        kept = [i for i in range(len(sheet)) if i not in vacancy.removed_indices]
        atoms = vacancy.atoms
        assert np.array_equal(atoms.positions, sheet.positions[kept])
        assert np.array_equal(atoms.numbers, sheet.numbers[kept])
        frozen = [kept.index(i) for i in sheet.constraints[0].index if i in kept]
        assert atoms.constraints[0].index.tolist() == frozen
        assert atoms.info["recipe"]["parameters"]["removed_indices"] == list(vacancy.removed_indices)
        assert atoms.info["ledger"]["formal_charge"] == 4
        json.dumps(atoms.info)
    assert sheet == before
    assert json.dumps(sheet.info) == info


def test_partial_constraints_follow_their_atoms() -> None:
    sheet = rock_salt()
    last = len(sheet) - 1
    sheet.set_constraint(FixScaled([last], mask=(True, True, False)))
    vacancy = next(v for v in distinct_vacancies(sheet, "Pb", 1))
    assert vacancy.atoms.constraints[0].get_indices().tolist() == [last - 1]


def test_results_travel_to_worker_processes() -> None:
    found = distinct_vacancies(rock_salt(), "Se", 1)
    back = pickle.loads(pickle.dumps(found))  # noqa: S301
    assert [v.removed_indices for v in back] == [v.removed_indices for v in found]
    assert back[0].atoms == found[0].atoms


def test_four_vacancies_in_a_56_atom_sheet_take_seconds() -> None:
    sheet = build_nanosheet("CdSe-zincblende", "001", 7, repeat=(2, 2))
    start = time.perf_counter()
    found = distinct_vacancies(sheet, "Se", 4)
    assert sum(vacancy.degeneracy for vacancy in found) == comb(28, 4)
    # 0.06 s measured; a hundred times that on a busy machine still tells it from comparing all pairs (minutes)
    assert time.perf_counter() - start < 6


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("Te", 1, "any"), "expected one of Cd, Se, got 'Te'"),
        (("Se", 0, "any"), "count: expected a whole number of at least 1, got 0"),
        (("Se", "layers", "any"), "count"),
        (("Se", 3, "top"), "at most 2 for region 'top'"),
        (("Se", 8, "depth"), "at most 7 for region 'depth'"),
        (("Se", 1, "botom"), "did you mean bottom"),
        (("Se", "layer", "depth"), "top, bottom, both or any"),
    ],
)
def test_the_impossible_is_an_error_that_says_what_can_be_had(arguments: tuple[str, int, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        distinct_vacancies(build_nanosheet("CdSe-wurtzite", "11-20", 7), *arguments)


def test_too_many_are_counted_but_not_made() -> None:
    sheet = build_nanosheet("CdSe-wurtzite", "11-20", 7, repeat=(2, 2))
    with pytest.raises(InputError, match="--count-only"):
        distinct_vacancies(sheet, "Se", 20)
    assert count_vacancies(sheet, "Se", 20).n_total == comb(56, 20)


def test_a_crystal_without_vacuum_has_no_top() -> None:
    from nanoslab.crystals import crystal

    bulk = crystal("CdSe-wurtzite")
    assert distinct_vacancies(bulk, "Se", 1)[0].degeneracy == 2
    with pytest.raises(InputError, match="vacuum"):
        distinct_vacancies(bulk, "Se", 1, "top")


@pytest.mark.parametrize("lean", [(0.37, 0.21), (-1.4, 0.0)])
@pytest.mark.parametrize("left_handed", [False, True])
def test_leaning_third_vector_and_a_sheet_across_the_border_change_no_degeneracy(
    lean: tuple[float, float], left_handed: bool
) -> None:
    upright = build_nanosheet("CdSe-wurtzite", "11-20", 3, fix="none")
    leaning = upright.copy()
    cell = leaning.cell.array.copy()
    cell[2] += lean[0] * cell[0] + lean[1] * cell[1]
    leaning.set_cell(cell[[1, 0, 2]] if left_handed else cell)
    leaning.positions += 0.55 * cell[2]
    leaning.wrap()
    for count in (1, 2):
        expected = sorted(v.degeneracy for v in distinct_vacancies(upright, "Se", count))
        assert sorted(v.degeneracy for v in distinct_vacancies(leaning, "Se", count)) == expected
