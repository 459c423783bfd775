"""A campaign through jobflow gives what `nanoslab run` gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanoslab.campaign import write_campaign
from nanoslab.studies.study_file import load_study

STUDY = """\
study: convergence
title: through jobflow
sheet: {phase: wz, crystal: CdSe-wurtzite, face: '11-20', monolayers: 2, kpoints: [1, 1, 1]}
monolayers: [1, 3]
"""
ENGINE = "ase.calculators.lj:LennardJones:sigma=2.4,epsilon=0.5,rc=6.0"


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    file = tmp_path / "study.yaml"
    file.write_text(STUDY)
    write_campaign(file, load_study(file).calculations(), tmp_path / "campaign")
    return tmp_path / "campaign"


@pytest.mark.filterwarnings("ignore")  # jobflow's own libraries warn
def test_a_flow_of_jobflow_answers_as_the_command_does(campaign: Path, tmp_path: Path) -> None:
    jobflow = pytest.importorskip("jobflow")
    from nanoslab.campaign import load_campaign
    from nanoslab.driver.results import read_runs
    from nanoslab.driver.run import run_campaign
    from nanoslab.report.flows import campaign_flow

    flow = campaign_flow(campaign, ENGINE)
    names = [one.name for one in flow.jobs]
    assert names[:-1] == ["e400-k1x1x1-v15-m1", "e400-k1x1x1-v15-m2", "e400-k1x1x1-v15-m3"]
    responses = jobflow.run_locally(flow, ensure_success=True, root_dir=tmp_path, create_folders=True)
    answer = responses[flow.jobs[-1].uuid][1].output
    assert [one["outcome"] for one in answer["outcomes"]] == ["done"] * 3

    other = tmp_path / "other"
    file = tmp_path / "study.yaml"
    write_campaign(file, load_study(file).calculations(), other)
    run_campaign(other, ENGINE, jobs=1)
    loaded = load_campaign(other)
    source = next(path.name for path in (other / names[0]).iterdir() if path.is_dir())
    same = load_study(loaded.study_file).analyze(read_runs(loaded, source)).to_dict()
    assert answer["points"] == same["points"]
    assert answer["missing"] == []


def test_without_jobflow_the_refusal_says_how_to_get_it(campaign: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from nanoslab.errors import EngineError
    from nanoslab.report.flows import campaign_flow

    monkeypatch.setitem(sys.modules, "jobflow", None)
    with pytest.raises(EngineError, match=r"nanoslab\[jobflow\]"):
        campaign_flow(campaign, ENGINE)
