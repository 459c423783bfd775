"""Two materials: misfit is arithmetic of lattices, particles are neutral, layers peak where mechanics says."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.neighborlist import neighbor_list
from ase.spacegroup import crystal as spacegroup_crystal
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from nanoslab.builders import Shape, build_particle
from nanoslab.builders.interfaces.attachment import Contact, build_attached_pair
from nanoslab.builders.interfaces.coincidence import coincident_cells, face_frame, rotation_of
from nanoslab.builders.interfaces.energy import (
    biaxial_modulus,
    build_superlattice,
    coherent_strain_energy,
    interface_energy,
    relax_superlattice,
)
from nanoslab.builders.interfaces.exchange import exchange_ions
from nanoslab.builders.interfaces.heterostructure import Join, build_heterostructure
from nanoslab.builders.polyomino import perimeter, smallest_perimeter
from nanoslab.crystals import crystal
from nanoslab.errors import InputError

CAPPED = Join(form="capped", first_size=2.0)
ROD = Shape(kind="rod", diameter=1.6, length=4.5)
CUBE = Shape(kind="wulff", diameter=2.2, facets={"001": 1.0})


@pytest.mark.parametrize("face", ["001", "111", "110"])
def test_misfit_is_the_ratio_of_the_lattice_constants(face: str) -> None:
    lead, cadmium = (crystal(name, "experimental") for name in ("PbS-rocksalt", "CdS-zincblende"))
    best = coincident_cells(lead, cadmium, (face, face))[0]
    assert best.strains == pytest.approx([lead.cell[0, 0] / cadmium.cell[0, 0] - 1] * 2, abs=1e-12)
    primitive = face_frame(lead, face)[1]
    assert best.area == pytest.approx(abs(np.linalg.det(primitive)))


def test_misfit_of_wurtzite_prisms_differs_along_a_and_c() -> None:
    sulfide, selenide = crystal("CdS-wurtzite"), crystal("CdSe-wurtzite")
    best = coincident_cells(sulfide, selenide, ("10-10", "10-10"))[0]
    along = [sulfide.cell.lengths()[axis] / selenide.cell.lengths()[axis] - 1 for axis in (0, 2)]
    assert sorted(best.strains) == pytest.approx(sorted(along), abs=1e-9)


def test_chosen_directions_give_their_own_coincident_cell() -> None:
    # [100] along [110]: two constants of the first on three half face diagonals of the second
    cells = tuple(crystal(name, "experimental") for name in ("PbS-rocksalt", "CdS-zincblende"))
    turn = rotation_of(cells, ("001", "001"), ("100", "110"))
    best = coincident_cells(*cells, ("001", "001"), rotation=turn, largest_strain=0.05)[0]
    lead, cadmium = (cell.cell[0, 0] for cell in cells)
    assert best.strains == pytest.approx([2 * lead / (3 * cadmium / 2**0.5) - 1] * 2, abs=1e-9)
    assert best.area == pytest.approx(4 * lead**2)
    strained = best.deformation(1.0, along_normal=False) @ np.array([1.0, 1.0, 0.0])
    assert strained / np.linalg.norm(strained) == pytest.approx([1.0, 0.0, 0.0], abs=1e-9)


@pytest.mark.parametrize("turn", [0.0, 90.0, 180.0, -90.0])
def test_every_turn_of_a_square_face_is_found_with_the_same_strain(turn: float) -> None:
    cells = tuple(crystal(name, "experimental") for name in ("PbS-rocksalt", "CdS-zincblende"))
    best = coincident_cells(*cells, ("001", "001"), rotation=turn)[0]
    assert best.strains == pytest.approx([cells[0].cell[0, 0] / cells[1].cell[0, 0] - 1] * 2, abs=1e-9)
    assert (best.rotation - turn) % 360 == pytest.approx(0.0, abs=1e-6)


def test_directions_of_hexagonal_crystals_are_those_of_four_indices() -> None:
    # on (0001), [11-20] is a lattice vector's direction and [10-10] lies 30 degrees away
    cells = (crystal("CdS-wurtzite"), crystal("CdSe-wurtzite"))
    turn = rotation_of(cells, ("0001", "0001"), ("10-10", "11-20"))
    assert abs(turn) % 60 == pytest.approx(30.0)
    with pytest.raises(InputError, match="direction: expected one in the face 0001"):
        rotation_of(cells, ("0001", "0001"), ("10-11", "11-20"))
    with pytest.raises(InputError, match="turned by 20"):
        coincident_cells(*cells, ("0001", "0001"), rotation=20.0, largest_area=60.0)


def test_a_particle_of_two_materials_keeps_the_directions_chosen() -> None:
    join = Join(form="janus", faces=("001", "001"), parallel=("100", "110"), coherency=0.0)
    atoms = build_heterostructure("PbS-rocksalt", "CdS-zincblende", Shape(diameter=2.5), join, lattice="experimental")
    second = atoms[atoms.get_tags() == 2]
    bonds = neighbor_list("D", second, 2.7)  # along <111> of zinc blende: now [100] is a face diagonal of it
    flat = np.degrees(np.arctan2(bonds[:, 1], bonds[:, 0])) % 90
    assert np.all(np.minimum(flat, 90 - flat) < 0.5)
    assert atoms.info["ledger"]["formal_charge"] == 0


def test_deformation_takes_the_second_lattice_onto_the_first_as_far_as_asked() -> None:
    lead, cadmium = (crystal(name, "experimental") for name in ("PbS-rocksalt", "CdS-zincblende"))
    best = coincident_cells(lead, cadmium, ("001", "001"))[0]
    whole = np.linalg.svd(best.deformation(1.0, along_normal=True))[1]
    assert whole == pytest.approx([1 + best.strains[0]] * 3)
    assert np.linalg.svd(best.deformation(0.0, along_normal=True))[1] == pytest.approx([1.0] * 3)
    half = np.linalg.svd(best.deformation(0.5, along_normal=False))[1]
    assert half == pytest.approx([1 + best.strains[0] / 2] * 2 + [1.0])


@pytest.mark.parametrize("coherency", [1.0, 0.0])
@pytest.mark.parametrize(
    ("names", "shape", "join"),
    [
        (("PbS-rocksalt", "CdS-zincblende"), Shape(diameter=2.8), {"first_size": 1.8}),
        (("PbSe-rocksalt", "CdSe-zincblende"), ROD, {"form": "capped", "first_size": 2.0}),
        (("CdS-zincblende", "CdSe-zincblende"), Shape(diameter=2.2), {"form": "janus"}),
    ],
)
def test_two_materials_are_neutral_and_keep_their_own_lattices(
    names: tuple[str, str], shape: Shape, join: dict[str, object], coherency: float
) -> None:
    atoms = build_heterostructure(*names, shape, Join(**join, coherency=coherency), lattice="experimental")
    recipe, ledger = atoms.info["recipe"], atoms.info["ledger"]
    assert ledger["formal_charge"] == 0
    assert ledger["fewest_bonds"] >= 2
    assert recipe["closest_contact_bonds"] >= 0.8
    assert recipe["edits"]["proven"]
    for tag, name in zip((1, 2), names, strict=True):
        own = atoms[atoms.get_tags() == tag]
        found = neighbor_list("d", own, 3.4).min()
        bulk_bond = neighbor_list("d", crystal(name, "experimental"), 3.4).min()
        stretched = 1 + (recipe["coincidence"]["strains"][0] * coherency if tag == 2 else 0.0)
        bound = sorted([bulk_bond, bulk_bond * stretched])
        assert bound[0] - 1e-6 <= found <= bound[1] + 1e-6


def test_copper_sulfide_rods_with_zinc_sulfide_caps() -> None:
    # antifluorite Cu2S as a stand-in for Cu(2-x)S: any crystal is taken, charges +1 and +2 balance
    copper = spacegroup_crystal(["Cu", "S"], [(0.25,) * 3, (0,) * 3], spacegroup=225, cellpar=[5.57] * 3 + [90] * 3)
    zinc = spacegroup_crystal(["Zn", "S"], [(0,) * 3, (0.25,) * 3], spacegroup=216, cellpar=[5.409] * 3 + [90] * 3)
    rod = Shape(kind="rod", diameter=1.6, length=4.5, axis="111")
    atoms = build_heterostructure(copper, zinc, rod, Join(form="capped", first_size=2.0, faces=("111", "111")))
    counts = atoms.symbols.formula.count()
    assert counts["Cu"] + 2 * counts["Zn"] == 2 * counts["S"]
    assert atoms.info["recipe"]["coincidence"]["strains"] == pytest.approx([5.57 / 5.409 - 1] * 2)
    heights = (atoms.positions - atoms.positions.mean(axis=0)) @ np.ones(3) / 3**0.5
    assert np.abs(heights[atoms.symbols == "Zn"]).min() > np.abs(heights[atoms.symbols == "Cu"]).max() - 3.0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"form": "twin"}, "form: expected one of core-shell"),
        ({"coherency": 2.0}, "a share from 0 to 1"),
        ({"first_size": 9.0}, "room for both materials"),
        ({"largest_strain": 0.001}, "two that meet within"),
    ],
)
def test_impossible_joins_are_one_line(change: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        build_heterostructure(
            "PbS-rocksalt", "CdS-zincblende", Shape(diameter=2.0), Join(**change), lattice="experimental"
        )


@pytest.mark.parametrize("order", ["random", "surface", "ends"])
def test_exchange_is_a_series_that_goes_on(order: str) -> None:
    dot = build_particle("PbS-rocksalt", Shape(diameter=2.0), lattice="experimental")
    before = dot.copy()
    series = exchange_ions(dot, ("Pb", "Cd"), [0.0, 0.3, 0.6, 1.0], order=order)
    assert dot == before
    n_sites = np.count_nonzero(dot.symbols == "Pb")
    shares = [np.count_nonzero(one.symbols == "Cd") / n_sites for one in series]
    assert shares == pytest.approx([0.0, 0.3, 0.6, 1.0], abs=0.5 / n_sites)
    for earlier, later in pairwise(series):
        assert np.all((later.symbols == "Cd")[earlier.symbols == "Cd"])
    assert np.allclose(series[-1].positions, dot.positions)
    centre = dot.positions.mean(axis=0)
    far = np.linalg.norm(dot.positions - centre, axis=1)
    if order == "surface":
        new, old = series[1].symbols == "Cd", series[1].symbols == "Pb"
        assert far[new].mean() > far[old].mean() + 1.0


def test_exchange_keeps_the_charge_where_ions_differ() -> None:
    copper = spacegroup_crystal(["Cu", "S"], [(0.25,) * 3, (0,) * 3], spacegroup=225, cellpar=[5.57] * 3 + [90] * 3)
    dot = build_particle(copper, Shape(diameter=1.8))
    for one in exchange_ions(dot, ("Cu", "Zn"), [0.25, 0.5, 1.0]):
        counts = one.symbols.formula.count()
        assert counts.get("Cu", 0) + 2 * counts["Zn"] == 2 * counts["S"]
    with pytest.raises(InputError, match="ion: expected one of"):
        exchange_ions(dot, ("Ag", "Zn"), [0.5])
    with pytest.raises(InputError, match="a share from 0 to 1"):
        exchange_ions(dot, ("Cu", "Zn"), [1.5])


@pytest.mark.parametrize(("pairs", "gap_planes"), [(0, 2), (4, 2), (9, 2), (4, 4)])
def test_attached_particles_share_one_lattice_and_the_neck_bridges(pairs: int, gap_planes: int) -> None:
    pair = build_attached_pair("PbSe-rocksalt", CUBE, Contact(pairs=pairs, gap_planes=gap_planes))
    tags = pair.get_tags()
    spacing = crystal("PbSe-rocksalt").cell[0, 0] / 2
    assert np.count_nonzero(tags == 3) == 2 * pairs
    lower, upper = (pair.positions[tags == tag, 2] for tag in (1, 2))
    assert upper.min() - lower.max() == pytest.approx((gap_planes + 1) * spacing)
    steps = (pair.positions - pair.positions[0]) / spacing
    assert np.allclose(steps, np.rint(steps), atol=1e-6)
    cation = np.rint(steps).sum(axis=1) % 2 == 0
    assert np.all((pair.symbols == pair.symbols[0]) == cation)
    assert pair.info["ledger"]["formal_charge"] == 0
    if pairs:
        assert neighbor_list("d", pair, 3.3).min() == pytest.approx(spacing)
        columns = {(int(i), int(j)) for i, j in np.rint(steps[tags == 3][:, :2])}
        n_columns = 2 * pairs // gap_planes
        assert len(columns) == n_columns
        assert perimeter(tuple(columns)) == smallest_perimeter(n_columns)
    with pytest.raises(InputError, match="within the"):
        build_attached_pair("PbSe-rocksalt", CUBE, Contact(pairs=100))


@pytest.mark.parametrize(
    ("name", "facets", "face", "pairs"),
    [
        ("PbSe-rocksalt", {"001": 1.0, "111": 1.0}, "111", 4),
        ("CdSe-zincblende", {"001": 1.0}, "001", 4),
        ("CdSe-zincblende", {"110": 1.0}, "110", 5),
        ("CdSe-wurtzite", {"0001A": 1.0, "0001B": 1.0, "10-10": 1.0}, "0001", 6),
        ("CdSe-wurtzite", {"0001A": 1.0, "0001B": 1.0, "10-10": 1.0}, "10-10", 6),
    ],
)
def test_particles_of_any_lattice_attach_by_a_chosen_facet(
    name: str, facets: dict[str, float], face: str, pairs: int
) -> None:
    shape = Shape(kind="wulff", diameter=2.5, facets=facets)
    pair = build_attached_pair(name, shape, Contact(face=face, pairs=pairs))
    tags, neck = pair.get_tags(), pair[pair.get_tags() == 3]
    # one lattice: the whole pair lies on the sites of one crystal, turned as a whole, and every bond is the crystal's
    bond = neighbor_list("d", crystal(name), 3.3).min()
    distances = neighbor_list("d", pair, 1.2 * bond)
    assert np.all(np.abs(distances / bond - 1.0) < 0.02)
    assert pair.info["ledger"]["formal_charge"] == 0
    assert pair.info["ledger"]["fewest_bonds"] >= 2
    assert list(Counter(neck.get_chemical_symbols()).values()) == [pairs, pairs]
    first, second = neighbor_list("ij", pair, 1.2 * bond)
    linked = connected_components(coo_array((np.ones(len(first)), (first, second)), shape=(len(pair),) * 2))[0]
    assert linked == 1
    gap = pair.positions[tags == 2, 2].min() - pair.positions[tags == 1, 2].max()
    assert gap == pytest.approx(pair.info["recipe"]["parameters"]["facing_distance_A"])
    assert neck.positions[:, 2].max() < pair.positions[tags == 2, 2].min()


def test_a_gap_that_the_lattice_does_not_have_is_refused_with_those_it_has() -> None:
    shape = Shape(kind="wulff", diameter=2.5, facets={"001": 1.0})
    with pytest.raises(InputError, match=r"the lattice allows here: 2, 4, 6"):
        build_attached_pair("CdSe-zincblende", shape, Contact(gap_planes=7))


def test_an_interface_of_a_crystal_with_itself_costs_nothing() -> None:
    copper = bulk("Cu", cubic=True)
    same = coincident_cells(copper, copper, ("001", "001"))[0]
    assert abs(interface_energy(build_superlattice((copper, copper), same, (3, 4)), EMT())) < 1e-9


def test_interface_energy_does_not_depend_on_the_thickness_of_the_layers() -> None:
    # EMT: short-ranged, so that four planes are bulk
    copper, silver = bulk("Cu", cubic=True), bulk("Ag", cubic=True)
    best = coincident_cells(copper, silver, ("001", "001"), largest_strain=0.2)[0]
    assert best.strains == pytest.approx([3.61 / 4.09 - 1] * 2)
    thin, thick = (interface_energy(build_superlattice((copper, silver), best, (n, n)), EMT()) for n in (6, 8))
    assert thin == pytest.approx(thick, abs=1e-4)
    assert thin != 0


def test_relaxing_lowers_an_interface_and_leaves_a_perfect_crystal_at_zero() -> None:
    copper, silver = bulk("Cu", cubic=True), bulk("Ag", cubic=True)
    same = build_superlattice((copper, copper), coincident_cells(copper, copper, ("001", "001"))[0], (3, 3))
    assert abs(interface_energy(relax_superlattice(same, EMT(), force=0.005), EMT())) < 2e-4
    best = coincident_cells(copper, silver, ("001", "001"), largest_strain=0.2)[0]
    stack = build_superlattice((copper, silver), best, (6, 6))
    relaxed = relax_superlattice(stack, EMT(), force=0.01)
    assert interface_energy(relaxed, EMT()) < interface_energy(stack, EMT()) - 1e-3
    plane = stack.atoms.cell.array[:2]
    assert np.allclose(relaxed.atoms.cell.array[:2], plane)
    with pytest.raises(InputError, match="forces below 1e-09"):
        relax_superlattice(build_superlattice((copper, silver), best, (1, 1)), EMT(), force=1e-9)


def test_strain_energy_peaks_where_the_layers_are_as_stiff_as_one_another() -> None:
    # EMT: modulus of Cu (001) against its elastic constants, then the peak by numbers against the closed form
    copper, gold = (biaxial_modulus(bulk(one, cubic=True), "001", EMT()) for one in ("Cu", "Au"))
    assert abs(copper.equilibrium) < 0.01
    layers = np.linspace(0.1, 30.0, 3000)
    energies = coherent_strain_energy((copper.modulus, gold.modulus), 0.12, (5.0, layers))
    peak = layers[np.argmax(energies)]
    assert peak == pytest.approx(5.0 * (copper.modulus / gold.modulus) ** 0.5, abs=0.02)
    numbers = []
    for layer in (2.0, peak):
        common = np.linspace(0, 0.12, 20001)
        energy = copper.modulus * 5.0 * common**2 + gold.modulus * layer * (common - 0.12) ** 2
        numbers.append(energy.min() / (5.0 + layer))
    assert numbers == pytest.approx(
        coherent_strain_energy((copper.modulus, gold.modulus), 0.12, (5.0, np.array([2.0, peak]))), rel=1e-4
    )
