"""Slip from hexagonal to cubic stacking: every bond is kept, and what was wurtzite is zinc blende."""

import numpy as np
import pytest

from nanoslab.builders import build_nanosheet
from nanoslab.builders.slip import slide_layers, slide_one_layer
from nanoslab.errors import InputError
from nanoslab.measure.environment import local_environments
from nanoslab.symmetry import crystal_symmetry


def sheet(repeat=(1, 1), crystal="CdSe-wurtzite", face="11-20"):
    return build_nanosheet(crystal, face, 5, repeat=repeat)


@pytest.mark.parametrize("repeat", [(1, 1), (3, 1), (2, 2)])
def test_no_bond_is_lost_and_all_stacking_turns(repeat: tuple[int, int]) -> None:
    before, after = (local_environments(slide_layers(sheet(repeat), fraction)) for fraction in (0.0, 1.0))
    assert np.array_equal(before.coordination, after.coordination)
    assert before.fraction("wurtzite") > 0.3
    assert after.fraction("wurtzite") == 0
    assert after.fraction("zinc blende") >= before.fraction("wurtzite")


def test_a_thick_stack_without_vacuum_becomes_the_crystal_of_zinc_blende() -> None:
    slab = sheet((1, 1))
    slab.set_constraint()
    # whole periods of the plane stacking, two planes, without their vacuum are the bulk crystal
    heights = np.unique(slab.positions[:, 2].round(3))
    bulk = slab[slab.positions[:, 2] < heights[2] - 0.1]
    bulk.cell[2] = [0, 0, heights[2] - heights[0]]
    turned = slide_layers(bulk, 1.0)
    # the c/a of wurtzite leaves zinc blende stretched along one of its <111>: R3m, and F-43m within 1 %
    assert crystal_symmetry(turned, 1e-3).symbol == "R3m"
    assert crystal_symmetry(turned, 0.1).symbol == "F-43m"


def test_the_bonds_along_c_do_not_move_and_the_input_stays() -> None:
    start = sheet()
    kept = start.positions.copy(), start.cell.array.copy()
    slid = slide_layers(start, 0.5)
    assert np.array_equal(start.positions, kept[0])
    assert np.array_equal(start.cell.array, kept[1])
    assert slid.get_volume() == pytest.approx(start.get_volume(), rel=1e-12)
    assert np.abs((slid.positions - start.positions)[:, [0, 2]]).max() < 1e-9


def test_a_relaxed_sheet_slides_as_the_ideal_one() -> None:
    start = sheet((3, 1))
    expected = slide_layers(start, 1.0).positions - start.positions
    start.rattle(0.05, seed=3)
    assert slide_layers(start, 1.0).positions - start.positions == pytest.approx(expected, abs=1e-9)


def test_boundaries_slip_one_after_the_other() -> None:
    start = sheet((2, 1))
    wurtzite, first, second = (
        local_environments(one).fraction("wurtzite")
        for one in (start, slide_layers(start, 1.0, boundaries=1), slide_layers(start, 1.0, boundaries=2))
    )
    # one of four boundaries leaves the two layers beside it cubic
    assert (first, second) == pytest.approx((wurtzite / 2, 0.0), abs=1e-9)
    assert np.allclose(slide_layers(start, 1.0, boundaries=2).positions, slide_layers(start, 1.0).positions)


@pytest.mark.parametrize("share", [1.0, 0.4, -0.4])
def test_one_layer_slides_in_an_unchanged_cell_from_either_face(share: float) -> None:
    start = sheet((2, 1))
    slid = slide_one_layer(start, share)
    assert np.array_equal(slid.cell.array, start.cell.array)
    moved = np.abs(slid.positions - start.positions).max(axis=1) > 1
    heights = start.positions[:, 2] - start.positions[:, 2].min()
    if share == 1:
        assert moved.sum() == len(start) / 4
        before, after = local_environments(start), local_environments(slid)
        assert np.array_equal(before.coordination, after.coordination)
        assert after.fraction("wurtzite") == pytest.approx(before.fraction("wurtzite") / 2)  # ABCB
    else:
        assert moved.sum() == 4  # a cation and an anion of each plane
        assert (heights[moved] > 6).all() if share > 0 else (heights[moved] < 3).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: slide_layers(sheet(), 1.2), "fraction: expected 0 to 1"),
        (lambda: slide_layers(sheet(), 1.0, boundaries=2), "boundaries: expected 1 to 1"),
        (lambda: slide_one_layer(sheet()), "four layers"),
        (lambda: slide_layers(sheet((3, 3), "CdSe-zincblende", "001"), 1.0), "without a bond parallel"),
    ],
)
def test_what_cannot_slide_is_told(make, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
