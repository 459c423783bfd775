"""The barrier study: from its file to rates and page; every fault of its file is one line."""

import json
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.units import kB

from nanoslab.calculation import CalculationResult, Run
from nanoslab.cli.main import main
from nanoslab.errors import InputError
from nanoslab.studies.barrier.study import BarrierStudy
from nanoslab.studies.headline import Evidence
from nanoslab.studies.study_file import load_study

FIELDS = {"study": "barrier", "title": "t", "settings": {"force_tolerance": 0.02}, "images": 1, "vibrating_atoms": 1}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    crystal = bulk("Al", cubic=True).repeat(2)
    crystal.write(tmp_path / "al.vasp")
    nearest = int(np.argmin(np.delete(crystal.get_distances(0, range(32), mic=True), 0))) + 1
    document = {**FIELDS, "paths": [{"name": "hop", "structure": "al.vasp", "vacancy": 0, "hopping": nearest}]}
    (tmp_path / "study.yaml").write_text(json.dumps(document))
    return tmp_path


def test_a_study_runs_to_barrier_rates_and_page(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--engine", "ase.calculators.emt:EMT", "--campaign", str(folder / "c"), "--quiet"]
    assert main(["run", str(folder / "study.yaml"), *options, "--json"]) == 0
    capsys.readouterr()
    assert main(["analyze", str(folder / "c"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (row,) = document["barriers"]
    assert row["barrier_eV"] == pytest.approx(row["reverse_barrier_eV"], abs=1e-4)
    assert row["n_imaginary"] == 1
    hot, cold = row["rates_per_s"][-1], row["rates_per_s"][0]
    slope = (1 / (kB * 300) - 1 / (kB * 600)) * row["barrier_eV"]
    assert hot / cold == pytest.approx(np.exp(slope), rel=1e-9)
    assert "Energy along the path" in (folder / "c" / "report.html").read_text()


def run_with(folder: Path, **findings: object) -> tuple[BarrierStudy, Run]:
    study = load_study(folder / "study.yaml")
    known = {
        "barrier_eV": 1.0,
        "reverse_barrier_eV": 0.5,
        "reaction_energy_eV": 0.5,
        "path_A": [0, 1, 2],
        "energies_eV": [-3.0, -2.0, -2.5],
        **findings,
    }
    result = CalculationResult(name="x", path="", level_of_theory="EMT", energy=-2.0, converged=True, findings=known)
    return study, Run(calculation=study.calculations()[0], result=result)


def test_without_modes_there_is_a_barrier_and_no_rate(folder: Path) -> None:
    study, run = run_with(folder)
    (row,) = study.analyze([run]).rows
    assert (row.barrier, row.rates_per_s, row.imaginary_frequency_THz) == (1.0, (), None)


def test_detailed_balance_of_the_rates_of_a_path_and_its_reverse(folder: Path) -> None:
    modes = {
        "start_frequencies_THz": [2.0, 3.0, 4.0],
        "saddle_frequencies_THz": [-1.0, 3.5, 4.5],
        "end_frequencies_THz": [1.0, 3.0, 4.0],
    }
    study, forward = run_with(folder, **modes)
    (there,) = study.analyze([forward]).rows
    swapped = {
        **modes,
        "start_frequencies_THz": modes["end_frequencies_THz"],
        "barrier_eV": 0.5,
    }
    study, backward = run_with(folder, **swapped)
    (back,) = study.analyze([backward]).rows
    ratio = there.rates_per_s[0] / back.rates_per_s[0]
    assert ratio == pytest.approx(2.0 / 1.0 * np.exp(-0.5 / (kB * 300)), rel=1e-9)


def test_an_index_and_a_species_mean_the_same_atom_in_a_repeated_crystal() -> None:
    common = {"structure": "CdSe-zincblende", "repeat": [2, 2, 2]}
    paths = [{"name": "word", **common, "vacancy": "Se"}, {"name": "index", **common, "vacancy": 32, "hopping": 34}]
    word, index = BarrierStudy.from_document({**FIELDS, "paths": paths}).calculations()
    for made in (word, index):
        assert made.atoms.get_chemical_symbols() == ["Cd"] * 32 + ["Se"] * 31  # cations first
        assert (made.role.moving, made.role.host, made.role.moves_cation) == ("Se", "CdSe-zincblende", False)
        way = np.linalg.norm(made.parameters["end_positions_A"] - made.atoms.positions, axis=1)
        assert sorted(way.round(3))[-2:] == [0, pytest.approx(6.187 / 2**0.5, abs=1e-3)]


def row(moving: str, barrier: float, rates: tuple[float, ...] = ()) -> dict[str, object]:
    path = {"calculation": f"{moving}-hop", "path_A": [0, 1, 2], "energies_eV": [0, barrier, 0]}
    kind = {"moving": moving, "host": "PbS", "moves_cation": moving == "Pb"}
    return {**path, **kind, "rates_per_s": rates, "barrier_eV": barrier, "n_imaginary": 1}


@pytest.mark.parametrize(
    ("cation", "anion", "verdict", "words"),
    [
        (row("Pb", 0.4), row("S", 0.5), "yes", "Pb hops 48 times as often as S at 300 K"),
        (row("Pb", 0.4), row("S", 0.45), "open", "Pb hops 6.9 times as often as S at 300 K"),
        (row("Pb", 0.5), row("S", 0.4), "no", "(0.40 against 0.50 eV, by the barriers alone)"),
        (row("Pb", 0.4, (2e6,)), row("S", 0.5, (4e4,)), "yes", "50 times as often as S at 300 K (0.40 against"),
    ],
)
def test_the_page_says_in_one_sentence_which_ion_moves(
    cation: dict[str, object], anion: dict[str, object], verdict: str, words: str
) -> None:
    document = {"barriers": [cation, anion], "temperatures_K": [300.0], "level_of_theory": "EMT"}
    found = BarrierStudy.headline(Evidence(documents={"emt": document}))
    assert found is not None
    assert (found.question[:11], found.verdict) == ("Do the cati", verdict)
    assert words in found.sentence
    alone = BarrierStudy.headline(Evidence(documents={"emt": {**document, "barriers": [cation]}}))
    assert alone is not None
    assert alone.question == BarrierStudy.asks


@pytest.mark.parametrize(
    "path",
    [
        {"name": "x"},
        {"name": "x", "structure": "a.vasp", "hopping": 1},
        {"name": "x", "structure": "a.vasp", "vacancy": 1, "boundaries": 1},
        {"name": "x", "structure": "a.vasp", "vacancy": 1, "hopping": 2, "start": "b.vasp"},
        {"name": "../x", "start": "a.vasp", "end": "b.vasp"},
    ],
)
def test_a_path_that_says_too_little_or_too_much_is_refused(path: dict[str, object]) -> None:
    with pytest.raises(InputError):
        BarrierStudy.from_document({**FIELDS, "paths": [path]})
