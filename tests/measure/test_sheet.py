"""Sheets in numbers: bulk-like sheets of both phases have theirs, in any setting of the cell."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell, surface
from ase.io import read

from nanoslab.errors import InputError
from nanoslab.files import data_folder
from nanoslab.measure.environment import local_environments
from nanoslab.measure.sheet import SheetMetrics, in_plane_strain, lateral_spacings, measure_sheet

A, C, A_ZB = 4.30, 7.01, 6.05
WURTZITE = bulk("CdSe", "wurtzite", a=A, c=C, u=0.375)
ZINC_BLENDE = bulk("CdSe", "zincblende", a=A_ZB, cubic=True)


def wurtzite_sheet() -> Atoms:
    return surface(WURTZITE, (1, 1, 0), 7, vacuum=8.0, periodic=True)


def zinc_blende_sheet() -> Atoms:
    return surface(ZINC_BLENDE, (0, 0, 1), 3, vacuum=8.0, periodic=True)


def spacings(metrics: SheetMetrics) -> np.ndarray:
    return np.diff([plane.height for plane in metrics.planes])


def skewed_and_moved(sheet: Atoms) -> Atoms:
    """The same sheet with other in-plane vectors, rotated in space, moved across the cell border and wrapped."""
    other = make_supercell(sheet, [[1, 0, 0], [2, 1, 0], [0, 0, 1]])
    other.rotate(37, (1, 2, 3), rotate_cell=True)
    other.positions += other.cell.array.T @ [0.31, 0.7, 0.55]
    other.wrap()
    return other


@pytest.mark.parametrize("crystal", ["wurtzite", "zincblende"])
@pytest.mark.parametrize("compound", ["CdSe", "ZnS", "CdTe"])
def test_bulk_crystals_are_what_they_are(crystal: str, compound: str) -> None:
    a = {"CdSe": 6.05, "ZnS": 5.41, "CdTe": 6.48}[compound]
    lattice = {"a": a / 2**0.5, "c": a / 2**0.5 * 1.62} if crystal == "wurtzite" else {"a": a}
    found = local_environments(bulk(compound, crystal, **lattice))
    expected = 1.0 if crystal == "wurtzite" else 0.0
    # three bonds of a wurtzite atom are exactly staggered at the ideal c/a only; 1.62 against 1.633
    np.testing.assert_allclose(found.eclipsed_bonds, expected, atol=2e-3 if crystal == "wurtzite" else 1e-9)
    assert set(found.coordination) == {4}
    assert set(found.labels) == {"wurtzite" if crystal == "wurtzite" else "zinc blende"}


def test_rock_salt_is_neither() -> None:
    assert set(local_environments(bulk("PbSe", "rocksalt", a=6.12)).labels) == {"rock salt"}


@pytest.mark.parametrize("wurtzite_layers", [2, 4, 6])
def test_a_polytype_has_its_share_of_hexagonal_layers(wurtzite_layers: int) -> None:
    """4H is half hexagonal, 6H a third, 2H all: the mean number is the hexagonality."""
    stacking = {2: "AB", 4: "ABCB", 6: "ABCACB"}[wurtzite_layers]
    shift = {"A": (0, 0), "B": (1 / 3, 2 / 3), "C": (2 / 3, 1 / 3)}
    n = len(stacking)
    spacing = A * (2 / 3) ** 0.5
    positions, symbols = [], []
    for layer, letter in enumerate(stacking):
        positions += [(*shift[letter], layer / n), (*shift[letter], (layer + 0.75) / n)]
        symbols += ["Cd", "Se"]
    cell = [[A, 0, 0], [-A / 2, A * 3**0.5 / 2, 0], [0, 0, n * spacing]]
    crystal = Atoms(symbols, scaled_positions=positions, cell=cell, pbc=True)
    hexagonality = {2: 1.0, 4: 0.5, 6: 1 / 3}[wurtzite_layers]
    found = local_environments(crystal)
    assert found.eclipsed_bonds.mean() == pytest.approx(hexagonality, abs=1e-9)
    assert found.fraction("wurtzite") == pytest.approx(hexagonality)


def test_thermal_noise_does_not_change_the_label() -> None:
    """0.1 Å per component is the thermal displacement of CdSe at 300 K."""
    for crystal, label in ((WURTZITE, "wurtzite"), (ZINC_BLENDE, "zinc blende")):
        noisy = crystal.repeat(3)
        noisy.rattle(0.1, seed=4)
        assert local_environments(noisy).fraction(label) > 0.95


@pytest.mark.parametrize("seed", range(3))
def test_large_displacements_turn_neither_crystal_into_the_other(seed: int) -> None:
    """0.3 Å along each axis: the summed torsion called a third of zinc blende wurtzite."""
    for crystal, label, other in ((WURTZITE, "wurtzite", "zinc blende"), (ZINC_BLENDE, "zinc blende", "wurtzite")):
        noisy = crystal.repeat(4)
        noisy.rattle(0.3, seed=seed)
        found = local_environments(noisy)
        assert found.fraction(label) > 0.75
        assert found.fraction(other) < 0.1


@pytest.mark.parametrize("engine", ["chgnet", "gpaw"])
def test_atoms_under_the_dimers_of_a_zinc_blende_face_are_not_wurtzite(engine: str) -> None:
    """The bonds to a dimer atom, which has two, are twisted; they tell of no crystal."""
    folder = data_folder("workflows") / "reference_results" / "cdse_nanosheet_gpaw" / "zincblende-pristine" / engine
    found = local_environments(read(folder / "final.extxyz"))
    assert found.fraction("wurtzite") == 0
    assert found.fraction("zinc blende") == pytest.approx(24 / 28)
    assert [label for label, n in zip(found.labels, found.coordination, strict=True) if n == 2] == ["undetermined"] * 4


def test_half_a_torsion_is_intermediate() -> None:
    """Turning the upper half of a wurtzite crystal about c by 30 degrees puts its c bonds half-way."""
    cluster = WURTZITE.repeat((5, 5, 2))
    cluster.pbc = False
    se = [i for i in range(len(cluster)) if cluster.symbols[i] == "Se"]
    centre = min(se, key=lambda i: np.linalg.norm(cluster.positions[i] - cluster.get_center_of_mass()))
    above = cluster.positions[:, 2] > cluster.positions[centre, 2] + 0.5
    axis = cluster.positions[centre]
    turned = cluster[above]
    turned.rotate(30, "z", center=axis)
    cluster.positions[above] = turned.positions
    assert local_environments(cluster).eclipsed_bonds[centre] == pytest.approx(0.5, abs=0.02)
    assert local_environments(cluster).labels[centre] == "intermediate"


def test_the_wurtzite_sheet_has_the_geometry_of_its_lattice() -> None:
    metrics = measure_sheet(wurtzite_sheet())
    assert metrics.thickness == pytest.approx(6 * A / 2)
    np.testing.assert_allclose(spacings(metrics), A / 2)
    assert metrics.area == pytest.approx(C * A * 3**0.5)
    assert [plane.counts for plane in metrics.planes] == [{"Cd": 2, "Se": 2}] * 7
    assert metrics.top_tilt_degrees == pytest.approx(0.0, abs=1e-9)
    assert metrics.environments.fraction("wurtzite") == 1.0
    assert sorted(set(metrics.environments.coordination)) == [3, 4]


def test_the_zinc_blende_sheet_has_the_geometry_of_its_lattice() -> None:
    metrics = measure_sheet(zinc_blende_sheet())
    assert len(metrics.planes) == 12
    np.testing.assert_allclose(spacings(metrics), A_ZB / 4)
    assert metrics.top_tilt_degrees is None
    np.testing.assert_allclose(metrics.environments.eclipsed_bonds, 0.0, atol=1e-9)
    assert metrics.environments.coordination.min() == 2
    assert metrics.mean_eclipsed_bonds(metrics.planes[0].indices) is None  # two bonds are too few to tell
    assert metrics.mean_eclipsed_bonds() == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("make", [wurtzite_sheet, zinc_blende_sheet])
def test_the_setting_of_the_cell_changes_nothing(make: object) -> None:
    sheet = make()  # type: ignore[operator]
    sheet.rattle(0.05, seed=1)
    one, other = measure_sheet(sheet), measure_sheet(skewed_and_moved(sheet))
    assert other.thickness == pytest.approx(one.thickness)
    assert other.vacuum == pytest.approx(one.vacuum)
    assert other.area == pytest.approx(one.area)
    np.testing.assert_allclose(spacings(other), spacings(one), atol=1e-7)
    np.testing.assert_allclose(other.environments.eclipsed_bonds, one.environments.eclipsed_bonds, atol=1e-7)
    if one.top_tilt_degrees is not None:
        assert other.top_tilt_degrees == pytest.approx(one.top_tilt_degrees, abs=1e-6)
        assert other.bottom_tilt_degrees == pytest.approx(one.bottom_tilt_degrees, abs=1e-6)


def test_a_mirrored_cell_does_not_exchange_top_and_bottom_tilts() -> None:
    sheet = wurtzite_sheet()
    raise_outer_anions(sheet)
    mirrored = make_supercell(sheet, [[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    assert measure_sheet(mirrored).top_tilt_degrees == pytest.approx(measure_sheet(sheet).top_tilt_degrees)


def raise_outer_anions(sheet: Atoms, by: float = 0.3) -> None:
    top = sheet.positions[:, 2].max()
    for atom in sheet:
        if atom.symbol == "Se" and atom.z > top - 0.1:
            atom.z += by


def test_an_anion_that_stands_out_tilts_the_bonds_upwards() -> None:
    sheet = wurtzite_sheet()
    raise_outer_anions(sheet)
    metrics = measure_sheet(sheet)
    bond = C * 0.375  # the bond along c and the zigzag bonds have nearly this length in the plane
    assert metrics.top_tilt_degrees == pytest.approx(np.degrees(np.arctan(0.3 / bond)), abs=0.1)
    assert metrics.bottom_tilt_degrees == pytest.approx(0.0, abs=1e-9)
    assert metrics.planes[-1].rumpling == pytest.approx(0.3)


def test_strain_is_that_of_the_deformation_whatever_the_rotation() -> None:
    reference = Atoms(cell=[[4.3, 0, 0], [1.2, 7.0, 0], [0, 0, 20]])
    strain = np.array([[0.02, 0.005], [0.005, -0.01]])
    cell = reference.cell.array.copy()
    cell[:2, :2] = cell[:2, :2] @ (np.eye(2) + strain)
    strained = Atoms(cell=cell)
    strained.rotate(50, (1, 1, 0.2), rotate_cell=True)
    found = in_plane_strain(strained, reference)
    np.testing.assert_allclose(found.principal, np.linalg.eigvalsh(strain), atol=1e-12)
    assert found.area == pytest.approx(np.linalg.det(np.eye(2) + strain) - 1)


def test_spacings_are_those_of_bragg() -> None:
    """Bulk zinc blende d(220) = a/sqrt(8), the number Ma 2023 measured, is (1, 1) doubled of the (001) cell."""
    spacings = {(h, k): d for h, k, d in lateral_spacings(zinc_blende_sheet())}
    assert spacings[2, 2] == pytest.approx(A_ZB / 8**0.5)
    skewed = {round(d, 6) for _, _, d in lateral_spacings(skewed_and_moved(zinc_blende_sheet()), 1.5)}
    assert skewed == {round(d, 6) for d in spacings.values() if d >= 1.5}


def test_measuring_leaves_the_atoms_alone() -> None:
    sheet = skewed_and_moved(wurtzite_sheet())
    before = sheet.copy()
    measure_sheet(sheet)
    assert sheet == before


def test_no_cell_is_an_error_in_words() -> None:
    with pytest.raises(InputError, match="three lattice vectors"):
        measure_sheet(Atoms("CdSe"))


def test_results_are_read_only() -> None:
    sheet = wurtzite_sheet()
    found = local_environments(sheet)
    for array in (found.coordination, found.eclipsed_bonds, in_plane_strain(sheet, sheet).tensor):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
