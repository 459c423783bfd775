"""Real runs: what two independent readers agree on must come out; every disagreement has its reason beside it."""

import csv
from pathlib import Path

import pytest

from nanoslab.errors import NanoslabError
from nanoslab.vasp import read_run

#: energies where a peer is wrong or the file is broken: (file, why)
ENERGY_DIFFERS = {
    "aiida-vasp/disp/vasprun.xml": "the index took E0 - F from an electronic step of the linear response",
    "aiida-vasp/localfield/vasprun.xml": "the index took E0 - F from an electronic step of the linear response",
    "aiida-vasp/neb/vasprun.xml": "several processes wrote the file at once; nothing in it can be trusted",
}
#: complete runs that are rightly not converged, and why
NOT_CONVERGED = {
    "aiida-vasp/neb/vasprun.xml": "several processes wrote the file at once",
    "electronic-parsers/Si_GW/vasprun.xml.gz": "GW: no total energy",
    "electronic-parsers/alternative_pseudopotentials__F_GW/OUTCAR.gz": "RPA: no total energy of DFT",
    "pyiron_atomistics/vasprun_samples__vasprun_1.xml/vasprun_1.xml": "NELM reached in two steps, dE above EDIFFG",
    "pymatgen-core/outputs__vasprun.ediffg_set_to_0.xml.gz/vasprun.ediffg_set_to_0.xml.gz": "EDIFFG=0: no criterion",
    "pymatgen-core/outputs__vasprun.ml_md.xml.gz/vasprun.ml_md.xml.gz": "force field drove 80 of 100 steps",
}
#: killed in the scan for its index only: the whole run is there, behind the bytes of a tar archive
CONVERGED_ANYWAY = {
    "pymatgen-core/outputs__OUTCAR.serial.gz/OUTCAR.serial.gz": "whole, behind the header of a tar file"
}
#: one step more than closed blocks: the energy of the last is written, its closing tag is not
ONE_STEP_MORE = {"doped/Cs2AgBiBr6_Bi_EaH=0/vasprun.xml.gz"}


@pytest.fixture(scope="module")
def rows(vasp_corpus):
    with (vasp_corpus / "INDEX.csv").open() as stream:
        return [row for row in csv.DictReader(stream) if row["file_type"] in ("vasprun", "OUTCAR")]


@pytest.fixture(scope="module")
def runs(rows, vasp_corpus):
    return {row["path"]: read_run(vasp_corpus / row["path"]) for row in rows}


def test_no_file_crashes_and_every_file_is_a_result(rows, runs):
    assert len(runs) == len(rows)
    assert all(run.energy is not None or run.problems for run in runs.values())


@pytest.mark.parametrize(
    ("column", "attribute"), [("final_energy_E0_eV", "energy"), ("final_energy_F_eV", "free_energy")]
)
def test_energies_are_those_of_the_last_finished_step(rows, runs, column, attribute):
    wrong = []
    for row in rows:
        value = getattr(runs[row["path"]], attribute)
        expected = float(row[column]) if row[column] else None
        differs = (value is None) != (expected is None) or (value is not None and abs(value - expected) > 1e-6)
        if differs and row["path"] not in ENERGY_DIFFERS:
            wrong.append((row["path"], value, expected))
    assert wrong == []


def test_where_pymatgen_and_ase_agree_so_do_we(rows, runs):
    for row in rows:
        if row["agree"] == "yes" and row["E0_pymatgen"] and row["E0_ase"]:
            run = runs[row["path"]]
            assert run.energy == pytest.approx(float(row["E0_pymatgen"]), abs=1e-6), row["path"]
            assert run.free_energy == pytest.approx(float(row["F_pymatgen"]), abs=1e-6), row["path"]


def test_no_run_is_called_converged_that_is_not(rows, runs):
    called = {row["path"] for row in rows if runs[row["path"]].converged and row["state"] != "complete"}
    assert called == set(CONVERGED_ANYWAY)


def test_no_complete_run_is_called_broken(rows, runs):
    complete = [row["path"] for row in rows if row["state"] == "complete"]
    assert [path for path in complete if not runs[path].complete and path not in NOT_CONVERGED] == []
    assert {path for path in complete if not runs[path].converged} == set(NOT_CONVERGED)


def test_cut_files_are_never_complete(rows, runs):
    assert not any(runs[row["path"]].complete for row in rows if "truncated" in row["state"])


def test_atoms_versions_and_ionic_steps(rows, runs):
    for row in rows:
        run = runs[row["path"]]
        if row["natoms"]:
            assert run.n_atoms == int(row["natoms"]), row["path"]
        if row["vasp_version"]:
            assert run.vasp_version == row["vasp_version"], row["path"]
        if row["ionic_steps"] and row["path"] not in {*ENERGY_DIFFERS, *NOT_CONVERGED, *ONE_STEP_MORE}:
            assert run.n_ionic_steps == int(row["ionic_steps"]), row["path"]


def test_every_folder_with_output_is_a_row(rows, vasp_corpus):
    from nanoslab.vasp import find_runs

    found = {str(run.path if run.path.is_dir() else run.path.parent) for run in find_runs([vasp_corpus])}
    assert {str((vasp_corpus / row["path"]).parent) for row in rows} <= found


# --- energies of published defects, from the raw files to the number ------------------------------------------


def energy(folder: Path) -> float:
    try:
        run = read_run(folder)
    except NanoslabError as error:
        raise AssertionError(str(error)) from error
    assert run.converged, (folder, run.problems)
    return run.energy


def test_oxygen_vacancy_in_strontium_titanate(vasp_corpus):
    root = vasp_corpus / "doped" / "SrTiO3_v_O"
    neutral = energy(root / "vac_O_0" / "vasp_std") - energy(root / "bulk_sp333")
    assert neutral == pytest.approx(12.635189, abs=1e-6)
    assert neutral - 6.5777727 == pytest.approx(6.057416, abs=1e-6)  # O-rich: plus mu of the removed oxygen


@pytest.mark.parametrize(
    ("defect", "expected"),
    [
        ("vac_1_Zn_0", 6.848481), ("vac_1_Zn_-1", 8.772591), ("vac_1_Zn_-2", 10.551909),
        ("vac_2_S_0", 10.108928), ("vac_2_S_1", 7.443409), ("vac_2_S_2", 3.702199),
    ],
)  # fmt: skip
def test_vacancies_in_zinc_sulphide(vasp_corpus, defect, expected):
    root = vasp_corpus / "doped" / "ZnS_vacancies"
    assert energy(root / defect / "vasp_std") - energy(root / "bulk") == pytest.approx(expected, abs=1e-6)


def test_cadmium_vacancy_in_cadmium_telluride(vasp_corpus):
    root = vasp_corpus / "doped" / "CdTe_v_Cd_-2_vasp_gam"
    difference = energy(root / "v_Cd_-2_vasp_gam") - energy(root / "bulk_vasp_gam")
    assert difference == pytest.approx(7.447984, abs=1e-6)


@pytest.mark.parametrize(
    ("charge", "expected"),
    [("0", 20.108995), ("+1", 11.910859), ("+2", 3.908291), ("+3", -0.998874), ("+4", -5.510848)],
)
def test_antisite_in_magnesium_oxide(vasp_corpus, charge, expected):
    root = vasp_corpus / "doped" / "MgO_Mg_O_antisite" / "Defects"
    bulk = next(
        path for path in root.rglob("*") if path.is_dir() and "bulk" in str(path) and list(path.glob("OUTCAR*"))
    )
    assert energy(root / f"Mg_O_{charge}" / "vasp_std") - energy(bulk) == pytest.approx(expected, abs=1e-6)
