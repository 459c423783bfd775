"""Drive a campaign: everything between the command line (or a script) and the loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from nanoslab.campaign.format import n_atoms, read_calculation, read_document
from nanoslab.campaign.graph import parents_first, select
from nanoslab.campaign.names import calculation_names
from nanoslab.campaign.study_copy import require_unchanged_study
from nanoslab.driver.backend import Backend, JobOrder, Planned
from nanoslab.driver.config import Cluster, check_before_queueing
from nanoslab.driver.control import cancelled_names, driver_lock
from nanoslab.driver.here import Here, StepListener, processors
from nanoslab.driver.ledger import Ledger
from nanoslab.driver.loop import Drive, Pace
from nanoslab.driver.slurm import campaign_label
from nanoslab.errors import InputError
from nanoslab.text import one_line
from nanoslab.vasp.inputs.manifest import read_manifest

Report = Callable[[str, str, str], None]

RETRY = ("failed", "needs-you", "all")

#: backend of a queue -> its module and class; only the file that is needed is loaded
_QUEUES = {
    "executorlib": ("queues.with_executorlib", "ExecutorlibBackend"),
    "parsl": ("queues.with_parsl", "ParslBackend"),
    "array": ("job_array", "ArrayBackend"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to compute, and how."""

    campaign: Path
    cluster: Cluster
    source: str = "vasp"  # or an embedded engine with its options
    only: tuple[str, ...] = ()  # shell patterns of names; none means all
    retry: str | None = None  # which calculations get new tries: one of RETRY
    attended: bool = False  # somebody waits for it: former starts count no more, its end ends what it started
    jobs: int | None = None  # most calculations at a time on this machine; None takes the processors at hand
    deadline: float | None = None  # stop between two ionic steps, and start nothing any more [seconds since 1970]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Who hears of a drive: states of calculations, and steps of embedded engines on this machine."""

    report: Report
    on_step: StepListener | None = None


def read_plan(campaign: Path) -> tuple[Planned, ...]:
    """Calculations of a campaign, parents before those that start from them, without reading one structure.

    A campaign whose study was edited since it was written is refused.
    """
    require_unchanged_study(campaign)
    return parents_first([_planned(campaign / name) for name in calculation_names(campaign)])


def _planned(folder: Path) -> Planned:
    document = read_document(folder)
    return Planned(
        name=folder.name,
        n_atoms=n_atoms(document),
        starts_from=document["starts_from"],
        build=str(read_manifest(folder).get("vasp_binary", "")).removeprefix("vasp_"),
        has_potcar=(folder / "POTCAR").is_file(),
    )


def engine_label(source: str) -> str:
    """Folder of an embedded engine inside a calculation's; empty for VASP."""
    if source == "vasp":
        return ""
    from nanoslab.engines import engine

    return engine(source).label


def checked_plan(request: Request) -> tuple[tuple[Planned, ...], tuple[Planned, ...]]:
    """Give all calculations and the wanted ones, after every check that can be made before anything is queued."""
    if request.retry is not None and request.retry not in RETRY:
        raise InputError("--retry", expected=" or ".join(RETRY), got=repr(request.retry))
    one_line("campaign", str(request.campaign.resolve()), most=1000)  # stands in job scripts
    planned = read_plan(request.campaign)
    wanted = select(planned, request.only)
    check_before_queueing(request.campaign, request.cluster, wanted, source=request.source)
    return planned, wanted


def orders(request: Request, planned: Sequence[Planned], unwanted: Sequence[Planned] = ()) -> tuple[JobOrder, ...]:
    """Orders of the given calculations; of those that are not wanted only the state will be read."""
    label, prints, cluster = engine_label(request.source), _fingerprints(request, planned), request.cluster
    folder = request.campaign.resolve()
    rest = [JobOrder(campaign=str(folder), name=o.name, starts_from=o.starts_from, label=label) for o in unwanted]
    made = [
        JobOrder(
            campaign=str(folder),
            name=item.name,
            starts_from=item.starts_from,
            source=request.source,
            label=label,
            fingerprint=prints.get(item.name, ""),
            backend=cluster.backend,
            vasp_command=cluster.vasp.command(item.build) if request.source == "vasp" else (),
            custodian=cluster.custodian,
            stop_before_end=float(cluster.stop_before_end),
            frozen_after=float(cluster.frozen_after),
            wall_time=0.0 if cluster.backend == "here" else float(cluster.wall_time),
            deadline=request.deadline or 0.0,
            ranks=cluster.ranks_for(item.n_atoms),
            job_name=f"{campaign_label(folder)}.{item.name}{f'.{label}' if label else ''}",
        )
        for item in planned
    ]
    return (*rest, *made)


def _fingerprints(request: Request, wanted: Sequence[Planned]) -> Mapping[str, str]:
    """Fingerprint of every wanted calculation with an embedded engine, which must be able to compute them all."""
    if request.source == "vasp":
        return {}
    from nanoslab.engines import check, engine
    from nanoslab.engines.fingerprint import calculation_fingerprint

    chosen = engine(request.source)
    calculations = [read_calculation(request.campaign / item.name) for item in wanted]
    check(calculations, chosen)
    return {calculation.name: calculation_fingerprint(calculation, chosen) for calculation in calculations}


def make_backend(request: Request, ranks: int, on_step: StepListener | None = None) -> Backend:
    """Backend named in the cluster file."""
    if request.cluster.backend in _QUEUES:
        module, name = _QUEUES[request.cluster.backend]
        queue: Backend = getattr(import_module(f"nanoslab.driver.{module}"), name)(request.campaign, request.cluster)
        return queue
    size, embedded = request.jobs or max(1, processors() // ranks), request.source != "vasp"
    return Here(request.campaign, size, one_thread=embedded, stop_at_end=request.attended, on_step=on_step)


def scripts(request: Request) -> dict[str, str]:
    """Exact job script of every wanted calculation that is not done; nothing is queued or written.

    The scripts of one campaign differ by name, ranks and VASP build only.
    """
    _, wanted = checked_plan(request)
    made = orders(request, wanted)
    ranks = max(order.ranks for order in made)
    if request.cluster.backend == "array":
        from nanoslab.driver.job_array import array_script

        return {"all calculations": array_script(request.cluster, ranks)}
    backend = make_backend(request, ranks)
    return {order.name: backend.script(order) for order in made}


def drive(request: Request, listeners: Listeners) -> Mapping[str, str]:
    """Compute what is wanted and follow it to its end; returns the state of every wanted calculation."""
    planned, wanted = checked_plan(request)
    names = {item.name for item in wanted}
    made = {order.name: order for order in orders(request, wanted, [i for i in planned if i.name not in names])}
    ranks = max(made[name].ranks for name in names)
    cluster, began = request.cluster, time.time()
    with driver_lock(request.campaign, engine_label(request.source)) as lock:
        ledger = Ledger([made[item.name] for item in planned], cluster.tries, forgiving=request.attended)
        _prepare(ledger, names, request, listeners.report)
        backend = make_backend(request, ranks, listeners.on_step)
        try:
            return Drive(
                ledger=ledger,
                backend=backend,
                pace=Pace(window=cluster.window, poll_interval=cluster.poll_interval, deadline=request.deadline),
                report=listeners.report,
                wanted=names,
                unwanted=lambda: cancelled_names(request.campaign, began),
                beat=lock.beat,
            ).run()
        finally:
            backend.close()


def _prepare(ledger: Ledger, names: set[str], request: Request, report: Report) -> None:
    """Take over what is done already, and give new tries to those that are to have them."""
    states: tuple[str, ...] = () if request.retry is None else (request.retry,)
    if request.attended or request.retry == "all":
        states = ("failed", "needs-you")
    for name in sorted(names):
        ledger.take_over(name)
        if ledger.state(name).state in states:
            trouble = ledger.forgive(name)
            if trouble or not request.attended:
                report(name, "needs-you" if trouble else "waiting", trouble or "to be tried again")
