"""Studies of phonons and of free energies are campaigns like any other: two crystals of copper by EMT."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator

from nanoslab.calculation import Calculation, CalculationResult, Role, Run, Settings
from nanoslab.campaign.format import calculation_document, document_text
from nanoslab.cli.main import main
from nanoslab.errors import InputError
from nanoslab.studies.phonons.free_energy import FreeEnergyStudy
from nanoslab.studies.phonons.study import PhononsStudy
from nanoslab.studies.study_file import load_study

ENGINE = ("--engine", "ase.calculators.emt:EMT")
OPTIONS = {"kpoints": [9, 9, 9], "supercell": [2, 2, 2], "mesh": [3, 3, 3]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Crystals and a study file of each kind, the structures named as they lie beside the files."""
    bulk("Cu", "fcc", a=3.590).write(tmp_path / "fcc.vasp")
    bulk("Cu", "hcp", a=2.539, c=4.146).write(tmp_path / "hcp.vasp")
    one = {"study": "phonons", "title": "copper", "structure": "fcc.vasp", **OPTIONS}
    phases = [{"name": name, "structure": f"{name}.vasp", **OPTIONS} for name in ("fcc", "hcp")]
    both = {"study": "free-energy", "title": "copper", "phases": phases}
    for name, fields in (("one", one), ("both", both)):
        lines = (f"{key}: {json.dumps(value)}\n" for key, value in fields.items())
        (tmp_path / f"{name}.yaml").write_text("".join(lines))
    return tmp_path


def by_emt(calculation: Calculation, **changes: Any) -> Run:
    atoms = calculation.atoms.copy()
    atoms.calc = EMT()
    energy, forces = atoms.get_potential_energy(), atoms.get_forces()
    atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
    known = {"energy": energy, "atoms": atoms, "converged": True, "max_free_force": float(np.abs(forces).max())}
    name = calculation.name
    return Run(
        calculation=calculation,
        result=CalculationResult(**{"name": name, "path": name, "level_of_theory": "EMT", **known, **changes}),
    )


def told(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*map(str, words), "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_a_study_file_runs_as_a_campaign_and_says_what_the_command_says(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The crystals are relaxed by symmetry but for their lattice, so the command relaxes nothing."""
    study = told(capsys, "run", folder / "one.yaml", "--campaign", folder / "one", *ENGINE, "--jobs", "1")
    command = ["--supercell", 2, 2, 2, "--mesh", 3, 3, 3, "--jobs", "1"]
    direct = told(capsys, "phonons", folder / "fcc.vasp", folder / "direct", *ENGINE, *command)
    for key in ("free_energy_eV_per_atom", "entropy_eV_per_K_per_atom", "energy_eV_per_atom", "n_modes"):
        assert study[key] == pytest.approx(direct[key], abs=1e-9), key
    again = told(capsys, "analyze", folder / "one")
    assert again["velocity_covariance_m2_per_s2"] == study["velocity_covariance_m2_per_s2"]
    assert {Path(file).stem for file in again["files"]} >= {"results", "free_energy", "report"}
    assert "Vibrations of Cu" in (folder / "one" / "report.html").read_text()
    states = told(capsys, "status", folder / "one", "--source", "ase.calculators.emt-EMT")
    assert json.dumps(states).count("done") >= 2
    assert main(["free-energy", str(folder / "one"), str(folder / "direct")]) == 0
    assert "alike within" in capsys.readouterr().out


def test_a_study_of_phases_says_what_the_comparison_of_their_folders_says(folder: Path) -> None:
    both = load_study(folder / "both.yaml")
    assert isinstance(both, FreeEnergyStudy)
    runs = [by_emt(calculation) for calculation in both.calculations()]
    (comparison,) = both.analyze(runs).comparisons
    alone = []
    for phase in both.phases:
        fields = phase.model_dump(exclude={"name"}) | {"structure": str(folder / phase.structure)}
        study = PhononsStudy.model_validate({"study": "phonons", "title": "alone", **fields})
        alone.append(study.analyze([by_emt(calculation) for calculation in study.calculations()]).to_dict())
    fcc, hcp = (np.add(one["energy_eV_per_atom"], one["free_energy_eV_per_atom"]) for one in alone)
    assert comparison.difference == pytest.approx(hcp - fcc, abs=1e-12)
    assert both.plots(both.analyze(runs).to_dict())[0].series[0].y == pytest.approx(1e3 * (hcp - fcc))


def test_runs_that_are_missing_or_of_no_use_are_named(folder: Path) -> None:
    study = load_study(folder / "one.yaml")
    perfect, *displaced = study.calculations()
    runs = [by_emt(calculation, found=False, problems=("not run yet",)) for calculation in displaced]
    result = study.analyze([by_emt(perfect), *runs])
    assert dict(result.missing) == {one.name: "not run yet" for one in displaced}
    assert result.tables() == ()
    unconverged = [by_emt(calculation, converged=False, problems=("cut",)) for calculation in displaced]
    refused = study.analyze([by_emt(perfect), *unconverged], allow_unconverged=True).refused
    assert refused == tuple((one.name, "cut") for one in displaced)


def test_the_displacements_are_those_of_the_runs_as_they_were_written(folder: Path) -> None:
    """Forces grow with the displacement, the frequencies do not, whatever the study file says now.

    The anharmonic part at 0.02 Å is 4e-5 eV/atom; the other displacement would be wrong by 3 kT ln(2)/2.
    """
    study = load_study(folder / "one.yaml")
    longer = study.model_copy(update={"displacement": 0.02})
    runs = [by_emt(calculation) for calculation in longer.calculations()]
    result, expected = study.analyze(runs), study.analyze([by_emt(one) for one in study.calculations()])
    assert result.to_dict()["displacement_A"] == 0.02
    assert result.vibrations.thermal.free_energy == pytest.approx(expected.vibrations.thermal.free_energy, abs=1e-4)


def test_a_cell_that_is_not_relaxed_is_said(folder: Path) -> None:
    study = load_study(folder / "one.yaml")
    runs = [by_emt(calculation, max_free_force=0.3) for calculation in study.calculations()]
    assert "not relaxed: forces reach 0.300" in study.analyze(runs).tables()[0].notes[-1]


def test_a_calculation_as_start_brings_its_structure_and_settings(folder: Path) -> None:
    settings = Settings(source="own", cutoff_energy=350.0, kpoints=(6, 6, 6), spin_polarized=True)
    crystal = bulk("CuAu", "rocksalt", a=5.6)
    crystal.set_initial_magnetic_moments([1.0, 0.0])
    cell = Calculation(name="cell", role=Role(kind="pristine"), atoms=crystal, settings=settings)
    (folder / "cell.json").write_text(document_text(calculation_document(cell)))
    fields = {"study": "phonons", "title": "copper", "structure": str(folder / "cell.json"), "supercell": [2, 2, 2]}
    perfect = PhononsStudy.model_validate(fields).calculations()[0]
    assert perfect.settings == replace(settings, kpoints=(3, 3, 3), relax="none", electronic_tolerance=1e-8)
    assert perfect.atoms.get_initial_magnetic_moments().tolist() == [1.0] * 8 + [0.0] * 8
    with pytest.raises(InputError, match="a calculation, which has its own"):
        PhononsStudy.model_validate({**fields, "kpoints": [4, 4, 4]}).calculations()


def test_k_points_must_be_said(folder: Path) -> None:
    study = load_study(folder / "one.yaml").model_copy(update={"kpoints": None})
    with pytest.raises(InputError, match="kpoints: expected the mesh of the cell"):
        study.calculations()
