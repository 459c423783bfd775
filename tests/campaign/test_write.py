"""The neutral campaign: written whole, nothing of the user's lost, an edited study noticed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from small_campaign import files_of

from nanoslab.calculation import Calculation, Role
from nanoslab.campaign import load_campaign, structure_file, write_campaign
from nanoslab.errors import FileError, InputError
from nanoslab.studies.study_file import load_calculations


def with_cutoff(calculations: list[Calculation], cutoff: float) -> list[Calculation]:
    return [replace(c, settings=replace(c.settings, cutoff_energy=cutoff)) for c in calculations]


def test_it_holds_the_calculations_and_no_file_of_any_code(
    study: Path, calculations: list[Calculation], tmp_path: Path
) -> None:
    write_campaign(study, calculations, tmp_path / "c")
    names = {"sheet/calculation.json", "sheet-v_Se/calculation.json", "Se-atom/calculation.json"}
    assert set(files_of(tmp_path / "c")) == {"study.yaml", "campaign.json", *names}
    campaign = load_campaign(tmp_path / "c")
    assert campaign.calculations[1].starts_from == "sheet"
    assert np.array_equal(campaign.calculations[2].atoms.pbc, [False] * 3)
    assert campaign.study_file.read_bytes() == study.read_bytes()
    assert (campaign.stale, campaign.foreign) == ((), ())


def test_writing_twice_changes_nothing(study: Path, calculations: list[Calculation], tmp_path: Path) -> None:
    write_campaign(study, calculations, tmp_path / "c")
    before = files_of(tmp_path / "c")
    assert write_campaign(study, calculations, tmp_path / "c").notes == ()
    write_campaign(tmp_path / "c" / "study.yaml", load_campaign(tmp_path / "c").calculations, tmp_path / "c")
    assert files_of(tmp_path / "c") == before


@pytest.mark.parametrize(
    ("edit", "fields"),
    [
        (("lattice: pbe", "lattice: experimental"), "sheets[0].lattice"),
        (("lattice: pbe, ", ""), "sheets[0].lattice"),
        (("planes: 7}", "planes: 7}\n  - {planes: 9}"), "sheets"),
        (("title: one sheet", "title: two\nbeam: {energies_keV: [80]}"), "title, beam"),
        (("title: one sheet", "title: 2026-11-20\n2026-11-20: 1"), "title, 2026-11-20"),
        (("planes: 7", "planes: .nan"), "sheets[0].planes"),
    ],
)
def test_an_edited_study_is_one_line_that_names_the_fields(
    study: Path, calculations: list[Calculation], tmp_path: Path, edit: tuple[str, str], fields: str
) -> None:
    write_campaign(study, calculations, tmp_path / "c")
    copy = tmp_path / "c" / "study.yaml"
    copy.write_text(copy.read_text().replace(*edit))
    with pytest.raises(FileError) as caught:
        load_campaign(tmp_path / "c")
    said = str(caught.value)
    assert f"got other values of {fields}; write it again with 'nanoslab write {copy} {tmp_path / 'c'}'" in said
    assert "\n" not in said
    write_campaign(copy, calculations, tmp_path / "c")  # the user's choice: the calculations are the same ones
    assert load_campaign(tmp_path / "c").calculations


def test_comments_and_white_space_are_no_change(study: Path, calculations: list[Calculation], tmp_path: Path) -> None:
    write_campaign(study, calculations, tmp_path / "c")
    copy = tmp_path / "c" / "study.yaml"
    copy.write_text("# mine\n\n" + copy.read_text().replace("title: one sheet", 'title:   "one sheet"  # mine') + "\n")
    load_campaign(tmp_path / "c")


def test_a_study_written_again_keeps_the_former_one(
    study: Path, calculations: list[Calculation], tmp_path: Path
) -> None:
    write_campaign(study, calculations, tmp_path / "c")
    for number in (1, 2):
        before = study.read_text()
        study.write_text(before + "# more\n")
        notes = write_campaign(study, calculations, tmp_path / "c").notes
        assert any(f"study.yaml.{number}" in note for note in notes)
        assert (tmp_path / "c" / f"study.yaml.{number}").read_text() == before


@pytest.mark.parametrize("name", ["emt/result.json", "OUTCAR", "state.json", "notes.txt", "POSCAR"])
def test_what_lies_beside_another_calculation_is_never_lost(
    study: Path, calculations: list[Calculation], tmp_path: Path, name: str
) -> None:
    write_campaign(study, calculations, tmp_path / "c")
    precious = tmp_path / "c" / "Se-atom" / name
    precious.parent.mkdir(exist_ok=True)
    precious.write_text("precious")
    before = files_of(tmp_path / "c")
    with pytest.raises(FileError, match=f"differs in cutoff_energy, got {name.split('/', maxsplit=1)[0]}"):
        write_campaign(study, with_cutoff(calculations, 520.0), tmp_path / "c")
    assert files_of(tmp_path / "c") == before
    write_campaign(study, calculations, tmp_path / "c")
    assert files_of(tmp_path / "c") == before


def test_a_result_belongs_to_the_procedure_and_its_parameters(
    study: Path, calculations: list[Calculation], tmp_path: Path
) -> None:
    kicked = [replace(calculations[0], procedure="kick", parameters={"atom": 1})]
    write_campaign(study, kicked, tmp_path / "c")
    (tmp_path / "c" / calculations[0].name / "emt").mkdir()
    write_campaign(study, kicked, tmp_path / "c")
    with pytest.raises(FileError, match="differs in parameters, got emt"):
        write_campaign(study, [replace(kicked[0], parameters={"atom": 2})], tmp_path / "c")


def test_a_calculation_without_results_is_replaced(
    study: Path, calculations: list[Calculation], tmp_path: Path
) -> None:
    write_campaign(study, calculations, tmp_path / "c")
    write_campaign(study, with_cutoff(calculations, 520.0), tmp_path / "c")
    assert {c.settings.cutoff_energy for c in load_campaign(tmp_path / "c").calculations} == {520.0}


def test_a_new_role_of_a_finished_calculation_is_no_new_calculation(
    study: Path, calculations: list[Calculation], tmp_path: Path
) -> None:
    write_campaign(study, calculations, tmp_path / "c")
    (tmp_path / "c" / "sheet" / "emt").mkdir()
    calculations[0] = replace(calculations[0], role=Role(kind="pristine", phase="zinc blende"))
    write_campaign(study, calculations, tmp_path / "c")
    assert load_campaign(tmp_path / "c").calculations[0].role == calculations[0].role


def test_an_edited_calculation_is_not_replaced(study: Path, calculations: list[Calculation], tmp_path: Path) -> None:
    write_campaign(study, calculations, tmp_path / "c")
    path = tmp_path / "c" / "sheet" / "calculation.json"
    path.write_text(path.read_text().replace('"cutoff_energy": 400.0', '"cutoff_energy": 300.0'))
    with pytest.raises(FileError, match=r"calculation\.json: expected the file as it was written"):
        write_campaign(study, calculations, tmp_path / "c")


def test_a_lost_file_comes_back_beside_its_results_but_another_does_not(
    study: Path, calculations: list[Calculation], tmp_path: Path
) -> None:
    write_campaign(study, calculations, tmp_path / "c")
    before = files_of(tmp_path / "c")["sheet/calculation.json"][1]
    path = tmp_path / "c" / "sheet" / "calculation.json"
    (path.parent / "emt").mkdir()
    path.unlink()
    with pytest.raises(FileError, match="write the campaign again"):
        load_campaign(tmp_path / "c")
    with pytest.raises(FileError, match=r"an empty folder, for there is no calculation\.json"):
        write_campaign(study, with_cutoff(calculations, 520.0), tmp_path / "c")
    write_campaign(study, calculations, tmp_path / "c")
    assert path.read_bytes() == before


def test_one_bad_calculation_leaves_the_whole_campaign_as_it_was(
    study: Path, calculations: list[Calculation], tmp_path: Path
) -> None:
    calculations[2] = replace(calculations[2], role=Role(kind="atom", x=object()))
    with pytest.raises(InputError, match="plain JSON"):
        write_campaign(study, calculations, tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_stale_and_foreign_folders_are_named(study: Path, calculations: list[Calculation], tmp_path: Path) -> None:
    write_campaign(study, calculations, tmp_path / "c")
    for name in ("my notes", "results"):
        (tmp_path / "c" / name).mkdir()
    notes = " ".join(write_campaign(study, calculations[:2], tmp_path / "c").notes)
    assert "no longer has: Se-atom" in notes
    assert "no calculations: my notes" in notes
    campaign = load_campaign(tmp_path / "c")
    assert (campaign.stale, campaign.foreign) == (("Se-atom",), ("my notes",))
    assert [c.name for c in campaign.calculations] == ["sheet", "sheet-v_Se"]


Change = Callable[[list[Calculation]], list[Calculation]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: [*c, replace(c[0], name="SHEET")], "differ in more than capitals"),
        (lambda c: [c[1], c[0], c[2]], "stands before it"),
        (lambda c: [c[0], replace(c[1], starts_from="gone"), c[2]], "stands before it"),
        (lambda c: [c[0], replace(c[1], starts_from="sheet-v_Se"), c[2]], "stands before it"),
        (lambda c: [c[0], replace(c[1], removed_indices=(0,)), c[2]], "removed_indices"),
        (lambda c: [c[0], replace(c[1], removed_indices=(2, 9)), c[2]], "removed_indices"),
        (lambda c: [c[0], replace(c[1], removed_indices=()), c[2]], "removed_indices"),
        (lambda c: [replace(c[0], name="results")], "does not use"),
        (lambda c: [replace(c[0], name="Structures")], "does not use"),
        (lambda c: c[:0], "at least one"),
    ],
)
def test_calculations_that_do_not_fit_together_are_refused(
    study: Path, calculations: list[Calculation], tmp_path: Path, change: Change, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        write_campaign(study, change(calculations), tmp_path / "c")
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("name", ["../sheet", "/etc", "sheet/../x", "", "..", 3, None, "a" * 121])
def test_a_name_in_the_list_is_no_path(
    study: Path, calculations: list[Calculation], tmp_path: Path, name: object
) -> None:
    import json

    write_campaign(study, calculations, tmp_path / "c")
    path = tmp_path / "c" / "campaign.json"
    document = json.loads(path.read_text())
    document["calculations"][2]["name"] = name
    path.write_text(json.dumps(document))
    with pytest.raises(FileError, match=r"campaign\.json: expected the name of a calculation"):
        load_campaign(tmp_path / "c")


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 7}', '{"schema": 2}', '{"schema": 2, "study": {}}'])
def test_a_broken_list_says_how_to_get_it_back(
    study: Path, calculations: list[Calculation], tmp_path: Path, text: str
) -> None:
    write_campaign(study, calculations, tmp_path / "c")
    (tmp_path / "c" / "campaign.json").write_text(text)
    with pytest.raises(FileError, match=r"campaign\.json.*move it away and write the campaign again"):
        load_campaign(tmp_path / "c")


def test_a_renamed_folder_is_noticed(study: Path, calculations: list[Calculation], tmp_path: Path) -> None:
    write_campaign(study, calculations, tmp_path / "c")
    manifest = tmp_path / "c" / "Se-atom" / "calculation.json"
    manifest.write_text(manifest.read_text().replace('"name": "Se-atom"', '"name": "Te-atom"'))
    with pytest.raises(FileError, match="expected the calculation Se-atom, got Te-atom"):
        load_campaign(tmp_path / "c")


def test_a_folder_that_is_no_campaign_says_what_to_give(tmp_path: Path) -> None:
    for folder in (tmp_path / "gone", tmp_path):
        with pytest.raises(FileError, match=r"expected a campaign folder.*nanoslab write"):
            load_campaign(folder)


def test_a_study_that_is_not_there_is_an_error(calculations: list[Calculation], tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"gone\.yaml: expected a readable study file"):
        write_campaign(tmp_path / "gone.yaml", calculations, tmp_path / "c")


def test_a_users_own_structure_travels_with_the_campaign(
    study: Path, calculations: list[Calculation], tmp_path: Path
) -> None:
    (tmp_path / "own files").mkdir()
    named = "own files/my crystal.cif"
    ase.io.write(tmp_path / named, Atoms("CdSe", cell=[4, 4, 6], positions=[[0, 0, 0], [2, 2, 3]], pbc=True))
    original = (tmp_path / named).read_bytes()
    write_campaign(study, calculations, tmp_path / "c", [named])
    before = files_of(tmp_path / "c")
    (tmp_path / named).unlink()
    copy = structure_file(tmp_path / "c" / "study.yaml", named)
    assert copy.parent == tmp_path / "c" / "structures"
    assert copy.read_bytes() == original
    assert copy.name.startswith("my_crystal-")
    write_campaign(tmp_path / "c" / "study.yaml", calculations, tmp_path / "c", [named])
    assert files_of(tmp_path / "c") == before
    copy.write_text("another")
    with pytest.raises(FileError, match=r"expected the structure copied from own files/my crystal\.cif, got another"):
        structure_file(tmp_path / "c" / "study.yaml", named)


def test_a_structure_file_that_is_not_there_says_where_paths_start(study: Path) -> None:
    with pytest.raises(FileError, match="paths start at the folder of the study file"):
        structure_file(study, "../gone.cif")


NECKS = """study: neck
title: short
crystal: PbSe-rocksalt
planes: 1
pairs: [1]
"""


@pytest.mark.parametrize(
    "edit",
    [
        ("title: short", "title: shorter\npapers: [{citation: a paper}]"),
        ("planes: 1", "planes: 1.0\ngap_planes: 2\nshapes: 1  # the defaults"),
    ],
)
def test_what_no_calculation_depends_on_may_be_edited(tmp_path: Path, edit: tuple[str, str]) -> None:
    study, copy = tmp_path / "study.yaml", tmp_path / "c" / "study.yaml"
    study.write_text(NECKS)
    write_campaign(study, load_calculations(study), tmp_path / "c")
    copy.write_text(NECKS.replace(*edit))
    load_campaign(tmp_path / "c")
    copy.write_text(copy.read_text().replace("pairs: [1]", "pairs: [2]"))
    with pytest.raises(FileError, match=r"got other values of pairs\[0\]; write"):
        load_campaign(tmp_path / "c")
