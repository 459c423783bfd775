"""Formation energies: closed forms, limits that must meet, refusals."""

import pytest
from ase import Atoms

from nanoslab.calculation import CalculationResult
from nanoslab.energetics.chemical_potential import (
    of_atoms,
    of_atoms_from_cohesive_energies,
    of_elements,
    of_rich_limit,
)
from nanoslab.energetics.consistency import (
    REFERENCE_CRYSTAL,
    SAME_CELL,
    kpoint_spacings,
    require_comparable,
    require_energy,
)
from nanoslab.energetics.vacancy import formation_energy_per_atom, vacancy_energy
from nanoslab.errors import InputError, MismatchError

ELEMENTS = of_elements({"Cd": (-0.8, "hcp"), "Se": (-3.5, "trigonal")})


def result(**changes: object) -> CalculationResult:
    values: dict[str, object] = {
        "name": "a",
        "path": "folder/a",
        "level_of_theory": "test",
        "energy": -1.0,
        "converged": True,
        "atoms": Atoms("Se", cell=[4.0, 5.0, 20.0], pbc=True),
        "comparable": {
            "functional": "PBE",
            "cutoff_energy": 400.0,
            "kpoints": (5, 4, 1),
            "potentials": {"Se": "PAW_PBE Se 06Sep2000"},
        },
    }
    return CalculationResult(**{**values, **changes})  # type: ignore[arg-type]


def with_setting(**changes: object) -> CalculationResult:
    return result(name="b", path="folder/b", comparable={**result().comparable, **changes})


def test_rich_limits_differ_by_the_formation_energy_of_the_compound() -> None:
    bulk = {"Cd": 2, "Se": 2}
    se_rich = of_rich_limit("Se", ELEMENTS, bulk, -10.0)
    cd_rich = of_rich_limit("Cd", ELEMENTS, bulk, -10.0)
    formation = (-10.0 - 2 * (-0.8) - 2 * (-3.5)) / 2
    assert cd_rich.values["Se"] - se_rich.values["Se"] == pytest.approx(formation)
    for mu in (se_rich, cd_rich):
        assert sum(2 * mu.values[e] for e in bulk) == pytest.approx(-10.0)


def test_atom_and_element_references_differ_by_the_cohesive_energy_per_atom_removed() -> None:
    atoms = of_atoms_from_cohesive_energies(ELEMENTS, {"Se": (2.25, "measured")})
    energies = vacancy_energy(
        defect_energy=-80.0,
        defect_counts={"Cd": 14, "Se": 12},
        pristine_energy=-90.0,
        pristine_counts={"Cd": 14, "Se": 14},
        potentials={"atom": atoms, "element": ELEMENTS},
    ).formation_energies
    assert energies["atom"] - energies["element"] == pytest.approx(2 * 2.25)
    assert "2.250 eV/atom (measured)" in atoms.sources["Se"]


def test_removing_nothing_but_formula_units_to_bulk_costs_the_difference_to_bulk() -> None:
    mu = of_rich_limit("Se", ELEMENTS, {"Cd": 1, "Se": 1}, -5.0)
    energy = vacancy_energy(
        defect_energy=-95.0,
        defect_counts={"Cd": 19, "Se": 19},
        pristine_energy=-100.0,
        pristine_counts={"Cd": 20, "Se": 20},
        potentials={"rich:Se": mu},
    )
    assert energy.formation_energies["rich:Se"] == pytest.approx(0.0)
    assert energy.removed == {"Cd": 1, "Se": 1}


def test_potentials_that_do_not_cover_the_removed_element_give_no_number() -> None:
    energy = vacancy_energy(
        defect_energy=-95.0,
        defect_counts={"Cd": 19},
        pristine_energy=-100.0,
        pristine_counts={"Cd": 20},
        potentials={"atom": of_atoms({"Se": (-0.7, "atom")}), "element": ELEMENTS},
    )
    assert set(energy.formation_energies) == {"element"}


@pytest.mark.parametrize("counts", [{"Cd": 14, "Se": 14}, {"Cd": 15, "Se": 13}])
def test_a_structure_that_lost_nothing_or_gained_something_is_refused(counts: dict[str, int]) -> None:
    with pytest.raises(InputError, match="fewer atoms than Cd14 Se14"):
        vacancy_energy(
            defect_energy=-1.0,
            defect_counts=counts,
            pristine_energy=-2.0,
            pristine_counts={"Cd": 14, "Se": 14},
            potentials={},
        )


def test_elements_themselves_have_no_formation_energy() -> None:
    assert formation_energy_per_atom(3 * -3.5, {"Se": 3}, ELEMENTS.values) == pytest.approx(0.0)
    assert formation_energy_per_atom(-1.0, {"Te": 1}, ELEMENTS.values) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"functional": "PBEsol"}, "functional PBE against PBEsol"),
        ({"cutoff_energy": 520.0}, "400 eV against 520 eV"),
        ({"potentials": {"Se": "PAW_PBE Se_GW"}}, "potential (POTCAR) of Se"),
        ({"kpoints": (5, 3, 1)}, "k-points 5x4x1 against 5x3x1"),
    ],
)
def test_differing_settings_are_refused_with_both_values(changes: dict[str, object], words: str) -> None:
    with pytest.raises(MismatchError) as error:
        require_comparable(result(), with_setting(**changes), SAME_CELL)
    assert words in str(error.value)
    assert "--allow-mismatch" in str(error.value)
    assert require_comparable(result(), with_setting(**changes), SAME_CELL, allow_mismatch=True)


def test_a_supercell_with_a_mesh_scaled_to_it_is_comparable() -> None:
    double = Atoms("Se2", cell=[8.0, 5.0, 30.0], pbc=True)
    scaled = result(atoms=double, comparable={**result().comparable, "kpoints": (5, 4, 1)})
    assert require_comparable(result(), result(), SAME_CELL) == ()
    with pytest.raises(MismatchError, match="k-points"):
        require_comparable(scaled, result(), SAME_CELL)
    halved = result(atoms=Atoms("Se", cell=[4.0, 5.0, 30.0], pbc=True))
    assert require_comparable(halved, result(), SAME_CELL) == ()


def test_spacing_is_invariant_under_a_skewed_choice_of_the_same_lattice() -> None:
    skewed = result(atoms=Atoms("Se", cell=[[4.0, 0, 0], [2.0, 5.0, 0], [0, 0, 20.0]], pbc=True))
    spacings = kpoint_spacings(skewed)
    assert spacings is not None
    # |b2| = 2 pi / (height of the cell over a1) = 2 pi / 5 whatever the skew
    assert spacings[1] == pytest.approx(2 * 3.141592653589793 / 5.0 / 4)


def test_a_coarse_reference_crystal_is_refused_but_a_dense_one_is_not() -> None:
    crystal = Atoms("Se", cell=[4.0, 4.0, 4.0], pbc=True)
    coarse = result(atoms=crystal, comparable={**result().comparable, "kpoints": (2, 2, 2)})
    dense = result(atoms=crystal, comparable={**result().comparable, "kpoints": (8, 8, 8)})
    with pytest.raises(MismatchError, match="times the sheet's"):
        require_comparable(coarse, result(), REFERENCE_CRYSTAL)
    assert require_comparable(dense, result(), REFERENCE_CRYSTAL) == ()


def test_unconverged_and_missing_runs_are_refused_with_their_reason() -> None:
    killed = result(converged=False, problems=("killed in ionic step 7",))
    with pytest.raises(MismatchError, match=r"killed in ionic step 7.*--allow-unconverged"):
        require_energy(killed)
    assert require_energy(killed, allow_unconverged=True) == -1.0
    with pytest.raises(MismatchError, match="no OUTCAR"):
        require_energy(result(energy=None, problems=("no OUTCAR",)), allow_unconverged=True)
