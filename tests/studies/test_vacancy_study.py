"""The CdSe study: its calculations, and an analysis whose every number is known beforehand."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from study_runs import runs_of

from nanoslab.calculation import Calculation, CalculationResult
from nanoslab.crystals import crystal
from nanoslab.errors import InputError
from nanoslab.files import data_folder
from nanoslab.studies import VacancyStudy, load_study
from nanoslab.symmetry import site_permutations

STUDY = data_folder("workflows") / "cdse_nanosheet.yaml"
ATOM = {"Cd": -0.2, "Se": -0.7}
ELEMENT = {"Cd": -0.9, "Se": -3.5}
BULK = -11.8


@pytest.fixture(scope="module")
def study() -> VacancyStudy:
    loaded = load_study(STUDY)
    assert isinstance(loaded, VacancyStudy)
    return loaded


@pytest.fixture(scope="module")
def calculations(study: VacancyStudy) -> tuple[Calculation, ...]:
    return study.calculations()


def energy(calculation: Calculation) -> float:
    """Every lost Se costs 5 eV against the free atom, in wurtzite half an eV more for each lost before."""
    counts = Counter(calculation.atoms.get_chemical_symbols())
    if calculation.role.kind == "atom":
        return sum(ATOM[e] * n for e, n in counts.items())
    if calculation.role.kind == "element":
        return sum(ELEMENT[e] * n for e, n in counts.items())
    if calculation.role.kind == "bulk":
        return BULK / 2 * len(calculation.atoms)
    lost = len(calculation.removed_indices)
    steeper = 0.25 * lost * (lost - 1) if calculation.role.phase == "wurtzite" else 0.0
    return -84.0 + lost * (5.0 - ATOM["Se"]) + steeper


def results(calculations: tuple[Calculation, ...]) -> dict[str, CalculationResult]:
    return {
        c.name: CalculationResult(
            name=c.name,
            path=f"campaign/{c.name}",
            energy=energy(c),
            converged=True,
            atoms=c.atoms,
            level_of_theory="closed form",
            comparable={"code": "test", "functional": "PBE", "cutoff_energy": 400.0, "kpoints": c.settings.kpoints},
        )
        for c in calculations
    }


def test_ma_2023_has_the_structures_of_the_paper(calculations: tuple[Calculation, ...]) -> None:
    formulas = {c.name: c.atoms.get_chemical_formula() for c in calculations}
    assert formulas["wurtzite-pristine"] == "Cd14Se14"
    assert formulas["wurtzite-v_2Se-surface-1"] == "Cd14Se12"  # one face's layer
    assert formulas["wurtzite-v_Se-layers-both-1"] == "Cd14Se10"
    assert formulas["zincblende-pristine"] == "Cd14Se14"
    pristine = {c.role.phase: c for c in calculations if c.role.kind == "pristine"}
    assert pristine["wurtzite"].atoms.info["ledger"]["n_planes"] == 7
    assert pristine["zinc blende"].atoms.info["ledger"]["n_planes"] == 14
    assert pristine["wurtzite"].settings.kpoints == (4, 3, 1)
    assert pristine["zinc blende"].settings.kpoints == (4, 4, 1)
    assert not pristine["zinc blende"].atoms.constraints
    assert len(pristine["wurtzite"].atoms.constraints[0].index) == 4


def test_dipole_correction_where_the_faces_differ_and_only_there(calculations: tuple[Calculation, ...]) -> None:
    corrected = {c.name: c.settings.dipole_correction for c in calculations}
    assert not corrected["wurtzite-pristine"]
    assert corrected["zincblende-pristine"]
    assert corrected["wurtzite-v_Se-surface-1"]
    assert not corrected["wurtzite-v_Se-layers-both-1"]


def test_removed_indices_turn_the_parent_into_the_child(calculations: tuple[Calculation, ...]) -> None:
    by_name = {c.name: c for c in calculations}
    children = [c for c in calculations if c.starts_from]
    assert children
    for child in children:
        parent = by_name[str(child.starts_from)].atoms.copy()
        del parent[list(child.removed_indices)]
        assert parent.get_chemical_symbols() == child.atoms.get_chemical_symbols()
        np.testing.assert_allclose(parent.positions, child.atoms.positions)


def test_a_structure_two_series_share_is_computed_once(calculations: tuple[Calculation, ...]) -> None:
    shared = next(c for c in calculations if c.name == "wurtzite-v_2Se-surface-1")
    assert list(shared.role.series) == ["surface", "layers"]


def test_known_energies_come_out_exactly(study: VacancyStudy, calculations: tuple[Calculation, ...]) -> None:
    result = study.analyze(runs_of(calculations, results(calculations)))
    assert not result.refused
    assert not result.missing
    for row in result.vacancies:
        lost = row.energy.n_removed
        steeper = 0.25 * lost * (lost - 1) if row.phase == "wurtzite" else 0.0
        energies = row.energy.formation_energies
        assert energies["atom"] == pytest.approx(5.0 * lost + steeper)
        assert energies["element"] - energies["atom"] == pytest.approx(lost * (ELEMENT["Se"] - ATOM["Se"]))
        assert energies["rich:Cd"] - energies["rich:Se"] == pytest.approx(lost * (BULK - sum(ELEMENT.values())))
    wurtzite = result.slope_per_removed_meV("wurtzite", "Se")
    zinc_blende = result.slope_per_removed_meV("zinc blende", "Se")
    assert wurtzite is not None
    assert zinc_blende is not None
    assert wurtzite > zinc_blende


def test_the_structure_tells_the_phases_apart(study: VacancyStudy, calculations: tuple[Calculation, ...]) -> None:
    sheets = {row.phase: row.metrics for row in study.analyze(runs_of(calculations, results(calculations))).sheets}
    assert sheets["wurtzite"].mean_eclipsed_bonds() == pytest.approx(1.0, abs=0.05)
    assert sheets["zinc blende"].mean_eclipsed_bonds() == pytest.approx(0.0, abs=0.2)  # its start is rattled
    assert sheets["zinc blende"].thickness > sheets["wurtzite"].thickness


def test_lattice_constants_are_those_of_the_conventional_cell(
    study: VacancyStudy, calculations: tuple[Calculation, ...]
) -> None:
    edges = {
        row.crystal: row.lattice_constants
        for row in study.analyze(runs_of(calculations, results(calculations))).crystals
    }
    for name in ("CdSe-wurtzite", "CdSe-zincblende", "Se-trigonal", "Cd-hcp"):
        assert edges[name] == pytest.approx(crystal(name).cell.lengths().tolist())


def test_beam_stands_beside_the_formation_energies(study: VacancyStudy, calculations: tuple[Calculation, ...]) -> None:
    document = study.analyze(runs_of(calculations, results(calculations))).to_dict()
    beam = {(row["element"], row["beam_energy_keV"]): row["max_transferred_energy_eV"] for row in document["beam"]}
    # closed form 2ME(E + 2mc²)/[(M + m)² + 2ME]; Ma 2023 prints 6.64, and 10.81 where every formula gives 10.78
    assert beam["Se", 200.0] == pytest.approx(6.6447, abs=1e-3)
    assert beam["Se", 300.0] == pytest.approx(10.7826, abs=1e-3)
    vacancy = document["vacancies"][0]
    for key in (
        "label",
        "phase",
        "n_removed",
        "removed",
        "cation_to_anion",
        "formation_energy_eV",
        "energy_per_atom_eV",
        "formation_energy_per_atom_eV",
    ):
        assert key in vacancy
    assert vacancy["cation_to_anion"] == pytest.approx(14 / 13)


def test_engine_without_atoms_uses_cohesive_energies_and_says_so(
    study: VacancyStudy, calculations: tuple[Calculation, ...]
) -> None:
    given = results(calculations)
    for name in ("Se-atom", "Cd-atom"):
        given[name] = replace(given[name], energy=None, found=False, problems=("no isolated atoms",))
    result = study.analyze(runs_of(calculations, given))
    assert "eV/atom" in result.potentials["atom"].sources["Se"]
    cohesive = result.potentials["atom"].values["Se"] - ELEMENT["Se"]
    assert 2.0 < cohesive < 2.6


def test_unconverged_and_mismatching_runs_are_refused_then_allowed(
    study: VacancyStudy, calculations: tuple[Calculation, ...]
) -> None:
    given = results(calculations)
    cut, other = "wurtzite-v_Se-surface-1", "zincblende-v_Se-surface-1"
    given[cut] = replace(given[cut], converged=False, problems=("killed at the wall time",))
    given[other] = replace(given[other], comparable={**given[other].comparable, "cutoff_energy": 520.0})
    result = study.analyze(runs_of(calculations, given))
    reasons = dict(result.refused)
    assert "killed at the wall time" in reasons[cut]
    assert "520 eV against 400 eV" in reasons[other]
    assert not {cut, other} & {row.calculation for row in result.vacancies}
    allowed = study.analyze(runs_of(calculations, given), allow_unconverged=True, allow_mismatch=True)
    rows = {row.calculation: row for row in allowed.vacancies}
    assert not rows[cut].converged
    assert any("520 eV" in note for note in rows[other].notes)


def test_vacancies_of_a_refused_sheet_are_not_lost_in_silence(
    study: VacancyStudy, calculations: tuple[Calculation, ...]
) -> None:
    given = results(calculations)
    given["wurtzite-pristine"] = replace(given["wurtzite-pristine"], converged=False)
    result = study.analyze(runs_of(calculations, given))
    named = {name for name, _ in result.refused}
    lost = {c.name for c in calculations if c.role.kind in {"pristine", "vacancy"} and c.role.phase == "wurtzite"}
    assert lost <= named


def test_a_sheet_stretched_in_its_plane_is_measured_against_the_bulk(
    study: VacancyStudy, calculations: tuple[Calculation, ...]
) -> None:
    given = results(calculations)
    stretched = given["zincblende-pristine-lateral"].atoms.copy()
    cell = stretched.cell.array.copy()
    cell[0] *= 1.05
    cell[1] *= 0.98
    stretched.set_cell(cell, scale_atoms=True)
    given["zincblende-pristine-lateral"] = replace(given["zincblende-pristine-lateral"], atoms=stretched, energy=-84.25)
    row = next(
        row
        for row in study.analyze(runs_of(calculations, given)).in_plane
        if row.calculation == "zincblende-pristine-lateral"
    )
    assert row.strain.principal == pytest.approx([-0.02, 0.05])
    assert row.energy_gain == pytest.approx(0.25)
    a = crystal("CdSe-zincblende", "pbe").cell.lengths()[0]
    spacings = {(r.h, r.k): (built, r.spacing) for built, r in zip(row.built_spacings, row.reflections, strict=True)}
    # (220) and (2-20) of the square a x a cell: 1/d² = 4/a²(1/1.05² + 1/0.98²) for both
    expected = a / 8**0.5, a / 2 / np.hypot(1 / 1.05, 1 / 0.98)
    assert spacings[2, 2] == pytest.approx(expected)
    assert spacings[2, -2] == pytest.approx(expected)


def test_a_vacuum_that_closed_is_refused(study: VacancyStudy, calculations: tuple[Calculation, ...]) -> None:
    given = results(calculations)
    closed = given["wurtzite-pristine-lateral"].atoms.copy()
    cell = closed.cell.array.copy()
    cell[2] *= 0.6
    closed.set_cell(cell)
    given["wurtzite-pristine-lateral"] = replace(given["wurtzite-pristine-lateral"], atoms=closed)
    result = study.analyze(runs_of(calculations, given))
    assert "third lattice vector" in dict(result.refused)["wurtzite-pristine-lateral"]
    assert "wurtzite-pristine-lateral" not in {row.calculation for row in result.in_plane}


def test_sheets_are_relaxed_in_their_plane_where_the_file_says_so(calculations: tuple[Calculation, ...]) -> None:
    lateral = {c.name: c for c in calculations if c.role.kind == "lateral"}
    assert set(lateral) == {
        "wurtzite-pristine-lateral",
        "wurtzite-v_2Se-surface-1-lateral",
        "zincblende-pristine-lateral",
        "zincblende-v_2Se-surface-1-lateral",
    }
    assert all(c.settings.relax == "cell" and not c.atoms.constraints for c in lateral.values())
    assert lateral["wurtzite-v_2Se-surface-1-lateral"].starts_from == "wurtzite-v_2Se-surface-1"


def test_a_rattled_start_breaks_the_symmetry_and_not_the_count_of_vacancies(
    study: VacancyStudy, calculations: tuple[Calculation, ...]
) -> None:
    by_name = {c.name: c for c in calculations}
    start = by_name["zincblende-pristine"].atoms
    assert len(site_permutations(start)) == 1
    assert len(site_permutations(by_name["wurtzite-pristine"].atoms)) > 1
    still = study.model_copy(update={"sheets": tuple(s.model_copy(update={"rattle": 0.0}) for s in study.sheets)})
    ideal = {c.name: c for c in still.calculations()}
    assert set(ideal) == set(by_name)
    moved = np.linalg.norm(start.positions - ideal["zincblende-pristine"].atoms.positions, axis=1)
    assert 0.1 < moved.mean() < 0.25  # of three coordinates of 0.1 Å each: 0.16 Å
    for name in ("zincblende-pristine", "zincblende-v_Se-surface-1"):
        assert by_name[name].settings == ideal[name].settings  # such as the dipole correction of the ideal faces


def test_a_series_goes_on_from_another_and_its_step_is_told(study: VacancyStudy) -> None:
    """Cd after a whole layer of Se, as in Ma 2023: against the sheet without Se, and against the whole one."""
    layer = {"name": "layers", "remove": "Se", "region": "top", "counts": "layer"}
    after = {"name": "Cd after Se", "remove": "Cd", "region": "top", "counts": [1], "after": "layers", "lateral": True}
    one = VacancyStudy.from_document({**study.model_dump(), "series": [layer, {**after, "name": "Cd-after-Se"}]})
    made = {c.name: c for c in one.calculations()}
    child = next(c for c in one.calculations() if c.role.kind == "vacancy" and "+v_Cd" in c.name)
    parent = made[str(child.starts_from)]
    assert Counter(child.atoms.get_chemical_symbols()) == {"Cd": 13, "Se": 12}
    assert child.role.series == ("Cd-after-Se",)
    kept = np.delete(parent.atoms.positions, list(child.removed_indices), axis=0)
    np.testing.assert_allclose(child.atoms.positions, kept)
    assert [parent.atoms[index].symbol for index in child.removed_indices] == ["Cd"]
    assert made[f"{child.name}-lateral"].role.removed == {"Se": 2, "Cd": 1}

    def cost(calculation: Calculation) -> float:
        counts = Counter(calculation.atoms.get_chemical_symbols())
        if calculation.role.kind in ("atom", "element", "bulk"):
            return energy(calculation)
        return -84.0 + (14 - counts["Se"]) * (5.0 - ATOM["Se"]) + (14 - counts["Cd"]) * (3.0 - ATOM["Cd"])

    given = {name: replace(result, energy=cost(made[name])) for name, result in results(one.calculations()).items()}
    wurtzite = one.model_copy(update={"sheets": study.sheets[:1]})
    document = wurtzite.analyze(runs_of(wurtzite.calculations(), given)).to_dict()
    row = next(row for row in document["vacancies"] if row["calculation"] == child.name)
    assert row["after"] == parent.role.label
    assert row["step_formation_energy_eV"]["atom"] == pytest.approx(3.0)
    assert row["formation_energy_eV"]["atom"] == pytest.approx(2 * 5.0 + 3.0)


def test_a_series_after_one_that_is_not_there_is_refused(study: VacancyStudy) -> None:
    alone = {"name": "Cd", "remove": "Cd", "region": "top", "counts": [1], "after": "layers"}
    one = VacancyStudy.from_document({**study.model_dump(), "series": [alone]})
    with pytest.raises(InputError, match="series Cd: after: expected a series above it in the file, got layers"):
        one.calculations()


def test_missing_runs_are_listed(study: VacancyStudy, calculations: tuple[Calculation, ...]) -> None:
    result = study.analyze(runs_of(calculations, {}))
    assert {name for name, _ in result.missing} == {c.name for c in calculations}
    assert result.vacancies == ()


def test_tables_name_units_and_level_of_theory(study: VacancyStudy, calculations: tuple[Calculation, ...]) -> None:
    tables = study.analyze(runs_of(calculations, results(calculations))).tables()
    assert [table.title for table in tables] == [
        "Vacancies",
        "Sheets",
        "Structure",
        "In-plane lattice",
        "Crystals",
        "Beam",
    ]
    assert any("closed form" in note for note in tables[0].notes)
    assert all(len(row) == len(table.columns) for table in tables for row in table.rows)


def test_a_reference_crystal_of_another_element_is_refused(tmp_path: Path) -> None:
    text = STUDY.read_text().replace("Se: Se-trigonal", "Se: Te-trigonal")
    path = tmp_path / "study.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match="a crystal of Se"):
        load_study(path).calculations()
