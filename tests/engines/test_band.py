"""Paths between minima: a potential whose saddle is published, symmetry, modes as proof, and kill -9 in the middle."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import mueller_brown
import numpy as np
import pytest
import two_passes
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc100
from ase.calculators import emt
from ase.constraints import FixAtoms, FixCartesian
from ase.optimize import BFGS

from nanoslab.builders.hops import vacancy_hop
from nanoslab.calculation import Calculation, CalculationResult, Role, Settings
from nanoslab.engines import engine
from nanoslab.engines.procedures.modes import frequencies_THz
from nanoslab.engines.run import run_calculation
from nanoslab.errors import InputError

EMT = "ase.calculators.emt:EMT"


@pytest.fixture(autouse=True)
def _trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NANOSLAB_TRUSTED_ENGINES", "mueller_brown:calculator two_passes:tilted two_passes:even")


def compute(
    start: Atoms, folder: Path, name: str = EMT, procedure: str = "band", **parameters: object
) -> CalculationResult:
    calculation = Calculation(
        name="path",
        role=Role(kind="path"),
        atoms=start,
        settings=Settings(source="test", relax="ions", force_tolerance=0.005, max_ionic_steps=400),
        procedure=procedure,
        parameters=parameters,
    )
    return run_calculation(calculation, engine(name), folder)


def at(place: tuple[float, float]) -> Atoms:
    return Atoms("H", positions=[(*place, 0.0)])


def test_the_published_saddle_is_found_from_both_minima(tmp_path: Path) -> None:
    first, second = (at(place) for place in mueller_brown.MINIMA)
    result = compute(
        first,
        tmp_path,
        "mueller_brown:calculator",
        end_positions_A=second.positions.tolist(),
        n_images=11,
        n_modes_atoms=1,
    )
    assert result.converged, result.problems
    energies = mueller_brown.ENERGIES
    assert result.findings["barrier_eV"] == pytest.approx(energies["saddle"] - energies["first"], abs=1e-4)
    assert result.findings["reverse_barrier_eV"] == pytest.approx(energies["saddle"] - energies["second"], abs=1e-4)
    assert result.atoms.positions[0, :2] == pytest.approx(mueller_brown.SADDLE, abs=2e-3)
    assert sum(value < 0 for value in result.findings["saddle_frequencies_THz"]) == 1


def test_the_dimer_finds_the_same_saddle_from_one_side(tmp_path: Path) -> None:
    result = compute(
        at(mueller_brown.MINIMA[0]),
        tmp_path,
        "mueller_brown:calculator",
        procedure="dimer",
        direction_A=[[-0.1, -0.3, 0.0]],
        vibrating_atoms=[0],
    )
    assert result.converged, result.problems
    energies = mueller_brown.ENERGIES
    assert result.findings["barrier_eV"] == pytest.approx(energies["saddle"] - energies["first"], abs=1e-3)


def test_a_minimum_on_the_way_is_said(tmp_path: Path) -> None:
    first, second = (at(place) for place in mueller_brown.MINIMA)
    result = compute(
        first, tmp_path, "mueller_brown:calculator", end_positions_A=second.positions.tolist(), n_images=15
    )
    assert any("a minimum between the ends" in problem for problem in result.problems)


@pytest.mark.parametrize(("side", "expected"), list(zip((1, -1), two_passes.passes(0.05), strict=True)))
def test_a_path_that_begins_through_a_structure_takes_the_pass_on_its_side(
    side: int, expected: float, tmp_path: Path
) -> None:
    way = {"end_positions_A": [[-1, 0, 0]], "via_positions_A": [[0, 0.9 * side, 0]], "n_images": 7}
    result = compute(at((1, 0)), tmp_path, "two_passes:tilted", **way, n_modes_atoms=1)
    assert result.converged, result.problems
    assert result.findings["barrier_eV"] == pytest.approx(expected, abs=1e-3)


def test_a_path_on_a_line_of_symmetry_is_told_and_rattled_off_it(tmp_path: Path) -> None:
    way = {"end_positions_A": [[-1, 0, 0]], "n_images": 5, "n_modes_atoms": 1}
    stuck = compute(at((1, 0)), tmp_path / "stuck", "two_passes:even", **way)
    assert any("2 imaginary modes, a saddle has one: rattle" in problem for problem in stuck.problems)
    assert stuck.findings["barrier_eV"] == pytest.approx(1.0, abs=1e-3)
    free = compute(at((1, 0)), tmp_path / "free", "two_passes:even", **way, rattle_A=0.1)
    assert free.converged, free.problems
    assert free.findings["barrier_eV"] == pytest.approx(two_passes.passes()[0], abs=1e-3)


def test_frequencies_of_a_free_molecule_leave_its_rigid_motions_out() -> None:
    molecule = Atoms("CO", positions=[[0, 0, 0], [0.3, 0.4, 1.0]])
    molecule.calc = emt.EMT()
    BFGS(molecule, logfile=None).run(fmax=1e-6)
    (found,) = frequencies_THz(molecule, np.array([0, 1]))
    # the stiffness of the bond along itself, with the reduced mass
    way = molecule.positions[1] - molecule.positions[0]
    way /= np.linalg.norm(way)
    forces = []
    for step in (1e-3, -1e-3):
        stretched = molecule.copy()
        stretched.positions[1] += step * way
        stretched.calc = emt.EMT()
        forces.append(stretched.get_forces()[1] @ way)
    stiffness = (forces[1] - forces[0]) / 2e-3
    reduced = 1 / (1 / molecule.get_masses()).sum()
    assert found == pytest.approx(98.2269 / (2 * np.pi) * np.sqrt(stiffness / reduced), rel=1e-3)
    crystal = bulk("Al", cubic=True)
    crystal.calc = emt.EMT()
    assert len(frequencies_THz(crystal, np.arange(4))) == 9  # a crystal keeps its rotations


def test_frequencies_of_springs_are_exact() -> None:
    # two atoms held by the spring 2 eV/Å² along z of the potential: omega = sqrt(k / m)
    atoms = at(mueller_brown.MINIMA[0])
    atoms.calc = mueller_brown.MuellerBrown()
    found = frequencies_THz(atoms, np.array([0]))
    # sqrt(eV / (Å² u)) is 98.2269 rad/ps
    assert np.abs(found - 98.2269 / (2 * np.pi) * np.sqrt(2 / atoms.get_masses()[0])).min() < 1e-3


def hop() -> tuple[Atoms, Atoms]:
    crystal = bulk("Al", cubic=True).repeat(2)
    crystal.rotate(20, "x", rotate_cell=True)
    nearest = int(np.argmin(np.delete(crystal.get_distances(0, range(len(crystal)), mic=True), 0))) + 1
    return vacancy_hop(crystal, 0, nearest)


@pytest.fixture(scope="module")
def aluminium(tmp_path_factory: pytest.TempPathFactory) -> CalculationResult:
    start, end = hop()
    folder = tmp_path_factory.mktemp("aluminium")
    return compute(start, folder, end_positions_A=end.positions.tolist(), n_images=3, n_modes_atoms=1)


def test_a_vacancy_hops_as_easily_there_as_back(aluminium: CalculationResult) -> None:
    findings = aluminium.findings
    assert aluminium.converged, aluminium.problems
    assert findings["barrier_eV"] == pytest.approx(findings["reverse_barrier_eV"], abs=1e-6)
    assert findings["reaction_energy_eV"] == pytest.approx(0.0, abs=1e-6)
    assert findings["energies_eV"] == pytest.approx(findings["energies_eV"][::-1], abs=1e-4)
    assert findings["start_frequencies_THz"] == pytest.approx(findings["end_frequencies_THz"], rel=1e-4)
    assert min(findings["start_frequencies_THz"]) > 0 > min(findings["saddle_frequencies_THz"])


DRIVER = """
import sys
from pathlib import Path
from typing import Any
sys.path[:0] = {paths!r}
from test_band import compute, hop
start, end = hop()
compute(start, Path(sys.argv[1]), end_positions_A=end.positions.tolist(), n_images=3, n_modes_atoms=1)
"""


def test_kill_minus_nine_in_the_middle_of_a_band_changes_nothing(tmp_path: Path, aluminium: CalculationResult) -> None:
    script = DRIVER.format(paths=[str(Path(__file__).parent), *sys.path])
    for lines in (10, 40, 80):
        process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
        journal = tmp_path / "journal.jsonl"
        deadline = time.monotonic() + 100
        while time.monotonic() < deadline and process.poll() is None:
            if journal.is_file() and journal.read_bytes().count(b"\n") >= lines:
                os.kill(process.pid, signal.SIGKILL)
            time.sleep(0.01)
        assert process.wait() == -signal.SIGKILL
    start, end = hop()
    result = compute(start, tmp_path, end_positions_A=end.positions.tolist(), n_images=3, n_modes_atoms=1)
    assert result.findings == aluminium.findings
    assert np.array_equal(result.atoms.positions, aluminium.atoms.positions)


def test_fixed_atoms_stay_on_every_image(tmp_path: Path) -> None:
    start, end = hop()
    far = int(np.argmax(start.get_distances(0, range(len(start)), mic=True)))
    start.set_constraint(FixAtoms([far]))
    result = compute(start, tmp_path, end_positions_A=end.positions.tolist(), n_images=1)
    for positions in result.findings["image_positions_A"]:
        assert positions[far] == pytest.approx(start.positions[far], abs=1e-12)


def test_ends_that_relax_to_one_structure_are_refused(tmp_path: Path) -> None:
    start, _ = hop()
    with pytest.raises(InputError, match="another minimum than the start's"):
        compute(start, tmp_path, end_positions_A=(start.positions + 0.01).tolist(), n_images=3)


def test_gold_crosses_aluminium_over_the_bridge(tmp_path: Path) -> None:
    """Au on Al(001) by EMT, ASE's textbook case: the saddle is the bridge site, which symmetry alone gives exactly."""

    def relaxed(shift: float, held: list[Any]) -> Atoms:
        slab = fcc100("Al", size=(2, 2, 3), vacuum=6.0)
        add_adsorbate(slab, "Au", 1.7, "hollow")
        slab.positions[-1, 0] += shift * slab.cell[0, 0] / 2
        slab.pbc = True
        slab.set_constraint([FixAtoms(mask=[atom.tag > 1 for atom in slab]), *held])
        slab.calc = emt.EMT()
        BFGS(slab, logfile=None).run(fmax=0.001)
        return slab

    start, end = relaxed(0.0, []), relaxed(1.0, [])
    bridge = relaxed(0.5, [FixCartesian(12, (True, False, False))])
    exact = bridge.get_potential_energy() - start.get_potential_energy()
    result = compute(start, tmp_path, end_positions_A=end.positions.tolist(), n_images=3)
    assert result.findings["barrier_eV"] == pytest.approx(exact, abs=2e-3)
    assert exact == pytest.approx(0.37, abs=0.03)
