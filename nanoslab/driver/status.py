"""Where every calculation of a campaign stands, read from its folders alone: no engine, no queue, any copy."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nanoslab.campaign.names import calculation_names, matching
from nanoslab.campaign.state import ATTEMPTS, STATE_FILE, STATES, State, current_state, latest_attempt, read_attempt
from nanoslab.driver.judge import OUTPUTS, judge_engine, state_from_outputs
from nanoslab.errors import FileError


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one calculation stands."""

    name: str
    state: str  # one of `nanoslab.campaign.state.STATES`
    source: str = "vasp"  # or an engine's folder
    reason: str = ""
    starts: int = 0
    job: str = ""  # who ran it last
    host: str = ""
    backend: str = ""
    since: float | None = None  # [seconds since 1970]; None when nobody wrote it down
    history: tuple[Mapping[str, Any], ...] = ()  # one record of plain values per start, as JSON gives them

    def to_dict(self) -> dict[str, Any]:
        """Plain values, with the unit of the time in its key."""
        document = asdict(self)
        return {**document, "since_unix_s": document.pop("since"), "history": document.pop("history")}


def campaign_status(campaign: Path, *, source: str | None = None, only: Iterable[str] = ()) -> tuple[Standing, ...]:
    """Where every calculation stands, in the campaign's order."""
    names = calculation_names(campaign)
    patterns = tuple(only)
    wanted = matching(names, patterns) if patterns else set(names)
    found = {name: _sources(campaign / name) for name in names if name in wanted}
    used = {item for sources in found.values() for item in sources}
    shown = [source] if source else ["vasp"] * ("vasp" in used or not used) + sorted(used - {"vasp"})
    return tuple(_standing(campaign / name, which, found[name]) for which in shown for name in found)


def counts(standings: Iterable[Standing]) -> Mapping[str, int]:
    """How many calculations are in each state, in the order of a calculation's life."""
    found = Counter(standing.state for standing in standings)
    return {state: found[state] for state in STATES}


def _sources(folder: Path) -> frozenset[str]:
    """Who left anything in a calculation's folder."""
    if not folder.is_dir():
        return frozenset()
    names = {entry.name for entry in os.scandir(folder)}
    left = ("result.json", STATE_FILE)
    engines = {name for name in names - {ATTEMPTS} if any((folder / name / file).exists() for file in left)}
    return frozenset(engines | ({"vasp"} if {STATE_FILE, *OUTPUTS} & names else set()))


def _standing(deck: Path, source: str, sources: frozenset[str]) -> Standing:
    waiting = Standing(name=deck.name, source=source, state="waiting")
    if not deck.is_dir():
        return replace(waiting, state="needs-you", reason="its folder is missing")
    if source not in sources:
        return waiting
    folder = deck if source == "vasp" else deck / source
    try:
        state = current_state(folder)
        if state is None and source == "vasp":
            state = state_from_outputs(folder)
        elif state is None:
            outcome = judge_engine(folder)
            state = State(state=outcome.state, reason=outcome.reason)
    except FileError as error:
        return replace(waiting, state="needs-you", reason=str(error))
    if state is None:
        return waiting
    return replace(
        waiting,
        state=state.state,
        reason=state.reason or _overdue(state),
        starts=max(state.attempt, latest_attempt(folder)),
        job=state.job,
        host=state.host,
        backend=state.backend,
        since=state.since or None,
        history=tuple(_start(folder, number) for number in range(1, latest_attempt(folder) + 1)),
    )


def _start(folder: Path, number: int) -> dict[str, Any]:
    """One start: done, stopped in time, again (killed or out of steps), failed, needs-you, under way."""
    record = read_attempt(folder, number)
    words = {key: str(record.get(key, "")) for key in ("reason", "job", "host")}
    times = {f"{key}_unix_s": record.get(key) for key in ("started", "ended")}
    return {"number": number, "outcome": str(record.get("outcome", "under way")), **words, **times}


def _overdue(state: State) -> str:
    """Doubt about a run whose job must be over by now."""
    if state.state != "running" or not state.wall_time_s:
        return ""
    late = time.time() - state.since - state.wall_time_s
    if late < 600:
        return ""
    return f"its wall time is over since {late / 3600:.1f} h: unless this is an old copy, submit goes on from there"
