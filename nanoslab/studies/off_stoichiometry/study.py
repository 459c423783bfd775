"""Sheets that lose atoms at scale: the fields of the study's file, and the study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from nanoslab.builders.enumeration import Removal, removals
from nanoslab.calculation import Calculation, Role
from nanoslab.errors import InputError
from nanoslab.measure.sheet import faces_differ
from nanoslab.plot_data import Plot
from nanoslab.studies import answers
from nanoslab.studies.off_stoichiometry.analysis import analyze_search
from nanoslab.studies.off_stoichiometry.fields import Number, PathModel, SearchModel, SeenModel
from nanoslab.studies.off_stoichiometry.plots import off_stoichiometry_plots
from nanoslab.studies.off_stoichiometry.record import SearchRecord, Way, read_record
from nanoslab.studies.off_stoichiometry.result import OffStoichiometryResult
from nanoslab.studies.off_stoichiometry.roles import WayRole
from nanoslab.studies.off_stoichiometry.selection import chosen_ways
from nanoslab.studies.runs import UsableRuns
from nanoslab.studies.study import Reference, Study
from nanoslab.studies.vacancies.calculations import ideal_sheet, pristine_calculation, reference_calculations
from nanoslab.studies.vacancies.fields import ReferencesModel, SheetModel
from nanoslab.studies.vacancies.roles import AtomRole, BulkRole, ElementRole, PristineRole


class OffStoichiometryStudy(Study[OffStoichiometryResult]):
    """Which atoms sheets lose at least cost, where another phase becomes the lower one, and which path a beam takes.

    Examples
    --------
    >>> study = OffStoichiometryStudy.from_document({"study": "off-stoichiometry", "title": "one sheet", "sheets": [
    ...     {"phase": "wurtzite", "crystal": "CdSe-wurtzite", "face": "11-20", "monolayers": 3, "kpoints": [1, 1, 1]}],
    ...     "remove": {"Se": [0, 2]}})
    >>> [(dict(one.counts), one.n_distinct) for one in study.questions()["wurtzite"]]
    [({'Se': 1}, 2), ({'Se': 2}, 6)]
    """

    kind: ClassVar[str] = "off-stoichiometry"
    asks: ClassVar[str] = "Does losing atoms turn the order of the phases?"
    says = answers.off_stoichiometry
    roles: ClassVar[tuple[type[Role], ...]] = (PristineRole, WayRole, BulkRole, ElementRole, AtomRole)
    methods: ClassVar[tuple[Reference, ...]] = (
        Reference(
            "Read, Ann. Discrete Math. 2, 107 (1978): orderly generation",
            "https://doi.org/10.1016/S0167-5060(08)70325-X",
        ),
        Reference("Gillespie, J. Comput. Phys. 22, 403 (1976): chances and clock of the kinetic paths"),
    )

    analysis_only: ClassVar[dict[str, Any]] = {
        **Study.analysis_only,
        **dict.fromkeys(("temperatures_K", "uncertainty_meV_per_atom", "vibrations", "seen"), True),
    }

    sheets: tuple[SheetModel, ...] = Field(min_length=1)
    #: element -> smallest and largest number of atoms lost
    remove: dict[str, tuple[Number, Number]] = Field(min_length=1)
    search: SearchModel = SearchModel()
    path: PathModel | None = None
    temperatures_K: tuple[float, ...] = Field(default=(0.0, 300.0), min_length=1)
    #: of a difference between two phases, for the interval of a crossing
    uncertainty_meV_per_atom: float = Field(default=5.0, ge=0)
    #: phase -> temperature [K] and vibrational free energy [eV per atom], as 'nanoslab phonons' gives them
    vibrations: dict[str, tuple[tuple[float, float], ...]] = Field(default_factory=dict)
    references: ReferencesModel = ReferencesModel()
    seen: tuple[SeenModel, ...] = ()
    #: file with the energies of the search, written by it
    searched: str | None = None

    @model_validator(mode="after")
    def _fields_agree(self) -> OffStoichiometryStudy:
        phases = [sheet.phase for sheet in self.sheets]
        if len({sheet.folder for sheet in self.sheets}) < len(phases):
            raise ValueError(f"sheets of different phase names, got {', '.join(phases)}")
        for element, (low, high) in self.remove.items():
            if low > high:
                raise ValueError(f"remove {element}: the smaller number first, got {[low, high]}")
        for name in self.vibrations:
            if name not in phases:
                raise ValueError(f"vibrations of {', '.join(phases)}, got {name}")
        return self

    @property
    def crystals(self) -> tuple[str, ...]:
        """Of the sheets and of the elements."""
        return (*(sheet.crystal for sheet in self.sheets), *self.references.elements.values())

    @property
    def structure_files(self) -> tuple[str, ...]:
        """Crystals from files, and the file of the search: a campaign keeps copies of all."""
        return (*super().structure_files, *([self.searched] if self.searched else []))

    def question(self) -> dict[str, Any]:
        """What decides the energies of the search, as plain JSON."""
        document = self.model_dump(mode="json", include={"sheets", "remove", "search", "settings", "references"})
        for field in ("keep", "farthest", "screened"):
            del document["search"][field]
        return document

    def questions(self) -> dict[str, tuple[Removal, ...]]:
        """Phase -> what may be removed from its sheet, by rising numbers."""
        return {sheet.phase: removals(ideal_sheet(sheet, self.crystal_source), self.remove) for sheet in self.sheets}

    def record(self) -> SearchRecord:
        """Energies of the search.

        Raises
        ------
        InputError
            The search has not been run.
        """
        if self.searched is None:
            raise InputError(
                "searched",
                expected="the file of the search",
                got="none yet",
                advice="search first: 'nanoslab write' and 'nanoslab run' do",
            )
        return read_record(self._find_file(self.searched))

    def calculations(self) -> tuple[Calculation, ...]:
        """Whole sheets, the ways that the search kept, as it relaxed them, and the references."""
        record, settings = self.record(), self.settings.settings()
        made: list[Calculation] = []
        for sheet in self.sheets:
            ideal = ideal_sheet(sheet, self.crystal_source)
            whole = pristine_calculation(sheet, ideal, settings)
            atoms = whole.atoms.copy()
            atoms.set_positions(record.whole[sheet.phase].positions, apply_constraint=False)
            made.append(replace(whole, atoms=atoms))
            for question in removals(ideal, self.remove):
                own = [w for w in record.ways.values() if w.phase == sheet.phase and w.lost == question.counts]
                chosen = chosen_ways(question, own, keep=self.search.keep, farthest=self.search.farthest)
                made += [_calculation(whole, question, way, why) for way, why in chosen]
        made.extend(reference_calculations(self.references, self.sheets, settings, self.crystal_source))
        return self.settings.with_moments(made)

    def answer(self, runs: UsableRuns) -> OffStoichiometryResult:
        """Hull and crossing by the search and by the runs, and the paths."""
        return analyze_search(self, self.record(), runs)

    @classmethod
    def plots(cls, document: Mapping[str, Any]) -> tuple[Plot, ...]:
        """Hull, limits, and losses against dose."""
        return off_stoichiometry_plots(document)


def _calculation(whole: Calculation, question: Removal, way: Way, why: Literal["lowest", "farthest"]) -> Calculation:
    """A way as the search relaxed it, to be relaxed further at the level of the study."""
    lost = question.atoms(np.array(way.removed), identifier=way.identifier, degeneracy=way.degeneracy)
    dipole = faces_differ(lost)  # of the sites as built: relaxed, no two faces are alike
    lost.set_positions(way.positions, apply_constraint=False)
    digits = [part for part in way.identifier.split(".") if part.partition("-")[2].strip("0")]
    role = WayRole(
        phase=way.phase,
        label=" ".join(f"-{n} {element}" for element, n in way.lost.items() if n),
        lost=dict(way.lost),
        identifier=way.identifier,
        degeneracy=way.degeneracy,
        chosen=why,
    )
    return Calculation(
        name=f"{whole.name.removesuffix('-pristine')}-{'.'.join(digits)}",
        role=role,
        atoms=lost,
        settings=replace(whole.settings, dipole_correction=dipole),
    )
