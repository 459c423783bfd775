"""Layouts of other versions and builds of VASP, and files that only look like a run."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import numpy as np
import pytest
import vasp_writers as writers

from nanoslab.cli.main import main
from nanoslab.errors import FileError
from nanoslab.vasp import read_run
from nanoslab.vasp.runs.find_runs import find_runs
from nanoslab.vasp.runs.read_run import read_files

FORCES, Run, Step, outcar = writers.FORCES, writers.Run, writers.Step, writers.outcar
shifted, vasprun = writers.shifted, writers.vasprun

_STEP = re.compile(
    rb"(  in kB [^\n]*\n.*?)(--------+\n\n  FREE ENERGIE OF THE ION-ELECTRON SYSTEM.*?sigma->0\)[^\n]*\n\n)", re.DOTALL
)


def _as_version_4(run: Run, *, finished: bool = True) -> bytes:
    """The energy of every ionic step before its stress, geometry and forces, with six decimals."""
    text = outcar(run, finished=finished).replace(b" vasp.6.4.2", b" vasp.4.6.36")
    text = _STEP.sub(rb"\2\1", text)
    return re.sub(rb"(free  energy   TOTEN  = +-\d+\.\d{6})\d\d", rb"\1", text)


def _written(folder: Path, text: bytes, name: str = "OUTCAR") -> Path:
    (folder / name).write_bytes(text)
    return folder


def test_version_4_prints_forces_after_the_energy(tmp_path: Path) -> None:
    steps = tuple(Step(forces=FORCES * factor) for factor in (100.0, 10.0, 1.0))
    run = read_run(_written(tmp_path, _as_version_4(Run(steps=steps))))
    assert run.complete
    assert run.n_ionic_steps == 3
    np.testing.assert_allclose(run.final.forces, FORCES, atol=1e-6)
    assert [frame.get_forces(apply_constraint=False).max() for frame in run.trajectory()] == pytest.approx(
        [0.3, 0.03, 0.003], abs=1e-6
    )


@pytest.mark.parametrize("mark", [b"VOLUME and BASIS", b"TOTAL-FORCE", b"total drift"])
def test_version_4_cut_before_the_end_of_the_forces(tmp_path: Path, mark: bytes) -> None:
    text = _as_version_4(Run(steps=(shifted(-20.0), shifted(-21.0))), finished=False)
    run = read_run(_written(tmp_path, text[: text.rfind(mark)]))
    assert not run.complete
    assert run.n_ionic_steps == 1
    assert run.free_energy == -20.0


def test_version_4_cut_anywhere(tmp_path: Path) -> None:
    text = _as_version_4(Run(steps=(shifted(-20.0), shifted(-21.0))))
    ends = [found.end() for found in re.finditer(rb"total drift", text)]
    for at in range(text.find(b"Iteration"), len(text), 41):
        run = read_run(_written(tmp_path, text[:at]))
        assert run.n_ionic_steps == sum(end <= at for end in ends), at
        assert not run.complete, at


def test_energies_with_and_without_a_dispersion_patch(tmp_path: Path) -> None:
    text = outcar(Run())
    text = re.sub(rb"(free  energy   TOTEN  = +\S+ eV)", rb"\1    w/o vdW =       -19.00000000 eV", text)
    text = re.sub(rb"(energy  without entropy=)( +\S+)", rb"\1\2 eV    w/o vdW =       -19.00000000", text)
    text = re.sub(rb"(w/o vdW[^\n]*sigma->0\) = *\S+)", rb"\1 eV    w/o vdW =       -19.00000000", text)
    assert text.count(b"w/o vdW") == 3
    run = read_run(_written(tmp_path, text))
    assert (run.free_energy, run.energy) == (-20.500004, -20.600004)


def test_dispersion_is_not_taken_for_a_dipole(tmp_path: Path) -> None:
    tags = {"IDIPOL": "3"}
    text = outcar(Run(steps=(Step(correction=-38.5),), tags=tags))
    assert any("dipole correction" in problem for problem in read_run(_written(tmp_path, text)).problems)
    text = text.replace(b"  in kB", b"  IVDW         = 11\n  Edisp (eV)  -38.50000\n\n  in kB")
    assert not read_run(_written(tmp_path, text)).problems


def test_long_profile_behind_the_accounting(tmp_path: Path) -> None:
    profile = b"\n PROFILE, used timers:     619\n" + b" rspher     0.000416          12\n" * 3000
    whole = (
        outcar(Run()) + profile + b"Profiling took   0.193204  0.129449 seconds\nProfiling took   0.174592 seconds\n"
    )
    run = read_run(_written(tmp_path, whole))
    assert (run.complete, run.converged, run.elapsed_s) == (True, True, 6.203)
    assert not read_run(_written(tmp_path, whole[:-40])).complete


def test_steps_of_a_force_field_are_counted(tmp_path: Path) -> None:
    text = outcar(Run(tags={"IBRION": "0"}, reached=False))
    learned = b"""
  ML FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)
  ---------------------------------------------------
  free  energy ML TOTEN  =       -24.12708815 eV

  ML energy  without entropy=      -24.12708815  ML energy(sigma->0) =      -24.12708815

"""
    at = text.find(b"     LOOP+")
    run = read_run(_written(tmp_path, text[:at] + 2 * learned + text[at:]))
    assert run.energy == -20.600004
    assert run.problems == (
        "machine-learned force field: 2 steps are its own; the energy is that of the last of 1 first-principles steps",
    )
    start = text.find(b"--------------------------------------- Iteration")
    run = read_run(_written(tmp_path, text[:start] + 2 * learned + text[at:]))
    assert run.energy is None
    assert run.problems == ("no first-principles step: all 2 are of a machine-learned force field",)


def test_two_runs_in_one_file(tmp_path: Path) -> None:
    text = outcar(Run(steps=(shifted(-20.0), shifted(-21.0), shifted(-22.0))))
    assert read_run(_written(tmp_path, text)).converged
    run = read_run(_written(tmp_path, text + outcar(Run())))
    assert not run.converged
    assert "OUTCAR is not one whole run: ionic step 1 follows ionic step 3" in run.problems


def test_energy_criterion_of_the_line_search(tmp_path: Path) -> None:
    tags = {"EDIFFG": "1e-4", "NSW": "50"}
    for change, relaxed in ((0.0015, True), (0.02, False)):
        steps = (shifted(-20.0), shifted(-20.9), shifted(-20.9 - change))
        run = read_run(_written(tmp_path, vasprun(Run(steps=steps, tags=tags)), "vasprun.xml"))
        assert run.ionic_converged is relaxed, change
    # at NSW nothing stopped it
    steps = (shifted(-20.0), shifted(-20.9), shifted(-20.9015))
    run = read_run(_written(tmp_path, vasprun(Run(steps=steps, tags={**tags, "NSW": "3"})), "vasprun.xml"))
    assert run.ionic_converged is False


def test_formula_adds_up_groups_of_one_element(tmp_path: Path) -> None:
    species = (("Ti", 1, "PAW_PBE Ti 08Apr2002"), ("O", 2, "PAW_PBE O 08Apr2002"), ("Ti", 1, "PAW_PBE Ti 08Apr2002"))
    assert read_run(_written(tmp_path, outcar(Run(species=species)))).formula == "Ti2O2"


@pytest.mark.parametrize("name", ["OUTCAR.tar.gz", "vasprun_xmls.tar.xz", ".vasprun.xml.swp", "OUTCAR.py", "OUTCAR~"])
def test_files_that_are_no_run(tmp_path: Path, name: str) -> None:
    (tmp_path / "OUTCAR").write_bytes(outcar(Run()))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).write_bytes(outcar(Run()))
    assert [run.path for run in find_runs([tmp_path])] == [tmp_path]


def test_archive_given_by_name(tmp_path: Path) -> None:
    (tmp_path / "OUTCAR").write_bytes(outcar(Run()))
    with tarfile.open(tmp_path / "OUTCAR.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "OUTCAR", arcname="OUTCAR")
    with pytest.raises(FileError, match="archive"):
        read_run(tmp_path / "OUTCAR.tar.gz")


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("OUTCAR", b"NKPTS =      2", b"NKPTS = " + b"9" * 5000),
        ("OUTCAR", b"NIONS =      4", b"NIONS = " + b"9" * 5000),
        ("OUTCAR", b"ions per type =               2   2", b"ions per type =      999999999 999999999"),
        ("vasprun.xml", b"<c>   2</c><c>Cd", b"<c>" + b"9" * 5000 + b"</c><c>Cd"),
        ("vasprun.xml", b"4        3        1 </v>", b"9" * 5000 + b" 3 1 </v>"),
    ],
)
def test_counts_that_no_run_has(tmp_path: Path, name: str, before: bytes, after: bytes) -> None:
    text = (outcar if name == "OUTCAR" else vasprun)(Run())
    assert text.count(before) == 1
    assert read_run(_written(tmp_path, text.replace(before, after), name)).energy == -20.600004


def test_inputs_with_absurd_counts(tmp_path: Path) -> None:
    _written(tmp_path, outcar(Run()))
    (tmp_path / "POSCAR").write_text("x\n1\n9 0 0\n0 9 0\n0 0 9\nCd\n999999999999\nDirect\n0 0 0\n")
    (tmp_path / "KPOINTS").write_text("x\n0\nG\n" + "9" * 6000 + " 1 1\n")
    run = read_run(tmp_path)
    assert run.energy == -20.600004
    assert run.mesh is None


def test_broken_links_are_rows(tmp_path: Path) -> None:
    for target in ("nowhere", "OUTCAR"):
        folder = tmp_path / target
        folder.mkdir()
        (folder / "OUTCAR").symlink_to(target)
        (folder / "vasp.out").symlink_to("nowhere")
    rows = [read_files(files) for files in find_runs([tmp_path])]
    assert [row.kind for row in rows] == ["unreadable", "unreadable"]
    assert all("expected a readable file" in row.problems[0] for row in rows)


def test_names_that_a_terminal_would_obey(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new\nline\x1b[31m"
    folder.mkdir()
    main(["read", str(_written(folder, outcar(Run())))])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "new\\nline\\x1b[31m" in shown


def test_numbered_folders_that_are_no_chain(tmp_path: Path) -> None:
    """Deformations, shapes or displacements are numbered like the images of a chain."""
    static = Run(tags={"NSW": "0", "IBRION": "-1"}, reached=False)
    texts = (vasprun(Run(incar={"EDIFF": "1e-5"})), outcar(static), vasprun(static))
    for number, text in enumerate(texts):
        (tmp_path / f"{number:02d}").mkdir()
        run = read_run(_written(tmp_path / f"{number:02d}", text, "OUTCAR" if b"TITEL" in text else "vasprun.xml"))
        assert run.kind == ("static" if number else "relaxation")
        assert run.converged
    (tmp_path / "03").mkdir()
    images = Run(tags={"NSW": "9"}, incar={"IMAGES": "3"}, steps=(Step(forces=100 * FORCES),))
    assert read_run(_written(tmp_path / "03", vasprun(images), "vasprun.xml")).kind == "image of a chain"
