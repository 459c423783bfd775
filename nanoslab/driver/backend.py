"""What is carried to where a calculation is computed, and what the loop asks of whoever carries it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One calculation of a campaign, as its driver sees it.

    Attributes
    ----------
    name, starts_from
        Its folder, and the calculation whose relaxed structure it starts from.
    n_atoms
        In its structure.
    build
        Which VASP it needs: ``std``, ``gam`` or ``ncl``.
    has_potcar
        Whether a POTCAR lies in its folder.
    """

    name: str
    n_atoms: int
    starts_from: str | None = None
    build: str = "std"
    has_potcar: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOrder:
    """Everything a node needs to know about one calculation; plain values, so that it travels as JSON.

    Attributes
    ----------
    campaign, name
        Folder of the campaign, and the calculation in it.
    source
        ``vasp``, or an embedded engine with its options.
    label
        Folder of the embedded engine inside the calculation's; empty for VASP.
    backend
        Who carries it there.
    vasp_command
        Words of the command.
    custodian, stop_before_end, frozen_after
        See `nanoslab.driver.config.Cluster`.
    wall_time
        Of the job [s]; 0 when there is no limit.
    deadline
        When to stop between two ionic steps [seconds since 1970]; 0 when there is none.
    tries_from
        Starts up to this one count no more against the number of tries.
    ranks, job_name
        What the queue is asked for, and under which name.
    """

    campaign: str
    name: str
    source: str = "vasp"
    label: str = ""
    backend: str = "here"
    vasp_command: tuple[str, ...] = ()
    custodian: bool = True
    stop_before_end: float = 600.0
    frozen_after: float = 21600.0
    wall_time: float = 0.0
    deadline: float = 0.0
    tries_from: int = 0
    ranks: int = 1
    job_name: str = ""

    @property
    def calculation_folder(self) -> Path:
        """Folder of the calculation."""
        return Path(self.campaign) / self.name

    @property
    def run_folder(self) -> Path:
        """Folder in which it computes and records its state."""
        return self.calculation_folder / self.label if self.label else self.calculation_folder


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
    running
        Those of them that run.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    jobs: frozenset[str] = frozenset()
    running: frozenset[str] = frozenset()


class Backend(Protocol):
    """Whoever takes calculations to where they are computed; it keeps no state of its own on disk."""

    @property
    def most_at_a_time(self) -> int:
        """Most calculations it can hold at the same time."""
        ...

    def submit(self, order: JobOrder) -> Future[Any] | None:
        """Take a calculation; the result is an outcome, or a `RefusedError` as exception; None: look at the queue."""
        ...

    def view(self) -> QueueView:
        """What its queue knows now."""
        ...

    def script(self, order: JobOrder) -> str:
        """Exact script (or command) that would be handed over."""
        ...

    def close(self) -> None:
        """Let go of everything at the end of a drive."""
        ...


def engine_from_here(name_and_options: str) -> str:
    """Engine as given, the path of a Python file made absolute: workers and nodes start in other folders.

    Examples
    --------
    >>> engine_from_here("xtb:method=GFN1-xTB")
    'xtb:method=GFN1-xTB'
    >>> Path(engine_from_here("./mine.py:calculator").partition(":")[0]).is_absolute()
    True
    """
    name, colon, rest = name_and_options.partition(":")
    return f"{Path(name).absolute()}{colon}{rest}" if name.endswith(".py") else name_and_options
