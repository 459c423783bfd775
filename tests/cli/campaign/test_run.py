"""``nanoslab run``: computes a campaign, names what failed, goes on where it stopped."""

import json
from pathlib import Path

import pytest
from ase.build import bulk, fcc111

from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.campaign import load_campaign, write_campaign
from nanoslab.cli.main import main
from nanoslab.driver.results import collect

CALCULATORS = Path(__file__).parents[2] / "engines"
SETTINGS = Settings(source="test", force_tolerance=0.01)


@pytest.fixture
def campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sheet of copper, a vacancy in it, and bulk silver."""
    monkeypatch.syspath_prepend(str(CALCULATORS))
    sheet = fcc111("Cu", (2, 2, 3), vacuum=7.0, periodic=True)
    sheet.rattle(0.05, seed=1)
    vacancy = sheet.copy()
    del vacancy[[11]]
    study = tmp_path / "study.yaml"
    study.write_text("study: copper\n")
    calculations = [
        Calculation(name="sheet", role=Role(kind="pristine"), atoms=sheet, settings=SETTINGS),
        Calculation(
            name="vacancy",
            role=Role(kind="vacancy"),
            atoms=vacancy,
            settings=SETTINGS,
            starts_from="sheet",
            removed_indices=(11,),
        ),
        Calculation(name="silver", role=Role(kind="bulk"), atoms=bulk("Ag"), settings=SETTINGS),
    ]
    write_campaign(study, calculations, tmp_path / "campaign")
    return tmp_path / "campaign"


def test_a_campaign_is_computed_and_collected(campaign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(campaign), "--engine", "calculators:SlowEMT", "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    document = json.loads(captured.out)
    assert document["schema"] == 1
    states = {row["name"]: row["state"] for row in document["calculations"]}
    assert states == {"vacancy": "finished", "sheet": "finished", "silver": "finished"}
    results = collect(load_campaign(campaign), document["engine"])
    for row in document["calculations"]:
        assert results[row["name"]].energy == row["energy_eV"]
        assert results[row["name"]].converged


def test_a_second_run_computes_nothing_and_shows_the_same(campaign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["run", str(campaign), "--engine", "calculators:SlowEMT", "--jobs", "1"]
    assert main(command) == 0
    first = capsys.readouterr().out
    assert "silver" in first
    assert main(command) == 0
    assert capsys.readouterr().out == first


def test_a_failure_is_named_and_the_others_go_on(campaign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(campaign), "--engine", "calculators:Failing"]) == 2
    captured = capsys.readouterr()
    assert "silver" in captured.err
    assert "no silver today" in captured.err
    assert captured.err.count("\n") == 1
    assert len(list(campaign.glob("*/calculators-Failing/result.json"))) == 2


def test_only_brings_what_it_starts_from(campaign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["run", str(campaign), "--engine", "calculators:SlowEMT", "--only", "vac*", "--json"]
    assert main(command) == 0
    names = {row["name"] for row in json.loads(capsys.readouterr().out)["calculations"]}
    assert names == {"vacancy", "sheet"}


def test_the_wall_time_is_kept_and_the_same_command_goes_on(campaign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["run", str(campaign), "--engine", "calculators:SlowEMT:seconds=0.005"]
    assert main([*command, "--wall-time", "1e-9"]) == 2
    assert "run the same command again" in capsys.readouterr().err
    assert not list(campaign.glob("*/*/result.json"))
    assert main(command) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--engine", "chgent"], "did you mean chgnet"),
        (["--jobs", "0"], "at least 1"),
        (["--wall-time", "-1"], "hours above 0"),
        (["--only", "nothing"], "silver"),
        (["--campaign", "elsewhere"], "only with a study file"),
    ],
)
def test_a_wrong_argument_is_one_line(campaign: Path, arguments: list[str], words: str, refused) -> None:
    assert words in refused("run", campaign, *arguments)
    assert not list(campaign.glob("*/*/run.log"))


def test_no_campaign_says_where_to_begin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(tmp_path / "nowhere")]) == 2
    assert "nanoslab new" in capsys.readouterr().err
