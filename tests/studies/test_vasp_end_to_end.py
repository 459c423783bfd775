"""From a study file to its answer through the whole house, with VASP outputs whose energies are known beforehand."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import vasp_writers as writers

from nanoslab.calculation import Calculation
from nanoslab.campaign import load_campaign
from nanoslab.cli.main import main
from nanoslab.files import data_folder
from nanoslab.selective_dynamics import free_components
from nanoslab.vasp.poscar import species_order

ATOM = {"Cd": -0.1875, "Se": -0.71}
ELEMENT = {"Cd": -0.93, "Se": -3.4875}
BULK = -6.125  # one CdSe, wurtzite; zinc blende lies above
PRISTINE = {"wurtzite": -84.25, "zinc blende": -83.5}


def known_formation_energy(index: int, calculation: Calculation) -> float:
    """A number of its own for every calculation, so that none can stand for another [eV, mu of free atoms]."""
    return 5.0 * len(calculation.removed_indices) + 0.01 * index


def known_energy(index: int, calculation: Calculation) -> float:
    counts = Counter(calculation.atoms.get_chemical_symbols())
    if calculation.role.kind in ("atom", "element"):
        table = ATOM if calculation.role.kind == "atom" else ELEMENT
        return sum(table[element] * count for element, count in counts.items())
    if calculation.role.kind == "bulk":
        return (BULK + 0.02 * ("zincblende" in calculation.name)) * counts["Cd"]
    pristine = PRISTINE[calculation.role.phase]
    if calculation.role.kind == "pristine":
        return pristine
    return pristine + known_formation_energy(index, calculation) - len(calculation.removed_indices) * ATOM["Se"]


def run_of(calculation: Calculation, energy: float, *, last_change: float = 1e-6, cutoff: float = 400.0):
    atoms = calculation.atoms[list(species_order(calculation.atoms))]
    settings = calculation.settings
    counts = Counter(atoms.get_chemical_symbols())
    relaxed = settings.relax != "none"
    smeared = 0.0 if calculation.role.kind == "atom" else 0.02  # an atom in its ground state has whole occupations
    step = writers.Step(
        electrons=(
            (energy + 5, energy + 4.9),
            (energy + smeared + last_change, energy + 0.01),
            (energy + smeared, energy),
        ),
        forces=np.zeros((len(atoms), 3)),
        positions=atoms.get_scaled_positions(wrap=False),
        stress_kB=0.0,
    )
    return writers.Run(
        steps=(step,),
        species=tuple((element, count, f"PAW_PBE {element} 06Sep2000") for element, count in counts.items()),
        cell=atoms.cell.array,
        free=free_components(atoms) if atoms.constraints else None,
        tags={
            "ENMAX": str(cutoff),
            "ISIF": "3" if settings.relax == "cell" else "2",
            "IBRION": "2" if relaxed else "-1",
            "NSW": "200" if relaxed else "0",
            "ISPIN": "2" if settings.spin_polarized else "1",
        },
        reached=relaxed,
    )


def put(campaign: Path, calculation: Calculation, run, mesh: tuple[int, int, int] | None = None) -> None:
    folder = campaign / calculation.name
    divisions = "".join(f"{points:9d}" for points in mesh or calculation.settings.kpoints)
    text = writers.vasprun(run).replace(b"       4        3        1 </v>", f"{divisions} </v>".encode())
    (folder / "vasprun.xml").write_bytes(text)
    moment = calculation.atoms.get_initial_magnetic_moments().sum()
    said = writers.outcar(run).replace(b"magnetization       0.5000000", f"magnetization  {moment:14.7f}".encode())
    (folder / "OUTCAR").write_bytes(said)


@pytest.fixture
def campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.delenv("PMG_VASP_PSP_DIR", raising=False)
    monkeypatch.delenv("VASP_PP_PATH", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "campaign"
    assert main(["write", str(data_folder("workflows") / "cdse_nanosheet.yaml"), str(folder)]) == 0
    for index, calculation in enumerate(load_campaign(folder).calculations):
        put(folder, calculation, run_of(calculation, known_energy(index, calculation)))
    capsys.readouterr()
    return folder


@pytest.fixture
def analyze(campaign: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, dict, str]]:
    def answer(*options: str) -> tuple[int, dict, str]:
        code = main(["analyze", str(campaign), "--source", "vasp", "--json", "--no-files", *options])
        out, err = capsys.readouterr()
        return code, json.loads(out), err

    return answer


def test_formation_energies_are_those_put_in(campaign: Path, analyze) -> None:
    code, answer, error = analyze()
    assert (code, error, answer["refused"], answer["missing"]) == (0, "", [], [])
    calculations = load_campaign(campaign).calculations
    expected = {c.name: known_formation_energy(i, c) for i, c in enumerate(calculations) if c.role.kind == "vacancy"}
    assert {row["calculation"] for row in answer["vacancies"]} == set(expected)
    for row in answer["vacancies"]:
        energies, lost = row["formation_energy_eV"], row["n_removed"]
        # VASP prints 8 decimals
        assert energies["atom"] == pytest.approx(expected[row["calculation"]], abs=1e-7)
        assert energies["element"] - energies["atom"] == pytest.approx(lost * (ELEMENT["Se"] - ATOM["Se"]), abs=1e-7)
        formation = BULK - ELEMENT["Cd"] - ELEMENT["Se"]
        assert energies["rich:Se"] == pytest.approx(energies["element"], abs=1e-7)
        assert energies["rich:Cd"] - energies["rich:Se"] == pytest.approx(lost * formation, abs=1e-7)
    transferred = {(row["element"], row["beam_energy_keV"]): row["max_transferred_energy_eV"] for row in answer["beam"]}
    assert transferred["Se", 200.0] == pytest.approx(6.64, abs=0.01)
    assert transferred["Se", 300.0] == pytest.approx(10.78, abs=0.01)


def test_a_run_that_is_not_there_is_missing_and_the_rest_is_used(campaign: Path, analyze) -> None:
    for name in ("vasprun.xml", "OUTCAR"):
        (campaign / "wurtzite-v_Se-surface-1" / name).unlink()
    code, answer, _ = analyze()
    assert code == 0
    assert [entry["calculation"] for entry in answer["missing"]] == ["wurtzite-v_Se-surface-1"]
    assert "not run yet" in answer["missing"][0]["reason"]


def test_an_unconverged_run_is_refused_unless_it_is_allowed(campaign: Path, analyze) -> None:
    calculations = load_campaign(campaign).calculations
    index, bad = next((i, c) for i, c in enumerate(calculations) if c.name == "wurtzite-v_Se-surface-1")
    run = run_of(bad, known_energy(index, bad), last_change=0.5)
    put(campaign, bad, writers.Run(**{**_fields(run), "tags": {**run.tags, "NELM": "3"}}))
    code, answer, error = analyze()
    assert code == 2
    assert error.count("\n") == 1
    assert "1 refused; wurtzite-v_Se-surface-1" in error
    assert "--allow-unconverged" in error
    assert [entry["calculation"] for entry in answer["refused"]] == [bad.name]
    code, answer, error = analyze("--allow-unconverged")
    assert (code, error) == (0, "")
    row = next(row for row in answer["vacancies"] if row["calculation"] == bad.name)
    assert row["formation_energy_eV"]["atom"] == pytest.approx(known_formation_energy(index, bad), abs=1e-7)
    assert not row["converged"]


@pytest.mark.parametrize("kind", ["cutoff", "k-points", "potential"])
def test_a_run_at_other_settings_is_refused_with_both_values_unless_it_is_allowed(
    campaign: Path, analyze, kind: str
) -> None:
    calculations = load_campaign(campaign).calculations
    index, other = next((i, c) for i, c in enumerate(calculations) if c.name == "zincblende-v_Se-surface-1")
    run = run_of(other, known_energy(index, other), cutoff=520.0 if kind == "cutoff" else 400.0)
    if kind == "potential":
        species = [(element, count, f"PAW_PBE {element}_GW 20Jan2001") for element, count, _ in run.species]
        run = writers.Run(**{**_fields(run), "species": tuple(species)})
    put(campaign, other, run, mesh=(2, 2, 1) if kind == "k-points" else None)
    code, answer, error = analyze()
    assert code == 2
    (refused,) = answer["refused"]
    assert refused["calculation"] == other.name
    values = {"cutoff": ("520", "400"), "k-points": ("2x2x1", "4x4x1"), "potential": ("Cd_GW", "PAW_PBE Cd 06Sep2000")}
    assert all(value in refused["reason"] for value in (*values[kind], "--allow-mismatch"))
    assert error.count("\n") == 1
    code, answer, error = analyze("--allow-mismatch")
    assert (code, error) == (0, "")
    row = next(row for row in answer["vacancies"] if row["calculation"] == other.name)
    assert row["formation_energy_eV"]["atom"] == pytest.approx(known_formation_energy(index, other), abs=1e-7)
    assert any(values[kind][0] in note for note in row["notes"])


def _fields(run) -> dict:
    return {name: getattr(run, name) for name in run.__dataclass_fields__}
