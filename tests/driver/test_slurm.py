"""On a real Slurm of one node: the same campaign through every engine; kills, cancels, quotas, wall times."""

import random
import subprocess
import time

import psutil
import pytest

from nanoslab.driver.slurm import process_is_alive

TOLERANCE = 1e-6  # eV


def jobs() -> list[str]:
    done = subprocess.run(["squeue", "-h", "-r", "-o", "%A"], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("backend", ["parsl", "array"])
def test_every_engine_gives_the_same_results_with_one_start_each(toy, slurm, backend: str) -> None:
    if backend != "array":
        pytest.importorskip(backend)
    expected = toy(2, children=1, folder="here").compute_here()
    made = toy(2, children=1, backend=backend, window=2)
    done = made.submit()
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(made.states().values()) == {"done"}
    assert made.starts() == dict.fromkeys(expected, 1)
    assert made.energies() == pytest.approx(expected, abs=TOLERANCE)


def test_a_killed_driver_and_a_cancelled_job_lose_nothing(toy, slurm) -> None:
    pytest.importorskip("executorlib")
    expected = toy(4, folder="here").compute_here()
    made = toy(4, backend="executorlib", tries=5, partition="main", setup=["export NANOSLAB_TEST={{7*7}}"])
    made.rules({"*": {"step_time": 0.25}})
    dry = made.submit("--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert not (made.folder / "_cluster").exists()
    driver = made.drive()
    while sum(made.starts().values()) < 3:
        time.sleep(0.1)
    driver.kill()
    driver.communicate()
    cancelled = jobs()[0]
    subprocess.run(["scancel", cancelled], check=True)
    victims = [name for name, row in made.status().items() if row["job"] == cancelled]
    done = made.submit()
    assert done.returncode == 0, done.stdout + done.stderr
    assert made.starts() == {name: 2 if name in victims else 1 for name in expected}
    assert made.energies() == pytest.approx(expected, abs=TOLERANCE)
    check_script(made, dry.stdout)


def check_script(made, dry: str) -> None:
    """What the dry run showed is what sbatch got."""
    sent = (made.folder / "_cluster" / "executorlib" / "run-000" / "run_queue.sh").read_text()
    shown = dry[dry.index("# ---- run-000\n") :].partition("\n")[2].partition("\n# ---- ")[0]
    first_launch = sent.replace("run-000-2_i.h5", "run-000-1_i.h5")  # when the cancelled job was this one's
    assert shown.strip() == first_launch.strip()
    assert "#SBATCH --partition=main" in sent
    assert "export NANOSLAB_TEST={{7*7}}" in sent


def test_a_wrong_partition_is_told_before_anything_is_queued(toy, slurm) -> None:
    made = toy(1, backend="executorlib", partition="mian")
    done = made.submit()
    assert done.returncode == 2
    assert "did you mean main?" in done.stderr
    assert made.states() == {"run-000": "waiting"}


@pytest.mark.slow
def test_cancel_takes_the_jobs_out_of_the_queue(toy, slurm) -> None:
    pytest.importorskip("executorlib")
    made = toy(6, backend="executorlib")
    made.rules({"*": {"step_time": 1.0}})
    driver = made.drive()
    while len(jobs()) < 6:
        time.sleep(0.1)
    subprocess.run(made.command("cancel", str(made.folder)), check=True, capture_output=True)
    driver.communicate(timeout=60)
    end = time.time() + 20
    while jobs() and time.time() < end:
        time.sleep(0.2)
    assert jobs() == []
    assert set(made.states().values()) == {"waiting"}


def test_the_script_run_by_hand_is_seen_taken_over_and_not_driven_at_the_same_time(toy, slurm) -> None:
    expected = toy(2, children=1, folder="here").compute_here()
    made = toy(2, children=1, backend="array", sbatch=["--hold"])
    text = made.submit("--dry-run").stdout.partition("\n")[2]
    (made.folder / "submit.sh").write_text(text)
    done = subprocess.run(["bash", str(made.folder / "submit.sh")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    refused = made.submit()
    assert refused.returncode == 2
    assert "submit.sh" in refused.stderr
    subprocess.run(["scontrol", "release", *jobs()], check=True)
    while jobs():
        time.sleep(0.5)
    assert set(made.states().values()) == {"done"}  # by the reader: the script wrote no state
    assert made.submit().returncode == 0
    assert made.starts() == dict.fromkeys(expected, 1)
    assert made.energies() == pytest.approx(expected, abs=TOLERANCE)


@pytest.mark.parametrize("backend", ["executorlib", pytest.param("array", marks=pytest.mark.slow)])
def test_a_quota_of_four_jobs_is_respected_and_costs_nothing(toy, limited_slurm, backend: str) -> None:
    if backend == "executorlib":
        pytest.importorskip(backend)
    made = toy(6, children=1, backend=backend, window=20, tries=1)
    done = made.submit()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "takes no more for now" in done.stdout
    assert set(made.states().values()) == {"done"}
    assert made.starts() == dict.fromkeys(made.states(), 1)
    states = limited_slurm.run("sacct", "-n", "-X", "-o", "State").split()
    assert set(states) <= {"COMPLETED", "RUNNING", "COMPLETING"}  # the last slot may still be looking around


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["executorlib", "parsl", "array"])
def test_ten_kills_and_cancels_lose_nothing(toy, slurm, backend: str) -> None:
    """Each job that was cancelled starts once more, all others once; with Parsl those in flight at a kill too.

    Nothing is finished twice, whichever backend.
    """
    expected = toy(10, children=4, folder="here").compute_here()
    made = toy(10, children=4, backend=backend, window=6, tries=30)
    made.rules({"*": {"step_time": 0.15}})
    dice = random.Random(2)
    cancelled = 0
    for _ in range(10):
        driver = made.drive()
        time.sleep(dice.uniform(1.0, 7.0))
        driver.kill()
        driver.communicate()
        running = jobs()
        if running and dice.random() < 0.5:
            subprocess.run(["scancel", dice.choice(running)], check=True)
            cancelled += 1
    done = made.submit(timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(made.states().values()) == {"done"}
    assert made.energies() == pytest.approx(expected, abs=TOLERANCE)
    repeated = sum(made.starts().values()) - len(expected)
    print(f"{backend}: {repeated} starts more than calculations, {cancelled} jobs cancelled")
    assert repeated <= (60 if backend == "parsl" else cancelled)
    ends = [path.read_text() for path in made.folder.glob("*/attempts/*/job.json")]
    assert sum('"outcome": "done"' in text for text in ends) == len(expected)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["executorlib", "array"])
def test_a_wall_time_that_ends_hard_costs_one_start(toy, slurm, backend: str) -> None:
    """Slurm counts wall times in minutes: a VASP that hangs is killed at the end, and goes on in the next job."""
    made = toy(1, backend=backend, wall_time=60, stop_before_end=5, tries=3)
    made.rules({"*": {"fail": "hang", "times": 1}})
    done = made.submit(timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert made.states() == {"run-000": "done"}
    assert made.starts() == {"run-000": 2}


@pytest.mark.slow
def test_a_stop_before_the_wall_time_goes_on_by_itself(toy, slurm) -> None:
    made = toy(1, backend="executorlib", wall_time=60, stop_before_end=40, tries=1)
    made.rules({"*": {"step_time": 6.0}})
    done = made.submit(timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = [path.read_text() for path in sorted(made.folder.glob("run-000/attempts/*/job.json"))]
    assert len(outcomes) > 1
    assert all('"outcome": "stopped"' in text for text in outcomes[:-1])


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["executorlib", "parsl"])
def test_an_interrupted_driver_leaves_at_once_and_the_next_goes_on(toy, slurm, backend: str) -> None:
    made = toy(2, backend=backend)
    made.rules({"*": {"step_time": 0.4}})
    driver = made.drive()
    while sum(made.starts().values()) < 2:
        time.sleep(0.1)
    driver.terminate()
    driver.communicate(timeout=30)
    assert driver.returncode == 130
    done = made.submit()
    assert done.returncode == 0, done.stdout + done.stderr
    once = {"run-000": 1, "run-001": 1}
    assert made.starts() == once or backend == "parsl"  # stopping Parsl's driver stops its blocks
    assert set(made.states().values()) == {"done"}


@pytest.mark.slow
def test_a_killed_parsl_driver_leaves_no_interchange_behind(toy, slurm) -> None:
    pytest.importorskip("parsl")
    made = toy(2, backend="parsl")
    made.rules({"*": {"step_time": 0.4}})
    driver = made.drive()
    while not made.starts():
        time.sleep(0.1)
    children = psutil.Process(driver.pid).children(recursive=True)
    noted = [child.pid for child in children if "interchange" in " ".join(child.cmdline())]
    assert noted
    driver.kill()
    driver.communicate()
    assert made.submit().returncode == 0
    assert not any(process_is_alive(pid) for pid in noted)
    assert set(made.states().values()) == {"done"}
