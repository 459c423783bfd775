"""A campaign by an embedded engine here: order, failures that stay alone, threads, and kill -9 at any moment."""

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from ase.build import bulk, fcc111

from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.campaign import write_campaign
from nanoslab.driver.control import driver_lock
from nanoslab.driver.here import THREAD_VARIABLES
from nanoslab.driver.run import Ended, Step, run_campaign
from nanoslab.driver.status import campaign_status
from nanoslab.engines import engine, read_result
from nanoslab.errors import EngineError, InputError

CALCULATORS = Path(__file__).parents[1] / "engines"
SETTINGS = Settings(source="test", force_tolerance=0.01)


def sheet_and_vacancies() -> list[Calculation]:
    sheet = fcc111("Cu", (2, 2, 3), vacuum=7.0, periodic=True)
    sheet.rattle(0.08, seed=1)
    made = []
    for index in (0, 11):
        vacancy = sheet.copy()
        del vacancy[[index]]
        made.append(
            Calculation(
                name=f"vacancy-{index}",
                role=Role(kind="vacancy"),
                atoms=vacancy,
                settings=SETTINGS,
                starts_from="sheet",
                removed_indices=(index,),
            )
        )
    silver = Calculation(name="silver", role=Role(kind="bulk"), atoms=bulk("Ag"), settings=SETTINGS)
    return [Calculation(name="sheet", role=Role(kind="pristine"), atoms=sheet, settings=SETTINGS), *made, silver]


@pytest.fixture(autouse=True)
def _calculators_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(CALCULATORS))


def written(folder: Path, calculations: list[Calculation]) -> Path:
    study = folder.parent / "study.yaml"
    study.write_text("study: copper\n")
    write_campaign(study, calculations, folder)
    return folder


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    return written(tmp_path / "campaign", sheet_and_vacancies())


def states(ended: tuple[Ended, ...]) -> dict[str, str]:
    return {one.name: one.state for one in ended}


def results(folder: Path) -> dict[str, Any]:
    found = {}
    for path in sorted(folder.glob("*/*/result.json")):
        record = json.loads(path.read_text())
        del record["wall_time_s"]
        found[path.parent.parent.name] = (record, path.with_name("final.extxyz").read_bytes())
    return found


def test_parents_come_first_and_nothing_is_repeated(campaign: Path) -> None:
    events: list[Any] = []
    ended = run_campaign(campaign, "calculators:SlowEMT", jobs=2, on_event=events.append)
    assert states(ended) == dict.fromkeys(("vacancy-0", "vacancy-11", "sheet", "silver"), "finished")
    order = [event.name for event in events if isinstance(event, Ended)]
    assert order.index("sheet") < min(order.index("vacancy-0"), order.index("vacancy-11"))
    steps = [event for event in events if isinstance(event, Step) and event.name == "sheet"]
    assert [event.step for event in steps] == list(range(len(steps)))
    assert steps[-1].max_free_force < 0.01 < steps[0].max_free_force
    assert all(one.already_there for one in run_campaign(campaign, "calculators:SlowEMT"))
    assert {standing.starts for standing in campaign_status(campaign)} == {1}


@pytest.mark.parametrize(("factory", "words"), [("Failing", "no silver today"), ("Dying", "SIGKILL")])
def test_a_failure_stays_alone_and_is_tried_again(campaign: Path, factory: str, words: str) -> None:
    for n_runs in (1, 2):
        found = states(run_campaign(campaign, f"calculators:{factory}", only="s*", jobs=1))  # sheet and silver
        assert found.pop("silver") == "failed"
        assert set(found.values()) == {"finished"}
        result = read_result(campaign / "silver" / engine(f"calculators:{factory}").label)
        assert result.energy is None
        assert words in result.problems[0]
        silver = next(standing for standing in campaign_status(campaign) if standing.name == "silver")
        assert silver.state == "failed"
        assert [words in start["reason"] for start in silver.history] == [True] * n_runs


def test_a_damaged_result_is_its_own_failure_and_the_others_go_on(campaign: Path) -> None:
    damaged = campaign / "silver" / engine("ase.calculators.emt:EMT").label / "result.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text('{"schema": 1, "energy')
    ended = {one.name: one for one in run_campaign(campaign, "ase.calculators.emt:EMT", only="s*", jobs=1)}
    assert ended["silver"].state == "failed"
    assert "result.json" in ended["silver"].problems[0]
    assert ended["sheet"].state == "finished"
    assert damaged.read_text() == '{"schema": 1, "energy'


def test_a_result_of_another_structure_is_not_taken_for_this_one(campaign: Path) -> None:
    run_campaign(campaign, "ase.calculators.emt:EMT", only="silver")
    path = campaign / "silver" / engine("ase.calculators.emt:EMT").label / "result.json"
    path.write_text(path.read_text().replace(json.loads(path.read_text())["fingerprint"], "0" * 64))
    (ended,) = run_campaign(campaign, "ase.calculators.emt:EMT", only="silver")
    assert ended.state == "failed"
    assert "move that folder away" in ended.problems[0]


def test_children_of_a_failed_parent_say_so(tmp_path: Path) -> None:
    silver = bulk("Ag", cubic=True)
    rest = silver.copy()
    del rest[[0]]
    parent = Calculation(name="Ag", role=Role(kind="pristine"), atoms=silver, settings=SETTINGS)
    child = Calculation(
        name="v", role=Role(kind="vacancy"), atoms=rest, settings=SETTINGS, starts_from="Ag", removed_indices=(0,)
    )
    ended = run_campaign(written(tmp_path / "campaign", [parent, child]), "calculators:Failing")
    assert states(ended) == {"Ag": "failed", "v": "failed"}
    assert "Ag, from which it starts" in ended[1].problems[0]


def test_children_start_from_a_parent_that_ran_out_of_steps(tmp_path: Path) -> None:
    calculations = [
        dataclasses.replace(one, settings=dataclasses.replace(SETTINGS, max_ionic_steps=2))
        for one in sheet_and_vacancies()
    ]
    campaign = written(tmp_path / "campaign", calculations)
    ended = run_campaign(campaign, "calculators:SlowEMT", only="vacancy-0")
    assert set(states(ended).values()) == {"finished"}
    assert "not converged" in ended[0].problems[0]


def test_what_a_library_prints_goes_to_the_log(campaign: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run_campaign(campaign, "calculators:Talkative", only="silver")
    assert capfd.readouterr() == ("", "")
    log = (campaign / "silver" / "calculators-Talkative" / "run.log").read_text()
    assert "BANNER of a C library" in log
    assert "BANNER of a library" in log


def test_workers_have_one_thread_and_our_own_environment_is_left_alone(campaign: Path) -> None:
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    run_campaign(campaign, "calculators:NotesThreads", only="silver")
    log = (campaign / "silver" / "calculators-NotesThreads" / "run.log").read_text()
    assert "OMP_NUM_THREADS=1" in log
    assert {name: os.environ.get(name) for name in THREAD_VARIABLES} == before


def test_an_unfit_engine_is_refused_before_any_work(tmp_path: Path) -> None:
    odd = Calculation(name="Po", role=Role(kind="bulk"), atoms=bulk("Po", "sc", a=3.3), settings=SETTINGS)
    campaign = written(tmp_path / "campaign", [*sheet_and_vacancies(), odd])
    before = sorted(campaign.rglob("*"))
    with pytest.raises(EngineError, match="Po"):
        run_campaign(campaign, "chgnet")
    assert sorted(campaign.rglob("*")) == before


def test_a_selection_brings_its_parents_and_a_wrong_one_is_told(campaign: Path) -> None:
    ended = run_campaign(campaign, "calculators:SlowEMT", only="vacancy-1*")
    assert [one.name for one in ended] == ["sheet", "vacancy-11"]
    with pytest.raises(InputError, match="silver"):
        run_campaign(campaign, "calculators:SlowEMT", only="nothing")


def test_two_engines_may_compute_one_campaign_at_a_time_but_not_one_engine_twice(campaign: Path) -> None:
    with driver_lock(campaign, "another"):
        run_campaign(campaign, "calculators:SlowEMT", only="silver")
    with driver_lock(campaign, "calculators-SlowEMT"), pytest.raises(InputError, match="no other"):
        run_campaign(campaign, "calculators:SlowEMT", only="silver")
    assert not (campaign / "_cluster").exists()


def engine_name(counter: Path) -> str:
    return f"calculators:SlowEMT:seconds=0.03,counter={counter}"


def launch(campaign: Path, counter: Path, jobs: int = 2) -> "subprocess.Popen[bytes]":
    command = ["run", str(campaign), "--engine", engine_name(counter), "--jobs", str(jobs), "--quiet"]
    environment = {**os.environ, "PYTHONPATH": f"{CALCULATORS}:{os.environ.get('PYTHONPATH', '')}"}
    return subprocess.Popen(
        [sys.executable, "-m", "nanoslab", *command], env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )


def wait_for(counter: Path, size: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 120
    while process.poll() is None and counter.stat().st_size < size and time.monotonic() < deadline:
        time.sleep(0.002)


def kill_repeatedly(tmp_path: Path, n_kills: int) -> None:
    """Compare the end of a run that is killed with the end of one that is not, and count what was computed twice."""
    counter = tmp_path / "counter"  # its name is part of the engine's options, so both runs share it
    calm = written(tmp_path / "calm", sheet_and_vacancies())
    killed = written(tmp_path / "killed", sheet_and_vacancies())
    run_campaign(calm, engine_name(counter), jobs=1)
    n_calm = counter.stat().st_size
    counter.write_text("")
    dice = random.Random(3)
    for kill in range(1, n_kills + 1):
        process = launch(killed, counter)
        if kill % 2:  # in the middle of a calculation; else whenever the dice say, also before the first one began
            wait_for(counter, counter.stat().st_size + max(1, n_calm // (n_kills + 2)), process)
        else:
            time.sleep(dice.uniform(0.5, 4.0))
        process.kill()
        process.wait()
    assert launch(killed, counter).wait() == 0
    assert results(calm) == results(killed)
    assert len(results(calm)) == 4
    assert counter.stat().st_size == n_calm  # what was under way at a kill was finished and taken over
    assert {standing.starts for standing in campaign_status(killed)} == {1}


def test_kill_minus_nine_of_the_driver_changes_and_repeats_nothing(tmp_path: Path) -> None:
    kill_repeatedly(tmp_path, 1)


@pytest.mark.slow
def test_ten_times_kill_minus_nine_changes_and_repeats_nothing(tmp_path: Path) -> None:
    kill_repeatedly(tmp_path, 10)


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_an_interrupt_stops_the_workers_and_the_next_run_goes_on_from_the_journal(
    campaign: Path, tmp_path: Path, number: int
) -> None:
    counter = tmp_path / "counter"
    counter.write_text("")
    process = launch(campaign, counter)
    wait_for(counter, 4, process)
    process.send_signal(number)
    assert process.wait(30) == 130
    computed = counter.stat().st_size
    time.sleep(0.3)
    assert counter.stat().st_size == computed  # nobody computes on
    assert launch(campaign, counter).wait() == 0
    assert len(results(campaign)) == 4
    again = [s for s in campaign_status(campaign) if s.starts == 2]
    assert 1 <= len(again) <= 2
    assert all("told to end" in standing.history[0]["reason"] for standing in again)


def test_a_worker_killed_with_its_driver_is_found_dead_and_its_work_goes_on(campaign: Path, tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("")
    process = launch(campaign, counter, jobs=1)
    wait_for(counter, 3, process)
    (worker,) = psutil.Process(process.pid).children()
    for pid in (process.pid, worker.pid):
        os.kill(pid, signal.SIGKILL)
    process.wait()
    assert launch(campaign, counter).wait() == 0
    starts = {standing.name: standing.history for standing in campaign_status(campaign)}
    assert [len(history) for history in starts.values()].count(2) == 1
    assert "its process is gone" in next(history for history in starts.values() if len(history) == 2)[0]["reason"]
