"""A campaign as processes of this machine, through the command line: killed drivers, cancels, retries."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nanoslab.campaign.state import State, read_attempt, record_attempt, write_state
from nanoslab.driver.control import DriverLock, driver_lock


def until_started(toy, n: int) -> None:
    end = time.time() + 60
    while sum(toy.starts().values()) < n and time.time() < end:
        time.sleep(0.05)
    assert sum(toy.starts().values()) >= n


def test_a_campaign_runs_to_its_end_and_a_killed_driver_loses_nothing(toy) -> None:
    made = toy(2, children=1)
    made.rules({"*": {"step_time": 0.15}})
    driver = made.drive()
    until_started(made, 1)
    driver.kill()  # kill -9: the processes go on
    driver.communicate()
    done = made.submit()
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(made.states().values()) == {"done"}
    assert made.starts() == dict.fromkeys(made.states(), 1)
    again = made.submit("--quiet")
    assert again.returncode == 0
    assert again.stdout == "3 done\n"
    assert sum(made.starts().values()) == 3


def test_a_run_that_ended_just_before_its_job_was_killed_is_done_and_not_repeated(toy) -> None:
    made = toy(1)
    assert made.submit().returncode == 0
    folder = made.folder / "run-000"
    record = read_attempt(folder, 1)
    for key in ("outcome", "reason", "ended"):  # as if killed between the end of VASP and writing that down
        del record[key]
    record_attempt(folder, 1, {**record, "pid": 2**22 + 1})
    write_state(folder, State(state="running", attempt=1))
    assert made.submit().returncode == 0
    assert made.starts() == {"run-000": 1}
    assert made.status()["run-000"]["history"][0]["outcome"] == "done"


def test_a_second_driver_is_told_who_the_first_is(toy) -> None:
    made = toy(1)
    with driver_lock(made.folder):
        second = made.submit()
    assert second.returncode == 2
    assert f"process {os.getpid()} on" in second.stderr
    assert second.stderr.count("\n") == 1
    assert made.starts() == {}


def test_the_lock_of_a_dead_driver_holds_nobody(toy) -> None:
    made = toy(1)
    (made.folder / "_cluster").mkdir()
    lock = made.folder / "_cluster" / "driver.json"
    lock.write_text(json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "started": 1.0}))  # another process
    with driver_lock(made.folder):
        assert DriverLock(made.folder).holder()
    assert DriverLock(made.folder).holder() == ""


def test_cancel_stops_it_and_submit_goes_on_from_there(toy) -> None:
    made = toy(1)
    made.rules({"*": {"fail": "hang", "times": 1}})
    driver = made.drive()
    oszicar = made.folder / "run-000" / "OSZICAR"
    until_started(made, 1)
    while not (oszicar.exists() and "F=" in oszicar.read_text()):
        time.sleep(0.02)
    done = subprocess.run(made.command("cancel", str(made.folder)), capture_output=True, text=True, check=False)
    assert done.stdout == "cancelled 1: run-000\n", done.stderr
    driver.communicate(timeout=60)
    assert made.states() == {"run-000": "waiting"}
    assert made.submit().returncode == 0
    assert made.starts() == {"run-000": 2}
    assert "goes on from the CONTCAR" in (made.folder / "_cluster" / "here" / "run-000.log").read_text()


def test_failures_keep_their_reason_and_are_retried_on_request(toy) -> None:
    made = toy(2, tries=1)
    made.rules({"run-001": {"fail": "nelm"}})
    done = made.submit()
    assert done.returncode == 2
    assert "run-001: electrons not converged" in done.stderr
    assert made.states() == {"run-000": "done", "run-001": "failed"}
    made.rules({})
    assert made.submit().returncode == 2  # left alone without being asked
    assert made.submit("--retry", "failed").returncode == 0
    assert made.starts() == {"run-000": 1, "run-001": 2}


def test_only_takes_the_named_ones_and_what_they_start_from(toy) -> None:
    made = toy(2, children=2)
    done = made.submit("--only", "child-1")
    assert done.returncode == 0, done.stderr
    assert {name for name, state in made.states().items() if state == "done"} == {"run-000", "child-1"}


def test_the_state_is_seen_in_a_copy_without_any_engine(toy, tmp_path: Path) -> None:
    made = toy(2, tries=1)
    made.rules({"run-001": {"fail": "silent-crash"}})
    made.submit()
    copy = tmp_path / "copy"
    for path in made.folder.glob("*/state.json"):  # nothing else is copied home
        (copy / path.parent.name).mkdir(parents=True)
        (copy / path.parent.name / "state.json").write_bytes(path.read_bytes())
    (copy / "calculations.tsv").write_bytes((made.folder / "calculations.tsv").read_bytes())
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('executorlib', 'parsl', 'custodian', 'pysqa')));"
        "from nanoslab.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "status", str(copy), "--json"], capture_output=True, text=True, check=False
    )
    rows = {row["name"]: row for row in json.loads(done.stdout)["calculations"]}
    assert rows["run-000"]["state"] == "done"
    assert rows["run-001"]["state"] == "failed"
    assert "exit code 139" in rows["run-001"]["reason"]


@pytest.mark.slow
def test_an_interrupt_leaves_the_processes_running(toy) -> None:
    made = toy(1)
    made.rules({"*": {"step_time": 0.2}})
    driver = made.drive()
    until_started(made, 1)
    os.kill(driver.pid, signal.SIGTERM)
    driver.communicate(timeout=30)
    assert driver.returncode == 130
    assert "run the same command again" in made.said.read_text()
    assert made.submit().returncode == 0
    assert made.starts() == {"run-000": 1}


@pytest.mark.slow
def test_ten_kills_of_the_driver_lose_and_repeat_nothing(toy) -> None:
    import random

    expected = toy(8, children=4, folder="undisturbed").compute_here()
    made = toy(8, children=4)
    made.rules({"*": {"step_time": 0.1}})
    dice = random.Random(1)
    for _ in range(10):
        driver = made.drive()
        time.sleep(dice.uniform(0.3, 4.0))
        driver.kill()
        driver.communicate()
    done = made.submit()
    assert done.returncode == 0, done.stdout + done.stderr
    assert made.starts() == dict.fromkeys(expected, 1)
    assert made.energies() == pytest.approx(expected, abs=1e-6)
