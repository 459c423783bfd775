"""How many ligands a coverage means on every face of a cell."""

from __future__ import annotations

from collections.abc import Sequence

from nanoslab.errors import InputError

#: beyond any packing of molecules [1/nm²]
_LARGEST_COVERAGE = 100.0


def ligands_per_face(
    area: float,
    faces: tuple[int, ...],
    coverage: float | tuple[float, float] | None,
    count: int | tuple[int, int] | None,
) -> dict[int, int]:
    """Return face -> number of ligands, from a coverage or a count.

    Parameters
    ----------
    area
        Of the cell [nm²].
    faces
        Chosen faces.
    coverage, count
        Ligands per nm² or per cell: one number for every chosen face, or as many as there are faces; one ligand
        per cell when neither is given.

    Examples
    --------
    >>> ligands_per_face(3.5, (1, 2), coverage=(0.9, 0.3), count=None)
    {1: 3, 2: 1}
    """
    if coverage is not None and count is not None:
        raise InputError("coverage", expected="a coverage or a count", got="both", advice="leave one of them out")
    given = coverage if coverage is not None else count if count is not None else 1
    each = list(given) if isinstance(given, Sequence) else [given] * len(faces)
    if len(each) != len(faces):
        raise InputError("coverage", expected="two numbers for both faces only", got=each, advice="choose face both")
    numbers = [_number(one, area) for one in each] if coverage is not None else [_whole(one) for one in each]
    if not any(numbers):
        raise InputError("coverage", expected="a ligand on one face at least", got=each, advice="raise it")
    return dict(zip(faces, numbers, strict=True))


def _number(coverage: float, area: float) -> int:
    number = round(coverage * area) if 0 <= coverage < _LARGEST_COVERAGE else -1
    if number < (1 if coverage else 0):
        raise InputError(
            "coverage",
            expected=f"one ligand or more in {area:.2f} nm², from {1.0 / area:.2f} per nm²",
            got=f"{coverage:g} per nm²",
            advice="raise it, or make the cell larger",
        )
    return number


def _whole(count: float) -> int:
    if count != int(count) or count < 0:
        raise InputError("count", expected="a number of ligands per face", got=count, advice="give 1")
    return int(count)
