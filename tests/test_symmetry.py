"""Symmetry: permutations form a group that keeps the structure, whatever cell describes it."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell
from ase.geometry import get_distances

from nanoslab.builders import build_nanosheet
from nanoslab.errors import InputError
from nanoslab.symmetry import crystal_symmetry, site_permutations, standard_cell

SKEW = np.array([[1, 2, 0], [0, 1, 0], [0, 0, 1]])


def sheets() -> list[Atoms]:
    plain = build_nanosheet("CdSe-zincblende", "001", 2, repeat=(2, 2), termination="Cd/Cd")
    wurtzite = build_nanosheet("CdSe-wurtzite", "11-20", 3)
    return [plain, make_supercell(plain, SKEW), wurtzite, bulk("PbSe", "rocksalt", a=6.1) * (2, 1, 1)]


@pytest.mark.parametrize("atoms", sheets(), ids=["zincblende", "skewed", "wurtzite", "supercell"])
def test_permutations_are_a_group_that_keeps_species_and_distances(atoms: Atoms) -> None:
    rows = site_permutations(atoms)
    known = {tuple(row) for row in rows}
    assert tuple(range(len(atoms))) in known
    assert {tuple(rows[g][rows[h]]) for g in range(len(rows)) for h in range(len(rows))} == known
    distances = get_distances(atoms.positions, cell=atoms.cell, pbc=True)[1]
    for row in rows:
        assert (atoms.numbers[row] == atoms.numbers).all()
        assert distances[np.ix_(row, row)] == pytest.approx(distances, abs=1e-6)


def test_skewed_cell_and_shifted_origin_change_no_orbit() -> None:
    plain, skewed = sheets()[:2]
    shifted = skewed.copy()
    shifted.positions += (0.3, -1.7, 9.1)
    shifted.wrap()
    groups = [site_permutations(atoms) for atoms in (plain, skewed, shifted)]
    sizes = [sorted(len(np.unique(group[:, i])) for i in range(group.shape[1])) for group in groups]
    assert sizes[0] == sizes[1] == sizes[2]


def test_number_of_permutations_is_point_operations_times_translations() -> None:
    # layer group p-4m2 (order 8) of a symmetric zinc-blende (001) sheet, times the 4 translations of a 2 x 2 cell
    assert len(site_permutations(sheets()[0])) == 32


def test_a_cell_without_symmetry_has_the_identity_alone() -> None:
    rattled = sheets()[0]
    rattled.set_constraint()
    rattled.rattle(0.1, seed=1)
    assert site_permutations(rattled).tolist() == [list(range(len(rattled)))]


def test_the_space_group_does_not_depend_on_the_cell() -> None:
    assert crystal_symmetry(bulk("CdSe", "wurtzite", a=4.3, c=7.0) * (2, 1, 1)) == (186, "P6_3mc")
    assert crystal_symmetry(make_supercell(bulk("CdSe", "zincblende", a=6.05), SKEW)) == (216, "F-43m")


def test_standard_cell_keeps_the_orientation() -> None:
    turned = bulk("CdSe", "zincblende", a=6.05, cubic=True)
    turned.rotate(33, (1, 2, 3), rotate_cell=True)
    back = standard_cell(standard_cell(turned, to_primitive=True), to_primitive=False)
    assert back.cell.cellpar() == pytest.approx(turned.cell.cellpar(), abs=1e-6)
    # every vector of the one lattice belongs to the other, and the other way round
    relative = back.cell @ np.linalg.inv(turned.cell)
    assert np.allclose(relative, np.rint(relative), atol=1e-6)
    assert abs(np.linalg.det(relative)) == pytest.approx(1)


def test_overlapping_atoms_are_an_error_in_words() -> None:
    with pytest.raises(InputError, match="no two atoms overlap"):
        site_permutations(Atoms("Se2", positions=np.zeros((2, 3)), cell=[4, 4, 4], pbc=True))


def test_inputs_are_not_changed() -> None:
    atoms = sheets()[0]
    before = atoms.copy()
    site_permutations(atoms)
    crystal_symmetry(atoms)
    standard_cell(atoms, to_primitive=True)
    assert atoms == before
