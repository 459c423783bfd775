"""Where every calculation of a campaign stands, read from its folders alone: no engine, no queue, any copy."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nanoslab.driver.names import calculation_names, matching
from nanoslab.driver.state import ATTEMPTS, STATE_FILE, STATES, State, current_state, latest_attempt
from nanoslab.errors import FileError, NanoslabError

#: outputs younger than this are taken for those of a run that goes on [s]
FRESH = 900.0

_OUTPUTS = ("OUTCAR", "vasprun.xml", "OUTCAR.gz", "vasprun.xml.gz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one calculation stands.

    Attributes
    ----------
    name, source
        The calculation, and who computes it: ``vasp`` or an engine's folder.
    state, reason
        One of `nanoslab.driver.state.STATES`, and why, in words.
    starts
        How often it was started.
    job, host, backend
        Who ran it last.
    since
        When this state began [seconds since 1970]; None when nobody wrote it down.

    Examples
    --------
    >>> Standing(name="sheet", state="waiting").source
    'vasp'
    """

    name: str
    state: str
    source: str = "vasp"
    reason: str = ""
    starts: int = 0
    job: str = ""
    host: str = ""
    backend: str = ""
    since: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, with the unit of the time in its key."""
        document = asdict(self)
        document["since_unix_s"] = document.pop("since")
        return document


def campaign_status(campaign: Path, *, source: str | None = None, only: Iterable[str] = ()) -> tuple[Standing, ...]:
    """Where every calculation stands, in the campaign's order.

    Parameters
    ----------
    campaign
        Folder, or a copy of it.
    source
        ``vasp`` or an engine's folder; all that anybody used when absent.
    only
        Shell patterns of names.

    Raises
    ------
    FileError
        There is no campaign.
    """
    names = calculation_names(campaign)
    patterns = tuple(only)
    wanted = matching(names, patterns) if patterns else set(names)
    found = {name: _sources(campaign / name) for name in names if name in wanted}
    used = {item for sources in found.values() for item in sources}
    shown = [source] if source else ["vasp"] * ("vasp" in used or not used) + sorted(used - {"vasp"})
    return tuple(_standing(campaign / name, which, found[name]) for which in shown for name in found)


def counts(standings: Iterable[Standing]) -> Mapping[str, int]:
    """How many calculations are in each state, in the order of a calculation's life.

    Examples
    --------
    >>> dict(counts([Standing(name="a", state="done"), Standing(name="b", state="done")]))
    {'waiting': 0, 'queued': 0, 'running': 0, 'done': 2, 'failed': 0, 'needs-you': 0}
    """
    found = Counter(standing.state for standing in standings)
    return {state: found[state] for state in STATES}


def state_from_outputs(folder: Path) -> State | None:
    """State of a run nobody of us started, from VASP's outputs; None when there are none."""
    outputs = [folder / name for name in _OUTPUTS if (folder / name).exists()]
    if not outputs:
        return None
    from nanoslab.vasp import read_run

    age = time.time() - max(path.stat().st_mtime for path in outputs)
    try:
        run = read_run(folder)
    except NanoslabError as error:
        return State(state="failed", reason=str(error))
    if run.converged:
        return State(state="done", reason="found finished")
    if not run.complete and age < FRESH:
        return State(state="running", reason=f"not started from here; its files changed {age:.0f} s ago")
    return State(state="failed", reason="; ".join(run.problems))


def _sources(folder: Path) -> frozenset[str]:
    """Who left anything in a calculation's folder."""
    found = set()
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return frozenset()
    for entry in entries:
        if entry.name in (STATE_FILE, *_OUTPUTS):
            found.add("vasp")
        elif entry.name != ATTEMPTS and entry.is_dir() and _has_engine_results(Path(entry.path)):
            found.add(entry.name)
    return frozenset(found)


def _has_engine_results(folder: Path) -> bool:
    return any((folder / name).exists() for name in ("result.json", STATE_FILE))


def _standing(deck: Path, source: str, sources: frozenset[str]) -> Standing:
    if not deck.is_dir():
        return Standing(name=deck.name, source=source, state="needs-you", reason="its folder is missing")
    if source not in sources:
        return Standing(name=deck.name, source=source, state="waiting")
    folder = deck if source == "vasp" else deck / source
    try:
        state = current_state(folder)
    except FileError as error:
        return Standing(name=deck.name, source=source, state="needs-you", reason=str(error))
    if state is None:
        state = state_from_outputs(folder) if source == "vasp" else _state_from_result(folder)
    if state is None:
        return Standing(name=deck.name, source=source, state="waiting")
    return Standing(
        name=deck.name,
        source=source,
        state=state.state,
        reason=state.reason or _overdue(state),
        starts=max(state.attempt, latest_attempt(folder)),
        job=state.job,
        host=state.host,
        backend=state.backend,
        since=state.since or None,
    )


def _state_from_result(folder: Path) -> State | None:
    """State of a calculation that `nanoslab run` computed, from its result."""
    from nanoslab.engines.result_files import read_record

    try:
        record = read_record(folder)
    except NanoslabError as error:
        return State(state="needs-you", reason=str(error))
    if not record.get("finished", "energy_eV" in record):
        return State(state="failed", reason="; ".join(record.get("problems", ())))
    problems = "; ".join(record.get("problems", ()))
    return State(state="done" if record.get("converged") else "failed", reason=problems)


def _overdue(state: State) -> str:
    """Doubt about a run whose job must be over by now."""
    if state.state != "running" or not state.wall_time_s:
        return ""
    late = time.time() - state.since - state.wall_time_s
    if late < 600:
        return ""
    return f"its wall time is over since {late / 3600:.1f} h: unless this is an old copy, submit goes on from there"
