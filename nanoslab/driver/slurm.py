"""The few questions we put to Slurm and to this machine.

What is in the queue, why a job went, whether the owner of a start still runs, please stop it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from nanoslab.campaign.state import Owner
from nanoslab.errors import EngineError

#: words of an sbatch refusal that time alone mends: quotas, a full or restarting controller
_WAIT_WORDS = (
    *("submit limit", "submitjob", "maxsubmit", "maxjobs", "maximum job count", "please try again"),
    *("job/step violates accounting/qos policy", "job violates accounting/qos policy", "slurm controller"),
    *("socket timed out", "resource temporarily unavailable", "unable to contact", "connection refused"),
)

#: last part of the name of arrays that submit.sh queues by hand
HAND_ARRAY = "array"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedJob:
    """One job of ours that Slurm still knows: its number, its name, and its state in Slurm's words."""

    job: str
    name: str
    state: str


def campaign_label(campaign: Path) -> str:
    """Short word that marks this campaign's jobs in the queue."""
    return f"ns{hashlib.sha256(str(campaign.resolve()).encode()).hexdigest()[:8]}"


def has_slurm() -> bool:
    """Whether this machine can hand jobs to a Slurm."""
    return shutil.which("sbatch") is not None and shutil.which("squeue") is not None


def our_jobs() -> tuple[QueuedJob, ...]:
    """Every job of this user that waits or runs, in one question."""
    command = ["squeue", "--noheader", "--array", "--user", str(os.getuid()), "--format=%A|%T|%j"]
    rows = (line.split("|", 2) for line in _output(command).splitlines() if line.count("|") >= 2)
    return tuple(QueuedJob(job=job, name=name, state=state) for job, state, name in rows if state != "COMPLETED")


def cancel_jobs(jobs: Iterable[str]) -> None:
    """Ask Slurm to stop these jobs; those that are gone already do no harm."""
    numbers = sorted(set(jobs))
    for start in range(0, len(numbers), 200):
        subprocess.run(["scancel", *numbers[start : start + 200]], capture_output=True, check=False, timeout=120)


def why_gone(job: str) -> str:
    """Why a job ended, in Slurm's words and ours; needs no accounting, but says more with it."""
    if not job.isdecimal():
        return "its process is gone"
    state = _state_of(job)
    words = {
        "TIMEOUT": "its wall time ended",
        "CANCELLED": "it was cancelled",
        "NODE_FAIL": "its node failed",
        "OUT_OF_MEMORY": "it ran out of memory",
        "PREEMPTED": "it was preempted",
        "BOOT_FAIL": "its node did not boot",
        "DEADLINE": "its deadline passed",
        "FAILED": "it was killed or crashed",
    }
    if state in words:
        return f"job {job} is gone: {words[state]} ({state})"
    return f"job {job} is gone without a word" + (f" ({state})" if state else "")


def _state_of(job: str) -> str:
    found = re.search(r"JobState=(\w+)", _quiet_output(["scontrol", "show", "job", job]))
    if found:
        return found[1]
    lines = _quiet_output(["sacct", "-n", "-X", "-P", "-j", job, "-o", "State"]).split()
    return lines[0] if lines else ""


def seconds_left() -> float | None:
    """Time this job has left [s], asked from inside it; None outside Slurm or without a limit."""
    job = os.environ.get("SLURM_JOB_ID")
    if not job:
        return None
    return parse_duration(_quiet_output(["squeue", "--noheader", "--job", job, "--format=%L"]).strip())


def parse_duration(text: str) -> float | None:
    """Seconds in Slurm's ``[hours:]minutes:seconds`` or ``days-hours:minutes[:seconds]``; None for anything else.

    Examples
    --------
    >>> parse_duration("1-02:00:00"), parse_duration("30:00"), parse_duration("UNLIMITED")
    (93600.0, 1800.0, None)
    """
    if not re.fullmatch(r"(\d+-\d+:\d\d(:\d\d)?)|(\d+:)?\d+:\d\d", text):
        return None
    days, dash, clock = text.rpartition("-")
    parts = [int(part) for part in clock.split(":")]
    hours, minutes, seconds = [*parts, 0][:3] if dash else [0, *parts][-3:]
    return float(((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds)


def partitions() -> tuple[str, ...]:
    """Names of the partitions, as `sinfo` lists them."""
    return tuple(dict.fromkeys(line.rstrip("*") for line in _output(["sinfo", "--noheader", "--format=%P"]).split()))


def may_be_tried_later(message: str) -> bool:
    """Whether an sbatch refusal is a quota or a busy controller rather than a mistake of ours.

    Examples
    --------
    >>> may_be_tried_later("sbatch: error: AssocMaxSubmitJobLimit")
    True
    >>> may_be_tried_later("sbatch: error: invalid partition specified: nope")
    False
    """
    lower = message.lower()
    return any(word in lower for word in _WAIT_WORDS)


def _output(command: list[str]) -> str:
    expected = "an answer of Slurm"
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    except FileNotFoundError:
        here, advice = "Slurm's command on this machine", "log in to the cluster"
        raise EngineError(command[0], expected=here, got="no such command", advice=advice) from None
    except subprocess.TimeoutExpired:
        raise EngineError(command[0], expected=expected, got="none within 120 s", advice="try again later") from None
    if done.returncode:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise EngineError(command[0], expected=expected, got=last, advice="is the controller up?")
    return done.stdout


def _quiet_output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def this_owner() -> Owner:
    """Who we are: the job of the queue, if any, and this process."""
    return Owner(
        host=socket.gethostname(),
        pid=os.getpid(),
        job=os.environ.get("SLURM_JOB_ID", ""),
        restart=int(os.environ.get("SLURM_RESTART_COUNT") or 0),
    )


def owner_is_alive(owner: Owner) -> bool:
    """Whether the owner of a start still runs; in doubt (another machine, no queue to ask) the answer is yes."""
    if owner.job and shutil.which("squeue"):
        try:
            return any(job.job == owner.job for job in our_jobs())
        except EngineError:
            return True
    if owner.host != socket.gethostname():
        return True
    return process_is_alive(owner.pid, owner.started or None)


def process_is_alive(pid: int, started_before: float | None = None) -> bool:
    """Whether a process of this machine runs, and (when told) whether it began before that time [s since 1970]."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return started_before is None or process.create_time() <= started_before + 5.0
    except psutil.AccessDenied:
        return True  # it runs, as somebody else
    except (psutil.NoSuchProcess, ValueError):
        return False
