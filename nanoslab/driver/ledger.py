"""What the driver reads from and writes to the folders: who may start, who is done, who needs somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
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


class Ledger:
    """The campaign's folders, as the loop needs them: the orders of all calculations, parents first.

    `tries` starts may end badly before a calculation is given up. Where it is forgiving, as for somebody who sits in
    front of it, starts before this drive count no more.
    """

    def __init__(self, orders: Iterable[JobOrder], tries: int, *, forgiving: bool = False) -> None:
        self.orders = {order.name: order for order in orders}
        self.tries = tries
        self.counted_from = {name: latest_attempt(self.folder(name)) for name in self.orders} if forgiving else {}

    def folder(self, name: str) -> Path:
        """Run folder."""
        return self.orders[name].run_folder

    def state(self, name: str) -> State:
        """State in the folder; ``waiting`` when nothing was recorded yet."""
        return current_state(self.folder(name)) or State(state="waiting")

    def take_over(self, name: str) -> None:
        """Accept a run that ended by other means, so that it is not computed again."""
        order, folder = self.orders[name], self.folder(name)
        if order.label:
            before = self.state(name)
            if (folder / "result.json").is_file() and before.state != "running":
                state, reason = _of_result(order)
                if (before.state, before.reason) != (state, reason):
                    self.note(name, state, reason)
        elif current_state(folder) is None:
            found = state_from_outputs(folder)
            if found is not None and found.state == "done":
                write_state(folder, found)

    def note(self, name: str, state: str, reason: str = "", job: str = "") -> str:
        """Record a state; returns what could not be recorded, in words, empty when all is well."""
        folder, order = self.folder(name), self.orders[name]
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
        folder, before = self.folder(name), self.state(name)
        if self.orders[name].label and (folder / "result.json").is_file():
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
        return replace(self.orders[name], tries_from=self.state(name).tries_from)

    def spent(self, name: str) -> str:
        """Why a calculation gets no further start by itself, in words; empty when it gets one."""
        folder, state = self.folder(name), self.state(name)
        first = max(state.tries_from, self.counted_from.get(name, 0))
        count = attempts_that_count(folder, first)
        if count >= self.tries:
            last = state.reason or "without a word"
            return last if count == 1 else f"{count} starts ended badly; the last: {last}"
        latest = latest_attempt(folder)
        records = [read_attempt(folder, number) for number in (latest, latest - 1) if number > first]
        if len(records) == 2 and all(_stopped_without_a_step(record, self.orders[name]) for record in records):
            return "not one ionic step fits into its wall time: give it more time or more ranks"
        return ""

    def gives_a_start(self, name: str, state: str) -> bool:
        """Whether children may start from a calculation: from an engine's relaxed structure also if unconverged."""
        if not self.orders[name].label:
            return state == "done"
        return state in SETTLED and all(
            (self.folder(name) / file).is_file() for file in ("result.json", "final.extxyz")
        )

    def is_held(self, name: str, is_alive: Callable[[Owner], bool]) -> bool:
        """Whether somebody runs it at this moment."""
        number = latest_attempt(self.folder(name))
        return number > 0 and is_held(self.folder(name), number, None, is_alive)

    def began(self, name: str) -> bool:
        """Whether the latest start has not recorded its end."""
        number = latest_attempt(self.folder(name))
        return number > 0 and "outcome" not in read_attempt(self.folder(name), number)

    def settle_left_behind(self, name: str, reason: str) -> None:
        """Judge the latest start, which is gone without a word, from what it left."""
        settle_left_behind(self.order(name), reason)


def _of_result(order: JobOrder) -> tuple[str, str]:
    """State of a finished calculation of an embedded engine; a damaged or foreign result is its own trouble."""
    from nanoslab.engines.result_files import foreign_result

    try:
        outcome = judge_engine(order.run_folder)
        if order.fingerprint and (foreign := foreign_result(order.run_folder, order.name, order.fingerprint)):
            return "needs-you", str(foreign)
    except FileError as error:
        return "needs-you", str(error)
    return outcome.state, outcome.reason


def _stopped_without_a_step(record: Mapping[str, Any], order: JobOrder) -> bool:
    """Whether a start had most of its wall time and finished nothing in it."""
    given = record.get("given_s") or 0.0
    return record.get("outcome") == "stopped" and not record.get("steps") and given >= 0.5 * order.wall_time
