"""`nanoslab submit`: everything that cannot work is told in one line before anything is queued."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from ase import Atoms

from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.cli.main import main
from nanoslab.driver.vasp_campaign import write_vasp_campaign


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    atoms = Atoms("CdSe", positions=[[0, 0, 0], [2, 1, 1]], cell=[8, 8, 8], pbc=True)
    names = ("wz-sheet", "wz-v1", "zb-sheet")
    made = [
        Calculation(name=name, role=Role(kind="x"), atoms=atoms, settings=Settings(source="test")) for name in names
    ]
    (tmp_path / "study.yaml").write_text("study: toy\n")
    write_vasp_campaign(tmp_path / "study.yaml", made, tmp_path / "campaign")
    for name in names:
        (tmp_path / "campaign" / name / "POTCAR").write_text("none\n")
    return tmp_path / "campaign"


@pytest.fixture
def no_slurm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


@pytest.fixture
def stub_slurm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A queue that only lists one partition; whoever submits to it fails the test."""
    folder = tmp_path / "bin"
    folder.mkdir()
    answers = {
        "sinfo": "echo standard*; echo debug",
        "squeue": "true",
        "sbatch": "exit 99",
        "srun": "true",
        "vasp_std": "true",
    }
    for name, line in answers.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def cluster(campaign: Path, **fields) -> str:
    path = campaign.parent / "cluster.yaml"
    path.write_text(json.dumps({"vasp": {"std": "srun vasp_std"}, **fields}))
    return str(path)


@pytest.fixture
def unchanged(refused: Callable[..., str], campaign: Path) -> Callable[..., str]:
    def submit(*words: object) -> str:
        before = sorted(campaign.rglob("*"))
        said = refused("submit", campaign, *words)
        assert sorted(campaign.rglob("*")) == before
        return said

    return submit


def test_no_slurm_is_one_line(unchanged, campaign: Path, no_slurm) -> None:
    pytest.importorskip("executorlib")
    said = unchanged("--cluster", cluster(campaign))
    assert "sbatch" in said
    assert "backend: here" in said


def test_a_wrong_partition_is_one_line(unchanged, campaign: Path, stub_slurm) -> None:
    pytest.importorskip("executorlib")
    said = unchanged("--cluster", cluster(campaign, partition="standart"))
    assert "did you mean standard?" in said


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"vasp": {}}, "vasp: gam"),
        ({"vasp": {"std": "srun /opt/no/vasp_std"}}, "/opt/no/vasp_std"),
        ({"vasp": {"std": "srun vasp_noble"}}, "'vasp_noble', which is not found"),
        ({"vasp": {"std": "mpirun_noble vasp_std"}, "backend": "local"}, "mpirun_noble"),
        ({"ranks": [{"up_to_atoms": 1, "ranks": 1}]}, "2 atoms"),
        ({"wall_time": 300, "stop_before_end": 600}, "stop_before_end"),
        ({"windows": 3}, "did you mean 'window'?"),
    ],
)
def test_a_mistake_in_the_cluster_file_is_one_line(unchanged, campaign, stub_slurm, fields: dict, word: str) -> None:
    pytest.importorskip("executorlib")
    assert word in unchanged("--cluster", cluster(campaign, custodian=False, **fields))


def test_a_vasp_that_only_the_nodes_have_can_be_trusted(capsys, campaign: Path, stub_slurm) -> None:
    file = cluster(campaign, backend="array", vasp={"std": "srun vasp_noble"}, check_commands=False)
    assert main(["submit", str(campaign), "--cluster", file, "--dry-run"]) == 0
    file = cluster(campaign, backend="array", vasp={"std": "srun vasp_noble"}, setup=["vasp_noble() { :; }"])
    assert main(["submit", str(campaign), "--cluster", file, "--dry-run"]) == 0


def test_a_missing_potcar_is_one_line(unchanged, campaign: Path, stub_slurm) -> None:
    pytest.importorskip("executorlib")
    (campaign / "wz-v1" / "POTCAR").unlink()
    assert "wz-v1/POTCAR" in unchanged("--cluster", cluster(campaign, custodian=False))


def test_wrong_names_are_one_line_each(unchanged, campaign: Path, stub_slurm) -> None:
    file = cluster(campaign, backend="local", vasp={"std": "true"}, custodian=False)
    assert "--only" in unchanged("--cluster", file, "--only", "xx*")
    assert "--retry" in unchanged("--cluster", file, "--retry", "always")
    assert "did you mean parsl" in unchanged("--cluster", file, "--backend", "parls")
    assert "engine" in unchanged("--cluster", file, "--engine", "chgent")
    assert main(["submit", str(campaign.parent / "nowhere"), "--cluster", file]) == 2


def test_the_dry_run_shows_the_script_and_queues_nothing(capsys, campaign: Path, stub_slurm) -> None:
    pytest.importorskip("executorlib")
    file = cluster(
        campaign, partition="debug", account="me", setup=["ulimit -s 8192"], wall_time="1-00:00:00", custodian=False,
        ranks=[{"ranks": 128}], ranks_per_node=64,
    )  # fmt: skip
    before = sorted(campaign.rglob("*"))
    assert main(["submit", str(campaign), "--cluster", file, "--dry-run", "--only", "wz-*", "--json"]) == 0
    scripts = {row["name"]: row["script"] for row in json.loads(capsys.readouterr().out)["scripts"]}
    assert list(scripts) == ["wz-sheet", "wz-v1"]
    for line in ("--partition=debug", "--account=me", "--time=24:00:00", "--ntasks=128", "--nodes=2"):
        assert f"#SBATCH {line}\n" in scripts["wz-v1"]
    assert "ulimit -s 8192\n" in scripts["wz-v1"]
    assert sorted(campaign.rglob("*")) == before


def test_the_array_takes_the_settings_of_the_cluster_file(capsys, campaign: Path, stub_slurm) -> None:
    file = cluster(campaign, backend="array", partition="debug", stop_before_end=700, setup=["export A=1"])
    assert main(["submit", str(campaign), "--cluster", file, "--dry-run"]) == 0
    said = capsys.readouterr().out
    for words in ("#SBATCH --partition=debug", "B:USR1@700", "export A=1", "vasp_gam) srun vasp_std ;;"):
        assert words in said
