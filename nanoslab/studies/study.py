"""What every study offers, and the plain shape its numbers leave in: tables and one document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from nanoslab.calculation import Calculation, CalculationResult
from nanoslab.errors import NanoslabError
from nanoslab.yaml_file import StrictModel

#: base of every part of a study file
StudyModel = StrictModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Numbers for the eye: a title, column headings with units, and cells as text.

    Examples
    --------
    >>> Table(title="E", columns=("atom", "E [eV]"), rows=(("Se", "6.64"),), notes=()).rows[0][1]
    '6.64'
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


@contextmanager
def inside(where: object) -> Iterator[None]:
    """Errors of the block name what they lie inside of.

    Examples
    --------
    >>> from nanoslab.errors import InputError
    >>> with inside("sheet wurtzite"):
    ...     raise InputError("vacuum", expected="a length", got="-3")
    Traceback (most recent call last):
    nanoslab.errors.InputError: sheet wurtzite: vacuum: expected a length, got -3
    """
    try:
        yield
    except NanoslabError as error:
        raise error.within(where) from error


class StudyResult(Protocol):
    """What an analysis gives back."""

    @property
    def refused(self) -> Sequence[tuple[str, str]]:
        """(calculation, reason) of every run that was not used though it exists."""

    @property
    def missing(self) -> Sequence[tuple[str, str]]:
        """(calculation, reason) of those that have no result: not run yet, or skipped."""

    def tables(self) -> tuple[Table, ...]:
        """The result for the eye."""

    def to_dict(self) -> dict[str, Any]:
        """The result as one plain document."""


class Study(Protocol):
    """One scientific question: which calculations it needs, and what their results say."""

    @property
    def title(self) -> str:
        """One line."""

    @property
    def kind(self) -> str:
        """The word after ``study:`` in its file."""

    def calculations(self) -> tuple[Calculation, ...]:
        """Every structure with its settings, parents before those that start from them."""

    def analyze(
        self,
        results: Mapping[str, CalculationResult],
        *,
        allow_unconverged: bool = False,
        allow_mismatch: bool = False,
    ) -> StudyResult:
        """Results of the calculations (by name) to the study's answer."""
