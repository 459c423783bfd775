"""OUTCAR: the same truth from the other file, from VASP 4.6 to 6."""

import ase.io
import numpy as np
import pytest
import vasp_writers as writers
from pymatgen.io.vasp import Outcar

from nanoslab.vasp.runs.oszicar import read_oszicar
from nanoslab.vasp.runs.outcar import read_outcar
from nanoslab.vasp.runs.vasprun import read_vasprun


def read(tmp_path, content: bytes):
    path = tmp_path / "OUTCAR"
    path.write_bytes(content)
    return read_outcar(path)


@pytest.mark.parametrize("extra_kib", [0, 3, 700])
def test_outcar_and_vasprun_of_one_run_say_the_same(tmp_path, extra_kib):
    run = writers.Run(steps=(writers.shifted(-20.0), writers.Step(), writers.shifted(-22.5, n=9)), extra_kib=extra_kib)
    (tmp_path / "vasprun.xml").write_bytes(writers.vasprun(run))
    xml = read_vasprun(tmp_path / "vasprun.xml")
    text = read(tmp_path, writers.outcar(run))
    assert text.complete
    assert [(s.free_energy, s.energy, s.n_electronic_steps) for s in text.steps] == [
        (s.free_energy, s.energy, s.n_electronic_steps) for s in xml.steps
    ]
    for a, b in zip(text.steps, xml.steps, strict=True):
        assert a.energy_change == pytest.approx(b.energy_change, abs=1e-8)
    np.testing.assert_allclose(text.final.lattice, xml.final.lattice)
    np.testing.assert_allclose(text.final.scaled_positions, xml.final.scaled_positions, atol=1e-5)  # five decimals
    np.testing.assert_allclose(text.final.forces, xml.final.forces, atol=1e-6)
    np.testing.assert_allclose(text.final.stress, xml.final.stress)
    assert text.symbols == xml.symbols
    assert text.counts == xml.counts
    assert text.potentials == xml.potentials


def test_tags_as_used_and_as_given(tmp_path):
    reading = read(tmp_path, writers.outcar(writers.Run(incar={"ENCUT": "400 ! cutoff", "EDIFF": "1E-5"})))
    assert reading.parameters["NELM"] == "60"
    assert reading.parameters["EDIFF"] == "1e-05"
    assert reading.incar == {"ENCUT": "400", "EDIFF": "1E-5"}


def test_windows_line_ends_change_nothing(tmp_path):
    content = writers.outcar(writers.Run())
    unix, windows = read(tmp_path, content), read(tmp_path, content.replace(b"\n", b"\r\n"))
    assert windows.steps == unix.steps
    assert windows.complete
    assert windows.symbols == unix.symbols
    np.testing.assert_array_equal(windows.final.forces, unix.final.forces)


def test_numbers_that_touch_are_told_apart(tmp_path):
    content = writers.outcar(writers.Run())
    at = content.index(b"POSITION  ")
    line_start = content.index(b"\n", content.index(b"----\n", at)) + 1
    line_end = content.index(b"\n", line_start)
    touching = b"   -100.12345-200.12345-300.12345     -1234.123456-2345.123456-3456.123456"
    reading = read(tmp_path, content[:line_start] + touching + content[line_end:])
    np.testing.assert_allclose(reading.final.forces[0], [-1234.123456, -2345.123456, -3456.123456])


def test_forces_printed_as_asterisks_are_a_problem_not_a_number(tmp_path):
    content = writers.outcar(writers.Run())
    at = content.index(b"0.001000", content.index(b"TOTAL-FORCE"))
    reading = read(tmp_path, content[:at] + b"********" + content[at + 8 :])
    assert reading.final.forces is None
    np.testing.assert_allclose(reading.final.scaled_positions, writers.POSITIONS, atol=1e-5)
    assert any("forces" in problem for problem in reading.problems)
    assert reading.steps[0].energy == writers.Step().energy


def test_a_number_cut_in_the_middle_is_no_energy(tmp_path):
    content = writers.outcar(writers.Run())
    at = content.rindex(b"energy(sigma->0) =")
    for size in range(len(b"energy(sigma->0) =") + 1, len(b"energy(sigma->0) =") + 18):
        assert read(tmp_path, content[: at + size]).steps == ()


def test_an_unfinished_electronic_loop_gives_no_energy(tmp_path):
    steps = (writers.shifted(-20.0), writers.Step(closed=False))
    reading = read(tmp_path, writers.outcar(writers.Run(steps=steps), finished=False))
    assert [step.energy for step in reading.steps] == [-20.1]
    assert reading.unfinished_electronic_steps == 3
    assert "electronic step 3 of ionic step 2" in reading.cut


def test_linear_response_after_the_ionic_step_is_not_unfinished(tmp_path):
    content = writers.outcar(writers.Run())
    at = content.index(b" General timing")
    response = b"----------------------------------------- Iteration    2(   7)  -------\n text \n"
    reading = read(tmp_path, content[:at] + response + content[at:])
    assert reading.complete
    assert reading.unfinished_electronic_steps == 0


def test_energy_of_a_force_field_is_not_taken(tmp_path):
    content = writers.outcar(writers.Run())
    at = content.index(b" General timing")
    learned = b"  ML FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)\n  free  energy ML TOTEN  = -1.0 eV\n"
    assert len(read(tmp_path, content[:at] + learned + content[at:]).steps) == 1


@pytest.mark.parametrize(
    ("end", "complete"),
    [
        (b"", False),
        (b" -------------------------------\n", False),
        (b"Profiling took   0.473904  0.421831  0.006156  0.004718 seconds\n", False),
        (b"Profiling took   0.457788 seconds\n", True),
    ],
)
def test_a_profile_behind_the_accounting_must_have_its_end(tmp_path, end, complete):
    profile = b"\n PROFILE, used timers:     341\n =============\n    1    total_time    120.126390    1   1\n"
    assert read(tmp_path, writers.outcar(writers.Run()) + profile + end).complete is complete


def test_species_from_the_list_when_potentials_were_stripped(tmp_path):
    content = writers.outcar(writers.Run())
    lines = [line for line in content.split(b"\n") if b"TITEL" not in line and b"VRHFIN" not in line]
    assert read(tmp_path, b"\n".join(lines)).symbols == ("Cd", "Cd", "Se", "Se")


def test_a_large_system_keeps_its_forces_in_the_window(tmp_path):
    rng = np.random.default_rng(1)
    n = 1500
    step = writers.Step(positions=rng.random((n, 3)), forces=rng.normal(size=(n, 3)))
    run = writers.Run(steps=(step, step), species=(("Se", n, "PAW_PBE Se 06Sep2000"),), extra_kib=900)
    reading = read(tmp_path, writers.outcar(run))
    np.testing.assert_allclose(reading.final.forces, step.forces, atol=1e-6)


def test_oszicar_gives_eight_digits_and_never_completeness(tmp_path):
    run = writers.Run(steps=(writers.shifted(-20.0), writers.shifted(-21.0)))
    (tmp_path / "OSZICAR").write_bytes(writers.oszicar(run))
    reading = read_oszicar(tmp_path / "OSZICAR")
    assert [step.energy for step in reading.steps] == [-20.1, -21.1]
    assert not reading.complete
    assert reading.magnetization == (0.5,)


def test_oszicar_of_molecular_dynamics(tmp_path):
    line = (
        "      1 T=   300. E= -.32E+03 F= -.32773014E+03 E0= -.32769600E+03  EK= 0.24E+01 SP= 0.00E+00 SK= 0.00E+00\n"
    )
    (tmp_path / "OSZICAR").write_text(line)
    assert read_oszicar(tmp_path / "OSZICAR").steps[0].energy == -327.696


def test_pymatgen_and_ase_read_the_same_from_the_synthetic_file(tmp_path):
    run = writers.Run(steps=(writers.shifted(-20.0), writers.Step()))
    reading = read(tmp_path, writers.outcar(run))
    atoms = ase.io.read(tmp_path / "OUTCAR", index=-1)
    assert reading.steps[-1].energy == pytest.approx(atoms.get_potential_energy(), abs=1e-8)
    assert reading.steps[-1].energy == pytest.approx(Outcar(tmp_path / "OUTCAR").final_energy, abs=1e-8)
    np.testing.assert_allclose(reading.final.forces, atoms.get_forces())
    np.testing.assert_allclose(reading.final.lattice, atoms.cell[:])
