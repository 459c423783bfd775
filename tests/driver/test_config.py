"""The cluster file: every mistake in one line that says where and what to do."""

from pathlib import Path

import pytest

from nanoslab.driver.backend import JobOrder
from nanoslab.driver.config import Cluster, Ranks, VaspCommands, load_cluster, resource_lines
from nanoslab.driver.job_array import array_script
from nanoslab.driver.queues.with_executorlib import job_script
from nanoslab.driver.slurm import campaign_label
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


def test_every_script_asks_for_the_place_and_the_time_of_the_file() -> None:
    cluster = Cluster(partition="long", wall_time="1-02:00:00", ranks_per_node=64, vasp={"std": "srun vasp_std"})
    asked = ["--partition=long", "--time=26:00:00", "--ntasks=128", "--nodes=2", "--ntasks-per-node=64"]
    assert resource_lines(128, cluster) == asked
    head = "".join(f"#SBATCH {line}\n" for line in asked)
    order = JobOrder(campaign="/c", name="sheet", ranks=128, job_name="ns1.sheet")
    assert job_script(order, cluster, "run") == (
        "#!/bin/bash\n#SBATCH --job-name=ns1.sheet\n#SBATCH --output=/c/sheet/attempts/slurm-%j.out\n"
        f"#SBATCH --open-mode=append\n{head}\nrun\n"
    )
    assert head in array_script(cluster, 128)
    assert "\n    vasp_std) srun vasp_std ;;\n" in array_script(cluster, 128)


def test_campaigns_have_labels_of_their_own() -> None:
    assert campaign_label(Path("one")) != campaign_label(Path("two"))
