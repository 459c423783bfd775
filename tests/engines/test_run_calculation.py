"""One calculation: relaxed right, resumed from any cut of its journal to the same bytes, never taken for another."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms, FixCartesian
from ase.eos import EquationOfState
from ase.md.verlet import VelocityVerlet

from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.engines import Limits, engine, read_result, run_calculation
from nanoslab.engines.interface import Ended, Task
from nanoslab.engines.journal import WallTimeReachedError
from nanoslab.engines.procedures import PROCEDURES
from nanoslab.engines.result_files import FINAL, JOURNAL, RESULT, TRAJECTORY
from nanoslab.engines.run import start_from
from nanoslab.errors import EngineError, FileError
from nanoslab.slab_geometry import sheet_stress

EMT_ENGINE = "ase.calculators.emt:EMT"
#: ASE's own EMT sums neighbours in the order of an earlier step, so its last digit depends on its past
FRESH_EMT = "calculators:SlowEMT"
SETTINGS = Settings(source="test", force_tolerance=0.01)


@pytest.fixture(autouse=True)
def _calculators_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def rough_sheet() -> Atoms:
    sheet = fcc111("Cu", (2, 2, 3), vacuum=7.0, periodic=True)
    sheet.rattle(0.08, seed=1)
    return sheet


def calculation(atoms: Atoms, **changes: Any) -> Calculation:
    given = {"name": "sheet", "role": Role(kind="pristine"), "settings": SETTINGS, **changes}
    return Calculation(atoms=atoms, **given)


def files(folder: Path) -> dict[str, Any]:
    record = json.loads((folder / RESULT).read_text())
    del record["wall_time_s"]
    return {"record": record, **{name: (folder / name).read_bytes() for name in (FINAL, TRAJECTORY)}}


def test_a_relaxation_ends_below_the_tolerance_and_leaves_its_input_alone(tmp_path: Path) -> None:
    sheet = rough_sheet()
    before = sheet.positions.copy()
    result = run_calculation(calculation(sheet), engine(EMT_ENGINE), tmp_path)
    assert result.converged
    assert result.max_free_force is not None
    assert result.max_free_force < 0.01
    np.testing.assert_array_equal(sheet.positions, before)
    final = result.atoms
    assert final is not None
    final.calc = EMT()
    assert final.get_potential_energy() == pytest.approx(result.energy, abs=1e-6)  # 8 decimals in the file


def test_a_trial_step_that_the_engine_refuses_does_not_end_a_relaxation(tmp_path: Path) -> None:
    plain = run_calculation(calculation(rough_sheet()), engine(EMT_ENGINE), tmp_path / "plain")
    result = run_calculation(calculation(rough_sheet()), engine("calculators:RefusesOne"), tmp_path / "refused")
    assert result.converged
    assert result.energy == pytest.approx(plain.energy, abs=1e-3)
    assert json.loads((tmp_path / "refused" / RESULT).read_text())["optimiser"] == "FIRE"


def test_a_relaxed_cell_is_the_minimum_of_the_equation_of_state(tmp_path: Path) -> None:
    settings = Settings(source="test", relax="cell", force_tolerance=1e-4)
    result = run_calculation(calculation(bulk("Cu", a=3.75), settings=settings), engine(EMT_ENGINE), tmp_path)
    volumes, energies = [], []
    for a in np.linspace(3.5, 3.7, 9):
        copper = bulk("Cu", a=a)
        copper.calc = EMT()
        volumes.append(copper.get_volume())
        energies.append(copper.get_potential_energy())
    minimum, energy, _ = EquationOfState(volumes, energies).fit()
    assert result.atoms is not None
    assert result.atoms.get_volume() == pytest.approx(minimum, rel=2e-3)  # the fit's own error
    assert result.energy == pytest.approx(energy, abs=1e-3)


def test_the_cell_of_a_sheet_relaxes_in_its_plane_alone(tmp_path: Path) -> None:
    """A hexagonal sheet strained by 2 % finds its in-plane minimum; the vacuum stays."""
    sheet = fcc111("Cu", (1, 1, 3), vacuum=7.0, periodic=True)
    strained = sheet.copy()
    strained.set_cell(sheet.cell.array * [1.02, 1.02, 1], scale_atoms=True)
    settings = Settings(source="test", relax="cell", force_tolerance=1e-3)
    energies = {}
    for name, start in (("sheet", sheet), ("strained", strained)):
        result = run_calculation(calculation(start, settings=settings, name=name), engine(EMT_ENGINE), tmp_path / name)
        assert result.converged
        assert result.atoms is not None
        assert result.atoms.cell[2, 2] == pytest.approx(start.cell[2, 2])
        energies[name] = result.energy, result.atoms.cell.lengths()[:2]
    assert energies["sheet"][0] == pytest.approx(energies["strained"][0], abs=1e-4)
    np.testing.assert_allclose(energies["sheet"][1], energies["strained"][1], atol=1e-3)
    assert abs(energies["strained"][1][0] / strained.cell.lengths()[0] - 1) > 0.01


@pytest.mark.parametrize("repeat", [1, 3])
def test_the_lattice_of_a_sheet_is_judged_by_its_stress_whatever_the_size_of_the_cell(
    tmp_path: Path, repeat: int
) -> None:
    """Loose forces do not end it: three planes without a force on any atom, their plane strained by 0.3 %."""
    sheet = fcc111("Cu", (repeat, repeat, 3), vacuum=7.0, periodic=True)
    tight = Settings(source="test", relax="cell", force_tolerance=1e-3)
    at_rest = run_calculation(calculation(sheet, settings=tight), engine(EMT_ENGINE), tmp_path / "rest").atoms
    assert at_rest is not None
    assert np.abs(sheet_stress(at_rest)).max() < 0.5
    strained = at_rest.copy()
    strained.set_cell(at_rest.cell.array * [1.003, 1.003, 1], scale_atoms=True)
    loose = replace(tight, force_tolerance=0.2)
    result = run_calculation(calculation(strained, settings=loose), engine(EMT_ENGINE), tmp_path / "loose")
    assert result.converged
    assert result.atoms is not None
    assert result.atoms.cell.lengths()[0] == pytest.approx(at_rest.cell.lengths()[0], rel=5e-4)


def test_fixed_atoms_and_fixed_components_stay(tmp_path: Path) -> None:
    sheet = rough_sheet()
    sheet.set_constraint([FixAtoms([0, 1]), FixCartesian([5], mask=(True, True, False))])
    result = run_calculation(calculation(sheet), engine(EMT_ENGINE), tmp_path)
    assert result.atoms is not None
    moved = result.atoms.positions - sheet.positions
    assert abs(moved[:2]).max() < 1e-8
    assert abs(moved[5, :2]).max() < 1e-8
    assert abs(moved[5, 2]) > 1e-3


def test_a_single_energy_moves_nothing(tmp_path: Path) -> None:
    settings = Settings(source="test", relax="none")
    sheet = rough_sheet()
    result = run_calculation(calculation(sheet, settings=settings), engine(EMT_ENGINE), tmp_path)
    assert result.converged
    assert result.atoms is not None
    np.testing.assert_allclose(result.atoms.positions, sheet.positions, atol=1e-8)


def test_any_cut_of_the_journal_resumes_to_the_same_bytes(tmp_path: Path) -> None:
    """The state of a killed run is a journal cut at any byte; the end must not depend on where."""
    whole = tmp_path / "whole"
    journals = []

    def keep(step: int, force: float) -> None:
        journals.append((whole / JOURNAL).read_bytes())

    run_calculation(calculation(rough_sheet()), engine(FRESH_EMT), whole, on_step=keep)
    journal = journals[-1]
    assert journal.count(b"\n") > 8
    rng = np.random.default_rng(0)
    cuts = [0, 1, journal.index(b"\n"), journal.index(b"\n") + 1, len(journal) - 1, len(journal)]
    for cut in [*cuts, *rng.integers(1, len(journal), 4).tolist()]:
        folder = tmp_path / str(cut)
        folder.mkdir(exist_ok=True)
        (folder / JOURNAL).write_bytes(journal[:cut])
        run_calculation(calculation(rough_sheet()), engine(FRESH_EMT), folder)
        assert files(folder) == files(whole), cut
        assert not (folder / JOURNAL).exists()


def test_a_journal_that_leaves_the_path_is_used_up_to_there(tmp_path: Path) -> None:
    """Another version of the optimiser would ask for other positions; what was computed for them must not answer."""
    clean, used = tmp_path / "clean", tmp_path / "used"
    journals = []

    def keep(step: int, force: float) -> None:
        journals.append((clean / JOURNAL).read_text())

    run_calculation(calculation(rough_sheet()), engine(FRESH_EMT), clean, on_step=keep)
    lines = journals[-1].splitlines()
    foreign = json.loads(lines[4])
    foreign["positions"][0][0] += 0.01
    foreign["energy"] -= 1.0
    used.mkdir()
    (used / JOURNAL).write_text("\n".join([*lines[:4], json.dumps(foreign), *lines[5:]]) + "\n")
    run_calculation(calculation(rough_sheet()), engine(FRESH_EMT), used)
    assert files(clean) == files(used)


def test_a_journal_of_another_structure_is_not_used(tmp_path: Path) -> None:
    clean, used = tmp_path / "clean", tmp_path / "used"
    with pytest.raises(WallTimeReachedError):
        run_calculation(calculation(bulk("Ag")), engine(EMT_ENGINE), used, limits=Limits(deadline=0.0))
    for folder in (clean, used):
        run_calculation(calculation(rough_sheet()), engine(EMT_ENGINE), folder)
    assert files(clean) == files(used)


def test_the_wall_time_stops_between_two_steps_and_the_next_call_goes_on(tmp_path: Path) -> None:
    clean, stopped = tmp_path / "clean", tmp_path / "stopped"
    run_calculation(calculation(rough_sheet()), engine(FRESH_EMT), clean)
    seen: list[int] = []

    def slow(step: int, force: float) -> None:
        assert force >= 0
        seen.append(step)
        time.sleep(0.05)

    with pytest.raises(WallTimeReachedError):
        run_calculation(
            calculation(rough_sheet()),
            engine(FRESH_EMT),
            stopped,
            limits=Limits(deadline=time.time() + 0.15),
            on_step=slow,
        )
    assert 1 <= len(seen) < 9
    assert not (stopped / RESULT).exists()
    run_calculation(calculation(rough_sheet()), engine(FRESH_EMT), stopped)
    assert files(clean) == files(stopped)


def drop(atoms: Atoms, task: Task) -> Ended:
    """Atoms kicked upwards, followed for a few steps."""
    momenta = np.zeros((len(atoms), 3))
    momenta[task.calculation.parameters["atom"], 2] = 5.0
    atoms.set_momenta(momenta)
    dynamics = VelocityVerlet(atoms, timestep=2.0)
    dynamics.attach(task.on_step, atoms=atoms)
    dynamics.run(6)
    return Ended(atoms=atoms, n_steps=6, optimiser="Verlet", findings={"height_A": float(atoms.positions[:, 2].max())})


def test_another_procedure_resumes_and_its_findings_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROCEDURES, "drop", drop)
    kicked = calculation(rough_sheet(), procedure="drop", parameters={"atom": 11})

    def stop(step: int, force: float) -> None:
        if step == 3:
            raise KeyboardInterrupt

    whole = run_calculation(kicked, engine(FRESH_EMT), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run_calculation(kicked, engine(FRESH_EMT), tmp_path / "cut", on_step=stop)
    assert run_calculation(kicked, engine(FRESH_EMT), tmp_path / "cut").findings == whole.findings
    assert files(tmp_path / "cut") == files(tmp_path / "whole")
    assert whole.converged
    assert whole.findings["height_A"] > rough_sheet().positions[:, 2].max() + 0.1
    other = replace(kicked, parameters={"atom": 3})
    with pytest.raises(EngineError, match="move that folder away"):
        run_calculation(other, engine(FRESH_EMT), tmp_path / "whole")


def test_an_unknown_procedure_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"procedure that it has \(relax, single, .*displacement.*\), got swim"):
        run_calculation(calculation(rough_sheet(), procedure="swim"), engine(EMT_ENGINE), tmp_path)


def test_a_finished_calculation_is_not_computed_again(tmp_path: Path) -> None:
    run_calculation(calculation(rough_sheet()), engine(EMT_ENGINE), tmp_path)
    before = (tmp_path / RESULT).stat().st_mtime_ns
    run_calculation(calculation(rough_sheet()), engine(EMT_ENGINE), tmp_path, limits=Limits(deadline=0.0))
    assert (tmp_path / RESULT).stat().st_mtime_ns == before


def test_a_result_of_another_input_is_refused(tmp_path: Path) -> None:
    run_calculation(calculation(rough_sheet()), engine(EMT_ENGINE), tmp_path)
    other = Settings(source="test", force_tolerance=0.02)
    with pytest.raises(EngineError, match="move that folder away"):
        run_calculation(calculation(rough_sheet(), settings=other), engine(EMT_ENGINE), tmp_path)


def test_too_few_steps_is_a_result_that_says_so(tmp_path: Path) -> None:
    result = run_calculation(calculation(rough_sheet()), engine(EMT_ENGINE), tmp_path, limits=Limits(max_steps=1))
    assert not result.converged
    assert result.energy is not None
    assert "not converged" in result.problems[0]


def test_a_skipped_atom_has_no_energy_and_a_reason(tmp_path: Path) -> None:
    atom = calculation(Atoms("Se", cell=[12] * 3, pbc=True), role=Role(kind="atom"))
    result = run_calculation(atom, engine("chgnet"), tmp_path)
    assert result.energy is None
    assert "atomisation energy" in result.problems[0]


def test_a_vacancy_starts_from_the_relaxed_sheet_with_its_own_constraints() -> None:
    parent = rough_sheet()
    child = parent.copy()
    del child[[3]]
    child.set_constraint(FixAtoms([0]))
    relaxed = parent.copy()
    relaxed.positions += 0.2
    relaxed.cell *= 1.01
    start = start_from(calculation(child, starts_from="sheet", removed_indices=(3,)), relaxed)
    np.testing.assert_array_equal(start.positions, np.delete(relaxed.positions, 3, axis=0))
    np.testing.assert_array_equal(start.cell.array, relaxed.cell.array)
    assert start.constraints[0].index.tolist() == [0]


def test_a_vacancy_of_another_sheet_is_refused() -> None:
    child = Atoms("CdSe")
    with pytest.raises(EngineError, match="removed_indices"):
        start_from(calculation(child, starts_from="sheet", removed_indices=(0,)), Atoms("CdSeCd"))


def test_a_folder_without_results_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="nanoslab run"):
        read_result(tmp_path)


def test_the_level_of_theory_is_led_by_what_the_settings_chose(tmp_path: Path) -> None:
    run_calculation(calculation(rough_sheet()), engine(EMT_ENGINE), tmp_path, limits=Limits(max_steps=1))
    document = json.loads((tmp_path / RESULT).read_text())
    document |= {"level_of_theory": "PAW", "comparable": {"functional": "PBE", "cutoff_energy": 400.0}}
    (tmp_path / RESULT).write_text(json.dumps(document))
    assert read_result(tmp_path).level_of_theory == "PBE, plane waves to 400 eV, PAW"


def test_a_broken_result_file_is_named(tmp_path: Path) -> None:
    (tmp_path / RESULT).write_text("{")
    with pytest.raises(FileError, match="JSON"):
        read_result(tmp_path)
