"""A run folder: any file may be missing or broken, what is left is used, and the result says what came from where."""

import bz2
import gzip
import lzma
import pickle
from pathlib import Path

import ase.io
import numpy as np
import pytest
import vasp_writers as writers

from nanoslab.errors import FileError
from nanoslab.vasp import RunResult, calculation_result, find_runs, read_run, read_runs, read_trajectory
from nanoslab.vasp.runs import read_run as many

RUN = writers.Run(steps=(writers.shifted(-20.0), writers.Step()))


def fill(folder, run=RUN, **other):
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "vasprun.xml": writers.vasprun(run),
        "OUTCAR": writers.outcar(run),
        "OSZICAR": writers.oszicar(run),
        "POSCAR": writers.poscar(run).encode(),
    }
    for name, content in {**files, **other}.items():
        if content is not None:
            (folder / name).write_bytes(content)
    return folder


def test_keys_that_others_rely_on(tmp_path):
    row = read_run(fill(tmp_path)).to_dict()
    assert set(row) >= {
        "path", "formula", "n_atoms", "vasp_version", "energy_eV", "free_energy_eV", "max_free_force_eV_per_A",
        "n_ionic_steps", "complete", "electronic_converged", "ionic_converged", "converged", "problems", "sources",
    }  # fmt: skip
    assert row["formula"] == "Cd2Se2"
    assert row["energy_eV"] == writers.Step().energy
    assert "energy_eV: vasprun.xml" in row["sources"]
    assert "magnetization: OUTCAR" in row["sources"]


def test_a_broken_vasprun_is_replaced_by_the_outcar(tmp_path):
    cut = writers.vasprun(RUN)[:6000]
    run = read_run(fill(tmp_path, **{"vasprun.xml": cut}))
    assert run.converged
    assert run.energy == writers.Step().energy
    assert run.sources["energy_eV"] == "OUTCAR"
    assert run.sources["parameters"] == "vasprun.xml"
    assert any("the rest is from OUTCAR" in note for note in run.notes)


@pytest.mark.parametrize(
    "garbage", [b"", b"This is a dummy vasprun.xml file for testing.", b"\0" * 5000, b"<modeling>"]
)
def test_garbage_in_one_file_takes_nothing_with_it(tmp_path, garbage):
    run = read_run(fill(tmp_path, **{"vasprun.xml": garbage}))
    assert run.converged
    assert run.sources["energy_eV"] == "OUTCAR"


def test_an_oszicar_alone_gives_energies_but_no_verdict(tmp_path):
    run = read_run(fill(tmp_path, **{"vasprun.xml": None, "OUTCAR": None}))
    assert run.energy == pytest.approx(-20.600004, abs=1e-6)
    assert run.formula == "Cd2Se2"
    assert not run.complete
    assert not run.converged


def test_nothing_readable_is_a_result_with_problems(tmp_path):
    run = read_run(fill(tmp_path, **{"vasprun.xml": b"x", "OUTCAR": b"y", "OSZICAR": b""}))
    assert run.kind == "unreadable"
    assert run.energy is None
    assert len(run.problems) >= 3


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [(".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress), ("", gzip.compress), (".gz", lambda b: b)],
)
def test_compression_is_told_by_the_content(tmp_path, suffix, pack):
    other = {"vasprun.xml": None, "OUTCAR": None, f"vasprun.xml{suffix}": pack(writers.vasprun(RUN))}
    other[f"OUTCAR{suffix}"] = pack(writers.outcar(RUN))
    run = read_run(fill(tmp_path, **other))
    assert run.converged
    assert run.energy == writers.Step().energy


def test_a_cut_gzip_is_not_complete(tmp_path):
    packed = gzip.compress(writers.vasprun(RUN))
    (tmp_path / "vasprun.xml.gz").write_bytes(packed[: len(packed) * 2 // 3])
    run = read_run(tmp_path)
    assert not run.complete
    assert any("compressed file is cut" in problem for problem in run.problems)


def test_the_last_of_a_relax_chain_is_the_run(tmp_path):
    for number, energy in ((1, -18.0), (2, -19.0), (10, -20.0)):
        run = writers.Run(steps=(writers.shifted(energy),))
        (tmp_path / f"vasprun.xml.relax{number}.gz").write_bytes(gzip.compress(writers.vasprun(run)))
        (tmp_path / f"OUTCAR.relax{number}.gz").write_bytes(gzip.compress(writers.outcar(run)))
    run = read_run(tmp_path)
    assert run.free_energy == -20.0
    assert run.converged
    assert run.notes == ("earlier stages in this folder: relax1, relax2",)
    assert len(list(find_runs([tmp_path]))) == 1


def test_copies_with_a_time_in_their_names_are_earlier_stages(tmp_path):
    fill(tmp_path, **{"OUTCAR_08_01_43on29_03_23": writers.outcar(writers.Run(steps=(writers.shifted(-1.0),)))})
    run = read_run(tmp_path)
    assert run.energy == writers.Step().energy
    assert "08_01_43on29_03_23" in run.notes[0]


def test_other_labels_are_runs_of_their_own(tmp_path):
    for number in (1, 2, 3):
        run = writers.Run(steps=(writers.shifted(-float(number)),))
        (tmp_path / f"vasprun.xml-00{number}").write_bytes(writers.vasprun(run))
    assert [run.free_energy for run in read_runs([tmp_path])] == [-1.0, -2.0, -3.0]
    with pytest.raises(FileError, match="expected one run, got 3"):
        read_run(tmp_path)


def test_leftovers_of_custodian_are_named_not_opened(tmp_path):
    fill(tmp_path, **{"error.1.tar.gz": b"not an archive"})
    assert "error.1.tar.gz" in read_run(tmp_path).notes[0]


def test_images_of_a_chain_are_runs_and_judged_by_vasp(tmp_path):
    large = np.array([[0.9, 0, 0]] * 4)
    run = writers.Run(steps=(writers.Step(forces=large),), tags={"IBRION": "3", "EDIFFG": "-0.03"})
    for image in ("01", "02"):
        fill(tmp_path / image, run, **{"vasprun.xml": None})
    (tmp_path / "00").mkdir()
    (tmp_path / "00" / "POSCAR").write_text(writers.poscar(run))
    results = list(read_runs([tmp_path]))
    assert [result.kind for result in results] == ["image of a chain"] * 2
    assert all(result.converged for result in results)
    with pytest.raises(FileError, match="read its images 00 to 02"):
        read_run(tmp_path)


def test_a_deck_that_never_ran_is_a_row(tmp_path):
    fill(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "INCAR").write_text("NSW = 0\n")
    (tmp_path / "b" / "POSCAR").write_text(writers.poscar(RUN))
    results = list(read_runs([tmp_path]))
    assert [result.kind for result in results] == ["relaxation", "not run"]
    assert calculation_result("b", results[1]).found is False


@pytest.mark.parametrize("path", ["nothing", "empty"])
def test_no_run_is_an_error_that_says_what_to_do(tmp_path, path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match=r"expected .* got .*; "):
        read_run(tmp_path / path)


def test_a_file_of_any_name_is_known_by_its_content(tmp_path):
    path = tmp_path / "CdSe_hse_vr.xml"
    path.write_bytes(writers.vasprun(RUN))
    assert read_run(path).energy == writers.Step().energy
    (tmp_path / "run7.txt").write_bytes(writers.outcar(RUN))
    assert read_run(tmp_path / "run7.txt").energy == writers.Step().energy
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(FileError, match="something else"):
        read_run(tmp_path / "notes.txt")


def test_a_folder_whose_files_have_other_names_is_a_run(tmp_path):
    for folder, name, content in (
        ("a", "CdSe_vr.xml.gz", gzip.compress(writers.vasprun(RUN))),
        ("b", "v_Se_0.OUTCAR", writers.outcar(RUN)),
        ("c", "other.xml", b"<html></html>"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(content)
    assert [(Path(run.path).name, run.converged) for run in read_runs([tmp_path])] == [("a", True), ("b", True)]


def test_to_atoms_carries_results_and_constraints(tmp_path):
    free = np.array([[True, True, False], [False] * 3, [True] * 3, [True] * 3])
    run = writers.Run(free=free, cell=np.diag([6.0, 7.0, 20.0]))
    atoms = read_run(fill(tmp_path, run)).to_atoms()
    assert atoms.get_potential_energy() == run.steps[-1].energy
    np.testing.assert_allclose(atoms.get_forces(apply_constraint=False), writers.FORCES)
    assert len(atoms.constraints) == 2
    from_ase = ase.io.read(tmp_path / "vasprun.xml")
    np.testing.assert_allclose(atoms.get_stress(), from_ase.get_stress())
    np.testing.assert_allclose(atoms.positions, from_ase.positions)
    np.testing.assert_allclose(atoms.get_forces(), from_ase.get_forces())


@pytest.mark.parametrize("kind", ["vasprun.xml", "OUTCAR"])
def test_trajectory_has_every_finished_step(tmp_path, kind):
    moved = writers.POSITIONS + 0.01
    run = writers.Run(steps=(writers.shifted(-20.0), writers.Step(positions=moved), writers.Step(closed=False)))
    content = writers.vasprun(run) if kind == "vasprun.xml" else writers.outcar(run, finished=False)
    content = content.split(b' <structure name="finalpos"')[0]
    (tmp_path / kind).write_bytes(content)
    images = list(read_trajectory(tmp_path))
    assert [atoms.get_potential_energy() for atoms in images] == [-20.1, writers.Step().energy]
    np.testing.assert_allclose(images[1].get_scaled_positions(), moved, atol=1e-5)
    assert len(read_run(tmp_path).trajectory()) == 2


def test_many_runs_in_processes_keep_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(many, "_PATIENCE_S", 0.0)
    for number in range(30):
        run = writers.Run(steps=(writers.shifted(-float(number)),))
        fill(tmp_path / f"run{number:02d}", run, OUTCAR=None, OSZICAR=None)
    serial = [run.to_dict() for run in read_runs([tmp_path], jobs=1)]
    assert [row["free_energy_eV"] for row in serial] == [-float(number) for number in range(30)]
    assert [run.to_dict() for run in read_runs([tmp_path], jobs=2)] == serial


def test_results_travel_between_processes(tmp_path):
    run = read_run(fill(tmp_path))
    again = pickle.loads(pickle.dumps(run))  # noqa: S301
    assert isinstance(again, RunResult)
    assert again.to_dict() == run.to_dict()


def test_what_must_agree_before_energies_are_subtracted(tmp_path):
    result = calculation_result("sheet", read_run(fill(tmp_path)))
    assert result.energy == writers.Step().energy
    assert result.converged
    assert dict(result.comparable) == {
        "code": "VASP",
        "functional": "PBE",
        "cutoff_energy": 400.0,
        "kpoints": (4, 3, 1),
        "potentials": {"Cd": "PAW_PBE Cd 06Sep2000", "Se": "PAW_PBE Se 06Sep2000"},
    }
    assert result.level_of_theory == "PBE, PAW, 400 eV (VASP 6.4.2)"


@pytest.mark.parametrize(
    ("tags", "incar", "name"),
    [
        ({"GGA": "PS"}, {}, "PBEsol"),
        ({"GGA": "PE", "LHFCALC": "T", "AEXX": "0.25", "HFSCREEN": "0.2"}, {}, "HSE06"),
        ({"GGA": "PE", "LHFCALC": "T", "AEXX": "0.25", "HFSCREEN": "0.0"}, {}, "PBE0"),
        ({"GGA": "PE", "LHFCALC": "T", "AEXX": "0.32", "HFSCREEN": "0.2"}, {}, "PBE hybrid (AEXX=0.32, HFSCREEN=0.2)"),
        ({"GGA": "PE", "LDAU": "T"}, {"IVDW": "12"}, "PBE+U+D3(BJ)"),
        ({"METAGGA": "R2SCAN"}, {}, "R2SCAN"),
        ({"GGA": "--", "LSORBIT": "T"}, {}, "PBE+SOC"),
    ],
)
def test_functional_in_the_words_of_the_field(tmp_path, tags, incar, name):
    run = writers.Run(tags=tags, incar=incar)
    assert read_run(fill(tmp_path, run, OUTCAR=None)).functional == name


def test_mesh_of_a_kpoints_file_when_only_outcar_is_left(tmp_path):
    kpoints = b"mesh\n0\nGamma\n3 2 1\n0 0 0\n"
    run = read_run(fill(tmp_path, **{"vasprun.xml": None, "KPOINTS": kpoints}))
    assert run.mesh == (3, 2, 1)


def test_reading_leaves_the_folder_as_it_was(tmp_path):
    fill(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    read_run(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
