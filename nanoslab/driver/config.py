"""The cluster file: which queue, how long, how many ranks, which VASP. Wrong or unknown fields are named."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from nanoslab.errors import InputError
from nanoslab.yaml_file import StrictModel, read_yaml, validated

BACKENDS = ("executorlib", "parsl", "here", "array")
#: former name -> name, for one release
FORMER_BACKENDS = {"local": "here"}

_DURATION = re.compile(r"(?:(\d+)-)?(\d+):(\d{2})(?::(\d{2}))?")


def _seconds(value: Any) -> Any:
    """Accept ``1-12:00:00``, ``24:00:00``, ``30:00`` or a number of seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("a time such as 24:00:00 (in quotes)")
    if isinstance(value, int | float):
        return int(value)
    found = _DURATION.fullmatch(value.strip())
    if not found:
        raise ValueError("a time such as 24:00:00 or 1-12:00:00 (in quotes)")
    days, first, second, third = (int(part or 0) for part in found.groups())
    if found[4] is None and found[1] is None:
        return first * 60 + second
    return ((days * 24 + first) * 60 + second) * 60 + third


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
        """Words of the command for one build; the standard build also runs a Gamma-only mesh.

        Examples
        --------
        >>> VaspCommands(std="srun vasp_std").command("gam")
        ('srun', 'vasp_std')
        """
        named = {"std": self.std, "gam": self.gam or self.std, "ncl": self.ncl}[build]
        if not named:
            raise InputError(
                f"cluster file, vasp: {build}",
                expected=f"the command that runs vasp_{build}",
                got="nothing",
                advice=f"add 'vasp: {{{build}: srun vasp_{build}}}'",
            )
        return tuple(shlex.split(named))


class Cluster(StrictModel):
    """Where and how the calculations of a campaign run.

    Examples
    --------
    >>> cluster = Cluster(backend="here", vasp=VaspCommands(std="vasp_std"), wall_time="01:30:00")
    >>> cluster.wall_time, cluster.ranks_for(200)
    (5400, 1)
    """

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

    @field_validator("modules", "setup", "sbatch")
    @classmethod
    def _one_line_each(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not line.isprintable() for line in value):
            raise ValueError("single lines of printable text")
        return value

    def ranks_for(self, n_atoms: int) -> int:
        """MPI ranks of a structure: those of the first line that admits its size.

        Examples
        --------
        >>> Cluster(ranks=(Ranks(ranks=8, up_to_atoms=50), Ranks(ranks=64))).ranks_for(51)
        64
        """
        for line in self.ranks:
            if line.up_to_atoms is None or n_atoms <= line.up_to_atoms:
                return line.ranks
        raise InputError(
            "cluster file, ranks",
            expected=f"a line for a structure of {n_atoms} atoms",
            got=f"lines up to {max(line.up_to_atoms or 0 for line in self.ranks)} atoms",
            advice="end the list with a line without up_to_atoms",
        )


def load_cluster(path: Path) -> Cluster:
    """Read and check a cluster file.

    Raises
    ------
    FileError
        When it cannot be read, is not YAML, or a field is unknown or wrong; the line says which.
    """
    return validated(path, read_yaml(path), Cluster)
