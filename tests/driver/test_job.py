"""What happens on the node, run here: every way VASP fails, stops in time, repairs, and what is told afterwards."""

import json
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from nanoslab.campaign.state import Owner, claim_attempt, latest_attempt, read_attempt, read_state
from nanoslab.driver.backend import JobOrder
from nanoslab.driver.config import load_cluster
from nanoslab.driver.drive import Request, orders, read_plan
from nanoslab.driver.job import run_job
from nanoslab.driver.judge import level_changes
from nanoslab.driver.slurm import process_is_alive

ENERGY_TOLERANCE = 1e-6  # eV; the relaxations end below 2e-4 eV/Å in a well of some eV/Å²


def orders_of(toy, source: str = "vasp") -> tuple[JobOrder, ...]:
    return orders(Request(campaign=toy.folder, cluster=load_cluster(toy.cluster), source=source), read_plan(toy.folder))


def order_of(toy) -> JobOrder:
    return orders_of(toy)[0]


def run(order: JobOrder) -> dict:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymatgen's remarks on the stand-in's potentials
        return run_job(asdict(order))


def test_a_good_run_is_done_and_says_so_in_its_folder(toy) -> None:
    made = toy(1)
    assert run(order_of(made))["outcome"] == "done"
    state = read_state(made.folder / "run-000")
    assert state is not None
    assert (state.state, state.attempt, state.reason) == ("done", 1, "")
    assert read_attempt(made.folder / "run-000", 1)["steps"] > 3


def test_a_done_calculation_is_not_started_again(toy) -> None:
    made = toy(1)
    run(order_of(made))
    assert run(order_of(made))["outcome"] == "done"
    assert made.starts() == {"run-000": 1}


def test_a_calculation_somebody_runs_is_left_to_him(toy) -> None:
    made = toy(1)
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        owner = Owner(host=__import__("socket").gethostname(), pid=sleeper.pid)
        assert claim_attempt(made.folder / "run-000", owner, lambda _: True) == 1
        assert run(order_of(made))["outcome"] == "held"
    finally:
        sleeper.kill()
        sleeper.wait()
    assert made.starts() == {}
    assert run(order_of(made))["outcome"] == "done"


@pytest.mark.parametrize("kind", ["killed-mid-write", "empty-contcar", "silent-crash"])
def test_after_a_crash_the_next_start_ends_where_an_undisturbed_one_does(toy, kind: str) -> None:
    made = toy(1)
    run(order_of(made))
    undisturbed = made.energies()["run-000"]
    other = toy(1, folder="other")
    other.rules({"run-000": {"fail": kind, "times": 2}})  # the log has the first campaign's start already
    first = run(order_of(other))
    assert first["outcome"] == "again"
    assert "vasprun.xml" in first["reason"]
    left = (other.folder / "run-000" / "vasprun.xml").read_bytes()
    assert run(order_of(other))["outcome"] == "done"
    assert other.energies()["run-000"] == pytest.approx(undisturbed, abs=ENERGY_TOLERANCE)
    assert (other.folder / "run-000" / "attempts" / "001" / "vasprun.xml").read_bytes() == left


def test_a_wrong_exit_code_does_not_condemn_a_complete_run(toy) -> None:
    made = toy(1)
    made.rules({"*": {"fail": "exit-code"}})
    outcome = run(order_of(made))
    assert outcome["outcome"] == "done"
    assert "exit code was 1" in outcome["reason"]


def test_electrons_that_do_not_converge_are_a_failure_with_its_reason(toy) -> None:
    made = toy(1)
    made.rules({"*": {"fail": "nelm"}})
    outcome = run(order_of(made))
    assert outcome["outcome"] == "failed"
    assert "electrons not converged" in outcome["reason"]


def test_a_missing_vasp_needs_somebody(toy) -> None:
    order = replace(order_of(toy(1)), vasp_command=("no-such-vasp",))
    outcome = run(order)
    assert outcome["outcome"] == "needs-you"
    assert "no-such-vasp" in outcome["reason"]
    shell = replace(order, vasp_command=("sh", "-c", "exec no-such-vasp"))
    outcome = run(shell)
    assert outcome["outcome"] == "needs-you"
    assert "not found on the node" in outcome["reason"]


def test_it_stops_before_its_time_is_over_and_goes_on(toy) -> None:
    made = toy(1)
    made.rules({"*": {"step_time": 0.4}})
    outcome = run(replace(order_of(made), wall_time=2.0, stop_before_end=1.0))
    assert outcome["outcome"] == "stopped"
    assert outcome["steps"] >= 1
    state = read_state(made.folder / "run-000")
    assert state is not None
    assert state.state == "waiting"
    made.rules({})
    assert run(order_of(made))["outcome"] == "done"
    assert latest_attempt(made.folder / "run-000") == 2


def test_a_termination_by_the_queue_ends_vasp_and_is_recorded(toy) -> None:
    made = toy(1)
    made.rules({"*": {"fail": "hang"}})
    program = "import json, sys; from nanoslab.driver.job import run_job; run_job(json.loads(sys.argv[1]))"
    process = subprocess.Popen([sys.executable, "-c", program, json.dumps(asdict(order_of(made)))])
    oszicar = made.folder / "run-000" / "OSZICAR"
    end = time.time() + 30
    while not (oszicar.exists() and "F=" in oszicar.read_text()) and time.time() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert read_attempt(made.folder / "run-000", 1)["outcome"] == "again"
    pid = int(made.log.read_text().split()[1])
    assert not process_is_alive(pid)


def test_a_full_disk_in_the_folder_needs_somebody(toy, tmp_path: Path) -> None:
    import os

    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    made = toy(1)
    folder = made.folder / "run-000"
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)], check=False).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        for name, data in kept.items():
            (folder / name).write_bytes(data)
        outcome = run(order_of(made))
        assert outcome["outcome"] == "needs-you"
        assert "no space left" in outcome["reason"]
        state = read_state(folder)
        assert state is not None
        assert state.state == "needs-you"
        subprocess.run(["mount", "-o", "remount,size=8m", str(folder)], check=True)
        assert run(order_of(made))["outcome"] == "done"
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("kind", ["non-hermitian", pytest.param("zbrent", marks=pytest.mark.slow), "nelm"])
def test_custodian_repairs_what_leaves_the_answer_alone(toy, kind: str) -> None:
    pytest.importorskip("custodian")
    made = toy(1, custodian=True)
    undisturbed = toy(1, folder="other")
    run(order_of(undisturbed))
    made.rules({"*": {"fail": kind}})
    outcome = run(order_of(made))
    assert outcome["outcome"] == "done"
    assert "repaired" in outcome["reason"]
    assert level_changes(made.folder / "run-000") == ""
    assert made.energies()["run-000"] == pytest.approx(undisturbed.energies()["run-000"], abs=ENERGY_TOLERANCE)
    assert (made.folder / "run-000" / "error.1.tar.gz").exists()


def test_custodian_stops_in_time_without_touching_the_incar(toy) -> None:
    pytest.importorskip("custodian")
    made = toy(1, custodian=True)
    made.rules({"*": {"step_time": 0.4}})
    before = (made.folder / "run-000" / "INCAR").read_bytes()
    outcome = run(replace(order_of(made), wall_time=4.0, stop_before_end=2.0))
    assert outcome["outcome"] == "stopped"
    assert (made.folder / "run-000" / "INCAR").read_bytes() == before


def test_a_repair_that_would_change_the_answer_is_seen(tmp_path: Path) -> None:
    (tmp_path / "INCAR.initial").write_text("ENCUT = 400\nLREAL = .FALSE.\nALGO = Fast\nGGA = PE\n")
    (tmp_path / "INCAR").write_text("ENCUT = 400.0\nLREAL = False\nALGO = All\nGGA = Pe\n")
    assert level_changes(tmp_path) == ""
    (tmp_path / "INCAR").write_text("ENCUT = 400\nLREAL = Auto\nSIGMA = 0.05\nGGA = PE\n")
    assert level_changes(tmp_path) == "LREAL from .FALSE. to Auto, SIGMA from its default to 0.05"
    (tmp_path / "INCAR").write_text("ENCUT = 400\nLREAL = F\nGGA = PE\n")
    (tmp_path / "KPOINTS.initial").write_text("a\n0\nGamma\n2 2 1\n0 0 0\n")
    (tmp_path / "KPOINTS").write_text("b\n0\nGamma\n3 3 1\n0 0 0\n")
    assert level_changes(tmp_path) == "the k-points"


def test_an_embedded_engine_runs_on_a_node_and_starts_children_from_its_own_parents(toy) -> None:
    made = toy(1, children=1)
    lj = "ase.calculators.lj:LennardJones:sigma=2.3,epsilon=0.5,rc=6.0"
    from nanoslab.engines import engine, read_result

    label = engine(lj).label
    for order in orders_of(made, lj):
        outcome = run(order)
        assert outcome["outcome"] == "done", outcome
    child = read_result(made.folder / "child-0" / label)
    assert child.converged
    assert read_state(made.folder / "child-0" / label).state == "done"
    assert read_state(made.folder / "child-0") is None
