"""Submit a campaign: everything between the command line and the loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nanoslab.campaign.graph import select
from nanoslab.driver.config import Cluster
from nanoslab.driver.driver_lock import cancelled_names, driver_lock
from nanoslab.driver.interface import Backend
from nanoslab.driver.job import JobOrder
from nanoslab.driver.ledger import Entry, Ledger
from nanoslab.driver.loop import Drive, Pace
from nanoslab.driver.plan import Planned, job_order, read_plan
from nanoslab.driver.preflight import check_before_queueing
from nanoslab.errors import InputError

Report = Callable[[str, str, str], None]

RETRY = ("failed", "needs-you", "all")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to submit, and how.

    Attributes
    ----------
    campaign, cluster
        Folder, and where it runs.
    source
        ``vasp``, or an embedded engine with its options.
    only
        Shell patterns of names; none means all.
    retry
        ``failed`` or ``needs-you`` gives those calculations new tries, ``all`` both.
    """

    campaign: Path
    cluster: Cluster
    source: str = "vasp"
    only: tuple[str, ...] = ()
    retry: str | None = None


def engine_label(source: str) -> str:
    """Folder of an embedded engine inside a calculation's; empty for VASP.

    Examples
    --------
    >>> engine_label("vasp")
    ''
    """
    if source == "vasp":
        return ""
    from nanoslab.engines import engine

    return engine(source).label


def checked_plan(request: Request) -> tuple[tuple[Planned, ...], tuple[Planned, ...]]:
    """Give all calculations and the wanted ones, after every check that can be made before anything is queued.

    Raises
    ------
    NanoslabError
        In one line, whatever cannot work.
    """
    if request.retry is not None and request.retry not in RETRY:
        raise InputError("--retry", expected=" or ".join(RETRY), got=repr(request.retry))
    planned = read_plan(request.campaign)
    wanted = select(planned, request.only)
    check_before_queueing(request.cluster, wanted, source=request.source)
    return planned, wanted


def orders(request: Request, planned: Sequence[Planned]) -> tuple[JobOrder, ...]:
    """Orders of the given calculations."""
    label = engine_label(request.source)
    return tuple(
        job_order(request.campaign, item, request.cluster, source=request.source, label=label) for item in planned
    )


def entries(request: Request, planned: Sequence[Planned], wanted: Sequence[Planned]) -> list[Entry]:
    """Every calculation for the ledger; of those that are not wanted only the state is read."""
    label = engine_label(request.source)
    made = {order.name: order for order in orders(request, wanted)}
    bare = {
        item.name: JobOrder(campaign=str(request.campaign.resolve()), name=item.name, label=label) for item in planned
    }
    return [Entry(order=made.get(item.name, bare[item.name]), parent=item.starts_from) for item in planned]


def make_backend(request: Request, ranks: int) -> Backend:
    """Engine named in the cluster file; only its own file is loaded."""
    if request.cluster.backend == "executorlib":
        from nanoslab.driver.backends.executorlib_backend import ExecutorlibBackend

        return ExecutorlibBackend(request.campaign, request.cluster)
    if request.cluster.backend == "parsl":
        from nanoslab.driver.backends.parsl_backend import ParslBackend

        return ParslBackend(request.campaign, request.cluster)
    from nanoslab.driver.backends.local_backend import LocalBackend

    return LocalBackend(request.campaign, ranks)


def scripts(request: Request) -> dict[str, str]:
    """Exact job script of every wanted calculation that is not done; nothing is queued or written.

    The scripts of one campaign differ by name, ranks and VASP build only.
    """
    _, wanted = checked_plan(request)
    made = orders(request, wanted)
    backend = make_backend(request, max(order.ranks for order in made))
    return {order.name: backend.script(order) for order in made}


def drive(request: Request, report: Report) -> Mapping[str, str]:
    """Submit what is wanted and follow it to its end; returns the state of every wanted calculation.

    Raises
    ------
    NanoslabError
        Before anything is queued, or when the queue refuses a job for good.
    """
    planned, wanted = checked_plan(request)
    ledger = Ledger(entries(request, planned, wanted), request.cluster.tries)
    names = {item.name for item in wanted}
    ranks = max(request.cluster.ranks_for(item.n_atoms) for item in wanted)
    began = time.time()
    with driver_lock(request.campaign) as lock:
        _forgive(ledger, names, request.retry, report)
        backend = make_backend(request, ranks)
        try:
            return Drive(
                ledger=ledger,
                backend=backend,
                pace=Pace(window=request.cluster.window, poll_interval=request.cluster.poll_interval),
                report=report,
                wanted=names,
                unwanted=lambda: cancelled_names(request.campaign, began),
                beat=lock.beat,
            ).run()
        finally:
            backend.close()


def _forgive(ledger: Ledger, names: set[str], retry: str | None, report: Report) -> None:
    if retry is None:
        return
    states = ("failed", "needs-you") if retry == "all" else (retry,)
    for name in sorted(names):
        if ledger.state(name).state in states:
            trouble = ledger.forgive(name)
            report(name, "needs-you" if trouble else "waiting", trouble or "to be tried again")
