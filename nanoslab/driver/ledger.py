"""What the driver reads from and writes to the folders: who may start, who is done, who needs somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nanoslab.driver.job import JobOrder
from nanoslab.driver.state import (
    Owner,
    State,
    attempts_that_count,
    current_state,
    is_held,
    latest_attempt,
    read_attempt,
    record_attempt,
    write_state,
)
from nanoslab.driver.status import state_from_outputs

#: states a driver leaves alone
SETTLED = ("done", "failed", "needs-you")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One calculation in the driver's hands: its order, and the calculation it starts from."""

    order: JobOrder
    parent: str | None

    @property
    def folder(self) -> Path:
        """Run folder."""
        return self.order.run_folder


class Ledger:
    """The campaign's folders, as the loop needs them."""

    def __init__(self, entries: Iterable[Entry], tries: int) -> None:
        self.entries = {entry.order.name: entry for entry in entries}
        self.tries = tries

    def state(self, name: str) -> State:
        """State in the folder; ``waiting`` when nothing was recorded yet."""
        return current_state(self.entries[name].folder) or State(state="waiting")

    def take_over(self, name: str) -> None:
        """Accept a run that somebody finished by other means, so that it is not computed again."""
        entry = self.entries[name]
        if entry.order.label or current_state(entry.folder) is not None:
            return  # an embedded engine finds its own result
        found = state_from_outputs(entry.folder)
        if found is not None and found.state == "done":
            write_state(entry.folder, found)

    def note(self, name: str, state: str, reason: str = "") -> str:
        """Record a state; returns what could not be recorded, in words, empty when all is well."""
        before = self.state(name)
        backend = self.entries[name].order.backend
        after = replace(before, state=state, reason=reason, job="", pid=0, backend=backend)
        try:
            self.entries[name].folder.mkdir(parents=True, exist_ok=True)
            write_state(self.entries[name].folder, after)
        except OSError as error:
            return f"{name}: cannot record that it is {state}: {error.strerror}"
        return ""

    def forgive(self, name: str) -> str:
        """Let a calculation start afresh: its attempts so far count no more."""
        folder = self.entries[name].folder
        before = self.state(name)
        words = f"to be tried again; before: {before.reason}" if before.reason else "to be tried again"
        forgiven = replace(before, state="waiting", reason=words, tries_from=latest_attempt(folder), job="", pid=0)
        try:
            write_state(folder, forgiven)
        except OSError as error:
            return f"{name}: {error.strerror}"
        return ""

    def order(self, name: str) -> JobOrder:
        """Order with the number of forgiven attempts."""
        return replace(self.entries[name].order, tries_from=self.state(name).tries_from)

    def spent(self, name: str) -> str:
        """Why a calculation gets no further start by itself, in words; empty when it gets one."""
        folder, state = self.entries[name].folder, self.state(name)
        count = attempts_that_count(folder, state.tries_from)
        if count >= self.tries:
            return f"{count} starts ended badly; the last: {state.reason or 'without a word'}"
        last = latest_attempt(folder)
        records = [read_attempt(folder, number) for number in (last, last - 1) if number > state.tries_from]
        if len(records) == 2 and all(_stopped_without_a_step(record, self.entries[name].order) for record in records):
            return "not one ionic step fits into its wall time: give it more time or more ranks"
        return ""

    def is_held(self, name: str, is_alive: Callable[[Owner], bool]) -> bool:
        """Whether somebody runs it at this moment."""
        number = latest_attempt(self.entries[name].folder)
        return number > 0 and is_held(self.entries[name].folder, number, None, is_alive)

    def note_death(self, name: str, reason: str) -> str:
        """Record that the last start ended without recording so itself."""
        folder = self.entries[name].folder
        number = latest_attempt(folder)
        record = read_attempt(folder, number)
        if number and "outcome" not in record:
            try:
                record_attempt(folder, number, {**record, "outcome": "again", "reason": reason})
            except OSError as error:
                return f"{name}: {error.strerror}"
        return self.note(name, "waiting", reason)


def _stopped_without_a_step(record: Mapping[str, Any], order: JobOrder) -> bool:
    """Whether a start had most of its wall time and finished nothing in it."""
    given = record.get("given_s") or 0.0
    return record.get("outcome") == "stopped" and not record.get("steps") and given >= 0.5 * order.wall_time
