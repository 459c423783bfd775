"""Progress of a long run on a terminal: a bar over the calculations, and what each running one is doing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def progress_bar(total: int) -> Iterator[Callable[[Any], None]]:
    """Yield a listener of `run_campaign` that draws a bar of so many calculations on the standard error."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column

    from nanoslab.driver.run import Ended, Step

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[running]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
    )
    running: dict[str, str] = {}
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as progress:
        bar = progress.add_task("calculations", total=total, running="")

        def show(event: Any) -> None:
            if isinstance(event, Step):
                running[event.name] = f"{event.name} step {event.step}, {event.max_free_force:.3f} eV/Å"
            elif isinstance(event, Ended):
                running.pop(event.name, None)
                progress.advance(bar)
            more = f" (+{len(running) - 1})" if len(running) > 1 else ""
            progress.update(bar, running=next(iter(running.values()), "") + more)

        yield show
