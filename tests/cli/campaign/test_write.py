"""nanoslab write and nanoslab new: what a user sees."""

import json
from pathlib import Path

import pytest
from potcar_writer import write_library

from nanoslab.cli.main import main

STUDY = """study: cdse-nanosheet
title: one small sheet
sheets:
  - {phase: wurtzite, crystal: CdSe-wurtzite, face: "11-20", monolayers: 3, kpoints: [4, 3, 1]}
series:
  - {name: surface, remove: Se, region: top, counts: [1]}
references: {atoms: true, elements: {}, bulk: false}
"""


pytestmark = pytest.mark.usefixtures("no_potcar_library")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path


def write(*words: object) -> int:
    return main(["write", *map(str, words)])


def test_the_table_says_what_was_written(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert write(study, tmp_path / "c") == 0
    out = capsys.readouterr().out
    row = next(line for line in out.splitlines() if line.startswith("wurtzite-pristine"))
    assert row.split() == ["wurtzite-pristine", "pristine", "Cd6Se6", "12", "4x3x1", "spec", "new"]
    assert "PMG_VASP_PSP_DIR" in out
    assert (tmp_path / "c" / "wurtzite-pristine" / "POSCAR").is_file()
    assert write(study, tmp_path / "c") == 0
    assert " new" not in capsys.readouterr().out


def test_json_is_one_document(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    library = write_library(tmp_path / "library")
    assert write(study, tmp_path / "c", "--potcars", library, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    deck = document["decks"][0]
    assert (deck["name"], deck["n_atoms"], deck["kpoints"]) == ("wurtzite-pristine", 12, [4, 3, 1])
    assert deck["has_potcar"] is True
    assert deck["potentials"] == ["PAW_PBE Cd 06Sep2000", "PAW_PBE Se 06Sep2000"]


def test_a_dataset_can_be_chosen(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert write(study, tmp_path / "c", "--dataset", "Cd=Cd_GW", "--json") == 0
    assert json.loads(capsys.readouterr().out)["decks"][0]["potentials"] == ["Cd_GW", "Se"]
    library = write_library(tmp_path / "library", ("Cd_sv_GW", "Se"))
    assert write(study, tmp_path / "d", "--potcars", library, "--dataset", "Cd=Cd_sv_GW", "--json") == 0
    assert "PAW_PBE Cd_sv_GW 06Sep2000" in json.loads(capsys.readouterr().out)["decks"][0]["potentials"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--potcars", "nowhere"], "nowhere: expected a folder of POTCARs"),
        (["--potcars", "poor"], "(no Se)"),
        (["--dataset", "Pb"], "--dataset: expected ELEMENT=DATASET"),
        (["--dataset", "Cd=Se"], "a dataset of Cd"),
    ],
)
def test_faults_are_one_line_and_leave_no_campaign(
    study: Path, tmp_path: Path, refused, words: list[str], found: str
) -> None:
    write_library(tmp_path / "poor", ("Cd",))
    given = [tmp_path / word if word in ("nowhere", "poor") else word for word in words]
    assert found in refused("write", study, tmp_path / "c", *given)
    assert not (tmp_path / "c").exists()


def test_vasp_says_at_the_writing_what_it_cannot_do_and_takes_what_it_can(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], refused
) -> None:
    study.write_text(STUDY + "settings: {functional: PBEE}\n")
    err = refused("write", study, tmp_path / "c")
    assert "settings.functional: expected one of LDA" in err
    assert "did you mean PBE" in err
    assert not (tmp_path / "c").exists()
    study.write_text(STUDY + "settings: {spin_polarized: true, initial_moments: {Cd: 0.5}, hubbard_u: {Cd: 2.1}}\n")
    assert write(study, tmp_path / "c") == 0
    incar = (tmp_path / "c" / "wurtzite-pristine" / "INCAR").read_text()
    for line in ("ISPIN = 2", "MAGMOM = 6*0.5 6*0", "LDAUU = 2.1 0", "LDAUL = 2 -1"):
        assert f"{line}\n" in incar


def test_results_are_never_overwritten(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(study, tmp_path / "c")
    (tmp_path / "c" / "wurtzite-pristine" / "OUTCAR").write_text("precious")
    study.write_text(STUDY.replace("monolayers: 3", "monolayers: 4"))
    capsys.readouterr()
    assert write(study, tmp_path / "c") == 2
    assert "OUTCAR" in capsys.readouterr().err
    assert (tmp_path / "c" / "wurtzite-pristine" / "OUTCAR").read_text() == "precious"


def test_new_prints_a_study_that_can_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "cdse-nanosheet"]) == 0
    (tmp_path / "mine.yaml").write_text(capsys.readouterr().out)
    assert write(tmp_path / "mine.yaml", tmp_path / "c", "--json") == 0
    decks = {deck["name"]: deck for deck in json.loads(capsys.readouterr().out)["decks"]}
    assert decks["wurtzite-pristine"]["formula"] == "Cd14Se14"


def test_new_lists_and_suggests(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new"]) == 0
    assert "cdse-nanosheet" in capsys.readouterr().out
    assert main(["new", "cdse_nanosheet"]) == 0
    capsys.readouterr()
    assert main(["new", "cdse-nanoshet"]) == 2
    assert "did you mean cdse-nanosheet" in capsys.readouterr().err
