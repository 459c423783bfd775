"""Calculations as processes of this machine; they outlive the driver, as jobs of a queue do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from threading import Thread
from typing import Any

from nanoslab.driver.interface import QueueView
from nanoslab.driver.job import JobOrder
from nanoslab.driver.names import DRIVER_FOLDER
from nanoslab.errors import EngineError


class LocalBackend:
    """One process per calculation, as many at a time as the processors allow."""

    def __init__(self, campaign: Path, ranks: int) -> None:
        self.folder = campaign.resolve() / DRIVER_FOLDER / "local"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ranks = ranks
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def most_at_a_time(self) -> int:
        """Processors over the ranks of the largest calculation."""
        return max(1, len(os.sched_getaffinity(0)) // self.ranks)

    def submit(self, order: JobOrder) -> Future[Any]:
        """Start a process and watch it from a thread that does not keep the driver alive."""
        path = self.folder / f"{order.job_name.partition('.')[2]}.json"
        path.write_text(json.dumps(asdict(order)))
        path.with_suffix(".outcome").unlink(missing_ok=True)
        log = path.with_suffix(".log").open("a")
        process = subprocess.Popen(
            [*_command(), str(path)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        self.processes[order.job_name] = process
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        Thread(target=_watch, args=(process, path, future), daemon=True).start()
        return future

    def view(self) -> QueueView:
        """Processes this driver started; those of an earlier one are found by their claims."""
        alive = {name: process for name, process in self.processes.items() if process.poll() is None}
        self.processes = alive
        return QueueView(names={name: f"process {process.pid}" for name, process in alive.items()})

    def script(self, order: JobOrder) -> str:
        """Command of one calculation."""
        return f"{' '.join(_command())} {self.folder / order.job_name.partition('.')[2]}.json\n"

    def close(self) -> None:
        """Nothing to let go of: the processes go on."""


def _command() -> list[str]:
    return [sys.executable, "-m", "nanoslab.driver.job"]


def _watch(process: subprocess.Popen[bytes], path: Path, future: Future[Any]) -> None:
    code = process.wait()
    outcome = path.with_suffix(".outcome")
    if code == 0 and outcome.exists():
        future.set_result(json.loads(outcome.read_text()))
        return
    lines = path.with_suffix(".log").read_text(errors="replace").strip().splitlines()[-1:] or ["no word"]
    future.set_exception(
        EngineError("its process", expected="to end by itself", got=f"exit code {code}", advice=lines[0])
    )
