"""Sheets that lose atoms at scale: against all subsets by brute force, closed forms of the paths, and a whole study."""

import importlib.util
import json
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from ase.units import kB

from nanoslab.beam.cross_section import named_exit
from nanoslab.beam.dose import A2_PER_BARN
from nanoslab.beam.totals import total_cross_section
from nanoslab.beam.vibration import natural_target
from nanoslab.builders import build_nanosheet
from nanoslab.cli.main import main
from nanoslab.energetics.hull import HullPoint
from nanoslab.errors import FileError, InputError
from nanoslab.files import data_folder
from nanoslab.studies.off_stoichiometry.analysis import dose_rows, lower_phase, search_ensembles
from nanoslab.studies.off_stoichiometry.expansion import orbit_counts
from nanoslab.studies.off_stoichiometry.losses import Loss, LossModel, LossPath
from nanoslab.studies.off_stoichiometry.record import read_record
from nanoslab.studies.off_stoichiometry.search import searched_study_file
from nanoslab.studies.off_stoichiometry.selection import chosen_ways
from nanoslab.studies.study_file import load_calculations, load_study

HERE = Path(__file__).parent
ENGINE = f"{HERE / 'bond_sheet.py'}:BondSheet"
FILE = """\
study: off-stoichiometry
title: bonds
sheets:
  - {{phase: wurtzite, crystal: CdSe-wurtzite, face: "11-20", monolayers: 2, fix: none, kpoints: [1, 1, 1]}}
  - {{phase: zinc blende, crystal: CdSe-zincblende, face: "001", monolayers: 2, termination: [Cd, Se], fix: none,
     repeat: [[1, 1], [-1, 1]], kpoints: [1, 1, 1]}}
remove: {{Se: [0, 2], Cd: [0, 1]}}
search: {{engine: "{engine}", most: {most}, rattle: 0.02, keep: 1, farthest: 1}}
path: {{losses: 3, runs: 4, beam_energy_keV: 80}}
temperatures_K: [0, 3000]
references: {{elements: {{Cd: Cd-hcp, Se: Se-trigonal}}}}
seen: [{{source: somebody, anion_to_cation: 0.8, phase: zinc blende, dose_e_per_A2: 1.0e+4}}]
"""


def bonds():
    specification = importlib.util.spec_from_file_location("bond_sheet", HERE / "bond_sheet.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.BondSheet()


@pytest.fixture
def study_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NANOSLAB_TRUSTED_ENGINES", ENGINE)
    path = tmp_path / "off.yaml"
    path.write_text(FILE.format(engine=ENGINE, most=100))
    return path


def test_energies_and_free_energies_are_those_of_all_subsets(study_file: Path) -> None:
    searched = searched_study_file(study_file)
    record = read_record(study_file.with_name("off.search.json"))
    assert load_study(searched).record().ways == record.ways
    atoms = build_nanosheet("CdSe-wurtzite", "11-20", 2, fix="none")
    calculator = bonds()
    energies: dict[tuple[int, int], list[float]] = {}
    for n_cadmium, n_selenium in ((0, 1), (0, 2), (1, 0), (1, 1), (1, 2)):
        for lost in (
            (*a, *b)
            for a in combinations(np.flatnonzero(atoms.symbols == "Cd").tolist(), n_cadmium)
            for b in combinations(np.flatnonzero(atoms.symbols == "Se").tolist(), n_selenium)
        ):
            left = atoms[[i for i in range(len(atoms)) if i not in lost]]
            left.calc = calculator
            energies.setdefault((4 - n_cadmium, 4 - n_selenium), []).append(left.get_potential_energy())
    found = {tuple(one.counts.values()): one for one in search_ensembles(record) if one.phase == "wurtzite"}
    assert len(found) == 6
    for counts, values in energies.items():
        ensemble = found[counts]
        assert ensemble.weights.sum() == len(values)
        assert ensemble.energies.min() == min(values)
        spread = np.array(values) - min(values)
        expected = min(values) - kB * 3000 * np.log(np.exp(-spread / (kB * 3000)).sum())
        assert ensemble.free_energy(3000) == pytest.approx(expected)


def test_without_any_run_the_search_answers_alone(study_file: Path) -> None:
    study = load_study(searched_study_file(study_file))
    result = study.analyze([])
    document = result.to_dict()
    assert {row["level"] for row in document["hull"]} == {"search"}
    assert document["doses"][0]["median"] == 1.0
    plots = {plot.name: plot for plot in study.plots(document)}
    assert {"hull", "limits", "dose", "phase_of_dose", "removal_energy"} == set(plots)
    assert [guide.value for guide in plots["hull"].guides] == [0.8]
    assert any(series.label.startswith("somebody") for series in plots["dose"].series)
    titles = [table.title for table in result.tables()]
    assert "What was searched" in titles
    assert len(titles) >= 3
    whole = next(row for row in document["hull"] if row["phase"] == "wurtzite" and row["counts"] == {"Cd": 4, "Se": 4})
    # a whole number of bonds: the elements have none
    assert whole["formation_energy_per_atom_eV"] * 8 == pytest.approx(
        -round(-whole["formation_energy_per_atom_eV"] * 8)
    )
    assert set(whole["excess_energy_eV"]) == {"rich:Cd", "rich:Se"}


@pytest.mark.slow
def test_a_study_runs_from_its_file_to_its_page(study_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = study_file.with_name("campaign")
    assert main(["run", str(study_file), "--engine", ENGINE, "--campaign", str(folder), "--jobs", "1", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["analyze", str(folder), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["search"]["n_computed"] == len(read_record(study_file.with_name("off.search.json")).ways)
    assert {row["level"] for row in document["hull"]} == {"search", "runs"}
    by_search = {
        (row["phase"], tuple(row["counts"].items())): row["formation_energy_per_atom_eV"]
        for row in document["hull"]
        if row["level"] == "search" and row["temperature_K"] == 0
    }
    for row in document["hull"]:
        if row["level"] == "runs":
            assert row["formation_energy_per_atom_eV"] == by_search[row["phase"], tuple(row["counts"].items())]
    assert all(row["n_not_searched"] == 0 for row in document["sets"])
    assert {path["kind"]: path["ended"] for path in document["paths"]}.keys() == {"greedy", "boltzmann", "beam"}
    page = (folder / "report.html").read_text()
    for words in (
        "Energy of formation against composition",
        "somebody",
        "Composition against dose",
        "What was searched",
    ):
        assert words in page
    # what was searched travels with the campaign
    study_file.with_name("off.search.json").unlink()
    assert main(["analyze", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == document


def test_a_search_goes_on_where_it_was_stopped_and_ends_the_same(study_file: Path) -> None:
    lines: list[str] = []

    def stop_late(text: str) -> None:
        lines.append(text)
        if text.startswith("wurtzite: ") and "ways" in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        searched_study_file(study_file, stop_late)
    record = study_file.with_name("off.search.json")
    assert 0 < len(read_record(record).ways) < 60
    assert not study_file.with_name("off.searched.yaml").exists()
    searched_study_file(study_file)
    ended = read_record(record)
    for path in (record, study_file.with_name("off.searched.yaml")):
        path.unlink()
    searched_study_file(study_file)
    whole = read_record(record)
    assert (ended.ways, ended.paths, ended.sets) == (whole.ways, whole.paths, whole.sets)


def test_what_is_drawn_comes_again_and_says_what_it_leaves_out(study_file: Path) -> None:
    study_file.write_text(FILE.format(engine=ENGINE, most=5))
    searched_study_file(study_file)
    record = read_record(study_file.with_name("off.search.json"))
    drawn = [one for one in record.sets if one.n_drawn]
    assert drawn
    for one in drawn:
        own = [way for way in record.ways.values() if way.phase == one.phase and way.lost == one.lost and way.drawn]
        assert sum(way.drawn for way in own) == one.n_drawn == 5
        assert one.n_distinct > 5
    for ensemble in search_ensembles(record):
        assert ensemble.weights.min() >= 1


def lowest_energies(study_file: Path) -> dict[tuple[int, ...], float]:
    searched_study_file(study_file)
    record = read_record(study_file.with_name("off.search.json"))
    return {tuple(one.counts.values()): float(one.energies.min()) for one in search_ensembles(record)}


def test_screening_finds_the_lowest_ways_that_a_draw_misses(study_file: Path) -> None:
    text = FILE.format(engine=ENGINE, most=8).replace("monolayers: 2, fix", "monolayers: 4, fix")
    (sheet,) = [line for line in text.splitlines(keepends=True) if "wurtzite" in line]
    start, end = text.index("  - {phase: wurtzite"), text.index("remove:")
    text = text[:start] + sheet + text[end:].replace("path: {losses: 3, runs: 4, beam_energy_keV: 80}\n", "")
    lowest = []
    for screened in (0, 6):  # the second goes on from the first
        study_file.write_text(text.replace("rattle: 0.02", f"rattle: 0.02, screened: {screened}"))
        lowest.append(lowest_energies(study_file))
    document = load_study(study_file.with_name("off.searched.yaml")).analyze([]).to_dict()
    study_file.with_name("off.search.json").unlink()
    study_file.write_text(text.replace("most: 8", "most: 5000"))
    everything = lowest_energies(study_file)
    assert lowest[0] != everything
    assert lowest[1] == everything
    (expansion,) = document["search"]["expansions"]
    assert expansion["error_eV"] < expansion["constant_error_eV"]
    for row in document["sets"]:
        assert row["n_predicted"] in (0, row["n_distinct"])
        assert row["n_predicted_lower"] <= row["n_not_searched"]


def test_another_question_does_not_go_on_with_the_search_of_this_one(study_file: Path) -> None:
    searched_study_file(study_file)
    study_file.write_text(study_file.read_text().replace("Se: [0, 2]", "Se: [0, 1]"))
    with pytest.raises(FileError, match="one of other fields"):
        searched_study_file(study_file)
    study_file.with_name("off.search.json").write_text("{}")
    with pytest.raises(FileError, match="what a search wrote"):
        searched_study_file(study_file)


def test_calculations_are_the_kept_ways_as_the_search_relaxed_them(study_file: Path) -> None:
    with pytest.raises(InputError, match="search first"):
        load_calculations(study_file)
    made = load_calculations(searched_study_file(study_file))
    record = read_record(study_file.with_name("off.search.json"))
    ways = [one for one in made if one.role.kind == "vacancy"]
    assert {one.role.chosen for one in ways} == {"lowest", "farthest"}
    for one in ways:
        way = record.ways[one.role.phase, one.role.identifier]
        assert np.allclose(one.atoms.positions, way.positions)
        same = [w.energy for w in record.ways.values() if w.phase == way.phase and w.lost == way.lost]
        if one.role.chosen == "lowest":
            assert way.energy == min(same)


def test_the_farthest_is_the_one_whose_atoms_lie_otherwise() -> None:
    atoms = build_nanosheet("CdSe-wurtzite", "11-20", 7, repeat=(2, 2), fix="none")
    from nanoslab.builders.enumeration import removals
    from nanoslab.studies.off_stoichiometry.record import Way

    (question,) = removals(atoms, {"Se": 2})
    block = next(question.blocks())
    ways = [
        Way(
            phase="w", lost={"Se": 2}, identifier=name, removed=tuple(removed), degeneracy=1, drawn=1,
            energy=float(number), spread=None, n_steps=0, problems=(), positions=(),
        )
        for number, (name, removed) in enumerate(zip(block.identifiers, block.removed.tolist(), strict=True))
    ]  # fmt: skip
    chosen = chosen_ways(question, ways, keep=1, farthest=2)
    assert [why for _, why in chosen] == ["lowest", "farthest", "farthest"]
    rows = orbit_counts(question, [way.removed for way in ways])
    assert ways[int(np.argmax(np.linalg.norm(rows - rows[0], axis=1)))] == chosen[1][0]
    # operations of the sheet change nothing
    one, image = question.sites.indices[[0, 1]], question.sites.indices[question.sites.permutations[-1][[0, 1]]]
    mine, theirs = orbit_counts(question, [one, image])
    assert np.allclose(mine, theirs)


COSTS = {"Cd": 3.5, "Se": 2.5}


def model(**changes) -> LossModel:
    """Every Cd and every Se costs the same, whatever is gone."""
    sheet = build_nanosheet("CdSe-wurtzite", "11-20", 3, fix="none")

    def energies(sets):
        return [sum(COSTS[sheet.symbols[i]] for i in one) for one in sets]

    fields = {
        "sheet": sheet,
        "potentials": {"Cd": 0.0, "Se": 0.0},
        "energies": energies,
        "most": {"Cd": 6, "Se": 6},
        "losses": 2,
        "beam_energy_keV": 200.0,
        "temperature": 3000.0,
        "exit_face": "bottom",
        **changes,
    }
    return LossModel(**fields)


def test_chances_and_doses_of_the_first_loss_are_those_of_the_cross_sections() -> None:
    one = model()
    paths = [path for path in one.paths(800, 0) if path.kind == "beam"]
    first = [path.losses[0] for path in paths]
    barns = {
        element: float(total_cross_section(natural_target(element, 3000.0), 200.0, cost, named_exit("spherical")))
        for element, cost in COSTS.items()
    }
    total = 2 * sum(barns.values())  # two Cd and two Se on the face of one cell
    share = sum(loss.element == "Se" for loss in first) / len(first)
    assert share == pytest.approx(2 * barns["Se"] / total, abs=0.07)  # four standard deviations
    doses = [loss.dose_e_per_A2 for loss in first]
    assert np.mean(doses) == pytest.approx(1 / (total * A2_PER_BARN), rel=0.14)


def test_boltzmann_and_greedy_paths_follow_the_costs() -> None:
    paths = model().paths(800, 1)
    first = Counter(path.losses[0].element for path in paths if path.kind == "boltzmann")
    chance = 1 / (1 + np.exp(-(COSTS["Cd"] - COSTS["Se"]) / (kB * 3000)))
    assert first["Se"] / 800 == pytest.approx(chance, abs=0.02)
    (greedy,) = (path for path in paths if path.kind == "greedy")
    assert [loss.element for loss in greedy.losses] == ["Se", "Se"]
    assert [loss.removal_energy for loss in greedy.losses] == pytest.approx([2.5, 2.5])
    assert all(loss.dose_e_per_A2 is None for loss in greedy.losses)


@pytest.mark.parametrize("face", ["bottom", "top"])
def test_only_atoms_with_a_free_way_out_leave(face: str) -> None:
    one = model(exit_face=face, losses=6)
    heights = one.sheet.positions[:, 2]
    layers = {int(i): round((h - heights.min()) / (np.ptp(heights) / 2)) for i, h in enumerate(heights)}
    for path in one.paths(10, 3):
        gone: set[int] = set()
        for loss in path.losses:
            layer = layers[loss.atom] if face == "bottom" else 2 - layers[loss.atom]
            if layer:  # of the layer nearer to the exit something must be gone
                assert any((layers[i] if face == "bottom" else 2 - layers[i]) < layer for i in gone)
            gone.add(loss.atom)


def test_paths_come_again_from_their_seed_and_keep_within_what_may_go() -> None:
    one = model(most={"Se": 2}, losses=5)
    paths, again, other = one.paths(5, 7), one.paths(5, 7), one.paths(5, 8)
    assert paths == again != other
    assert all(len(path.losses) == 2 and path.ended == "no atom on the face may go" for path in paths)
    weak = model(beam_energy_keV=30.0, temperature=1.0).paths(3, 0)
    assert {path.ended for path in weak if path.kind == "beam"} == {"the beam can remove none"}


def test_bands_and_phases_of_a_dose_are_counted_by_hand() -> None:
    counts = {"Cd": 4, "Se": 4}
    paths = [
        LossPath(
            kind="beam",
            run=run,
            losses=tuple(Loss(atom=i, element="Se", removal_energy=3.0, dose_e_per_A2=d) for i, d in enumerate(doses)),
            ended="as many as asked",
        )
        for run, doses in enumerate(((10.0, 100.0), (20.0, 1000.0)))
    ]
    points = [
        HullPoint(phase=phase, counts={}, anion_to_cation=x, formation_energy=y, above_hull=0, limits={})
        for phase, x, y in (("a", 1.0, 0.0), ("b", 1.0, 1.0), ("a", 0.75, 1.0), ("b", 0.75, 0.0), ("b", 0.5, 0.0))
    ]
    rows = dose_rows(paths, counts, points)
    assert rows[-1].dose_e_per_A2 == pytest.approx(100.0)
    assert rows[0].anion_to_cation == (1.0, 1.0, 1.0)
    assert rows[0].lower_phase == {"a": 1.0}
    at_15 = next(row for row in rows if row.dose_e_per_A2 > 10)
    assert at_15.lower_phase == {"a": 0.5, "b": 0.5}
    assert at_15.anion_to_cation[1] == pytest.approx(0.875)
    assert lower_phase({"Cd": 4, "Se": 1}, points) == ""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Se: [0, 2]", "Se: [2, 0]", "smaller number first"),
        ("phase: zinc blende, c", "phase: wurtzite, c", "different phase names"),
        ("seen:", "vibrations: {rock salt: [[300, 0.1]]}\nseen:", "vibrations of wurtzite"),
        ("keep: 1", "keep: 0", "keep"),
    ],
)
def test_fields_that_do_not_agree_are_named(study_file: Path, old: str, new: str, words: str) -> None:
    text = study_file.read_text()
    assert old in text
    study_file.write_text(text.replace(old, new))
    with pytest.raises(FileError, match=words):
        load_study(study_file)


def test_the_shipped_file_asks_for_the_sheets_of_the_vacancy_study() -> None:
    study = load_study(data_folder("workflows") / "cdse_off_stoichiometry.yaml")
    other = load_study(data_folder("workflows") / "cdse_nanosheet.yaml")
    for mine, theirs in zip(study.sheets, other.sheets, strict=True):
        kept = {
            "phase",
            "crystal",
            "lattice",
            "face",
            "monolayers",
            "termination",
            "repeat",
            "vacuum",
            "fix",
            "kpoints",
        }
        assert mine.model_dump(include=kept) == theirs.model_dump(include=kept)
