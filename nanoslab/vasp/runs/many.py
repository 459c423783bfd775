"""Many runs at once, in parallel processes, in the order they were found."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from time import perf_counter

from nanoslab.vasp.runs.folder import RunFiles, find_runs
from nanoslab.vasp.runs.reader import RunResult, read_files

#: a process costs a second or two of imports; most campaigns are read before that [s]
_PATIENCE_S = 4.0
_AHEAD = 64


def read_runs(paths: Iterable[str | os.PathLike[str]], jobs: int | None = None) -> Iterator[RunResult]:
    """Read every run below some folders; see `read_run` and `find_runs`.

    Parameters
    ----------
    paths
        Folders or files.
    jobs
        Processes at most; as many as cores when absent. What takes a few seconds is read in this process.

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
    """Read runs whose files are known; processes are started only when it takes long enough to pay."""
    iterator = iter(runs)
    n_jobs = jobs or n_cores()
    start = perf_counter()
    for run in iterator:
        yield read_files(run)
        if n_jobs > 1 and perf_counter() - start > _PATIENCE_S:
            break
    else:
        return
    # spawn: a fork of a process that has threads (numpy's, a progress bar's) can hang
    with ProcessPoolExecutor(max_workers=n_jobs, mp_context=get_context("spawn")) as pool:
        waiting: deque[Future[RunResult]] = deque()
        for run in iterator:
            waiting.append(pool.submit(read_files, run))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        for future in waiting:
            yield future.result()


def n_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
