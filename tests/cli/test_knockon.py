"""`nanoslab knockon`: keys, sources, notes, plots, speed, and one line for every bad input."""

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from nanoslab.beam import displacement_cross_section, max_transferred_energy, threshold_beam_energy
from nanoslab.beam.closed_form import Escape, Model
from nanoslab.beam.knockon import GIVEN_SOURCES
from nanoslab.cli import knockon
from nanoslab.cli.main import main

KEYS = {
    "element",
    "beam_energy_keV",
    "max_transferred_energy_eV",
    "threshold_energy_eV",
    "threshold_source",
    "threshold_beam_energy_keV",
    "cross_section_barn",
    "model",
    "escape",
    "temperature_K",
    "rate_per_s",
}


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["knockon", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_kinematics_alone(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "Se", "Cd", "--kv", "200", "300")
    assert found["schema"] == 1
    assert all(set(row) >= KEYS for row in found["rows"])
    energies = [row["max_transferred_energy_eV"] for row in found["rows"]]
    assert energies == pytest.approx([6.6447, 10.7826, 4.6679, 7.5749], abs=5e-5)
    assert [row["cross_section_barn"] for row in found["rows"]] == [None] * 4


def test_a_formula_means_its_elements(capsys: pytest.CaptureFixture[str]) -> None:
    rows = document(capsys, "CdSe", "Se", "--kv", "200")["rows"]
    assert [row["element"] for row in rows] == ["Cd", "Se"]


def test_table_is_what_the_readme_shows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["knockon", "Se", "--kv", "200", "300"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["element", "kV", "E_max", "[eV]"]
    assert [line.split()[-1] for line in lines[2:]] == ["6.6447", "10.7826"]


def test_static_is_what_papers_quote(capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = document(capsys, "Se", "--kv", "300", "--threshold", "6", "--static", "--dose-rate", "1e4")["rows"]
    assert row["cross_section_barn"] == pytest.approx(displacement_cross_section("Se", 300, 6.0), rel=1e-12)
    assert row["cross_section_barn"] == pytest.approx(181.548, rel=1e-5)
    assert row["temperature_K"] is None
    assert (row["model"], row["escape"], row["masses"]) == ("mott", "spherical", "standard")
    assert row["rate_per_s"] == pytest.approx(181.548e-4, rel=1e-5)
    assert row["lifetime_s"] == pytest.approx(1 / 181.548e-4, rel=1e-5)
    assert row["threshold_beam_energy_keV"] == pytest.approx(threshold_beam_energy("Se", 6.0))
    assert row["threshold_source"].startswith("displacement threshold")


@pytest.mark.parametrize("model", ["mott", "mckinley-feshbach"])
def test_motion_and_isotopes_by_default(capsys: pytest.CaptureFixture[str], model: str) -> None:
    (row,) = document(capsys, "Se", "--kv", "200", "--threshold", "6.8", "--model", model)["rows"]
    # 8.8 barn for the mean mass alone at 300 K, 0.73 for the isotopes at rest (MF)
    assert 9 < row["cross_section_barn"] < 11
    assert (row["temperature_K"], row["motion"], row["masses"]) == (300.0, "classical", "isotopes")
    (cold,) = document(
        capsys,
        "Se",
        "--kv",
        "200",
        "--threshold",
        "6.8",
        "--model",
        model,
        "--temperature",
        "0",
        "--debye-temperature",
        "181",
    )["rows"]
    assert 0.5 < cold["cross_section_barn"] < row["cross_section_barn"]
    assert cold["motion"] == "Debye 181 K"


def test_every_way_out_stands_in_the_row(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("Se", "--kv", "200", "--threshold", "2.25", "--static", "--model", "mckinley-feshbach")
    (row,) = document(capsys, *options, "--escape", "planar")["rows"]
    expected = {"spherical": 1033.431, "planar": 318.832, "sphere-averaged": 89.91}
    assert row["cross_sections_barn"] == pytest.approx(expected, rel=3e-5)
    assert row["cross_section_barn"] == row["cross_sections_barn"]["planar"]


def test_without_a_threshold_the_interval_of_the_element(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "Se", "--kv", "200", "--model", "rutherford")
    assert [row["threshold_energy_eV"] for row in found["rows"]] == [2.25, 3.75]
    assert found["rows"][0]["threshold_source"] == "sublimation energy of the element"
    assert found["rows"][1]["threshold_source"].startswith("5/3")
    assert any("not the compound's" in note for note in found["notes"])
    assert any("Rutherford is off" in note for note in found["notes"])


def test_a_compound_may_use_its_mean_atomisation_energy(capsys: pytest.CaptureFixture[str]) -> None:
    rows = document(capsys, "CdSe", "--kv", "200", "--formation-enthalpy", "-1.42")["rows"]
    assert [row["threshold_energy_eV"] for row in rows] == pytest.approx([2.415, 4.025] * 2)
    assert rows[0]["threshold_source"] == "mean atomisation energy of CdSe"


def test_a_vacancy_formation_energy_is_labelled_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "Se", "--kv", "200", "--threshold", "5.12", "--threshold-source", "vacancy-formation")
    assert [row["threshold_energy_eV"] for row in found["rows"]] == pytest.approx([5.12, 5.12 * 5 / 3])
    assert "not a displacement threshold" in found["rows"][0]["threshold_source"]
    assert any(note.startswith("A vacancy formation energy is not") for note in found["notes"])
    plain = document(capsys, "Se", "--kv", "200", "--threshold", "5.12")
    assert any("--threshold-source" in note for note in plain["notes"])


def test_thresholds_by_element(capsys: pytest.CaptureFixture[str]) -> None:
    rows = document(capsys, "CdSe", "--kv", "200", "--threshold", "Se=5", "4", "--static")["rows"]
    assert {row["element"]: row["threshold_energy_eV"] for row in rows} == {"Cd": 4.0, "Se": 5.0}
    assert [
        row["threshold_energy_eV"] for row in document(capsys, "CdSe", "--kv", "200", "--threshold", "Se=5")["rows"]
    ] == (pytest.approx([1.16, 1.16 * 5 / 3, 5.0]))


def test_error_budget_and_lower_bound_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["knockon", "Se", "--kv", "200", "--threshold", "5"]) == 0
    out = capsys.readouterr().out
    assert "numerics 0.5 %, screening 5 %, the rest is E_d (10 % more E_d: -" in out
    assert "Knock-on is a lower bound on damage" in out
    budget = document(capsys, "Se", "--kv", "200", "--threshold", "5")["error_budget"]
    assert (budget["numerics_percent"], budget["screening_percent"]) == (0.5, 5.0)
    assert -60 < budget["threshold_10_percent_higher_percent"] < -20


def test_budget_and_safe_voltage(capsys: pytest.CaptureFixture[str]) -> None:
    options = (
        "CdSe",
        "--kv",
        "200",
        "--threshold",
        "Cd=6",
        "Se=5.12",
        "--allowed-loss",
        "0.01",
        "--dose",
        "1e6",
        "--static",
    )
    found = document(capsys, *options)
    safe = found["safe_voltage"]
    assert safe["limiting_element"] == "Se"
    at_limit = displacement_cross_section("Se", safe["beam_energy_keV"], 5.12)
    assert at_limit * 1e-8 * 1e6 == pytest.approx(0.01005, rel=1e-3)
    cadmium, selenium = found["rows"]
    assert cadmium["dose_budget_e_per_A2"] is None, "below its threshold Cd has no budget to spend"
    assert selenium["dose_budget_e_per_A2"] == pytest.approx(0.01005 / selenium["cross_section_barn"] * 1e8, rel=1e-3)


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_plot(tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str) -> None:
    target = tmp_path / f"knockon.{suffix}"
    options = ("CdSe", "--kv", "200", "--model", "mott", "--static", "--plot", str(target))
    assert document(capsys, *options)["plot"] == str(target)
    assert target.stat().st_size > 5000


def test_plot_is_black_and_white(tmp_path: Path) -> None:
    import matplotlib.image

    target = tmp_path / "knockon.png"
    assert main(["knockon", "Se", "Cd", "Pb", "--kv", "200", "300", "--threshold", "5", "--plot", str(target)]) == 0
    pixels = matplotlib.image.imread(target)[..., :3]
    assert float((pixels.max(axis=2) - pixels.min(axis=2)).max()) == 0.0
    kinematics_only = tmp_path / "only.png"
    assert main(["knockon", "Se", "--kv", "200", "--plot", str(kinematics_only)]) == 0
    assert matplotlib.image.imread(kinematics_only).shape[0] < pixels.shape[0]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ("Se --kv 0", "beam energy"),
        ("Se --kv -5", "beam energy"),
        ("Se --kv 200000", "did you mean 200 keV"),
        ("Se --kv 0.2", "did you mean 200 keV"),
        ("Se --kv nan", "beam energy"),
        ("Se --kv volts", "--kv"),
        ("Xx --kv 200", "did you mean Xe"),
        ("se --kv 200", "did you mean Se"),
        ("CdSe --kv 200 --threshold 0", "--threshold"),
        ("CdSe --kv 200 --threshold -1", "--threshold"),
        ("CdSe --kv 200 --threshold five", "--threshold"),
        ("CdSe --kv 200 --threshold Te=3", "--threshold"),
        ("CdSe --kv 200 --threshold 3 4", "--threshold"),
        ("CdSe --kv 200 --threshold 3 --threshold-source guess", "--threshold-source"),
        ("CdSe --kv 200 --threshold 3 --formation-enthalpy -1", "--formation-enthalpy"),
        ("Cd Se --kv 200 --formation-enthalpy -1", "one formula"),
        ("Se --kv 200 --temperature -1", "--temperature"),
        ("Se --kv 200 --temperature 0", "--debye-temperature"),
        ("Se --kv 200 --static --temperature 300", "--static"),
        ("Se --kv 200 --debye-temperature 0", "--debye-temperature"),
        ("Se --kv 200 --dose-rate -1", "--dose-rate"),
        ("Se --kv 200 --dose 0 --allowed-loss 0.1", "--dose"),
        ("Se --kv 200 --dose 1e6", "--allowed-loss"),
        ("Se --kv 200 --allowed-loss 2", "--allowed-loss"),
        ("Se --kv 5 --model mott", "10 to 1500"),
        ("At --kv 200 --model mott", "--threshold At="),
        ("Se --kv 200 --plot /no/such/folder/a.png", "--plot"),
        ("Se --kv 200 --plot a.docx", "--plot"),
        ("Se", "--kv"),
    ],
)
def test_bad_input_is_one_line(capsys: pytest.CaptureFixture[str], arguments: str, named: str) -> None:
    try:
        code = main(["knockon", *arguments.split()])
    except SystemExit as leaving:  # argparse
        code = leaving.code
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert named in captured.err


def test_choices_are_those_of_the_library() -> None:
    assert get_args(Model) == knockon.MODELS
    assert get_args(Escape) == knockon.ESCAPES
    assert tuple(GIVEN_SOURCES) == knockon.SOURCES


@pytest.mark.parametrize(
    "arguments",
    [
        "Se --kv 200",
        "CdSe --kv 200 300 --json",
        "--help",
        "CdSe --kv 200 --threshold 5 --model mckinley-feshbach --dose-rate 1e4 --escape planar",
        "CdSe --kv 200 --model rutherford --static",
        "Se --kv 200 --model rutherford --temperature 77 --debye-temperature 181",
    ],
)
def test_nothing_heavy_is_imported_without_mott(arguments: str) -> None:
    code = (
        "import sys\nfrom nanoslab.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "heavy = {'ase', 'pymatgen', 'numpy', 'scipy', 'rich', 'matplotlib', 'pydantic', 'dataclasses'}\n"
        "bad = heavy & set(sys.modules)\n"
        "sys.exit(f'loaded {sorted(bad)}' if bad else 0)"
    )
    command = [sys.executable, "-c", code, "knockon", *arguments.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def processor_time(command: list[str]) -> float:
    """Processor seconds of a child: unlike the clock, other work on the machine hardly disturbs it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_start_takes_at_most_four_times_a_bare_python() -> None:
    bare, ours = [sys.executable, "-c", "pass"], [sys.executable, "-m", "nanoslab", "knockon", "Se", "--kv", "200"]
    processor_time(ours)  # writes the .pyc files
    times = [(processor_time(bare), processor_time(ours)) for _ in range(12)]
    assert min(pair[1] for pair in times) <= 4 * min(pair[0] for pair in times)


def test_largest_energy_is_the_librarys(capsys: pytest.CaptureFixture[str]) -> None:
    rows = document(capsys, "Bi2Te3", "--kv", "123.4")["rows"]
    assert [row["max_transferred_energy_eV"] for row in rows] == [
        max_transferred_energy("Bi", 123.4),
        max_transferred_energy("Te", 123.4),
    ]
