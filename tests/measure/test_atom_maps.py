"""Lattice, strain and stacking of particles that were deformed, rotated and displaced by known amounts."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.cluster import Octahedron

from nanoslab.builders import build_nanocrystal
from nanoslab.crystals import crystal
from nanoslab.errors import InputError
from nanoslab.measure.atom_maps import atom_strain, bond_profile, find_faults, map_lattice, stacking_labels

SKEW = np.array([[1.031, 0.012, -0.02], [0.007, 0.984, 0.015], [-0.011, 0.018, 1.012]])


def platinum(diameter: float, a: float) -> Atoms:
    atoms = bulk("Pt", "fcc", a=a, cubic=True) * (12, 12, 12)
    return atoms[np.linalg.norm(atoms.positions - atoms.cell.sum(axis=0) / 2 - 0.1, axis=1) < diameter / 2]


@pytest.mark.parametrize("name", ["CdSe-zincblende", "CdSe-wurtzite", "PbSe-rocksalt"])
def test_strain_of_a_skewed_particle_is_found_to_1e_minus_4(name: str) -> None:
    reference = crystal(name)
    cation = name[:2]
    particle = build_nanocrystal(name, {cation: 100, "Se": 100})
    particle.positions = particle.positions @ SKEW.T
    particle.rotate(40, (1, 2, 3))
    lattice = map_lattice(particle, reference)
    assert lattice.assigned.all()
    strain = atom_strain(particle, lattice)
    # in the crystal's axes up to a rotation of the crystal onto itself: invariants of U, and U itself by F
    stretches = np.linalg.svd(SKEW)[1]
    for row in strain.components[~np.isnan(strain.components[:, 0])]:
        xx, yy, zz, yz, xz, xy = row
        tensor = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        assert np.allclose(np.sort(np.linalg.eigvalsh(tensor)), np.sort(stretches - 1), atol=1e-6)
    assert lattice.scale**3 == pytest.approx(np.linalg.det(SKEW), abs=1e-6)
    assert np.isnan(strain.components[:, 0]).mean() < 0.1


def test_strain_of_an_unrotated_particle_has_the_components_of_its_deformation() -> None:
    particle = platinum(24.0, 3.92)
    left, stretch, right = np.linalg.svd(SKEW)
    biot = right.T @ np.diag(stretch) @ right - np.eye(3)
    particle.positions = particle.positions @ SKEW.T
    strain = atom_strain(particle, map_lattice(particle, bulk("Pt", a=3.92, cubic=True)))
    expected = [biot[0, 0], biot[1, 1], biot[2, 2], biot[1, 2], biot[0, 2], biot[0, 1]]
    assert np.allclose(strain.mean(np.ones(len(particle), bool)), expected, atol=1e-6)
    assert np.allclose(np.nanmean(strain.rotations, axis=0), left @ right, atol=1e-6)


@pytest.mark.parametrize(("diameter", "a", "percent"), [(24, 4.02, 2.56), (25, 3.99, 1.74), (27, 3.96, 0.95)])
def test_published_expansion_of_platinum_is_recovered_from_coordinates_with_19_pm_of_noise(
    diameter: float, a: float, percent: float
) -> None:
    """Kim 2020: lattice constants of 2.4 to 2.7 nm particles against 3.92 Å; here from spheres made with them."""
    particle = platinum(diameter, a)
    particle.positions += 0.19 / 3**0.5 * np.random.default_rng(4).standard_normal((len(particle), 3))
    particle.rotate(25, (3, 1, 2))
    lattice = map_lattice(particle, bulk("Pt", a=3.92, cubic=True))
    assert lattice.assigned.mean() > 0.99
    assert lattice.scatter == pytest.approx(0.19 / 3**0.5, rel=0.1)
    assert 100 * lattice.scale_error < 0.1
    assert abs(100 * (lattice.scale - 1) - percent) < 3 * 100 * lattice.scale_error


def test_stated_error_of_the_lattice_constant_is_its_spread() -> None:
    found = []
    for seed in range(30):
        particle = platinum(18.0, 3.92)
        particle.rattle(0.1, seed=seed)
        found.append(map_lattice(particle, bulk("Pt", a=3.92, cubic=True)))
    scales = np.array([lattice.scale for lattice in found])
    assert np.std(scales) == pytest.approx(np.mean([lattice.scale_error for lattice in found]), rel=0.35)


def test_surface_atoms_have_an_empty_site_and_a_profile_shows_a_strained_core() -> None:
    particle = Octahedron("Pt", 7, latticeconstant=3.92)
    reference = bulk("Pt", a=3.92, cubic=True)
    lattice = map_lattice(particle, reference)
    assert lattice.surface.sum() == len(particle) - len(Octahedron("Pt", 5))
    centre = particle.positions.mean(axis=0)
    radius = np.linalg.norm(particle.positions - centre, axis=1, keepdims=True)
    particle.positions = centre + (particle.positions - centre) * (1.03 - 0.0015 * radius)
    profile = bond_profile(particle, map_lattice(particle, reference))
    assert profile.distances[0] > profile.distances[-1] + 3 * profile.errors[-1]
    assert profile.distances[0] == pytest.approx(1.03 * 3.92 / 2**0.5, abs=0.03)


def layers(sequence: str) -> Atoms:
    """Close-packed layers of a metal in a sequence of A, B and C."""
    d = 2.772
    place = {"A": 0.0, "B": 1 / 3, "C": 2 / 3}
    a, b = np.array([d, 0, 0]), np.array([d / 2, d * 3**0.5 / 2, 0])
    points = [
        (i + place[letter]) * a + (j + place[letter]) * b + np.array([0, 0, z * d * (2 / 3) ** 0.5])
        for z, letter in enumerate(sequence)
        for i in range(9)
        for j in range(9)
    ]
    return Atoms("Pt" * len(points), points)


@pytest.mark.parametrize(
    ("sequence", "kinds"),
    [("ABCABCABC", []), ("ABCABACBA", ["twin"]), ("ABCABABCABC", ["intrinsic fault"]), ("ABABABAB", ["hexagonal"])],
)
def test_faults_are_named_by_their_hexagonal_layers(sequence: str, kinds: list[str]) -> None:
    atoms = layers(sequence)
    atoms.rattle(0.08, seed=1)
    atoms.rotate(33, (1, 1, 0))
    faults = find_faults(atoms)
    assert [fault.kind for fault in faults] == kinds


def test_cations_of_wurtzite_are_hexagonal_and_of_zinc_blende_cubic() -> None:
    for name, label in (("CdSe-wurtzite", "hexagonal"), ("CdSe-zincblende", "cubic")):
        labels = stacking_labels(build_nanocrystal(name, {"Cd": 120, "Se": 120}), "Cd")
        assert {text for text in labels if text not in ("", "other")} == {label}


def test_what_does_not_fit_the_crystal_is_refused() -> None:
    with pytest.raises(InputError, match="expected elements of the crystal"):
        map_lattice(platinum(15, 3.92), crystal("CdSe-zincblende"))
    with pytest.raises(InputError, match="expected atoms on the lattice of the crystal"):
        map_lattice(platinum(15, 3.92), bulk("Pt", "bcc", a=2.5, cubic=True))
    with pytest.raises(InputError, match="expected one of Pt, got 'Au'"):
        stacking_labels(platinum(15, 3.92), "Au")
