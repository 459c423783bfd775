"""executorlib: one Slurm job per calculation; no database, no daemon, no port.

All that is particular about it stays in this file:
a failed task is cached, so every launch gets a key of its own, unique in the driver whatever its folder;
there is no throttle, so the loop keeps a window; an sbatch refusal comes back as a failed future;
leaving its ``with`` would wait for every job, so there is none;
``cores=N`` would start N copies of Python, so the ranks stand in the script and VASP's launcher uses them.
"""

from __future__ import annotations

import os
from concurrent.futures import Future
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from subprocess import CalledProcessError
from threading import Event
from typing import Any

from nanoslab.campaign.names import DRIVER_FOLDER
from nanoslab.campaign.state import ATTEMPTS
from nanoslab.driver.backend import JobOrder, QueueView, RefusedError
from nanoslab.driver.config import Cluster, resource_lines, shell_lines
from nanoslab.driver.job import run_job
from nanoslab.driver.slurm import may_be_tried_later, our_jobs
from nanoslab.errors import InputError

#: how long the loop waits for a word on a submission before it goes on [s]
_PATIENCE = 60.0


class ExecutorlibBackend:
    """One Slurm job per calculation, through executorlib."""

    most_at_a_time = 10**9

    def __init__(self, campaign: Path, cluster: Cluster) -> None:
        self.cluster = cluster
        self.folder = campaign.resolve() / DRIVER_FOLDER / "executorlib"
        if any(character.isspace() for character in str(self.folder)):
            raise InputError(campaign, expected="a path without spaces", got=str(campaign), advice="move the campaign")
        # executorlib asks squeue for every job of everybody; this keeps it to ours
        os.environ["SQUEUE_USERS"] = str(os.getuid())
        self._executor: Any = None

    def submit(self, order: JobOrder) -> Future[Any]:
        """Hand a job to Slurm; waits for sbatch's answer, so that a refusal is known at once."""
        key, place = self._place(order)
        for folder in (place, order.run_folder / ATTEMPTS):
            folder.mkdir(parents=True, exist_ok=True)
        inner: Future[Any] = self._engine().submit(
            run_job,
            asdict(order),
            resource_dict={
                "cores": 1,
                "cwd": str(place),
                "cache_key": key,
                "cache_directory": str(place),
                "submission_template": _jinja(job_script(order, self.cluster, _COMMAND)),
            },
        )
        outer: Future[Any] = Future()
        outer.set_running_or_notify_cancel()
        inner.add_done_callback(lambda done: _hand_over(done, outer))
        self._wait_for_answer(place / f"{key}_i.h5", outer)
        return outer

    def _wait_for_answer(self, task: Path, future: Future[Any]) -> None:
        """Until executorlib wrote down the job's number, or the future failed: the order of our submissions."""
        get_queue_id = import_module("executorlib.standalone.hdf").get_queue_id
        pause, waited = Event(), 0.0
        while waited < _PATIENCE and not future.done():
            try:
                if get_queue_id(str(task)) is not None:
                    return
            except OSError:
                pass  # being written, or renamed by a job that began already
            if task.with_name(task.name.replace("_i.h5", "_o.h5")).exists():
                return
            pause.wait(0.02)
            waited += 0.02

    def _place(self, order: JobOrder) -> tuple[str, Path]:
        """Key and folder of a launch; launches of one calculation are numbered."""
        name = order.job_name.partition(".")[2]
        place, number = self.folder / name, 1
        while any((place / f"{name}-{number}_{kind}.h5").exists() for kind in "iro"):
            number += 1
        return f"{name}-{number}", place

    def _engine(self) -> Any:
        if self._executor is None:
            executor = import_module("executorlib").SlurmClusterExecutor
            self._executor = executor(refresh_rate=0.2, wait=False, disable_dependencies=True)
        return self._executor

    def view(self) -> QueueView:
        """One question to squeue about this user's jobs."""
        jobs = our_jobs()
        return QueueView(names={job.name: job.job for job in jobs}, jobs=frozenset(job.job for job in jobs))

    def script(self, order: JobOrder) -> str:
        """Script as sbatch gets it."""
        key, place = self._place(order)
        command = import_module("executorlib.standalone.command").get_cache_execute_command(
            file_name=str(place / f"{key}_i.h5"), cores=1, backend="slurm"
        )
        return job_script(order, self.cluster, " ".join(command))

    def close(self) -> None:
        """Let go; the jobs go on."""
        if self._executor is not None:
            self._executor.shutdown(wait=False)
            self._executor = None


#: stands for the command until the template is filled
_COMMAND = "@COMMAND@"


def _jinja(script: str) -> str:
    """Script as a template in which nothing but the command is filled in."""
    head, _, tail = script.partition(_COMMAND)
    return f"{{% raw %}}{head}{{% endraw %}}{{{{command}}}}{{% raw %}}{tail}{{% endraw %}}"


def _hand_over(done: Future[Any], outer: Future[Any]) -> None:
    if done.cancelled():
        outer.set_exception(RuntimeError("executorlib let go of the job"))
        return
    error = done.exception()
    if isinstance(error, CalledProcessError) and "sbatch" in list(error.cmd)[:1]:
        message = " ".join(str(error.output or error).split())
        outer.set_exception(RefusedError(message, later=may_be_tried_later(message)))
    elif error is not None:
        outer.set_exception(error)
    else:
        outer.set_result(done.result())


def job_script(order: JobOrder, cluster: Cluster, command: str) -> str:
    """Text of the script that runs a command for one calculation, for a user to read or to run by hand."""
    lines = [
        f"--job-name={order.job_name}",
        f"--output={order.run_folder / ATTEMPTS}/slurm-%j.out",
        "--open-mode=append",
        *resource_lines(order.ranks, cluster),
    ]
    head = "".join(f"#SBATCH {line}\n" for line in lines)
    body = "".join(f"{line}\n" for line in shell_lines(cluster))
    return f"#!/bin/bash\n{head}\n{body}{command}\n"
