"""Compute a campaign on this machine with an embedded engine, for somebody who waits for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nanoslab.campaign.graph import select
from nanoslab.driver.config import Cluster
from nanoslab.driver.drive import Listeners, Request, drive, engine_label, read_plan
from nanoslab.driver.here import processors
from nanoslab.driver.status import Standing, campaign_status

RunState = Literal["finished", "skipped", "failed", "unfinished"]

#: more processes than this need more memory than a laptop has (a loaded network takes about 0.5 GB)
MOST_DEFAULT_JOBS = 8

#: between two looks at calculations that an earlier run left computing [s]
POLL_INTERVAL = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An ionic step was done; the force is the largest on a free component [eV/Å]."""

    name: str
    step: int
    max_free_force: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one calculation of a run ended."""

    name: str
    state: RunState  # finished: converged or not; skipped: the engine cannot; unfinished: the wall time came first
    problems: tuple[str, ...] = ()  # in words
    already_there: bool = False  # finished before this run began


def run_campaign(
    campaign: Path,
    engine: str,
    *,
    only: str | None = None,
    jobs: int | None = None,
    deadline: float | None = None,
    on_event: Callable[[Step | Ended], None] | None = None,
) -> tuple[Ended, ...]:
    """Compute all that is not finished yet, parents before those that start from them; the answer is in that order.

    Files go to ``campaign/<calculation>/<engine>``. `only` is a shell pattern of names; their parents come along.
    `jobs` processes at a time have one thread each; None takes the processors at hand, at most 8. At the deadline
    [seconds since 1970] it stops between two ionic steps, and the same call goes on. A failure never stops the others;
    what makes the whole impossible is a `NanoslabError` before any work.
    """
    cluster = Cluster(backend="here", tries=1, window=10**6, poll_interval=POLL_INTERVAL, custodian=False)
    request = Request(
        campaign=Path(campaign),
        cluster=cluster,
        source=engine,
        only=() if only is None else (only,),
        attended=True,
        jobs=jobs or min(processors(), MOST_DEFAULT_JOBS),
        deadline=deadline,
    )
    tell = on_event or (lambda _: None)
    label = engine_label(engine)
    parents = {item.name: item.starts_from for item in select(read_plan(request.campaign), request.only)}
    there = {name for name in parents if (request.campaign / name / label / "result.json").is_file()}
    for name in there:
        tell(Ended(name=name, state="finished", already_there=True))

    def report(name: str, state: str, reason: str) -> None:
        if name not in there and state in ("done", "failed", "needs-you"):
            tell(Ended(name=name, state="finished" if state == "done" else "failed", problems=(reason,)))

    def step(name: str, number: int, force: float) -> None:
        tell(Step(name=name, step=number, max_free_force=force))

    drive(request, Listeners(report=report, on_step=step))
    standings = {standing.name: standing for standing in campaign_status(request.campaign, source=label)}
    return tuple(_ended(request.campaign / name / label, standings, parents, there) for name in parents)


def _ended(
    folder: Path, standings: Mapping[str, Standing], parents: Mapping[str, str | None], there: set[str]
) -> Ended:
    """Last word on a calculation: its result when there is one, else why there is none."""
    from nanoslab.engines.result_files import is_finished, read_record

    name = folder.parent.name
    standing = standings[name]
    if is_finished(folder) and standing.state in ("done", "failed"):
        record = read_record(folder)
        state: RunState = "skipped" if record.get("skipped") else "finished"
        return Ended(name=name, state=state, problems=tuple(record.get("problems", ())), already_there=name in there)
    parent = parents[name]
    if standing.state == "waiting" and parent is not None and not is_finished(folder.parents[1] / parent / folder.name):
        words = f"{parent}, from which it starts, did not end"
        above = _ended(folder.parents[1] / parent / folder.name, standings, parents, there).state
        return Ended(name=name, state="unfinished" if above == "unfinished" else "failed", problems=(words,))
    if standing.state in ("failed", "needs-you"):
        return Ended(name=name, state="failed", problems=(standing.reason,))
    return Ended(name=name, state="unfinished", problems=("the wall time came first; run again to go on",))
