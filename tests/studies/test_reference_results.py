"""The shipped open-DFT results give their numbers again, with no engine at hand."""

import json
import subprocess
import sys

import ase.io
import pytest

from nanoslab.campaign import load_campaign
from nanoslab.driver.results import collect, read_runs
from nanoslab.files import data_folder
from nanoslab.studies.study_file import load_study

CAMPAIGN = data_folder("workflows") / "reference_results" / "cdse_nanosheet_gpaw"


def test_the_surface_vacancy_is_the_difference_of_the_energies_written_in_the_files() -> None:
    campaign = load_campaign(CAMPAIGN)
    energies = {
        name: json.loads((CAMPAIGN / name / "gpaw" / "result.json").read_text())["energy_eV"]
        for name in ("wurtzite-pristine", "wurtzite-v_Se-surface-1", "Se-atom")
    }
    expected = energies["wurtzite-v_Se-surface-1"] - energies["wurtzite-pristine"] + energies["Se-atom"]
    result = load_study(campaign.study_file).analyze(read_runs(campaign, "gpaw"))
    document = result.to_dict()
    row = next(row for row in document["vacancies"] if row["label"] == "v_Se-surface-1" and row["phase"] == "wurtzite")
    assert row["formation_energy_eV"]["atom"] == pytest.approx(expected, abs=1e-9)
    assert not result.refused


def test_finished_results_are_converged_to_the_tolerance_of_their_study() -> None:
    campaign = load_campaign(CAMPAIGN)
    finished = [result for result in collect(campaign, "gpaw").values() if result.energy is not None]
    assert len(finished) >= 9
    for result in finished:
        assert result.converged, result.name
        assert result.max_free_force is not None
        assert result.max_free_force <= 0.05, result.name


def test_final_structures_are_those_of_their_calculations_moved_by_less_than_a_bond() -> None:
    campaign = load_campaign(CAMPAIGN)
    results = collect(campaign, "gpaw")
    for calculation in campaign.calculations:
        final = results[calculation.name].atoms
        if calculation.role.kind not in {"pristine", "vacancy"} or final is None:
            continue
        assert final.get_chemical_symbols() == calculation.atoms.get_chemical_symbols()
        assert abs(final.cell.array - calculation.atoms.cell.array).max() < 1e-3
        # a final position may lie in the next cell
        pairs = calculation.atoms + final
        n = len(final)
        assert max(pairs.get_distance(i, n + i, mic=True) for i in range(n)) < 2.0


def test_the_table_of_atoms_holds_the_atom_of_the_campaign() -> None:
    table = json.loads((CAMPAIGN / "atoms.json").read_text())["atoms"]
    selenium = json.loads((CAMPAIGN / "Se-atom" / "gpaw" / "result.json").read_text())["energy_eV"]
    assert (
        min(row["energy_eV"] for row in table if row["element"] == "Se" and row["cutoff_energy_eV"] == 400) == selenium
    )


def test_the_reconstructed_sheets_lie_below_their_symmetric_saddles() -> None:
    results = collect(load_campaign(CAMPAIGN), "gpaw")
    saddles = json.loads((CAMPAIGN / "saddles.json").read_text())["saddles"]
    assert len(saddles) == 2
    for saddle in saddles:
        energy = results[saddle["calculation"]].energy
        assert energy is not None
        assert energy < saddle["energy_eV"] - 2
        assert len(ase.io.read(CAMPAIGN / saddle["structure"])) == len(results[saddle["calculation"]].atoms)


def test_it_is_read_where_no_engine_can_be_imported() -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('chgnet', 'torch', 'tblite', 'gpaw.new', 'gpaw.calculator'))); "
        "from nanoslab.campaign import load_campaign; from nanoslab.driver.results import collect; "
        "found = collect(load_campaign(sys.argv[1]), 'gpaw'); print(found['wurtzite-pristine'].energy is not None)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(CAMPAIGN)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
