"""Commands about rates: JSON whose keys carry units, faults in one line."""

import math
from pathlib import Path

import pytest
from ase import units
from ase.build import bulk
from ase.cluster import Octahedron

FRONT = ("diffuse", "front", "--radius", 3, "--solubility", 0.02, "--time", 3600, "--points", 3)


def test_an_activated_front_is_that_of_its_diffusivity(answer) -> None:
    activated = answer(*FRONT, "--prefactor", 1e16, "--barrier", "170kJ/mol", "--temperature", 423)
    plain = answer(*FRONT, "--diffusivity", activated["diffusivity_nm2_per_s"])
    assert activated["core_radius_nm"] == plain["core_radius_nm"]
    in_eV = answer(*FRONT, "--prefactor", 1e16, "--barrier", 170 * units.kJ / units.mol, "--temperature", 423)
    assert in_eV["core_radius_nm"] == pytest.approx(plain["core_radius_nm"], rel=1e-9)
    assert plain["core_radius_nm"][0] == pytest.approx(3.0, rel=1e-3)


def test_chains_isomers_couples_and_voids_answer(answer) -> None:
    chain = answer("grow", "chain", 13, 19, "--rates", 1e-2, "--monomer", 100, "--time", 1)
    units_in_all = [
        m + 13 * a + 19 * b
        for m, a, b in zip(chain["monomer"], chain["clusters_of_13"], chain["clusters_of_19"], strict=True)
    ]
    assert units_in_all == pytest.approx([113.0] * 11, rel=1e-10)
    isomers = answer("grow", "isomers", "--rates", 3, 1, "--time", 100)
    assert isomers["fraction"][-1] == pytest.approx(0.75)
    couple = answer("diffuse", "couple", "--core", 2, "--size", 4, "--diffusivities", 1e-4, 1e-5, "--time", 1e7)
    assert max(couple["fraction_at_0.02_nm"][-1], couple["fraction_at_3.98_nm"][-1]) == pytest.approx(7 / 8, abs=1e-3)
    void = answer("diffuse", "hollow", "--radius", 5, "--outward", 3, "--inward", 1, "--time", 1000)
    assert (void["void_radius_nm"][-1] / 5) ** 3 == pytest.approx(0.75)


def test_a_chain_with_barriers_passes_the_largest_magic_size_only_when_hot(answer) -> None:
    plain = ("grow", "chain", 33, 66, 100, "--monomer", 0.1, "--clusters", 1e-3, "--time", 3600)
    chain = (*plain, "--barriers", 1.4, 1.58, "--prefactors", 1e13)
    cold, hot = (answer(*chain, "--temperature", kelvin)["mean_size"][-1] for kelvin in (473, 553))
    assert cold < 66 < hot
    rates = [1e13 * math.exp(-barrier / (units.kB * 553)) for barrier in (1.4, 1.58)]
    assert answer(*plain, "--rates", *rates)["mean_size"][-1] == pytest.approx(hot, rel=1e-6)


def test_fits_of_files_give_back_what_made_them(tmp_path: Path, answer) -> None:
    from nanoslab.kinetics import arrhenius_rate, isomer_fraction

    rates, course = tmp_path / "rates.csv", tmp_path / "course.csv"
    rates.write_text("T,k\n" + "".join(f"{t},{float(arrhenius_rate(1e12, 1.7, t))!r}\n" for t in (400, 430, 460)))
    assert answer("grow", "arrhenius", rates)["barrier_eV"] == pytest.approx(1.7)
    course.write_text("".join(f"{t} {float(isomer_fraction(2e-3, 1e-3, t))!r}\n" for t in range(0, 3000, 150)))
    assert answer("grow", "isomers", "--fit", course)["forward_per_s"]["rate"] == pytest.approx(2e-3, rel=1e-4)


def test_a_particle_is_exchanged_atom_by_atom(tmp_path: Path, answer) -> None:
    particle, end = tmp_path / "pb.xyz", tmp_path / "end.xyz"
    Octahedron("Pb", 4, latticeconstant=5.9).write(particle)
    options = ("--barrier", 1, "--surface-barrier", 0.8, "--gain", 0.5, "--temperature", 450, "--events", 200)
    document = answer("diffuse", "atoms", particle, "Pb", "Cd", *options, "-o", end)
    assert document["fraction"][0] == 0 < document["fraction"][-1]
    from ase.io import read

    symbols = read(end).get_chemical_symbols()
    assert symbols.count("Cd") / len(symbols) == pytest.approx(document["fraction"][-1])


def test_a_band_is_written_and_says_what_it_still_needs(tmp_path: Path, answer) -> None:
    crystal = bulk("Al", cubic=True).repeat(2)
    for name, index in (("start", 0), ("end", 1)):
        one = crystal.copy()
        del one[index]
        one.write(tmp_path / f"{name}.vasp", format="vasp")
    band = tmp_path / "band"
    document = answer("barrier", "write", tmp_path / "start.vasp", tmp_path / "end.vasp", band, "--images", 3)
    assert document["n_images"] == 5
    read = answer("barrier", "read", band)
    assert read["barrier_eV"] is None
    assert any("copy the OUTCAR" in problem for problem in read["problems"])
    assert any("01: not run yet" in problem for problem in read["problems"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (FRONT, "--diffusivity, or --prefactor"),
        ((*FRONT, "--diffusivity", -1), "diffusivity_nm2_per_s: expected above 0"),
        (("diffuse", "couple", "--core", 5, "--size", 4, "--diffusivities", 1, 1, "--time", 1), "--core"),
        (("grow", "chain", 19, 13, "--rates", 1, "--monomer", 1, "--time", 1), "increasing sizes"),
        (("grow", "chain", 13, 19, "--monomer", 1, "--time", 1), "--prefactors, --barriers and --temperature"),
        (("grow", "isomers"), "either --rates"),
        (("grow", "arrhenius", "nothing.csv"), "nothing.csv"),
        (("barrier", "read", "nothing"), "folders 00, 01, 02"),
    ],
)
def test_a_fault_is_one_line(arguments: tuple[object, ...], words: str, refused) -> None:
    assert words in refused(*arguments)
