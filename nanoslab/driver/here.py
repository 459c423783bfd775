"""Calculations on this machine: worker processes that stay loaded, for embedded engines and for VASP alike.

A worker gets one order after the other as a line of JSON and answers with lines: steps, then the outcome. It has a
session of its own, so a driver that is killed leaves it to finish what it holds; the next driver finds it by its claim
on the folder. What kills a worker (a signal, no memory, an exception of a foreign library) kills that calculation
alone; the last line of its log is the reason, and another worker takes its place.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from threading import Thread
from typing import IO, Any, cast

from nanoslab.campaign.names import DRIVER_FOLDER
from nanoslab.driver.backend import JobOrder, QueueView

#: what numerical libraries look at when they are loaded; an embedded engine gets one thread per worker
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

#: how long a worker that is told to end may take to end its VASP and write that down [s]
PATIENCE = 15.0

#: a worker imports what its driver can import, and nothing from the folder it is started in
_PROGRAM = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from nanoslab.driver.here import serve; serve()"

#: called with the calculation, the number of the ionic step and the largest force on a free component [eV/Å]
StepListener = Callable[[str, int, float], None]


def processors() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Here:
    """A number of workers."""

    def __init__(
        self,
        campaign: Path,
        size: int,
        *,
        one_thread: bool = False,
        stop_at_end: bool = False,
        on_step: StepListener | None = None,
    ) -> None:
        self.folder = campaign.resolve() / DRIVER_FOLDER / "here"
        self.most_at_a_time = size
        self.stop_at_end = stop_at_end
        self.on_step = on_step
        self.environment = {**os.environ, **(dict.fromkeys(THREAD_VARIABLES, "1") if one_thread else {})}
        self.workers: list[_Worker] = []

    def submit(self, order: JobOrder) -> Future[Any]:
        """Give a calculation to an idle worker, or to a new one."""
        self.workers = [worker for worker in self.workers if worker.process.poll() is None]
        worker = next((worker for worker in self.workers if worker.order is None), None)
        if worker is None:
            worker = _Worker(self.environment, self.on_step)
            self.workers.append(worker)
        return worker.take(order, self._log(order))

    def _log(self, order: JobOrder) -> Path:
        """Where everything goes that is printed, by Python or by libraries below it."""
        if order.label:
            return order.run_folder / "run.log"
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f"{order.name}.log"

    def view(self) -> QueueView:
        """What our own workers hold; those of an earlier driver are found by their claims."""
        held = [w for w in self.workers if w.order is not None and w.process.poll() is None]
        return QueueView(names={w.order.job_name: f"process {w.process.pid}" for w in held if w.order is not None})

    def script(self, order: JobOrder) -> str:
        """What a worker is told."""
        return f"{sys.executable} -c 'nanoslab.driver.here.serve()' <<< {json.dumps(asdict(order))!r}\n"

    def close(self) -> None:
        """Give the workers nothing more to do; stop those that compute, where that was asked for."""
        for worker in self.workers:
            worker.let_go(stop=self.stop_at_end)
        for worker in self.workers if self.stop_at_end else ():
            worker.wait_or_kill()


class _Worker:
    """A process and the line to it."""

    def __init__(self, environment: dict[str, str], on_step: StepListener | None) -> None:
        path = [entry or str(Path.cwd()) for entry in sys.path]
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM, json.dumps(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )
        self.orders, self.answers = cast("IO[str]", self.process.stdin), cast("IO[str]", self.process.stdout)
        self.on_step = on_step
        self.order: JobOrder | None = None
        self.log = Path(os.devnull)
        self.future: Future[Any] = Future()
        self.listener = Thread(target=self._listen, daemon=True)  # it does not keep the driver alive
        self.listener.start()

    def take(self, order: JobOrder, log: Path) -> Future[Any]:
        self.order, self.log, self.future = order, log, Future()
        self.future.set_running_or_notify_cancel()
        future = self.future  # `_listen` may be done with it before this method ends
        with contextlib.suppress(OSError):  # a worker that died meanwhile is heard of by its listener
            self.orders.write(json.dumps({"order": asdict(order), "log": str(log)}) + "\n")
            self.orders.flush()
        return future

    def _listen(self) -> None:
        for line in self.answers:
            message = json.loads(line)
            if "step" in message:
                if self.on_step is not None:
                    self.on_step(message["name"], message["step"], message["force"])
            else:
                future, self.order = self.future, None  # from here on it may be given the next one
                future.set_result(message)
        code = self.process.wait()
        for stream in (self.answers, self.orders):
            with contextlib.suppress(OSError):
                stream.close()
        if self.order is not None and not self.future.done():
            self.future.set_exception(RuntimeError(self._last_words(code)))

    def _last_words(self, code: int) -> str:
        if code < 0:
            return f"its process was ended by {signal.Signals(-code).name} (see {self.log})"
        text = self.log.read_text(errors="replace") if self.log.is_file() else ""
        line = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
        return f"its process failed{': ' if line else ''}{line} (see {self.log})"

    def let_go(self, *, stop: bool) -> None:
        with contextlib.suppress(OSError):
            self.orders.close()
        if stop and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def wait_or_kill(self) -> None:
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.listener.join()


def serve() -> None:
    """Life of a worker: orders from the standard input, answers to the standard output, until the input ends."""
    from nanoslab.driver.job import run_job

    orders, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    _redirect(Path(os.devnull), os.O_RDONLY, 0)  # a VASP must not read our orders
    _redirect(Path(os.devnull), os.O_WRONLY, 1, 2)

    def say(message: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError):  # the driver is gone: its successor reads the folder
            answers.write(json.dumps(message) + "\n")
            answers.flush()

    for line in orders:
        message = json.loads(line)
        name = message["order"]["name"]
        log = Path(message["log"])
        log.parent.mkdir(parents=True, exist_ok=True)
        _redirect(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 1, 2)

        def step(number: int, force: float, name: str = name) -> None:
            say({"name": name, "step": number, "force": force})

        say(run_job(message["order"], step))


def _redirect(path: Path, flags: int, *targets: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    handle = os.open(path, flags, 0o666)
    for target in targets:
        os.dup2(handle, target)
    os.close(handle)
