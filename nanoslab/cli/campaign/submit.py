"""Run a campaign on a cluster; if interrupted, the same command continues.

Queued jobs do not need this command, but it checks finished runs and queues the next ones. Leave it running, for
example in tmux.

Example: nanoslab submit my-campaign --cluster cluster.yaml --dry-run
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from nanoslab.cli.campaign.options import add_only_option
from nanoslab.cli.output import add_json_option, print_json
from nanoslab.driver.backend import engine_from_here
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from nanoslab.driver.drive import Request


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("campaign", type=Path, metavar="CAMPAIGN", help="folder written by 'nanoslab write'")
    words = "cluster file; 'nanoslab new cluster' prints an example"
    add("--cluster", type=Path, required=True, metavar="FILE", help=words)
    words = "vasp, or an embedded engine to run on the nodes"
    add("--engine", type=engine_from_here, default="vasp", metavar="NAME", help=words)
    add("--backend", metavar="NAME", help="backend to use instead of the one in the cluster file")
    add_only_option(parser)
    add("--retry", metavar="STATE", help="failed, needs-you or all: start those calculations again")
    add("--dry-run", action="store_true", help="print the exact job scripts and queue nothing")
    add("--quiet", action="store_true", help="print only the summary")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    request = _request(arguments)
    if arguments.dry_run:
        _print_scripts(request, as_json=arguments.json)
        return
    from nanoslab.driver.drive import Listeners, drive

    signal.signal(signal.SIGTERM, interrupt)
    try:
        states = drive(request, Listeners(report=_silent if arguments.quiet or arguments.json else _report))
    except KeyboardInterrupt:
        _leave()
    _summarise(request, states, as_json=arguments.json)


def _request(arguments: argparse.Namespace) -> Request:
    from nanoslab.driver.config import BACKENDS, FORMER_BACKENDS, load_cluster
    from nanoslab.driver.drive import Request
    from nanoslab.errors import unknown_name

    cluster = load_cluster(arguments.cluster)
    if arguments.backend is not None:
        backend = FORMER_BACKENDS.get(arguments.backend, arguments.backend)
        if backend not in BACKENDS:
            raise unknown_name("--backend", backend, BACKENDS)
        cluster = cluster.model_copy(update={"backend": backend})
    return Request(
        campaign=arguments.campaign,
        cluster=cluster,
        source=arguments.engine,
        only=tuple(arguments.only),
        retry=arguments.retry,
    )


def _print_scripts(request: Request, *, as_json: bool) -> None:
    from nanoslab.driver.drive import scripts

    made = scripts(request)
    if as_json:
        print_json({"scripts": [{"name": name, "script": text} for name, text in made.items()]})
        return
    for name, text in made.items():
        print(f"# ---- {name}\n{text}")


def _report(name: str, state: str, reason: str) -> None:
    words = " ".join(word for word in (name, state) if word)
    print(f"{time.strftime('%H:%M:%S')} {words}{': ' + reason if reason else ''}", flush=True)


def _silent(name: str, state: str, reason: str) -> None:
    """Say nothing: the folders say it."""


def _summarise(request: Request, states: Mapping[str, str], *, as_json: bool) -> None:
    from nanoslab.driver.drive import engine_label
    from nanoslab.driver.status import campaign_status, counts

    source = engine_label(request.source) or "vasp"
    standings = [s for s in campaign_status(request.campaign, source=source) if s.name in states]
    if as_json:
        rows = [standing.to_dict() for standing in standings]
        print_json({"campaign": str(request.campaign), "counts": counts(standings), "calculations": rows})
    else:
        print(", ".join(f"{number} {state}" for state, number in counts(standings).items() if number))
    bad = [standing for standing in standings if standing.state != "done"]
    if bad:
        sys.stdout.flush()
        got = f"{len(bad)} that are not, the first {bad[0].name}: {bad[0].reason or bad[0].state}"
        advice = "see 'nanoslab status', then 'nanoslab submit --retry failed'"
        raise InputError(request.campaign, expected="every calculation done", got=got, advice=advice)


def _leave() -> NoReturn:
    """End at once: an engine's own threads would keep a driver alive that was told to go."""
    sys.stderr.write("nanoslab: interrupted; jobs in the queue go on, run the same command again to follow them\n")
    sys.stderr.flush()
    sys.stdout.flush()
    os._exit(130)


def interrupt(_number: int, _frame: FrameType | None) -> None:
    """Take a SIGTERM as somebody's Ctrl-C."""
    raise KeyboardInterrupt
