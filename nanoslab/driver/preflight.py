"""Everything that can be known to be wrong before a job is queued, each told in one line."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from nanoslab.driver.config import Cluster
from nanoslab.driver.names import HAND_ARRAY, campaign_label
from nanoslab.driver.slurm import has_slurm, our_jobs, partitions, shell_lines
from nanoslab.errors import EngineError, InputError, unknown_name

#: backend -> packages it needs
_PACKAGES = {"executorlib": ("executorlib", "pysqa"), "parsl": ("parsl",), "here": (), "array": ()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One calculation of a campaign, as its driver sees it.

    Attributes
    ----------
    name, starts_from
        Its folder, and the calculation whose relaxed structure it starts from.
    n_atoms
        In its structure.
    build
        Which VASP it needs: ``std``, ``gam`` or ``ncl``.
    has_potcar
        Whether a POTCAR lies in its folder.
    """

    name: str
    n_atoms: int
    starts_from: str | None = None
    build: str = "std"
    has_potcar: bool = True


def processors() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_before_queueing(campaign: Path, cluster: Cluster, planned: Sequence[Planned], *, source: str) -> None:
    """Refuse what cannot work.

    Raises
    ------
    InputError, EngineError
        The first thing that is wrong.
    """
    _check_times(cluster)
    _check_packages(cluster, source)
    if cluster.backend != "here":
        _check_queue(cluster)
    for item in planned:
        cluster.ranks_for(item.n_atoms)
    if source == "vasp":
        _check_vasp(cluster, planned)
        if cluster.backend != "here":
            _check_nobody_runs_it_by_hand(campaign)
    elif cluster.backend == "array":
        raise InputError("--backend", expected="executorlib, parsl or here for an embedded engine", got="array")


def _check_times(cluster: Cluster) -> None:
    if cluster.stop_before_end >= cluster.wall_time and cluster.backend != "here":
        raise InputError(
            "cluster file, stop_before_end",
            expected=f"less than the wall time of {cluster.wall_time} s",
            got=f"{cluster.stop_before_end} s",
            advice="ten minutes suit most runs",
        )


def _check_packages(cluster: Cluster, source: str) -> None:
    packages = _PACKAGES[cluster.backend]
    if source == "vasp" and cluster.custodian and cluster.backend != "array":
        packages += ("custodian",)
    for package in packages:
        if find_spec(package) is None:
            extra = "parsl" if package == "parsl" else "cluster"
            advice = f"pip install 'nanoslab[{extra}]'"
            raise EngineError(
                f"backend {cluster.backend}", expected=f"the package {package}", got="none", advice=advice
            )


def _check_queue(cluster: Cluster) -> None:
    if not has_slurm():
        raise EngineError(
            f"backend {cluster.backend}",
            expected="Slurm's sbatch and squeue on this machine",
            got="no such commands",
            advice="submit from the cluster's login node, or use 'backend: here'",
        )
    names = partitions()
    if cluster.partition is not None:
        for name in cluster.partition.split(","):
            if name not in names:
                raise unknown_name("cluster file, partition", name, names)


def _check_nobody_runs_it_by_hand(campaign: Path) -> None:
    """Arrays of the campaign's own script leave no claims; a calculation of theirs would run twice at a time."""
    name = f"{campaign_label(campaign)}.{HAND_ARRAY}"
    if any(job.name == name for job in our_jobs()):
        raise InputError(
            campaign,
            expected="no arrays of its submit.sh in the queue",
            got=f"jobs named {name}",
            advice=f"wait for them, or end them with 'scancel --name={name}'",
        )


def _check_vasp(cluster: Cluster, planned: Sequence[Planned]) -> None:
    for item in planned:
        if not item.has_potcar:
            raise InputError(
                f"{item.name}/POTCAR",
                expected="the file",
                got="none, only POTCAR.spec",
                advice="write the campaign again with PMG_VASP_PSP_DIR set, or put the POTCARs there",
            )
    for build in sorted({item.build for item in planned}):
        command = cluster.vasp.command(build)
        _check_command(command, build, cluster)


def _check_command(command: Sequence[str], build: str, cluster: Cluster) -> None:
    """Launcher and VASP must be there, after the modules were loaded as a job loads them."""
    wanted = [command[0], *(word for word in command[1:] if "vasp" in Path(word).name and not word.startswith("-"))][:2]
    missing = next((word for word in wanted if "/" in word and not Path(word).exists()), None)
    if missing is None and cluster.check_commands:
        missing = _not_found([word for word in wanted if "/" not in word], cluster)
    if missing is not None:
        raise InputError(
            f"cluster file, vasp.{build}",
            expected="a command that is there",
            got=f"{missing!r}, which is not found on this machine",
            advice="give its full path, load its module in 'modules:', or say 'check_commands: false'",
        )


def _not_found(words: Sequence[str], cluster: Cluster) -> str | None:
    """First word that is no command after the lines of a job's script; `module` may need a login shell."""
    shells = ("-c", "-lc") if shell_lines(cluster) else ("-c",)
    for word in words:
        script = "\n".join([*shell_lines(cluster), f"command -v -- {shlex.quote(word)} >/dev/null"])
        try:
            if not any(_succeeds(["bash", shell, script]) for shell in shells):
                return word
        except (OSError, subprocess.TimeoutExpired):
            return None  # no bash here, or a module that waits for something: the job will tell
    return None


def _succeeds(command: list[str]) -> bool:
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, stdin=subprocess.DEVNULL)
    return done.returncode == 0
