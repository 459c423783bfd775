"""INCAR and KPOINTS: every rule alone, then what the published settings become."""

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from pymatgen.io.vasp.inputs import Incar as PymatgenIncar
from pymatgen.io.vasp.inputs import Kpoints as PymatgenKpoints

from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.errors import InputError
from nanoslab.presets import PRESETS, crystal_settings, isolated_atom_settings, kpoint_mesh, preset
from nanoslab.vasp.inputs import settings as rules
from nanoslab.vasp.inputs.incar_names import FUNCTIONALS, check_tag, known_tags
from nanoslab.vasp.inputs.settings import RULES, incar, kpoints_text, vasp_binary
from nanoslab.vasp.inputs.shape import centre_of_mass, empty_widths, is_hexagonal_like

SLAB = Atoms(
    "Cd2Se2",
    positions=[[0, 0, 8], [2, 2, 11], [2, 0, 9.5], [0, 2, 12.5]],
    cell=[4, 4, 25],
    pbc=True,
)
ATOM = Atoms("Se", cell=[12, 13, 14], positions=[[6, 6, 6]], pbc=True)


def calculation(atoms: Atoms = SLAB, **changes: Any) -> Calculation:
    settings = replace(preset("ma2023-zincblende"), **changes)
    return Calculation(name="sheet", role=Role(kind="pristine"), atoms=atoms, settings=settings)


def test_published_settings_of_ma_2023() -> None:
    # doi:10.1002/advs.202205690: PAW, PBE, 400 eV, Gaussian 0.1 eV, 1e-5 eV, 1e-2 eV/Å
    tags = incar(calculation()).tags
    published = {"GGA": "PE", "ENCUT": 400.0, "ISMEAR": 0, "SIGMA": 0.1, "EDIFF": 1e-5, "EDIFFG": -1e-2}
    assert {tag: tags[tag] for tag in published} == published
    assert preset("ma2023-wurtzite").kpoints == (4, 3, 1)
    assert preset("ma2023-zincblende").kpoints == (4, 4, 1)


@pytest.mark.parametrize(
    ("symbols", "values", "expected"),
    [
        # the U of nickel and cerium, as pymatgen's sets have them; species in the order of the POSCAR
        ("ONiO", {"Ni": 6.2}, ("-1 2", "0 6.2", 4)),
        ("Ce2O3", {"Ce": 5.0, "Ni": 6.2}, ("3 -1", "5 0", 6)),
        ("CdSe", {"Cd": 2.1, "Se": 0.5}, ("2 1", "2.1 0.5", 4)),
    ],
)
def test_a_hubbard_u_acts_on_the_shell_of_its_element(
    symbols: str, values: dict[str, float], expected: tuple[str, str, int]
) -> None:
    atoms = Atoms(symbols, positions=np.arange(15).reshape(5, 3)[: len(Atoms(symbols))], cell=[20, 20, 20], pbc=True)
    tags = incar(calculation(atoms, hubbard_u=values)).tags
    assert (tags["LDAUL"], tags["LDAUU"], tags["LMAXMIX"]) == expected
    assert (tags["LDAU"], tags["LDAUTYPE"]) == (True, 2)
    assert not any(tag.startswith("LDAU") for tag in incar(calculation(hubbard_u={"Fe": 4.0})).tags)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_name_their_source_and_travel(name: str) -> None:
    settings = preset(name)
    # a paper with its year, or plainly a default
    assert "20" in settings.source or settings.source.startswith("default: ")
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301


def test_an_unknown_preset_gets_a_suggestion() -> None:
    with pytest.raises(InputError, match="did you mean ma2023"):
        preset("ma2032")


def test_no_two_rules_say_the_same_tag() -> None:
    everything = calculation(functional="HSE06", spin_polarized=True, dipole_correction=True, hubbard_u={"Cd": 2.0})
    said = [tag for rule in RULES for tag in rule(everything)]
    assert len(said) == len(set(said))
    assert set(said) <= known_tags()


def test_pymatgen_reads_the_same_tags_back() -> None:
    ours = incar(calculation(spin_polarized=True, dipole_correction=True, extra={"NCORE": 4}))
    theirs = PymatgenIncar.from_str(ours.text())
    assert theirs["MAGMOM"] == [1.0] * 4
    assert theirs["LDIPOL"] is True
    assert theirs["ENCUT"] == 400
    assert theirs["NCORE"] == 4
    assert set(theirs) == set(ours.tags)


@pytest.mark.parametrize(("smearing", "number"), [("gaussian", 0), ("methfessel-paxton", 1), ("fermi", -1)])
def test_smearing(smearing: str, number: int) -> None:
    assert rules.smearing(calculation(smearing=smearing))["ISMEAR"] == number


def test_tetrahedra_need_k_points_and_gamma() -> None:
    assert rules.smearing(calculation(smearing="tetrahedron", kpoints=(4, 4, 4)))["ISMEAR"] == -5
    for changes in ({"kpoints": (1, 1, 1)}, {"kpoints": (4, 4, 4), "gamma_centred": False}):
        with pytest.raises(InputError, match="tetrahedron"):
            rules.smearing(calculation(smearing="tetrahedron", **changes))


def test_relaxation() -> None:
    assert rules.relaxation(calculation(relax="none")) == {"IBRION": -1, "NSW": 0}
    assert rules.relaxation(calculation())["ISIF"] == 2
    crystal = calculation(bulk("CdSe", "zincblende", a=6.2), relax="cell")
    assert rules.relaxation(crystal) == {"IBRION": 2, "ISIF": 3, "NSW": 200, "EDIFFG": -0.01}


def test_the_cell_of_a_sheet_relaxes_in_its_plane_alone() -> None:
    sheet = calculation(relax="cell")
    assert incar(sheet).tags["ISIF"] == 3
    assert "LATTICE_CONSTRAINTS = .TRUE. .TRUE. .FALSE.\n" in incar(sheet).text()
    assert any("older VASP ignores it" in remark for remark in incar(sheet).remarks)
    assert "LATTICE_CONSTRAINTS" not in incar(calculation()).tags
    crystal = calculation(bulk("CdSe", "zincblende", a=6.2), relax="cell")
    assert "LATTICE_CONSTRAINTS" not in incar(crystal).tags


def test_a_sheet_that_lies_askew_in_its_cell_is_not_relaxed_as_a_cell() -> None:
    turned = calculation(relax="cell").atoms.copy()
    turned.rotate(90, "x", rotate_cell=True)
    wire = turned.copy()
    wire.set_cell([20.0, 6.0, 30.0])
    for atoms in (turned, wire):
        with pytest.raises(InputError, match=r"'cell' with .* Å of vacuum"):
            incar(calculation(atoms, relax="cell"))


def test_moments_follow_the_order_of_the_poscar() -> None:
    atoms = Atoms("SeCdSe", positions=np.eye(3), cell=[4, 4, 4], magmoms=[2.0, 0.5, -2.0])
    assert rules.spin(calculation(atoms, spin_polarized=True))["MAGMOM"] == (2.0, -2.0, 0.5)


def test_spin_without_moments_starts_where_vasp_starts() -> None:
    assert rules.spin(calculation(spin_polarized=True)) == {"ISPIN": 2, "MAGMOM": (1.0,) * 4}
    assert rules.spin(calculation()) == {"ISPIN": 1}


def test_unused_moments_are_remarked() -> None:
    atoms = SLAB.copy()
    atoms.set_initial_magnetic_moments([1, 0, 0, 0])
    assert any("not used" in remark for remark in incar(calculation(atoms)).remarks)


def test_vector_moments_need_a_noncollinear_run() -> None:
    atoms = Atoms("Se", cell=[4, 4, 4], magmoms=[[0, 0, 2.0]])
    with pytest.raises(InputError, match="LNONCOLLINEAR"):
        incar(calculation(atoms, spin_polarized=True))
    run = calculation(atoms, spin_polarized=True, extra={"LNONCOLLINEAR": True})
    assert incar(run).tags["MAGMOM"] == (0.0, 0.0, 2.0)
    assert "ISPIN" not in incar(run).tags
    assert vasp_binary(run) == "vasp_ncl"


@pytest.mark.parametrize(("symbol", "moment"), [("Se", 2), ("Cd", 0), ("Pb", 2), ("S", 2)])
def test_isolated_atoms_are_in_their_ground_state(symbol: str, moment: int) -> None:
    # Hund's rule: 3P of the chalcogens and of Pb, 1S of Cd
    atom = Atoms(symbol, cell=[12, 13, 14], pbc=True)
    run = Calculation(
        name="atom", role=Role(kind="atom"), atoms=atom, settings=isolated_atom_settings(preset("ma2023"))
    )
    tags = incar(run).tags
    assert (tags["NUPDOWN"], tags["MAGMOM"]) == (moment, (float(moment),))
    assert (tags["ISYM"], tags["ISMEAR"], tags["NSW"]) == (0, 0, 0)
    assert tags["SIGMA"] == 0.01
    assert kpoints_text(run).splitlines()[2:4] == ["Gamma", "1 1 1"]
    assert vasp_binary(run) == "vasp_gam"
    assert not incar(run).remarks


def test_a_cubic_box_and_a_wide_smearing_of_an_atom_are_remarked() -> None:
    atom = Atoms("Se", cell=[12, 12, 14], pbc=True)
    remarks = " ".join(incar(calculation(atom, kpoints=(1, 1, 1))).remarks)
    assert "equal edges" in remarks
    assert "occupations are 0 or 1" in remarks


def test_crystals_and_slabs_are_no_isolated_atoms() -> None:
    assert rules.isolated_atom(calculation()) == {}
    assert rules.isolated_atom(calculation(bulk("Pb", "fcc", a=5.03))) == {}


def test_dipole_correction_is_about_the_centre_of_mass() -> None:
    tags = rules.dipole(calculation(dipole_correction=True))
    height = float(np.average(SLAB.positions[:, 2], weights=SLAB.get_masses())) / 25
    assert tags == {"LDIPOL": True, "IDIPOL": 3, "DIPOL": (0.5, 0.5, round(height, 6))}
    assert rules.dipole(calculation()) == {}


@pytest.mark.parametrize("shift", [0.0, 5.0, 13.5, 16.0, -9.0])
def test_centre_of_mass_of_a_slab_that_the_cell_cuts(shift: float) -> None:
    moved = SLAB.copy()
    moved.positions[:, 2] += shift
    moved.wrap()
    expected = (np.average(SLAB.positions[:, 2], weights=SLAB.get_masses()) + shift) / 25
    assert centre_of_mass(moved)[2] == pytest.approx(expected % 1.0, abs=1e-9)


def test_dipole_correction_needs_a_perpendicular_third_vector() -> None:
    tilted = SLAB.copy()
    tilted.set_cell([[4, 0, 0], [0, 4, 0], [1, 0, 25]])
    with pytest.raises(InputError, match="third lattice vector perpendicular"):
        incar(calculation(tilted, dipole_correction=True))


def test_vacuum_is_measured_across_the_planes_of_a_skewed_cell() -> None:
    tilted = Atoms("Se", cell=[[4, 0, 0], [0, 4, 0], [9, 0, 25]], pbc=True)
    assert empty_widths(tilted)[2] == pytest.approx(25, abs=1e-6)  # the height, not the length of c


@pytest.mark.parametrize("functional", FUNCTIONALS)
def test_functionals_are_known_to_pymatgen(functional: str) -> None:
    assert set(rules.functional(calculation(functional=functional))) <= known_tags()


def test_an_unknown_functional_gets_a_suggestion() -> None:
    with pytest.raises(InputError, match="did you mean PBEsol"):
        incar(calculation(functional="PBEsool"))


@pytest.mark.parametrize(
    ("tag", "field"), [("ENCUT", "cutoff_energy"), ("ISPIN", "spin_polarized"), ("GGA", "functional")]
)
def test_a_tag_that_a_field_says_is_refused(tag: str, field: str) -> None:
    with pytest.raises(InputError, match=field):
        incar(calculation(extra={tag: 1}))


def test_a_replaced_default_is_remarked_and_verbatim() -> None:
    written = incar(calculation(extra={"LREAL": "Auto", "NCORE": 8}))
    assert "LREAL = Auto\n" in written.text()
    assert written.remarks == ("INCAR tag LREAL = Auto of extra replaces .FALSE.",)


@pytest.mark.parametrize(("tag", "meant"), [("LWAV", "LWAVE"), ("encut", "ENCUT"), ("NCOR", "NCORE")])
def test_a_misspelt_tag_gets_a_suggestion(tag: str, meant: str) -> None:
    with pytest.raises(InputError, match=f"did you mean .*{meant}"):
        check_tag(tag)


def test_a_tag_nobody_knows_is_let_through_with_a_remark() -> None:
    assert "known neither" in str(check_tag("QQZZXXKK"))


def test_kpoints_are_read_by_pymatgen() -> None:
    mesh = PymatgenKpoints.from_str(kpoints_text(calculation()))
    assert mesh.kpts == [(4, 4, 1)]
    assert mesh.style.name == "Gamma"
    mesh = PymatgenKpoints.from_str(kpoints_text(calculation(gamma_centred=False)))
    assert mesh.style.name == "Monkhorst"


@pytest.mark.parametrize("atoms", [bulk("CdSe", "wurtzite", a=4.3, c=7.0), bulk("Pb", "fcc", a=5.0)])
def test_hexagonal_cells_get_no_mesh_that_misses_gamma(atoms: Atoms) -> None:
    assert is_hexagonal_like(atoms)
    with pytest.raises(InputError, match="Gamma-centred"):
        kpoints_text(calculation(atoms, gamma_centred=False))
    assert "Monkhorst" in kpoints_text(calculation(atoms, gamma_centred=False, kpoints=(3, 3, 3)))


def test_k_points_across_the_vacuum_are_remarked() -> None:
    assert any("across the vacuum" in remark for remark in incar(calculation(kpoints=(4, 4, 2))).remarks)


@pytest.mark.parametrize("spacing", [0.15, 0.2, 0.3])
def test_mesh_is_the_smallest_that_is_dense_enough(spacing: float) -> None:
    cell = np.array([[4.3, 0, 0], [-2.15, 3.72, 0], [0.5, 0.3, 7.0]])
    mesh = np.array(kpoint_mesh(cell, spacing=spacing))
    lengths = np.linalg.norm(2 * np.pi * np.linalg.inv(cell).T, axis=1)
    assert (lengths / mesh <= spacing + 1e-9).all()
    assert ((mesh == 1) | (lengths / np.maximum(mesh - 1, 1) > spacing)).all()


def test_references_keep_the_level_of_theory() -> None:
    base = preset("ma2023")
    metal = crystal_settings(base, np.eye(3) * 5.0, spacing=0.2, metal=True)
    assert (metal.functional, metal.cutoff_energy) == (base.functional, base.cutoff_energy)
    assert (metal.relax, metal.smearing) == ("cell", "methfessel-paxton")
    assert isolated_atom_settings(base).cutoff_energy == base.cutoff_energy


def test_inputs_are_not_changed() -> None:
    before, run = SLAB.copy(), calculation(spin_polarized=True, dipole_correction=True)
    incar(run)
    kpoints_text(run)
    assert before == run.atoms
    assert run.settings == Settings(**{f: getattr(run.settings, f) for f in run.settings.__slots__})


@pytest.mark.parametrize(
    "name", ["MPRelaxSet", "MPStaticSet", "MPScanRelaxSet", "MITRelaxSet", "MVLSlabSet", "MatPESStaticSet"]
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of spglib under pymatgen
def test_the_tags_of_a_pymatgen_set_arrive_in_the_deck(name):
    from pymatgen.io.vasp import sets

    from nanoslab.structure_types import to_structure
    from nanoslab.studies.settings_model import SettingsModel

    atoms = bulk("CdSe", "wurtzite", a=4.3, c=7.0)
    settings = replace(SettingsModel(preset=name).settings(), kpoints=(4, 4, 3), relax="ions")
    ours = incar(Calculation(name="bulk", role=Role(kind="bulk"), atoms=atoms, settings=settings)).tags
    theirs = getattr(sets, name)(to_structure(atoms)).incar
    for tag in ("ENCUT", "ISMEAR", "SIGMA", "ISPIN", "NELM", "PREC", "LASPH", "LORBIT", "ISYM", "ALGO"):
        if tag in theirs:
            assert str(ours.get(tag)).upper() == str(theirs[tag]).upper(), tag
    assert str(ours.get("METAGGA", "")).upper() == str(theirs.get("METAGGA", "")).upper()


def test_a_set_that_is_none_or_needs_more_than_a_structure_is_refused_in_one_line():
    from nanoslab.vasp.inputs.pymatgen_sets import input_set

    with pytest.raises(InputError, match="did you mean MPRelaxSet"):
        input_set("MPRelaxxSet")
    with pytest.raises(InputError, match="a set that gives a cutoff"):
        input_set("MITMDSet")
