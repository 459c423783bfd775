"""Shipped barriers read again, without an engine: ammonia by PBE, ions of an exchange, ways of a sheet."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from ase import units

from nanoslab.calculation import CalculationResult
from nanoslab.campaign import load_campaign
from nanoslab.driver.results import available_sources, collect, read_runs
from nanoslab.engines import engine, run_calculation
from nanoslab.files import data_folder
from nanoslab.studies.barrier.result import BarrierStudyResult
from nanoslab.studies.study_file import load_study

SHIPPED = data_folder("workflows") / "reference_results"
#: PBE of all electrons by PySCF, def2-TZVP, both geometries relaxed: all_electron.py beside the results [eV]
ALL_ELECTRON_PBE = 0.2154
#: 5.8 kcal/mol: Rauk, Allen and Clementi, J. Chem. Phys. 52 (1970) 4133
EXPERIMENT = 5.8 * units.kcal / units.mol


def answer(name: str) -> BarrierStudyResult:
    campaign = load_campaign(SHIPPED / name)
    (source,) = available_sources(campaign)
    result = load_study(campaign.study_file).analyze(read_runs(campaign, source))
    assert isinstance(result, BarrierStudyResult)
    return result


def ammonia() -> CalculationResult:
    campaign = load_campaign(SHIPPED / "ammonia_inversion_cp2k")
    (source,) = available_sources(campaign)
    return collect(campaign, source)["inversion"]


def test_ammonia_turns_over_at_the_barrier_of_pbe() -> None:
    (row,) = answer("ammonia_inversion_cp2k").rows
    assert row.barrier == pytest.approx(ALL_ELECTRON_PBE, abs=0.02)  # basis sets, box
    assert row.barrier < EXPERIMENT
    assert row.reverse_barrier == pytest.approx(row.barrier, abs=1e-3)
    assert row.n_imaginary == 1
    assert row.rates_per_s


def test_the_saddle_of_ammonia_is_flat() -> None:
    saddle = ammonia().atoms
    assert saddle is not None
    bonds = saddle.get_distances(3, [0, 1, 2], vector=True)  # H first
    assert np.linalg.norm(bonds, axis=1) == pytest.approx([1.0] * 3, abs=0.02)
    assert abs(np.dot(np.cross(bonds[0], bonds[1]), bonds[2])) < 0.02  # Å³
    # the translations are left out of twelve; the rotations are librations in the box
    assert len(ammonia().findings["saddle_frequencies_THz"]) == 9


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("cp2k"), reason="CP2K is not installed")
def test_ammonia_computed_again_gives_the_shipped_barrier(tmp_path: Path) -> None:
    (calculation,) = load_campaign(SHIPPED / "ammonia_inversion_cp2k").calculations
    again = run_calculation(calculation, engine("cp2k:basis=TZV2P-GTH"), tmp_path)
    assert again.converged, again.problems
    assert again.findings["barrier_eV"] == pytest.approx(ammonia().findings["barrier_eV"], abs=2e-3)
