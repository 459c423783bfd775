"""Whether whoever started a calculation still runs: asked of the queue, or of this machine."""

from __future__ import annotations

import os
import shutil
import socket
import time
from pathlib import Path

from nanoslab.driver.slurm import our_jobs
from nanoslab.driver.state import Owner
from nanoslab.errors import EngineError


def this_owner() -> Owner:
    """Who we are: the job of the queue, if any, and this process.

    Examples
    --------
    >>> this_owner().pid == os.getpid()
    True
    """
    return Owner(
        host=socket.gethostname(),
        pid=os.getpid(),
        job=os.environ.get("SLURM_JOB_ID", ""),
        restart=int(os.environ.get("SLURM_RESTART_COUNT") or 0),
    )


def owner_is_alive(owner: Owner) -> bool:
    """Whether an owner still runs; in doubt (another machine, no queue to ask) the answer is yes.

    Examples
    --------
    >>> owner_is_alive(this_owner())
    True
    """
    if owner.job and shutil.which("squeue"):
        try:
            return any(job.job == owner.job for job in our_jobs())
        except EngineError:
            return True
    if owner.host != socket.gethostname():
        return True
    return process_is_alive(owner.pid, owner.started or None)


def process_is_alive(pid: int, started_before: float | None = None) -> bool:
    """Whether a process of this machine runs, and (when told) whether it began before that time [s since 1970].

    Examples
    --------
    >>> process_is_alive(os.getpid()), process_is_alive(os.getpid(), started_before=0.0)
    (True, False)
    """
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, as somebody else
    status = _status_words(pid)
    if not status:
        return True
    if status[0] == "Z":
        return False
    return started_before is None or _born(status) <= started_before + 5.0


def _status_words(pid: int) -> list[str]:
    """Words of the kernel's status line after the process's name; none where there is no /proc."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _born(status: list[str]) -> float:
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    return time.time() - uptime + float(status[19]) / os.sysconf("SC_CLK_TCK")
