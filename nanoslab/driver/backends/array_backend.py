"""The plain job array, with the settings of a cluster file: the script every cluster user can read."""

from __future__ import annotations

import os
import subprocess

from nanoslab.driver.campaign_drive import Request, checked_plan
from nanoslab.driver.config import Cluster
from nanoslab.driver.job_array import job_array_script
from nanoslab.driver.job_script import resource_lines, shell_lines
from nanoslab.driver.names import DRIVER_FOLDER
from nanoslab.errors import EngineError, InputError
from nanoslab.files import write_atomically

_SCRIPT = "array.sh"


def array_script(cluster: Cluster, ranks: int) -> str:
    """Text of ``submit.sh`` with the resources, modules and commands of a cluster file.

    Examples
    --------
    >>> text = array_script(Cluster(partition="long", vasp={"std": "srun vasp_std"}), 64)
    >>> [line for line in text.splitlines() if "partition" in line or "vasp_std)" in line]
    ['#SBATCH --partition=long', '    vasp_std) srun vasp_std ;;']
    """
    _, _, rest = job_array_script().partition("--open-mode=append\n")
    body = rest[rest.index("#\n") :]
    before, _, after = body.partition("run_vasp() {")
    settings, _, tail = after.partition("\n}\n")
    lines = [
        *resource_lines(ranks, cluster),
        f"--signal=B:USR1@{cluster.stop_before_end}",
        "--requeue",
        "--open-mode=append",
    ]
    head = "#!/bin/bash\n" + "".join(f"#SBATCH {line}\n" for line in lines)
    before = before.replace("SLOTS:-20", f"SLOTS:-{cluster.window}").replace("TRIES:-3", f"TRIES:-{cluster.tries}")
    return f"{head}{before}run_vasp() {{{settings.splitlines()[0]}\n{_commands(cluster)}}}\n{tail}"


def _commands(cluster: Cluster) -> str:
    lines = list(shell_lines(cluster))
    lines.append("case $1 in")
    named = {"std": cluster.vasp.std, "gam": cluster.vasp.gam or cluster.vasp.std, "ncl": cluster.vasp.ncl}
    lines += [f"vasp_{build}) {command} ;;" for build, command in named.items() if command]
    lines.append("esac")
    return "".join(f"    {line}\n" for line in lines)


def array_text(request: Request) -> str:
    """Script of the array for the wanted calculations, after every check."""
    planned, wanted = checked_plan(request)
    if len(wanted) < len(planned):
        raise InputError("--only", expected="all calculations with the plain array", got="some of them")
    return array_script(request.cluster, max(request.cluster.ranks_for(item.n_atoms) for item in wanted))


def submit_array(request: Request) -> str:
    """Write the script beside the campaign's own and run it; returns what it says.

    Raises
    ------
    EngineError
        The queue refuses it.
    """
    text = array_text(request)
    campaign = request.campaign.resolve()
    path = campaign / DRIVER_FOLDER / _SCRIPT
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, text)
    words = ["--retry"] if request.retry else []
    environment = {**os.environ, "NANOSLAB_CAMPAIGN": str(campaign)}
    for name in ("SLURM_ARRAY_TASK_ID", "SLURM_SUBMIT_DIR"):
        environment.pop(name, None)
    done = subprocess.run(["bash", str(path), *words], capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise EngineError("the queue", expected="to take the job array", got=said[0], advice="mend the cluster file")
    return done.stdout
