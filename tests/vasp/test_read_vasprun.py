"""vasprun.xml: energies by the rule that holds for every version, and nothing from what is not an ionic step."""

import ase.io
import numpy as np
import pytest
import vasp_writers as writers

from nanoslab.vasp.runs.vasprun import read_vasprun
from nanoslab.vasp.runs.vasprun_parts import items

VERSIONS = ("4.6.35", "5.2.12", "5.4.4.18Apr17-6-g9f103f2a35", "6.0.8", "6.1.0", "6.4.2", "6.6.0")


def read(tmp_path, content: bytes):
    path = tmp_path / "vasprun.xml"
    path.write_bytes(content)
    return read_vasprun(path)


@pytest.mark.parametrize("version", VERSIONS)
def test_energy_is_e0_whatever_the_version_calls_it(tmp_path, version):
    run = writers.Run(version=version, steps=(writers.shifted(-20.0), writers.shifted(-21.0)))
    reading = read(tmp_path, writers.vasprun(run))
    assert reading.complete
    assert [step.free_energy for step in reading.steps] == [-20.0, -21.0]
    assert [step.energy for step in reading.steps] == [-20.1, -21.1]


def test_before_6_1_only_f_of_the_block_is_used(tmp_path):
    content = writers.vasprun(writers.Run(version="5.4.4"))
    at = content.rindex(b'<i name="e_wo_entrp">')
    content = content[:at] + b'<i name="e_wo_entrp">     -1.00000000 </i>' + content[content.index(b"\n", at) :]
    assert read(tmp_path, content).steps[0].energy == writers.Step().energy


@pytest.mark.parametrize("version", ["5.4.4", "6.4.2"])
def test_a_correction_after_the_last_electronic_step_is_kept(tmp_path, version):
    step = writers.Step(correction=-0.7)
    reading = read(tmp_path, writers.vasprun(writers.Run(version=version, steps=(step,))))
    assert reading.steps[0].free_energy == pytest.approx(step.free_energy, abs=1e-8)
    assert reading.steps[0].energy == pytest.approx(step.energy, abs=1e-8)
    assert reading.steps[0].correction == pytest.approx(-0.7, abs=1e-8)


@pytest.mark.parametrize("version", ["5.4.4", "6.4.2"])
def test_work_against_pstress_is_taken_out(tmp_path, version):
    work = 50 * 0.1 * 0.0062415091 * abs(np.linalg.det(writers.CELL))  # kB to GPa to eV/Å^3
    run = writers.Run(version=version, tags={"PSTRESS": "50.0"}, pressure_in_block=work)
    step = read(tmp_path, writers.vasprun(run)).steps[0]
    assert step.free_energy == pytest.approx(run.steps[0].free_energy, abs=1e-6)
    assert step.energy == pytest.approx(run.steps[0].energy, abs=1e-6)


def test_pstress_that_the_block_does_not_hold_is_not_taken_out_twice(tmp_path):
    run = writers.Run(tags={"PSTRESS": "50.0"}, pressure_in_block=0.0)
    assert read(tmp_path, writers.vasprun(run)).steps[0].free_energy == run.steps[0].free_energy


def test_structure_forces_stress_and_species(tmp_path):
    reading = read(tmp_path, writers.vasprun(writers.Run()))
    assert reading.symbols == ("Cd", "Cd", "Se", "Se")
    assert reading.potentials == (("Cd", "PAW_PBE Cd 06Sep2000"), ("Se", "PAW_PBE Se 06Sep2000"))
    assert reading.counts == (2, 2)
    np.testing.assert_allclose(reading.final.lattice, writers.CELL)
    np.testing.assert_allclose(reading.final.scaled_positions, writers.POSITIONS)
    np.testing.assert_allclose(reading.final.forces, writers.FORCES)
    np.testing.assert_allclose(reading.final.stress, 1.5 * np.eye(3))
    assert reading.mesh == (4, 3, 1)
    assert reading.n_kpoints == 2
    assert reading.free.all()


def test_ase_reads_the_same_from_the_synthetic_file(tmp_path):
    run = writers.Run(steps=(writers.shifted(-20.0), writers.Step()), version="5.4.4")
    reading = read(tmp_path, writers.vasprun(run))
    atoms = ase.io.read(tmp_path / "vasprun.xml", index=-1)
    assert reading.steps[-1].energy == pytest.approx(atoms.get_potential_energy(), abs=1e-8)
    np.testing.assert_allclose(reading.final.lattice, atoms.cell[:])
    np.testing.assert_allclose(reading.final.forces, atoms.get_forces())
    assert list(reading.symbols) == atoms.get_chemical_symbols()


def test_first_of_two_tags_of_one_name_counts(tmp_path):
    # the response functions have an NELM of their own, always 1
    assert read(tmp_path, writers.vasprun(writers.Run())).parameters["NELM"] == "60"


def test_selective_dynamics_partly_fixed(tmp_path):
    free = np.array([[True, True, False], [False] * 3, [True] * 3, [True] * 3])
    np.testing.assert_array_equal(read(tmp_path, writers.vasprun(writers.Run(free=free))).free, free)


def test_electronic_steps_of_linear_response_are_no_ionic_energies(tmp_path):
    response = b"""  <scstep>
   <energy>
    <i name="e_fr_energy">     -4.22548839 </i>
    <i name="e_wo_entrp">     -4.22548839 </i>
    <i name="e_0_energy">     -4.22548839 </i>
   </energy>
  </scstep>
"""
    content = writers.vasprun(writers.Run(version="5.4.4"))
    at = content.index(b'  <time name="totalsc">')
    reading = read(tmp_path, content[:at] + 3 * response + content[at:])
    assert len(reading.steps) == 1
    assert reading.steps[0].energy == writers.Step().energy
    assert reading.steps[0].n_electronic_steps == 3


def test_steps_of_a_force_field_are_counted_by_themselves(tmp_path):
    learned = b' <structure>\n </structure>\n <energy>\n  <i name="e_fr_energy"> -1.0 </i>\n </energy>\n'
    content = writers.vasprun(writers.Run(incar={"ML_LMLFF": "T"}))
    at = content.index(b' <structure name="finalpos"')
    reading = read(tmp_path, content[:at] + 2 * learned + content[at:])
    assert reading.n_machine_learned_steps == 2
    assert [step.energy for step in reading.steps] == [writers.Step().energy]


def test_words_in_the_system_line_are_no_elements(tmp_path):
    content = writers.vasprun(writers.Run()).replace(b"a &lt;calculation&gt; of nothing", b"<calculation> </modeling>")
    reading = read(tmp_path, content)
    assert reading.complete
    assert len(reading.steps) == 1


def test_the_last_step_of_a_file_whose_end_was_lost_survives(tmp_path):
    content = writers.vasprun(writers.Run(extra_kib=50))
    reading = read(tmp_path, content[: content.index(b"<eigenvalues>") + 20_000])
    assert not reading.complete
    assert "after its energy" in reading.cut
    assert reading.steps[0].energy == writers.Step().energy


def test_an_unfinished_electronic_loop_gives_no_energy(tmp_path):
    steps = (writers.shifted(-20.0), writers.Step(closed=False))
    content = writers.vasprun(writers.Run(steps=steps))
    reading = read(tmp_path, content[: content.index(b' <structure name="finalpos"')])
    assert len(reading.steps) == 1
    assert reading.unfinished_electronic_steps == 3
    assert "ionic step 2" in reading.cut


def test_asterisks_are_no_number(tmp_path):
    content = writers.vasprun(writers.Run(version="5.4.4"))
    at = content.rindex(b'<i name="e_fr_energy">')
    broken = content[:at] + b'<i name="e_fr_energy">****************</i>' + content[content.index(b"\n", at) :]
    reading = read(tmp_path, broken)
    assert reading.steps[0].free_energy is None


def test_a_file_written_by_several_processes_is_refused(tmp_path):
    content = writers.vasprun(writers.Run(steps=(writers.Step(), writers.Step())))
    first = content.index(b" <calculation>")
    tangled = content[: first + 600] + content[first:]
    reading = read(tmp_path, tangled)
    assert reading.steps == ()
    assert "tangle" in reading.problems[0]


def test_elements_that_vasp_garbles_come_from_the_title(tmp_path):
    run = writers.Run(species=(("X", 2, "PAW_PBE Xe 07Sep2000"), ("r", 2, "PAW_PBE Zr_sv 04Jan2005")))
    assert read(tmp_path, writers.vasprun(run)).symbols == ("Xe", "Xe", "Zr", "Zr")


@pytest.mark.parametrize(
    "line", [b'<i name="NSW"> 5</i>', b'<i type="int" name="NSW">     5</i>', b'<v type="int" name="NSW"> 5 </v>']
)
def test_tags_of_every_form(line):
    assert items(line) == {"NSW": "5"}
