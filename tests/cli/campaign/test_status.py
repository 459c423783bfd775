"""`nanoslab status`: from the folders alone, quickly."""

import json
import os
import re
import time
from pathlib import Path

import pytest

from nanoslab.campaign.state import Owner, State, claim_attempt, read_attempt, record_attempt, write_state
from nanoslab.cli.main import main


def campaign(folder: Path, calculations: list[str]) -> Path:
    rows = [f"{name}\t0\tvasp_std\t-\t-" for name in calculations]
    folder.mkdir(exist_ok=True)
    (folder / "calculations.tsv").write_text("\n".join(["name\tlevel\tvasp\tparent\tremoved", *rows]) + "\n")
    for name in calculations:
        (folder / name).mkdir()
    return folder


def rows_of(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> dict:
    assert main(["status", str(folder), "--json", *words]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    return {row["name"]: row for row in document["calculations"]}


def test_every_state_is_told_with_its_reason(capsys, tmp_path: Path) -> None:
    folder = campaign(tmp_path / "c", ["a", "b", "d", "e", "f"])
    write_state(folder / "b", State(state="running", job="12", attempt=2))
    write_state(folder / "d", State(state="failed", reason="ZBRENT"))
    write_state(folder / "e", State(state="needs-you", reason="no POTCAR"))
    (folder / "f" / "state.json").write_text("{")
    rows = rows_of(capsys, folder)
    states = {name: row["state"] for name, row in rows.items()}
    assert states == {"a": "waiting", "b": "running", "d": "failed", "e": "needs-you", "f": "needs-you"}
    assert (rows["b"]["job"], rows["b"]["starts"], rows["d"]["reason"]) == ("12", 2, "ZBRENT")
    assert "state.json" in rows["f"]["reason"]


def test_the_table_shows_what_somebody_should_look_at(capsys, tmp_path: Path) -> None:
    folder = campaign(tmp_path / "c", [f"c{i:02d}" for i in range(50)])
    for i in range(48):
        write_state(folder / f"c{i:02d}", State(state="done"))
    write_state(folder / "c48", State(state="failed", reason="ran out [of] luck"))
    assert main(["status", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "ran out [of] luck" in said
    assert "48 done" in said
    assert "c01" not in said
    assert main(["status", str(folder), "--all"]) == 0
    assert "c01" in capsys.readouterr().out


def test_every_start_is_told_with_its_end(capsys, tmp_path: Path) -> None:
    folder = campaign(tmp_path / "c", ["a", "b"])
    ends = [("again", "job 7 is gone: its node failed (NODE_FAIL)"), ("stopped", "stopped in time"), ("done", "")]
    for outcome, reason in ends:
        number = claim_attempt(folder / "a", Owner(host="n1", pid=1, job="7"), lambda _: False)
        record = {**read_attempt(folder / "a", number), "outcome": outcome, "reason": reason, "ended": 2e9}
        record_attempt(folder / "a", number, record)
    write_state(folder / "a", State(state="done", attempt=3))
    row = rows_of(capsys, folder)["a"]
    assert row["starts"] == 3
    assert [(start["number"], start["outcome"], start["reason"]) for start in row["history"]] == [
        (number, *end) for number, end in enumerate(ends, start=1)
    ]
    assert (row["history"][0]["job"], row["history"][0]["ended_unix_s"]) == ("7", 2e9)
    assert main(["status", str(folder)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "start 1 again: job 7 is gone: its node failed" in said
    assert "start 2 stopped: stopped in time" in said


def test_a_job_that_must_be_over_is_doubted(capsys, tmp_path: Path) -> None:
    folder = campaign(tmp_path / "c", ["a"])
    write_state(folder / "a", State(state="running", wall_time_s=60.0))
    text = (folder / "a" / "state.json").read_text()
    then = time.time() - 7200
    (folder / "a" / "state.json").write_text(re.sub(r'"since": [\d.]+', f'"since": {then}', text))
    assert "wall time is over since 2.0 h" in rows_of(capsys, folder)["a"]["reason"]


def test_runs_started_by_other_means_are_judged_by_their_outputs(capsys, tmp_path: Path) -> None:
    folder = campaign(tmp_path / "c", ["a"])
    (folder / "a" / "OUTCAR").write_text(" vasp.6.4.2 \n")
    os.utime(folder / "a" / "OUTCAR", (1e9, 1e9))
    row = rows_of(capsys, folder)["a"]
    assert row["state"] == "failed"
    assert row["reason"]


def test_embedded_engines_are_rows_of_their_own(capsys, tmp_path: Path) -> None:
    folder = campaign(tmp_path / "c", ["a", "b"])
    (folder / "a" / "emt").mkdir()
    document = {"schema": 1, "name": "a", "energy_eV": -1.0, "converged": True, "finished": True, "problems": []}
    (folder / "a" / "emt" / "result.json").write_text(json.dumps(document))
    rows = rows_of(capsys, folder)
    assert {name: (row["source"], row["state"]) for name, row in rows.items()} == {
        "a": ("emt", "done"),
        "b": ("emt", "waiting"),
    }


def test_a_thousand_folders_take_seconds(capsys, tmp_path: Path) -> None:
    names_ = [f"c{i:04d}" for i in range(1000)]
    folder = campaign(tmp_path / "c", names_)
    for name in names_:
        (folder / name / "state.json").write_text('{"state": "done"}\n')
        (folder / name / "OUTCAR").write_text("x" * 1000)
    start = time.perf_counter()
    rows = rows_of(capsys, folder)
    assert len(rows) == 1000
    assert time.perf_counter() - start < 5.0  # measured 0.1 s; the rest is for a busy machine


def test_only_and_a_folder_that_is_no_campaign(capsys, tmp_path: Path) -> None:
    folder = campaign(tmp_path / "c", ["wz-a", "zb-a"])
    assert list(rows_of(capsys, folder, "--only", "wz*")) == ["wz-a"]
    assert main(["status", str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err
