"""Published vacancy energies from the raw runs behind them, through our reader, refusals and energetics."""

from collections import Counter
from pathlib import Path

import pytest

from nanoslab.calculation import CalculationResult
from nanoslab.energetics.chemical_potential import ChemicalPotentials, of_elements
from nanoslab.energetics.consistency import SAME_CELL, require_comparable, require_energy
from nanoslab.energetics.vacancy import VacancyEnergy, vacancy_energy
from nanoslab.errors import MismatchError
from nanoslab.vasp import calculation_result, read_run


def run(folder: Path) -> CalculationResult:
    return calculation_result(folder.name, read_run(folder))


def counts(result: CalculationResult) -> Counter[str]:
    assert result.atoms is not None
    return Counter(result.atoms.get_chemical_symbols())


def vacancy(defect: CalculationResult, host: CalculationResult, **potentials: ChemicalPotentials) -> VacancyEnergy:
    require_comparable(defect, host, SAME_CELL)
    return vacancy_energy(
        defect_energy=require_energy(defect),
        defect_counts=counts(defect),
        pristine_energy=require_energy(host),
        pristine_counts=counts(host),
        potentials=potentials,
    )


def test_oxygen_vacancy_in_strontium_titanate(vasp_corpus: Path) -> None:
    folder = vasp_corpus / "doped" / "SrTiO3_v_O"
    # mu_O of O2 at the same level, as the source states it
    oxygen = of_elements({"O": (-6.5777727125, "O2")})
    result = vacancy(run(folder / "vac_O_0" / "vasp_std"), run(folder / "bulk_sp333"), element=oxygen)
    assert result.removed == {"O": 1}
    assert result.energy_difference == pytest.approx(12.635189, abs=1e-6)
    assert result.formation_energies["element"] == pytest.approx(6.057416, abs=1e-6)


@pytest.mark.parametrize(("defect", "energy"), [("vac_1_Zn_0", 6.848481), ("vac_2_S_0", 10.108928)])
def test_vacancies_in_zinc_sulfide(vasp_corpus: Path, defect: str, energy: float) -> None:
    folder = vasp_corpus / "doped" / "ZnS_vacancies"
    result = vacancy(run(folder / defect / "vasp_std"), run(folder / "bulk"))
    assert result.energy_difference == pytest.approx(energy, abs=1e-6)


def test_cadmium_vacancy_in_cadmium_telluride(vasp_corpus: Path) -> None:
    folder = vasp_corpus / "doped" / "CdTe_v_Cd_-2_vasp_gam"
    result = vacancy(run(folder / "v_Cd_-2_vasp_gam"), run(folder / "bulk_vasp_gam"))
    assert result.energy_difference == pytest.approx(7.447984, abs=1e-6)


def test_runs_of_different_studies_are_not_subtracted(vasp_corpus: Path) -> None:
    doped = vasp_corpus / "doped"
    host = run(doped / "CdTe_v_Cd_-2_vasp_gam" / "bulk_vasp_gam")
    other = run(doped / "ZnS_vacancies" / "bulk")
    with pytest.raises(MismatchError, match="against"):
        require_comparable(other, host, SAME_CELL)
