"""The search: every way, or a drawn set of them, relaxed in batches, and the sheets that paths of losses come through.

A study file becomes one with ``searched:`` beside it, which names the file with the energies; from then on that is the
study. The file with the energies is written after every batch, and the same call goes on where one was stopped.
"""

from __future__ import annotations

import os
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from ase import Atoms

from nanoslab.builders import rattle_atoms
from nanoslab.builders.enumeration import Removal, removals
from nanoslab.calculation import Calculation, Settings
from nanoslab.engines import Engine, engine_of_file
from nanoslab.engines.batch import relax_batch
from nanoslab.engines.run import run_calculation
from nanoslab.errors import EngineError, FileError
from nanoslab.files import write_atomically
from nanoslab.studies.off_stoichiometry.analysis import atom_potentials
from nanoslab.studies.off_stoichiometry.losses import LossModel
from nanoslab.studies.off_stoichiometry.record import SearchRecord, Way, WaySet, read_record, rounded
from nanoslab.studies.off_stoichiometry.screening import expansion_of, lowest_predicted, screens
from nanoslab.studies.off_stoichiometry.study import OffStoichiometryStudy
from nanoslab.studies.study_file import load_study
from nanoslab.studies.vacancies.calculations import ideal_sheet, pristine_calculation, reference_calculations
from nanoslab.studies.vacancies.roles import AtomRole, BulkRole, ElementRole

#: structures that relax side by side
TOGETHER = 16

Report = Callable[[str], None]


def searched_study_file(path: str | os.PathLike[str], report: Report = lambda _text: None) -> Path:
    """Return the study file to compute: the given one, or after its search the one beside it.

    Parameters
    ----------
    path
        Study file of any kind; only an off-stoichiometry study without ``searched:`` is searched.
    report
        Called with a line of words after every batch.
    """
    file = Path(path)
    study = load_study(file)
    if not isinstance(study, OffStoichiometryStudy) or study.searched is not None:
        return file
    record = file.with_name(f"{file.stem}.search.json")
    engine = engine_of_file(f"{file}: search.engine", study.search.engine)
    Search(study, engine, record, file.with_name(f"{file.stem}.search"), report).run()
    target = file.with_name(f"{file.stem}.searched.yaml")
    line = "# Written by the search: remove this line to search again."
    text = f"{file.read_text(encoding='utf-8').rstrip()}\n\n{line}\nsearched: {record.name}\n"
    if target.is_file() and "\nsearched: " not in target.read_text(encoding="utf-8", errors="replace"):
        raise FileError(target, expected="nothing, or a searched study", got="another file", advice="move it away")
    write_atomically(target, text)
    return target


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """One phase: the sheet as built, whose symmetry counts, and as it relaxed."""

    phase: str
    ideal: Atoms
    relaxed: Atoms
    questions: tuple[Removal, ...]


class Search:
    """One search; `run` computes what the record lacks."""

    def __init__(self, study: OffStoichiometryStudy, engine: Engine, path: Path, folder: Path, report: Report) -> None:
        self.study, self.engine, self.path, self.folder, self.report = study, engine, path, folder, report
        self.settings: Settings = replace(
            study.settings.settings(), force_tolerance=study.search.force_tolerance, source="the search of the study"
        )
        question = study.question()
        fresh = SearchRecord(
            question=question,
            engine=engine.label,
            level_of_theory=engine.level_of_theory,
            versions=dict(engine.versions),
        )
        self.record = read_record(path) if path.is_file() else fresh
        if (self.record.question, self.record.engine) != (question, engine.label):
            advice = "move it away to search anew"
            raise FileError(path, expected="the search of this study", got="one of other fields", advice=advice)

    def run(self) -> SearchRecord:
        """References, whole sheets, listed or drawn ways, then the ways that paths come through."""
        began = time.monotonic() - self.record.wall_time_s
        self._references()
        sheets = [self._sheet(number) for number in range(len(self.study.sheets))]
        for sheet in sheets:
            self._ways(sheet, began)
            self._screened(sheet, began)
        self._paths(sheets[0])
        self.record.wall_time_s = round(time.monotonic() - began, 1)
        self.record.write(self.path)
        return self.record

    def _references(self) -> None:
        asked = reference_calculations(
            self.study.references, self.study.sheets, self.settings, self.study.crystal_source
        )
        record = self.record
        record.elements, record.atoms, record.bulk = {}, {}, []
        for calculation in asked:
            role = calculation.role
            if isinstance(role, AtomRole) and not self.engine.capabilities.isolated_atoms:
                continue
            found = self._computed(calculation)
            energy = found.get_potential_energy()
            if isinstance(role, ElementRole):
                record.elements[role.element] = float(energy) / len(found)
            elif isinstance(role, AtomRole):
                record.atoms[role.element] = float(energy)
            elif isinstance(role, BulkRole):
                record.bulk.append((dict(Counter(found.get_chemical_symbols())), float(energy)))

    def _computed(self, calculation: Calculation) -> Atoms:
        """Relaxed structure with its energy; computed once, read afterwards."""
        folder = self.folder / calculation.name / self.engine.label
        result = run_calculation(calculation, self.engine, folder)
        if not result.converged or result.atoms is None or result.energy is None:
            got = "; ".join(result.problems)
            raise EngineError(f"search: {calculation.name}", expected="a converged result", got=got)
        self.report(f"{calculation.name}: {result.energy:.3f} eV")
        return result.atoms

    def _sheet(self, number: int) -> _Sheet:
        fields = self.study.sheets[number]
        ideal = ideal_sheet(fields, self.study.crystal_source)
        relaxed = self._computed(pristine_calculation(fields, ideal, self.settings))
        relaxed.set_constraint(ideal.constraints)
        sheet = _Sheet(phase=fields.phase, ideal=ideal, relaxed=relaxed, questions=removals(ideal, self.study.remove))
        self.record.counts[fields.phase] = dict(Counter(ideal.get_chemical_symbols()))
        return self._lowest_whole(sheet)

    def _lowest_whole(self, sheet: _Sheet) -> _Sheet:
        """The sheet with its relaxed structure the lowest of the start of the study and those of the search."""
        energy = float(sheet.relaxed.get_potential_energy())
        known = self.record.whole.get(sheet.phase)
        if known is None:
            whole = _unknown(sheet.phase, {}, "", (), degeneracy=1, drawn=1)
            self._relax(sheet, sheet.ideal, [whole])
            known = self.record.ways.pop((sheet.phase, ""))
            if known.energy is None or known.energy > energy:
                known = replace(known, energy=energy, positions=rounded(sheet.relaxed.positions), problems=())
            self.record.whole[sheet.phase] = known
            self.report(f"{sheet.phase}: {known.energy:.3f} eV, the lowest of {self.study.search.starts + 1} starts")
        relaxed = sheet.relaxed.copy()
        relaxed.set_positions(known.positions, apply_constraint=False)
        return replace(sheet, relaxed=relaxed)

    def _ways(self, sheet: _Sheet, began: float) -> None:
        """Ways of every composition, those that the record lacks in batches."""
        wanted = []
        known = {(one.phase, tuple(one.lost.items())) for one in self.record.sets}
        for question in sheet.questions:
            ways, n_drawn = self._listed(sheet.phase, question)
            if (sheet.phase, tuple(question.counts.items())) not in known:
                self.record.sets.append(
                    WaySet(
                        phase=sheet.phase,
                        lost=dict(question.counts),
                        n_distinct=question.n_distinct,
                        n_total=question.n_total,
                        n_drawn=n_drawn,
                    )
                )
            wanted += ways
        self._computed_in_parts(sheet, wanted, began)

    def _computed_in_parts(self, sheet: _Sheet, ways: Sequence[Way], began: float) -> None:
        wanted = [way for way in ways if (sheet.phase, way.identifier) not in self.record.ways]
        n_done = 0
        for start in range(0, len(wanted), TOGETHER):
            part = wanted[start : start + TOGETHER]
            self._relax(sheet, sheet.relaxed, part)
            n_done += len(part)
            self.record.wall_time_s = round(time.monotonic() - began, 1)
            self.record.write(self.path)
            self.report(f"{sheet.phase}: {n_done} of {len(wanted)} ways")

    def _screened(self, sheet: _Sheet, began: float) -> None:
        """Ways that a cluster expansion puts lowest, and what the expansion of all then says of the others."""
        number = self.study.search.screened
        if not number or any(one.phase == sheet.phase for one in self.record.screens):
            return
        own = [way for way in self.record.ways.values() if way.phase == sheet.phase]
        expansion = expansion_of(sheet.questions[0], [way for way in own if way.drawn])
        if expansion is None or not expansion.beats_a_constant:
            self.report(f"{sheet.phase}: no cluster expansion says more than the mean of a composition")
            return
        drawn = [one for one in sheet.questions if one.n_distinct > self.study.search.most]
        known = {way.identifier for way in own if way.drawn}
        wanted = [
            _unknown(sheet.phase, one.counts, name, removed, degeneracy=degeneracy, drawn=0)
            for one in drawn
            for name, removed, degeneracy in lowest_predicted(one, expansion, number, known)
        ]
        self._computed_in_parts(sheet, wanted, began)
        own = [way for way in self.record.ways.values() if way.phase == sheet.phase]
        self.record.screens += screens(sheet.phase, drawn, own)

    def _listed(self, phase: str, question: Removal) -> tuple[list[Way], int]:
        """Ways of one composition before they are computed, and how many were drawn (0: all are there)."""
        search = self.study.search
        n_drawn = 0
        blocks = question.blocks()
        if question.n_distinct > search.most:
            block, _ = question.sample(search.most, seed=search.seed)
            blocks, n_drawn = iter([block]), search.most
        ways = [
            _unknown(phase, question.counts, name, removed, degeneracy=int(degeneracy), drawn=int(drawn))
            for block in blocks
            for name, removed, degeneracy, drawn in zip(
                block.identifiers, block.removed.tolist(), block.degeneracies, block.drawn, strict=True
            )
        ]
        return ways, n_drawn

    def _relax(self, sheet: _Sheet, parent: Atoms, ways: Sequence[Way]) -> None:
        """Relax ways from a parent that holds all their atoms, several displaced starts each; the lowest counts."""
        starts = [start for way in ways for start in self._starts(sheet, parent, way)]
        found = relax_batch(self.engine, starts, self.settings, max_steps=self.study.search.max_steps)
        n = self.study.search.starts
        for number, way in enumerate(ways):
            own = found[n * number : n * (number + 1)]
            usable = [one for one in own if not one.problems]
            best = min(usable, key=lambda one: one.energy) if usable else own[0]
            energies = [one.energy for one in usable]
            self.record.ways[sheet.phase, way.identifier] = replace(
                way,
                energy=min(energies, default=None),
                spread=max(energies) - min(energies) if len(energies) > 1 else None,
                n_steps=sum(one.n_steps for one in own),
                problems=tuple(dict.fromkeys(problem for one in own for problem in one.problems)),
                positions=rounded(best.atoms.positions),
            )

    def _starts(self, sheet: _Sheet, parent: Atoms, way: Way) -> Iterator[Atoms]:
        """Relaxed whole sheet, or relaxed sheet before the last loss, without the atoms of the way, displaced."""
        search = self.study.search
        kept = np.delete(np.arange(len(sheet.ideal)), list(way.removed))
        atoms = sheet.ideal[kept]
        atoms.set_positions(parent.positions[kept], apply_constraint=False)
        for start in range(search.starts):
            seed = zlib.crc32(f"{search.seed} {sheet.phase} {way.identifier} {start}".encode())
            yield rattle_atoms(atoms, search.rattle, seed=seed)

    def _paths(self, sheet: _Sheet) -> None:
        """Follow the paths, computing what they come through on their way."""
        path = self.study.path
        if path is None:
            return
        model = LossModel(
            sheet=sheet.relaxed,
            potentials=atom_potentials(self.study, self.record).values,
            energies=lambda sets: self._energies(sheet, sets),
            most={element: high for element, (_, high) in self.study.remove.items()},
            losses=path.losses,
            beam_energy_keV=path.beam_energy_keV,
            temperature=path.temperature_K,
            exit_face=path.exit_face,
        )
        self.record.paths = list(model.paths(path.runs, path.seed))

    def _energies(self, sheet: _Sheet, sets: Sequence[tuple[int, ...]]) -> list[float | None]:
        """Energies of sheets without some atoms; the first set is the parent of the others, relaxed before."""
        named = [sheet.questions[0].way_of(removed) if removed else ("", 1) for removed in sets]
        missing = {
            name: _unknown(sheet.phase, self._lost(sheet, removed), name, removed, degeneracy=degeneracy, drawn=0)
            for removed, (name, degeneracy) in zip(sets, named, strict=True)
            if removed and (sheet.phase, name) not in self.record.ways
        }
        if missing:
            self._relax(sheet, self._parent(sheet, sets[0], named[0][0]), list(missing.values()))
            self.record.write(self.path)
            self.report(f"paths: {len(self.record.ways)} ways known")
        return [self.record.energy(sheet.phase, name) for name, _ in named]

    def _lost(self, sheet: _Sheet, removed: tuple[int, ...]) -> dict[str, int]:
        counts = Counter(sheet.ideal.symbols[list(removed)])
        return {element: counts[element] for element in self.study.remove}

    def _parent(self, sheet: _Sheet, removed: tuple[int, ...], name: str) -> Atoms:
        """Whole sheet with the atoms that a relaxed parent still has where they are in it.

        A parent that is known by an image of it has its atoms elsewhere: then the whole sheet is the parent.
        """
        parent = sheet.relaxed.copy()
        way = self.record.ways.get((sheet.phase, name))
        if way is not None and way.removed == removed:
            kept = np.delete(np.arange(len(parent)), list(removed))
            parent.positions[kept] = way.positions
        return parent


def _unknown(
    phase: str, lost: Mapping[str, int], name: str, removed: Sequence[int], *, degeneracy: int, drawn: int
) -> Way:
    return Way(
        phase=phase,
        lost=dict(lost),
        identifier=name,
        removed=tuple(removed),
        degeneracy=degeneracy,
        drawn=drawn,
        energy=None,
        spread=None,
        n_steps=0,
        problems=(),
        positions=(),
    )
