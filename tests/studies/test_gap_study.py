"""The gap study from its file to its answer, with a pair potential whose minimum is known."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from study_runs import runs_of

from nanoslab.builders.double_slab import LIGAND, LOWER, UPPER
from nanoslab.calculation import CalculationResult
from nanoslab.cli.main import main
from nanoslab.errors import FileError, InputError
from nanoslab.files import data_folder
from nanoslab.studies import GapStudy
from nanoslab.studies.gap.extension import _can_be_built
from nanoslab.studies.study_file import load_study

#: a parabola in the distance between the mean heights of the two slabs, 0.1 eV/Å2
ENGINE = """
from ase.calculators.calculator import Calculator, all_changes
import numpy as np


class Parabola(Calculator):
    implemented_properties = ["energy", "forces"]

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        z = np.sort(self.atoms.positions[:, 2])
        apart = z[len(z) // 2 :].mean() - z[: len(z) // 2].mean()
        energy = 0.1 * (apart - MINIMUM - 6.2086 / 2) ** 2 if apart > 1.0 else 0.0
        self.results = {"energy": energy, "forces": np.zeros((len(z), 3))}


def calculator():
    return Parabola()
"""
GAPS = [4.0, 5.0, 6.0, 7.0, 8.0, 9.0]


def study(**fields):
    base = {
        "study": "pbse-gap",
        "title": "two facets",
        "crystal": "PbSe-rocksalt",
        "planes": 1,
        "lateral": [4, 4],
        "gaps": GAPS,
        "ligand": {"name": "formic-acid"},
    }
    return GapStudy.from_document({**base, **fields})


def results_for(calculations, energy):
    return {
        calculation.name: CalculationResult(
            name=calculation.name,
            path=calculation.name,
            level_of_theory="made by hand",
            energy=energy(calculation),
            atoms=calculation.atoms,
            converged=True,
        )
        for calculation in calculations
    }


def parabola(calculation):
    """Slab -10, ligand -3, and a parabola in the gap with its minimum at 6.4 Å."""
    if calculation.role.kind == "slab":
        return -10.0
    if calculation.role.kind == "ligand":
        return -3.0
    return -20.0 - 3.0 * calculation.role.n_ligands + 0.2 * (calculation.role.gap_A - 6.4) ** 2 - 0.5


def test_the_minimum_of_a_known_curve_comes_out():
    one = study()
    result = one.analyze(runs_of(one.calculations(), results_for(one.calculations(), parabola)))
    document = result.to_dict()
    assert [row["gap_A"] for row in document["gaps"]] == GAPS
    assert [row["energy_eV"] for row in document["gaps"]] == pytest.approx([0.2 * (g - 6.4) ** 2 - 0.5 for g in GAPS])
    assert document["minimum_gap_A"] == pytest.approx(6.4)
    assert document["minimum_facing_distance_A"] == pytest.approx(6.4 + 6.2086 / 2)
    assert document["minimum_gap_uncertainty_A"] < 1e-6
    assert document["minimum_energy_eV"] == pytest.approx(-0.5)
    assert json.loads(json.dumps(document)) == document


@pytest.mark.parametrize(("deepest", "pose"), [(None, [None] * 6), (5.0, [None] + [5.0] * 5)])
def test_the_curve_is_the_lower_envelope_of_the_poses(deepest, pose):
    def energy(calculation):
        bonus = -0.3 if calculation.role.kind == "gap" and calculation.role.pose_gap_A == deepest else 0.0
        return parabola(calculation) + bonus

    one = study()
    calculations = one.calculations()
    document = one.analyze(runs_of(calculations, results_for(calculations, energy))).to_dict()
    assert [row["pose_gap_A"] for row in document["gaps"]] == pose
    assert len(document["poses"]) == sum(calculation.role.kind == "gap" for calculation in calculations) > 6
    names = [calculation.name for calculation in study(poses="narrowest").calculations()]
    assert names == ["slab", "ligand", *(f"gap-{gap:05.2f}" for gap in GAPS)]


@pytest.mark.parametrize("ligands", [{"name": "acetic-acid", "count": 2, "on": "both"}, None])
def test_free_slabs_and_free_ligands_are_what_is_subtracted(ligands):
    one = study(ligand=ligands)
    calculations = one.calculations()
    counts = {c.name: Counter(c.atoms.get_chemical_symbols()) for c in calculations}
    for calculation in calculations:
        if calculation.role.kind != "gap":
            continue
        n = calculation.role.n_ligands
        assert n == (4 if ligands else 0)
        parts = Counter({symbol: 2 * count for symbol, count in counts["slab"].items()})
        for symbol, count in counts.get("ligand", Counter()).items():
            parts[symbol] += n * count
        assert counts[calculation.name] == parts
    result = one.analyze(runs_of(one.calculations(), results_for(calculations, parabola)))
    assert result.minimum.gap == pytest.approx(6.4)


def test_all_cells_and_settings_are_the_same():
    calculations = study(fixed_planes=1, relax="ions").calculations()
    cells = np.array([calculation.atoms.cell.array for calculation in calculations])
    assert np.allclose(cells, cells[0])
    assert len({(c.settings.kpoints, c.settings.relax, c.settings.cutoff_energy) for c in calculations}) == 1
    for calculation in calculations:
        if calculation.role.kind == "gap":
            tags, z = calculation.atoms.get_tags(), calculation.atoms.positions[:, 2]
            gap = z[tags == UPPER].min() - z[tags == LOWER].max() - 6.2086 / 2
            assert gap == pytest.approx(calculation.role.gap_A)
            assert not set(calculation.atoms.constraints[0].index) & set(np.flatnonzero(tags == LIGAND))


def test_species_are_grouped_in_every_structure():
    for calculation in study().calculations():
        symbols = calculation.atoms.get_chemical_symbols()
        assert len(set(symbols)) == sum(a != b for a, b in zip(symbols, [None, *symbols], strict=False))


def test_a_minimum_outside_the_scan_is_told_not_made_up():
    one = study(gaps=[7.0, 7.5, 8.0, 8.5, 9.0])
    result = one.analyze(runs_of(one.calculations(), results_for(one.calculations(), parabola)))
    assert result.minimum is None
    assert "narrower" in result.minimum_problem
    assert result.to_dict()["minimum_gap_A"] is None
    assert any("No minimum" in note for note in result.tables()[0].notes)


def test_missing_and_refused_runs_are_told():
    one = study()
    results = results_for(one.calculations(), parabola)
    del results["gap-05.00"]
    del results["ligand"]
    result = one.analyze(runs_of(one.calculations(), results))
    assert {name for name, _ in result.missing} == {"ligand", "gap-05.00"}
    there = {calculation.name for calculation in one.calculations() if calculation.role.kind == "gap"}
    assert {name for name, _ in result.refused} == there - {"gap-05.00"}
    assert result.rows == ()


@pytest.mark.parametrize(
    ("place", "computed"),
    [
        (3.7, (3.5, 5.0)),
        pytest.param(5.6, (4.0, 6.0), marks=pytest.mark.slow),
        pytest.param(2.4, (3.25, 5.0), marks=pytest.mark.slow),
    ],
)
def test_extending_a_scan_brackets_the_minimum_unless_the_slabs_would_touch(
    place, computed, tmp_path, capsys, monkeypatch
):
    """Bare slabs of a pair potential whose minimum lies outside the gaps of the file."""
    monkeypatch.chdir(tmp_path)
    Path("engine.py").write_text(ENGINE.replace("MINIMUM", str(place)))
    Path("scan.yaml").write_text(
        "study: gap\ntitle: bare\ncrystal: PbSe-rocksalt\nplanes: 1\nlateral: [2, 2]\nfixed_planes: 0\n"
        "relax: none\ngaps: [4.0, 4.25, 4.5, 4.75, 5.0]\n"
    )
    assert main(["run", "scan.yaml", "--engine", "./engine.py:calculator", "--extend", "--jobs", "1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    if document["minimum_problem"] is None:
        assert document["minimum_gap_A"] == pytest.approx(place, abs=0.01)
    assert (document["minimum_problem"] is not None) == (place == 2.4)
    gaps = [row["gap_A"] for row in document["gaps"]]
    np.testing.assert_allclose(gaps, np.arange(computed[0], computed[1] + 0.1, 0.25))
    heights = {c.atoms.cell[2, 2] for c in load_study(Path("scan/study.yaml")).calculations()}
    assert len(heights) == 1


def test_what_cannot_be_extended_is_refused_before_anything_is_computed(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shipped = data_folder("workflows") / "cdse_nanosheet.yaml"
    assert main(["run", str(shipped), "--engine", "ase.calculators.emt:EMT", "--extend"]) == 2
    assert capsys.readouterr().err == "nanoslab: --extend: expected a gap study, got vacancies; leave it out\n"
    assert not list(tmp_path.iterdir())


def test_gaps_at_which_slabs_touch_or_no_vacuum_is_left_are_not_proposed():
    one = study(gaps=[4.0, 5.0], vacuum=10.0)
    assert [_can_be_built(one, gap) for gap in (3.0, 3.2, 7.0, 7.1)] == [False, True, True, False]


def test_the_answer_names_its_level_of_theory_and_wang():
    one = study(compare={"source": "Wang 2020", "gap": [5.5, 8.0]})
    result = one.analyze(runs_of(one.calculations(), results_for(one.calculations(), parabola)))
    text = " ".join(result.tables()[0].notes)
    assert "made by hand" in text
    assert "Wang 2020: lowest at 5.5 to 8 Å" in text
    assert result.to_dict()["compared_with"]["gap_A"] == [5.5, 8.0]


def test_the_shipped_file_is_a_study():
    one = load_study(data_folder("workflows") / "pbse_gap.yaml")
    assert one.ligand.name == "oleic-fragment"
    calculations = one.model_copy(update={"gaps": one.gaps[-2:], "poses": "narrowest"}).calculations()
    assert [c.role.kind for c in calculations] == ["slab", "ligand", "gap", "gap"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"gaps": [5.0, 5.001]}, "gaps that differ"),
        ({"gaps": []}, "gaps"),
        ({"ligand": {"name": "formic-acid", "onn": "lower"}}, "unknown field 'onn'"),
        ({"lattice": "pbe", "lattice_constant": 6.2}, "lattice or lattice_constant"),
    ],
)
def test_wrong_fields_are_told(tmp_path, fields, message):
    file = tmp_path / "study.yaml"
    file.write_text(json.dumps({**json.loads(study().model_dump_json(exclude_none=True)), **fields}))
    with pytest.raises(FileError, match=message):
        load_study(file)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"ligand": {"name": "oleate"}}, "neutral ligand"),
        ({"ligand": {"name": "olic-acid"}}, "did you mean oleic-acid"),
        ({"gaps": [1.0, 5.0]}, "at least one bond"),
    ],
)
def test_what_cannot_be_built_is_refused(fields, message):
    with pytest.raises(InputError, match=message):
        study(**fields).calculations()
