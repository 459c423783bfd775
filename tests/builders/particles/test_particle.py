"""Particles: neutral by the fewest edits, nothing loose, nothing too near, facets where Wulff puts them."""

import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list
from pymatgen.analysis.wulff import WulffShape
from pymatgen.io.ase import AseAtomsAdaptor
from scipy.optimize import Bounds, LinearConstraint, milp

from nanoslab.builders import Ligands, Shape, Surface, build_particle, build_twinned, facet_areas
from nanoslab.builders.particles.balance import Total, Wanted, fewest_edits, without_loose
from nanoslab.builders.particles.shapes import lay
from nanoslab.builders.particles.sites import find_centre, sites_within
from nanoslab.builders.stacking import conventional_cell, shortest_distance
from nanoslab.crystals import crystal
from nanoslab.errors import InputError

CRYSTALS = ("CdSe-zincblende", "CdSe-wurtzite", "PbSe-rocksalt")
SHAPES = {
    "sphere": Shape(diameter=2.6),
    "ellipsoid": Shape(kind="ellipsoid", diameter=1.8, length=3.0),
    "rod": Shape(kind="rod", diameter=1.8, length=4.0),
    "platelet": Shape(kind="platelet", diameter=3.0, thickness=1.0),
    "shell": Shape(kind="shell", diameter=3.2, void=1.6),
}


def bonds_of(atoms: Atoms, name: str) -> np.ndarray:
    reach = 1.15 * shortest_distance(crystal(name))
    return np.bincount(neighbor_list("i", atoms, reach), minlength=len(atoms))


@pytest.mark.parametrize("name", CRYSTALS)
@pytest.mark.parametrize("kind", SHAPES)
def test_every_shape_is_neutral_and_nothing_hangs_by_one_bond(name: str, kind: str) -> None:
    atoms = build_particle(name, SHAPES[kind])
    counts = atoms.symbols.formula.count()
    assert len(set(counts.values())) == 1
    assert bonds_of(atoms, name).min() >= 2
    assert bonds_of(atoms, name).min() == atoms.info["ledger"]["fewest_bonds"]
    assert atoms.info["recipe"]["edits"]["proven"]
    assert atoms.info["recipe"]["closest_contact_bonds"] == pytest.approx(1.0)


@pytest.mark.parametrize("name", CRYSTALS)
@pytest.mark.parametrize("centre", ["bond", "Se"])
def test_a_sweep_of_sizes_is_neutral_without_exception(name: str, centre: str) -> None:
    for diameter in np.arange(1.0, 3.01, 0.25):
        atoms = build_particle(name, Shape(diameter=float(diameter)), centre=centre)
        assert atoms.info["ledger"]["formal_charge"] == 0
        assert bonds_of(atoms, name).min() >= 2
        assert atoms.info["recipe"]["edits"]["proven"]


@pytest.mark.slow
@pytest.mark.parametrize("name", CRYSTALS)
@pytest.mark.parametrize("centre", ["bond", "Se"])
def test_the_sweep_to_8_nm_is_neutral_without_exception(name: str, centre: str) -> None:
    for diameter in np.arange(1.0, 8.01, 0.25):
        atoms = build_particle(name, Shape(diameter=float(diameter)), centre=centre)
        assert atoms.info["ledger"]["formal_charge"] == 0
        assert atoms.info["ledger"]["fewest_bonds"] >= 2
        assert atoms.info["recipe"]["edits"]["proven"]


@pytest.mark.parametrize("name", CRYSTALS)
@pytest.mark.parametrize("diameter", [1.0, 1.5, 2.0])
def test_no_set_of_edits_among_all_sites_is_smaller(name: str, diameter: float) -> None:
    # the same question asked with a variable for every site of a block far wider than the particle
    cell = conventional_cell(crystal(name))
    cut = lay(Shape(diameter=diameter), cell)
    sites = sites_within(cell, {"Cd": 2.0, "Pb": 2.0, "Se": -2.0}, find_centre(cell, "Se"), cut.reach + 8.0)
    sizes = cut.size(sites.positions)
    inside = without_loose(sites, cut.inside(sizes), 2)
    found = fewest_edits(sites, inside, sizes, Wanted(totals=[Total(weights=sites.charges, least=0, most=0)]))
    two_bonds = sites.bonded.toarray() - 2.0 * np.eye(len(inside))
    whole = milp(
        np.where(inside, -1.0, 1.0),
        integrality=np.ones(len(inside)),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(two_bonds, 0, np.inf), LinearConstraint(sites.charges[None], 0, 0)],
    )
    assert found.n_removed + found.n_added == round(whole.fun + inside.sum()) == found.fewest_possible


def test_polar_sides_are_those_of_the_cation_and_the_anion() -> None:
    # an octahedron cut closer on side A has larger A faces, whose atoms with one cut bond are cations
    near = {"111A": 1.0, "111B": 1.4}
    shares = facet_areas(crystal("CdSe-zincblende"), near)
    assert shares["111A"] > 0.75
    atoms = build_particle("CdSe-zincblende", Shape(kind="wulff", diameter=3.0, facets=near), Surface(charge=None))
    counts = atoms.symbols.formula.count()
    assert counts["Cd"] > 1.1 * counts["Se"]
    wurtzite = facet_areas(crystal("CdSe-wurtzite"), {"0001A": 1.0, "0001B": 1.5, "10-10": 1.0})
    assert wurtzite["0001A"] == pytest.approx(wurtzite["0001B"])  # a prism: both bases are alike
    with pytest.raises(InputError, match="a polar face"):
        facet_areas(crystal("PbSe-rocksalt"), {"001A": 1.0})


@pytest.mark.filterwarnings("ignore")
def test_areas_of_wulffs_polyhedron_are_those_of_pymatgen() -> None:
    energies = {"001": 1.0, "111": 1.1, "110": 1.15}
    cell = crystal("PbSe-rocksalt")
    lattice = AseAtomsAdaptor.get_structure(cell).lattice
    theirs = WulffShape(lattice, [(0, 0, 1), (1, 1, 1), (1, 1, 0)], list(energies.values())).area_fraction_dict
    ours = facet_areas(cell, energies)
    for face, miller in (("001", (0, 0, 1)), ("111", (1, 1, 1)), ("110", (1, 1, 0))):
        assert ours[face] == pytest.approx(theirs[miller], abs=1e-6)


@pytest.mark.parametrize("diameter", [3.0, 6.0, 9.0, 12.0])
def test_facets_of_particles_approach_wulffs_areas(diameter: float) -> None:
    # every face of the atoms lies less than one plane below that of the polyhedron: the shares differ by no more
    facets = {"001": 1.0, "111": 1.15}
    cell = crystal("PbSe-rocksalt")
    edge = float(cell.cell.lengths()[0])
    cut = lay(Shape(kind="wulff", diameter=diameter, facets=facets), cell)
    sites = sites_within(cell, {"Pb": 2.0, "Se": -2.0}, np.zeros(3), cut.reach)
    share = facet_areas(cell, facets, sites.positions[cut.inside(cut.size(sites.positions))])
    far = 1.0 / cut.size(np.array([[0.0, 0.0, 1.0]]))[0]
    distances = {"001": far, "111": 1.15 * far}
    spacings = {"001": edge / 2, "111": edge / 12**0.5}
    closer = {face: {**distances, face: distances[face] - spacings[face]} for face in facets}
    least, most = (facet_areas(cell, closer[face])["001"] for face in ("111", "001"))
    assert least <= share["001"] <= most
    assert most - least < 3.0 / diameter
    assert "other" not in share


@pytest.mark.parametrize(("name", "charge"), [("Cl", -1), ("CdCl2", -1), ("formate", -1)])
def test_ligands_complete_the_charge(name: str, charge: int) -> None:
    atoms = build_particle("CdSe-zincblende", Shape(diameter=2.0), Surface(ligands=Ligands(name=name)))
    ledger = atoms.info["ledger"]
    excess = 2 * (ledger["counts"]["Cd"] - ledger["counts"]["Se"])
    assert ledger["formal_charge"] == 0
    assert ledger["ligands"]["number"] == excess > 0
    anions = atoms[atoms.symbols == "Se"]
    core = atoms[[atom.symbol in ("Cd", "Se") for atom in atoms]]
    bonds = bonds_of(core, "CdSe-zincblende")[core.symbols == "Se"]
    assert len(anions) == len(bonds)
    assert bonds.min() >= 3
    assert atoms.info["recipe"]["closest_contact_bonds"] >= 0.8


def test_the_number_of_ligands_asked_for_is_bound() -> None:
    salt = build_particle("CdSe-zincblende", Shape(diameter=2.0), Surface(ligands=Ligands(name="CdCl2", count=5)))
    assert salt.symbols.formula.count()["Cl"] == 10
    assert salt.info["ledger"]["formal_charge"] == 0
    amine = build_particle("CdSe-wurtzite", Shape(diameter=1.5), Surface(ligands=Ligands(name="octylamine", count=3)))
    assert amine.symbols.formula.count()["N"] == 3


@pytest.mark.parametrize(("name", "charges"), [("CdSe-zincblende", (1.5, 0.5)), ("PbSe-rocksalt", (1.0, 1 / 3))])
def test_pseudo_hydrogen_gives_every_cut_bond_two_electrons(name: str, charges: tuple[float, float]) -> None:
    atoms = build_particle(name, Shape(diameter=2.0), Surface(ligands=Ligands(name="pseudo-hydrogen")))
    told = atoms.info["ledger"]["ligands"]
    assert tuple(told["nuclear_charges_e"].values()) == pytest.approx(charges)
    # electrons: (8 - q) / z per cut bond of the cation and its own q / z make 8 / z each
    core = atoms[[atom.symbol != "H" for atom in atoms]]
    full = 4 if "zinc" in name else 6
    assert told["number"] == full * len(core) - bonds_of(core, name).sum() == atoms.symbols.formula.count()["H"]


def test_charges_other_than_zero_and_fixed_ratios() -> None:
    assert (
        build_particle("CdSe-zincblende", Shape(diameter=2.0), Surface(charge=4)).info["ledger"]["formal_charge"] == 4
    )
    bare = build_particle("CdSe-zincblende", Shape(diameter=2.0), Surface(charge=None), centre="Cd")
    assert bare.info["ledger"]["formal_charge"] != 0
    ratio = build_particle("CdSe-zincblende", Shape(diameter=2.0), Surface(charge=None, stoichiometric=True))
    assert len(set(ratio.symbols.formula.count().values())) == 1


def test_twinned_particles_are_closed_shells() -> None:
    # Mackay: 13, 55, 147, 309 ... atoms
    sizes = [len(build_twinned("Pt-fcc", "icosahedron", diameter)) for diameter in (0.7, 1.1, 1.5, 2.0)]
    assert sizes == [13, 55, 147, 309]
    marks = build_twinned("Pt-fcc", "decahedron", 2.5)
    assert marks.info["ledger"]["diameter_A"] == pytest.approx(25, abs=4)
    assert marks.info["ledger"]["formal_charge"] == 0
    with pytest.raises(InputError, match="an fcc metal"):
        build_twinned("Cd-hcp", "icosahedron", 2.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "cube"}, "shape: expected one of sphere"),
        ({"diameter": -1.0}, "diameter"),
        ({"void": 1.0}, "void: expected none for a sphere"),
        ({"kind": "shell", "void": 5.0}, "void: expected 0 to 2 nm"),
        ({"kind": "wulff"}, "facets: expected faces with their energies"),
        ({"kind": "wulff", "facets": {"001A": 1.0}}, "a polar face"),
    ],
)
def test_impossible_shapes_are_one_line(change: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        build_particle("PbSe-rocksalt", Shape(**{"diameter": 2.0, **change}))


@pytest.mark.parametrize(
    ("surface", "words"),
    [
        ({"charge": 3.0}, "charge: expected a multiple of 2 e, got 3 e"),
        ({"fewest_bonds": 7}, "one that surface atoms can reach"),
        ({"ligands": ("oleat", None)}, "did you mean oleate"),
        ({"ligands": ("Cl", 0)}, "1 or more"),
        ({"ligands": ("octylamine", 500)}, "room for 500"),
    ],
)
def test_impossible_surfaces_are_one_line(surface: dict[str, object], words: str) -> None:
    def build() -> None:
        ligands = surface.get("ligands")
        rest = {key: value for key, value in surface.items() if key != "ligands"}
        found = None if ligands is None else Ligands(name=ligands[0], count=ligands[1])
        build_particle("CdSe-zincblende", Shape(diameter=1.5), Surface(**rest, ligands=found))

    with pytest.raises(InputError, match=words):
        build()
