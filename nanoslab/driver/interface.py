"""What the loop asks of an engine: take a calculation to a node, and say which ones the queue still knows."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from nanoslab.driver.job import JobOrder


class RefusedError(Exception):
    """The queue did not take a job.

    Attributes
    ----------
    later
        Whether time alone mends it (a quota, a busy controller).
    """

    def __init__(self, message: str, *, later: bool) -> None:
        super().__init__(message)
        self.later = later


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """What the queue knows at one moment.

    Attributes
    ----------
    names
        Job name -> job id, of the jobs of this campaign that wait or run.
    jobs
        Ids of all jobs of this user that wait or run.

    Examples
    --------
    >>> QueueView(names={"ns1.a": "7"}).names["ns1.a"]
    '7'
    """

    names: Mapping[str, str] = field(default_factory=dict)
    jobs: frozenset[str] = frozenset()


class Backend(Protocol):
    """One engine."""

    @property
    def most_at_a_time(self) -> int:
        """Most calculations it can hold at the same time."""
        ...

    def submit(self, order: JobOrder) -> Future[Any]:
        """Take a calculation to a node; the result is an outcome, or a `RefusedError` as exception."""
        ...

    def view(self) -> QueueView:
        """What its queue knows now.

        Raises
        ------
        EngineError
            When the queue does not answer.
        """
        ...

    def script(self, order: JobOrder) -> str:
        """Exact script (or command) that would be handed over."""
        ...

    def close(self) -> None:
        """Let go without stopping what runs."""
        ...
