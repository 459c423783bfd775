"""The cluster file: every mistake in one line that says where and what to do."""

from pathlib import Path

import pytest

from nanoslab.driver.config import Cluster, Ranks, VaspCommands, load_cluster
from nanoslab.errors import InputError, NanoslabError
from nanoslab.files import data_folder


def test_the_template_is_valid_and_says_what_it_seems_to_say() -> None:
    cluster = load_cluster(data_folder("workflows") / "cluster.yaml")
    assert cluster.backend == "executorlib"
    assert cluster.wall_time == 24 * 3600
    assert cluster.stop_before_end == 600
    assert [cluster.ranks_for(n) for n in (1, 60, 61, 200, 201)] == [16, 16, 64, 64, 128]
    assert cluster.vasp.command("gam") == ("srun", "vasp_gam")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("walltime: 3", ["walltime", "did you mean 'wall_time'"]),
        ("backend: slurm", ["backend", "executorlib", "slurm"]),
        ("wall_time: soon", ["wall_time", "24:00:00", "soon"]),
        ("partition: two words", ["partition", "one word"]),
        ("ranks: [{ranks: 0}]", ["ranks", "above 0"]),
        ("vasp: {sdt: x}", ["vasp", "sdt", "std"]),
        ("window: 0", ["window"]),
        ("a: [", ["plain YAML"]),
        ("- a", ["named fields"]),
        ('setup: ["a\\nb"]', ["setup", "one line of printable text"]),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, text: str, words: list[str]) -> None:
    (tmp_path / "cluster.yaml").write_text(text)
    with pytest.raises(NanoslabError) as caught:
        load_cluster(tmp_path / "cluster.yaml")
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in ["cluster.yaml", *words]), caught.value


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(NanoslabError, match="nowhere"):
        load_cluster(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("24:00:00", 86400), ("1-12:00:00", 129600), ("90:00", 5400), (3600, 3600), ("2-00:30", 174600)],
)
def test_times_are_read_as_slurm_reads_them(given: str | int, seconds: int) -> None:
    assert Cluster(wall_time=given).wall_time == seconds


def test_a_structure_larger_than_every_line_is_refused() -> None:
    with pytest.raises(InputError, match="51 atoms"):
        Cluster(ranks=(Ranks(ranks=4, up_to_atoms=50),)).ranks_for(51)


def test_a_build_without_a_command_is_refused() -> None:
    with pytest.raises(InputError, match="vasp_ncl"):
        VaspCommands(std="srun vasp_std").command("ncl")
