"""What happens on the node: claim the calculation, prepare its folder, compute, judge, record.

The same function serves every backend; ``python -m nanoslab.driver.job ORDER.json`` runs it as a program.
"""

from __future__ import annotations

import errno
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import FrameType
from typing import Any

from nanoslab.driver.liveness import owner_is_alive, this_owner
from nanoslab.driver.slurm import seconds_left
from nanoslab.driver.state import State, claim_attempt, current_state, read_attempt, record_attempt, write_state
from nanoslab.driver.verdict import Outcome
from nanoslab.errors import NanoslabError

_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOrder:
    """Everything a node needs to know about one calculation; plain values, so that any engine can carry it.

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
    tries_from
        Attempts up to this one are forgiven.
    ranks, job_name
        What the queue is asked for, and under which name.
    """

    campaign: str
    name: str
    source: str = "vasp"
    label: str = ""
    backend: str = "local"
    vasp_command: tuple[str, ...] = ()
    custodian: bool = True
    stop_before_end: float = 600.0
    frozen_after: float = 21600.0
    wall_time: float = 0.0
    tries_from: int = 0
    ranks: int = 1
    job_name: str = ""

    @property
    def deck(self) -> Path:
        """Folder of the calculation."""
        return Path(self.campaign) / self.name

    @property
    def run_folder(self) -> Path:
        """Folder in which it computes and records its state.

        Examples
        --------
        >>> str(JobOrder(campaign="c", name="sheet", source="chgnet", label="chgnet").run_folder)
        'c/sheet/chgnet'
        """
        return self.deck / self.label if self.label else self.deck


class TerminatedError(BaseException):
    """The queue ends this job; not an Exception, so that nothing on the way takes it for an ordinary failure."""


def run_job(document: Mapping[str, Any]) -> dict[str, Any]:
    """Run one calculation on this machine, unless it is done or somebody else holds it.

    Parameters
    ----------
    document
        A `JobOrder` as plain values.

    Returns
    -------
    dict
        The `Outcome` as plain values; the folder holds the same.
    """
    known = {field.name for field in fields(JobOrder)}
    order = JobOrder(**{**{key: value for key, value in document.items() if key in known}})
    return asdict(_run(order))


def _run(order: JobOrder) -> Outcome:
    folder = order.run_folder
    folder.mkdir(parents=True, exist_ok=True)
    owner = this_owner()
    try:
        attempt = claim_attempt(folder, owner, owner_is_alive)
    except OSError as error:
        return _record_without_attempt(order, error)
    state = current_state(folder)
    if attempt is None and state is not None and state.state == "done":
        return Outcome(outcome="done", reason="was done before this job began")
    if attempt is None:
        return Outcome(outcome="held", reason="another job holds this calculation")
    running = State(
        state="running",
        attempt=attempt,
        tries_from=order.tries_from,
        job=owner.job,
        host=owner.host,
        pid=owner.pid,
        backend=order.backend,
        wall_time_s=order.wall_time,
    )
    outcome = _guarded(order, attempt, running)
    _record(order, running, outcome)
    return outcome


def _guarded(order: JobOrder, attempt: int, running: State) -> Outcome:
    """Compute; whatever can go wrong on a node becomes an outcome, our own bugs excepted."""
    try:
        with _termination_as_exception():
            write_state(order.run_folder, running)
            return _compute(order, attempt)
    except TerminatedError:
        return Outcome(outcome="again", reason="the queue ended its job (cancelled, or its wall time was over)")
    except NanoslabError as error:
        return Outcome(outcome="needs-you", reason=str(error))
    except OSError as error:
        return _from_os_error(order.run_folder, error)


def _compute(order: JobOrder, attempt: int) -> Outcome:
    given = _time_given(order)
    record_attempt(order.run_folder, attempt, {**read_attempt(order.run_folder, attempt), "given_s": given})
    deadline = None if given is None else time.time() + given - min(order.stop_before_end, given / 2)
    if order.source != "vasp":
        from nanoslab.driver.embedded_job import run_embedded

        return run_embedded(order.deck, order.source, order.run_folder, stop_at=deadline)
    from nanoslab.driver.restart import prepare_vasp
    from nanoslab.driver.vasp_job import VaspOptions, run_vasp
    from nanoslab.driver.verdict import judge_vasp

    words = prepare_vasp(order.run_folder, attempt)
    print(f"{order.name}: start {attempt} {words}", flush=True)
    options = VaspOptions(
        command=tuple(order.vasp_command),
        custodian=order.custodian,
        stop_at=deadline,
        stop_before_end=order.stop_before_end,
        frozen_after=order.frozen_after,
    )
    return judge_vasp(order.run_folder, run_vasp(order.run_folder, options))


def _time_given(order: JobOrder) -> float | None:
    """Time this job has [s]: from the queue when it tells, else from the order."""
    left = seconds_left()
    return (order.wall_time or None) if left is None else left


def _record(order: JobOrder, running: State, outcome: Outcome) -> None:
    folder, attempt = order.run_folder, running.attempt
    ended = {**read_attempt(folder, attempt), **asdict(outcome), "ended": round(time.time(), 3)}
    try:
        record_attempt(folder, attempt, ended)
    except OSError as error:
        print(f"{order.name}: cannot record the end of start {attempt}: {error}", file=sys.stderr)
    after = State(
        state=outcome.state,
        reason=outcome.reason,
        attempt=attempt,
        tries_from=order.tries_from,
        job=running.job,
        host=running.host,
        backend=order.backend,
    )
    try:
        write_state(folder, after)
    except OSError as error:
        print(f"{order.name}: cannot record its state: {error}", file=sys.stderr)


def _record_without_attempt(order: JobOrder, error: OSError) -> Outcome:
    outcome = _from_os_error(order.run_folder, error)
    try:
        write_state(order.run_folder, State(state=outcome.state, reason=outcome.reason, tries_from=order.tries_from))
    except OSError:
        print(f"{order.name}: cannot record its state either", file=sys.stderr)
    return outcome


def _from_os_error(folder: Path, error: OSError) -> Outcome:
    if error.errno in _FULL:
        reason = f"no space left on the disk of {folder}; free some, then submit with --retry failed"
        return Outcome(outcome="needs-you", reason=reason)
    return Outcome(outcome="again", reason=f"{error.filename or folder}: {error.strerror or error}")


@contextmanager
def _termination_as_exception() -> Iterator[None]:
    """Turn the queue's SIGTERM into an exception, so that VASP is ended and the end is recorded."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TerminatedError

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def main(arguments: list[str]) -> int:
    """Run the order in a JSON file and write its outcome beside it."""
    path = Path(arguments[0])
    outcome = run_job(json.loads(path.read_text()))
    path.with_suffix(".outcome").write_text(json.dumps(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
