"""Many runs at once, in parallel processes, in the order they were found."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context

from nanoslab.vasp.folder import RunFiles, find_runs
from nanoslab.vasp.reader import RunResult, read_files

_FEW = 24
_AHEAD = 64


def read_runs(paths: Iterable[str | os.PathLike[str]], jobs: int | None = None) -> Iterator[RunResult]:
    """Read every run below some folders; see `read_run` and `find_runs`.

    Parameters
    ----------
    paths
        Folders or files.
    jobs
        Processes; as many as cores when absent. Few runs are read in this process.

    Yields
    ------
    RunResult
        One per run, in the order of `find_runs`; broken runs too.

    Raises
    ------
    FileError
        When a path does not exist.
    """
    return read_all(find_runs(paths), jobs)


def read_all(runs: Iterable[RunFiles], jobs: int | None = None) -> Iterator[RunResult]:
    """Read runs whose files are known, in parallel when there are many."""
    iterator = iter(runs)
    first = list(islice(iterator, _FEW))
    n_jobs = jobs or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else jobs or os.cpu_count() or 1
    if n_jobs == 1 or len(first) < _FEW:
        yield from map(read_files, first)
        yield from map(read_files, iterator)
        return
    # spawn: a fork of a process that has threads (numpy's, a progress bar's) can hang
    with ProcessPoolExecutor(max_workers=n_jobs, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(read_files, run) for run in first]
        while waiting:
            done = waiting.pop(0)
            waiting += [pool.submit(read_files, run) for run in islice(iterator, max(0, _AHEAD - len(waiting)))]
            yield done.result()
