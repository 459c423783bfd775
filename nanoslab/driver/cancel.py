"""Stop a campaign's jobs, wherever they run; nothing they wrote is touched."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from nanoslab.driver.driver_lock import ask_to_cancel
from nanoslab.driver.liveness import process_is_alive
from nanoslab.driver.names import calculation_names, campaign_label, matching
from nanoslab.driver.slurm import cancel_jobs, has_slurm, our_jobs
from nanoslab.driver.state import State, current_state, read_attempt, write_state
from nanoslab.driver.status import campaign_status


def cancel_campaign(campaign: Path, only: Iterable[str] = ()) -> list[str]:
    """Cancel what waits or runs, and tell the driver not to queue it again.

    Returns
    -------
    list of str
        Calculations that were cancelled, in order.

    Raises
    ------
    NanoslabError
        There is no campaign, or a pattern matches nothing.
    """
    names = calculation_names(campaign)
    patterns = tuple(only)
    wanted = matching(names, patterns) if patterns else set(names)
    ask_to_cancel(campaign, wanted)
    standings = [s for s in campaign_status(campaign, only=sorted(wanted)) if s.state in ("queued", "running")]
    prefix = f"{campaign_label(campaign)}."
    in_queue = has_slurm() and any(standing.backend != "local" for standing in standings)
    jobs = our_jobs() if in_queue else ()
    whole = {*wanted, *([] if patterns else ["slots", "block"])}  # jobs that serve many calculations
    cancel_jobs(job.job for job in jobs if job.name.startswith(prefix) and _name(job.name[len(prefix) :], whole))
    for standing in standings:
        folder = campaign / standing.name
        _stop(folder if standing.source == "vasp" else folder / standing.source)
    return [standing.name for standing in standings]


def _name(rest: str, wanted: set[str]) -> bool:
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
