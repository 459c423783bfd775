"""State of every calculation of a campaign. It is read from the folders, so it works on any copy and without a cluster.

States: waiting, queued, running, done, failed ('submit --retry failed' may help), needs-you (fix the cause first). For
calculations with more than one start, it shows how each start ended, such as killed, out of wall time or repaired.

Example: nanoslab status my-campaign --watch
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.campaign.options import add_only_option
from nanoslab.cli.output import add_json_option, print_json

if TYPE_CHECKING:
    from rich.table import Table

    from nanoslab.driver.status import Standing

#: rows of the table before it says how many more there are
MOST_ROWS = 40

_COLOURS = {"running": "cyan", "done": "green", "failed": "red", "needs-you": "magenta", "queued": "blue"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("campaign", type=Path, metavar="CAMPAIGN", help="campaign folder, or a copy of it")
    add_only_option(parser)
    add("--source", metavar="NAME", help="vasp, or the name of an engine (default: the one that was used)")
    add("--all", action="store_true", help="list all calculations, also those done or waiting")
    add("--watch", nargs="?", type=float, const=10.0, metavar="S", help="refresh every S seconds (default 10)")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    from nanoslab.driver.status import counts

    if arguments.watch is not None and not arguments.json:
        _watch(arguments)
        return
    standings = _read(arguments)
    if arguments.json:
        rows = [standing.to_dict() for standing in standings]
        print_json({"campaign": str(arguments.campaign), "counts": counts(standings), "calculations": rows})
        return
    from rich.console import Console

    console = Console()
    console.print(_table(standings, show_all=arguments.all))


def _read(arguments: argparse.Namespace) -> Sequence[Standing]:
    from nanoslab.driver.status import campaign_status

    return campaign_status(arguments.campaign, source=arguments.source, only=arguments.only)


def _watch(arguments: argparse.Namespace) -> None:
    from rich.live import Live

    standings = _read(arguments)
    with Live(_table(standings, show_all=arguments.all), auto_refresh=False) as live:
        while any(standing.state in ("queued", "running", "waiting") for standing in standings):
            time.sleep(max(0.5, arguments.watch))
            standings = _read(arguments)
            live.update(_table(standings, show_all=arguments.all), refresh=True)


def _table(standings: Sequence[Standing], *, show_all: bool) -> Table:
    """Table of what somebody may want to look at, with the counts of everything below."""
    from rich.markup import escape
    from rich.table import Table

    from nanoslab.driver.status import counts

    quiet = ("done", "waiting")
    shown = [
        s for s in standings if show_all or s.state not in quiet or s.starts > 1 or (s.state == "waiting" and s.reason)
    ]
    rows = shown if show_all else shown[:MOST_ROWS]
    total = ", ".join(f"{number} {state}" for state, number in counts(standings).items() if number)
    more = f"; {len(shown) - len(rows)} more rows with --all" if len(rows) < len(shown) else ""
    table = Table(caption=f"{len(standings)} calculations: {total}{more}", box=None, caption_justify="left")
    several = len({standing.source for standing in standings}) > 1
    for title in ("calculation", *(["source"] if several else []), "state", "starts", "job", "since"):
        table.add_column(title, no_wrap=True)
    table.add_column("why", overflow="fold")
    for standing in rows:
        colour = _COLOURS.get(standing.state, "default")
        cells: list[Any] = [escape(standing.name), *([standing.source] if several else [])]
        cells += [f"[{colour}]{standing.state}[/]", str(standing.starts or ""), standing.job, _age(standing.since)]
        table.add_row(*cells, escape(_why(standing)))
    return table


def _why(standing: Standing) -> str:
    """Reason of the state; where it took more than one start, how each of the others ended."""
    starts = ["start {number} {outcome}: {reason}".format_map(start) for start in standing.history[:-1]]
    return "\n".join([*([standing.reason] if standing.reason else []), *starts])


def _age(since: float | None) -> str:
    """Time since a moment, in the largest unit that suits."""
    if since is None:
        return ""
    seconds = max(0.0, time.time() - since)
    for unit, length in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"
