"""Parsl: few Slurm jobs (blocks), each of which takes one calculation after the other.

All that is particular about it stays in this file:
a killed driver leaves its blocks and its interchange behind, which nobody talks to any more, so they are ended
at start (the blocks by their name in the queue, the interchange by a mark in its environment);
its own checkpoints are not used, the folders say what is done; stopping the driver stops the blocks.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from concurrent.futures import Future
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil

from nanoslab.campaign.names import DRIVER_FOLDER
from nanoslab.driver.backend import JobOrder, QueueView
from nanoslab.driver.config import Cluster, resource_lines, shell_lines, slurm_time
from nanoslab.driver.job import run_job
from nanoslab.driver.slurm import campaign_label, cancel_jobs, our_jobs
from nanoslab.errors import EngineError

#: how long cancelled blocks of an earlier driver may take to end [s]
_PATIENCE = 120.0

#: marks the interchanges of a campaign in their environment
_MARK = "NANOSLAB_CAMPAIGN_LABEL"


class ParslBackend:
    """One executor per number of ranks, one worker per block."""

    most_at_a_time = 10**9

    def __init__(self, campaign: Path, cluster: Cluster) -> None:
        self.cluster = cluster
        self.folder = campaign.resolve() / DRIVER_FOLDER / "parsl"
        self.label = campaign_label(campaign)
        self.block_name = f"{self.label}.block"
        self.futures: dict[str, Future[Any]] = {}
        self._kernel: Any = None
        self._apps: dict[int, Any] = {}

    def submit(self, order: JobOrder) -> Future[Any]:
        """Give a calculation to the blocks of its size."""
        future: Future[Any] = self._app(order.ranks)(asdict(order))
        self.futures[order.job_name] = future
        return future

    def view(self) -> QueueView:
        """Calculations Parsl still has, and the jobs of the queue."""
        if self._kernel is None:
            self._cancel_orphans()
        self.futures = {name: future for name, future in self.futures.items() if not future.done()}
        return QueueView(names=dict.fromkeys(self.futures, "parsl"), jobs=frozenset(job.job for job in our_jobs()))

    def script(self, order: JobOrder) -> str:
        """Head of a block's script; Parsl adds the command of its workers."""
        lines = "".join(f"#SBATCH {line}\n" for line in self._options(order.ranks))
        return f"#!/bin/bash\n{lines}\n{self._worker_init()}\nprocess_worker_pool.py ... # run by Parsl\n"

    def close(self) -> None:
        """End the blocks; what they computed goes on from its folder next time."""
        if self._kernel is not None:
            self._kernel.cleanup()
            self._kernel = None

    def _cancel_orphans(self) -> None:
        end = time.time() + _PATIENCE
        while orphans := [job.job for job in our_jobs() if job.name == self.block_name]:
            cancel_jobs(orphans)
            if time.time() > end:
                raise EngineError("backend parsl", expected="no blocks of an earlier driver", got=", ".join(orphans))
            time.sleep(0.5)
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get(_MARK) == self.label and "interchange" in " ".join(process.cmdline()):
                    process.terminate()

    def _app(self, ranks: int) -> Any:
        if ranks not in self._apps:
            parsl = import_module("parsl")
            self._kernel = self._kernel or self._start(parsl)
            executor = self._executor(parsl, ranks)
            self._kernel.add_executors([executor])
            self._apps[ranks] = parsl.python_app(run_job, data_flow_kernel=self._kernel, executors=[executor.label])
        return self._apps[ranks]

    def _start(self, parsl: Any) -> Any:
        # Parsl calls its own programs by bare name, also where nobody activated the environment
        os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        os.environ[_MARK] = self.label
        os.environ["SPT_NOENV"] = "1"  # setproctitle, where Parsl finds it, would write over that mark
        config = parsl.Config(
            executors=[parsl.ThreadPoolExecutor(label="unused", max_threads=1)],
            run_dir=str(self.folder),
            strategy="htex_auto_scale",
            strategy_period=max(1.0, min(5.0, self.cluster.poll_interval)),
            max_idletime=60.0,
            usage_tracking=0,
            initialize_logging=False,
        )
        return parsl.dataflow.dflow.DataFlowKernel(config)

    def _executor(self, parsl: Any, ranks: int) -> Any:
        provider = parsl.providers.SlurmProvider(
            init_blocks=0,
            max_blocks=self.cluster.window,
            nodes_per_block=1,
            walltime=slurm_time(self.cluster.wall_time),
            scheduler_options="\n".join(f"#SBATCH {line}" for line in self._options(ranks)),
            worker_init=self._worker_init(),
            exclusive=False,
            cmd_timeout=60,
            launcher=parsl.launchers.SimpleLauncher(),
        )
        drain = self.cluster.wall_time - 2 * self.cluster.stop_before_end
        return parsl.HighThroughputExecutor(
            label=f"ranks-{ranks}",
            provider=provider,
            max_workers_per_node=1,
            heartbeat_period=15,
            heartbeat_threshold=60,
            drain_period=drain if drain > self.cluster.wall_time / 2 else None,
        )

    def _options(self, ranks: int) -> list[str]:
        lines = [f"--job-name={self.block_name}", *resource_lines(ranks, self.cluster)]
        if not self.cluster.ranks_per_node:  # Parsl's own script says one task per node
            lines += ["--nodes=1", f"--ntasks-per-node={ranks}"]
        return lines

    def _worker_init(self) -> str:
        path = f'export PATH="{Path(sys.executable).parent}:$PATH"'
        return "\n".join([*shell_lines(self.cluster), path])
