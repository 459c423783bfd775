"""What every study is: the fields of its file, the calculations they ask for, and an analysis of the runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar

from ase import Atoms
from pydantic import PrivateAttr, field_validator

from nanoslab.calculation import Calculation, Role, Run
from nanoslab.campaign import structure_file
from nanoslab.errors import InputError, NanoslabError
from nanoslab.plot_data import Plot
from nanoslab.studies.crystal_source import crystal_source, is_structure_file
from nanoslab.studies.headline import Evidence, Headline, Says, answered
from nanoslab.studies.result import StudyResult
from nanoslab.studies.runs import UsableRuns
from nanoslab.studies.settings_model import SettingsModel
from nanoslab.yaml_file import StrictModel, validated

Result = TypeVar("Result", bound=StudyResult)


#: earlier words for kinds
ALIASES: Mapping[str, str] = {"cdse-nanosheet": "vacancies", "pbse-neck": "neck", "pbse-gap": "gap"}


class Reference(NamedTuple):
    """One line of a list of references, and where it leads."""

    text: str
    link: str = ""


class StudyModel(StrictModel):
    """Part of a study file: an unknown field is an error, and nothing changes after reading."""


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
        Kind as the file names it: `kind`, or an earlier word for it.
    title
        One line.
    settings
        Level of theory.
    papers
        What the study follows, cited on its page.
    """

    #: word after ``study:``
    kind: ClassVar[str]
    #: roles of the calculations, told apart by their ``kind``
    roles: ClassVar[tuple[type[Role], ...]] = ()
    #: what the page cites for the method, whatever the material
    methods: ClassVar[tuple[Reference, ...]] = ()
    #: question that yes or no answers, and what the document of a result says to it
    asks: ClassVar[str] = ""
    says: ClassVar[Says | None] = None
    #: fields on which no calculation depends, in pydantic's words for what to leave out; a campaign may change them
    analysis_only: ClassVar[dict[str, Any]] = {"title": True, "papers": True}

    study: str
    title: str
    settings: SettingsModel = SettingsModel()
    papers: tuple[PaperModel, ...] = ()

    #: where a structure file that the study names lies; set by whoever reads the study from a file
    _find_file: Callable[[str], Path] = PrivateAttr(default=Path)

    @field_validator("study")
    @classmethod
    def _is_of_this_kind(cls, word: str) -> str:
        if ALIASES.get(word, word) != cls.kind:
            raise ValueError(f"{cls.kind}, got {word!r}")
        return word

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Study from the fields of its file; one that is unknown, missing or wrong is an `InputError`."""
        return validated(None, dict(document), cls)

    @property
    def crystals(self) -> tuple[str, ...]:
        """Crystals that the file names; of a study with files among them, to be told by it."""
        return ()

    @property
    def structure_files(self) -> tuple[str, ...]:
        """Structure files that the study names, as it names them; a campaign keeps copies of them."""
        return tuple(dict.fromkeys(named for named in self.crystals if is_structure_file(named)))

    def look_beside(self, path: str | os.PathLike[str]) -> None:
        """Find the structure files that the study names beside its file, or among the copies of its campaign."""
        self._find_file = partial(structure_file, path)

    def crystal_source(self, named: str) -> str | Atoms:
        """What builders take for a crystal that the file names: the name, or the atoms of a structure file."""
        return crystal_source(named, self._find_file)

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

    @classmethod
    def headline(cls, evidence: Evidence) -> Headline | None:
        """Yes or no in one sentence from the documents of a campaign's results; None unless a study says it."""
        if cls.says is None:
            return None
        return answered(evidence, cls.asks, cls.says, next(iter(cls.plots(evidence.main)), None))

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
        if isinstance(runs, Mapping):
            expected = "calculations as they were written, each with its result"
            advice = "give [Run(calculation=c, result=results[c.name]) for c in the calculations that were run]"
            raise InputError("runs", expected=expected, got="results by name", advice=advice)
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
    """Errors of the block name what they lie inside of."""
    try:
        yield
    except NanoslabError as error:
        raise error.within(where) from error
