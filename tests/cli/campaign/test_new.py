"""A study of any crystal begins with one command, and its faults and its fields are told at once."""

from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write
from ase.spacegroup import crystal

from nanoslab.cli.main import main
from nanoslab.crystals import load_crystal
from nanoslab.errors import FileError, InputError
from nanoslab.studies.schema import MEANINGS, field_tables
from nanoslab.studies.study_file import STUDIES, load_calculations, load_study


def own_crystal(folder: Path, name: str) -> Path:
    made = {
        "ZnTe.cif": bulk("ZnTe", "zincblende", a=6.1, cubic=True),
        "NaCl.cif": bulk("NaCl", "rocksalt", a=5.64, cubic=True),
        "MoS2.cif": crystal(
            ["Mo", "S"],
            [(1 / 3, 2 / 3, 0.25), (1 / 3, 2 / 3, 0.621)],
            spacegroup=194,
            cellpar=[3.16, 3.16, 12.3, 90, 90, 120],
        ),
    }
    write(folder / name, made[name])
    return folder / name


def filled_in(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    assert main(["new", "vacancies", *arguments]) == 0
    return capsys.readouterr()


def test_an_own_crystal_file_becomes_input_sets_in_three_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    own_crystal(tmp_path, "ZnTe.cif")
    text, said = filled_in(capsys, "--crystal", "ZnTe.cif", "--face", "110", "--monolayers", "3")
    assert "ZnTe, space group F-43m (216)" in said
    assert "both faces are alike" in said
    Path("study.yaml").write_text(text)
    assert main(["write", "study.yaml", "campaign"]) == 0
    assert Path("campaign/ZnTe-pristine/INCAR").is_file()
    assert sorted(path.name[7:9] for path in Path("campaign").glob("ZnTe-v_*")) == ["Te", "Zn"]
    capsys.readouterr()
    assert main(["analyze", "campaign"]) == 2
    assert "at least one finished run, got none; run VASP in its folders" in capsys.readouterr().err


def test_polar_faces_and_other_terminations_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, said = filled_in(capsys, "--crystal", str(own_crystal(tmp_path, "NaCl.cif")), "--face", "111")
    assert "polar: dipole" in said
    assert "Na/Na" in said
    assert 'termination: ["Na", "Cl"]' in text


def test_the_default_thickness_is_the_least_above_10_A(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, said = filled_in(capsys, "--crystal", str(own_crystal(tmp_path, "ZnTe.cif")), "--face", "110")
    # spacing of (110) planes: a / (2 sqrt 2) = 2.157 Å, five of which make 10.8 Å
    assert "monolayers: 6" in text
    assert "10.8 Å" in said


def test_a_sulphide_gets_its_reference_though_no_pbe_constants_of_sulphur_are_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own_crystal(tmp_path, "MoS2.cif")
    text, _ = filled_in(capsys, "--crystal", str(tmp_path / "MoS2.cif"), "--face", "0001", "--monolayers", "1")
    (tmp_path / "study.yaml").write_text(text)
    made = {one.name: one for one in load_calculations(tmp_path / "study.yaml")}
    assert len(made["S-element"].atoms) == 32
    assert made["MoS2-pristine"].atoms.get_chemical_formula() == "MoS2"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["new", "neck", "--crystal", "PbSe-rocksalt", "--face", "001"], "other kinds start from their example"),
        (["new", "vacancies", "--crystal", "no.cif", "--face", "001"], "a structure file, got no such file"),
        (["new", "vacancies", "--face", "001"], "--crystal: expected"),
        (["new", "--fields"], "a kind of study before it"),
        (["structures", "gold"], "structures: expected one of"),
    ],
)
def test_what_cannot_be_filled_in_is_one_line(refused, arguments: list[str], words: str) -> None:
    assert words in refused(*arguments)


def test_a_crystal_with_shared_sites_is_refused(tmp_path: Path) -> None:
    path = own_crystal(tmp_path, "ZnTe.cif")
    path.write_text(path.read_text().replace(" 1.0000\n", " 0.7500\n"))
    with pytest.raises(FileError, match=r"a share of 0\.75 on a site"):
        load_crystal(path)


def test_every_sheet_that_cannot_be_built_is_told_at_once(tmp_path: Path) -> None:
    sheet = '{{phase: {}, crystal: CdSe-wurtzite, face: "11-20", monolayers: 1, kpoints: [1, 1, 1], fix: {}}}'
    sheets = "\n".join(
        f"  - {sheet.format(phase, fix)}" for phase, fix in (("a", "midle"), ("b", "none"), ("c", "top"))
    )
    (tmp_path / "study.yaml").write_text(f"study: vacancies\ntitle: three\nsheets:\n{sheets}\n")
    load_study(tmp_path / "study.yaml")
    with pytest.raises(InputError) as error:
        load_calculations(tmp_path / "study.yaml")
    assert [line.partition("yaml: ")[2][:13] for line in str(error.value).splitlines()] == [
        "sheet a: fix:",
        "sheet c: fix:",
    ]


def test_faults_of_a_file_are_a_line_each_on_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "study.yaml").write_text("study: vacancies\ntitel: a\nsheets: []\nseries: 3\n")
    assert main(["write", str(tmp_path / "study.yaml"), str(tmp_path / "campaign")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4  # titel unknown, title missing, sheets empty, series no list
    assert all(line.startswith(f"nanoslab: {tmp_path}/study.yaml:") for line in lines)


@pytest.mark.parametrize("kind", STUDIES)
def test_every_field_of_a_study_says_what_it_is(kind: str) -> None:
    assert [row[0] for table in field_tables(kind) for row in table.rows if not row[3] or not row[1]] == []


def test_no_meaning_is_of_a_field_that_is_gone() -> None:
    shown = {row[3] for kind in STUDIES for table in field_tables(kind) for row in table.rows}
    assert [name for name, words in MEANINGS.items() if words not in shown] == []


def test_fields_are_printed_with_defaults_and_limits(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "vacancies", "--fields"]) == 0
    rows = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    row = next([cell.strip() for cell in row if cell.strip()] for row in rows if row[0] == "sheets[].vacuum")
    assert row[:3] == ["sheets[].vacuum", "number > 0 and ≤ 1000", "15"]


def test_shipped_structures_are_listed_with_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["structures", "CdSe"]) == 0
    out = capsys.readouterr().out
    assert "CdSe-wurtzite" in out
    assert "Circular 539" in out
    assert "PbSe" not in out
    assert main(["structures", "--json"]) == 0
    out = capsys.readouterr().out
    assert '"a_A": 4.3775' in out
    assert '"smiles"' in out
