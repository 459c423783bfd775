"""A campaign with VASP input sets: added to or written first, never over results or edits; results read back."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from potcar_writer import write_library
from small_campaign import files_of
from small_campaign import three_calculations as calculations

from nanoslab.calculation import Calculation, CalculationResult, Role
from nanoslab.campaign import load_campaign, write_campaign
from nanoslab.driver.results import available_sources, collect
from nanoslab.driver.vasp_campaign import write_vasp_campaign
from nanoslab.engines import engine, run_calculation
from nanoslab.errors import FileError, InputError
from nanoslab.files import write_atomically
from nanoslab.presets import preset
from nanoslab.vasp import read_run

pytestmark = pytest.mark.usefixtures("no_potcar_library")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text("study: cdse-nanosheet\n")
    return path


def test_a_campaign_is_what_the_design_says(study: Path, tmp_path: Path) -> None:
    written = write_vasp_campaign(study, calculations(), tmp_path / "c")
    names = {path.name for path in (tmp_path / "c").iterdir()}
    assert names == {"study.yaml", "campaign.json", "submit.sh", "calculations.tsv", "sheet", "sheet-v_Se", "Se-atom"}
    assert [deck.change for deck in written.decks] == ["new"] * 3
    assert written.notes == ()
    assert (tmp_path / "c" / "submit.sh").stat().st_mode & 0o100


def test_writing_twice_changes_nothing(study: Path, tmp_path: Path) -> None:
    write_vasp_campaign(study, calculations(), tmp_path / "c")
    before = files_of(tmp_path / "c")
    written = write_vasp_campaign(study, calculations(), tmp_path / "c")
    assert {deck.change for deck in written.decks} == {"unchanged"}
    assert files_of(tmp_path / "c") == before


def test_one_bad_deck_leaves_the_whole_campaign_as_it_was(study: Path, tmp_path: Path) -> None:
    bad = calculations()
    bad[2] = replace(bad[2], settings=replace(bad[2].settings, functional="PBEE"))
    with pytest.raises(InputError, match="functional"):
        write_vasp_campaign(study, bad, tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_results_are_never_overwritten(study: Path, tmp_path: Path) -> None:
    write_vasp_campaign(study, calculations(), tmp_path / "c")
    (tmp_path / "c" / "Se-atom" / "OUTCAR").write_text("precious")
    before = files_of(tmp_path / "c")
    changed = [replace(c, settings=replace(c.settings, cutoff_energy=500.0)) for c in calculations()]
    with pytest.raises(FileError, match="OUTCAR"):
        write_vasp_campaign(study, changed, tmp_path / "c")
    assert files_of(tmp_path / "c") == before


def test_an_edited_submit_script_stays(study: Path, tmp_path: Path) -> None:
    write_vasp_campaign(study, calculations(), tmp_path / "c")
    (tmp_path / "c" / "submit.sh").write_text("#!/bin/bash\n#SBATCH --partition=mine\n")
    notes = write_vasp_campaign(study, calculations(), tmp_path / "c").notes
    assert any("submit.sh was edited" in note for note in notes)
    assert "mine" in (tmp_path / "c" / "submit.sh").read_text()


def test_all_decks_take_their_potcars_from_one_release(study: Path, tmp_path: Path) -> None:
    root = tmp_path / "library"
    write_library(root, ("Cd", "Se"), layout="potpaw_PBE.52/{dataset}/POTCAR", date="01Jan2012")
    write_library(root, ("Se",), layout="potpaw_PBE.64/{dataset}/POTCAR", date="01Jan2022")
    decks = write_vasp_campaign(study, calculations(), tmp_path / "c", root).decks
    assert decks[2].potentials == ("PAW_PBE Se 01Jan2012",)


def test_every_calculation_gets_an_entry(study: Path, tmp_path: Path) -> None:
    write_vasp_campaign(study, calculations(), tmp_path / "c")
    campaign = load_campaign(tmp_path / "c")
    assert available_sources(campaign) == ()
    results = collect(campaign, "vasp")
    assert list(results) == ["sheet", "sheet-v_Se", "Se-atom"]
    assert all(result.energy is None and not result.converged for result in results.values())
    assert results["sheet"].problems == ("not run yet: the folder holds no VASP output",)


def test_an_unknown_source_gets_a_suggestion(study: Path, tmp_path: Path) -> None:
    write_vasp_campaign(study, calculations(), tmp_path / "c")
    (tmp_path / "c" / "sheet" / "chgnet").mkdir()
    (tmp_path / "c" / "sheet" / "chgnet" / "result.json").write_text("{}")
    campaign = load_campaign(tmp_path / "c")
    assert available_sources(campaign) == ("chgnet",)
    with pytest.raises(InputError, match="did you mean chgnet"):
        collect(campaign, "chgent")
    with pytest.raises(InputError):
        collect(campaign, "../..")


def test_an_unreadable_result_is_a_problem_in_words(study: Path, tmp_path: Path) -> None:
    write_vasp_campaign(study, calculations(), tmp_path / "c")
    (tmp_path / "c" / "sheet" / "chgnet").mkdir()
    (tmp_path / "c" / "sheet" / "chgnet" / "result.json").write_text("{")
    (tmp_path / "c" / "Se-atom" / "OUTCAR").write_text("no outcar\n")
    campaign = load_campaign(tmp_path / "c")
    results = collect(campaign, "chgnet")
    assert results["sheet"].energy is None
    assert results["sheet"].problems
    assert "not run yet with chgnet" in results["Se-atom"].problems[0]


def campaign_of_one(study: Path, folder: Path, atoms: Atoms, outcar: Path) -> dict[str, CalculationResult]:
    calculation = Calculation(name="run", role=Role(kind="pristine"), atoms=atoms, settings=preset("ma2023"))
    write_vasp_campaign(study, [calculation], folder)
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
    write_vasp_campaign(study, [made], tmp_path / "c")
    emt = engine("ase.calculators.emt:EMT")
    run_calculation(made, emt, tmp_path / "c" / made.name / emt.label)
    campaign = load_campaign(tmp_path / "c")
    assert available_sources(campaign) == (emt.label,)
    result = collect(campaign, emt.label)[made.name]
    assert result.energy is not None
    assert result.energy == pytest.approx(3.51, abs=1e-9)  # EMT's Cu atom: its cohesive energy


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 7}', '{"schema": 1}'])
def test_a_broken_manifest_says_how_to_get_it_back_and_that_works(study: Path, tmp_path: Path, text: str) -> None:
    write_vasp_campaign(study, calculations(), tmp_path / "c")
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
    write_vasp_campaign(study, calculations(), tmp_path / "c")
    assert manifest.read_bytes() == before
    assert result.read_text() == "{}"


def test_results_without_their_calculation_are_not_taken_for_those_of_another(study: Path, tmp_path: Path) -> None:
    write_vasp_campaign(study, calculations(), tmp_path / "c")
    folder = tmp_path / "c" / "sheet"
    (folder / "calculation.json").unlink()
    (folder / "OUTCAR").write_text("a run")
    others = [replace(c, settings=replace(c.settings, cutoff_energy=520.0)) for c in calculations()]
    with pytest.raises(FileError, match="sheet"):
        write_vasp_campaign(study, others, tmp_path / "c")
    (folder / "vasp.json").unlink()
    (folder / "INCAR").unlink()
    with pytest.raises(FileError, match="expected no results"):
        write_vasp_campaign(study, calculations(), tmp_path / "c")


def test_input_sets_are_added_beside_the_results_of_an_engine(study: Path, tmp_path: Path) -> None:
    copper = Atoms("Cu", cell=[12, 13, 14])
    settings = replace(preset("ma2023"), relax="none", functional="PBEE")
    made = Calculation(name="Cu-atom", role=Role(kind="atom"), atoms=copper, settings=settings)
    write_campaign(study, [made], tmp_path / "c")  # a functional that VASP does not know is nobody's concern yet
    emt = engine("ase.calculators.emt:EMT")
    run_calculation(load_campaign(tmp_path / "c").calculations[0], emt, tmp_path / "c" / "Cu-atom" / emt.label)
    before = files_of(tmp_path / "c")
    with pytest.raises(InputError, match=r"settings\.functional.*did you mean PBE"):
        write_vasp_campaign(study, [made], tmp_path / "c")
    assert files_of(tmp_path / "c") == before
    with pytest.raises(FileError, match=f"differs in functional, got {emt.label}"):
        write_vasp_campaign(study, [replace(made, settings=replace(settings, functional="PBE"))], tmp_path / "c")


def test_a_campaign_gets_its_input_sets_later_and_keeps_them(study: Path, tmp_path: Path) -> None:
    write_campaign(study, calculations(), tmp_path / "c")
    (tmp_path / "c" / "sheet" / "emt").mkdir()
    (tmp_path / "c" / "sheet" / "emt" / "result.json").write_text("{}")
    neutral = files_of(tmp_path / "c")
    written = write_vasp_campaign(study, calculations(), tmp_path / "c")
    assert {deck.change for deck in written.decks} == {"new"}
    both = files_of(tmp_path / "c")
    assert {name: both[name] for name in neutral} == neutral
    write_campaign(study, calculations(), tmp_path / "c")
    assert files_of(tmp_path / "c") == both
    changed = [replace(c, settings=replace(c.settings, cutoff_energy=500.0)) for c in calculations()]
    with pytest.raises(FileError, match="differs in cutoff_energy, got INCAR"):
        write_campaign(study, changed[2:], tmp_path / "c")  # the input sets would be those of another calculation
    (tmp_path / "c" / "sheet" / "emt" / "result.json").unlink()
    (tmp_path / "c" / "sheet" / "emt").rmdir()
    assert {deck.change for deck in write_vasp_campaign(study, changed, tmp_path / "c").decks} == {"replaced"}


def test_a_kill_between_any_two_files_is_mended_by_writing_again(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = [replace(c, settings=replace(c.settings, cutoff_energy=500.0)) for c in calculations()]
    write_vasp_campaign(study, calculations(), tmp_path / "whole")
    write_vasp_campaign(study, changed, tmp_path / "whole")
    whole = {name: content for name, (_, content) in files_of(tmp_path / "whole").items()}
    for before in (None, calculations()):
        for n in range(100):
            folder = tmp_path / f"{before is None}-{n}"
            if before is not None:
                write_vasp_campaign(study, before, folder)
            left = iter(range(n))

            def dying(path: Path, content: bytes, left: Iterator[int] = left) -> None:
                if next(left, None) is None:
                    raise KeyboardInterrupt
                write_atomically(path, content)

            with monkeypatch.context() as patch:
                patch.setattr("nanoslab.files.write_atomically", dying)
                with contextlib.suppress(KeyboardInterrupt):
                    write_vasp_campaign(study, changed, folder)
            complete = next(left, None) is not None
            write_vasp_campaign(study, changed, folder)
            assert {name: content for name, (_, content) in files_of(folder).items()} == whole, n
            if complete:
                break
        assert n > 10
