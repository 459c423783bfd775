"""A displaced start: reproducible, of the size asked for, and never of what is held."""

import numpy as np
import pytest

from nanoslab.builders import build_nanosheet, rattle_atoms
from nanoslab.errors import InputError


def test_free_atoms_move_by_the_size_asked_for_and_held_ones_not_at_all() -> None:
    sheet = build_nanosheet("CdSe-wurtzite", "11-20", 7, repeat=(4, 4))
    before = sheet.copy()
    start = rattle_atoms(sheet, 0.05)
    held = sheet.constraints[0].index
    moved = np.delete(start.positions - sheet.positions, held, axis=0)
    assert not (start.positions - sheet.positions)[held].any()
    # 1,152 free coordinates: the standard deviation is known to 2 %
    assert moved.std() == pytest.approx(0.05, rel=0.1)
    assert sheet == before
    assert start.info["recipe"]["parameters"]["parent"] == sheet.info["recipe"]
    assert start.info["ledger"] == sheet.info["ledger"]


def test_the_seed_decides() -> None:
    sheet = build_nanosheet("CdSe-zincblende", "001", 3, fix="none")
    assert rattle_atoms(sheet, 0.05, seed=1) == rattle_atoms(sheet, 0.05, seed=1)
    assert rattle_atoms(sheet, 0.05, seed=1) != rattle_atoms(sheet, 0.05, seed=2)


@pytest.mark.parametrize("size", [-0.1, 0.5, float("nan")])
def test_a_displacement_that_makes_another_structure_is_refused(size: float) -> None:
    with pytest.raises(InputError, match=r"rattle: expected 0 to 0\.3 Å"):
        rattle_atoms(build_nanosheet("CdSe-zincblende", "001", 3), size)
