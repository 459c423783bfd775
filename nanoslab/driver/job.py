"""What happens on the node: claim the calculation, prepare its folder, compute, judge, record.

The same function serves every backend that has Python on the node.
"""

from __future__ import annotations

import errno
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from types import FrameType
from typing import Any

from nanoslab.campaign.state import (
    Owner,
    State,
    claim_attempt,
    current_state,
    latest_attempt,
    read_attempt,
    record_attempt,
    write_state,
)
from nanoslab.driver.backend import JobOrder
from nanoslab.driver.judge import Outcome, VaspEnd, judge_engine, judge_left_behind, judge_vasp
from nanoslab.driver.slurm import owner_is_alive, seconds_left, this_owner
from nanoslab.errors import EngineError, FileError, NanoslabError

_FULL = (errno.ENOSPC, errno.EDQUOT)

#: called after an ionic step with its number and the largest force on a free component [eV/Å]
OnStep = Callable[[int, float], None]


class TerminatedError(BaseException):
    """The queue ends this job; not an Exception, so that nothing on the way takes it for an ordinary failure."""


def run_job(document: Mapping[str, Any], on_step: OnStep | None = None) -> dict[str, Any]:
    """Run one calculation on this machine, unless it is done or somebody else holds it."""
    known = {field.name for field in fields(JobOrder)}
    order = JobOrder(**{key: value for key, value in document.items() if key in known})
    attempt = begin(order, this_owner())
    if isinstance(attempt, Outcome):
        return asdict(attempt)
    outcome = _guarded(order, attempt, on_step)
    record_end(order, outcome)
    return asdict(outcome)


def begin(order: JobOrder, owner: Owner) -> int | Outcome:
    """Claim the next start for an owner; an outcome instead when there is nothing to start."""
    folder = order.run_folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        attempt = claim_attempt(folder, owner, owner_is_alive)
        if attempt is not None:
            return attempt
        state = current_state(folder)
    except OSError as error:
        outcome = _from_os_error(order, error)
        _tell(order, lambda: write_state(folder, _state_after(order, outcome, State(state="waiting"))))
        return outcome
    if state is not None and state.state == "done":
        return Outcome(outcome="done", reason="was done before this job began")
    return Outcome(outcome="held", reason="another job holds this calculation")


def record_end(order: JobOrder, outcome: Outcome) -> None:
    """Write how the latest start ended, and where the calculation stands now."""
    folder = order.run_folder
    attempt = latest_attempt(folder)
    before = current_state(folder) or State(state="waiting")
    ended = {**read_attempt(folder, attempt), **asdict(outcome), "ended": round(time.time(), 3)}
    if attempt:
        _tell(order, lambda: record_attempt(folder, attempt, ended))
    _tell(order, lambda: write_state(folder, _state_after(order, outcome, before, attempt)))
    if outcome.state in ("failed", "needs-you"):
        _tell(order, lambda: note_failure(order, outcome.reason))


def note_failure(order: JobOrder, reason: str) -> None:
    """Leave the reason where the reader of an embedded engine's results finds it, unless there is a result."""
    if not order.label:
        return
    from nanoslab.engines.result_files import is_finished, write_failure

    if not is_finished(order.run_folder):
        write_failure(order.run_folder, order.name, order.label, reason)


def settle_left_behind(order: JobOrder, reason: str) -> Outcome:
    """Judge a start that ended without recording so itself, from what it left in its folder; record that.

    A run that came to its good end just before its job was killed is done, and not computed again.
    """
    outcome = judge_left_behind(order.run_folder, vasp=order.source == "vasp")
    if outcome is None:
        outcome = Outcome(outcome="again", reason=reason)
    record_end(order, outcome)
    return outcome


def _state_after(order: JobOrder, outcome: Outcome, before: State, attempt: int = 0) -> State:
    return State(
        state=outcome.state,
        reason=outcome.reason,
        attempt=attempt,
        tries_from=max(order.tries_from, before.tries_from),
        job=before.job,
        host=before.host,
        backend=order.backend,
    )


def _guarded(order: JobOrder, attempt: int, on_step: OnStep | None) -> Outcome:
    """Compute; whatever can go wrong on a node becomes an outcome, our own bugs excepted."""
    try:
        with _termination_as_exception():
            return _compute(order, attempt, on_step)
    except TerminatedError:
        return Outcome(outcome="again", reason="its process was told to end (cancelled, or its time was over)")
    except NanoslabError as error:
        return Outcome(outcome="needs-you", reason=str(error))
    except OSError as error:
        return _from_os_error(order, error)


def _compute(order: JobOrder, attempt: int, on_step: OnStep | None) -> Outcome:
    folder, owner = order.run_folder, this_owner()
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
    write_state(folder, running)
    left = seconds_left()
    given = (order.wall_time or None) if left is None else left
    record_attempt(folder, attempt, {**read_attempt(folder, attempt), "given_s": given})
    stops = [order.deadline] if order.deadline else []
    if given is not None:
        stops.append(time.time() + given - min(order.stop_before_end, given / 2))
    stop_at = min(stops, default=None)
    return _run_vasp(order, attempt, stop_at) if order.source == "vasp" else _run_engine(order, stop_at, on_step)


def _run_vasp(order: JobOrder, attempt: int, stop_at: float | None) -> Outcome:
    from nanoslab.driver.vasp_job import prepare_vasp, run_vasp

    folder = order.run_folder
    print(f"{order.name}: start {attempt} {prepare_vasp(folder, attempt)}", flush=True)
    run = _repaired_run() if order.custodian else run_vasp
    program = order.vasp_command[0]
    try:
        return judge_vasp(folder, run(order, stop_at))
    except (FileNotFoundError, PermissionError) as error:
        if error.filename not in (program, str(folder / program)):
            raise
        expected = f"the command {program!r} on the node {socket.gethostname()}"
        advice = "load its module in 'modules:' or give its full path"
        raise EngineError("cluster file, vasp", expected=expected, got=error.strerror, advice=advice) from None


def _repaired_run() -> Callable[[JobOrder, float | None], VaspEnd]:
    """VASP under custodian, which repairs known failures."""
    try:
        from nanoslab.driver.repair import run_repaired
    except ModuleNotFoundError as error:
        advice = "pip install 'nanoslab[cluster]' or 'custodian: false'"
        raise EngineError("custodian", expected="the package", got=error, advice=advice) from None
    return run_repaired


def _run_engine(order: JobOrder, stop_at: float | None, on_step: OnStep | None) -> Outcome:
    from nanoslab.campaign.format import read_calculation
    from nanoslab.engines import Limits, engine, read_result, run_calculation
    from nanoslab.engines.journal import WallTimeReachedError
    from nanoslab.engines.run import start_from

    calculation, start = read_calculation(order.calculation_folder), None
    if calculation.starts_from is not None:
        parent = read_result(order.calculation_folder.parent / calculation.starts_from / order.label)
        if parent.atoms is None:
            advice = f"see what became of {calculation.starts_from}"
            raise FileError(parent.path, expected="the relaxed structure to start from", got="none", advice=advice)
        start = start_from(calculation, parent.atoms)
    try:
        limits, chosen = Limits(deadline=stop_at), engine(order.source)
        run_calculation(calculation, chosen, order.run_folder, start=start, limits=limits, on_step=on_step)
    except WallTimeReachedError:
        return Outcome(outcome="stopped", reason="stopped before its wall time ended", steps=1)
    return judge_engine(order.run_folder)


def _tell(order: JobOrder, write: Callable[[], Any]) -> None:
    """Write a record; one that cannot be written is told in the log of the job."""
    try:
        write()
    except OSError as error:
        print(f"{order.name}: cannot record how it ended: {error}", file=sys.stderr)


def _from_os_error(order: JobOrder, error: OSError) -> Outcome:
    if error.errno in _FULL:
        reason = f"no space left on the disk of {order.run_folder}; free some, then submit with --retry failed"
        return Outcome(outcome="needs-you", reason=reason)
    return Outcome(outcome="again", reason=f"{error.filename or order.run_folder}: {error.strerror or error}")


@contextmanager
def _termination_as_exception() -> Iterator[None]:
    """Turn SIGTERM into an exception, so that VASP is ended and the end is recorded."""
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
