"""``build cluster``, ``heterostructure``, ``attached``, and ``interface``: documents; one line for what cannot be."""

from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write

EMT = "ase.calculators.emt:EMT"
BOTH = ("PbS-rocksalt", "CdS-zincblende")


def test_a_cluster_that_was_found_comes_with_how_it_was_found(answer) -> None:
    found = answer("build", "cluster", "CdSe13")
    assert found["formula"] == "Cd13Se13"
    assert found["recipe"]["search"]["starts"] > 1
    assert found["recipe"]["engines"][0]["level_of_theory"].startswith("CHGNet")
    assert found["recipe"]["not_searched"]


def test_an_interface_of_a_metal_with_itself_has_no_misfit_and_no_energy(answer) -> None:
    told = answer("interface", "Pt-fcc", "Pt-fcc", "--engine", EMT, "--first-thickness", "3", "--repeats", "1", "1")
    assert told["misfit"] == pytest.approx(0.0, abs=1e-12)
    assert told["coincidence"]["rotation_degree"] == pytest.approx(0.0, abs=1e-9)
    assert told["interface"]["relaxed_eV_per_A2"] == pytest.approx(0.0, abs=5e-3)
    assert told["peak"]["thickness_nm"] == pytest.approx(3.0)
    assert told["biaxial_modulus_GPa"][0] == pytest.approx(told["biaxial_modulus_GPa"][1])


def test_strain_energy_against_thickness_is_the_closed_form(answer, tmp_path: Path) -> None:
    write(tmp_path / "gold.cif", bulk("Au", a=4.08, cubic=True))
    told = answer("interface", "Pt-fcc", tmp_path / "gold.cif", "--engine", EMT, "--no-stack", "--layers", "2")
    assert told["misfit"] == pytest.approx(told["coincidence"]["strains"][0])
    m1, m2 = (modulus * 1e9 for modulus in told["biaxial_modulus_GPa"])
    h1, h2 = 4.0, 2.0
    density = m1 * h1 * m2 * h2 * told["misfit"] ** 2 / ((m1 * h1 + m2 * h2) * (h1 + h2))  # J/m³
    assert told["layers"][0]["strain_energy_density_J_per_nm3"] == pytest.approx(density * 1e-27, rel=1e-9)
    assert told["interface"] is None


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("build", "cluster", "CdSe14"), "an order, a peak, or one of"),
        (("build", "cluster", "CdSe13", "--ligand", "Cl"), "no ligand or lattice"),
        (("build", "heterostructure", *BOTH, "--diameter", "2", "--parallel", "101", "110"), "one in the face 001"),
        (
            ("build", "heterostructure", *BOTH, "--diameter", "2", "--rotation", "20", "--largest-area", "40"),
            "turned by 20",
        ),
        (("build", "attached", "PbSe-rocksalt", "--diameter", "2", "--gap-planes", "0"), "that the lattice allows"),
        (("build", "attached", "PbSe-rocksalt", "--diameter", "2", "--face", "1"), "Miller"),
        (("interface", *BOTH, "--faces", "001", "00"), "Miller"),
    ],
)
def test_faults_are_one_line(command: tuple[str, ...], words: str, refused) -> None:
    assert words in refused(*command)
