"""What the driver reads from and writes to the folders: who may start, who is done, who needs somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nanoslab.campaign.state import (
    Owner,
    State,
    attempts_that_count,
    current_state,
    is_held,
    latest_attempt,
    read_attempt,
    write_state,
)
from nanoslab.driver.backend import JobOrder
from nanoslab.driver.job import note_failure, settle_left_behind
from nanoslab.driver.judge import judge_engine, state_from_outputs
from nanoslab.errors import FileError

#: states a driver leaves alone
SETTLED = ("done", "failed", "needs-you")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One calculation in the driver's hands.

    Attributes
    ----------
    order
        What the node is told.
    parent
        The calculation it starts from.
    fingerprint
        Of the calculation with its embedded engine; a result of another one is not taken for its own.
    """

    order: JobOrder
    parent: str | None
    fingerprint: str = ""

    @property
    def folder(self) -> Path:
        """Run folder."""
        return self.order.run_folder


class Ledger:
    """The campaign's folders, as the loop needs them."""

    def __init__(self, entries: Iterable[Entry], tries: int, *, forgiving: bool = False) -> None:
        self.entries = {entry.order.name: entry for entry in entries}
        self.tries = tries
        self.counted_from = {n: latest_attempt(e.folder) for n, e in self.entries.items()} if forgiving else {}

    def state(self, name: str) -> State:
        """State in the folder; ``waiting`` when nothing was recorded yet."""
        return current_state(self.entries[name].folder) or State(state="waiting")

    def take_over(self, name: str) -> None:
        """Accept a run that ended by other means, so that it is not computed again."""
        entry = self.entries[name]
        if not entry.order.label:
            if current_state(entry.folder) is None:
                found = state_from_outputs(entry.folder)
                if found is not None and found.state == "done":
                    write_state(entry.folder, found)
            return
        if (entry.folder / "result.json").is_file() and self.state(name).state != "running":
            state, reason = self._of_result(entry)
            if (self.state(name).state, self.state(name).reason) != (state, reason):
                self.note(name, state, reason)

    def _of_result(self, entry: Entry) -> tuple[str, str]:
        """State of a finished calculation of an embedded engine; a damaged or foreign result is its own trouble."""
        from nanoslab.engines.result_files import read_record

        try:
            outcome = judge_engine(entry.folder)
            foreign = entry.fingerprint and read_record(entry.folder).get("fingerprint") != entry.fingerprint
        except FileError as error:
            return "needs-you", str(error)
        if not foreign:
            return outcome.state, outcome.reason
        got = "one of another structure, other settings or other engine options"
        advice = "move that folder away to compute anew"
        wanted = f"a result of {entry.order.name} as it is now"
        return "needs-you", str(FileError(entry.folder, expected=wanted, got=got, advice=advice))

    def note(self, name: str, state: str, reason: str = "", job: str = "") -> str:
        """Record a state; returns what could not be recorded, in words, empty when all is well."""
        folder, order = self.entries[name].folder, self.entries[name].order
        after = replace(self.state(name), state=state, reason=reason, job=job, pid=0, backend=order.backend)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_state(folder, after)
            if state in ("failed", "needs-you"):
                note_failure(order, reason)
        except OSError as error:
            return f"{name}: cannot record that it is {state}: {error.strerror}"
        return ""

    def forgive(self, name: str) -> str:
        """Let a calculation start afresh: its starts so far count no more. A finished result stays as it is."""
        folder, before = self.entries[name].folder, self.state(name)
        if self.entries[name].order.label and (folder / "result.json").is_file():
            return ""
        words = f"to be tried again; before: {before.reason}" if before.reason else "to be tried again"
        forgiven = replace(before, state="waiting", reason=words, tries_from=latest_attempt(folder), job="", pid=0)
        try:
            write_state(folder, forgiven)
        except OSError as error:
            return f"{name}: {error.strerror}"
        return ""

    def order(self, name: str) -> JobOrder:
        """Order with the number of forgiven starts."""
        return replace(self.entries[name].order, tries_from=self.state(name).tries_from)

    def spent(self, name: str) -> str:
        """Why a calculation gets no further start by itself, in words; empty when it gets one."""
        folder, state = self.entries[name].folder, self.state(name)
        first = max(state.tries_from, self.counted_from.get(name, 0))
        count = attempts_that_count(folder, first)
        if count >= self.tries:
            last = state.reason or "without a word"
            return last if count == 1 else f"{count} starts ended badly; the last: {last}"
        latest = latest_attempt(folder)
        records = [read_attempt(folder, number) for number in (latest, latest - 1) if number > first]
        if len(records) == 2 and all(_stopped_without_a_step(record, self.entries[name].order) for record in records):
            return "not one ionic step fits into its wall time: give it more time or more ranks"
        return ""

    def gives_a_start(self, name: str, state: str) -> bool:
        """Whether children may start from a calculation: from an engine's relaxed structure also if unconverged."""
        entry = self.entries[name]
        if entry.order.label:
            return state in SETTLED and all((entry.folder / file).is_file() for file in ("result.json", "final.extxyz"))
        return state == "done"

    def is_held(self, name: str, is_alive: Callable[[Owner], bool]) -> bool:
        """Whether somebody runs it at this moment."""
        number = latest_attempt(self.entries[name].folder)
        return number > 0 and is_held(self.entries[name].folder, number, None, is_alive)

    def began(self, name: str) -> bool:
        """Whether the latest start has not recorded its end."""
        number = latest_attempt(self.entries[name].folder)
        return number > 0 and "outcome" not in read_attempt(self.entries[name].folder, number)

    def settle_left_behind(self, name: str, reason: str) -> None:
        """Judge the latest start, which is gone without a word, from what it left."""
        settle_left_behind(self.order(name), reason)


def _stopped_without_a_step(record: Mapping[str, Any], order: JobOrder) -> bool:
    """Whether a start had most of its wall time and finished nothing in it."""
    given = record.get("given_s") or 0.0
    return record.get("outcome") == "stopped" and not record.get("steps") and given >= 0.5 * order.wall_time
