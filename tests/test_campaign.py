"""The campaign folder: written whole, read back the same, everything in it named, nothing lost."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.constraints import FixAtoms
from potcar_writer import write_library

from nanoslab.calculation import Calculation, CalculationResult, Role
from nanoslab.campaign import available_sources, collect, load_campaign, write_campaign
from nanoslab.engines import engine, run_calculation
from nanoslab.errors import FileError, InputError
from nanoslab.presets import preset
from nanoslab.vasp import read_run


@pytest.fixture(autouse=True)
def _no_library_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PMG_VASP_PSP_DIR", "VASP_PP_PATH", "PMG_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text("study: cdse-nanosheet\n")
    return path


def calculations() -> list[Calculation]:
    atoms = Atoms(
        "Cd2Se2",
        positions=[[0, 0, 8], [2, 2, 11], [2, 0, 9.5], [0, 2, 12.5]],
        cell=[4, 4, 25],
        pbc=True,
        constraint=FixAtoms([1]),
        info={"recipe": {"builder": "test"}},
    )
    settings = preset("ma2023-zincblende")
    sheet = Calculation(
        name="sheet",
        role=Role(kind="pristine", phase="zb"),
        atoms=atoms,
        settings=settings,
    )
    vacancy = atoms.copy()
    del vacancy[2]
    child = Calculation(
        name="sheet-v_Se",
        role=Role(kind="vacancy"),
        atoms=vacancy,
        settings=settings,
        starts_from="sheet",
        removed_indices=(2,),
    )
    atom = Calculation(
        name="Se-atom", role=Role(kind="atom"), atoms=Atoms("Se", cell=[12, 13, 14]), settings=preset("ma2023")
    )
    return [sheet, child, atom]


def files_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes()) for path in paths}


def test_a_campaign_is_what_the_design_says(study: Path, tmp_path: Path) -> None:
    written = write_campaign(study, calculations(), tmp_path / "c")
    names = {path.name for path in (tmp_path / "c").iterdir()}
    assert names == {"study.yaml", "submit.sh", "calculations.tsv", "sheet", "sheet-v_Se", "Se-atom"}
    assert [deck.change for deck in written.decks] == ["new"] * 3
    assert written.notes == ()
    assert (tmp_path / "c" / "submit.sh").stat().st_mode & 0o100


def test_it_reads_back_to_the_same_calculations(study: Path, tmp_path: Path) -> None:
    write_campaign(study, calculations(), tmp_path / "c")
    campaign = load_campaign(tmp_path / "c")
    for back, made in zip(campaign.calculations, calculations(), strict=True):
        assert np.array_equal(back.atoms.positions, made.atoms.positions)
        assert np.array_equal(back.atoms.numbers, made.atoms.numbers)
        assert np.array_equal(back.atoms.cell, made.atoms.cell)
        assert repr(back.atoms.constraints) == repr(made.atoms.constraints)
        assert back.atoms.info == made.atoms.info
        for field in ("name", "role", "settings", "starts_from", "removed_indices"):
            assert getattr(back, field) == getattr(made, field), field
    assert campaign.study_file.read_bytes() == study.read_bytes()
    assert (campaign.stale, campaign.foreign) == ((), ())


def test_writing_twice_changes_nothing(study: Path, tmp_path: Path) -> None:
    write_campaign(study, calculations(), tmp_path / "c")
    before = files_of(tmp_path / "c")
    written = write_campaign(study, calculations(), tmp_path / "c")
    assert {deck.change for deck in written.decks} == {"unchanged"}
    assert files_of(tmp_path / "c") == before


def test_one_bad_deck_leaves_the_whole_campaign_as_it_was(study: Path, tmp_path: Path) -> None:
    bad = calculations()
    bad[2] = replace(bad[2], settings=replace(bad[2].settings, functional="PBEE"))
    with pytest.raises(InputError, match="functional"):
        write_campaign(study, bad, tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_results_are_never_overwritten(study: Path, tmp_path: Path) -> None:
    write_campaign(study, calculations(), tmp_path / "c")
    (tmp_path / "c" / "Se-atom" / "OUTCAR").write_text("precious")
    before = files_of(tmp_path / "c")
    changed = [replace(c, settings=replace(c.settings, cutoff_energy=500.0)) for c in calculations()]
    with pytest.raises(FileError, match="OUTCAR"):
        write_campaign(study, changed, tmp_path / "c")
    assert files_of(tmp_path / "c") == before


def test_a_changed_study_keeps_the_former_one(study: Path, tmp_path: Path) -> None:
    write_campaign(study, calculations(), tmp_path / "c")
    for number in (1, 2):
        before = study.read_text()
        study.write_text(before + "# more\n")
        notes = write_campaign(study, calculations(), tmp_path / "c").notes
        assert any(f"study.yaml.{number}" in note for note in notes)
        assert (tmp_path / "c" / f"study.yaml.{number}").read_text() == before


def test_the_copy_inside_the_campaign_can_be_written_again(study: Path, tmp_path: Path) -> None:
    write_campaign(study, calculations(), tmp_path / "c")
    before = files_of(tmp_path / "c")
    write_campaign(tmp_path / "c" / "study.yaml", calculations(), tmp_path / "c")
    assert files_of(tmp_path / "c") == before


def test_an_edited_submit_script_stays(study: Path, tmp_path: Path) -> None:
    write_campaign(study, calculations(), tmp_path / "c")
    (tmp_path / "c" / "submit.sh").write_text("#!/bin/bash\n#SBATCH --partition=mine\n")
    notes = write_campaign(study, calculations(), tmp_path / "c").notes
    assert any("submit.sh was edited" in note for note in notes)
    assert "mine" in (tmp_path / "c" / "submit.sh").read_text()


def test_stale_and_foreign_folders_are_named(study: Path, tmp_path: Path) -> None:
    write_campaign(study, calculations(), tmp_path / "c")
    (tmp_path / "c" / "my notes").mkdir()
    (tmp_path / "c" / "results").mkdir()
    notes = " ".join(write_campaign(study, calculations()[:2], tmp_path / "c").notes)
    assert "no longer has: Se-atom" in notes
    assert "no calculations: my notes" in notes
    campaign = load_campaign(tmp_path / "c")
    assert (campaign.stale, campaign.foreign) == (("Se-atom",), ("my notes",))
    assert [c.name for c in campaign.calculations] == ["sheet", "sheet-v_Se"]


def test_all_decks_take_their_potcars_from_one_release(study: Path, tmp_path: Path) -> None:
    root = tmp_path / "library"
    write_library(root, ("Cd", "Se"), layout="potpaw_PBE.52/{dataset}/POTCAR", date="01Jan2012")
    write_library(root, ("Se",), layout="potpaw_PBE.64/{dataset}/POTCAR", date="01Jan2022")
    decks = write_campaign(study, calculations(), tmp_path / "c", root).decks
    assert decks[2].potentials == ("PAW_PBE Se 01Jan2012",)


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
        (lambda c: c[:0], "at least one"),
    ],
)
def test_calculations_that_do_not_fit_together_are_refused(
    study: Path, tmp_path: Path, change: object, message: str
) -> None:
    assert callable(change)
    with pytest.raises(InputError, match=message):
        write_campaign(study, change(calculations()), tmp_path / "c")
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("name", ["../sheet", "/etc", "sheet/../x", "", ".."])
def test_a_name_in_the_table_is_no_path(study: Path, tmp_path: Path, name: str) -> None:
    write_campaign(study, calculations(), tmp_path / "c")
    table = tmp_path / "c" / "calculations.tsv"
    table.write_text(table.read_text().replace("\nSe-atom\t", f"\n{name}\t"))
    with pytest.raises(FileError, match=r"calculations\.tsv:4: expected the name of a calculation"):
        load_campaign(tmp_path / "c")


def test_a_renamed_folder_is_noticed(study: Path, tmp_path: Path) -> None:
    write_campaign(study, calculations(), tmp_path / "c")
    manifest = tmp_path / "c" / "Se-atom" / "calculation.json"
    manifest.write_text(manifest.read_text().replace('"name": "Se-atom"', '"name": "Te-atom"'))
    with pytest.raises(FileError, match="expected the calculation Se-atom, got Te-atom"):
        load_campaign(tmp_path / "c")


def test_a_folder_that_is_no_campaign_says_what_to_give(tmp_path: Path) -> None:
    for folder in (tmp_path / "gone", tmp_path):
        with pytest.raises(FileError, match=r"expected a campaign folder.*nanoslab write"):
            load_campaign(folder)


def test_every_calculation_gets_an_entry(study: Path, tmp_path: Path) -> None:
    write_campaign(study, calculations(), tmp_path / "c")
    campaign = load_campaign(tmp_path / "c")
    assert available_sources(campaign) == ()
    results = collect(campaign, "vasp")
    assert list(results) == ["sheet", "sheet-v_Se", "Se-atom"]
    assert all(result.energy is None and not result.converged for result in results.values())
    assert results["sheet"].problems == ("not run yet: the folder holds no VASP output",)


def test_an_unknown_source_gets_a_suggestion(study: Path, tmp_path: Path) -> None:
    write_campaign(study, calculations(), tmp_path / "c")
    (tmp_path / "c" / "sheet" / "chgnet").mkdir()
    (tmp_path / "c" / "sheet" / "chgnet" / "result.json").write_text("{}")
    campaign = load_campaign(tmp_path / "c")
    assert available_sources(campaign) == ("chgnet",)
    with pytest.raises(InputError, match="did you mean chgnet"):
        collect(campaign, "chgent")
    with pytest.raises(InputError):
        collect(campaign, "../..")


def test_an_unreadable_result_is_a_problem_in_words(study: Path, tmp_path: Path) -> None:
    write_campaign(study, calculations(), tmp_path / "c")
    (tmp_path / "c" / "sheet" / "chgnet").mkdir()
    (tmp_path / "c" / "sheet" / "chgnet" / "result.json").write_text("{")
    (tmp_path / "c" / "Se-atom" / "OUTCAR").write_text("no outcar\n")
    campaign = load_campaign(tmp_path / "c")
    results = collect(campaign, "chgnet")
    assert results["sheet"].energy is None
    assert results["sheet"].problems
    assert "not run yet with chgnet" in results["Se-atom"].problems[0]


def test_the_study_copy_of_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"gone\.yaml: expected a readable study file"):
        write_campaign(tmp_path / "gone.yaml", calculations(), tmp_path / "c")


def test_the_manifests_are_plain_json(study: Path, tmp_path: Path) -> None:
    write_campaign(study, calculations(), tmp_path / "c")
    document = json.loads((tmp_path / "c" / "sheet-v_Se" / "calculation.json").read_text())
    assert (document["starts_from"], document["removed_indices"]) == ("sheet", [2])


def campaign_of_one(study: Path, folder: Path, atoms: Atoms, outcar: Path) -> dict[str, CalculationResult]:
    calculation = Calculation(name="run", role=Role(kind="pristine"), atoms=atoms, settings=preset("ma2023"))
    write_campaign(study, [calculation], folder)
    shutil.copy(outcar, folder / "run" / outcar.name)
    campaign = load_campaign(folder)
    assert available_sources(campaign) == ("vasp",)
    return collect(campaign, "vasp")


def test_a_vasp_run_comes_back_in_the_order_of_the_calculations_atoms(
    study: Path, tmp_path: Path, vasp_corpus: Path
) -> None:
    outcar = vasp_corpus / "doped" / "Sb2Se3_O_sub" / "bulk" / "OUTCAR.gz"
    final = read_run(outcar).to_atoms()
    symbols = final.get_chemical_symbols()
    # one atom of each species in turn: the POSCAR has them grouped as VASP had
    turn = {i: symbols[:i].count(symbols[i]) for i in range(len(symbols))}
    mixed = sorted(turn, key=lambda i: (turn[i], i))
    assert mixed != list(range(len(symbols)))
    result = campaign_of_one(study, tmp_path / "c", final[mixed], outcar)["run"]
    assert result.atoms is not None
    assert result.energy == pytest.approx(read_run(outcar).energy, abs=1e-9)
    assert result.atoms.get_chemical_symbols() == [symbols[i] for i in mixed]
    assert np.allclose(result.atoms.positions, final.positions[mixed], rtol=0, atol=1e-12)
    forces = final.get_forces(apply_constraint=False)[mixed]
    assert np.ptp(forces) > 0.01
    assert np.array_equal(result.atoms.get_forces(apply_constraint=False), forces)


def test_a_run_of_another_compound_gives_no_energy(study: Path, tmp_path: Path, vasp_corpus: Path) -> None:
    outcar = vasp_corpus / "doped" / "SrTiO3_v_O" / "bulk_sp333" / "OUTCAR.gz"
    atoms = Atoms("CdSe", positions=[[0, 0, 0], [2, 2, 2]], cell=[4, 4, 4], pbc=True)
    result = campaign_of_one(study, tmp_path / "c", atoms, outcar)["run"]
    assert (result.energy, result.converged) == (None, False)
    assert "the calculation of CdSe" in result.problems[-1]


def test_an_engines_result_is_collected(study: Path, tmp_path: Path) -> None:
    made = calculations()[2]
    made = replace(made, atoms=Atoms("Cu", cell=[12, 13, 14], pbc=True), settings=replace(made.settings, relax="none"))
    write_campaign(study, [made], tmp_path / "c")
    emt = engine("ase.calculators.emt:EMT")
    run_calculation(made, emt, tmp_path / "c" / made.name / emt.label)
    campaign = load_campaign(tmp_path / "c")
    assert available_sources(campaign) == (emt.label,)
    result = collect(campaign, emt.label)[made.name]
    assert result.energy is not None
    assert result.energy == pytest.approx(3.51, abs=1e-9)  # EMT's Cu atom: its cohesive energy


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 7}', '{"schema": 1}'])
def test_a_broken_manifest_says_how_to_get_it_back_and_that_works(study: Path, tmp_path: Path, text: str) -> None:
    write_campaign(study, calculations(), tmp_path / "c")
    manifest = tmp_path / "c" / "sheet" / "calculation.json"
    before = manifest.read_bytes()
    result = tmp_path / "c" / "sheet" / "chgnet" / "result.json"
    result.parent.mkdir()
    result.write_text("{}")
    manifest.write_text(text)
    with pytest.raises(FileError, match="move it away and write the campaign again"):
        load_campaign(tmp_path / "c")
    manifest.unlink()
    with pytest.raises(FileError, match="write the campaign again"):
        load_campaign(tmp_path / "c")
    write_campaign(study, calculations(), tmp_path / "c")
    assert manifest.read_bytes() == before
    assert result.read_text() == "{}"


def test_a_lost_structure_says_how_to_get_it_back_and_that_works(study: Path, tmp_path: Path) -> None:
    write_campaign(study, calculations(), tmp_path / "c")
    poscar = tmp_path / "c" / "sheet" / "POSCAR"
    before = poscar.read_bytes()
    poscar.unlink()
    with pytest.raises(FileError, match=r"POSCAR: expected the structure.*write the campaign again"):
        load_campaign(tmp_path / "c")
    write_campaign(study, calculations(), tmp_path / "c")
    assert poscar.read_bytes() == before


def test_results_without_their_deck_are_not_taken_for_those_of_another(study: Path, tmp_path: Path) -> None:
    write_campaign(study, calculations(), tmp_path / "c")
    folder = tmp_path / "c" / "sheet"
    (folder / "calculation.json").unlink()
    (folder / "OUTCAR").write_text("a run")
    others = [replace(c, settings=replace(c.settings, cutoff_energy=520.0)) for c in calculations()]
    with pytest.raises(FileError, match="sheet"):
        write_campaign(study, others, tmp_path / "c")
    (folder / "INCAR").unlink()
    with pytest.raises(FileError, match="expected no results"):
        write_campaign(study, calculations(), tmp_path / "c")
