"""One run, one judgement, whichever door it came in by; the hard case is a run that converges exactly at NELM."""

import json
import re
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from nanoslab.campaign import load_campaign
from nanoslab.cli.main import main
from nanoslab.driver.config import load_cluster
from nanoslab.driver.drive import Request, orders, read_plan
from nanoslab.driver.job import run_job
from nanoslab.driver.job_array import job_array_script
from nanoslab.driver.judge import judge_left_behind
from nanoslab.driver.results import collect
from nanoslab.driver.status import campaign_status
from nanoslab.vasp import read_run


def electronic_steps(folder: Path) -> int:
    """Most electronic steps of an ionic one."""
    numbers = re.findall(r"Iteration\s+\d+\(\s*(\d+)\)", (folder / "OUTCAR").read_text())
    return max(map(int, numbers))


def run_with_limit(toy, limit: int | None) -> tuple[Path, dict]:
    """Run the one calculation of a campaign through the job of the loop, with another NELM in its INCAR."""
    made = toy(1, folder=f"limit-{limit}")
    folder = made.folder / "run-000"
    if limit is not None:
        incar = (folder / "INCAR").read_text()
        (folder / "INCAR").write_text(re.sub(r"NELM\s*=\s*\d+", f"NELM = {limit}", incar))
    request = Request(campaign=made.folder, cluster=load_cluster(made.cluster))
    return folder, run_job(asdict(orders(request, read_plan(made.folder))[0]))


@pytest.mark.parametrize("spare", [0, -1])
def test_the_loop_status_read_analyze_and_the_plain_array_agree(toy, capsys, tmp_path: Path, spare: int) -> None:
    needed = electronic_steps(run_with_limit(toy, None)[0])
    folder, outcome = run_with_limit(toy, needed + spare)
    converges = spare == 0
    assert electronic_steps(folder) == needed + spare
    assert outcome["outcome"] == ("done" if converges else "failed")  # the loop
    assert read_run(folder).converged is converges
    capsys.readouterr()
    main(["read", str(folder), "--json"])
    assert json.loads(capsys.readouterr().out)["runs"][0]["converged"] is converges
    assert collect(load_campaign(folder.parent), "vasp")["run-000"].converged is converges  # analyze
    assert campaign_status(folder.parent)[0].state == outcome["outcome"]
    for record in ("state.json", "attempts"):  # as after submit.sh by hand: only VASP's files say how it stands
        path = folder / record
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert campaign_status(folder.parent)[0].state == outcome["outcome"]
    (folder / "vasp.exit").write_text("0 \n")  # the array, when its job is gone
    left = judge_left_behind(folder, vasp=True)
    assert left is not None
    assert (left.outcome, left.reason) == (outcome["outcome"], outcome["reason"])
    (folder.parent / "submit.sh").write_text(job_array_script())
    listed = subprocess.run(
        ["bash", "submit.sh", "--list"], cwd=folder.parent, capture_output=True, text=True, check=True
    )
    assert listed.stdout == ""  # the script judges nothing: VASP came to its end, so it is not repeated
