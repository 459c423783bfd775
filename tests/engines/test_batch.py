"""Batches: the same energies and minima as one structure after the other, constraints kept, failures told."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import fcc100
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.optimize import FIRE

from nanoslab.builders import build_nanosheet, rattle_atoms
from nanoslab.calculation import Settings
from nanoslab.crystals import load_crystal
from nanoslab.engines import engine
from nanoslab.engines.batch import evaluate, relax_batch
from nanoslab.errors import EngineError

SETTINGS = Settings(source="test", force_tolerance=0.02)
COUNTED: list[int] = []


def slabs() -> list[Atoms]:
    made = []
    for seed in range(3):
        slab = fcc100("Cu", (2, 2, 3), vacuum=6, periodic=True)
        slab.set_constraint(FixAtoms(indices=range(4)))
        made.append(rattle_atoms(slab, 0.1, seed=seed))
    return made


def emt_batch(structures, settings, options):
    COUNTED.append(len(structures))
    found = []
    for atoms in structures:
        own = atoms.copy()
        own.calc = EMT()
        found.append((own.get_potential_energy(), own.get_forces(apply_constraint=False)))
    return found


def test_every_structure_ends_where_it_ends_alone_and_starts_are_kept() -> None:
    starts = slabs()
    before = [atoms.copy() for atoms in starts]
    found = relax_batch(engine("ase.calculators.emt:EMT"), starts, SETTINGS, max_steps=100)
    for start, one in zip(starts, found, strict=True):
        alone = start.copy()
        alone.calc = EMT()
        optimiser = FIRE(alone, logfile=None)
        optimiser.run(fmax=0.02, steps=100)
        assert one.n_steps == optimiser.nsteps
        assert one.energy == pytest.approx(alone.get_potential_energy(), abs=1e-9)
        assert np.allclose(one.atoms.positions, alone.positions, atol=1e-9)
        assert np.array_equal(one.atoms.positions[:4], start.positions[:4])
        assert one.problems == ()
    assert starts == before


def test_one_call_for_all_that_still_move() -> None:
    COUNTED.clear()
    batched = replace(engine("ase.calculators.emt:EMT"), batch=emt_batch)
    found = relax_batch(batched, slabs(), SETTINGS, max_steps=100)
    assert len(COUNTED) == max(one.n_steps for one in found) + 1
    assert COUNTED[0] == 3
    assert sorted(COUNTED, reverse=True) == COUNTED


def test_what_does_not_converge_says_so() -> None:
    (one,) = relax_batch(engine("ase.calculators.emt:EMT"), slabs()[:1], SETTINGS, max_steps=2)
    assert one.n_steps == 2
    assert "not converged" in one.problems[0]


def test_a_structure_that_the_engine_refuses_stops_alone() -> None:
    def choosy(structures, settings, options):
        if any("odd" in atoms.info for atoms in structures):
            raise EngineError("choosy", expected="even ones", got="an odd one")
        return emt_batch(structures, settings, options)

    starts = slabs()
    plain = relax_batch(engine("ase.calculators.emt:EMT"), starts, SETTINGS, max_steps=100)
    starts[1].info["odd"] = True
    found = relax_batch(replace(engine("ase.calculators.emt:EMT"), batch=choosy), starts, SETTINGS, max_steps=100)
    assert "even ones" in found[1].problems[0]
    assert [found[i].energy for i in (0, 2)] == [plain[i].energy for i in (0, 2)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", ["", ":corrections=removed", ":corrected=cdse-gpaw"])
def test_chgnets_batch_gives_what_its_calculator_gives(options: str) -> None:
    pytest.importorskip("chgnet")
    chosen = engine(f"chgnet{options}")
    sheet = build_nanosheet("CdSe-wurtzite", "11-20", 4, fix="none")
    structures = [rattle_atoms(sheet, 0.05, seed=1), rattle_atoms(sheet, 0.05, seed=2)[:-1]]
    together = evaluate(chosen, structures, SETTINGS)
    alone = evaluate(replace(chosen, batch=None), structures, SETTINGS)
    assert evaluate(chosen, structures[:1], SETTINGS)[0][0] == pytest.approx(alone[0][0], abs=1e-4)
    for (energy, forces), (own, own_forces) in zip(together, alone, strict=True):
        # float32 of the network
        assert energy == pytest.approx(own, abs=1e-4)
        assert np.allclose(forces, own_forces, atol=1e-4)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", ["", ":corrected=cdse-gpaw"])
def test_stress_of_chgnet_is_the_slope_of_its_energy_with_strain(options: str) -> None:
    pytest.importorskip("chgnet")
    chosen = engine(f"chgnet{options}")
    crystal = load_crystal("CdSe-zincblende", "experimental")

    def strained(strain: float) -> Atoms:
        atoms = crystal.copy()
        cell = atoms.cell.array.copy()
        cell[:, 0] *= 1 + strain
        atoms.set_cell(cell, scale_atoms=True)
        atoms.calc = chosen.calculator(atoms, SETTINGS)
        return atoms

    slope = (strained(0.005).get_potential_energy() - strained(-0.005).get_potential_energy()) / 0.01
    # float32 of the network and the curvature of the energy
    assert strained(0.0).get_stress()[0] == pytest.approx(slope / crystal.get_volume(), abs=2e-3)
