"""An isolated atom that is not in its ground state is said to be none: its energy is the chemical potential."""

import numpy as np
import pytest

from nanoslab.vasp.runs.parsed_file import Frame, IonicStep, ParsedFile
from nanoslab.vasp.runs.parsed_run import ParsedRun
from nanoslab.vasp.runs.problems import isolated_atom


def run(element="Se", moment=(2.0,), *, entropy=0.0, edge=15.0, n_atoms=1, spin="2"):
    step = IonicStep(free_energy=-0.8 - entropy, energy=-0.8 - entropy / 2, n_electronic_steps=9, energy_change=1e-7)
    frame = Frame(lattice=np.eye(3) * edge, scaled_positions=np.zeros((n_atoms, 3)))
    file = ParsedFile(
        file="OUTCAR",
        potentials=((element, f"PAW_PBE {element}"),),
        counts=(n_atoms,),
        steps=(step,),
        final=frame,
        parameters={"ISPIN": spin},
        magnetization=moment,
    )
    return ParsedRun(outputs=(file,))


@pytest.mark.parametrize(
    "ground_state",
    [
        run(),
        run(moment=(-2.0,)),
        run(moment=None),
        run("Cd", (0.0,)),
        run("Cd", None, spin="1"),
        run("Pb"),
        run("H", (1.0,)),
    ],
)
def test_hunds_ground_state_is_no_problem(ground_state):
    assert isolated_atom(ground_state) is None


def test_an_atom_without_spin_is_not_the_atom_that_leaves():
    assert isolated_atom(run(moment=None, spin="1")) == (
        "isolated Se with 0.00 unpaired electrons: by Hund's rule its ground state has 2"
    )
    assert "1.33 unpaired" in isolated_atom(run(moment=(1.33,)))


def test_a_triplet_whose_last_electron_is_spread_over_three_orbitals_is_not_the_ground_state():
    # one third of an electron in each of three orbitals at a Gaussian width of 0.01 eV: T S = 0.0077 eV
    assert "T S = 0.008 eV" in isolated_atom(run(entropy=0.0077))


def test_crystals_and_molecules_are_left_alone():
    assert isolated_atom(run(moment=(0.0,), edge=4.0)) is None
    assert isolated_atom(run(moment=(0.0,), n_atoms=2)) is None


def test_files_that_tell_no_moment_are_not_accused():
    assert isolated_atom(run(moment=None)) is None
