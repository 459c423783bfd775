"""Study files: every fault is one line with its place, and nothing clever in the YAML is obeyed."""

from pathlib import Path

import pytest

from nanoslab.errors import FileError, InputError
from nanoslab.files import data_folder
from nanoslab.studies.study_file import load_calculations, load_study
from nanoslab.yaml_file import read_yaml

GOOD = """\
study: cdse-nanosheet
title: one sheet
sheets:
  - phase: wurtzite
    crystal: CdSe-wurtzite
    face: "11-20"
    monolayers: 7
    kpoints: [4, 3, 1]
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text(text)
    return path


def test_a_good_file_is_read(tmp_path: Path) -> None:
    assert load_study(written(tmp_path, GOOD)).title == "one sheet"


@pytest.mark.parametrize("path", sorted(data_folder("workflows").glob("*nanosheet.yaml")), ids=lambda p: p.name)
def test_shipped_studies_are_good(path: Path) -> None:
    assert load_study(path).kind


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "monolayers: 7",
            "monolayrs: 7",
            ":7: sheets.0.monolayrs: ",
        ),
        ("monolayers: 7", "monolayers: 0", ":7: sheets.0.monolayers: expected a number above 0, got 0"),
        ("monolayers: 7", "monolayers: 7\n    vacuum: -3", ":8: sheets.0.vacuum: expected a number above 0, got -3"),
        ("monolayers: 7", "monolayers: true", ":7: sheets.0.monolayers: expected a value of another kind than true"),
        ("monolayers: 7", "monolayers: 7\n    vacuum: .inf", ":8: sheets.0.vacuum: expected a finite number, got inf"),
        ("monolayers: 7", "monolayers: 7\n    vacuum: 1e200", ":8: sheets.0.vacuum: expected a number of at most 1000"),
        ("monolayers: 7", "monolayers: 7\n    repeat: [0, 1]", ":8: sheets.0.repeat.0: expected a number above 0"),
        ("kpoints: [4, 3, 1]", "kpoints: [4, 3, 99999]", "sheets.0.kpoints.2: expected a number of at most 1000"),
        ("CdSe-wurtzite", "CdSe-wurzite", ":5: sheets.0.crystal: expected one of"),
        ("CdSe-wurtzite", "CdSe-wurzite", "did you mean CdSe-wurtzite"),
        ("title: one sheet", "title: one sheet\nsettings: {preset: ma2032}", ":3: settings.preset: expected one of"),
        ("title: one sheet", "title: one sheet\nsettings: {extra: {ENCUT: 5}}", ":3: settings.extra: expected this to"),
        ("title: one sheet", "title: one sheet\nsettings: {extra: {NPARR: 5}}", "got 'NPARR'; did you mean NPAR"),
        ("title: one sheet", 'title: one sheet\nsettings: {extra: {NPAR: "4;ENCUT=9"}}', "one value on one line"),
        ("title: one sheet", "title: one sheet\nsettings: {extra: {AMIX: .nan}}", ":3: settings.extra.AMIX: expected"),
        ("title: one sheet", "title: one sheet\nsettings:", ":3: settings: expected named fields, got nothing"),
        ("title: one sheet", f"title: {'[' * 1000}", "lists within lists"),
        ('face: "11-20"', "face: 001", "Miller indices in quotes"),
        ("kpoints: [4, 3, 1]", "kpoints: [4, 3]", "sheets.0.kpoints"),
        ("study: cdse-nanosheet", "study: cdse-nanoshet", "did you mean cdse-nanosheet"),
        ("study: cdse-nanosheet\n", "", "expected a field 'study'"),
        ("title: one sheet", "title: one sheet\ntitle: two", ":3: expected plain YAML, got found duplicate key"),
        ("title: one sheet", "title: !!python/object/apply:os.system [ls]", "YAML without tags"),
        ("title: one sheet", "title: [one", "expected plain YAML"),
    ],
)
def test_every_fault_is_one_line_that_names_its_place(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    path = written(tmp_path, GOOD.replace(old, new))
    with pytest.raises((FileError, InputError)) as error:
        load_study(path)
    message = str(error.value)
    assert words in message
    assert str(path) in message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("monolayers: 7", "monolayers: 10000000000000000", "study.yaml: sheet wurtzite: monolayers: expected at most"),
        ("monolayers: 7", "monolayers: 7\n    repeat: [9999, 9999]", "study.yaml: sheet wurtzite: repeat: expected at"),
        ("monolayers: 7", "monolayers: 7\n    fix: midle", "study.yaml: sheet wurtzite: fix: expected one of"),
    ],
)
def test_what_cannot_be_built_names_the_file_and_the_place(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(InputError) as error:
        load_calculations(written(tmp_path, GOOD.replace(old, new)))
    assert words in str(error.value)


def test_faults_between_fields_name_the_file_and_do_not_print_it_whole(tmp_path: Path) -> None:
    series = "\nseries:\n  - {name: a, remove: Se, region: top, counts: layer, sheets: [wurtzit]}\n"
    with pytest.raises(FileError) as error:
        load_study(written(tmp_path, GOOD + series))
    assert str(error.value).endswith("study.yaml:1: expected series a: sheets among wurtzite, got wurtzit; mend this")
    with pytest.raises(FileError, match=r"series.0.counts: expected a list or 'layer', got 'layers'"):
        load_study(written(tmp_path, GOOD + series.replace("layer,", "layers,").replace("wurtzit]", "wurtzite]")))


def test_every_fault_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("monolayers: 7", "monolayrs: 7\n    vacuum: -3").replace("[4, 3, 1]", "[4, 3]")
    with pytest.raises(FileError) as error:
        load_study(written(tmp_path, text))
    assert [line.partition("study.yaml:")[2] for line in str(error.value).splitlines()] == [
        "7: sheets.0.monolayrs: expected a known field, got unknown field 'monolayrs'; did you mean 'monolayers'?",
        "4: sheets.0.monolayers: expected this field, got nothing; add it",
        "8: sheets.0.vacuum: expected a number above 0, got -3; mend this field",
        "9: sheets.0.kpoints.2: expected this field, got nothing; add it",
    ]


def test_a_misspelt_field_is_answered_with_the_right_one(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="did you mean 'monolayers'"):
        load_study(written(tmp_path, GOOD.replace("monolayers", "monolayrs")))


def test_missing_binary_and_huge_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file"):
        read_yaml(tmp_path / "none.yaml")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="not UTF-8"):
        read_yaml(binary)
    huge = tmp_path / "huge.yaml"
    huge.write_text("a: b\n" * 300_000)
    with pytest.raises(FileError, match="below 1 MB"):
        read_yaml(huge)


def test_aliases_that_blow_up_are_bounded(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    with pytest.raises(FileError, match="aliases"):
        load_study(written(tmp_path, "\n".join([GOOD, *lines])))
