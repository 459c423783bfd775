"""Progress of a long run on a terminal: a bar over the calculations, and what each running one is doing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def silence() -> Iterator[Callable[[Any], None]]:
    """Yield a listener that shows nothing.

    Examples
    --------
    >>> with silence() as on_event:
    ...     on_event("anything")
    """
    yield lambda event: None  # noqa: ARG005 (a listener takes an event)


@contextlib.contextmanager
def progress_bar(total: int) -> Iterator[Callable[[Any], None]]:
    """Yield a listener of `run_calculations` that draws a bar with the time left on the standard error.

    Parameters
    ----------
    total
        Number of calculations.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from nanoslab.engines import Outcome, Step

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[running]}"),
    )
    running: dict[str, str] = {}
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("calculations", total=total, running="")

        def show(event: Any) -> None:
            if isinstance(event, Step):
                running[event.name] = f"{event.name} step {event.step}, {event.max_free_force:.3f} eV/Å"
            elif isinstance(event, Outcome):
                running.pop(event.name, None)
                progress.advance(bar)
            progress.update(bar, running="; ".join(running.values()))

        yield show
