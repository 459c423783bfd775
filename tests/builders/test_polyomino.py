"""Counting polyominoes: published counts, a brute force that shares nothing with the code, and streaming."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanoslab.builders.polyomino import (
    FIXED,
    FREE,
    LatticeSymmetry,
    count_images,
    distinct_polyominoes,
    is_connected,
    perimeter,
    polyominoes_of_perimeter,
    smallest_perimeter,
)
from nanoslab.errors import InputError

#: OEIS A001168 and A000105, from n = 1
FIXED_COUNTS = [1, 2, 6, 19, 63, 216, 760, 2725, 9910]
FREE_COUNTS = [1, 1, 2, 5, 12, 35, 108, 369, 1285, 4655]
#: OEIS A000988, one-sided: the same up to rotation
ONE_SIDED_COUNTS = [1, 1, 2, 7, 18, 60, 196, 704]

CHECKERBOARD = LatticeSymmetry(operations=tuple((((1, 0), (0, 1)), shift) for shift in ((0, 0), (1, 1))))
ROTATIONS = tuple(
    (matrix, shift)
    for matrix in (((1, 0), (0, 1)), ((0, -1), (1, 0)), ((-1, 0), (0, -1)), ((0, 1), (-1, 0)))
    for shift in itertools.product((0, 1), repeat=2)
)


def grown(n):
    """All fixed polyominoes by adding a cell to every smaller one."""
    shapes = {frozenset([(0, 0)])}
    for _ in range(n - 1):
        larger = set()
        for shape in shapes:
            for x, y in shape:
                for cell in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
                    if cell not in shape:
                        larger.add(normal({*shape, cell}))
        shapes = larger
    return shapes


def normal(cells):
    x0, y0 = min(x for x, _ in cells), min(y for _, y in cells)
    return frozenset((x - x0, y - y0) for x, y in cells)


def images(shape):
    turned = shape
    for _ in range(4):
        turned = {(-y, x) for x, y in turned}
        yield normal(turned)
        yield normal({(-x, y) for x, y in turned})


@pytest.mark.parametrize(
    ("symmetry", "counts"),
    [
        (FIXED, FIXED_COUNTS),
        (FREE, FREE_COUNTS),
        (LatticeSymmetry(operations=ROTATIONS), ONE_SIDED_COUNTS),
    ],
    ids=["A001168", "A000105", "A000988"],
)
def test_counts_are_the_published_ones(symmetry, counts):
    assert [sum(1 for _ in distinct_polyominoes(n, symmetry=symmetry)) for n in range(1, len(counts) + 1)] == counts


@pytest.mark.parametrize("n", range(1, 9))
def test_free_polyominoes_are_those_of_a_brute_force(n):
    found = [normal(cells) for cells in distinct_polyominoes(n)]
    orbits = {frozenset(images(shape)) for shape in grown(n)}
    assert len(found) == len(orbits)
    assert {frozenset(images(shape)) for shape in found} == orbits


@pytest.mark.parametrize("n", range(1, 7))
def test_two_kinds_of_cells_without_symmetry_double_the_count(n):
    found = list(distinct_polyominoes(n, symmetry=CHECKERBOARD))
    assert len(found) == 2 * FIXED_COUNTS[n - 1]
    assert len({(normal(cells), min(cells)[0] + min(cells)[1]) for cells in found}) <= len(found)


def test_every_class_has_as_many_images_as_fixed_polyominoes_say():
    for n in range(1, 8):
        assert sum(count_images(cells, FREE) for cells in distinct_polyominoes(n)) == FIXED_COUNTS[n - 1]


@pytest.mark.parametrize("box", [(3, 3), (2, 4), (4, 2), (1, 6)])
def test_a_box_keeps_exactly_the_classes_that_fit_it(box):
    def fits(shape, width, height):
        w, h = max(x for x, _ in shape) + 1, max(y for _, y in shape) + 1
        return w <= width and h <= height

    for n in range(1, 7):
        kept = sum(1 for _ in distinct_polyominoes(n, box=box))
        orbits = {frozenset(images(shape)) for shape in grown(n)}
        assert kept == sum(any(fits(shape, *box) for shape in orbit) for orbit in orbits)


def test_smallest_perimeter_is_the_least_of_all():
    for n in range(1, 9):
        assert smallest_perimeter(n) == min(perimeter(cells) for cells in distinct_polyominoes(n))


@pytest.mark.parametrize("n", range(1, 9))
@pytest.mark.parametrize("symmetry", [FREE, FIXED, CHECKERBOARD], ids=["free", "fixed", "two kinds"])
def test_shapes_found_box_by_box_are_those_of_the_full_enumeration(n, symmetry):
    full = sorted(distinct_polyominoes(n, symmetry=symmetry))
    levels = range(smallest_perimeter(n), 2 * n + 3, 2)
    by_box = [cells for level in levels for cells in polyominoes_of_perimeter(n, level, symmetry=symmetry)]
    assert sorted(by_box) == full


def test_large_compact_shapes_come_at_once():
    assert [len(list(polyominoes_of_perimeter(n, smallest_perimeter(n)))) for n in (25, 36, 100)] == [1, 1, 1]


def test_enumeration_streams():
    # the first of some 10^11 shapes comes at once
    assert len(next(iter(distinct_polyominoes(22)))) == 22


@settings(max_examples=50, deadline=None)
@given(st.sets(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=7))
def test_perimeter_and_connection_do_not_depend_on_place_or_orientation(cells):
    for image in images(cells):
        assert perimeter(sorted(image)) == perimeter(sorted(cells))
        assert is_connected(sorted(image)) == is_connected(sorted(cells))


def test_no_cells_is_refused():
    with pytest.raises(InputError, match="at least 1"):
        next(distinct_polyominoes(0))
