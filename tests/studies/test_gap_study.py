"""The gap study from its file to its answer, with a pair potential whose minimum is known."""

import json
from collections import Counter

import numpy as np
import pytest
from study_runs import runs_of

from nanoslab.builders.double_slab import LIGAND, LOWER, UPPER
from nanoslab.calculation import CalculationResult
from nanoslab.errors import FileError, InputError
from nanoslab.files import data_folder
from nanoslab.studies import GapStudy
from nanoslab.studies.study_file import load_study

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
    assert {name for name, _ in result.refused} == {"gap-04.00", "gap-06.00", "gap-07.00", "gap-08.00", "gap-09.00"}
    assert result.rows == ()


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
    calculations = one.model_copy(update={"gaps": one.gaps[-2:]}).calculations()
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
