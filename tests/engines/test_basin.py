"""Each way of leaving the basin is seen, and an ordinary relaxation is not accused."""

from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, surface

from nanoslab.engines.basin import (
    atoms_left_their_sites,
    atoms_too_close,
    displacements,
    extent_changed,
    judge_shape,
    left_basin,
    pieces_came_off,
    pieces_merged,
    symmetry_kept,
    vacuum_closed,
)


def sheet() -> Atoms:
    """Seven planes of wurtzite CdSe (11-20) in a skewed in-plane setting."""
    slab = surface(bulk("CdSe", "wurtzite", a=4.30, c=7.01), (1, 1, 0), 7, vacuum=8.0, periodic=True)
    slab.cell[1] += slab.cell[0]
    return slab


def double_slab(gap: float) -> Atoms:
    """Two two-plane slabs of rock-salt PbSe over one another."""
    slab = surface(bulk("PbSe", "rocksalt", a=6.12, cubic=True), (0, 0, 1), 2, vacuum=1.0, periodic=True)
    upper = slab.copy()
    thickness = np.ptp(slab.positions[:, 2])
    upper.positions[:, 2] += thickness + gap
    both = slab + upper
    both.cell[2] = [0, 0, 2 * thickness + gap + 20]
    return both


@pytest.mark.parametrize("shift", [(0, 0, 0), (1.0, 2.0, 9.0)])
def test_a_small_relaxation_is_not_accused(shift: tuple[float, float, float]) -> None:
    start = sheet()
    start.positions += shift
    final = start.copy()
    final.rattle(0.15, seed=2)
    final.positions += (0.3, -0.2, 0.5)  # a sheet may drift
    final.wrap()
    assert judge_shape(start, final, "pristine") == ((), ())


def test_a_thinner_sheet_is_a_remark_after_a_loss_and_a_fault_otherwise() -> None:
    start, final = sheet(), sheet()
    height = final.positions[:, 2]
    final.positions[:, 2] = height.mean() + 0.85 * (height - height.mean())
    wrong, remarks = judge_shape(start, final, "vacancy")
    assert not wrong
    assert "extent" in remarks[0]
    assert "extent" in judge_shape(start, final, "neck")[0][0]


def test_loose_atoms_that_find_their_place_close_no_gap() -> None:
    start, final = sheet(), sheet()
    start.positions[int(np.argmax(start.positions[:, 2])), 2] += 4.0
    assert pieces_merged(start, final) == ""


def test_an_atom_that_came_off_is_named() -> None:
    start, final = sheet(), sheet()
    top = int(np.argmax(final.positions[:, 2]))
    final.positions[top, 2] += 4.0
    assert f"{final.symbols[top]} {top}" in pieces_came_off(start, final)
    assert atoms_left_their_sites(start, final)


def test_a_sheet_that_came_apart_is_told_from_lost_atoms() -> None:
    start, final = sheet(), sheet()
    final.positions[final.positions[:, 2] > np.median(final.positions[:, 2]), 2] += 3.0
    assert "2 pieces" in pieces_came_off(start, final)
    assert extent_changed(start, final)


def test_a_collapsed_gap_is_seen() -> None:
    start, final = double_slab(6.0), double_slab(3.0)
    assert "a gap closed" in pieces_merged(start, final)
    assert "the extent along c" in extent_changed(start, final)
    assert left_basin(start, start) == ()


def test_atoms_on_top_of_one_another_are_seen() -> None:
    start, final = sheet(), sheet()
    final.positions[1] = final.positions[0] + [0.9, 0, 0]
    assert "0.90 Å apart" in atoms_too_close(start, final)


def test_a_lost_vacuum_is_seen() -> None:
    start, final = sheet(), sheet()
    final.cell[2, 2] -= 11.0
    assert "shrank" in vacuum_closed(start, final)


def test_drift_and_wrapping_are_no_displacement() -> None:
    start, final = sheet(), sheet()
    final.positions += [2.1, -1.3, 3.0]
    final.wrap()
    assert abs(displacements(start, final)).max() < 1e-9


def test_a_sheet_that_keeps_its_symmetry_is_said_to_and_one_that_breaks_it_is_not():
    sheet = fcc111("Cu", (2, 2, 3), vacuum=6.0, periodic=True)
    broken = sheet.copy()
    broken.positions[-1, 0] += 0.1
    assert "kept the 12 symmetry operations of its start" in symmetry_kept(sheet, sheet)
    assert "may be a saddle" in judge_shape(sheet, sheet, "vacancy")[1][0]
    assert not symmetry_kept(sheet, broken)
    assert not symmetry_kept(broken, broken)
    assert not symmetry_kept(bulk("Cu"), bulk("Cu"))


def test_our_own_saddle_would_have_been_noticed():
    """The zinc-blende sheet relaxed with its symmetry, which lies 2.66 eV above the one that broke it."""
    folder = Path("workflows/reference_results/cdse_nanosheet_gpaw")
    saddle = ase.io.read(folder / "saddle-zincblende-pristine.extxyz")
    minimum = ase.io.read(folder / "zincblende-pristine/gpaw/final.extxyz")
    assert "may be a saddle" in symmetry_kept(saddle, saddle)
    assert not symmetry_kept(saddle, minimum)
