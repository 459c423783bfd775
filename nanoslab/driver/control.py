"""One driver per campaign and engine, and how `nanoslab cancel` reaches it and its jobs, wherever they run."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from nanoslab.campaign.names import DRIVER_FOLDER, calculation_names, matching
from nanoslab.campaign.state import State, current_state, read_attempt, write_state
from nanoslab.driver.slurm import HAND_ARRAY, campaign_label, cancel_jobs, has_slurm, our_jobs, process_is_alive
from nanoslab.driver.status import campaign_status
from nanoslab.errors import InputError
from nanoslab.files import write_atomically

#: a driver on another machine that has not shown itself for so long is taken for dead [s]
SILENCE = 600.0

#: last part of the name of jobs that serve many calculations: those of submit.sh, and Parsl's
SHARED_JOBS = (HAND_ARRAY, "block")

_CANCEL = "cancel.json"


class DriverLock:
    """The right to drive a campaign with one engine (empty label: VASP); `beat` it now and then."""

    def __init__(self, campaign: Path, label: str = "") -> None:
        self.path = campaign / DRIVER_FOLDER / (f"driver.{label}.json" if label else "driver.json")

    def beat(self) -> None:
        """Show that this driver lives."""
        os.utime(self.path)

    def holder(self) -> str:
        """Who drives now, in words; empty when nobody does."""
        try:
            document = json.loads(self.path.read_text())
            age = time.time() - self.path.stat().st_mtime
            host, pid, started = str(document["host"]), int(document["pid"]), float(document["started"])
        except (FileNotFoundError, ValueError, KeyError):
            return ""
        here = host == socket.gethostname()
        alive = process_is_alive(pid, started_before=started) if here else age < SILENCE
        return f"process {pid} on {host}" if alive else ""


@contextmanager
def driver_lock(campaign: Path, label: str = "") -> Iterator[DriverLock]:
    """Hold a campaign for this process."""
    lock = DriverLock(campaign, label)
    lock.path.parent.mkdir(parents=True, exist_ok=True)
    if holder := lock.holder():
        expected = "a campaign that no other 'nanoslab submit' or 'nanoslab run' drives"
        advice = "let that one go on, or end it first; its jobs stay"
        raise InputError(campaign, expected=expected, got=holder, advice=advice)
    document = {"host": socket.gethostname(), "pid": os.getpid(), "started": time.time()}
    lock.path.unlink(missing_ok=True)
    try:
        handle = os.open(lock.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        raise InputError(campaign, expected="one driver at a time", got="another one that began just now") from None
    with os.fdopen(handle, "w") as stream:
        stream.write(json.dumps(document))
    try:
        yield lock
    finally:
        lock.path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            lock.path.parent.rmdir()  # nothing else in it


def cancelled_names(campaign: Path, since: float) -> frozenset[str]:
    """Calculations somebody cancelled after a moment [s since 1970]."""
    try:
        document = json.loads((campaign / DRIVER_FOLDER / _CANCEL).read_text())
    except (FileNotFoundError, ValueError):
        return frozenset()
    return frozenset(document.get("names", ())) if document.get("time", 0.0) > since else frozenset()


def cancel_campaign(campaign: Path, only: Iterable[str] = ()) -> list[str]:
    """Cancel what waits or runs, and tell the driver not to queue it again; nothing that was written is touched."""
    names = calculation_names(campaign)
    patterns = tuple(only)
    wanted = matching(names, patterns) if patterns else set(names)
    path = campaign / DRIVER_FOLDER / _CANCEL  # word for the driver that these are not wanted any more
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps({"schema": 1, "time": time.time(), "names": sorted(wanted)}))
    standings = [s for s in campaign_status(campaign, only=sorted(wanted)) if s.state in ("queued", "running")]
    prefix = f"{campaign_label(campaign)}."
    jobs = our_jobs() if has_slurm() and any(s.backend not in ("here", "local") for s in standings) else ()
    whole = {*wanted, *([] if patterns else SHARED_JOBS)}
    cancel_jobs(job.job for job in jobs if job.name.startswith(prefix) and _is_of(job.name[len(prefix) :], whole))
    for standing in standings:
        folder = campaign / standing.name
        _stop(folder if standing.source == "vasp" else folder / standing.source)
    return [standing.name for standing in standings]


def _is_of(rest: str, wanted: set[str]) -> bool:
    """Whether a job's name, which may end with an engine's, is that of a wanted calculation."""
    return rest in wanted or any(rest.startswith(f"{name}.") for name in wanted)


def _stop(folder: Path) -> None:
    """End a process of this machine, and record that somebody wanted it so."""
    state = current_state(folder) or State(state="waiting")
    record = read_attempt(folder, state.attempt)
    if state.state == "running" and not state.job and record.get("host") == socket.gethostname():
        pid = int(record.get("pid", 0))
        if process_is_alive(pid, float(record.get("started", 0.0)) or None):
            os.kill(pid, signal.SIGTERM)
    words = "cancelled by hand; submit goes on"
    write_state(folder, replace(state, state="waiting", reason=words, job="", pid=0))
