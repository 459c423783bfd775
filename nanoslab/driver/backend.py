"""What is carried to where a calculation is computed, and what the loop asks of whoever carries it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One calculation of a campaign, as its driver sees it."""

    name: str
    n_atoms: int
    starts_from: str | None = None
    build: str = "std"  # which VASP it needs: std, gam or ncl; empty without input files
    has_potcar: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOrder:
    """Everything a node needs to know about one calculation; plain values, so that it travels as JSON."""

    campaign: str
    name: str
    starts_from: str | None = None
    source: str = "vasp"  # or an embedded engine with its options
    label: str = ""  # folder of the embedded engine inside the calculation's; empty for VASP
    fingerprint: str = ""  # of the calculation with its embedded engine; another one's result is not taken for its own
    backend: str = "here"
    vasp_command: tuple[str, ...] = ()
    custodian: bool = True
    stop_before_end: float = 600.0  # [s]
    frozen_after: float = 21600.0  # silence after which VASP is taken for hung [s]
    wall_time: float = 0.0  # [s]; 0 when there is no limit
    deadline: float = 0.0  # when to stop between two ionic steps [seconds since 1970]; 0 when there is none
    tries_from: int = 0  # starts up to this one count no more against the number of tries
    ranks: int = 1
    job_name: str = ""

    @property
    def calculation_folder(self) -> Path:
        """Folder of the calculation."""
        return Path(self.campaign) / self.name

    @property
    def run_folder(self) -> Path:
        """Folder in which it computes and records its state."""
        return self.calculation_folder / self.label


class RefusedError(Exception):
    """The queue did not take a job; `later` says whether time alone mends it (a quota, a busy controller)."""

    def __init__(self, message: str, *, later: bool) -> None:
        super().__init__(message)
        self.later = later


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """What the queue knows at one moment."""

    names: Mapping[str, str] = field(default_factory=dict)  # job name -> job id, of the jobs of this campaign
    jobs: frozenset[str] = frozenset()  # ids of all jobs of this user that wait or run
    running: frozenset[str] = frozenset()


class Backend(Protocol):
    """Whoever takes calculations to where they are computed; it keeps no state of its own on disk."""

    @property
    def most_at_a_time(self) -> int:
        """Most calculations it can hold at the same time."""

    def submit(self, order: JobOrder) -> Future[Any] | None:
        """Take a calculation; the result is an outcome, or a `RefusedError` as exception; None: look at the queue."""

    def view(self) -> QueueView:
        """What its queue knows now; an `EngineError` when it does not answer."""

    def script(self, order: JobOrder) -> str:
        """Exact script (or command) that would be handed over."""

    def close(self) -> None:
        """Let go of everything at the end of a drive."""


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
