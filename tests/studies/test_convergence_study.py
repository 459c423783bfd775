"""Convergence: scans of closed form, of which the first value that is enough is known."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from study_runs import runs_of

from nanoslab.calculation import CalculationResult
from nanoslab.files import data_folder
from nanoslab.studies.convergence import ConvergenceStudy
from nanoslab.studies.study_file import load_study

SHEET = {"phase": "wz", "crystal": "CdSe-wurtzite", "face": "11-20", "monolayers": 3, "kpoints": [4, 3, 1]}
FIELDS = {
    "study": "convergence",
    "title": "closed form",
    "sheet": SHEET,
    "cutoff_energies": [250, 300, 350, 450, 500],
    "kpoints": [[2, 2, 1], [3, 2, 1], [6, 5, 1], [8, 6, 1]],
    "monolayers": [1, 2, 4, 5],
}


def energy(calculation) -> float:
    """Falls with the cutoff, with the mesh, and by 3 eV an atom; each surface costs 2 eV, thinner sheets more."""
    role, n_atoms = calculation.role, len(calculation.atoms)
    per_atom = -3.0 + 5.0 * math.exp(-role.cutoff_energy / 40) + 0.4 * math.exp(-math.prod(role.kpoints) / 2.0)
    return n_atoms * per_atom + 2.0 * (1 - 0.5 * math.exp(-2.0 * role.monolayers))


def analysed(fields, energy_of=energy):
    study = ConvergenceStudy.from_document(fields)
    calculations = study.calculations()
    results = {
        one.name: CalculationResult(
            name=one.name,
            path="",
            energy=energy_of(one),
            converged=True,
            atoms=one.atoms,
            level_of_theory="closed form",
        )
        for one in calculations
    }
    return study, calculations, study.analyze(runs_of(calculations, results))


@pytest.fixture(scope="module")
def found():
    return analysed(FIELDS)


def test_no_point_is_computed_twice_and_all_but_one_quantity_is_held(found):
    _, calculations, _ = found
    assert len(calculations) == 1 + 5 + 4 + 4  # the study's own values belong to every scan
    roles = [one.role for one in calculations]
    own = {"cutoff_energy": 400.0, "kpoints": (4, 3, 1), "vacuum": 15.0, "monolayers": 3}
    assert all(sum(getattr(role, name) != value for name, value in own.items()) <= 1 for role in roles)
    assert all(one.settings.cutoff_energy == one.role.cutoff_energy for one in calculations)


def test_enough_is_the_first_value_from_which_on_all_are_within_the_tolerance(found):
    _, _, result = found
    scans = {scan.quantity: scan for scan in result.scans}
    # 5 exp(-E/40) - 5 exp(-500/40) falls below 1 meV between 300 and 350 eV
    assert scans["cutoff_energy"].converged_from == "350"
    assert scans["kpoints"].converged_from == "4x3x1"
    assert scans["cutoff_energy"].is_base_enough
    points = {(one.quantity, one.label): one for one in result.points}
    expected = 5e3 * (math.exp(-300 / 40) - math.exp(-500 / 40))
    assert points["cutoff_energy", "300"].difference == pytest.approx(expected, rel=1e-6)


def test_of_a_thickness_the_added_atoms_count_so_that_the_surfaces_cancel(found):
    _, _, result = found
    thick = [one for one in result.points if one.quantity == "monolayers"]
    assert thick[0].energy is None
    assert abs(thick[-2].difference) < 1.0  # E/N itself still falls by 2 eV / N between these
    assert [scan.converged_from for scan in result.scans if scan.quantity == "monolayers"] == ["4"]


def test_a_scan_that_goes_on_falling_is_not_called_converged():
    _, _, result = analysed(
        {**FIELDS, "kpoints": [], "monolayers": []}, lambda one: -0.01 * one.role.cutoff_energy * len(one.atoms)
    )
    assert result.scans[0].converged_from is None
    assert result.scans[0].is_base_enough is False
    headline = ConvergenceStudy.says(result.to_dict())
    assert headline.verdict == "no"


def test_an_engine_without_plane_waves_proves_nothing_about_the_cutoff():
    _, _, result = analysed({**FIELDS, "kpoints": [], "monolayers": []}, lambda one: -3.0 * len(one.atoms))
    assert "nothing was tested" in result.scans[0].notes[0]
    assert result.scans[0].is_base_enough is None


def test_a_base_that_is_not_enough_is_told(found):
    _, _, result = analysed({**FIELDS, "sheet": {**SHEET, "kpoints": [1, 1, 1]}, "monolayers": []})
    assert {scan.quantity: scan.is_base_enough for scan in result.scans} == {"cutoff_energy": True, "kpoints": False}
    said = ConvergenceStudy.says(result.to_dict())
    assert (said.verdict, said.sentence) == ("no", "The settings are not converged within 1 meV/atom: k-points")


def test_every_scan_has_its_plot_and_tables(found):
    study, _, result = found
    names = [plot.name for plot in study.plots(result.to_dict())]
    assert names == ["convergence-cutoff", "convergence-k-points", "convergence-thickness"]
    assert [table.title for table in result.tables()] == ["Convergence", "Points of the scans"]
    assert replace(result) == result


def test_the_shipped_file_is_a_study():
    study = load_study(data_folder("workflows") / "cdse_convergence.yaml")
    assert len(study.calculations()) == 1 + 5 + 5 + 5 + 5
