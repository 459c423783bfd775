"""The plain job array: its script, the table it works through, and the backend that drives it.

By hand the script runs what the table says. In the loop it runs one row at a time, and no Python is needed on the
nodes: the driver claims the calculation and prepares its folder; the script only runs VASP there and writes down its
exit code; when the job is gone the driver judges the folder. The queue knows the job by the calculation's name, so the
next driver finds it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from nanoslab.calculation import Calculation
from nanoslab.campaign.graph import levels
from nanoslab.campaign.names import DRIVER_FOLDER, calculation_names
from nanoslab.campaign.state import ATTEMPTS, State, read_attempt, record_attempt, withdraw_attempt, write_state
from nanoslab.driver.backend import JobOrder, QueueView, RefusedError
from nanoslab.driver.config import Cluster, resource_lines, shell_lines
from nanoslab.driver.job import begin, record_end
from nanoslab.driver.judge import Outcome
from nanoslab.driver.slurm import may_be_tried_later, our_jobs, this_owner
from nanoslab.errors import InputError, NanoslabError
from nanoslab.files import write_atomically
from nanoslab.vasp.inputs.settings import vasp_binary
from nanoslab.vasp.poscar import species_order

COLUMNS = ("name", "level", "vasp", "parent", "removed")
_SCRIPT = "array.sh"


class ArrayBackend:
    """One array job of one row per calculation."""

    most_at_a_time = 10**9

    def __init__(self, campaign: Path, cluster: Cluster) -> None:
        self.campaign = campaign.resolve()
        self.cluster = cluster
        # a row is the line of the campaign's table, below its heading
        self.rows = {name: line for line, name in enumerate(calculation_names(campaign), start=2)}

    def submit(self, order: JobOrder) -> Future[Any] | None:
        """Claim and prepare the calculation, then hand its row to sbatch."""
        from nanoslab.driver.vasp_job import prepare_vasp

        attempt = begin(order, this_owner())
        ended: Future[Any] = Future()
        if isinstance(attempt, Outcome):
            ended.set_result(asdict(attempt))
            return ended
        try:
            prepare_vasp(order.run_folder, attempt)
        except NanoslabError as error:
            outcome = Outcome(outcome="needs-you", reason=str(error))
            record_end(order, outcome)
            ended.set_result(asdict(outcome))
            return ended
        return self._sbatch(order, attempt)

    def _sbatch(self, order: JobOrder, attempt: int) -> Future[Any] | None:
        script = self.campaign / DRIVER_FOLDER / _SCRIPT
        text = array_script(self.cluster)
        if not script.is_file() or script.read_text() != text:
            write_atomically(script, text)
        options = [f"--job-name={order.job_name}", f"--output={order.run_folder / ATTEMPTS}/slurm-%A.out"]
        options += [*resource_lines(order.ranks, self.cluster), f"--array={self.rows[order.name]}"]
        done = subprocess.run(
            ["sbatch", "--parsable", *options, str(script), "prepared"],
            cwd=self.campaign,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            message = " ".join(done.stderr.split()) or f"sbatch ended with {done.returncode}"
            withdraw_attempt(order.run_folder, attempt)
            future: Future[Any] = Future()
            future.set_exception(RefusedError(message, later=may_be_tried_later(message)))
            return future
        job = done.stdout.strip().partition(";")[0]
        record = {**read_attempt(order.run_folder, attempt), "job": job, "given_s": order.wall_time}
        record_attempt(order.run_folder, attempt, record)
        state = State(state="queued", attempt=attempt, tries_from=order.tries_from, job=job, backend="array")
        write_state(order.run_folder, replace(state, wall_time_s=order.wall_time))
        return None

    def view(self) -> QueueView:
        """One question to squeue about this user's jobs."""
        jobs = our_jobs()
        return QueueView(
            names={job.name: job.job for job in jobs},
            jobs=frozenset(job.job for job in jobs),
            running=frozenset(job.job for job in jobs if job.state == "RUNNING"),
        )

    def script(self, order: JobOrder) -> str:
        """Script as sbatch gets it; ranks and name come on its command line as well."""
        return array_script(self.cluster, order.ranks)

    def close(self) -> None:
        """Let go; the jobs go on."""


def array_script(cluster: Cluster, ranks: int = 1) -> str:
    """Text of ``submit.sh`` with the resources, modules and commands of a cluster file."""
    text = job_array_script()
    before, _, rest = text.partition("run_vasp() {")
    about, (first, _, after) = before[before.index("#\n") :], rest.partition("\n}\n")
    lines = [*resource_lines(ranks, cluster), f"--signal=B:USR1@{cluster.stop_before_end}", "--output=slurm/%A_%a.out"]
    head = "#!/bin/bash\n" + "".join(f"#SBATCH {line}\n" for line in lines)
    return f"{head}{about}run_vasp() {{{first.splitlines()[0]}\n{_commands(cluster)}}}\n{after}"


def _commands(cluster: Cluster) -> str:
    named = {"std": cluster.vasp.std, "gam": cluster.vasp.gam or cluster.vasp.std, "ncl": cluster.vasp.ncl}
    cases = [f"vasp_{build}) {command} ;;" for build, command in named.items() if command]
    return "".join(f"    {line}\n" for line in [*shell_lines(cluster), "case $1 in", *cases, "esac"])


def job_array_script() -> str:
    """Text of ``submit.sh``; it is the same for every campaign."""
    return Path(__file__).with_name("job_array.sh").read_text(encoding="utf-8")


def calculations_table(calculations: Sequence[Calculation]) -> str:
    r"""Text of ``calculations.tsv``: which folders there are, and what each waits for.

    ``level`` is 0 for calculations without a parent; ``removed`` are the atoms of the parent's POSCAR, counted
    from 1, that the child lacks.
    """
    by_name = {calculation.name: calculation for calculation in calculations}
    level = levels(calculations)
    lines = ["\t".join(COLUMNS)]
    for calculation in calculations:
        removed = removed_lines(calculation, by_name)
        cells = (
            calculation.name,
            str(level[calculation.name]),
            vasp_binary(calculation),
            calculation.starts_from or "-",
            ",".join(map(str, removed)) or "-",
        )
        lines.append("\t".join(cells))
    return "\n".join(lines) + "\n"


def removed_lines(calculation: Calculation, by_name: Mapping[str, Calculation]) -> tuple[int, ...]:
    """Atoms of the parent's POSCAR, counted from 1, that a child lacks; empty without a parent."""
    if calculation.starts_from is None:
        return ()
    parent = by_name[calculation.starts_from].atoms
    order, removed = species_order(parent), set(calculation.removed_indices)
    survivors = [i for i in range(len(parent)) if i not in removed]
    if [survivors[i] for i in species_order(calculation.atoms)] != [i for i in order if i not in removed]:
        expected = f"species in the order in which the POSCAR of {calculation.starts_from} has them"
        where, advice = (
            f"{calculation.name}: removed_indices",
            "group the atoms of both by species and keep the parent's order",
        )
        raise InputError(where, expected=expected, got=calculation.atoms.get_chemical_formula(), advice=advice)
    return tuple(line for line, i in enumerate(order, start=1) if i in removed)
