"""Worker processes, one thread each: whatever an engine prints goes to the log, and whatever kills it kills it alone.

A worker that dies (an exception of a foreign library, a signal, no memory) is replaced; its last log line is the
problem of the calculation it had. Workers end themselves when the process that started them is gone, so that nothing
computes on behind the user's back.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import Literal

from ase import Atoms

from nanoslab.calculation import Calculation
from nanoslab.engines.interface import Engine
from nanoslab.engines.journal import WallTimeReachedError
from nanoslab.engines.limits import Limits
from nanoslab.engines.result_files import LOG
from nanoslab.engines.run import run_calculation
from nanoslab.errors import NanoslabError

#: what the numerical libraries look at when they are loaded
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One calculation to be computed, with its start and limits."""

    calculation: Calculation
    folder: Path
    start: Atoms | None
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An ionic step was done; the force is the largest on a free component [eV/Å]."""

    name: str
    step: int
    max_free_force: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A worker's last word on a calculation."""

    name: str
    state: Literal["finished", "failed", "unfinished"]
    problem: str = ""


class WorkerPool:
    """A fixed number of worker processes.

    Parameters
    ----------
    engine
        Sent to every worker once.
    size
        Number of processes.
    """

    def __init__(self, engine: Engine, size: int) -> None:
        self.engine = engine
        self.size = size
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in [*self._idle, *self._busy]:
            worker.stop()

    def has_room(self) -> bool:
        """Whether a task can be given now."""
        return len(self._busy) < self.size

    def give(self, task: Task) -> None:
        """Start a task on an idle worker, or on a new one."""
        worker = self._idle.pop() if self._idle else _Worker(self.engine)
        worker.task = task
        worker.pipe.send(task)
        self._busy.append(worker)

    def wait(self) -> list[Step | Ended]:
        """Messages of the workers; blocks until there is one."""
        ready = wait([worker.pipe for worker in self._busy])
        messages: list[Step | Ended] = []
        for worker in [worker for worker in self._busy if worker.pipe in ready]:
            try:
                message: Step | Ended = worker.pipe.recv()
            except (EOFError, ConnectionResetError):
                message = worker.last_words()
                self._busy.remove(worker)
            else:
                if isinstance(message, Ended):
                    self._busy.remove(worker)
                    self._idle.append(worker)
            messages.append(message)
        return messages


class _Worker:
    """A process and the line to it."""

    def __init__(self, engine: Engine) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.task: Task | None = None
        self.process: SpawnProcess = context.Process(target=_serve, args=(theirs, engine), daemon=True)
        with _one_thread_each():
            self.process.start()
        theirs.close()

    def stop(self) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.join()

    def last_words(self) -> Ended:
        """What is known of a worker that died."""
        self.process.join()
        code = self.process.exitcode or 0
        name = self.task.calculation.name if self.task else ""
        how = f"its process was ended by {signal.Signals(-code).name}" if code < 0 else "its process failed"
        log = self.task.folder / LOG if self.task else Path(LOG)
        line = _last_line(log) if code >= 0 else ""
        return Ended(name=name, state="failed", problem=f"{how}{': ' if line else ''}{line} (see {log})")


def _serve(pipe: Connection, engine: Engine) -> None:
    """Life of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C and ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            task: Task = pipe.recv()
        except EOFError:
            return
        task.folder.mkdir(parents=True, exist_ok=True)
        _talk_to(task.folder / LOG)
        pipe.send(_run(task, engine, pipe))


def _run(task: Task, engine: Engine, pipe: Connection) -> Ended:
    name = task.calculation.name

    def report(step: int, force: float) -> None:
        pipe.send(Step(name=name, step=step, max_free_force=force))

    try:
        run_calculation(task.calculation, engine, task.folder, start=task.start, limits=task.limits, on_step=report)
    except WallTimeReachedError:
        return Ended(name=name, state="unfinished", problem="the wall time came first; run again to go on")
    except NanoslabError as error:
        return Ended(name=name, state="failed", problem=str(error))
    return Ended(name=name, state="finished")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _talk_to(log: Path) -> None:
    """Everything printed from here on, by Python or by libraries below it, goes to this file."""
    sys.stdout.flush()
    sys.stderr.flush()
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)


def _last_line(log: Path) -> str:
    if not log.is_file():
        return ""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else ""


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
