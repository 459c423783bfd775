"""The state in the folders: who holds a calculation, how often it was started, and what a full disk leaves."""

import json
import multiprocessing
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from nanoslab.campaign.state import (
    Owner,
    State,
    attempts_that_count,
    claim_attempt,
    current_state,
    latest_attempt,
    read_attempt,
    read_state,
    record_attempt,
    write_state,
)
from nanoslab.driver.slurm import owner_is_alive, process_is_alive, this_owner
from nanoslab.errors import FileError

ME = Owner(host="here", pid=1)


def alive(owner: Owner) -> bool:
    return True


def dead(owner: Owner) -> bool:
    return False


def test_a_state_reads_back_as_it_was_written(tmp_path: Path) -> None:
    written = write_state(tmp_path, State(state="failed", reason='a "quoted"\nreason, Å', attempt=2, job="7_1"))
    assert read_state(tmp_path) == written
    assert written.reason == 'a "quoted" reason, Å'
    assert json.loads((tmp_path / "state.json").read_text())["schema"] == 1


def test_a_broken_state_is_told_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"state": "runn')
    with pytest.raises(FileError, match=r"state\.json"):
        read_state(tmp_path)


def test_a_folder_nobody_touched_has_no_state(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    assert latest_attempt(tmp_path) == 0


def test_a_running_calculation_is_not_claimed_twice(tmp_path: Path) -> None:
    assert claim_attempt(tmp_path, ME, alive) == 1
    assert claim_attempt(tmp_path, Owner(host="here", pid=2), alive) is None
    assert latest_attempt(tmp_path) == 1


def test_the_start_of_a_dead_owner_is_followed_by_the_next(tmp_path: Path) -> None:
    assert claim_attempt(tmp_path, ME, alive) == 1
    assert claim_attempt(tmp_path, ME, dead) == 2


def test_a_done_calculation_is_never_claimed(tmp_path: Path) -> None:
    write_state(tmp_path, State(state="done"))
    assert claim_attempt(tmp_path, ME, dead) is None


def test_a_requeued_job_takes_over_from_its_earlier_life(tmp_path: Path) -> None:
    assert claim_attempt(tmp_path, Owner(host="n1", pid=5, job="42"), alive) == 1
    assert claim_attempt(tmp_path, Owner(host="n2", pid=5, job="42", restart=1), alive) == 2


def test_an_attempt_just_made_and_not_signed_counts_as_held(tmp_path: Path) -> None:
    (tmp_path / "attempts" / "001").mkdir(parents=True)
    assert claim_attempt(tmp_path, ME, dead) is None
    os.utime(tmp_path / "attempts" / "001", (time.time() - 100,) * 2)
    assert claim_attempt(tmp_path, ME, dead) == 2


def _race(folder: Path, barrier, results) -> None:
    barrier.wait()
    results.put(claim_attempt(folder, Owner(host="here", pid=os.getpid()), alive))


def test_of_many_rivals_one_gets_the_start(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(8), context.Queue()
    rivals = [context.Process(target=_race, args=(tmp_path, barrier, results)) for _ in range(8)]
    for rival in rivals:
        rival.start()
    got = [results.get(timeout=30) for _ in rivals]
    for rival in rivals:
        rival.join()
    assert sorted(number for number in got if number is not None) == [1]


def test_stops_at_the_wall_time_do_not_count_as_failures(tmp_path: Path) -> None:
    for outcome in ("stopped", "again", "stopped", None):
        number = claim_attempt(tmp_path, ME, dead)
        assert number is not None
        if outcome:
            record_attempt(tmp_path, number, {**read_attempt(tmp_path, number), "outcome": outcome})
    assert attempts_that_count(tmp_path, 0) == 2
    assert attempts_that_count(tmp_path, 3) == 1


def test_a_job_killed_between_its_two_records_is_settled_by_the_first(tmp_path: Path) -> None:
    write_state(tmp_path, State(state="running", attempt=1))
    (tmp_path / "attempts" / "001").mkdir(parents=True)
    record_attempt(tmp_path, 1, {"host": "here", "pid": 3, "outcome": "done", "reason": ""})
    found = current_state(tmp_path)
    assert found is not None
    assert found.state == "done"


def test_processes_are_told_apart_from_later_ones_of_the_same_number() -> None:
    assert owner_is_alive(this_owner())
    assert not process_is_alive(os.getpid(), started_before=1.0)
    assert not process_is_alive(2**22 + 1)


@pytest.fixture
def small_disk(tmp_path: Path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small disk needs root")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "none", str(folder)], check=False)
    if done.returncode:
        pytest.skip("mounting a small disk is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_still_tells_why(small_disk: Path) -> None:
    write_state(small_disk, State(state="queued"))
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(b"x" * 10**6)
    write_state(small_disk, State(state="needs-you", reason="no space left"))
    found = read_state(small_disk)
    assert found is not None
    assert found.reason == "no space left"
