"""Atoms of several species lost at once: brute force, pymatgen, SHRY's published counts, files that read back."""

from collections import Counter
from itertools import combinations, islice
from math import comb
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import make_supercell, molecule
from ase.constraints import FixAtoms
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Molecule
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.symmetry.analyzer import PointGroupAnalyzer

from nanoslab.builders import build_nanosheet
from nanoslab.builders.enumeration import Removal, read_table, removals, write_table
from nanoslab.builders.enumeration.particle import particle_permutations
from nanoslab.builders.particles.particle import build_nanocrystal
from nanoslab.crystals import load_crystal
from nanoslab.errors import FileError, InputError


def sheet(repeat: tuple[int, int] = (1, 1), fix: str = "none") -> Atoms:
    return build_nanosheet("CdSe-wurtzite", "11-20", 3, repeat=repeat, fix=fix)


def one(atoms: Atoms, counts: dict[str, int], **filters: object) -> Removal:
    (question,) = removals(atoms, counts, **filters)
    return question


def listed(question: Removal) -> dict[str, tuple[tuple[int, ...], int]]:
    return {
        name: (tuple(removed.tolist()), int(degeneracy))
        for block in question.blocks()
        for name, removed, degeneracy in zip(block.identifiers, block.removed, block.degeneracies, strict=True)
    }


@pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")
def test_classes_of_two_species_are_those_of_pymatgen() -> None:
    atoms = sheet()
    matcher = StructureMatcher(primitive_cell=False, scale=False, attempt_supercell=False, stol=0.05, ltol=0.01)
    kinds: list[list] = []
    pairs = [
        (i, *j)
        for i in np.flatnonzero(atoms.symbols == "Cd")
        for j in combinations(np.flatnonzero(atoms.symbols == "Se"), 2)
    ]
    for removed in pairs:
        left = atoms.copy()
        del left[list(map(int, removed))]
        structure = AseAtomsAdaptor.get_structure(left)
        lengths = np.sort(left.get_all_distances(mic=True), axis=None)  # alike in all that are the same
        alike = (kind for kind in kinds if np.allclose(kind[2], lengths, atol=0.05))
        found = next((kind for kind in alike if matcher.fit(kind[0], structure)), None)
        if found is None:
            kinds.append([structure, 1, lengths])
        else:
            found[1] += 1
    ours = listed(one(atoms, {"Se": 2, "Cd": 1}))
    assert sorted(n for _, n in ours.values()) == sorted(kind[1] for kind in kinds)


@pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")
@pytest.mark.parametrize("size", [12, pytest.param(40, marks=pytest.mark.slow)])
def test_a_sample_of_a_large_set_holds_no_two_that_pymatgen_takes_for_the_same(size: int) -> None:
    question = one(sheet((2, 2)), {"Se": 2, "Cd": 1})
    block, _ = question.sample(size, seed=5, each_way_alike=True)
    structures = []
    for removed in block.removed:
        structures.append(AseAtomsAdaptor.get_structure(question.atoms(removed)))
    matcher = StructureMatcher(primitive_cell=False, scale=False, attempt_supercell=False, stol=0.02, ltol=0.01)
    assert len(structures) > 0.75 * size
    assert not any(matcher.fit(a, b) for a, b in combinations(structures, 2))


@pytest.mark.parametrize("counts", [{"Se": 3}, {"Se": 2, "Cd": 2}, {"Cd": 5, "Se": 1}])
def test_degeneracies_add_up_to_products_of_binomials(counts: dict[str, int]) -> None:
    for atoms in (sheet(), sheet((2, 1), "bottom"), load_crystal("CdSe-zincblende").repeat((1, 1, 2))):
        question = one(atoms, counts)
        found = listed(question)
        total = int(np.prod([comb(int((atoms.symbols == s).sum()), n) for s, n in counts.items()]))
        assert len(found) == question.n_distinct == question.n_passing
        assert sum(n for _, n in found.values()) == question.n_total == total


def test_published_counts_of_shry_for_lead_tin_telluride() -> None:
    # half of the cations of rock salt replaced, supercells of its cubic cell: SHRY's benchmark 01, arXiv 2111.13409
    published = {(1, 1, 1): 1, (1, 1, 2): 8, (1, 1, 3): 34, (1, 2, 2): 153, (2, 2, 2): 404_582}
    cubic = load_crystal("PbSe-rocksalt")
    for repeat, number in published.items():
        atoms = cubic.repeat(repeat)
        question = one(atoms, {"Pb": int((atoms.symbols == "Pb").sum()) // 2})
        assert question.n_distinct == number
        if number < 1000:
            assert len(listed(question)) == number


@pytest.mark.slow
def test_the_largest_published_set_of_shry_is_enumerated_whole() -> None:
    question = one(load_crystal("PbSe-rocksalt").repeat((2, 2, 2)), {"Pb": 16})
    sizes = [(len(block), int(block.degeneracies.sum())) for block in question.blocks()]
    assert sum(n for n, _ in sizes) == 404_582
    assert sum(n for _, n in sizes) == comb(32, 16)


def test_identifiers_do_not_depend_on_the_order_of_the_file_nor_on_where_the_cell_begins() -> None:
    atoms = sheet((2, 1))
    mixed = atoms[np.random.default_rng(2).permutation(len(atoms))]
    mixed.positions += 0.4 * atoms.cell[2]
    mixed.wrap()
    mine, theirs = (listed(one(each, {"Se": 2, "Cd": 1})) for each in (atoms, mixed))
    assert {name: n for name, (_, n) in mine.items()} == {name: n for name, (_, n) in theirs.items()}
    matcher = StructureMatcher(primitive_cell=False, scale=False, attempt_supercell=False, stol=0.02, ltol=0.01)
    for name in list(mine)[::25]:
        pair = [
            AseAtomsAdaptor.get_structure(whole[[i for i in range(len(whole)) if i not in found[name][0]]])
            for whole, found in ((atoms, mine), (mixed, theirs))
        ]
        assert matcher.fit(*pair)


def test_removing_more_than_half_is_asked_of_what_is_left() -> None:
    atoms = sheet()
    few, many = (listed(one(atoms, {"Se": n})) for n in (2, 4))
    assert sorted(n for _, n in few.values()) == sorted(n for _, n in many.values())
    assert all(len(removed) == 4 for removed, _ in many.values())


def test_filters_keep_what_brute_force_keeps() -> None:
    atoms = sheet((2, 1))
    distances = atoms.get_all_distances(mic=True)
    heights = atoms.positions[:, 2] - atoms.positions[:, 2].min()
    depths = np.minimum(heights, heights.max() - heights)
    selenium = np.flatnonzero(atoms.symbols == "Se")
    passing = [
        trio
        for trio in combinations(selenium, 3)
        if all(4.5 <= distances[pair] <= 9 for pair in combinations(trio, 2)) and all(depths[i] < 1 for i in trio)
    ]
    found = listed(one(atoms, {"Se": 3}, apart=(4.5, 9), depth=(0, 1)))
    assert sum(n for _, n in found.values()) == len(passing) > 0
    assert {removed for removed, _ in found.values()} <= {tuple(map(int, trio)) for trio in passing}
    top = listed(one(atoms, {"Se": 1, "Cd": 1}, region="top"))
    assert sum(n for _, n in top.values()) == 16
    assert all(heights[list(removed)].min() > 0.7 * heights.max() for removed, _ in top.values())


def test_counts_in_ranges_keep_the_formal_charge_asked_for() -> None:
    found = removals(sheet(), {"Se": (0, 3), "Cd": (0, 2)}, charge=(0, 2))
    counts = [(one.counts["Cd"], one.counts["Se"]) for one in found]
    assert counts == [(0, 1), (1, 1), (1, 2), (2, 2), (2, 3)]


@pytest.mark.parametrize(
    ("name", "order"), [("CH4", 24), ("NH3", 6), ("C6H6", 24), ("H2O", 4), ("SF6", 48), ("C60", 120)]
)
def test_point_groups_of_molecules_have_their_order(name: str, order: int) -> None:
    corners = 1.56 * np.vstack([np.eye(3), -np.eye(3)])
    atoms = Atoms("SF6", [[0, 0, 0], *corners]) if name == "SF6" else molecule(name)
    atoms.rotate(37, (1, 2, 3))
    permutations = particle_permutations(atoms, 0.02)
    # of a flat molecule the reflection in its plane moves no atom
    flat = np.linalg.matrix_rank(atoms.positions - atoms.positions.mean(axis=0), tol=0.1) < 3
    analyzer = PointGroupAnalyzer(Molecule(atoms.symbols, atoms.positions), tolerance=0.05)
    assert len(analyzer.get_symmetry_operations()) == order
    assert len(permutations) == order // (2 if flat else 1)


def test_a_particle_keeps_its_point_group_in_a_box_that_has_another() -> None:
    dot = build_nanocrystal("CdSe-zincblende", {"Cd": 16, "Se": 19}, centre="Se")
    dot.set_cell([22, 25, 30])
    shifted = dot.copy()
    shifted.positions += 0.4 * dot.cell.lengths()
    shifted.wrap()
    analyzer = PointGroupAnalyzer(Molecule(dot.symbols, dot.positions), tolerance=0.01)
    for atoms in (dot, shifted):
        question = one(atoms, {"Se": 2})
        assert len(question.sites.permutations) == len(analyzer.get_symmetry_operations()) == 24
        found = listed(question)
        assert sum(n for _, n in found.values()) == comb(19, 2)


def test_frozen_atoms_tell_faces_apart_for_two_species_too() -> None:
    free, held = sheet(), sheet()
    held.set_constraint(
        FixAtoms(indices=[i for i in range(len(held)) if held.positions[i, 2] < held.positions[:, 2].mean()])
    )
    assert one(held, {"Se": 1, "Cd": 1}).n_distinct > one(free, {"Se": 1, "Cd": 1}).n_distinct


def test_a_table_reads_back_and_makes_the_structures(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    questions = removals(sheet(), {"Se": (1, 2), "Cd": (0, 1)})
    path = tmp_path / "ways.parquet"
    n_rows = write_table(path, ((q, block) for q in questions for block in q.blocks()), questions)
    parent, rows = read_table(path)
    rows = list(rows)
    assert n_rows == len(rows) == sum(q.n_distinct for q in questions)
    assert np.allclose(parent.positions, questions[0].parent.positions)
    assert parent.get_chemical_symbols() == questions[0].parent.get_chemical_symbols()
    for row in rows:
        lost = Counter(parent.symbols[i] for i in row["removed"])
        assert (lost["Se"], lost["Cd"]) == (row["n_Se"], row["n_Cd"])
    assert len({row["identifier"] for row in rows}) == n_rows
    assert len(list(read_table(path, 3, 5)[1])) == 2


def test_structures_in_one_file_are_those_that_ase_would_write(tmp_path: Path) -> None:
    question = one(sheet(fix="middle"), {"Se": 2})
    path = tmp_path / "ways.extxyz"
    write_table(path, ((question, block) for block in question.blocks()), [question])
    frames = ase.io.read(path, ":")
    assert len(frames) == question.n_distinct
    block = next(question.blocks())
    for frame, removed, name in zip(frames, block.removed, block.identifiers, strict=True):
        own = question.atoms(removed)
        assert frame.info["identifier"] == name
        assert np.allclose(frame.positions, own.positions)
        assert frame.get_chemical_symbols() == own.get_chemical_symbols()
        assert frame.constraints[0].index.tolist() == own.constraints[0].index.tolist()
        assert np.atleast_1d(frame.info["removed"]).tolist() == removed.tolist()


@pytest.mark.parametrize("ending", ["parquet", "extxyz"])
def test_no_file_is_overwritten_and_none_is_left_half_written(tmp_path: Path, ending: str) -> None:
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    question = one(sheet(), {"Se": 2})
    path = tmp_path / f"ways.{ending}"

    def failing():
        yield question, next(question.blocks())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_table(path, failing(), [question])
    assert list(tmp_path.iterdir()) == []
    path.write_text("mine")
    with pytest.raises(FileError, match="would be lost"):
        write_table(path, failing(), [question])
    assert path.read_text() == "mine"


def test_what_is_no_table_is_said_to_be_none(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "a.parquet"
    path.write_text("no table")
    with pytest.raises(FileError, match="a table of vacancies"):
        read_table(path)


def test_blocks_come_before_all_are_known() -> None:
    question = one(build_nanosheet("CdSe-wurtzite", "11-20", 7, repeat=(2, 2), fix="none"), {"Se": 10, "Cd": 10})
    assert question.n_distinct > 10**19
    blocks = list(islice(question.blocks(), 2))
    assert all(len(set(map(tuple, block.removed.tolist()))) == len(block) > 0 for block in blocks)


@pytest.mark.parametrize(
    ("counts", "filters", "words"),
    [
        ({"Te": 1}, {}, "one of Cd, Se"),
        ({"Se": 7}, {}, "at most 6"),
        ({"Se": 1}, {"region": "side"}, "one of any, top, bottom, both"),
        ({"Se": 1}, {"charge": (5, 6)}, "counts that leave it"),
        ({"Se": 1}, {"apart": (5, 3)}, "the smaller first"),
        ({"Se": 1}, {"depth": (50, 60)}, "at least one atom"),
        ({}, {}, "at least one species"),
        ({"Se": (2, 1)}, {}, "whole number of at least 2"),
    ],
)
def test_the_impossible_is_an_error(counts: dict, filters: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        removals(sheet(), counts, **filters)


def test_skewed_cells_hold_the_same_ways() -> None:
    plain = sheet((2, 1))
    skewed = make_supercell(plain, [[1, 1, 0], [0, 1, 0], [0, 0, 1]])
    mine, theirs = (listed(one(atoms, {"Se": 2, "Cd": 1}, apart=(3, 30))) for atoms in (plain, skewed))
    assert sorted(n for _, n in mine.values()) == sorted(n for _, n in theirs.values())
