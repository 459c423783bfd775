"""One driver per campaign, and the slip of paper by which `nanoslab cancel` reaches it, wherever it runs."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nanoslab.driver.liveness import process_is_alive
from nanoslab.driver.names import DRIVER_FOLDER
from nanoslab.errors import InputError
from nanoslab.files import write_atomically

#: a driver on another machine that has not shown itself for so long is taken for dead [s]
SILENCE = 600.0

_LOCK = "driver.json"
_CANCEL = "cancel.json"


class DriverLock:
    """The right to drive a campaign; `beat` it now and then."""

    def __init__(self, campaign: Path) -> None:
        self.path = campaign / DRIVER_FOLDER / _LOCK

    def beat(self) -> None:
        """Show that this driver lives."""
        os.utime(self.path)


@contextmanager
def driver_lock(campaign: Path) -> Iterator[DriverLock]:
    """Hold a campaign for this process.

    Raises
    ------
    InputError
        Another driver holds it.
    """
    lock = DriverLock(campaign)
    lock.path.parent.mkdir(parents=True, exist_ok=True)
    holder = living_driver(campaign)
    if holder:
        raise InputError(
            campaign,
            expected="a campaign that no other 'nanoslab submit' drives",
            got=holder,
            advice="let that one go on, or end it first; its jobs stay",
        )
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


def living_driver(campaign: Path) -> str:
    """Who drives a campaign now, in words; empty when nobody does."""
    path = campaign / DRIVER_FOLDER / _LOCK
    try:
        document = json.loads(path.read_text())
        age = time.time() - path.stat().st_mtime
        host, pid, started = str(document["host"]), int(document["pid"]), float(document["started"])
    except (FileNotFoundError, ValueError, KeyError):
        return ""
    here = host == socket.gethostname()
    alive = process_is_alive(pid, started_before=started) if here else age < SILENCE
    return f"process {pid} on {host}" if alive else ""


def ask_to_cancel(campaign: Path, names: Iterable[str]) -> None:
    """Leave word for the driver that these calculations are not wanted any more."""
    path = campaign / DRIVER_FOLDER / _CANCEL
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps({"schema": 1, "time": time.time(), "names": sorted(names)}))


def cancelled_names(campaign: Path, since: float) -> frozenset[str]:
    """Calculations somebody cancelled after a moment [s since 1970]."""
    try:
        document = json.loads((campaign / DRIVER_FOLDER / _CANCEL).read_text())
    except (FileNotFoundError, ValueError):
        return frozenset()
    return frozenset(document.get("names", ())) if document.get("time", 0.0) > since else frozenset()
