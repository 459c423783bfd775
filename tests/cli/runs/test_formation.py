"""`nanoslab formation`: run folders in, formation energies out, refusals in one line."""

from pathlib import Path

import pytest


def test_published_oxygen_vacancy_from_the_command_line(vasp_corpus: Path, answer) -> None:
    folder = vasp_corpus / "doped" / "SrTiO3_v_O"
    defect, host = folder / "vac_O_0" / "vasp_std", folder / "bulk_sp333"
    (row,) = answer("formation", defect, "--pristine", host, "--mu", "O=-6.5777727125")["vacancies"]
    assert row["energy_difference_eV"] == pytest.approx(12.635189, abs=1e-6)
    assert row["formation_energy_eV"]["mu"] == pytest.approx(6.057416, abs=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--mu", "O"], "element=value"),
        (["--mu", "O=cheap"], "a number [eV]"),
        (["--mu", "O=nan"], "a number [eV]"),
        (["--element", "Sr=HOST"], "a run of Sr alone"),
    ],
)
def test_bad_potentials_are_one_line(vasp_corpus: Path, refused, options: list[str], words: str) -> None:
    folder = vasp_corpus / "doped" / "SrTiO3_v_O"
    defect, host = folder / "vac_O_0" / "vasp_std", folder / "bulk_sp333"
    options = [option.replace("HOST", str(host)) for option in options]
    assert words in refused("formation", defect, "--pristine", host, *options)


def test_a_run_at_other_settings_is_refused_with_both_values(vasp_corpus: Path, refused) -> None:
    doped = vasp_corpus / "doped"
    defect = doped / "ZnS_vacancies" / "vac_1_Zn_0" / "vasp_std"
    host = doped / "SrTiO3_v_O" / "bulk_sp333"
    assert "against" in refused("formation", defect, "--pristine", host)
