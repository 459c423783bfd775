"""Nanocrystals: the composition asked for, the lattice kept, facets where they belong."""

from collections import Counter

import numpy as np
import pytest
from ase.neighborlist import neighbor_list

from nanoslab.builders import build_nanocrystal
from nanoslab.crystals import crystal
from nanoslab.errors import InputError

CUBE = {"001": 1.0}


@pytest.mark.parametrize("name", ["CdSe-wurtzite", "CdSe-zincblende", "PbSe-rocksalt"])
@pytest.mark.parametrize("units", [13, 33, 120])
@pytest.mark.parametrize("centre", ["bond", "Se"])
def test_composition_is_exact_and_no_atom_is_loose(name: str, units: int, centre: str) -> None:
    dot = build_nanocrystal(name, units, centre=centre)
    counts = Counter(dot.get_chemical_symbols())
    assert set(counts.values()) == {units}
    bonds = np.bincount(neighbor_list("i", dot, 3.3), minlength=len(dot))
    # spheres around an atom of a tetrahedral crystal may have to keep an atom with one bond
    assert bonds.min() >= (2 if centre == "bond" or "rocksalt" in name else 1)
    assert bonds.min() == dot.info["ledger"]["fewest_bonds"]
    assert bonds.mean() == pytest.approx(dot.info["ledger"]["mean_bonds"])


def test_every_distance_is_one_of_the_crystal() -> None:
    dot = build_nanocrystal("CdSe-wurtzite", 50, facets={"10-10": 1.0, "0001": 1.2, "000-1": 1.2})
    known = np.unique(neighbor_list("d", crystal("CdSe-wurtzite"), 6.1))
    found = neighbor_list("d", dot, 6.0)
    assert np.abs(found[:, None] - known).min(axis=1).max() < 1e-6


def test_rock_salt_cube_is_a_cube() -> None:
    # 5 x 5 x 5 atoms around a cation: 63 Pb and 62 Se
    dot = build_nanocrystal("PbSe-rocksalt", {"Pb": 63, "Se": 62}, facets=CUBE, centre="Pb")
    spacing = crystal("PbSe-rocksalt").cell.cellpar()[0] / 2
    assert np.ptp(dot.positions, axis=0) == pytest.approx(4 * spacing)
    assert dot.info["ledger"]["fewest_bonds"] == 3


def test_vacuum_and_centre_of_the_box() -> None:
    dot = build_nanocrystal("CdSe-zincblende", 40, vacuum=12.0)
    extent = np.ptp(dot.positions, axis=0)
    assert dot.cell[0, 0] - extent.max() == pytest.approx(12.0)
    assert (dot.positions.max(axis=0) + dot.positions.min(axis=0)) / 2 == pytest.approx(dot.cell[0, 0] / 2)


def test_off_stoichiometry_is_kept_and_counted() -> None:
    dot = build_nanocrystal("CdSe-zincblende", {"Cd": 37, "Se": 20})
    assert dot.info["ledger"]["counts"] == {"Cd": 37, "Se": 20}
    assert dot.info["ledger"]["formal_charge"] == 34


def test_diameter_is_that_of_a_sphere_of_bulk_density() -> None:
    # Palencia 2020 (doi:10.1039/d0nr05879c) counts units so: 1.58 nm holds 38, 2.06 nm holds 84, rounded to 0.01 nm
    for units, diameter in ((38, 15.8), (84, 20.6)):
        dot = build_nanocrystal("CdSe-wurtzite", units, lattice="experimental")
        assert dot.info["ledger"]["diameter_A"] == pytest.approx(diameter, abs=0.3)


def test_the_crystal_is_not_changed() -> None:
    atoms = crystal("CdSe-wurtzite")
    before = atoms.copy()
    build_nanocrystal(atoms, 20)
    assert atoms == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"composition": 0}, "composition"),
        ({"composition": {"S": 3}}, "expected one of Cd, Se"),
        ({"facets": {"0001": 1.0, "000-1": 1.0}}, "faces that enclose"),
        ({"facets": {"0001": -1.0}}, "facet 0001"),
        ({"centre": "Te"}, "bond, Cd, Se"),
        ({"vacuum": 0}, "vacuum"),
    ],
)
def test_the_impossible_is_an_error(change: dict[str, object], words: str) -> None:
    arguments = {"crystal": "CdSe-wurtzite", "composition": 20, **change}
    with pytest.raises(InputError, match=words):
        build_nanocrystal(**arguments)
