"""Run many calculations in their order, each in a process of its own kind: parents first, failures alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from ase import Atoms

from nanoslab.calculation import Calculation
from nanoslab.engines.interface import Engine
from nanoslab.engines.limits import Limits
from nanoslab.engines.result_files import is_finished, read_record, read_result, write_failure
from nanoslab.engines.run import start_from
from nanoslab.engines.suitability import check
from nanoslab.engines.workers import Ended, Step, Task, WorkerPool
from nanoslab.errors import FileError, InputError

State = Literal["finished", "skipped", "failed", "unfinished"]
#: more processes than this need more memory than a laptop has (a loaded network takes about 0.5 GB)
MOST_DEFAULT_JOBS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one calculation of a run ended.

    Attributes
    ----------
    name, state
        ``finished`` (converged or not), ``skipped`` (the engine cannot, see problems), ``failed``, or
        ``unfinished`` (the wall time came first).
    problems
        In words.
    already_there
        It was finished before this run began.

    Examples
    --------
    >>> Outcome(name="a", state="finished").problems
    ()
    """

    name: str
    state: State
    problems: tuple[str, ...] = ()
    already_there: bool = False


def run_calculations(
    calculations: Sequence[Calculation],
    engine: Engine,
    folder: Path,
    *,
    jobs: int | None = None,
    limits: Limits | None = None,
    on_event: Callable[[Step | Outcome], None] | None = None,
) -> tuple[Outcome, ...]:
    """Run all that is not finished yet, parents before the calculations that start from them.

    Parameters
    ----------
    calculations
        Of one campaign.
    engine
        What computes.
    folder
        The campaign; files go to ``folder/<calculation>/<engine label>``.
    jobs
        Processes at a time, each with one thread; None takes the processors at hand, at most 8.
    limits
        Wall time and steps.
    on_event
        Called with every step and every outcome.

    Returns
    -------
    tuple of Outcome
        One per calculation, in the order given; a failure never stops the others.

    Raises
    ------
    EngineError
        Before any work, when the engine cannot compute one of them.
    """
    check(calculations, engine)
    _refuse_unknown_parents(calculations)
    run = _Run(calculations, engine, Path(folder), limits or Limits(), on_event)
    run.note_finished()
    if len(run.outcomes) < len(calculations):
        with WorkerPool(engine, min(jobs or default_jobs(), len(calculations) - len(run.outcomes))) as pool:
            run.work(pool)
    return tuple(run.outcomes[calculation.name] for calculation in calculations)


def default_jobs() -> int:
    """Processors this process may use, at most 8.

    Examples
    --------
    >>> 1 <= default_jobs() <= 8
    True
    """
    at_hand = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(at_hand, MOST_DEFAULT_JOBS))


def select(calculations: Sequence[Calculation], pattern: str | None) -> tuple[Calculation, ...]:
    """Calculations whose name matches a shell pattern, and those they start from.

    Raises
    ------
    InputError
        No name matches.

    Examples
    --------
    >>> from nanoslab.calculation import Role, Settings
    >>> def make(name, parent=None):
    ...     return Calculation(name=name, role="x", atoms=Atoms("Se"), settings=Settings(source=""), starts_from=parent)
    >>> [c.name for c in select([make("sheet"), make("bulk"), make("v1", "sheet")], "v*")]
    ['sheet', 'v1']
    """
    if pattern is None:
        return tuple(calculations)
    parents = {calculation.name: calculation.starts_from for calculation in calculations}
    wanted: set[str | None] = set()
    for name in parents:
        link: str | None = name if fnmatchcase(name, pattern) else None
        while link is not None and link not in wanted:
            wanted.add(link)
            link = parents.get(link)
    if not wanted:
        raise InputError(
            "--only",
            expected=f"a pattern that matches one of {', '.join(parents)}",
            got=repr(pattern),
            advice="mend it",
        )
    return tuple(calculation for calculation in calculations if calculation.name in wanted)


class _Run:
    """State of one pass over the calculations."""

    def __init__(
        self,
        calculations: Sequence[Calculation],
        engine: Engine,
        folder: Path,
        limits: Limits,
        on_event: Callable[[Step | Outcome], None] | None,
    ) -> None:
        self.waiting = {calculation.name: calculation for calculation in calculations}
        self.engine = engine
        self.folder = folder
        self.limits = limits
        self.on_event = on_event
        self.outcomes: dict[str, Outcome] = {}

    def note_finished(self) -> None:
        """Take finished calculations off the list, unless they are of another input (the run loop says so)."""
        from nanoslab.engines.fingerprint import calculation_fingerprint

        for name, calculation in list(self.waiting.items()):
            folder = self.place(name)
            if not is_finished(folder):
                continue
            try:
                record = read_record(folder)
            except FileError as error:
                # One damaged file is its own calculation's failure, not that of the campaign
                del self.waiting[name]
                self.end(Outcome(name=name, state="failed", problems=(str(error),)))
                continue
            if record.get("fingerprint") == calculation_fingerprint(calculation, self.engine):
                del self.waiting[name]
                self.end(self.read_outcome(name, already_there=True))

    def work(self, pool: WorkerPool) -> None:
        """Hand out what is ready, take back what ended, until nothing is left."""
        running = 0
        while True:
            while pool.has_room() and (task := self.next_task()) is not None:
                pool.give(task)
                running += 1
            if not running:
                return
            for message in pool.wait():
                if isinstance(message, Step):
                    self.report(message)
                else:
                    running -= 1
                    self.end(self.judge(message))

    def next_task(self) -> Task | None:
        """Return the first task whose parent is there; children of a parent without a structure end here."""
        for name, calculation in list(self.waiting.items()):
            parent = calculation.starts_from
            if parent is not None and parent not in self.outcomes:
                continue
            del self.waiting[name]
            if parent is None:
                return self.task(calculation, None)
            relaxed = self.structure_of(parent)
            if relaxed is not None:
                return self.task(calculation, start_from(calculation, relaxed))
            state: State = "unfinished" if self.outcomes[parent].state == "unfinished" else "failed"
            self.end(Outcome(name=name, state=state, problems=(f"{parent}, from which it starts, did not end",)))
            return self.next_task()  # its own children may stand before it in the list
        return None

    def task(self, calculation: Calculation, start: Atoms | None) -> Task:
        """Everything a worker needs."""
        return Task(calculation=calculation, folder=self.place(calculation.name), start=start, limits=self.limits)

    def structure_of(self, name: str) -> Atoms | None:
        """Relaxed structure of a calculation that ended well enough to start others from."""
        return read_result(self.place(name)).atoms if self.outcomes[name].state == "finished" else None

    def judge(self, ended: Ended) -> Outcome:
        """Turn a worker's last word into an outcome; a failure is noted on disk."""
        if ended.state == "finished":
            return self.read_outcome(ended.name)
        if ended.state == "failed":
            write_failure(self.place(ended.name), ended.name, self.engine.label, ended.problem)
        return Outcome(name=ended.name, state=ended.state, problems=(ended.problem,))

    def read_outcome(self, name: str, *, already_there: bool = False) -> Outcome:
        """Outcome of a finished calculation, from its file."""
        record = read_record(self.place(name))
        return Outcome(
            name=name,
            state="skipped" if record.get("skipped") else "finished",
            problems=tuple(record.get("problems", ())),
            already_there=already_there,
        )

    def end(self, outcome: Outcome) -> None:
        """Keep and report an outcome."""
        self.outcomes[outcome.name] = outcome
        self.report(outcome)

    def report(self, event: Step | Outcome) -> None:
        """Tell whoever listens."""
        if self.on_event is not None:
            self.on_event(event)

    def place(self, name: str) -> Path:
        """Folder of a calculation with this engine."""
        return self.folder / name / self.engine.label


def _refuse_unknown_parents(calculations: Sequence[Calculation]) -> None:
    parents: Mapping[str, str | None] = {calculation.name: calculation.starts_from for calculation in calculations}
    for name in parents:
        seen = {name}
        link = parents[name]
        while link is not None:
            if link not in parents or link in seen:
                what = "itself in a circle" if link in seen else f"{link!r}, which is not here"
                raise InputError(
                    f"calculation {name}: starts_from", expected="a calculation of this campaign", got=what
                )
            seen.add(link)
            link = parents[link]
