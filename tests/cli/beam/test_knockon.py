"""`nanoslab knockon`: keys, sources, notes, plots, speed, and one line for every bad input."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from nanoslab.beam import displacement_cross_section, max_transferred_energy, threshold_beam_energy
from nanoslab.beam.closed_form import Escape, Model
from nanoslab.beam.knockon import GIVEN_SOURCES
from nanoslab.cli.beam import knockon
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


def test_kinematics_alone(answer) -> None:
    found = answer("knockon", "Se", "Cd", "--kv", "200", "300")
    assert found["schema"] == 1
    assert all(set(row) >= KEYS for row in found["rows"])
    energies = [row["max_transferred_energy_eV"] for row in found["rows"]]
    assert energies == pytest.approx([6.6447, 10.7826, 4.6679, 7.5749], abs=5e-5)
    assert [row["cross_section_barn"] for row in found["rows"]] == [None] * 4


def test_a_formula_means_its_elements(answer) -> None:
    rows = answer("knockon", "CdSe", "Se", "--kv", "200")["rows"]
    assert [row["element"] for row in rows] == ["Cd", "Se"]


def test_table_is_what_the_readme_shows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["knockon", "Se", "--kv", "200", "300"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["element", "kV", "E_max", "[eV]"]
    assert [line.split()[-1] for line in lines[2:4]] == ["6.6447", "10.7826"]


def test_static_is_what_papers_quote(answer) -> None:
    (row,) = answer("knockon", "Se", "--kv", "300", "--threshold", "6", "--static", "--dose-rate", "1e4")["rows"]
    assert row["cross_section_barn"] == pytest.approx(displacement_cross_section("Se", 300, 6.0), rel=1e-12)
    assert row["cross_section_barn"] == pytest.approx(181.548, rel=1e-5)
    assert row["temperature_K"] is None
    assert (row["model"], row["escape"], row["masses"]) == ("mott", "spherical", "standard")
    assert row["rate_per_s"] == pytest.approx(181.548e-4, rel=1e-5)
    assert row["lifetime_s"] == pytest.approx(1 / 181.548e-4, rel=1e-5)
    assert row["threshold_beam_energy_keV"] == pytest.approx(threshold_beam_energy("Se", 6.0))
    assert row["threshold_source"].startswith("displacement threshold")


@pytest.mark.parametrize("model", ["mott", "mckinley-feshbach"])
def test_motion_and_isotopes_by_default(answer, model: str) -> None:
    (row,) = answer("knockon", "Se", "--kv", "200", "--threshold", "6.8", "--model", model)["rows"]
    # three dimensions; motion along the beam alone would give 9.5 barn, the isotopes at rest 0.73 (MF)
    assert 10 < row["cross_section_barn"] < 13
    assert (row["temperature_K"], row["motion"], row["masses"]) == (300.0, "classical", "isotopes")
    (cold,) = answer(
        "knockon",
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


def test_every_way_out_stands_in_the_row(answer) -> None:
    options = ("Se", "--kv", "200", "--threshold", "2.25", "--static", "--model", "mckinley-feshbach")
    (row,) = answer("knockon", *options, "--escape", "planar")["rows"]
    expected = {"spherical": 1033.431, "planar": 318.832, "sphere-averaged": 89.91}
    assert row["cross_sections_barn"] == pytest.approx(expected, rel=3e-5)
    assert row["cross_section_barn"] == row["cross_sections_barn"]["planar"]


def test_default_thresholds_lie_at_or_above_what_was_computed(answer) -> None:
    """Se of CdSe costs at least 4.47 eV (PBE, GPAW, surface): no default row may say less."""
    for names in (["Se"], ["CdSe"], ["CdSe", "--formation-enthalpy", "-1.42"], ["34"]):
        found = answer("knockon", *names, "--kv", "200", "--model", "rutherford")
        energies = [row["threshold_energy_eV"] for row in found["rows"] if row["element"] == "Se"]
        assert energies[0] == 4.47
        assert min(energies) == 4.47
        assert "PBE" in found["rows"][-2]["threshold_source"]
    assert any("Rutherford is off" in note for note in found["notes"])
    assert any("No compound named" in note for note in found["notes"])


def test_an_element_without_a_published_threshold_is_estimated_and_says_so(answer) -> None:
    found = answer("knockon", "Cu", "--kv", "200", "--model", "rutherford")
    assert [row["threshold_energy_eV"] for row in found["rows"]] == pytest.approx([3.49, 3.49 * 5 / 3])
    assert any("no published threshold" in note for note in found["notes"])
    compound = answer("knockon", "ZnS", "--kv", "200", "--model", "rutherford")["rows"]
    assert [row["threshold_energy_eV"] for row in compound] == pytest.approx([3.15, 4.2] * 2)
    assert "bonds counted" in compound[0]["threshold_source"]
    unequal = answer("knockon", "TiSe2", "--kv", "200", "--model", "rutherford")["rows"]
    whole = 4.85 + 2 * 2.46  # all bonds join Ti and Se: one Ti or two Se hold them
    assert [row["threshold_energy_eV"] for row in unequal] == pytest.approx(
        [0.75 * whole, whole, 0.75 * whole / 2, whole / 2]
    )


def test_a_compound_may_count_bonds_from_its_formation_enthalpy(answer) -> None:
    rows = answer("knockon", "CdTe", "--kv", "200", "--formation-enthalpy", "-1.0")["rows"]
    cohesive = (1.16 + 2.23 + 1.0) / 2
    assert [row["threshold_energy_eV"] for row in rows] == pytest.approx([1.5 * cohesive, 2 * cohesive] * 2)
    assert "atomisation energy of CdTe" in rows[0]["threshold_source"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("MoS2 --kv 80", "80 kV: no head-on collision moves Mo or S at rest; S from 92 kV, Mo from 564 kV."),
        ("graphene", "At rest no head-on collision moves C below 105 kV."),
        ("hBN", "At rest no head-on collision moves B or N below 88 kV: B from 88 kV, N from 131 kV."),
        (
            "CdSe --kv 80,200kV --threshold Se=5.12 Cd=8",
            "80 kV: no head-on collision moves Cd or Se at rest; 200 kV: it can move Se (6.64 eV, "
            "5.12 needed); Se from 159 kV, Cd from 314 kV.",
        ),
    ],
)
def test_the_last_line_is_the_answer(capsys: pytest.CaptureFixture[str], arguments: str, sentence: str) -> None:
    assert main(["knockon", *arguments.split()]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == sentence


def test_names_numbers_and_materials_mean_the_same(answer) -> None:
    expected = answer("knockon", "Se", "Cd", "--kv", "200", "80")["rows"]
    assert answer("knockon", "34", "48", "--kv", "200,80")["rows"] == expected
    assert answer("knockon", "Se,Cd", "--kv", "200kV", "80kV")["rows"] == expected
    assert [row["element"] for row in answer("knockon", "boron nitride", "--kv", "80")["rows"]] == ["B", "N"]
    assert [row["element"] for row in answer("knockon", "BN", "--kv", "80")["rows"]] == ["B", "N"]


def test_one_call_of_python_gives_the_numbers_of_the_command(answer) -> None:
    from nanoslab.beam import Conditions, KnockOnQuestion, highest_safe_beam_energy, knockon_answer

    options = "MoS2 --kv 80 --threshold S=6.5 Mo=20 --dose 1e6 --allowed-loss 0.01"
    found = answer("knockon", *options.split())
    question = KnockOnQuestion(
        names=["MoS2"],
        kilovolts=[80],
        thresholds={"S": 6.5, "Mo": 20.0},
        conditions=Conditions(allowed_loss=0.01),
        dose_e_per_A2=1e6,
    )
    assert json.loads(json.dumps(knockon_answer(question))) == {k: v for k, v in found.items() if k != "schema"}
    safe = highest_safe_beam_energy({"S": 6.5, "Mo": 20.0}, 1e6, 0.01)
    assert safe.beam_energy_keV == pytest.approx(found["safe_voltage"]["beam_energy_keV"], abs=1e-3)
    # 75.2 kV with motion along the beam alone
    assert 74 < safe.beam_energy_keV < 75.2


def test_units_of_doses(answer) -> None:
    plain, per_nm2 = (
        answer("knockon", "Se", "--kv", "200", "--dose", dose, "--allowed-loss", "0.1")["safe_voltage"]
        for dose in ("1e4", "1e6e/nm2")
    )
    assert plain == per_nm2
    (row,) = answer("knockon", "Se", "--kv", "200", "--threshold", "5", "--dose-rate", "1A/cm2")["rows"]
    assert row["rate_per_s"] == pytest.approx(row["cross_section_barn"] * 624.150907e-8)


def test_csv_holds_the_rows(tmp_path: Path, answer) -> None:
    import csv

    rows = answer("knockon", "CdSe", "--kv", "200", "--threshold", "5", "--csv", str(tmp_path / "a.csv"))["rows"]
    with (tmp_path / "a.csv").open() as stream:
        read = list(csv.DictReader(stream))
    assert [float(row["cross_section_barn"]) for row in read] == [row["cross_section_barn"] for row in rows]
    assert float(read[0]["cross_section_planar_barn"]) == rows[0]["cross_sections_barn"]["planar"]


def test_numbers_without_meaning_are_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["knockon", "graphene", "--kv", "30", "--threshold", "21", "--dose-rate", "1"]) == 0
    out = capsys.readouterr().out
    assert "e+1" not in out.replace(">1e+17", "")
    assert "II-VI" not in out


def test_a_vacancy_formation_energy_is_labelled_as_one(answer) -> None:
    found = answer("knockon", "Se", "--kv", "200", "--threshold", "5.12", "--threshold-source", "vacancy-formation")
    assert [row["threshold_energy_eV"] for row in found["rows"]] == pytest.approx([5.12, 5.12 * 5 / 3])
    assert "not a displacement threshold" in found["rows"][0]["threshold_source"]
    assert any(note.startswith("A vacancy formation energy is not") for note in found["notes"])
    plain = answer("knockon", "Se", "--kv", "200", "--threshold", "5.12")
    assert any("--threshold-source" in note for note in plain["notes"])


def test_thresholds_by_element(answer) -> None:
    rows = answer("knockon", "CdSe", "--kv", "200", "--threshold", "Se=5", "4", "--static")["rows"]
    assert {row["element"]: row["threshold_energy_eV"] for row in rows} == {"Cd": 4.0, "Se": 5.0}
    assert [
        row["threshold_energy_eV"] for row in answer("knockon", "CdSe", "--kv", "200", "--threshold", "Se=5")["rows"]
    ] == (pytest.approx([3.49, 3.49 * 5 / 3, 5.0]))


def test_error_budget_and_lower_bound_are_printed(capsys: pytest.CaptureFixture[str], answer) -> None:
    assert main(["knockon", "Se", "--kv", "200", "--threshold", "5"]) == 0
    out = capsys.readouterr().out
    assert "numerics 0.5 %, screening 5 %, the rest is E_d (10 % more E_d: -" in out
    assert "Knock-on is a lower bound on damage" in out
    budget = answer("knockon", "Se", "--kv", "200", "--threshold", "5")["error_budget"]
    assert (budget["numerics_percent"], budget["screening_percent"]) == (0.5, 5.0)
    assert -60 < budget["threshold_10_percent_higher_percent"] < -20


def test_budget_and_safe_voltage(answer) -> None:
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
    found = answer("knockon", *options)
    safe = found["safe_voltage"]
    assert safe["limiting_element"] == "Se"
    at_limit = displacement_cross_section("Se", safe["beam_energy_keV"], 5.12)
    assert at_limit * 1e-8 * 1e6 == pytest.approx(0.01005, rel=1e-3)
    cadmium, selenium = found["rows"]
    assert cadmium["dose_budget_e_per_A2"] is None, "below its threshold Cd has no budget to spend"
    assert selenium["dose_budget_e_per_A2"] == pytest.approx(0.01005 / selenium["cross_section_barn"] * 1e8, rel=1e-3)


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_plot(tmp_path: Path, answer, suffix: str) -> None:
    target = tmp_path / f"knockon.{suffix}"
    options = ("CdSe", "--kv", "200", "--model", "mott", "--static", "--plot", str(target))
    assert answer("knockon", *options)["plot"] == str(target)
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
        ("0 --kv 200", "atomic number"),
        ("Se --kv 80,volts", "200kV"),
        ("CdSe --kv 200 --formation-enthalpy 1.4", "did you mean -1.4"),
        ("Se --kv 200 --dose-rate 5furlongs", "e/Å2"),
    ],
)
def test_bad_input_is_one_line(refused, arguments: str, named: str) -> None:
    assert named in refused("knockon", *arguments.split())


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


def processor_time(command: list[str], environment: dict[str, str]) -> float:
    """Processor seconds of a child: unlike the clock, other work on the machine hardly disturbs it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_start_takes_at_most_four_times_a_bare_python(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(tmp_path)
    bare, ours = [sys.executable, "-c", "pass"], [sys.executable, "-m", "nanoslab", "knockon", "Se", "--kv", "200"]
    processor_time(ours, environment)  # writes the .pyc files
    times = [(processor_time(bare, environment), processor_time(ours, environment)) for _ in range(12)]
    assert min(pair[1] for pair in times) <= 4 * min(pair[0] for pair in times)


def test_largest_energy_is_the_librarys(answer) -> None:
    rows = answer("knockon", "Bi2Te3", "--kv", "123.4")["rows"]
    assert [row["max_transferred_energy_eV"] for row in rows] == [
        max_transferred_energy("Bi", 123.4),
        max_transferred_energy("Te", 123.4),
    ]
