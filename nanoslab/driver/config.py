"""The cluster file: which queue, how long, how many ranks, which VASP; and everything wrong that can be known before.

Each mistake is told in one line.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from nanoslab.driver.backend import Planned
from nanoslab.driver.slurm import HAND_ARRAY, campaign_label, has_slurm, our_jobs, parse_duration, partitions
from nanoslab.errors import EngineError, InputError, unknown_name
from nanoslab.yaml_file import StrictModel, read_yaml, validated

BACKENDS = ("executorlib", "parsl", "here", "array")
#: former name -> name, for one release
FORMER_BACKENDS = {"local": "here"}

#: backend -> packages it needs
_PACKAGES = {"executorlib": ("executorlib", "pysqa"), "parsl": ("parsl",), "here": (), "array": ()}
_EXTRA = {"parsl": "parsl"}


def _seconds(value: Any) -> Any:
    """Accept ``1-12:00:00``, ``24:00:00``, ``30:00`` or a number of seconds."""
    seconds = parse_duration(value.strip()) if isinstance(value, str) else value
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ValueError("a time such as 24:00:00 or 1-12:00:00 (in quotes)")
    return int(seconds)


Seconds = Annotated[int, BeforeValidator(_seconds)]
BackendName = Annotated[
    Literal["executorlib", "parsl", "here", "array"],
    BeforeValidator(lambda name: FORMER_BACKENDS.get(name, name) if isinstance(name, str) else name),
]


class Ranks(StrictModel):
    """So many MPI ranks for structures of up to so many atoms."""

    ranks: int = Field(gt=0)
    up_to_atoms: int | None = Field(default=None, gt=0)


class VaspCommands(StrictModel):
    """The command that runs each build of VASP, with its launcher."""

    std: str | None = None
    gam: str | None = None
    ncl: str | None = None

    def command(self, build: str) -> tuple[str, ...]:
        """Words of the command for one build; the standard build also runs a Gamma-only mesh."""
        named = {"std": self.std, "gam": self.gam or self.std, "ncl": self.ncl}[build]
        if not named:
            where, advice = f"cluster file, vasp: {build}", f"add 'vasp: {{{build}: srun vasp_{build}}}'"
            raise InputError(where, expected=f"the command that runs vasp_{build}", got="nothing", advice=advice)
        return tuple(shlex.split(named))


class Cluster(StrictModel):
    """Where and how the calculations of a campaign run."""

    backend: BackendName = "executorlib"
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    wall_time: Seconds = Field(default=86400, ge=10)
    ranks: tuple[Ranks, ...] = (Ranks(ranks=1),)
    ranks_per_node: int | None = Field(default=None, gt=0)
    memory_per_rank: str | None = Field(default=None, pattern=r"^\d+[KMGT]?$")
    modules: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    sbatch: tuple[str, ...] = ()
    vasp: VaspCommands = VaspCommands()
    window: int = Field(default=40, gt=0)
    tries: int = Field(default=3, gt=0)
    stop_before_end: Seconds = 600
    custodian: bool = True
    check_commands: bool = True
    frozen_after: Seconds = 21600
    poll_interval: float = Field(default=20.0, gt=0)

    @field_validator("partition", "account", "qos")
    @classmethod
    def _one_word(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[\w.,@:+-]+", value):
            raise ValueError("one word")
        return value

    def ranks_for(self, n_atoms: int) -> int:
        """MPI ranks of a structure: those of the first line that admits its size."""
        for line in self.ranks:
            if line.up_to_atoms is None or n_atoms <= line.up_to_atoms:
                return line.ranks
        expected, most = f"a line for a structure of {n_atoms} atoms", max(line.up_to_atoms or 0 for line in self.ranks)
        advice = "end the list with a line without up_to_atoms"
        raise InputError("cluster file, ranks", expected=expected, got=f"lines up to {most} atoms", advice=advice)


def load_cluster(path: Path) -> Cluster:
    """Read and check a cluster file."""
    return validated(path, read_yaml(path), Cluster)


def resource_lines(ranks: int, cluster: Cluster) -> list[str]:
    """Options that ask the queue for place and time."""
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


def slurm_time(seconds: int) -> str:
    """Time as Slurm takes it."""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def check_before_queueing(campaign: Path, cluster: Cluster, planned: Sequence[Planned], *, source: str) -> None:
    """Refuse what cannot work."""
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
        where, expected = "cluster file, stop_before_end", f"less than the wall time of {cluster.wall_time} s"
        raise InputError(
            where, expected=expected, got=f"{cluster.stop_before_end} s", advice="ten minutes suit most runs"
        )


def _check_packages(cluster: Cluster, source: str) -> None:
    packages = _PACKAGES[cluster.backend]
    if source == "vasp" and cluster.custodian and cluster.backend != "array":
        packages += ("custodian",)
    for package in packages:
        if find_spec(package) is None:
            where, advice = f"backend {cluster.backend}", f"pip install 'nanoslab[{_EXTRA.get(package, 'cluster')}]'"
            raise EngineError(where, expected=f"the package {package}", got="none", advice=advice)


def _check_queue(cluster: Cluster) -> None:
    if not has_slurm():
        where, expected = f"backend {cluster.backend}", "Slurm's sbatch and squeue on this machine"
        advice = "submit from the cluster's login node, or use 'backend: here'"
        raise EngineError(where, expected=expected, got="no such commands", advice=advice)
    names = partitions()
    for name in cluster.partition.split(",") if cluster.partition else ():
        if name not in names:
            raise unknown_name("cluster file, partition", name, names)


def _check_nobody_runs_it_by_hand(campaign: Path) -> None:
    """Arrays of the campaign's own script leave no claims; a calculation of theirs would run twice at a time."""
    name = f"{campaign_label(campaign)}.{HAND_ARRAY}"
    if any(job.name == name for job in our_jobs()):
        expected, advice = (
            "no arrays of its submit.sh in the queue",
            f"wait for them, or end them with 'scancel --name={name}'",
        )
        raise InputError(campaign, expected=expected, got=f"jobs named {name}", advice=advice)


def _check_vasp(cluster: Cluster, planned: Sequence[Planned]) -> None:
    for item in planned:
        if not item.build:
            advice = "add them with 'nanoslab write STUDY CAMPAIGN', or name an engine with --engine"
            raise InputError(item.name, expected="VASP's input files", got="none in its folder", advice=advice)
        if not item.has_potcar:
            got, advice = (
                "none, only POTCAR.spec",
                "write the campaign again with PMG_VASP_PSP_DIR set, or put the POTCARs there",
            )
            raise InputError(f"{item.name}/POTCAR", expected="the file", got=got, advice=advice)
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
        where, got = f"cluster file, vasp.{build}", f"{missing!r}, which is not found on this machine"
        advice = "give its full path, load its module in 'modules:', or say 'check_commands: false'"
        raise InputError(where, expected="a command that is there", got=got, advice=advice)


def _not_found(words: Sequence[str], cluster: Cluster) -> str | None:
    """First word that is no command after the lines of a job's script; `module` may need a login shell."""
    shells = ("-c", "-lc") if shell_lines(cluster) else ("-c",)
    for word in words:
        script = "\n".join([*shell_lines(cluster), f"command -v -- {shlex.quote(word)} >/dev/null"])
        quietly = partial(subprocess.run, capture_output=True, check=False, timeout=120, stdin=subprocess.DEVNULL)
        try:
            if all(quietly(["bash", shell, script]).returncode for shell in shells):
                return word
        except (OSError, subprocess.TimeoutExpired):
            return None  # no bash here, or a module that waits for something: the job will tell
    return None
