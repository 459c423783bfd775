"""Everything that can be known to be wrong before a job is queued, each told in one line."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from nanoslab.cluster.config import Cluster
from nanoslab.cluster.plan import Planned
from nanoslab.cluster.slurm import has_slurm, partitions
from nanoslab.errors import EngineError, InputError, unknown_name

#: backend -> packages it needs
_PACKAGES = {"executorlib": ("executorlib", "pysqa"), "parsl": ("parsl",), "local": (), "array": ()}

#: words that are a launcher and not VASP
_LAUNCHERS = ("srun", "mpirun", "mpiexec", "mpiexec.hydra", "aprun", "ibrun", "jsrun")


def check_before_queueing(cluster: Cluster, planned: Sequence[Planned], *, source: str) -> None:
    """Refuse what cannot work.

    Raises
    ------
    InputError, EngineError
        The first thing that is wrong.
    """
    _check_times(cluster)
    _check_packages(cluster, source)
    if cluster.backend != "local":
        _check_queue(cluster)
    for item in planned:
        cluster.ranks_for(item.n_atoms)
    if source == "vasp":
        _check_vasp(cluster, planned)
    elif cluster.backend == "array":
        raise InputError("--backend", expected="executorlib, parsl or local for an embedded engine", got="array")


def _check_times(cluster: Cluster) -> None:
    if cluster.stop_before_end >= cluster.wall_time and cluster.backend != "local":
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
            advice="submit from the cluster's login node, or use 'backend: local'",
        )
    names = partitions()
    if cluster.partition is not None:
        for name in cluster.partition.split(","):
            if name not in names:
                raise unknown_name("cluster file, partition", name, names)


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
    """The launcher must be here; VASP itself may come with a module or be on the nodes only, unless it is a path."""
    program = next((word for word in command if word not in _LAUNCHERS and not word.startswith("-")), command[0])
    here = cluster.backend == "local" or not (cluster.modules or cluster.setup)
    launcher_missing = command[0] in _LAUNCHERS and shutil.which(command[0]) is None and here
    if launcher_missing or ("/" in program and not Path(program).exists()):
        missing = command[0] if launcher_missing else program
    elif here and cluster.backend == "local" and shutil.which(program) is None:
        missing = program
    else:
        return
    raise InputError(
        f"cluster file, vasp.{build}",
        expected="a command that is there",
        got=f"{missing!r}, which is not found",
        advice="give its full path, or load its module in 'modules:'",
    )
