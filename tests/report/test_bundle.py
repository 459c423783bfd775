"""A stranger makes every table again from the bundle alone, and other tools read its structures."""

import json
import re
from dataclasses import replace
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase.db import connect
from pymatgen.io.optimade import OptimadeStructureAdapter

from nanoslab.calculation import Calculation, CalculationResult, Role, Run
from nanoslab.cli.main import main
from nanoslab.engines.result_files import read_result, write_result
from nanoslab.files import data_folder, sha256
from nanoslab.report.bundle import _plain_record

CAMPAIGN = data_folder("workflows") / "reference_results" / "pbse_gap_xtb"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "bundle"
    assert main(["export", str(CAMPAIGN), "-o", str(folder)]) == 0
    return folder


def test_every_table_comes_out_again_byte_for_byte(bundle: Path) -> None:
    again = json.loads((bundle / "provenance.json").read_text())["tables"].split()[1:]
    again[1] = str(bundle / again[1])
    assert main([*again, "--no-page", "--plots", "none"]) == 0
    made = bundle / "campaign" / "results" / "xtb"
    tables = sorted((bundle / "tables").iterdir())
    assert len(tables) > 1
    assert {path.name: path.read_bytes() for path in tables} == {p.name: p.read_bytes() for p in sorted(made.iterdir())}


def test_hashes_are_those_of_the_files(bundle: Path) -> None:
    hashes = json.loads((bundle / "provenance.json").read_text())["sha256"]
    assert {name: sha256((bundle / name).read_bytes()) for name in hashes} == hashes
    assert "tables/results.json" in hashes


def test_ase_and_pymatgen_read_the_same_structures(bundle: Path) -> None:
    images = {atoms.info["name"]: atoms for atoms in ase.io.read(bundle / "structures.extxyz", index=":")}
    rows = {row.name: row for row in connect(bundle / "structures.json", type="json").select()}
    entries = json.loads((bundle / "optimade.json").read_text())["data"]
    assert images.keys() == rows.keys() == {entry["id"] for entry in entries}
    for entry in entries:
        atoms = images[entry["id"]]
        structure = OptimadeStructureAdapter.get_structure(entry)
        np.testing.assert_allclose(structure.cart_coords, atoms.positions, atol=1e-6)
        np.testing.assert_allclose(structure.lattice.matrix, atoms.cell.array, atol=1e-6)
        assert entry["attributes"]["_nanoslab_energy_eV"] == pytest.approx(rows[entry["id"]].energy, abs=1e-6)
        _must_be_optimade(entry["attributes"])


def _must_be_optimade(attributes: dict[str, object]) -> None:
    """What the specification (1.2, entries of structures) asks of every one."""
    assert attributes["elements"] == sorted(attributes["elements"])
    assert attributes["nelements"] == len(attributes["elements"])
    assert sum(attributes["elements_ratios"]) == pytest.approx(1)
    assert attributes["nsites"] == len(attributes["cartesian_site_positions"]) == len(attributes["species_at_sites"])
    assert attributes["nperiodic_dimensions"] == sum(attributes["dimension_types"])
    assert re.fullmatch(r"([A-Z][a-z]?\d*)+", attributes["chemical_formula_reduced"])
    assert {"chemical_formula_anonymous", "lattice_vectors", "species", "structure_features"} <= attributes.keys()
    assert all(name.startswith("_nanoslab_") or not name.startswith("_") for name in attributes)


def test_a_folder_that_is_there_is_not_written_into(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(CAMPAIGN), "-o", str(bundle)]) == 2
    assert "a folder that is not there yet" in capsys.readouterr().err


def test_results_of_vasp_read_back_the_same_as_plain_numbers(tmp_path: Path) -> None:
    atoms = ase.Atoms("Se", cell=[13, 14, 15], pbc=True)
    result = CalculationResult(
        name="Se-atom",
        path="Se-atom",
        level_of_theory="PBE, PAW, 400 eV (VASP 6.4.1)",
        energy=-0.88,
        atoms=atoms,
        converged=True,
        problems=("a remark",),
        comparable={"code": "VASP", "functional": "PBE", "cutoff_energy": 400.0, "kpoints": [1, 1, 1]},
    )
    from nanoslab.presets import preset

    calculation = Calculation(name="Se-atom", role=Role(kind="atom"), atoms=atoms, settings=preset("pbe"))
    write_result(tmp_path, _plain_record(Run(calculation=calculation, result=result), "vasp-results"), atoms)
    back = read_result(tmp_path)
    assert replace(back, path=result.path, atoms=None) == replace(result, atoms=None)
    np.testing.assert_array_equal(back.atoms.positions, atoms.positions)
