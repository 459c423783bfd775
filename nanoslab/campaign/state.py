"""Where a calculation stands, written in its own folder so that anyone can read it with `cat`.

A run folder holds ``state.json`` (one line: where it stands now and why) and ``attempts/001``,
``attempts/002``... (one per start: who ran it, how it ended, and the files it left when the next one began).
For VASP it is the calculation's own folder, for an embedded engine that engine's folder in it.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from nanoslab.errors import FileError
from nanoslab.files import write_atomically

SCHEMA = 1
STATE_FILE = "state.json"
ATTEMPTS = "attempts"
STATES = ("waiting", "queued", "running", "done", "failed", "needs-you")

#: the file is padded to this length so that it can be rewritten in place when the disk is full
PADDED_LENGTH = 2048

#: an attempt whose owner has not signed yet is taken for alive this long [s]
SIGNING_TIME = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where one calculation stands."""

    state: str  # one of STATES; failed: worth another try, needs-you: another try alone would not help
    reason: str = ""  # in words
    attempt: int = 0  # number of the latest start; 0 when there was none
    tries_from: int = 0  # attempts up to this one are forgiven: they count no more against the number of tries
    job: str = ""  # who runs it: the queue's job id, the node, the process
    host: str = ""
    pid: int = 0
    backend: str = ""
    since: float = 0.0  # [seconds since 1970]
    wall_time_s: float = 0.0  # 0 when there is no limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who holds an attempt: a queue's job (with its restart count) or a process of a host."""

    host: str
    pid: int
    job: str = ""
    restart: int = 0
    started: float = 0.0


Record = TypeVar("Record", State, Owner)


def read_state(run_folder: Path) -> State | None:
    """State of a run folder, or None when nothing was ever recorded there."""
    path = run_folder / STATE_FILE
    text = ""
    try:
        text = path.read_text()
        document = json.loads(text)
        if document["state"] not in STATES:
            raise KeyError(document["state"])
        return _typed(State, document)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileError(path, expected="a readable file", got=error.strerror, advice="check its permissions") from None
    except (ValueError, TypeError, KeyError):
        advice = "it was cut or edited; move it away and submit again"
        raise FileError(path, expected="a state written by nanoslab", got=repr(text[:60]), advice=advice) from None


def _typed(kind: type[Record], document: Mapping[str, Any]) -> Record:
    kinds = {"int": int, "float": float}
    present = (field for field in fields(kind) if field.name in document)
    return kind(**{field.name: kinds.get(str(field.type), str)(document[field.name]) for field in present})


def write_state(run_folder: Path, state: State) -> State:
    """Record where a calculation stands, now; returns what was written.

    When the disk is full the old record is overwritten in place, which takes no new block on most file systems.
    """
    stamped = replace(state, since=round(time.time(), 3), reason=" ".join(state.reason.split())[:1200])
    _write_line(run_folder / STATE_FILE, asdict(stamped))
    return stamped


def _write_line(path: Path, document: Mapping[str, Any]) -> None:
    line = json.dumps({"schema": SCHEMA, **document}, ensure_ascii=True)
    data = (line.ljust(PADDED_LENGTH - 1) + "\n").encode()
    try:
        write_atomically(path, data)
    except OSError:
        with path.open("r+b") as stream:  # raises again when there is no old record to write over
            stream.write(data)
            stream.truncate()


def attempt_folder(run_folder: Path, number: int) -> Path:
    """Folder of one start, ``attempts/001`` for the first."""
    return run_folder / ATTEMPTS / f"{number:03d}"


def latest_attempt(run_folder: Path) -> int:
    """Number of starts so far."""
    try:
        names = [path.name for path in (run_folder / ATTEMPTS).iterdir()]
    except FileNotFoundError:
        return 0
    return max((int(name) for name in names if name.isdecimal()), default=0)


def read_attempt(run_folder: Path, number: int) -> dict[str, Any]:
    """What one start recorded about itself; empty when it was killed before it could."""
    try:
        document = json.loads((attempt_folder(run_folder, number) / "job.json").read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def record_attempt(run_folder: Path, number: int, document: Mapping[str, Any]) -> None:
    """Write who ran a start and, at its end, how it ended."""
    _write_line(attempt_folder(run_folder, number) / "job.json", document)


def claim_attempt(run_folder: Path, owner: Owner, is_alive: Callable[[Owner], bool]) -> int | None:
    """Take the next start for ourselves, or None when the calculation is done or somebody else holds it.

    The folder of the attempt is made with ``mkdir``, which only one of two rivals can do, also on a network
    file system. Its number is read before the look at how things stand: whoever starts (and perhaps even
    finishes) the calculation after that look takes our number, and we get nothing.
    `is_alive` tells whether the owner of an attempt that has not ended still runs.
    """
    number = latest_attempt(run_folder)
    state = current_state(run_folder)
    if (state is not None and state.state == "done") or (number and is_held(run_folder, number, owner, is_alive)):
        return None
    (run_folder / ATTEMPTS).mkdir(exist_ok=True)
    try:
        attempt_folder(run_folder, number + 1).mkdir()
    except FileExistsError:
        return None
    record_attempt(run_folder, number + 1, asdict(replace(owner, started=round(time.time(), 3))))
    return number + 1


def withdraw_attempt(run_folder: Path, number: int) -> None:
    """Give back a start that never began; only copies of inputs are in its folder."""
    shutil.rmtree(attempt_folder(run_folder, number))


def is_held(run_folder: Path, number: int, asker: Owner | None, is_alive: Callable[[Owner], bool]) -> bool:
    """Whether an attempt has not ended and its owner still runs."""
    record = read_attempt(run_folder, number)
    if "outcome" in record:
        return False
    if "host" not in record:  # not signed: either this very moment, or killed in it
        return time.time() - attempt_folder(run_folder, number).stat().st_mtime < SIGNING_TIME
    holder = _typed(Owner, {"pid": 0, **record})
    if asker is not None and (holder.host, holder.pid) == (asker.host, asker.pid):
        return False  # this very process started it, and is not in it any more
    if asker is not None and holder.job and holder.job == asker.job:
        return holder.restart == asker.restart and is_alive(replace(holder, job=""))
    return is_alive(holder)


def attempts_that_count(run_folder: Path, tries_from: int) -> int:
    """Starts since the last pardon that ended badly or without a word (a stop at the wall time is no failure)."""
    numbers = range(tries_from + 1, latest_attempt(run_folder) + 1)
    return sum(read_attempt(run_folder, number).get("outcome") != "stopped" for number in numbers)


def current_state(run_folder: Path) -> State | None:
    """State of a run folder, taking the attempt's word where a job ended between its two records."""
    state = read_state(run_folder)
    if state is None or state.state != "running":
        return state
    outcome = read_attempt(run_folder, state.attempt).get("outcome")
    if outcome is None:
        return state
    after = "waiting" if outcome in ("stopped", "again") else str(outcome)
    return replace(state, state=after, reason=str(read_attempt(run_folder, state.attempt).get("reason", "")))
