"""A campaign as a flow of jobflow: one job for each calculation, after the one it starts from, the answer last."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.campaign import load_campaign
from nanoslab.campaign.graph import parents_first
from nanoslab.driver.config import Cluster
from nanoslab.driver.drive import Request, checked_plan, engine_label, orders
from nanoslab.driver.job import run_job
from nanoslab.driver.results import read_runs
from nanoslab.errors import EngineError
from nanoslab.studies.study_file import load_study

if TYPE_CHECKING:
    from jobflow import Flow


def campaign_flow(campaign: str | os.PathLike[str], engine: str) -> Flow:
    """Flow whose last job gives the answer of the study as a document.

    The jobs compute in the campaign's own folders, which all workers must see, and claim them as every other way to run
    does: a flow that died, ``nanoslab run`` and a second flow go on from one another, and ``nanoslab status`` shows it.

    Parameters
    ----------
    campaign
        Folder as ``nanoslab write`` or `nanoslab.campaign.write_campaign` made it.
    engine
        As for ``nanoslab run``.

    Raises
    ------
    EngineError
        When jobflow is not installed (``pip install nanoslab[jobflow]``).
    """
    try:
        from jobflow import Flow, OnMissing, job
    except ImportError as error:
        advice = "pip install 'nanoslab[jobflow]'"
        raise EngineError("jobflow", expected="the package", got="none", advice=advice) from error
    folder = Path(campaign).resolve()
    request = Request(campaign=folder, cluster=Cluster(backend="here", tries=1, custodian=False), source=engine)
    _, wanted = checked_plan(request)
    compute, conclude = job(compute_calculation), job(analyze_campaign)
    jobs: dict[str, Any] = {}
    for order in parents_first(orders(request, wanted)):
        parent = jobs.get(order.starts_from or "")
        jobs[order.name] = compute(asdict(order), None if parent is None else parent.output)
        jobs[order.name].name = order.name
    answer = conclude(str(folder), engine_label(engine), [one.output for one in jobs.values()])
    answer.config.on_missing_references = OnMissing.NONE  # a run that failed is told by the answer
    return Flow([*jobs.values(), answer], output=answer.output, name=load_study(load_campaign(folder).study_file).title)


def compute_calculation(order: dict[str, Any], parent: Any = None) -> dict[str, Any]:  # noqa: ARG001  # comes first
    """What became of one calculation: ``outcome`` and ``reason``."""
    return run_job(order)


def analyze_campaign(campaign: str, source: str, outcomes: list[Any]) -> dict[str, Any]:
    """Answer of the study of a campaign from the runs of one source, with what is missing, and how the jobs ended."""
    loaded = load_campaign(campaign)
    result = load_study(loaded.study_file).analyze(read_runs(loaded, source))
    return {**result.to_dict(), "outcomes": outcomes}
