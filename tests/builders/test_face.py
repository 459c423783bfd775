"""Faces: every usual spelling means the same, and what is none says what would be one."""

from collections.abc import Sequence

import pytest

from nanoslab.builders.face import face_name, parse_face
from nanoslab.errors import InputError

SPELLINGS = [
    "11-20",
    "(11-20)",
    "(1 1 -2 0)",
    "1 1 -2 0",
    "1,1,-2,0",
    "{1, 1, -2, 0}",
    "[11\u22122 0]".replace(" ", ""),
    r"11\bar{2}0",
    r"(1 1 \bar 2 0)",
    "112\u03050",
    (1, 1, -2, 0),
    [1, 1, -2, 0],
    "110",
    "(1 1 0)",
    (1, 1, 0),
    "220",
]


@pytest.mark.parametrize("face", SPELLINGS)
def test_every_spelling_of_11_20_is_the_same_face(face: str | Sequence[int]) -> None:
    assert parse_face(face, hexagonal=True) == (1, 1, 0)


@pytest.mark.parametrize(
    ("face", "miller"),
    [("10-10", (1, 0, 0)), ("0001", (0, 0, 1)), ("000-1", (0, 0, -1)), ("-1-120", (-1, -1, 0)), ("11-22", (1, 1, 2))],
)
def test_miller_bravais_drops_the_third_index(face: str, miller: tuple[int, int, int]) -> None:
    assert parse_face(face, hexagonal=True) == miller
    assert parse_face(face_name(miller, hexagonal=True), hexagonal=True) == miller


@pytest.mark.parametrize(
    "face", ["", "foo", "1-", "00", "000", "11-2", "11-10", "1.5 0 0", "1e3", 110, (1, 1), (0.5, 0, 1)]
)
def test_what_is_no_face_is_an_error_that_lists_faces(face: str) -> None:
    if face == "11-2":
        assert parse_face(face, hexagonal=True) == (1, 1, -2)
        return
    with pytest.raises(InputError, match="usual faces of this crystal are 11-20, 10-10, 0001"):
        parse_face(face, hexagonal=True)


def test_four_indices_are_for_hexagonal_crystals() -> None:
    with pytest.raises(InputError, match="usual faces of this crystal are 001, 110, 111"):
        parse_face("0001", hexagonal=False)


def test_indices_above_nine_need_spaces() -> None:
    assert parse_face(face_name((10, 1, 0), hexagonal=False), hexagonal=False) == (10, 1, 0)
