"""What every study has of its base: typed roles, words for its kind, crystals from files, spin, and no way to code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from study_runs import runs_of

from nanoslab.calculation import CalculationResult, Role, Run
from nanoslab.campaign import load_campaign
from nanoslab.cli.main import main
from nanoslab.crystals import crystal
from nanoslab.driver.results import read_runs
from nanoslab.errors import FileError, InputError
from nanoslab.files import data_folder
from nanoslab.studies import load_study
from nanoslab.studies.study_file import load_calculations
from nanoslab.studies.vacancies.roles import VacancyRole

SHIPPED = data_folder("workflows") / "reference_results"
SHEET = """\
study: vacancies
title: one sheet
sheets:
  - {phase: zinc blende, crystal: CRYSTAL, face: "001", monolayers: 3, kpoints: [4, 4, 1], fix: none}
series: [{name: surface, remove: Se, region: top, counts: [1]}]
references: {atoms: false}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "study.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("campaign", "source", "changes"),
    [
        ("pbse_neck_xtb", "xtb", {"lattice": "experimental", "lateral": (8, 8), "gap_planes": 4, "pairs": (1,)}),
        ("pbse_gap_xtb", "xtb", {"lattice": "experimental", "planes": 3, "gaps": (20.0,)}),
        ("cdse_nanosheet_gpaw", "chgnet", {"sheets": ("experimental", 5)}),
    ],
)
def test_what_the_study_file_says_of_structures_changes_no_number(
    campaign: str, source: str, changes: dict[str, Any]
) -> None:
    found = load_campaign(SHIPPED / campaign)
    study, runs = load_study(found.study_file), read_runs(found, source)
    if "sheets" in changes:
        lattice, monolayers = changes["sheets"]
        update = {"lattice": lattice, "monolayers": monolayers}
        changes = {"sheets": tuple(sheet.model_copy(update=update) for sheet in study.sheets)}
    edited = study.model_copy(update=changes)
    assert edited != study
    assert edited.analyze(runs).to_dict() == study.analyze(runs).to_dict()


def test_roles_of_a_campaign_become_those_of_the_study_and_keep_what_the_study_does_not_know() -> None:
    found = load_campaign(SHIPPED / "cdse_nanosheet_gpaw")
    study, result = load_study(found.study_file), read_runs(found, "gpaw")[0].result
    assert all(type(c.role) is Role for c in found.calculations)
    # campaigns of version 0.1 said here which sheet it was
    plain = [replace(c, role=Role(**c.role.model_dump(), of="somewhere")) for c in found.calculations]
    typed = [study._typed(Run(calculation=c, result=result)).calculation.role for c in plain]
    assert [role.kind for role in typed] == [c.role.kind for c in found.calculations]
    assert not any(type(role) is Role for role in typed)
    assert all(role.model_extra == {"of": "somewhere"} for role in typed)


def test_a_role_without_what_the_study_needs_is_refused_by_name(tmp_path: Path) -> None:
    study = load_study(written(tmp_path, SHEET.replace("CRYSTAL", "CdSe-zincblende")))
    made = study.calculations()[1]
    assert isinstance(made.role, VacancyRole)
    bare = replace(made, role=Role(kind="vacancy", phase="zinc blende", series=["a"]))
    result = CalculationResult(name="", path="", level_of_theory="")
    with pytest.raises(InputError, match=rf"{made.name}: role vacancy: degeneracy: expected Field required"):
        study.analyze([Run(calculation=bare, result=result)])


@pytest.mark.parametrize(
    ("word", "file"), [("vacancies", "cdse_nanosheet"), ("neck", "pbse_neck"), ("gap", "pbse_gap")]
)
def test_earlier_words_for_a_kind_stay_and_the_result_says_the_word_of_its_file(
    word: str, file: str, tmp_path: Path
) -> None:
    new = load_study(data_folder("workflows") / f"{file}.yaml")
    text = (data_folder("workflows") / f"{file}.yaml").read_text()
    old_word = file.replace("_", "-")
    old = load_study(written(tmp_path, text.replace(f"\nstudy: {word}\n", f"\nstudy: {old_word}\n")))
    assert (new.kind, old.kind, new.study, old.study) == (word, word, word, old_word)
    assert old.analyze([]).to_dict() == {**new.analyze([]).to_dict(), "study": old_word}


@pytest.mark.parametrize("word", ["nanoslab.studies.gap.study:GapStudy", "os:system", "gaps"])
def test_a_study_file_names_a_kind_and_never_code(word: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"study.yaml:1: study: expected one of vacancies, neck, gap"):
        load_study(written(tmp_path, SHEET.replace("vacancies", word)))


def test_a_crystal_may_be_a_file_beside_the_study(tmp_path: Path) -> None:
    crystal("CdSe-zincblende").write(tmp_path / "own.vasp")
    named = {c.name: c for c in load_calculations(written(tmp_path, SHEET.replace("CRYSTAL", "CdSe-zincblende")))}
    path = written(tmp_path, SHEET.replace("CRYSTAL", "own.vasp"))
    assert load_study(path).structure_files == ("own.vasp",)
    own = {c.name.replace("own-", "CdSe-zincblende-"): c for c in load_calculations(path)}
    assert own.keys() == named.keys()
    for name, calculation in own.items():
        # nine digits of the file
        np.testing.assert_allclose(calculation.atoms.positions, named[name].atoms.positions, atol=1e-6)
        assert calculation.settings == named[name].settings
    source = own["zincblende-pristine"].atoms.info["recipe"]["parameters"]["crystal"]
    assert source["parameters"]["name"] == "own.vasp"
    assert str(tmp_path) not in str(source)


def test_a_campaign_of_ones_own_crystal_needs_the_file_no_more(tmp_path: Path) -> None:
    file = tmp_path / "own.cif"
    crystal("CdSe-zincblende").write(file)
    path = written(tmp_path, SHEET.replace("CRYSTAL", "own.cif"))
    assert main(["write", str(path), str(tmp_path / "c")]) == 0
    before = load_calculations(path)
    file.unlink()
    again = load_calculations(tmp_path / "c" / "study.yaml")
    assert [c.atoms for c in again] == [c.atoms for c in before]
    copy = next((tmp_path / "c" / "structures").iterdir())
    copy.write_text(copy.read_text().replace("Cd", "Zn"))
    with pytest.raises(FileError, match=r"the structure copied from own\.cif"):
        load_calculations(tmp_path / "c" / "study.yaml")


def test_a_neck_takes_a_file_too(tmp_path: Path) -> None:
    crystal("PbSe-rocksalt").write(tmp_path / "POSCAR", format="vasp")
    text = "study: neck\ntitle: own\ncrystal: POSCAR\nplanes: 1\npairs: [1]\n"
    study = load_study(written(tmp_path, text))
    assert study.structure_files == ("POSCAR",)
    named = study.model_copy(update={"crystal": "PbSe-rocksalt"}).calculations()
    for own, other in zip(study.calculations(), named, strict=True):
        np.testing.assert_allclose(own.atoms.positions, other.atoms.positions, atol=1e-6)


def test_a_file_that_is_not_there_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises((FileError, InputError), match=r"own.cif: expected a structure file, got no such file"):
        load_calculations(written(tmp_path, SHEET.replace("CRYSTAL", "own.cif")))


def test_spin_moments_and_any_functional_can_be_asked_for(tmp_path: Path) -> None:
    wanted = "settings: {spin_polarized: true, initial_moments: {Cd: 0.5}, functional: r2SCAN}\nsheets:"
    text = SHEET.replace("CRYSTAL", "CdSe-zincblende").replace("atoms: false", "atoms: true")
    made = {c.name: c for c in load_calculations(written(tmp_path, text.replace("sheets:", wanted)))}
    sheet = made["zincblende-pristine"]
    assert sheet.settings.spin_polarized
    assert sheet.settings.functional == "r2SCAN"
    moments = dict(zip(sheet.atoms.get_chemical_symbols(), sheet.atoms.get_initial_magnetic_moments(), strict=True))
    assert moments == {"Cd": 0.5, "Se": 0.0}
    assert made["Se-atom"].atoms.get_initial_magnetic_moments() == [2.0]  # its own: a triplet


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("{initial_moments: {Cd: 1}}", "spin_polarized: true beside initial_moments"),
        ("{spin_polarized: true, initial_moments: {Xx: 1}}", "initial_moments of elements, got 'Xx'"),
        ("{functional: 'PBE; rm'}", "settings.functional: expected text of the form"),
    ],
)
def test_settings_that_mean_nothing_are_refused(tmp_path: Path, settings: str, words: str) -> None:
    text = SHEET.replace("CRYSTAL", "CdSe-zincblende").replace("sheets:", f"settings: {settings}\nsheets:")
    with pytest.raises(FileError, match=words):
        load_study(written(tmp_path, text))


def test_only_papers_that_the_file_names_are_cited(tmp_path: Path) -> None:
    from nanoslab.report.references import references

    plain = load_study(written(tmp_path, SHEET.replace("CRYSTAL", "ZnSe-zincblende")))
    assert not any("Ma et al" in reference.text for reference in references(plain, "chgnet"))
    assert not any("Ma et al" in one.settings.source for one in plain.calculations())
    ma = references(load_study(data_folder("workflows") / "cdse_nanosheet.yaml"), "chgnet")
    assert ma[0].link == "https://doi.org/10.1002/advs.202205690"


def test_arrays_of_a_result_are_read_only() -> None:
    found = load_campaign(SHIPPED / "cdse_nanosheet_gpaw")
    result = load_study(found.study_file).analyze(read_runs(found, "chgnet"))
    row = result.in_plane[0]
    with pytest.raises(ValueError, match="read-only"):
        row.metrics.environments.eclipsed_bonds[0] = 5.0
    with pytest.raises(ValueError, match="read-only"):
        row.strain.tensor[0] = 5.0


def test_results_by_name_are_refused_with_what_to_give_instead() -> None:
    study = load_study(data_folder("workflows") / "pbse_gap.yaml")
    with pytest.raises(InputError, match=r"got results by name; give \[Run\(calculation=c"):
        study.analyze({"slab": CalculationResult(name="slab", path="", level_of_theory="")})


def test_missing_runs_of_every_study_are_named() -> None:
    for name in ("cdse_nanosheet", "pbse_gap"):
        study = load_study(data_folder("workflows") / f"{name}.yaml")
        calculations = study.calculations()
        result = study.analyze(runs_of(calculations, {}))
        assert {name for name, _ in result.missing} == {c.name for c in calculations}
