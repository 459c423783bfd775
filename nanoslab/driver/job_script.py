"""The Slurm script of one calculation, as text that a user can read and run by hand."""

from __future__ import annotations

from pathlib import Path

from nanoslab.driver.config import Cluster
from nanoslab.driver.job import JobOrder
from nanoslab.driver.state import ATTEMPTS


def job_script(order: JobOrder, cluster: Cluster, command: str) -> str:
    """Text of the script that runs a command for one calculation.

    Parameters
    ----------
    order
        The calculation.
    cluster
        Where it runs.
    command
        What the script ends with.

    Examples
    --------
    >>> order = JobOrder(campaign="/c", name="sheet", ranks=8, job_name="ns1.sheet")
    >>> print(job_script(order, Cluster(partition="long", wall_time="2:00:00"), "run"), end="")
    #!/bin/bash
    #SBATCH --job-name=ns1.sheet
    #SBATCH --output=/c/sheet/attempts/slurm-%j.out
    #SBATCH --open-mode=append
    #SBATCH --partition=long
    #SBATCH --time=02:00:00
    #SBATCH --ntasks=8
    <BLANKLINE>
    run
    """
    lines = [
        f"--job-name={order.job_name}",
        f"--output={log_folder(order)}/slurm-%j.out",
        "--open-mode=append",
        *resource_lines(order.ranks, cluster),
    ]
    head = "".join(f"#SBATCH {line}\n" for line in lines)
    body = "".join(f"{line}\n" for line in shell_lines(cluster))
    return f"#!/bin/bash\n{head}\n{body}{command}\n"


def resource_lines(ranks: int, cluster: Cluster) -> list[str]:
    """Options that ask the queue for place and time.

    Examples
    --------
    >>> resource_lines(128, Cluster(ranks_per_node=64))[1:]
    ['--ntasks=128', '--nodes=2', '--ntasks-per-node=64']
    """
    named = {"partition": cluster.partition, "account": cluster.account, "qos": cluster.qos}
    lines = [f"--{name}={value}" for name, value in named.items() if value]
    lines += [f"--time={slurm_time(cluster.wall_time)}", f"--ntasks={ranks}"]
    if cluster.ranks_per_node:
        lines += [f"--nodes={-(-ranks // cluster.ranks_per_node)}"]
        lines += [f"--ntasks-per-node={min(ranks, cluster.ranks_per_node)}"]
    if cluster.memory_per_rank:
        lines += [f"--mem-per-cpu={cluster.memory_per_rank}"]
    return lines + list(cluster.sbatch)


def shell_lines(cluster: Cluster) -> list[str]:
    """Lines before the command: modules, then whatever else the user wants."""
    return [*(f"module load {module}" for module in cluster.modules), *cluster.setup]


def log_folder(order: JobOrder) -> Path:
    """Where the queue's own log of a job goes."""
    return order.run_folder / ATTEMPTS


def slurm_time(seconds: int) -> str:
    """Time as Slurm takes it.

    Examples
    --------
    >>> slurm_time(93600), slurm_time(90)
    ('26:00:00', '00:01:30')
    """
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
