"""`nanoslab etch`: composition against dose from the command line."""

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read, write

from nanoslab.beam import classical_velocity_variance, displacement_cross_section, dose_for_composition
from nanoslab.cli.main import main


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    atoms = bulk("CdSe", "zincblende", a=6.05, cubic=True).repeat((5, 5, 2))
    atoms.center(vacuum=8, axis=2)
    write(tmp_path / "sheet.extxyz", atoms)
    return tmp_path / "sheet.extxyz"


def test_only_free_atoms_leave_and_all_are_accounted_for(answer, sheet: Path) -> None:
    options = ("--kv", "200", "--threshold", "Se=5.12", "Cd=8", "--static", "--dose", "3e6", "--ratio", "Se:Cd=0.95")
    found = answer("etch", str(sheet), *options)
    barn = displacement_cross_section("Se", 200, 5.12)
    assert found["cross_sections_barn"] == pytest.approx({"Cd": 0.0, "Se": barn})
    last = found["rows"][-1]
    n = len(read(sheet)) // 2
    for element, by in found["outcomes"].items():
        assert last["atoms"][element] + by["exit face"] + by["sideways"] + by["freed"] == pytest.approx(n)
    inside = sum(found["outcomes"]["Se"][name] for name in ("interstitial", "replacement"))
    assert inside > n - last["atoms"]["Se"]
    # every atom free would give 0.95 at 4e4
    assert found["dose_at_ratio_e_per_A2"] > 2 * dose_for_composition(0.0, barn, 0.95)
    assert np.array(found["counts"]["Se"]).shape == (20, len(found["rows"]))
    left = [count for count in last["layer_atoms"]["Se"] if count]
    assert left[0] == min(left)
    assert left[-1] > 0.95 * max(left)


def test_a_rising_ratio_is_found_or_refused_in_words(capsys: pytest.CaptureFixture[str], answer, sheet: Path) -> None:
    fixed = (str(sheet), "--kv", "200", "--threshold", "Se=5.12", "Cd=8", "--dose", "3e6")
    rising = answer("etch", *fixed, "--ratio", "Cd:Se=1.0526")
    falling = answer("etch", *fixed, "--ratio", "Se:Cd=0.95")
    assert rising["dose_at_ratio_e_per_A2"] > 0
    assert rising["dose_at_ratio_e_per_A2"] == pytest.approx(falling["dose_at_ratio_e_per_A2"], rel=0.1)
    assert main(["etch", *fixed, "--ratio", "Cd:Se=0.8"]) == 0
    assert "Cd:Se = 0.8 at no dose up to there: it goes from 1.000 to" in capsys.readouterr().out


def test_several_voltages_and_a_plot(answer, sheet: Path, tmp_path: Path) -> None:
    plot = tmp_path / "etch.png"
    options = (str(sheet), "--kv", "200,300", "--threshold", "5", "--dose", "1e5", "--runs", "3", "--plot", str(plot))
    found = answer("etch", *options)
    assert [voltage["beam_energy_keV"] for voltage in found["voltages"]] == [200, 300]
    alone = answer("etch", str(sheet), "--kv", "300", *options[3:-2])
    assert alone["rows"] == found["voltages"][1]["rows"]
    assert plot.stat().st_size > 5000


def test_the_published_table_is_the_default(answer, sheet: Path) -> None:
    found = answer("etch", str(sheet), "--kv", "200", "--dose", "1e5", "--runs", "2")
    assert any("PBE" in source for source in found["threshold_sources"])
    by_hand = ("--threshold", "Se:3=4.47", "Se:4@2=5.24", "Se:4=5.39", "Cd:3=3.49")
    given = answer("etch", str(sheet), "--kv", "200", "--dose", "1e5", "--runs", "2", *by_hand)
    assert given["rows"] == found["rows"]


def test_energies_by_site_come_from_a_campaign(capsys: pytest.CaptureFixture[str], answer, tmp_path: Path) -> None:
    """GPAW's vacancy of the shipped reference results: 4.47 eV for Se with three neighbours."""
    from nanoslab.builders import build_nanosheet
    from nanoslab.files import data_folder

    write(tmp_path / "wz.extxyz", build_nanosheet("CdSe-wurtzite", "11-20", monolayers=7).repeat((2, 2, 1)))
    campaign = str(data_folder("workflows") / "reference_results" / "cdse_nanosheet_gpaw")
    shared = (str(tmp_path / "wz.extxyz"), "--kv", "200", "--dose", "1e5", "--runs", "3")
    options = ("--removal-energies", campaign, "--source", "gpaw", "--phase", "wurtzite")
    found = answer("etch", *shared, *options, "--threshold", "Cd=8")
    assert any("GPAW" in source for source in found["threshold_sources"])
    barn = displacement_cross_section(
        "Se", 200, 4.474, masses="isotopes", velocity_variance=classical_velocity_variance("Se", 300)
    )
    assert found["cross_sections_barn"]["Se"] == pytest.approx(barn, rel=1e-3)
    for more, named in (((), "--phase"), (("--phase", "wurtzite"), "an energy for Cd"), (("--phase", "x"), "wurtzite")):
        assert main(["etch", *shared, *options[:4], *more]) == 2
        assert named in capsys.readouterr().err


def test_bonds_are_counted_with_the_cohesive_energy(answer, sheet: Path) -> None:
    options = ("--kv", "200", "--cohesive-energy", "2.33", "--static", "--dose", "1e4", "--runs", "1")
    found = answer("etch", str(sheet), *options)
    # (001): the outermost atoms have two of four bonds
    barn = displacement_cross_section("Se", 200, 2.33)
    assert found["cross_sections_barn"]["Se"] == pytest.approx(barn)


def test_a_dose_is_a_rate_times_a_time(answer, sheet: Path) -> None:
    fixed = ("--kv", "200", "--threshold", "5", "--runs", "2")
    by_dose = answer("etch", str(sheet), *fixed, "--dose", "1e5")
    by_time = answer("etch", str(sheet), *fixed, "--dose-rate", "1e3", "--time", "100")
    assert by_dose == by_time


def test_what_the_first_run_leaves_is_written(answer, sheet: Path, tmp_path: Path) -> None:
    left = tmp_path / "left.extxyz"
    options = ("--kv", "200", "--binding", "2.33", "--dose", "1e5", "--runs", "1", "-o", str(left))
    last = answer("etch", str(sheet), *options)["rows"][-1]["atoms"]
    atoms = read(left)
    assert {symbol: int((atoms.symbols == symbol).sum()) for symbol in last} == last
    assert 0 < len(atoms) < len(read(sheet))


def test_table_and_unreached_ratio(capsys: pytest.CaptureFixture[str], sheet: Path) -> None:
    options = ("--kv", "80", "--threshold", "9", "--static", "--dose", "1e3", "--ratio", "Se:Cd=0.8")
    assert main(["etch", str(sheet), *options]) == 0
    out = capsys.readouterr().out
    assert "Se:Cd = 0.8 at no dose up to there" in out
    assert "Knock-on alone" in out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ("--kv 200 --threshold 5", "--dose"),
        ("--kv 200 --threshold 5 --dose 1e5 --time 3", "--dose"),
        ("--kv 200 --threshold 5 --dose -1", "--dose"),
        ("--kv 200 --threshold Se=5 --dose 1e5", "an energy for Cd"),
        ("--kv 200 --threshold Te=5 --dose 1e5", "--threshold"),
        ("--kv 200 --threshold Se:x=5 Cd=5 --dose 1e5", "Se:3=4.47"),
        ("--kv 200 --threshold Se:0=5 Cd=5 --dose 1e5", "neighbours of Se"),
        ("--kv 200 --threshold 5 --dose 1e5 --beam 0 0 0", "beam direction"),
        ("--kv 200 --threshold 5 --dose 1e5 --escape sphere-averaged", "spherical or planar"),
        ("--kv 200 --threshold 5 --dose 1e5 --plot a.docx", "--plot"),
        ("--kv 200 --threshold 5 --binding 5 --dose 1e5", "--binding"),
        ("--kv 200000 --threshold 5 --dose 1e5", "did you mean 200 keV"),
        ("--kv 200 --threshold 5 --dose 1e5 --runs 0", "number of runs"),
        ("--kv 200 --threshold 5 --dose 1e5 --ratio Te:Cd=0.8", "--ratio"),
        ("--kv 200 --threshold 5 --dose 1e5 --ratio 0.8", "--ratio"),
        ("--kv 200 --threshold 5 --dose 1e5 --temperature -4", "temperature"),
    ],
)
def test_bad_input_is_one_line(refused, sheet: Path, arguments: str, named: str) -> None:
    assert named in refused("etch", sheet, *arguments.split())


def test_a_missing_file_is_one_line(refused) -> None:
    assert "POSCAR" in refused("etch", "/no/such/POSCAR", "--kv", "200", "--threshold", "5", "--dose", "1e5")
