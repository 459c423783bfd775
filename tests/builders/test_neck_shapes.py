"""Shapes of necks under the symmetry of the real double slab."""

import time
import tracemalloc

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.io.ase import AseAtomsAdaptor

from nanoslab.builders.double_slab import describe_double_slab
from nanoslab.builders.neck import build_neck_of_shape
from nanoslab.builders.neck_shapes import (
    distinct_neck_shapes,
    most_compact_shapes,
    neck_shape,
    ranked_neck_shapes,
    shape_degeneracy,
)
from nanoslab.builders.polyomino import FIXED, distinct_polyominoes

FREE_COUNTS = [1, 1, 2, 5, 12, 35, 108, 369]


def count(slab, n):
    return sum(1 for _ in distinct_neck_shapes(slab, n))


@pytest.mark.parametrize("options", [{"planes": 2}, {"planes": 3}, {"planes": 4, "gap_planes": 4}, {"lateral": (6, 8)}])
def test_on_rock_salt_the_swap_of_the_species_makes_the_polyominoes_free(options):
    slab = describe_double_slab("PbSe-rocksalt", **options)
    assert [count(slab, n) for n in range(1, 9)] == FREE_COUNTS


@pytest.mark.parametrize(
    ("crystal", "options", "n"),
    [
        ("PbSe-rocksalt", {"planes": 1}, 4),
        ("PbSe-rocksalt", {"planes": 1, "shift": (0.5, 0.0)}, 3),
        ("PbSe-rocksalt", {"planes": 1, "shift": (0.2, 0.1)}, 2),
        ("CdSe-zincblende", {"planes": 2}, 3),
    ],
    ids=["rock salt", "shifted by half", "shifted anyhow", "zinc blende"],
)
def test_distinct_shapes_are_the_distinct_structures_of_another_code(crystal, options, n):
    """Build every placed polyomino on a square cell and let pymatgen say which structures are the same."""
    slab = describe_double_slab(crystal, lateral=(6, 6), **options)
    origins = [(0, 0)] if "zinc" in crystal else [(0, 0), (1, 0)]
    placed = {
        tuple((x + i, y + j) for x, y in cells) for cells in distinct_polyominoes(n, symmetry=FIXED) for i, j in origins
    }
    structures = [
        AseAtomsAdaptor.get_structure(build_neck_of_shape(slab, neck_shape(slab, cells))) for cells in sorted(placed)
    ]
    matcher = StructureMatcher(primitive_cell=False, scale=False, attempt_supercell=False, ltol=0.01, stol=0.01)
    assert len(matcher.group_structures(structures)) == count(slab, n)


def test_degeneracies_add_up_to_all_placed_shapes():
    for options, fixed in (({}, 216), ({"shift": (0.5, 0.0)}, 2 * 216)):
        slab = describe_double_slab("PbSe-rocksalt", planes=2, **options)
        assert sum(shape_degeneracy(slab, shape) for shape in distinct_neck_shapes(slab, 6)) == fixed


def test_ranked_shapes_are_all_shapes_by_perimeter():
    slab = describe_double_slab("PbSe-rocksalt", planes=2)
    ranked = list(ranked_neck_shapes(slab, 7))
    perimeters = [shape.perimeter for shape in ranked]
    assert perimeters == sorted(perimeters)
    assert {shape.cells for shape in ranked} == {shape.cells for shape in distinct_neck_shapes(slab, 7)}


@pytest.mark.parametrize("n", [3, 6, 7])
def test_most_compact_are_the_head_of_the_full_ranking(n):
    slab = describe_double_slab("PbSe-rocksalt", planes=2)
    full = sorted(distinct_neck_shapes(slab, n), key=lambda shape: shape.rank)
    assert most_compact_shapes(slab, n, 4) == tuple(full[:4])
    assert most_compact_shapes(slab, n, 10_000) == tuple(full)


def test_nine_columns_are_most_compact_as_a_square():
    slab = describe_double_slab("PbSe-rocksalt")
    best = most_compact_shapes(slab, 9, 1)[0]
    assert (best.extent, best.perimeter, best.imbalance) == ((3, 3), 12, 1)


def test_twelve_columns_take_seconds_and_little_memory():
    slab = describe_double_slab("PbSe-rocksalt", planes=1)
    began = time.process_time()
    tracemalloc.start()
    # half the shapes and the memory of them all: 10 columns here, 12 in the benchmark
    assert sum(1 for _ in distinct_neck_shapes(slab, 10)) == 4655
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.process_time() - began < 30
    assert peak < 60e6
    assert len(most_compact_shapes(slab, 16, 3)) == 3


def test_what_is_counted_first_is_what_is_built_first():
    slab = describe_double_slab("PbSe-rocksalt", planes=2)
    for shape in distinct_neck_shapes(slab, 3):
        atoms = build_neck_of_shape(slab, shape)
        neck = atoms[atoms.info["recipe"]["neck_indices"]]
        lowest = neck[neck.positions[:, 2] < neck.positions[:, 2].min() + 0.1]
        assert np.count_nonzero(lowest.symbols == "Pb") == shape.n_cation_first
