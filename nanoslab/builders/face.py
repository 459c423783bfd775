"""Faces by Miller or Miller-Bravais indices, in the usual spellings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import gcd

from nanoslab.errors import InputError

USUAL_HEXAGONAL = ("11-20", "10-10", "0001")
USUAL_CUBIC = ("001", "110", "111")

_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2012": "-"})
_BAR = re.compile(r"\\(?:bar|overline)\s*\{?(\d)\}?|(\d)[\u0304\u0305]")
_COMPACT = re.compile(r"(?:[+-]?\d){3,4}")
_SPACED = re.compile(r"[+-]?\d+(?:[\s,;]+[+-]?\d+){2,3}")


def parse_face(face: str | Sequence[int], *, hexagonal: bool) -> tuple[int, int, int]:
    r"""Miller indices with no common factor, from four (Miller-Bravais, hexagonal axes only) or three.

    Spellings: ``"11-20"``, ``"(1 1 -2 0)"``, ``"1,1,-2,0"``, ``"11\bar{2}0"``, ``"110"`` or a sequence of numbers.
    """
    numbers = _numbers(face, hexagonal)
    if len(numbers) == 4:
        if not hexagonal:
            raise _bad_face(face, hexagonal, "three indices: four are for hexagonal crystals")
        if sum(numbers[:3]) != 0:
            raise _bad_face(face, hexagonal, "Miller-Bravais indices (hkil) with h + k + i = 0")
        numbers = (*numbers[:2], numbers[3])
    common = gcd(*numbers)
    if common == 0:
        raise _bad_face(face, hexagonal, "at least one index that is not 0")
    h, k, l = (number // common for number in numbers)  # noqa: E741
    return h, k, l


def face_name(miller: tuple[int, int, int], *, hexagonal: bool) -> str:
    """Compact spelling, Miller-Bravais for hexagonal crystals."""
    h, k, l = miller  # noqa: E741
    numbers = (h, k, -h - k, l) if hexagonal else miller
    joint = "" if all(abs(number) < 10 for number in numbers) else " "
    return joint.join(map(str, numbers))


def _numbers(face: str | Sequence[int], hexagonal: bool) -> tuple[int, ...]:
    if not isinstance(face, str):
        if isinstance(face, int) or len(face) not in (3, 4) or any(int(number) != number for number in face):
            raise _bad_face(face, hexagonal, "three or four whole numbers, or quoted text")
        return tuple(int(number) for number in face)
    text = _BAR.sub(lambda found: f"-{found[1] or found[2]}", face.translate(_MINUS)).strip().strip("()[]{}<>").strip()
    if _SPACED.fullmatch(text):
        return tuple(int(number) for number in re.findall(r"[+-]?\d+", text))
    if _COMPACT.fullmatch(text):
        return tuple(int(number) for number in re.findall(r"[+-]?\d", text))
    raise _bad_face(face, hexagonal, "Miller or Miller-Bravais indices")


def _bad_face(face: object, hexagonal: bool, expected: str) -> InputError:
    usual = ", ".join(USUAL_HEXAGONAL if hexagonal else USUAL_CUBIC)
    return InputError("face", expected=expected, got=repr(face), advice=f"usual faces of this crystal are {usual}")
