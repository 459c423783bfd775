import contextlib
import dataclasses
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.constraints import FixAtoms

from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.cli.main import main
from nanoslab.driver.vasp_campaign import write_vasp_campaign

HERE = Path(__file__).parent
FAKE_VASP = HERE / "fake_vasp.py"


def cluster_of(n_pairs: int, shift: float = 0.0) -> Atoms:
    """A dimer or a tetrahedron near its equilibrium, one atom fixed: relaxes in some ten steps to one minimum."""
    corners = np.array([[0, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1]][: 2 * n_pairs]) * 1.95
    corners[1:] *= 1.03 + 0.01 * shift
    corners[-1] += [0.03, -0.02, 0.02]
    atoms = Atoms(f"Cd{n_pairs}Se{n_pairs}", positions=corners + 3.0, cell=[11.0, 10.0, 16.0], pbc=True)
    atoms.set_constraint(FixAtoms([0]))
    return atoms


def toy_calculations(n: int, *, children: int = 0) -> list[Calculation]:
    """`n` independent calculations, and children that start from the first one, relaxed."""
    settings = Settings(source="test", force_tolerance=2e-4, electronic_tolerance=1e-6, max_ionic_steps=100)
    made = [
        Calculation(
            name=f"run-{i:03d}", role=Role(kind="pristine"), atoms=cluster_of(1 if i else 2, 0.3 * i), settings=settings
        )
        for i in range(n)
    ]
    parent = made[0].atoms
    for i in range(children):
        atoms = parent.copy()
        del atoms[len(parent) - 1 - i]
        made.append(
            Calculation(
                name=f"child-{i}",
                role=Role(kind="vacancy"),
                atoms=atoms,
                settings=settings,
                starts_from=made[0].name,
                removed_indices=(len(parent) - 1 - i,),
            )
        )
    return made


@dataclasses.dataclass
class Toy:
    """A campaign on disk, its cluster file, and what its VASP was told and did."""

    folder: Path
    cluster: Path
    control: Path
    log: Path
    base: dict[str, Any]

    def rule(self, **rules: dict[str, Any]) -> None:
        self.control.write_text(json.dumps({name.replace("_", "-"): rule for name, rule in rules.items()}))

    def rules(self, rules: dict[str, dict[str, Any]]) -> None:
        self.control.write_text(json.dumps(rules))

    def configure(self, **fields: Any) -> Path:
        self.base = {**self.base, **fields}
        self.cluster.write_text(json.dumps({k: v for k, v in self.base.items() if v is not None}))  # JSON is YAML
        return self.cluster

    def starts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        if self.log.exists():
            for line in self.log.read_text().splitlines():
                counts[line.split()[0]] = counts.get(line.split()[0], 0) + 1
        return counts

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "nanoslab", *words]

    def submit(self, *words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        command = self.command("submit", str(self.folder), "--cluster", str(self.cluster), *words)
        if self.base["backend"] == "here" and "--backend" not in words:
            return in_this_process(command)
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)

    def drive(self, *words: str) -> "subprocess.Popen[str]":
        command = self.command("submit", str(self.folder), "--cluster", str(self.cluster), *words)
        # not a pipe: what a killed driver leaves behind would hold its other end
        with self.said.open("a") as stream:
            return subprocess.Popen(command, stdout=stream, stderr=stream, text=True)

    @property
    def said(self) -> Path:
        return self.folder.parent / "driver.txt"

    def status(self) -> dict[str, Any]:
        from nanoslab.driver.status import campaign_status

        return {standing.name: standing.to_dict() for standing in campaign_status(self.folder)}

    def states(self) -> dict[str, str]:
        return {name: row["state"] for name, row in self.status().items()}

    def compute_here(self) -> dict[str, float | None]:
        """Energies of an undisturbed run, computed in this process."""
        from nanoslab.driver.config import load_cluster
        from nanoslab.driver.drive import Request, orders, read_plan
        from nanoslab.driver.job import run_job

        request = Request(campaign=self.folder, cluster=load_cluster(self.cluster))
        for order in orders(request, read_plan(self.folder)):
            assert run_job(dataclasses.asdict(order))["outcome"] == "done"
        self.log.unlink()
        return self.energies()

    def energies(self) -> dict[str, float | None]:
        from nanoslab.campaign import load_campaign
        from nanoslab.driver.results import collect

        return {name: result.energy for name, result in collect(load_campaign(self.folder), "vasp").items()}


def in_this_process(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run ``python -m nanoslab ...`` without the second that a new Python takes to load the libraries."""
    before = signal.getsignal(signal.SIGTERM)
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        status = main(command[3:])
    signal.signal(signal.SIGTERM, before)
    return subprocess.CompletedProcess(command, status, out.getvalue(), err.getvalue())


def fake_vasp_command(log: Path, control: Path, launcher: str = "") -> str:
    return f"{launcher} {sys.executable} {FAKE_VASP} --log {log} --control {control}".strip()


@pytest.fixture
def toy(tmp_path: Path) -> Callable[..., Toy]:
    def make(n: int = 3, *, children: int = 0, folder: str = "campaign", **fields: Any) -> Toy:
        library = tmp_path / "potentials"
        for element in ("Cd", "Se"):
            (library / element).mkdir(parents=True, exist_ok=True)
            text = f"  PAW_PBE {element} 06Sep2000\n 12.0\n parameters from PSCTR are:\n"
            text += f"   VRHFIN ={element}: \n   LEXCH  = PE\n"
            text += f"   TITEL  = PAW_PBE {element} 06Sep2000\n   LULTRA =        F    use ultrasoft PP ?\n"
            text += (
                "   POMASS =   79.904; ZVAL   =    6.000    mass and valenz\n   ENMAX  =  250.0; ENMIN  =  200.0 eV\n"
            )
            text += "END of PSCTR-controll parameters\n local part\n  1.0 2.0 3.0\n End of Dataset\n"
            (library / element / "POTCAR").write_text(text)
        study = tmp_path / "study.yaml"
        study.write_text("study: toy\n")
        write_vasp_campaign(study, toy_calculations(n, children=children), tmp_path / folder, library)
        log, control = tmp_path / "starts.txt", tmp_path / "control.json"
        control.write_text("{}")
        made = Toy(tmp_path / folder, tmp_path / f"{folder}.cluster.yaml", control, log, {})
        base = {
            "backend": "here",
            "vasp": {"std": fake_vasp_command(log, control)},
            "poll_interval": 0.5,
            "stop_before_end": 4,
            "wall_time": 600,
            "custodian": False,
        }
        made.configure(**{**base, **fields})
        return made

    return make


@dataclasses.dataclass
class TestSlurm:
    folder: Path
    configuration: Path

    __test__ = False

    def run(self, *words: str) -> str:
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=30).stdout


def missing_for_slurm(*, accounting: bool = False) -> str:
    wanted = ["munged", "slurmctld", "slurmd", "sbatch"] + (["slurmdbd", "mariadbd"] if accounting else [])
    path = os.environ["PATH"] + ":/usr/sbin:/sbin:/usr/local/sbin"
    return ", ".join(name for name in wanted if shutil.which(name, path=path) is None)


def start_slurm(folder: Path, *words: str) -> TestSlurm:
    environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    done = subprocess.run(
        [str(HERE / "slurm" / "up.sh"), str(folder), str(free_ports()), *words],
        capture_output=True, text=True, check=False, timeout=120, env=environment,
    )  # fmt: skip
    if done.returncode:
        stop_slurm(folder)
        pytest.skip(f"no Slurm could be started here: {done.stderr.strip().splitlines()[-1:]}")
    return TestSlurm(folder, folder / "slurm.conf")


def stop_slurm(folder: Path) -> None:
    subprocess.run([str(HERE / "slurm" / "down.sh"), str(folder)], capture_output=True, check=False, timeout=120)


def free_ports() -> int:
    """First of four free ports in a row."""
    start = 42000 + os.getpid() % 4000 * 4
    for first in range(start, start + 4000, 4):
        try:
            for port in range(first, first + 4):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise RuntimeError("no free ports")


@pytest.fixture(scope="session")
def slurm_daemons(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestSlurm]:
    if missing := missing_for_slurm():
        pytest.skip(f"no Slurm on this machine: {missing} not found (Debian: slurm-wlm, munge)")
    folder = tmp_path_factory.mktemp("slurm")
    yield start_slurm(folder, "4")
    stop_slurm(folder)


@pytest.fixture
def slurm(slurm_daemons: TestSlurm, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestSlurm]:
    monkeypatch.setenv("SLURM_CONF", str(slurm_daemons.configuration))
    yield slurm_daemons
    subprocess.run(["scancel", f"--user={os.getuid()}"], capture_output=True, check=False)
    until(lambda: not slurm_daemons.run("squeue", "-h").strip(), 20)


@pytest.fixture
def limited_slurm(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestSlurm]:
    """A Slurm with accounting that takes four jobs of a user at a time."""
    if missing := missing_for_slurm(accounting=True):
        pytest.skip(f"no accounting on this machine: {missing} not found (Debian: slurmdbd, mariadb-server)")
    folder = tmp_path_factory.mktemp("limited")
    started = start_slurm(folder, "4", "accounting", "4")
    monkeypatch.setenv("SLURM_CONF", str(started.configuration))
    yield started
    stop_slurm(folder)


def until(true: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Wait until something is true; whether it came true in time."""
    end = time.time() + seconds
    while time.time() < end:
        if true():
            return True
        time.sleep(0.1)
    return bool(true())
