"""Problems of a run: each rule by itself, each way a run can look converged and not be."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import vasp_writers as writers

from nanoslab.errors import FileError
from nanoslab.vasp import read_run, read_trajectory
from nanoslab.vasp.runs.failure_messages import FAILURES, failure_problems
from nanoslab.vasp.runs.problems import RULES

LARGE = np.array([[0.5, 0.0, 0.0], [0.0] * 3, [0.0] * 3, [0.0, 0.0, -0.5]])


def read(tmp_path, run, *, kinds=("vasprun", "OUTCAR"), **files):
    if "vasprun" in kinds:
        (tmp_path / "vasprun.xml").write_bytes(writers.vasprun(run))
    if "OUTCAR" in kinds:
        (tmp_path / "OUTCAR").write_bytes(writers.outcar(run))
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return read_run(tmp_path)


@pytest.mark.parametrize("kinds", [("vasprun",), ("OUTCAR",), ("vasprun", "OUTCAR")])
def test_a_good_relaxation_is_converged(tmp_path, kinds):
    run = read(tmp_path, writers.Run(steps=(writers.shifted(-20.0), writers.Step())), kinds=kinds)
    assert run.converged
    assert run.problems == ()
    assert run.max_free_force == pytest.approx(0.003, abs=1e-6)
    assert (run.electronic_converged, run.ionic_converged, run.complete) == (True, True, True)


@pytest.mark.parametrize("kinds", [("vasprun",), ("OUTCAR",)])
def test_nelm_reached_is_unconverged_though_outcar_says_ediff_is_reached(tmp_path, kinds):
    step = writers.shifted(-20.0, n=8, last_change=4.8e-3)
    run = read(tmp_path, writers.Run(steps=(step,), tags={"NELM": "8", "NSW": "0"}), kinds=kinds)
    assert run.electronic_converged is False
    assert not run.converged
    assert "electrons not converged in ionic step 1 of 1: last change 4.8e-03 eV after 8 steps" in run.problems[0]
    assert run.energy == step.energy


def test_convergence_exactly_at_nelm_counts(tmp_path):
    step = writers.shifted(-20.0, n=8, last_change=9e-6)
    assert read(tmp_path, writers.Run(steps=(step,), tags={"NELM": "8"})).electronic_converged is True


def test_an_unconverged_step_in_the_middle_is_named(tmp_path):
    steps = (writers.shifted(-20.0), writers.shifted(-20.2, n=60, last_change=0.01), writers.Step())
    run = read(tmp_path, writers.Run(steps=steps))
    assert run.electronic_converged is False
    assert "ionic step 2 of 3" in run.problems[0]


def test_an_ediff_below_the_printed_digits_is_not_held_against_the_run(tmp_path):
    step = writers.shifted(-20.0, n=15, last_change=1e-8)
    run = writers.Run(steps=(step,), tags={"EDIFF": "0.00000000", "NELM": "15"})
    assert read(tmp_path, run, kinds=("vasprun",)).electronic_converged is True


def test_fewer_steps_than_nsw_is_not_relaxed_when_forces_are_large(tmp_path):
    run = writers.Run(steps=(writers.Step(), writers.Step(forces=LARGE)), reached=False)
    result = read(tmp_path, run)
    assert result.ionic_converged is False
    assert result.max_free_force == pytest.approx(0.5)
    assert "largest free force 0.500" in result.problems[0]


def test_accuracy_reached_on_the_last_allowed_step_is_relaxed(tmp_path):
    run = writers.Run(steps=(writers.Step(), writers.Step()), tags={"NSW": "2"})
    assert read(tmp_path, run).ionic_converged is True


def test_forces_on_fixed_atoms_do_not_count(tmp_path):
    free = np.array([[False] * 3, [True] * 3, [True] * 3, [True, True, False]])
    cell = np.diag([6.0, 7.0, 20.0])
    run = writers.Run(steps=(writers.Step(), writers.Step(forces=LARGE)), free=free, cell=cell)
    result = read(tmp_path, run)
    assert result.max_free_force == 0.0
    assert result.converged


def test_a_component_is_free_along_its_lattice_vector_on_a_skewed_cell(tmp_path):
    free = np.array([[True, False, True], [False] * 3, [False] * 3, [False] * 3])
    force = 0.3 * writers.CELL[0] / 6.0 + 0.7 * writers.CELL[1] / 7.0
    run = writers.Run(steps=(writers.Step(forces=np.vstack([force, np.zeros((3, 3))])),), free=free)
    # of a sum of lattice vectors the one along the fixed vector drops out
    assert read(tmp_path, run, kinds=("vasprun",)).max_free_force == pytest.approx(0.3, abs=1e-6)


def test_max_free_force_does_not_change_under_rotation(tmp_path):
    rng = np.random.default_rng(3)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    free = rng.random((4, 3)) < 0.5
    forces = rng.normal(size=(4, 3))
    results = []
    for matrix in (np.eye(3), rotation):
        run = writers.Run(cell=writers.CELL @ matrix, steps=(writers.Step(forces=forces @ matrix),), free=free)
        results.append(read(tmp_path, run, kinds=("vasprun",)).max_free_force)
    assert results[0] == pytest.approx(results[1], abs=1e-6)


def test_outcar_alone_with_hidden_fixed_atoms_claims_no_force(tmp_path):
    result = read(tmp_path, writers.Run(steps=(writers.Step(forces=LARGE),), reached=True), kinds=("OUTCAR",))
    assert result.max_free_force is None
    assert result.ionic_converged is True


def test_poscar_tells_outcar_which_atoms_are_fixed(tmp_path):
    free = np.array([[False] * 3, [True] * 3, [True] * 3, [False] * 3])
    run = writers.Run(steps=(writers.Step(forces=LARGE),), free=free)
    result = read(tmp_path, run, kinds=("OUTCAR",), POSCAR=writers.poscar(run))
    assert result.max_free_force == 0.0
    assert result.converged


def test_a_killed_relaxation_is_neither_complete_nor_converged(tmp_path):
    run = writers.Run(steps=(writers.Step(), writers.Step(closed=False)))
    (tmp_path / "OUTCAR").write_bytes(writers.outcar(run, finished=False))
    result = read_run(tmp_path)
    assert not result.complete
    assert not result.converged
    assert result.ionic_converged is False
    assert result.energy == writers.Step().energy


@pytest.mark.parametrize(("change", "relaxed"), [(5e-4, True), (5e-2, False)])
def test_positive_ediffg_judges_the_energy(tmp_path, change, relaxed):
    steps = (writers.shifted(-20.0), writers.shifted(-20.0 - change))
    run = writers.Run(steps=steps, tags={"EDIFFG": "0.001", "NSW": "2"}, reached=False)
    assert read(tmp_path, run, kinds=("vasprun",)).ionic_converged is relaxed


def test_small_forces_do_not_make_up_for_a_stress(tmp_path):
    step = writers.Step(stress_kB=80.0)
    run = writers.Run(steps=(step, step), tags={"ISIF": "3", "NSW": "2"}, reached=False)
    result = read(tmp_path, run)
    assert result.ionic_converged is False
    assert "the stress is not" in result.problems[0]


@pytest.mark.parametrize(("held", "relaxed"), [(".TRUE. .TRUE. .FALSE.", False), ("F F F", True), ("F F", False)])
def test_a_stress_along_a_held_vector_does_not_count(tmp_path, held, relaxed):
    step = writers.Step(stress_kB=80.0)
    tags = {"ISIF": "3", "NSW": "2", "LATTICE_CONSTRAINTS": held}
    result = read(tmp_path, writers.Run(steps=(step, step), tags=tags, reached=False), kinds=("vasprun",))
    assert result.ionic_converged is relaxed


def test_a_static_run_has_no_ionic_convergence(tmp_path):
    run = read(tmp_path, writers.Run(tags={"NSW": "0", "IBRION": "-1"}, steps=(writers.Step(forces=LARGE),)))
    assert run.kind == "static"
    assert run.ionic_converged is None
    assert run.converged


@pytest.mark.parametrize(
    ("tags", "incar", "kind"),
    [
        ({"IBRION": "0"}, {}, "molecular dynamics"),
        ({"IBRION": "6"}, {}, "finite differences"),
        ({"IBRION": "8", "NSW": "1"}, {}, "linear response"),
        ({"IBRION": "3"}, {"IMAGES": "5"}, "image of a chain"),
        ({"NSW": "0"}, {"ALGO": "EVGW0"}, "many-body"),
    ],
)
def test_kinds(tmp_path, tags, incar, kind):
    assert read(tmp_path, writers.Run(tags=tags, incar=incar)).kind == kind


def test_gw_energy_is_not_passed_as_a_result(tmp_path):
    result = read(tmp_path, writers.Run(tags={"NSW": "0"}, incar={"ALGO": "GW0"}))
    assert not result.converged
    assert "GW" in result.problems[0]


def test_a_force_field_run_is_named(tmp_path):
    result = read(tmp_path, writers.Run(tags={"IBRION": "0"}, incar={"ML_LMLFF": "T"}))
    assert not result.converged
    assert "machine-learned" in result.problems[0]


def test_an_absurd_dipole_correction_is_named(tmp_path):
    result = read(tmp_path, writers.Run(steps=(writers.Step(correction=368.4),), tags={"IDIPOL": "3"}))
    assert any("dipole correction of +368.4" in problem for problem in result.problems)


def test_a_small_dipole_correction_is_a_note(tmp_path):
    result = read(tmp_path, writers.Run(steps=(writers.Step(correction=0.02),), tags={"IDIPOL": "3"}))
    assert result.converged
    assert any("+0.0200" in note for note in result.notes)


def test_poscar_in_another_order_than_potcar_is_the_wrong_compound(tmp_path):
    run = writers.Run()
    swapped = replace(run, species=tuple(reversed(run.species)))
    result = read(tmp_path, run, POSCAR=writers.poscar(swapped))
    assert not result.converged
    assert "POSCAR has Se2 Cd2 but POTCAR gives Cd2 Se2" in result.problems[0]


def test_files_of_two_runs_are_told_apart(tmp_path):
    (tmp_path / "vasprun.xml").write_bytes(writers.vasprun(writers.Run()))
    (tmp_path / "OUTCAR").write_bytes(writers.outcar(writers.Run(steps=(writers.shifted(-33.0),))))
    result = read_run(tmp_path)
    assert not result.converged
    assert "not of the same run" in result.problems[0]


def test_zbrent_is_fatal_even_when_the_files_look_finished(tmp_path):
    result = read(tmp_path, writers.Run(), **{"vasp.out": " ZBRENT: fatal error in bracketing\n"})
    assert not result.converged
    assert result.problems[0].startswith("ZBRENT in vasp.out")


def test_a_warning_matters_only_when_the_run_went_wrong(tmp_path):
    warning = {"vasp.out": "BRMIX: very serious problems\n the old and the new charge density differ\n"}
    assert read(tmp_path, writers.Run(), **warning).converged
    bad = writers.Run(steps=(writers.shifted(-20.0, n=60, last_change=0.1),))
    assert any("BRMIX" in problem for problem in read(tmp_path, bad, **warning).problems)


def test_every_known_failure_is_found_by_one_name():
    messages = (
        b"ZBRENT: fatal error in bracketing",
        b"LAPACK: Routine ZPOTRF failed!",
        b"Error EDDDAV: Call to ZHEGV failed. Returncode = 15",
        b"slurmstepd: error: *** JOB 1 CANCELLED DUE TO TIME LIMIT ***",
        b"internal error in subroutine PRICEL (probably precision problem, try to change SYMPREC in INCAR ?)",
    )
    names = ("ZBRENT", "ZPOTRF", "EDDDAV", "time limit", "PRICEL")
    for message, name in zip(messages, names, strict=True):
        found = failure_problems((("log", message),), finished_well=False)
        assert [problem.split(" in log: ")[0] for problem in found] == [name]
    assert len({name for name, *_ in FAILURES}) == len(FAILURES)


def test_every_rule_has_a_sentence_for_its_meaning():
    assert all(rule.__doc__ and rule.__doc__.endswith(".") for rule in RULES)


# --- a file that says two things -------------------------------------------------------------------------------


def changed(tmp_path, name, old, new, count=1):
    """Result of a file of the writers in which a piece of text is another."""
    run = writers.Run(steps=(writers.shifted(-20.0), writers.shifted(-20.01)))
    text = (writers.outcar if name == "OUTCAR" else writers.vasprun)(run)
    assert old in text, old
    before, found, after = text.rpartition(old) if count < 0 else text.partition(old)
    (tmp_path / name).write_bytes(before + found.replace(old, new) + after)
    return read_run(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("OUTCAR", b"energy(sigma->0) =      -20.11", b"energy(sigma->0) =      -20.21"),
        ("OUTCAR", b"TOTEN  =         -20.01", b"TOTEN  =         -20.41"),
        ("vasprun.xml", b'<i name="e_0_energy">    -20.11', b'<i name="e_0_energy">    -20.71'),
    ],
)
def test_an_energy_changed_after_vasp_wrote_it_does_not_fit_the_others(tmp_path, name, old, new):
    result = changed(tmp_path, name, old, new, count=-1)
    assert not result.converged
    assert any("do not fit together" in problem for problem in result.problems)


def test_electrons_that_vasp_did_not_call_converged(tmp_path):
    line = b"aborting loop because EDIFF is reached"
    result = changed(tmp_path, "OUTCAR", line, b"-" * len(line), count=-1)
    assert any("does not say that the electrons" in problem for problem in result.problems)


@pytest.mark.parametrize("first", ["whole", "cut", "cut in its head"])
@pytest.mark.parametrize("name", ["OUTCAR", "vasprun.xml"])
def test_two_runs_in_one_file_are_no_run(tmp_path, name, first):
    write = writers.outcar if name == "OUTCAR" else writers.vasprun
    text, other = write(writers.Run()), write(writers.Run(steps=(writers.shifted(-33.0),)))
    end = {"whole": len(text), "cut": text.rfind(b"FORCE" if name == "OUTCAR" else b"forces"), "cut in its head": 900}
    (tmp_path / name).write_bytes(text[: end[first]] + other)
    result = read_run(tmp_path)
    assert not result.converged
    assert result.problems


def test_a_step_that_was_cut_out_of_the_middle(tmp_path):
    run = writers.Run(steps=tuple(writers.shifted(-20.0 - i / 100) for i in range(4)))
    text = writers.outcar(run)
    second, third = (text.index(f"Iteration {step:6d}(".encode()) for step in (2, 3))
    (tmp_path / "OUTCAR").write_bytes(text[:second] + text[third:])
    assert "OUTCAR is not one whole run: ionic step 3 follows ionic step 1" in read_run(tmp_path).problems


def test_the_last_steps_cut_out_of_an_outcar_show_beside_another_file_only(tmp_path):
    run = writers.Run(steps=tuple(writers.shifted(-20.0 - i / 100) for i in range(3)))
    text = writers.outcar(run)
    energy = b"FREE ENERGIE OF THE ION-ELECTRON SYSTEM"
    ends = [text.index(b"\n", found.end() + 300) for found in re.finditer(energy, text)]
    (tmp_path / "OUTCAR").write_bytes(text[: ends[1]] + text[ends[2] :])
    assert read_run(tmp_path).energy == run.steps[1].energy
    assert read_run(tmp_path).converged  # nothing in the file speaks against it
    (tmp_path / "vasprun.xml").write_bytes(writers.vasprun(run))
    assert any("one of them is not whole" in problem for problem in read_run(tmp_path).problems)


def test_the_last_steps_of_a_vasprun_are_missing(tmp_path):
    moved = writers.Step(positions=writers.POSITIONS + 0.02)
    text = writers.vasprun(writers.Run(steps=(writers.Step(), moved)))
    last = text.rindex(b" <calculation>")
    (tmp_path / "vasprun.xml").write_bytes(text[:last] + text[text.rindex(b"</calculation>") + 15 :])
    assert any("steps are missing" in problem for problem in read_run(tmp_path).problems)


def test_an_outcar_without_its_head(tmp_path):
    text = writers.outcar(writers.Run())
    (tmp_path / "OUTCAR").write_bytes(text[text.index(b" Iteration ") - 60 :])
    assert any("its head is missing" in problem for problem in read_run(tmp_path).problems)


def test_an_oszicar_of_as_many_steps_is_a_witness(tmp_path):
    run = writers.Run()
    (tmp_path / "vasprun.xml").write_bytes(writers.vasprun(run))
    (tmp_path / "OSZICAR").write_bytes(writers.oszicar(writers.Run(steps=(writers.shifted(-33.0),))))
    assert "vasprun.xml and OSZICAR are not of the same run" in read_run(tmp_path).problems[0]
    (tmp_path / "OSZICAR").write_bytes(writers.oszicar(run))
    assert read_run(tmp_path).converged


# --- what a file cannot be asked for ---------------------------------------------------------------------------


def test_more_species_than_vasp_prints_counts_of(tmp_path):
    """With many species VASP cuts the line of counts, so the file does not say which atom is what."""
    text = re.sub(rb"(ions per type = *\d+)[^\n]*", rb"\1", writers.outcar(writers.Run()))
    (tmp_path / "OUTCAR").write_bytes(text)
    result = read_run(tmp_path)
    assert result.energy == writers.Step().energy
    assert result.formula is None
    assert "no file says which element each atom is" in result.notes[-1]
    for use in (result.to_atoms, result.trajectory, lambda: list(read_trajectory(tmp_path))):
        with pytest.raises(FileError, match="the element of each of 4 atoms, got no file that says it"):
            use()
    (tmp_path / "POSCAR").write_text(writers.poscar(writers.Run()))
    assert read_run(tmp_path).to_atoms().get_chemical_formula() == "Cd2Se2"


@pytest.mark.parametrize("word", [b"1.2.3", b"9" * 400, b"1_0"])
def test_a_number_that_is_none_is_not_known(tmp_path, word):
    text = re.sub(rb"(Elapsed time \(sec\): *)\S+", rb"\g<1>" + word, writers.outcar(writers.Run()))
    (tmp_path / "OUTCAR").write_bytes(text)
    result = read_run(tmp_path)
    assert result.elapsed_s is None
    json.dumps(result.to_dict(), allow_nan=False)


def test_a_second_vasprun_that_begins_in_the_k_points_of_the_first(tmp_path):
    text = writers.vasprun(writers.Run())
    cut = text.index(b"0.25000000")
    (tmp_path / "vasprun.xml").write_bytes(text[:cut] + writers.vasprun(writers.Run(steps=(writers.shifted(-33.0),))))
    assert not read_run(tmp_path).converged
