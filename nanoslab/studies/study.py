"""What every study is: the fields of its file, the calculations they ask for, and an analysis of the runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from pydantic import field_validator

from nanoslab.calculation import Calculation, Role, Run
from nanoslab.errors import NanoslabError
from nanoslab.plot_data import Plot
from nanoslab.studies.result import StudyResult
from nanoslab.studies.runs import UsableRuns
from nanoslab.studies.settings_model import SettingsModel
from nanoslab.yaml_file import StrictModel

#: base of every part of a study file
StudyModel = StrictModel
Result = TypeVar("Result", bound=StudyResult)


class Reference(NamedTuple):
    """One line of a list of references, and where it leads."""

    text: str
    link: str = ""


class PaperModel(StudyModel):
    """A paper that a study follows; the page cites it."""

    citation: str
    doi: str = ""
    url: str = ""

    @property
    def reference(self) -> Reference:
        """Citation with its address."""
        return Reference(self.citation, f"https://doi.org/{self.doi}" if self.doi else self.url)


class Study(StudyModel, Generic[Result]):
    """One scientific question: which calculations it needs, and what their runs say.

    A study of its own names its ``kind`` and its ``roles``, adds the fields of its file, and says what to compute
    (`calculations`) and what the runs mean (`answer`). It touches no files and knows no code.

    Attributes
    ----------
    study
        Kind as the file names it: `kind` or one of the `aliases`.
    title
        One line.
    settings
        Level of theory.
    papers
        What the study follows, cited on its page.
    """

    #: word after ``study:``, and earlier words for the same
    kind: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    #: roles of the calculations, told apart by their ``kind``
    roles: ClassVar[tuple[type[Role], ...]] = ()
    #: what the page cites for the method, whatever the material
    methods: ClassVar[tuple[Reference, ...]] = ()

    study: str
    title: str
    settings: SettingsModel = SettingsModel()
    papers: tuple[PaperModel, ...] = ()

    @field_validator("study")
    @classmethod
    def _is_of_this_kind(cls, word: str) -> str:
        if word not in (cls.kind, *cls.aliases):
            raise ValueError(f"{cls.kind}, got {word!r}")
        return word

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Any:
        """Study from the fields of its file."""
        return cls.model_validate(document)

    def calculations(self) -> tuple[Calculation, ...]:
        """Every structure with its settings, parents before those that start from them."""
        raise NotImplementedError

    def answer(self, runs: UsableRuns) -> Result:
        """What the runs say; nothing is built again, structures and roles are those of the runs."""
        raise NotImplementedError

    @classmethod
    def plots(cls, document: Mapping[str, Any]) -> tuple[Plot, ...]:  # noqa: ARG003  # for studies that have plots
        """Plots of the document of a result; none unless a study makes them."""
        return ()

    def analyze(self, runs: Iterable[Run], *, allow_unconverged: bool = False, allow_mismatch: bool = False) -> Result:
        """Answer of the study, with what was refused and what is missing.

        Parameters
        ----------
        runs
            Calculations as they were written, each with its result.
        allow_unconverged
            Use the energies of runs that are not converged.
        allow_mismatch
            Subtract energies of differing settings; the differences are noted.
        """
        usable = UsableRuns(
            runs=tuple(self._typed(run) for run in runs),
            allow_unconverged=allow_unconverged,
            allow_mismatch=allow_mismatch,
        )
        result = self.answer(usable)
        return replace(
            result,
            study=self.study,
            title=self.title,
            level_of_theory=result.level_of_theory or "; ".join(usable.levels_of_theory),
            refused=tuple(usable.refused),
            missing=tuple(usable.missing),
        )

    def _typed(self, run: Run) -> Run:
        """Run whose plain role, as a campaign holds it, is the study's own of that kind."""
        plain = run.calculation.role
        for role in self.roles:
            if role.model_fields["kind"].default == plain.kind and not isinstance(plain, role):
                with inside(run.calculation.name):
                    return replace(run, calculation=replace(run.calculation, role=role.from_role(plain)))
        return run


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
