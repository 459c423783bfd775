"""A campaign that version 0.1 wrote and computed (``version_1``, EMT) is read, analysed and gone on with."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from nanoslab.campaign import load_campaign, write_campaign
from nanoslab.driver.results import read_runs
from nanoslab.driver.run import run_campaign
from nanoslab.driver.vasp_campaign import write_vasp_campaign
from nanoslab.engines import engine
from nanoslab.engines.fingerprint import calculation_fingerprint
from nanoslab.errors import FileError

SHIPPED = Path(__file__).parent / "version_1"
EMT = "ase.calculators.emt:EMT"
LABEL = "ase.calculators.emt-EMT"


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "campaign"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_its_results_belong_to_what_is_read() -> None:
    campaign = load_campaign(SHIPPED)
    assert [calculation.name for calculation in campaign.calculations] == ["sheet", "v_Cu", "bulk"]
    for run in read_runs(campaign, LABEL):
        record = json.loads((SHIPPED / run.calculation.name / LABEL / "result.json").read_text())
        assert calculation_fingerprint(run.calculation, engine(EMT)) == record["fingerprint"]
        assert (run.result.energy, run.result.converged) == (record["energy_eV"], True)


def test_it_is_read_with_all_that_was_written() -> None:
    sheet = load_campaign(SHIPPED).calculations[0]
    assert sheet.atoms.get_chemical_symbols() == ["Cu"] * 3 + ["Ag"] + ["Cu"] * 7 + ["Ag"]
    kinds = [constraint.todict() for constraint in sheet.atoms.constraints]
    assert [kind["name"] for kind in kinds] == ["FixAtoms", "FixScaled"]
    assert kinds[1]["kwargs"]["mask"] == [False, False, True]
    assert sheet.role.model_dump() == {"kind": "pristine", "label": "sheet", "phase": "fcc"}
    assert sheet.atoms.info == {"recipe": {"builder": "test", "parameters": {"layers": 3}}}
    assert np.count_nonzero(sheet.atoms.get_initial_magnetic_moments()) == 1


def test_writing_it_again_leaves_every_file_of_before(campaign: Path) -> None:
    before = contents(campaign)
    calculations = load_campaign(campaign).calculations
    write_campaign(campaign / "study.yaml", calculations, campaign)
    after = contents(campaign)
    assert {name: after.get(name) for name in before} == before
    assert set(after) - set(before) == {"campaign.json"}
    decks = write_vasp_campaign(campaign / "study.yaml", calculations, campaign).decks
    assert {deck.change for deck in decks} == {"unchanged"}
    assert set(contents(campaign)) - set(after) == {"submit.sh"}
    assert {name: contents(campaign)[name] for name in after} == after
    assert [run.result.energy for run in read_runs(load_campaign(campaign), LABEL)] == [
        run.result.energy for run in read_runs(load_campaign(SHIPPED), LABEL)
    ]


def test_the_run_goes_on_and_computes_nothing_again(campaign: Path) -> None:
    before = contents(campaign)
    ended = run_campaign(campaign, EMT, jobs=1)
    assert [(one.name, one.state, one.already_there) for one in ended] == [
        ("sheet", "finished", True),
        ("v_Cu", "finished", True),
        ("bulk", "finished", True),
    ]
    after = contents(campaign)
    assert {name: after[name] for name in before} == before


def test_a_changed_structure_is_refused_for_its_results_sake(campaign: Path) -> None:
    calculations = load_campaign(campaign).calculations
    calculations[0].atoms.positions[5, 0] += 1e-9
    with pytest.raises(FileError, match=r"sheet: expected no files.*differs in structure, got"):
        write_campaign(campaign / "study.yaml", calculations, campaign)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("calculations.tsv", "name\n../sheet\n", r"calculations\.tsv:2: expected the name of a calculation"),
        ("calculations.tsv", "", r"calculations\.tsv:1: expected the column name"),
        ("sheet/POSCAR", "no\nstructure\n", "POSCAR: expected a POSCAR"),
        ("sheet/POSCAR", None, "POSCAR: expected the structure of this calculation"),
        ("sheet/calculation.json", '{"schema": 1}', "expected the keys name, role"),
    ],
)
def test_a_broken_file_is_one_clear_line(campaign: Path, name: str, text: str | None, message: str) -> None:
    (campaign / name).unlink() if text is None else (campaign / name).write_text(text)
    with pytest.raises(FileError, match=message):
        load_campaign(campaign)
