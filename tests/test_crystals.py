"""Reference crystals: what every file must be, against spglib, ASE's element table and plain geometry."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.constraints import FixAtoms
from ase.data import atomic_numbers, reference_states
from ase.neighborlist import neighbor_list
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from nanoslab.crystals import crystal, crystal_names, crystal_record, load_crystal
from nanoslab.errors import FileError, InputError
from nanoslab.symmetry import crystal_symmetry

#: name -> shortest distances [Å] between which every lattice must lie: the bond lengths of chemistry
BONDS = {
    "CdSe-wurtzite": (2.6, 2.7),
    "CdSe-zincblende": (2.6, 2.7),
    "CdS-wurtzite": (2.5, 2.6),
    "CdS-zincblende": (2.5, 2.6),
    "CdTe-wurtzite": (2.75, 2.9),
    "CdTe-zincblende": (2.75, 2.9),
    "ZnSe-wurtzite": (2.4, 2.5),
    "ZnSe-zincblende": (2.4, 2.5),
    "PbS-rocksalt": (2.9, 3.05),
    "PbSe-rocksalt": (3.0, 3.15),
    "Se-trigonal": (2.3, 2.45),
    "Te-trigonal": (2.8, 2.95),
    "S-alpha": (2.0, 2.1),
    "Cd-hcp": (2.95, 3.1),
    "Zn-hcp": (2.6, 2.75),
    "Pb-fcc": (3.45, 3.6),
    "Pt-fcc": (2.75, 2.85),
}
NEIGHBOURS = {"wurtzite": 4, "zincblende": 4, "rocksalt": 6, "trigonal": 2, "alpha": 2, "fcc": 12, "hcp": 6}
EVERY_LATTICE = [(name, lattice) for name in crystal_names() for lattice in crystal_record(name).lattices]


def test_the_crystals_that_the_studies_need_are_there() -> None:
    assert set(BONDS) == set(crystal_names())


@pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING")  # spglib, as pymatgen calls it
@pytest.mark.parametrize(("name", "lattice"), EVERY_LATTICE)
def test_file_says_what_the_structure_is(name: str, lattice: str) -> None:
    record = crystal_record(name)
    atoms = crystal(name, lattice)
    symmetry = crystal_symmetry(atoms, 1e-4)
    assert symmetry.number == record.space_group
    assert symmetry.symbol.replace("_", "") == record.space_group_symbol.replace("_", "")
    theirs = SpacegroupAnalyzer(AseAtomsAdaptor.get_structure(atoms), symprec=1e-4).get_symmetrized_structure()
    orbits = zip(theirs.equivalent_sites, theirs.wyckoff_symbols, strict=True)
    sites = {(orbit[0].specie.symbol, wyckoff) for orbit, wyckoff in orbits}
    assert sites == {(site.species, site.wyckoff) for site in record.sites}
    assert atoms.symbols.formula.reduce()[0] == Atoms(record.formula).symbols.formula
    shortest = neighbor_list("d", atoms, 4.0).min()
    assert BONDS[name][0] < shortest < BONDS[name][1]
    counts = np.bincount(neighbor_list("i", atoms, 1.05 * shortest), minlength=len(atoms))
    assert set(counts) == {NEIGHBOURS[name.partition("-")[2]]}


@pytest.mark.parametrize(("name", "lattice"), EVERY_LATTICE)
def test_every_lattice_has_its_provenance(name: str, lattice: str) -> None:
    found = crystal_record(name).lattices[lattice]
    assert len(found.source) > 20
    assert found.transformed
    assert set("abc") & set(found.parameters)


@pytest.mark.parametrize("name", [name for name in crystal_names() if "pbe" in crystal_record(name).lattices])
def test_pbe_cells_are_up_to_4_percent_longer_than_measured_ones(name: str) -> None:
    # PBE underbinds: 0 to 3 % in lengths for these compounds and metals; more (3.6 %) between the chains of trigonal
    # Se, which dispersion holds; hexagonal Zn is the known exception (-0.1 % in a, +1.2 % in c)
    measured, computed = (crystal(name, lattice).cell.cellpar()[:3] for lattice in ("experimental", "pbe"))
    assert (computed / measured > 0.995).all()
    assert (computed / measured < 1.04).all()


@pytest.mark.parametrize("name", ["Cd-hcp", "Zn-hcp", "Pb-fcc", "Se-trigonal", "Te-trigonal"])
def test_measured_elements_agree_with_the_table_of_ase(name: str) -> None:
    known = reference_states[atomic_numbers[name.partition("-")[0]]]
    a, _, c = crystal(name, "experimental").cell.cellpar()[:3]
    # the table of ASE (Ashcroft and Mermin) is rounded to 0.01 Å and 0.001 in c/a; its Zn c/a is 0.5 % off
    assert a == pytest.approx(known["a"], abs=0.01)
    assert c / a == pytest.approx(known.get("c/a", 1), rel=0.006)


def test_sulfur_consists_of_rings_of_eight() -> None:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    atoms = crystal("S-alpha", "experimental")
    i, j = neighbor_list("ij", atoms, 2.3)
    n_rings, ring = connected_components(coo_matrix((np.ones(len(i)), (i, j)), shape=(128, 128)))
    assert n_rings == 16
    assert (np.bincount(ring) == 8).all()


def test_wurtzite_is_the_cell_of_ase() -> None:
    ours = crystal("CdSe-wurtzite", "experimental")
    theirs = bulk("CdSe", "wurtzite", a=4.299, c=7.01, u=0.375)
    assert ours.cell.cellpar() == pytest.approx(theirs.cell.cellpar())
    for cutoff in (3.0, 4.5, 6.0):
        assert sorted(neighbor_list("d", ours, cutoff)) == pytest.approx(sorted(neighbor_list("d", theirs, cutoff)))


def test_cations_point_up_along_the_polar_axis() -> None:
    # the bond along c runs from the cation up to the anion, so (0001) ends in cations with three bonds to below
    atoms = crystal("CdSe-wurtzite")
    cation = atoms[atoms.symbols == "Cd"].positions[0]
    bonds = [vector for i, vector in zip(*neighbor_list("iD", atoms, 3.0), strict=True) if i == 0]
    vertical = next(vector for vector in bonds if abs(vector[2]) > 2)
    assert vertical[2] > 0, cation


def test_lead_sulfide_has_the_density_computed_by_the_materials_project() -> None:
    # mp-21276 (doi:10.17188/1196542): PBE with VASP, 7.35 g/cm3; two codes agree to 0.1 % in a, so 0.3 % here
    atoms = crystal("PbS-rocksalt")
    grams = atoms.get_masses().sum() * units._amu * 1e3
    assert grams / (atoms.get_volume() * 1e-24) == pytest.approx(7.35, rel=3e-3)


def test_a_crystal_without_pbe_constants_says_how_to_go_on() -> None:
    with pytest.raises(InputError, match=r"got pbe \(taken when none is given\).*--lattice experimental"):
        crystal("S-alpha")


def test_a_bare_formula_gets_its_phases_as_advice() -> None:
    with pytest.raises(InputError, match="did you mean CdSe-wurtzite or CdSe-zincblende"):
        crystal("CdSe")
    with pytest.raises(InputError, match="did you mean PbSe-rocksalt"):
        crystal("PbSe-rocksalr")
    with pytest.raises(InputError, match=r"lattice of S-alpha.*experimental"):
        crystal("S-alpha", "pbe")


def test_a_crystal_can_come_from_a_file_or_as_atoms(tmp_path: Path) -> None:
    path = tmp_path / "mine.cif"
    crystal("PbSe-rocksalt").write(path)
    mine = load_crystal(path)
    assert len(mine) == 8
    parameters = {"file": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    assert mine.info["recipe"]["parameters"] == parameters
    poscar = tmp_path / "POSCAR"
    fixed = crystal("PbSe-rocksalt")
    fixed.set_constraint(FixAtoms([0]))
    fixed.write(poscar)
    assert not load_crystal(poscar).constraints
    assert load_crystal(poscar).cell.cellpar() == pytest.approx(mine.cell.cellpar())
    atoms = bulk("CdSe", "zincblende", a=6.0)
    assert load_crystal(atoms) == atoms
    assert load_crystal(atoms) is not atoms
    with pytest.raises(InputError, match="lattice: expected none beside a structure"):
        load_crystal(atoms, "pbe")


@pytest.mark.parametrize("text", ["", "not a structure\n", "2\n\nSe 0 0 0\nSe 0 0 2\n"])
def test_a_file_that_holds_no_crystal_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.xyz"
    path.write_text(text)
    with pytest.raises(FileError, match=r"mine\.xyz"):
        load_crystal(path)


def test_records_travel_to_worker_processes() -> None:
    record = crystal_record("CdSe-wurtzite")
    assert pickle.loads(pickle.dumps(record)) == record  # noqa: S301


def test_a_package_brings_crystals_of_its_own_and_replaces_none_of_ours(tmp_path, monkeypatch):
    from importlib.metadata import EntryPoint

    from nanoslab import crystals

    ours = crystals._records()["ZnSe-zincblende"]
    text = ours.read_text()
    (tmp_path / "ZnTe-zincblende.json").write_text(text.replace("ZnSe", "ZnTe").replace('"Se"', '"Te"'))
    (tmp_path / "ZnSe-zincblende.json").write_text("{}")
    point = EntryPoint("mine", "brought:FOLDER", crystals.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda _: tmp_path)
    monkeypatch.setattr(crystals, "entry_points", lambda group: [point] if group == crystals.GROUP else [])
    crystals._records.cache_clear()
    try:
        assert crystal("ZnTe-zincblende").get_chemical_formula() == "Te4Zn4"
        assert crystals._records()["ZnSe-zincblende"] == ours
    finally:
        crystals._records.cache_clear()
