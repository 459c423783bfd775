"""Many calculations: order, failures that stay alone, threads, and kill -9 at any moment."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ase.build import bulk, fcc111
from nanoslab.engines.workers import THREAD_VARIABLES

from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.engines import engine, read_result, run_calculations, select
from nanoslab.errors import EngineError, InputError

HERE = Path(__file__).parent
SETTINGS = Settings(source="test", force_tolerance=0.01)


def sheet_and_vacancies() -> list[Calculation]:
    """Vacancies first, so that the order is the run's to find."""
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
    return [*made, Calculation(name="sheet", role=Role(kind="pristine"), atoms=sheet, settings=SETTINGS), silver]


@pytest.fixture(autouse=True)
def _calculators_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))


def results(folder: Path) -> dict[str, Any]:
    found = {}
    for path in sorted(folder.glob("*/*/result.json")):
        record = json.loads(path.read_text())
        del record["wall_time_s"]
        found[path.parent.parent.name] = (record, path.with_name("final.extxyz").read_bytes())
    return found


def test_parents_come_first_and_nothing_is_repeated(tmp_path: Path) -> None:
    calculations = sheet_and_vacancies()
    events: list[Any] = []
    outcomes = run_calculations(calculations, engine("calculators:SlowEMT"), tmp_path, jobs=2, on_event=events.append)
    assert [outcome.name for outcome in outcomes] == [calculation.name for calculation in calculations]
    assert {outcome.state for outcome in outcomes} == {"finished"}
    ended = [event.name for event in events if hasattr(event, "state")]
    assert ended.index("sheet") < min(ended.index("vacancy-0"), ended.index("vacancy-11"))
    assert all(o.already_there for o in run_calculations(calculations, engine("calculators:SlowEMT"), tmp_path))


@pytest.mark.parametrize(("factory", "words"), [("Failing", "no silver today"), ("Dying", "SIGKILL")])
def test_a_failure_stays_alone_and_is_tried_again(tmp_path: Path, factory: str, words: str) -> None:
    failing = engine(f"calculators:{factory}")
    outcomes = {o.name: o for o in run_calculations(sheet_and_vacancies(), failing, tmp_path, jobs=1)}
    assert outcomes.pop("silver").state == "failed"
    assert {outcome.state for outcome in outcomes.values()} == {"finished"}
    result = read_result(tmp_path / "silver" / failing.label)
    assert result.energy is None
    assert words in result.problems[0]


def test_a_damaged_result_is_its_own_failure_and_the_others_go_on(tmp_path: Path) -> None:
    damaged = tmp_path / "silver" / engine("ase.calculators.emt:EMT").label
    damaged.mkdir(parents=True)
    (damaged / "result.json").write_text('{"schema": 1, "energy')
    outcomes = {
        o.name: o for o in run_calculations(sheet_and_vacancies(), engine("ase.calculators.emt:EMT"), tmp_path, jobs=1)
    }
    assert outcomes["silver"].state == "failed"
    assert "result.json" in outcomes["silver"].problems[0]
    assert outcomes["sheet"].state == "finished"
    assert (damaged / "result.json").read_text() == '{"schema": 1, "energy'


def test_children_of_a_failed_parent_say_so(tmp_path: Path) -> None:
    silver = bulk("Ag", cubic=True)
    rest = silver.copy()
    del rest[[0]]
    calculations = [
        Calculation(
            name="v", role=Role(kind="vacancy"), atoms=rest, settings=SETTINGS, starts_from="Ag", removed_indices=(0,)
        ),
        Calculation(name="Ag", role=Role(kind="pristine"), atoms=silver, settings=SETTINGS),
    ]
    outcomes = run_calculations(calculations, engine("calculators:Failing"), tmp_path)
    assert [outcome.state for outcome in outcomes] == ["failed", "failed"]
    assert "Ag, from which it starts" in outcomes[0].problems[0]


def test_what_a_library_prints_goes_to_the_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run_calculations(sheet_and_vacancies()[-1:], engine("calculators:Talkative"), tmp_path)
    assert capfd.readouterr() == ("", "")
    log = (tmp_path / "silver" / "calculators-Talkative" / "run.log").read_text()
    assert "BANNER of a C library" in log
    assert "BANNER of a library" in log


def test_workers_have_one_thread_and_our_own_environment_is_left_alone(tmp_path: Path) -> None:
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    run_calculations(sheet_and_vacancies()[-1:], engine("calculators:NotesThreads"), tmp_path)
    log = (tmp_path / "silver" / "calculators-NotesThreads" / "run.log").read_text()
    assert "OMP_NUM_THREADS=1" in log
    assert {name: os.environ.get(name) for name in THREAD_VARIABLES} == before


def test_an_unfit_engine_is_refused_before_any_work(tmp_path: Path) -> None:
    odd = Calculation(name="Po", role=Role(kind="bulk"), atoms=bulk("Po", "sc", a=3.3), settings=SETTINGS)
    with pytest.raises(EngineError, match="Po"):
        run_calculations([*sheet_and_vacancies(), odd], engine("chgnet"), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_parent_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="starts_from"):
        run_calculations(sheet_and_vacancies()[:1], engine("calculators:SlowEMT"), tmp_path)


def test_a_selection_brings_its_parents() -> None:
    assert [c.name for c in select(sheet_and_vacancies(), "vacancy-1*")] == ["vacancy-11", "sheet"]
    with pytest.raises(InputError, match="silver"):
        select(sheet_and_vacancies(), "nothing")


RUN = """
import sys
sys.path.insert(0, {here!r})
from pathlib import Path
from test_campaign_run import sheet_and_vacancies
from nanoslab.engines import engine, run_calculations
if __name__ == "__main__":
    run_calculations(sheet_and_vacancies(), engine({name!r}), Path({folder!r}), jobs=2)
"""


def launch(folder: Path, counter: Path) -> subprocess.Popen[bytes]:
    name = f"calculators:SlowEMT:seconds=0.03,counter={counter}"
    script = folder.parent / "run_it.py"
    script.write_text(RUN.format(here=str(HERE), name=name, folder=str(folder)))
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    return subprocess.Popen([sys.executable, str(script)], env=environment, start_new_session=True)


def kill_repeatedly(tmp_path: Path, n_kills: int) -> None:
    """Compare the end of a run that is killed with the end of one that is not, and count what was computed twice."""
    counter = tmp_path / "counter"  # its name is part of the engine's options, so both runs share it
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    run_calculations(sheet_and_vacancies(), engine(f"calculators:SlowEMT:seconds=0.03,counter={counter}"), calm, jobs=1)
    n_calm = counter.stat().st_size
    counter.write_text("")
    for kill in range(n_kills):
        process = launch(killed, counter)
        enough = counter.stat().st_size + max(1, n_calm // (n_kills + 2)) + kill % 3
        deadline = time.monotonic() + 60
        while process.poll() is None and counter.stat().st_size < enough and time.monotonic() < deadline:
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert launch(killed, counter).wait() == 0
    assert results(calm) == results(killed)
    assert len(results(calm)) == 4
    n_workers = 2
    assert counter.stat().st_size <= n_calm + n_workers * n_kills  # only what was under way at a kill is lost


def test_kill_minus_nine_changes_nothing(tmp_path: Path) -> None:
    kill_repeatedly(tmp_path, 1)


@pytest.mark.slow
def test_ten_times_kill_minus_nine_changes_nothing(tmp_path: Path) -> None:
    kill_repeatedly(tmp_path, 10)
