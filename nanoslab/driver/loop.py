"""The loop that drives a campaign: what is ready goes to the backend, what ended is judged by its folder.

A future is only a hint to look at the folder sooner. So the driver may be killed at any moment; the next one reads
the folders and the queue, and goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Any

from nanoslab.campaign.state import Owner
from nanoslab.driver.backend import Backend, QueueView, RefusedError
from nanoslab.driver.ledger import SETTLED, Ledger
from nanoslab.driver.slurm import owner_is_alive, why_gone
from nanoslab.errors import EngineError

#: looks at the queue without seeing a job before it is taken for gone
MISSES = 2

#: after a refusal the next job is tried so many polls later
PATIENCE = 3

#: jobs of one calculation that may end before they began
LAUNCHES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast the loop turns, and until when."""

    window: int = 40  # most calculations in the queue at a time
    poll_interval: float = 20.0  # between two looks at the queue [s]
    deadline: float | None = None  # nothing is started after it [seconds since 1970]; None is never

    def is_over(self) -> bool:
        """Whether the time for new starts is over."""
        return self.deadline is not None and time.time() > self.deadline


@dataclass(slots=True)
class _Flight:
    """One calculation that is under way; no future when it can only be looked up in the queue."""

    future: Future[Any] | None
    launched: float
    misses: int = 0
    job: str = ""
    ended: bool = False


@dataclass(slots=True)
class Drive:
    """One pass of a driver over a campaign."""

    ledger: Ledger
    backend: Backend
    pace: Pace
    report: Callable[[str, str, str], None]
    wanted: set[str]
    unwanted: Callable[[], frozenset[str]] = frozenset
    beat: Callable[[], None] = lambda: None
    flights: dict[str, _Flight] = field(default_factory=dict)
    settled: dict[str, str] = field(default_factory=dict)
    launches: dict[str, int] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    width: int = 0
    refused_at: float = 0.0
    looked_at: float = 0.0

    def run(self) -> Mapping[str, str]:
        """Drive until nothing runs and nothing can start; returns the state of every wanted calculation."""
        self.width = self._widest()
        self._adopt(self.backend.view())
        while True:
            self.beat()
            self._drop_unwanted()
            self._launch()
            if not self.flights and not self._quota_blocks():
                return self._summary()
            self._wait()
            self._collect()

    def _widest(self) -> int:
        return min(self.pace.window, self.backend.most_at_a_time)

    def _adopt(self, view: QueueView) -> None:
        """Settle what is settled, take over what an earlier driver left running, free what died meanwhile."""
        for name in sorted(self.wanted):
            self.ledger.take_over(name)
            state = self.ledger.state(name)
            if state.state in SETTLED:
                self.settled[name] = state.state
            elif (job := self._known_as(name, view)) or self.ledger.is_held(name, _alive(view)):
                self.flights[name] = _Flight(future=None, launched=time.time(), job=job or state.job)
                self.report(name, state.state, "found under way, left by an earlier driver")
            elif state.state in ("queued", "running"):
                self._bury(name, state.job)

    def _known_as(self, name: str, view: QueueView) -> str:
        return view.names.get(self.ledger.orders[name].job_name, "")

    def _launch(self) -> None:
        if (self._quota_blocks() and self.flights) or self.pace.is_over():
            return
        for name in self.ledger.orders:
            if len(self.flights) >= self.width:
                return
            if name not in self.wanted or name in self.flights or name in self.settled or not self._may_start(name):
                continue
            if not self._submit(name):
                return

    def _quota_blocks(self) -> bool:
        return time.time() < self.refused_at + PATIENCE * self.pace.poll_interval

    def _may_start(self, name: str) -> bool:
        parent = self.ledger.orders[name].starts_from
        if parent is not None and not self._gives_a_start(parent):
            return False
        if why := self.ledger.spent(name):
            self._settle(name, "failed", why)
            return False
        return True

    def _gives_a_start(self, parent: str) -> bool:
        """Whether a parent ended; the folder is asked only about those this drive does not follow itself."""
        if parent not in self.settled:
            if parent in self.wanted:
                return False
            self.settled[parent] = self.ledger.state(parent).state
        return self.ledger.gives_a_start(parent, self.settled[parent])

    def _submit(self, name: str) -> bool:
        if trouble := self.ledger.note(name, "queued"):
            self._settle(name, "needs-you", trouble)
            return True
        future = self.backend.submit(self.ledger.order(name))
        if future is not None and future.done() and isinstance(error := future.exception(), RefusedError):
            return self._refused(name, error)
        self.flights[name] = _Flight(future=future, launched=time.time())
        self.report(name, "queued", "")
        return True

    def _refused(self, name: str, error: RefusedError) -> bool:
        """Put a calculation back without using one of its tries; a refusal for good ends the drive."""
        self.ledger.note(name, "waiting", f"the queue did not take it: {error}")
        self.flights.pop(name, None)
        if not error.later:
            raise EngineError("the queue", expected="to take the job", got=str(error), advice="mend the cluster file")
        self.refused_at = time.time()
        self.width = max(1, len(self.flights))
        self.report(name, "waiting", f"the queue takes no more for now: {error}")
        return False

    def _wait(self) -> None:
        futures = [flight.future for flight in self.flights.values() if flight.future is not None]
        pause = max(0.0, self.looked_at + self.pace.poll_interval - time.time())
        if futures:
            wait(futures, timeout=pause, return_when=FIRST_COMPLETED)
        else:
            time.sleep(pause)

    def _collect(self) -> None:
        """Look at what ended; and at the queue, when it is time."""
        view = None
        if time.time() >= self.looked_at + self.pace.poll_interval:
            self.looked_at = time.time()
            view = self._view()
            if not self._quota_blocks():
                self.width = min(self._widest(), self.width + 1)
        for name, flight in list(self.flights.items()):
            if flight.future is not None and flight.future.done():
                self._land(name, flight.future)
            elif view is not None:
                self._check(name, flight, view)

    def _view(self) -> QueueView | None:
        try:
            return self.backend.view()
        except EngineError as error:
            self._trouble(str(error))
            return None

    def _land(self, name: str, future: Future[Any]) -> None:
        """A future is done: the folder says how it ended, the future only when the folder cannot."""
        error = None if future.cancelled() else future.exception()
        if isinstance(error, RefusedError):
            self._refused(name, error)
            return
        state = self.ledger.state(name)
        if state.state not in ("queued", "running"):
            self._leave_queue(name)
            return
        result = future.result() if error is None and not future.cancelled() else {}
        if isinstance(result, dict) and result.get("outcome") == "held":
            self.flights[name].future = None  # somebody else runs it: follow that one
        elif isinstance(result, dict) and result.get("outcome") in ("needs-you", "failed"):
            self._settle(name, result["outcome"], str(result["reason"]))
        else:
            self._bury(name, state.job, "" if error is None else str(error))

    def _check(self, name: str, flight: _Flight, view: QueueView) -> None:
        state = self.ledger.state(name)
        if state.state not in ("queued", "running"):
            if flight.ended:
                self._leave_queue(name)
            flight.ended = True  # seen once, its job may be between its two records, and write over what we would
            return
        job = self._known_as(name, view)
        flight.job = job or state.job or flight.job
        if job in view.running and state.state == "queued":
            self.ledger.note(name, "running", job=job)  # where no Python on the node says so
        if job or self.ledger.is_held(name, _alive(view)):
            flight.misses = 0
            return
        flight.misses += 1
        if flight.misses >= MISSES and time.time() > flight.launched + 2 * self.pace.poll_interval:
            self._bury(name, flight.job)

    def _leave_queue(self, name: str) -> None:
        state = self.ledger.state(name)
        self.flights.pop(name, None)
        self.launches.pop(name, None)
        if state.state in SETTLED:
            self.settled[name] = state.state
        self.report(name, state.state, state.reason)

    def _bury(self, name: str, job: str, words: str = "") -> None:
        """A job is gone without having recorded its end: what it left says how it stands."""
        self.flights.pop(name, None)
        reason = words or why_gone(job)
        if self.ledger.began(name):
            self.ledger.settle_left_behind(name, reason)
            self._leave_queue(name)
            return
        self.launches[name] = self.launches.get(name, 0) + 1
        if self.launches[name] >= LAUNCHES:
            self._settle(name, "needs-you", f"its job ended {LAUNCHES} times before it began: {reason}")
            return
        if trouble := self.ledger.note(name, "waiting", reason):
            self._trouble(trouble)
        self.report(name, "waiting", reason)

    def _settle(self, name: str, state: str, reason: str) -> None:
        self.flights.pop(name, None)
        self.settled[name] = state
        if trouble := self.ledger.note(name, state, reason):
            self._trouble(trouble)
        self.report(name, state, reason)

    def _trouble(self, words: str) -> None:
        if words not in self.troubles:
            self.troubles.append(words)
            self.report("", "", words)

    def _drop_unwanted(self) -> None:
        for name in self.unwanted() & self.wanted:
            self.wanted.discard(name)
            self.flights.pop(name, None)
            self.report(name, "waiting", "cancelled")

    def _summary(self) -> dict[str, str]:
        """State of every wanted calculation; those that wait for a parent say for which."""
        for name, order in self.ledger.orders.items():
            if name not in self.wanted or name in self.settled:
                continue
            parent = order.starts_from
            if parent is not None and not self._gives_a_start(parent):
                self.ledger.note(name, "waiting", f"waits for {parent}, which is {self.ledger.state(parent).state}")
            self.settled[name] = "waiting"
        return {name: self.settled[name] for name in self.ledger.orders if name in self.wanted}


def _alive(view: QueueView) -> Callable[[Owner], bool]:
    """Whether an owner lives, asked of one look at the queue instead of one question each."""

    def alive(owner: Owner) -> bool:
        return owner.job in view.jobs if owner.job else owner_is_alive(owner)

    return alive
