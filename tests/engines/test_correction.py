"""Corrected potentials: exact derivatives, exact recovery, honest errors, nothing outside of the fit."""

from __future__ import annotations

import json
import pickle
from functools import cache
from pathlib import Path
from runpy import run_path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms
from ase.data import covalent_radii
from ase.stress import full_3x3_to_voigt_6_stress

from nanoslab.builders import build_nanosheet, rattle_atoms
from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.engines import engine, engine_of_file, run_calculation
from nanoslab.engines.batch import evaluate
from nanoslab.engines.correction import (
    Correction,
    Point,
    Term,
    find_correction,
    fit_correction,
    read_correction,
    refuse_extrapolation,
    write_correction,
)
from nanoslab.engines.correction.calculator import CorrectedCalculator
from nanoslab.engines.correction.model import CLOSER
from nanoslab.engines.correction.terms import evaluate_terms
from nanoslab.engines.fingerprint import calculation_fingerprint
from nanoslab.errors import EngineError, FileError, InputError
from nanoslab.files import data_folder

TERMS = (
    Term(kind="atoms", species="Cd"),
    Term(kind="atoms", species="Se"),
    Term(kind="missing", species="Cd", complete=4.0),
    Term(kind="missing", species="Se", complete=4.0),
    Term(kind="bonds", species="Cd-Cd"),
    Term(kind="bonds", species="Cd-Se"),
)
LJ = "ase.calculators.lj:LennardJones:sigma=2.4,epsilon=0.3,rc=6.0"


def lennard_jones() -> LennardJones:
    return LennardJones(sigma=2.4, epsilon=0.3, rc=6.0)


def skewed(seed: int, removed: int = 0) -> Atoms:
    """A strained and rattled crystal with some atoms missing: no symmetry, no right angle, bonds in the window."""
    atoms = bulk("CdSe", "zincblende", a=6.9) * (2, 2, 1)
    rng = np.random.default_rng(seed)
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.05 * rng.normal(size=(3, 3))), scale_atoms=True)
    atoms.rattle(0.15, seed=seed)
    del atoms[list(range(removed))]
    return atoms


def energy(atoms: Atoms, positions: np.ndarray, cell: np.ndarray, index: int) -> float:
    moved = atoms.copy()
    moved.set_cell(cell)
    moved.set_positions(positions)
    return float(evaluate_terms(moved, TERMS).values[index])


@pytest.mark.parametrize("index", range(len(TERMS)), ids=[term.name for term in TERMS])
def test_forces_and_stress_are_the_derivatives_of_every_term(index: int) -> None:
    atoms = skewed(3, removed=1)
    found = evaluate_terms(atoms, TERMS)
    step, cell = 1e-5, atoms.cell.array
    for atom in (0, 3):
        for axis in range(3):
            plus, minus = atoms.positions.copy(), atoms.positions.copy()
            plus[atom, axis] += step
            minus[atom, axis] -= step
            slope = (energy(atoms, plus, cell, index) - energy(atoms, minus, cell, index)) / (2 * step)
            assert found.forces[index, atom, axis] == pytest.approx(-slope, abs=1e-6)
    stress = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            strain = np.zeros((3, 3))
            strain[i, j] += step / 2
            strain[j, i] += step / 2
            up, down = np.eye(3) + strain, np.eye(3) - strain
            change = energy(atoms, atoms.positions @ up, cell @ up, index) - energy(
                atoms, atoms.positions @ down, cell @ down, index
            )
            stress[i, j] = change / (2 * step) / atoms.get_volume()
    assert found.stresses[index] == pytest.approx(full_3x3_to_voigt_6_stress(stress), abs=1e-7)


def test_terms_do_not_change_under_translation_rotation_permutation_and_in_a_supercell() -> None:
    atoms = skewed(5)
    values = evaluate_terms(atoms, TERMS).values
    turned = atoms.copy()
    turned.rotate(37, (1, 2, 3), rotate_cell=True)
    turned.positions += (0.3, -1.2, 8.0)
    assert evaluate_terms(turned[::-1], TERMS).values == pytest.approx(values, abs=1e-9)
    assert evaluate_terms(atoms * (2, 1, 1), TERMS).values == pytest.approx(2 * values, abs=1e-9)


def points(n: int, coefficients: dict[Term, float], scale: float) -> list[Point]:
    """Structures whose reference is a Lennard-Jones potential, scaled, plus terms."""
    made = []
    for seed in range(n):
        atoms = skewed(seed, removed=seed % 3)
        atoms.calc = lennard_jones()
        terms = evaluate_terms(atoms, tuple(coefficients))
        weights = np.array(list(coefficients.values()))
        e, f = float(atoms.get_potential_energy()), atoms.get_forces()
        made.append(
            Point(
                name=str(seed),
                atoms=atoms,
                energy=e,
                forces=f,
                reference_energy=(1 + scale) * e + float(weights @ terms.values),
                reference_forces=(1 + scale) * f + np.tensordot(weights, terms.forces, axes=1),
            )
        )
    return made


@cache
def fitted(n: int = 9) -> Correction:
    truth = {TERMS[0]: 0.3, TERMS[1]: -0.8, TERMS[2]: 0.17}
    return fit_correction(
        points(n, truth, 0.25),
        engine="ase.calculators.lj-LennardJones",
        engine_options=engine(LJ).options,
        reference="scaled",
        coordination={"Cd": 4, "Se": 4},
        lone_atoms={"Se": -0.85},
    )


def test_a_fit_finds_the_terms_that_made_its_points() -> None:
    found = fitted()
    assert found.scale == pytest.approx(0.25, abs=1e-6)
    assert {term.name: round(value, 5) for term, value in found.coefficients.items()} == {
        "atoms:Cd": 0.3,
        "atoms:Se": -0.8,
        "missing:Cd": 0.17,
    }
    assert found.error < 1e-6


def test_the_error_is_that_of_structures_left_out_not_of_the_fit() -> None:
    made = points(9, {TERMS[0]: 0.3, TERMS[1]: -0.8}, 0.0)
    noise = np.random.default_rng(1).normal(scale=0.5, size=9)
    noisy = [
        Point(name=p.name, atoms=p.atoms, energy=p.energy, reference_energy=p.reference_energy + shift)
        for p, shift in zip(made, noise, strict=True)
    ]
    found = fit_correction(noisy, engine="lj", reference="noisy", coordination={"Cd": 4, "Se": 4})
    residuals = [(1 + found.scale) * p.energy + found.evaluate(p.atoms).values[0] - p.reference_energy for p in noisy]
    assert found.error > 1.1 * np.sqrt(np.mean(np.square(residuals)))


def test_too_few_points_are_refused() -> None:
    with pytest.raises(InputError, match="enough of them to leave one out"):
        fit_correction(
            points(2, {TERMS[0]: 0.3, TERMS[1]: 0.1}, 0.0)[:1],
            engine="lj",
            reference="x",
            coordination={"Cd": 4, "Se": 4},
        )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_correction(tmp_path / "lj.json", fitted())
    return tmp_path / "lj.json"


def test_a_correction_survives_its_file_and_gives_the_reference_back(file: Path) -> None:
    atoms = points(9, {TERMS[0]: 0.3, TERMS[1]: -0.8, TERMS[2]: 0.17}, 0.25)[4]
    copy = atoms.atoms.copy()
    copy.calc = engine(f"{LJ},corrected={file}").calculator(copy, Settings(source="test"))
    assert copy.get_potential_energy() == pytest.approx(atoms.reference_energy, abs=1e-6)
    assert copy.get_forces() == pytest.approx(atoms.reference_forces, abs=1e-6)


def test_the_engine_travels_to_another_process_and_is_not_touched_by_constraints(file: Path) -> None:
    made = pickle.loads(pickle.dumps(engine(f"{LJ},corrected={file}")))  # noqa: S301
    atoms = skewed(4)
    free = made.calculator(atoms, Settings(source="test")).get_property("forces", atoms)
    atoms.set_constraint(FixAtoms([0, 1]))
    assert made.calculator(atoms, Settings(source="test")).get_property("forces", atoms) == pytest.approx(free)


def test_the_hash_of_the_file_is_in_the_name_and_in_the_fingerprint(file: Path) -> None:
    calculation = Calculation(name="a", role=Role(kind="bulk"), atoms=skewed(1), settings=Settings(source="test"))
    first = engine(f"{LJ},corrected={file}")
    document = json.loads(file.read_text())
    document["scale"] += 1e-6
    file.write_text(json.dumps(document))
    second = engine(f"{LJ},corrected={file}")
    assert first.label != second.label != engine(LJ).label
    assert calculation_fingerprint(calculation, first) != calculation_fingerprint(calculation, second)


def test_the_error_stands_in_the_level_of_theory_of_every_result(file: Path, tmp_path: Path) -> None:
    settings = Settings(source="test", relax="none")
    calculation = Calculation(name="a", role=Role(kind="bulk"), atoms=skewed(1), settings=settings)
    result = run_calculation(calculation, engine(f"{LJ},corrected={file}"), tmp_path / "a")
    assert "corrected to scaled (error of a cell that the fit has not seen: 0.00 eV)" in result.level_of_theory


def test_an_isolated_atom_has_the_reference_energy_or_is_refused(file: Path) -> None:
    calculator = engine(f"{LJ},corrected={file}").calculator(Atoms("Se"), Settings(source="test"))
    assert calculator.get_property("energy", Atoms("Se", cell=[13, 14, 15], pbc=True)) == -0.85
    with pytest.raises(EngineError, match=r"isolated atoms that it holds \(Se\), got Cd"):
        calculator.get_property("energy", Atoms("Cd", cell=[13, 14, 15], pbc=True))


def test_what_the_fit_has_not_seen_is_refused_in_one_line(file: Path) -> None:
    correction, _ = read_correction(file)
    crystal = skewed(1)
    refuse_extrapolation(correction, crystal)
    foreign = crystal.copy()
    foreign.symbols[0] = "Te"
    with pytest.raises(EngineError, match=r"elements of the fit \(Cd, Se\), got Te"):
        refuse_extrapolation(correction, foreign)
    close = crystal.copy()
    close.positions[1] = close.positions[0] + (0.0, 0.0, 1.6)
    with pytest.raises(EngineError, match=r"distances from .* Å on, as in the fit, got 1.60 Å"):
        refuse_extrapolation(correction, close)
    with pytest.raises(EngineError, match=r"neighbours as in the fit, got Cd 0 with 0.0 Cd, 1.0 Se"):
        refuse_extrapolation(correction, Atoms("CdSe", positions=[[0, 0, 0], [0, 0, 2.6]]))


def test_an_element_keeps_the_forces_of_the_potential_and_takes_a_shift() -> None:
    crystal = bulk("Se", "fcc", a=4.4) * (2, 1, 1)
    crystal.rattle(0.1, seed=1)
    crystal.calc = lennard_jones()
    bare = float(crystal.get_potential_energy())
    lone = Point(name="Se", atoms=crystal, energy=bare, reference_energy=bare + 0.5 * len(crystal), counts=False)
    coefficients = {TERMS[0]: 0.3, TERMS[1]: -0.2, TERMS[4]: 0.1}
    found = fit_correction(
        [*points(9, coefficients, 0.1), lone], engine="x", reference="y", coordination={"Cd": 4, "Se": 4}
    )
    assert found.elements == pytest.approx({"Se": 0.5})
    corrected = CorrectedCalculator(lennard_jones(), found)
    assert corrected.get_property("energy", crystal) == pytest.approx(lone.reference_energy)
    assert corrected.get_property("forces", crystal) == pytest.approx(crystal.get_forces())
    assert corrected.get_property("stress", crystal) == pytest.approx(crystal.get_stress())


def test_a_correction_of_another_engine_is_refused(file: Path) -> None:
    with pytest.raises(EngineError, match=r"was fitted to ase.calculators.lj-LennardJones"):
        engine(f"ase.calculators.emt:EMT:corrected={file}")
    with pytest.raises(EngineError, match=r"sigma=2.4"):
        engine(f"{LJ.replace('2.4', '2.5')},corrected={file}")


@pytest.mark.parametrize(
    "content", ["", "[]", '{"schema": 2}', '{"schema": 1, "engine": "chgnet"}', "\x00", '{"schema": 1, "scale": NaN}']
)
def test_a_file_that_is_no_correction_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(FileError, match=r"x.json: expected a correction as fit_correction writes it") as caught:
        read_correction(tmp_path / "x.json")
    assert "\n" not in str(caught.value)


def test_files_may_name_a_shipped_correction_but_no_path() -> None:
    pytest.importorskip("chgnet")
    assert engine_of_file("screen.engine", "chgnet:corrected=cdse-gpaw").label.startswith("chgnet-corrected-cdse-gpaw-")
    with pytest.raises(InputError, match="options without paths"):
        engine_of_file("screen.engine", "chgnet:corrected=./mine.json")
    with pytest.raises(InputError, match="did you mean cdse-gpaw"):
        find_correction("cdse-gpav")


def test_the_shipped_correction_says_how_it_does_on_each_structure_left_out() -> None:
    correction, _ = read_correction(find_correction("cdse-gpaw"))
    counted = [left for left in correction.left_out if left.counts]
    assert len(counted) >= 9
    assert correction.error == pytest.approx(np.sqrt(np.mean([left.energy_error**2 for left in counted])))
    assert set(correction.lone_atoms) == {"Cd", "Se"}
    stored = json.loads(find_correction("cdse-gpaw").read_text())["leave_one_out_error_eV"]
    assert correction.error == pytest.approx(stored)


def test_a_calculator_that_is_corrected_leaves_the_inner_one_alone() -> None:
    shift = Correction(engine="lj", reference="x", coefficients={TERMS[0]: 1.0, TERMS[1]: 0.0})
    atoms = skewed(2)
    corrected = CorrectedCalculator(lennard_jones(), shift)
    before = corrected.inner.get_property("energy", atoms)
    assert corrected.get_property("energy", atoms) == pytest.approx(before + 4.0)
    assert corrected.get_property("stress", atoms) == pytest.approx(lennard_jones().get_property("stress", atoms))


def test_many_structures_at_once_are_corrected_as_one_by_one() -> None:
    pytest.importorskip("chgnet")
    made, settings = engine("chgnet:corrected=cdse-gpaw"), Settings(source="test")
    sheet = build_nanosheet("CdSe-zincblende", "001", 2, vacuum=10.0, termination=("Cd", "Se"))
    starts = [rattle_atoms(sheet, 0.05, seed=seed) for seed in (1, 2)]
    for atoms, (energy_, forces) in zip(starts, evaluate(made, starts, settings), strict=True):
        calculator = made.calculator(atoms, settings)
        assert energy_ == pytest.approx(calculator.get_property("energy", atoms), abs=1e-4)
        assert forces == pytest.approx(calculator.get_property("forces", atoms), abs=1e-4)


@pytest.mark.slow
def test_the_shipped_correction_halves_the_error_of_vacancies_left_out(tmp_path: Path) -> None:
    """At GPAW's structures: energies of vacancies against their whole sheet, each vacancy out of the fit in turn."""
    pytest.importorskip("chgnet")
    script = run_path(str(data_folder("workflows") / "corrections" / "cdse_gpaw.py"))
    made = {point.name: point for point in script["points"]()}
    shipped, _ = read_correction(find_correction("cdse-gpaw"))
    left = {one.name: one.energy_error for one in shipped.left_out}
    bare, corrected = [], []
    for phase in ("wurtzite", "zincblende"):
        whole = made[f"{phase}-pristine"]
        for name, point in made.items():
            if name.startswith(f"{phase}-v_") and "symmetric" not in name:
                bare.append(point.energy - whole.energy - (point.reference_energy - whole.reference_energy))
                fitted_whole = (1 + shipped.scale) * whole.energy + shipped.evaluate(whole.atoms).values[0]
                corrected.append(left[name] - (fitted_whole - whole.reference_energy))
    assert np.sqrt(np.mean(np.square(corrected))) < 0.5 * np.sqrt(np.mean(np.square(bare)))


def test_a_relaxation_may_come_past_what_the_fit_has_not_seen_but_not_end_there(file: Path, tmp_path: Path) -> None:
    chosen = engine(f"{LJ},corrected={file}")
    correction, _ = read_correction(file)
    closer = skewed(1)
    pair = next(i for i in range(1, len(closer)) if closer.symbols[i] == "Se")
    radii = float(covalent_radii[closer.numbers[[0, pair]]].sum())
    along = closer.get_distance(0, pair, mic=True, vector=True)
    closer.positions[pair] = closer.positions[0] + along / np.linalg.norm(along) * (
        correction.shortest["Cd-Se"] - 1.5 * CLOSER * radii
    )
    settings = Settings(source="test", relax="none")
    assert np.isfinite(chosen.calculator(closer, settings).get_property("energy", closer))
    calculation = Calculation(name="a", role=Role(kind="bulk"), atoms=closer, settings=settings)
    result = run_calculation(calculation, chosen, tmp_path / "a")
    assert not result.converged
    assert result.problems[0].startswith("correction to scaled: expected Cd-Se distances")
    assert chosen.refusals(skewed(1)) == ()
