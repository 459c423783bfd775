"""The neck study from its file to its answer, with an engine whose necks are counted by hand."""

import importlib.util
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from ase.neighborlist import neighbor_list
from study_runs import runs_of

from nanoslab.builders.polyomino import perimeter, smallest_perimeter
from nanoslab.calculation import CalculationResult
from nanoslab.errors import EngineError, FileError, InputError, NanoslabError
from nanoslab.files import data_folder
from nanoslab.studies import NeckStudy
from nanoslab.studies.neck.screening import ready_study_file, screening_study
from nanoslab.studies.neck.shapes import shape_cells, shape_code
from nanoslab.studies.study_file import load_study

HERE = Path(__file__).parent
ENGINE = "bond_model:BondModel"
SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16]
FILE = """\
study: pbse-neck
title: bonds
relax: none
crystal: PbSe-rocksalt
lateral: [6, 6]
planes: 1
pairs: [1, 2, 3, 4]
"""


def bond_model():
    specification = importlib.util.spec_from_file_location("bond_model", HERE / "bond_model.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.BondModel()


def study(**fields):
    base = {
        "study": "pbse-neck",
        "title": "bonds",
        "crystal": "PbSe-rocksalt",
        "planes": 1,
        "relax": "none",
        "pairs": SIZES,
    }
    return NeckStudy.from_document({**base, **fields})


def computed(calculations, calculator=None, **changes):
    calculator = calculator or bond_model()
    results = {}
    for calculation in calculations:
        atoms = calculation.atoms.copy()
        atoms.calc = calculator
        results[calculation.name] = CalculationResult(
            name=calculation.name,
            path=calculation.name,
            level_of_theory="bonds of 1 eV",
            energy=float(atoms.get_potential_energy()),
            atoms=calculation.atoms.copy(),
            converged=True,
            **changes,
        )
    return results


def test_necks_of_unlike_columns_have_a_dipole_correction_and_balanced_ones_have_none():
    made = {c.role.n_pairs: c for c in study(pairs=[1, 4]).calculations() if c.role.kind == "neck"}
    assert {n: neck.settings.dipole_correction for n, neck in made.items()} == {1: True, 4: False}


def test_with_bonds_every_neck_costs_its_perimeter_less_its_pairs():
    one = study(shapes=4)
    result = one.analyze(runs_of(one.calculations(), computed(one.calculations())))
    assert {row.n_pairs for row in result.rows} == set(SIZES)
    for row in result.rows:
        assert row.delta_energy == row.perimeter - row.n_pairs
        assert row.perimeter == perimeter(shape_cells(row.shape))
        assert row.metrics.intact
    for size in result.sizes:
        assert size.lowest.delta_energy == smallest_perimeter(size.lowest.n_pairs) - size.lowest.n_pairs


def test_the_critical_size_of_the_bond_model_comes_with_its_interval():
    one = study()
    document = one.analyze(runs_of(one.calculations(), computed(one.calculations()))).to_dict()
    assert [neck["n_pairs"] for neck in document["necks"]] == SIZES
    assert document["critical_pairs"] == pytest.approx(4.0)
    assert document["critical_pairs_interval"] == [3.0, 7.0]
    assert document["critical_pairs_raw"] == 7
    assert document["critical_pairs_raw_tied"] == [3, 5, 7]
    assert document["critical_pairs_raw_bracketed"] is True
    assert document["critical_width_nm"] == pytest.approx(2 * 6.2086 / 20)
    assert document["nucleation_fit"]["edge_term_eV_per_column_edge"] == pytest.approx(1.0)
    assert document["nucleation_fit"]["area_term_eV_per_pair"] == pytest.approx(-1.0)
    assert document["necks"][SIZES.index(9)]["width_nm"] == pytest.approx(0.93, abs=0.01)
    assert json.loads(json.dumps(document)) == document


def test_gaps_of_four_planes_count_two_pairs_per_column():
    """A column of 4 atoms: 5 bonds along, 4 with every neighbour: 5 s + 4 (4 s - P) / 2 against 12 s: dE = 2 P - s."""
    one = study(gap_planes=4, vacuum=20.0, pairs=[2, 4, 6, 8, 12, 18])
    result = one.analyze(runs_of(one.calculations(), computed(one.calculations())))
    for row in result.rows:
        assert row.delta_energy == 2 * row.perimeter - row.n_columns
    assert result.width_nm(18) == pytest.approx(3 * 6.2086 / 20)
    # 2 * 4 sqrt(s) - s is highest at 16 columns
    assert result.critical_pairs == pytest.approx(32.0)


def test_all_shapes_that_fit_are_computed_once():
    one = study(shapes="all", pairs=[4, 5])
    names = [calculation.name for calculation in one.calculations()]
    assert len(names) == len(set(names)) == 2 + 5 + 11
    result = one.analyze(runs_of(one.calculations(), computed(one.calculations())))
    assert [size.n_shapes for size in result.sizes] == [5, 11]
    assert [size.spread for size in result.sizes] == [2.0, 2.0]


def test_every_calculation_is_neutral_and_sampled_alike():
    one = study(kpoints=[2, 3, 1], settings={"preset": "wang2020", "cutoff_energy": 450})
    bulk, bare, *necks = one.calculations()
    for calculation in (bulk, bare, *necks):
        counts = Counter(calculation.atoms.get_chemical_symbols())
        assert counts["Pb"] == counts["Se"]
        assert calculation.settings.cutoff_energy == 450
    assert bulk.settings.kpoints == (2, 3, 2)
    assert bulk.settings.relax == "none"
    assert {neck.settings.kpoints for neck in necks} == {bare.settings.kpoints} == {(2, 3, 1)}
    assert np.allclose(bulk.atoms.cell[0], bare.atoms.cell[0])
    assert np.allclose(bulk.atoms.cell[1], bare.atoms.cell[1])
    assert set(np.bincount(neighbor_list("i", bulk.atoms, 3.3))) == {6}


def test_a_collapsed_neck_is_shown_but_not_counted():
    one = study(shapes=2, pairs=[1, 2, 3, 4, 6])
    calculations = one.calculations()
    results = computed(calculations)
    name = next(c.name for c in calculations if c.name.startswith("neck-06"))
    neck = next(c.atoms.info["recipe"]["neck_indices"] for c in calculations if c.name == name)
    results[name].atoms.positions[neck[0]] += [6.0, 6.0, 0.0]
    result = one.analyze(runs_of(one.calculations(), results))
    row = next(row for row in result.rows if row.calculation == name)
    assert not row.intact
    assert "columns still bridge" in row.notes[0]
    size = result.sizes[-1]
    assert (size.n_shapes, size.n_broken) == (1, 1)
    assert size.lowest.calculation != name
    shapes = {shape["calculation"]: shape for shape in result.to_dict()["shapes"]}
    assert shapes[name]["intact"] is False
    assert shapes[name]["n_connected_columns"] == 5
    assert any("still bridge" in row[-1] for row in result.tables()[1].rows)


def test_missing_and_refused_runs_are_told():
    one = study(pairs=[1, 2, 3, 4])
    results = computed(one.calculations())
    names = [calculation.name for calculation in one.calculations()]
    del results[names[-1]]
    changed = results[names[-2]]
    results[names[-2]] = CalculationResult(
        name=changed.name, path="x", level_of_theory="", energy=changed.energy, converged=False, problems=("cut",)
    )
    result = one.analyze(runs_of(one.calculations(), results))
    assert result.missing == ((names[-1], "not run yet"),)
    assert [name for name, _ in result.refused] == [names[-2]]
    assert result.fit is None
    assert "more sizes" in result.fit_problem
    allowed = one.analyze(runs_of(one.calculations(), results), allow_unconverged=True)
    assert not allowed.refused
    assert allowed.rows[-1].converged is False
    assert "(!)" in allowed.tables()[0].rows[-1][2]


def test_without_the_double_slab_nothing_is_subtracted():
    one = study(pairs=[1, 2])
    results = computed(one.calculations())
    del results["double-slab"]
    result = one.analyze(runs_of(one.calculations(), results))
    assert result.rows == ()
    assert [name for name, _ in result.refused] == ["neck-01-1", "neck-02-3"]


def test_other_settings_are_refused():
    one = study(pairs=[1, 2, 4, 6])
    results = computed(one.calculations(), comparable={"cutoff_energy": 400.0})
    neck = "neck-04-3.3"
    old = results[neck]
    results[neck] = CalculationResult(
        name=neck,
        path=neck,
        level_of_theory="",
        energy=old.energy,
        atoms=old.atoms,
        converged=True,
        comparable={"cutoff_energy": 500.0},
    )
    result = one.analyze(runs_of(one.calculations(), results))
    assert "cutoff" in dict(result.refused)[neck]
    assert len(one.analyze(runs_of(one.calculations(), results), allow_mismatch=True).rows) == 4


def test_the_answer_names_its_level_of_theory_and_wang():
    one = study(compare={"source": "Wang 2020", "critical_pairs": 9})
    result = one.analyze(runs_of(one.calculations(), computed(one.calculations())))
    table = result.tables()[0]
    text = " ".join(table.notes)
    assert "Level of theory: bonds of 1 eV" in text
    assert "Wang 2020: critical size 9 pairs" in text
    assert "critical size 4.0 pairs" in text
    assert len(table.rows) == len(SIZES)
    assert result.to_dict()["compared_with"] == {"source": "Wang 2020", "critical_pairs": 9.0}


@pytest.mark.parametrize(
    "cells", [((0, 0),), ((0, 0), (1, 0), (1, 1)), ((1, 0), (2, 0)), tuple((i, 0) for i in range(9))]
)
def test_shape_codes_come_back(cells):
    assert shape_cells(shape_code(cells)) == cells


def test_a_code_that_is_none_is_refused():
    with pytest.raises(InputError, match="hexadecimal rows"):
        shape_cells("7.x")


@pytest.mark.parametrize("name", ["pbse_neck.yaml", "pbse_neck_screened.yaml"])
def test_the_shipped_files_are_studies(name):
    one = load_study(data_folder("workflows") / name)
    assert one.kind == "neck"
    assert one.compare.critical_pairs == 9
    calculations = (screening_study(one) if one.screen else one).calculations()
    assert {c.role.n_pairs for c in calculations if c.role.kind == "neck"} == set(one.pairs)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"pairs": [1, 1]}, "pairs that differ"),
        ({"pairs": []}, "pairs"),
        ({"pairs": [0]}, "pairs"),
        ({"lattice": "pbe", "lattice_constant": 6.2}, "lattice or lattice_constant"),
        ({"shape": 3}, "unknown field 'shape'"),
        ({"screened": {"1": 2.0}}, "screen beside screened"),
        ({"screen": {"engine": "xtb", "keep": 0}}, "keep"),
    ],
)
def test_wrong_fields_are_told_with_their_line(tmp_path, fields, message):
    file = tmp_path / "study.yaml"
    file.write_text(json.dumps({**json.loads(study().model_dump_json(exclude_none=True)), **fields}))
    with pytest.raises(FileError, match=message) as caught:
        load_study(file)
    assert "study.yaml:1" in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"lateral": [5, 6]}, "even numbers"),
        ({"pairs": [25]}, "at least 8 x 8 columns"),
        ({"crystal": "PbO"}, "crystal"),
        ({"gap_planes": 3}, "even number"),
        ({"screen": {"engine": "xtb"}}, "energies of the screened shapes"),
    ],
)
def test_what_cannot_be_built_is_refused(fields, message):
    with pytest.raises(InputError, match=message):
        study(**fields).calculations()


@pytest.fixture(scope="module")
def finished_screen(tmp_path_factory):
    file = tmp_path_factory.mktemp("screen") / "study.yaml"
    file.write_text(FILE + f"screen: {{engine: '{ENGINE}', shapes: all, keep: 2, planes: 1}}\n")
    trusted = f"ase.calculators.emt:EMT {ENGINE} {ENGINE.replace('BondModel', 'Nothing')}"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(HERE))
        patch.setenv("NANOSLAB_TRUSTED_ENGINES", trusted)
        ready_study_file(file, jobs=1)
        yield file


@pytest.fixture
def screened(finished_screen, tmp_path):
    """Study file whose screen has been computed beside it."""
    shutil.copytree(finished_screen.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / "study.yaml"


def test_the_screen_keeps_the_best_few_and_their_energies(screened):
    ready = ready_study_file(screened, jobs=1)
    assert ready.name == "study.screened.yaml"
    one = load_study(ready)
    necks = [calculation for calculation in one.calculations() if calculation.role.kind == "neck"]
    sizes = Counter(calculation.role.n_pairs for calculation in necks)
    assert sizes == {1: 1, 2: 1, 3: 2, 4: 2}
    for calculation in necks:
        assert calculation.role.screening_energy_eV == calculation.role.perimeter - calculation.role.n_pairs
    assert len(one.screened) == 1 + 1 + 2 + 5
    result = one.analyze(runs_of(one.calculations(), computed(one.calculations())))
    assert "screened with" in result.screen
    assert all(row.screening_energy == row.delta_energy for row in result.rows)
    assert "screen dE [eV]" in result.tables()[1].columns


def test_a_file_does_not_choose_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.py").write_text("from pathlib import Path; Path('ran').touch()\nx = print\n")
    file = tmp_path / "study.yaml"
    for name in ("evil:x", "./evil.py:x", "os:system:command=touch ran", "chgnet:model=evil.pt", "xtb:a=b/../c"):
        file.write_text(FILE + f"screen: {{engine: '{name}', planes: 1}}\n")
        with pytest.raises(InputError, match=r"screen\.engine: expected one of chgnet, .* a file does not choose code"):
            ready_study_file(file, jobs=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.py", "study.yaml"]
    file.write_text(FILE + "screen: {engine: chgent}\n")
    with pytest.raises(InputError, match="did you mean chgnet"):
        ready_study_file(file, jobs=1)


def test_a_second_screen_computes_nothing_and_a_study_without_one_is_left_alone(screened):
    events = []
    first = ready_study_file(screened, jobs=1)
    text = first.read_text()
    ready_study_file(screened, jobs=1, on_event=events.append)
    assert all(event.already_there for event in events)
    assert first.read_text() == text
    assert ready_study_file(first) == first
    plain = screened.with_name("plain.yaml")
    plain.write_text(FILE)
    assert ready_study_file(plain) == plain


def test_a_screen_that_cannot_run_is_told(screened):
    shutil.rmtree(screened.with_name("study.screening"))
    screened.write_text(screened.read_text().replace("BondModel", "Nothing"))
    with pytest.raises(NanoslabError, match="Nothing"):
        ready_study_file(screened, jobs=1)
    text = screened.read_text().replace("bond_model:Nothing", "ase.calculators.emt:EMT")
    screened.write_text(text.replace("pairs: [1, 2, 3, 4]", "pairs: [1]"))
    with pytest.raises(EngineError, match=r"screen: .* calculations"):
        ready_study_file(screened, jobs=1)


def test_somebody_elses_file_is_not_overwritten(screened):
    screened.with_name("study.screened.yaml").write_text("precious\n")
    with pytest.raises(FileError, match="another file"):
        ready_study_file(screened, jobs=1)


def test_a_screen_without_a_size_is_told():
    one = study(pairs=[1, 2], screen={"engine": "xtb"}, screened={"1": 3.0})
    with pytest.raises(InputError, match="neck of 2 pairs"):
        one.calculations()
