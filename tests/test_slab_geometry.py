"""One slab has one vacuum, one thickness and one number of planes, in any setting of its cell, through every door."""

from functools import cache

import numpy as np
import pytest
from ase import Atoms
from ase.build import make_supercell
from hypothesis import given, settings
from hypothesis import strategies as st

from nanoslab.builders import build_nanosheet, rattle_atoms, sheet_ledger
from nanoslab.errors import InputError
from nanoslab.measure.sheet import measure_sheet
from nanoslab.slab_geometry import empty_height, find_planes, slab_heights, slab_normal, upright_slab, widest_gap

#: name, face, monolayers, planes
SHEETS = [
    ("CdSe-wurtzite", "11-20", 7, 7),
    ("CdSe-zincblende", "001", 7, 14),
    ("PbSe-rocksalt", "001", 6, 6),
    ("ZnSe-zincblende", "111", 3, 6),
]


def another_setting(sheet: Atoms, skew: int, lean: tuple[int, int], shift: tuple[float, ...], turn: float) -> Atoms:
    """The same slab: other in-plane vectors, a leaning third one, moved, turned in space and wrapped."""
    other = make_supercell(sheet, [[1, 0, 0], [skew, 1, 0], [*lean, 1]])
    other.positions += np.array(shift) @ other.cell.array
    other.wrap()
    other.rotate(turn, (1, 2, 3), rotate_cell=True)
    return other


@cache
def free_sheet(name: str, face: str, monolayers: int) -> Atoms:
    return build_nanosheet(name, face, monolayers, repeat=(2, 2), fix="none")


@pytest.mark.parametrize(("name", "face", "monolayers", "n_planes"), SHEETS)
@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    amplitude=st.sampled_from([0.0, 0.05, 0.1]),
    skew=st.integers(-3, 3),
    lean=st.tuples(st.integers(-2, 2), st.integers(-2, 2)),
    shift=st.tuples(*[st.floats(-2, 2)] * 3),
    turn=st.floats(0, 360),
)
def test_a_rattled_sheet_has_the_same_planes_through_every_door(  # noqa: PLR0917
    name: str,
    face: str,
    monolayers: int,
    n_planes: int,
    seed: int,
    amplitude: float,
    skew: int,
    lean: tuple[int, int],
    shift: tuple[float, float, float],
    turn: float,
) -> None:
    built = free_sheet(name, face, monolayers)
    if face == "111":
        amplitude = 0.0  # 0.83 Å apart: displaced planes of a bilayer may become one
    sheet = rattle_atoms(built, amplitude, seed=seed)
    other = another_setting(sheet, skew, lean, shift, turn)
    heights, period = slab_heights(sheet)
    for same in (sheet, other):
        summary, metrics = sheet_ledger(same), measure_sheet(same)
        assert len(summary.planes) == len(metrics.planes) == len(find_planes(same)) == n_planes
        assert summary.thickness == pytest.approx(metrics.thickness, abs=1e-7) == pytest.approx(heights.max(), abs=1e-7)
        assert empty_height(same) == pytest.approx(period - heights.max(), abs=1e-7)
        assert summary.vacuum == pytest.approx(metrics.vacuum) == pytest.approx(period - heights.max(), abs=1e-7)
        assert summary.area == pytest.approx(metrics.area) == pytest.approx(built.info["ledger"]["area_A2"])
        assert summary.termination == tuple(built.info["ledger"]["termination"])
    np.testing.assert_allclose(slab_heights(other)[0], heights, atol=1e-7)


def test_up_is_where_the_third_vector_points_also_in_a_left_handed_cell() -> None:
    sheet = build_nanosheet("CdSe-zincblende", "001", 3)
    mirrored = make_supercell(sheet, [[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    assert slab_normal(mirrored) == pytest.approx([0, 0, 1])
    assert sheet_ledger(mirrored).termination == sheet_ledger(sheet).termination == ("Cd", "Se")


def test_an_upright_slab_has_the_same_heights() -> None:
    leaning = another_setting(build_nanosheet("CdSe-zincblende", "001", 3), 1, (2, -1), (0.1, 0.2, 0.7), 20)
    upright = upright_slab(leaning)
    assert upright.cell.angles()[:2] == pytest.approx([90, 90])
    np.testing.assert_allclose(slab_heights(upright)[0], slab_heights(leaning)[0], atol=1e-9)
    assert np.ptp(upright.positions @ slab_normal(upright)) == pytest.approx(slab_heights(leaning)[0].max())


def test_the_widest_gap_may_lie_across_the_border() -> None:
    assert widest_gap(np.array([4.0, 5.0, 6.0]), 10.0) == (8.0, 4.0)
    assert widest_gap(np.array([1.0, 9.0, 2.0]), 10.0) == (7.0, 9.0)


@pytest.mark.parametrize("bad", [Atoms("CdSe"), Atoms(cell=[3, 3, 20], pbc=True)])
def test_no_slab_is_an_error_in_words(bad: Atoms) -> None:
    with pytest.raises(InputError, match="slab: expected"):
        slab_heights(bad)
