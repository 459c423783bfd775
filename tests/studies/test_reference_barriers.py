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
from nanoslab.studies.barrier.study import BarrierStudy
from nanoslab.studies.headline import Evidence
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


def test_the_cations_of_an_exchange_hop_before_the_anions() -> None:
    result = answer("cation_exchange_chgnet")
    barriers = {(row.host.split("-")[0], row.moving): row.barrier for row in result.rows}
    for cation, crystal in (("Pb", "PbS"), ("Cd", "CdS")):
        assert barriers[crystal, cation] < barriers[crystal, "S"]
    said = BarrierStudy.headline(Evidence(documents={"chgnet": result.to_dict()}))
    assert said is not None
    assert said.verdict == "open"  # 0.05 eV in PbS decides nothing
    assert "in CdS-zincblende Cd hops 2.8 times as often as S at 423 K (0.50 against 0.65 eV)" in said.sentence
    assert any("PbS-rocksalt-Pb" in remark for remark in said.trust)  # its saddle is not proven


def test_losing_selenium_lowers_the_way_from_a_face() -> None:
    barriers = {row.calculation: row.barrier for row in answer("cdse_slip_paths_chgnet").rows}
    assert barriers["lost-2-whole-face"] < barriers["lost-2-poor-face"] < barriers["lost-0-face"]
    assert barriers["lost-4-face"] < barriers["lost-2-whole-face"]
    assert barriers["lost-0-layer"] > 2 * barriers["lost-0-face"]
    # below the uniform slip for the whole sheet, above it without four Se
    uniform = {row.calculation: row.barrier for row in answer("cdse_slip_chgnet").rows}
    assert barriers["lost-0-face"] < uniform["lost-0"]
    assert barriers["lost-2-whole-face"] < uniform["lost-2"]
    assert barriers["lost-4-face"] > uniform["lost-4"]
