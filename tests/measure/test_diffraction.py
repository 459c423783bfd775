"""Reflections of a sheet along its normal: the zone of the bulk, whatever the cell."""

import numpy as np
import pytest

from nanoslab.builders import build_nanosheet
from nanoslab.crystals import crystal
from nanoslab.measure.diffraction import sheet_reflections


def spacings(**options: object) -> list[float]:
    sheet = build_nanosheet("CdSe-zincblende", "001", 8, **options)
    return [reflection.spacing for reflection in sheet_reflections(sheet, 1.4)]


def test_zinc_blende_along_001_shows_220_and_400_and_nothing_of_its_centring() -> None:
    a = crystal("CdSe-zincblende", "pbe").cell.lengths()[0]
    assert spacings() == pytest.approx([a / 8**0.5] * 2 + [a / 4] * 2)


def test_a_larger_or_turned_cell_shows_the_same() -> None:
    assert spacings(repeat=((1, 1), (-1, 1))) == pytest.approx(spacings())
    assert spacings(repeat=(2, 3)) == pytest.approx(spacings())
    assert spacings(repeat=((1, 0), (1, 1))) == pytest.approx(spacings())


def test_intensities_do_not_hang_on_the_origin() -> None:
    sheet = build_nanosheet("CdSe-wurtzite", "11-20", 7)
    moved = sheet.copy()
    moved.positions += [1.234, -0.7, 3.0]
    moved.wrap()
    before, after = (np.array([r.intensity for r in sheet_reflections(s)]) for s in (sheet, moved))
    assert after == pytest.approx(before)


def test_wurtzite_along_11_20_shows_0002_strongly_and_1_100() -> None:
    a, _, c = crystal("CdSe-wurtzite", "pbe").cell.lengths()
    found = {round(r.spacing, 3): r.intensity for r in sheet_reflections(build_nanosheet("CdSe-wurtzite", "11-20", 8))}
    assert found[round(c / 2, 3)] > 0.4
    assert found[round(a * 3**0.5 / 2, 3)] > 0.2
    assert round(c, 3) not in found  # (0001) is extinct
