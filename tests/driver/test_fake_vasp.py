"""The stand-in for VASP: what it writes is read by pymatgen, ASE and us; it fails and stops as VASP does."""

import subprocess
import sys
import time
import warnings
from pathlib import Path

import ase.io
import numpy as np
import pytest

from nanoslab.vasp import read_run

FAKE_VASP = Path(__file__).with_name("fake_vasp.py")

POSCAR = """toy
1.0
11 0 0
0.5 10 0
0 0 16
Cd Se
1 2
Selective dynamics
Cartesian
1.0 1.0 1.0 F F F
3.5 1.1 1.2 T T T
2.2 3.3 1.0 T T F
"""


@pytest.fixture
def run(tmp_path: Path):
    def start(kind: str = "", background: bool = False, step_time: float = 0.0, **tags: str):
        folder = tmp_path / "run"
        folder.mkdir(exist_ok=True)
        (folder / "POSCAR").write_text(POSCAR)
        known = {"ENCUT": "300", "EDIFF": "1E-6", "EDIFFG": "-0.001", "NSW": "60", "IBRION": "2", "NELM": "40"}
        lines = [f"{name} = {value}\n" for name, value in {**known, **tags}.items()]
        (folder / "INCAR").write_text("".join(lines))
        (folder / "KPOINTS").write_text("mesh\n0\nGamma\n1 1 1\n0 0 0\n")
        (tmp_path / "control.json").write_text(f'{{"run": {{"fail": "{kind}", "step_time": {step_time}}}}}')
        command = [sys.executable, str(FAKE_VASP), "--control", str(tmp_path / "control.json")]
        if background:
            return folder, subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
        return folder, done

    return start


def test_everybody_reads_the_same_energy_and_forces(run) -> None:
    folder, done = run()
    assert done.returncode == 0
    ours = read_run(folder)
    assert (ours.complete, ours.electronic_converged, ours.ionic_converged, ours.problems) == (True, True, True, ())
    frames = ase.io.read(folder / "vasprun.xml", ":")
    other = ase.io.read(folder / "OUTCAR", ":")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pymatgen.io.vasp import Oszicar, Outcar, Vasprun

        theirs, outcar, oszicar = (
            Vasprun(folder / "vasprun.xml"),
            Outcar(folder / "OUTCAR"),
            Oszicar(folder / "OSZICAR"),
        )
    assert theirs.converged
    energies = [ours.energy, frames[-1].get_potential_energy(), other[-1].get_potential_energy()]
    energies += [float(theirs.final_energy), outcar.final_energy, float(oszicar.final_energy)]
    assert np.ptp(energies) < 2e-8
    assert len(frames) == len(other) == len(theirs.ionic_steps) == ours.n_ionic_steps
    assert np.allclose(frames[-1].get_forces(apply_constraint=False), theirs.ionic_steps[-1]["forces"])


def test_its_forces_are_the_slope_of_its_energy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FAKE_VASP.parent))
    from fake_vasp import energy_and_forces, read_poscar

    (tmp_path / "POSCAR").write_text(POSCAR)
    poscar = read_poscar(tmp_path / "POSCAR")
    _, forces = energy_and_forces(poscar, poscar.positions)
    step = 1e-5
    for atom, axis in ((1, 0), (2, 1), (0, 2)):
        moved = [poscar.positions.copy(), poscar.positions.copy()]
        moved[0][atom, axis] -= step
        moved[1][atom, axis] += step
        slope = (energy_and_forces(poscar, moved[1])[0] - energy_and_forces(poscar, moved[0])[0]) / (2 * step)
        assert forces[atom, axis] == pytest.approx(-slope, abs=1e-6)


def test_the_fixed_atom_stays_and_the_final_structure_is_in_contcar(run) -> None:
    folder, _ = run()
    final = ase.io.read(folder / "CONTCAR", format="vasp")
    assert np.allclose(final.positions[0], [1, 1, 1])
    assert final.positions[2, 2] == pytest.approx(1.0)


def test_a_stopcar_ends_it_after_the_ionic_step(run) -> None:
    folder, process = run(background=True, step_time=0.3)
    while not (folder / "OSZICAR").exists() or "F=" not in (folder / "OSZICAR").read_text():
        time.sleep(0.02)
    (folder / "STOPCAR").write_text("LSTOP = .TRUE.\n")
    assert process.wait(20) == 0
    assert not (folder / "STOPCAR").exists()
    ours = read_run(folder)
    assert ours.complete
    assert ours.ionic_converged is False


@pytest.mark.parametrize(
    ("kind", "word"),
    [("non-hermitian", "ZHEGV"), ("zbrent", "ZBRENT"), ("nelm", "lectron"), ("silent-crash", "not finished")],
)
def test_it_fails_as_vasp_fails_and_our_reader_says_how(run, kind: str, word: str) -> None:
    folder, done = run(kind)
    said = " ".join(read_run(folder).problems) + done.stdout
    assert word in said
    assert not read_run(folder).converged


@pytest.mark.parametrize(
    ("kind", "tags"),
    [("non-hermitian", {"ALGO": "All"}), ("zbrent", {"NELMIN": "8"}), ("nelm", {"ALGO": "All"})],
)
def test_the_known_remedy_helps(run, kind: str, tags: dict[str, str]) -> None:
    folder, done = run(kind, **tags)
    assert done.returncode == 0
    assert read_run(folder).converged


def test_a_kill_between_two_writes_leaves_cut_files(run) -> None:
    folder, done = run("killed-mid-write")
    assert done.returncode == -9
    assert not (folder / "vasprun.xml").read_text().endswith("</modeling>\n")
    folder, done = run("empty-contcar")
    assert (folder / "CONTCAR").read_text() == ""
