"""The screen that a study file may ask for, with a progress bar, before its decks are written."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path


def ready_study(path: Path, *, jobs: int | None = None, deadline: float | None = None, quiet: bool = False) -> Path:
    """Return the study file that decks are written from, screened or searched first where it asks for that."""
    from nanoslab.cli.campaign.progress import progress_bar
    from nanoslab.studies.neck.screening import ready_study_file, screening_size
    from nanoslab.studies.off_stoichiometry.search import searched_study_file

    total = screening_size(path)
    if not total:
        return searched_study_file(path, lambda text: None if quiet else print(text, file=sys.stderr, flush=True))
    shown = not quiet and sys.stderr.isatty()
    with progress_bar(total) if shown else nullcontext() as on_event:
        ready = ready_study_file(path, jobs=jobs, deadline=deadline, on_event=on_event)
    if not quiet:
        sys.stderr.write(f"screened {total} calculations; the study is now {ready}\n")
    return ready
