"""The validation table: published values are data, read where a result holds the same, wrong ones shown too."""

from pathlib import Path

import pytest

from nanoslab.cli.main import main
from nanoslab.errors import FileError, InputError
from nanoslab.files import data_folder
from nanoslab.report.validation import AnalysedCampaign, ValidationRow, read_published, validation_rows

PUBLISHED = [read_published(path) for path in sorted((data_folder("workflows") / "published").glob("*.yaml"))]


def campaign(kind: str, source: str, document: dict, elements: str = "Cd Se") -> AnalysedCampaign:
    return AnalysedCampaign(
        kind=kind, source=source, document=document, elements=frozenset(elements.split()), deck_ready=True
    )


def row_of(rows: tuple[ValidationRow, ...], quantity: str) -> ValidationRow:
    return next(row for row in rows if row.published.quantity == quantity)


VACANCY = {
    "vacancies": [
        {
            "phase": "wurtzite",
            "removed": {"Se": 1},
            "series": ["surface"],
            "formation_energy_eV": {"atom": 5.0},
            "energy_per_atom_change_meV": 120.0,
            "formation_energy_per_atom_change_meV": None,
        },
        {
            "phase": "wurtzite",
            "removed": {"Se": 1},
            "series": ["depth"],
            "formation_energy_eV": {"atom": 4.5},
            "energy_per_atom_change_meV": 90.0,
            "formation_energy_per_atom_change_meV": 40.0,
        },
        {
            "phase": "wurtzite",
            "removed": {"Se": 2},
            "series": ["layers"],
            "formation_energy_eV": {"atom": 9.0},
            "energy_per_atom_change_meV": 190.0,
        },
        {"phase": "wurtzite", "removed": {"Cd": 1}, "series": ["surface"], "formation_energy_eV": {"atom": 1.0}},
    ],
    "lateral": [
        {
            "phase": "zinc blende",
            "removed": {"Se": 2},
            "reflections": [
                {"built_spacing_A": 2.19, "spacing_A": 2.3},
                {"built_spacing_A": 2.195, "spacing_A": 2.4},
                {"built_spacing_A": 1.55, "spacing_A": 1.6},
            ],
        }
    ],
    "sheets": [{"phase": "wurtzite", "thickness_A": 13.3}],
    "phase_changes": [{"anion_to_cation": 0.9, "before": "wurtzite", "after": "zinc blende"}],
    "crystals": [{"crystal": "CdSe-zincblende", "lattice_constants_A": [6.2, 6.2, 6.2]}],
    "beam": [{"element": "Se", "beam_energy_keV": 200.0, "max_transferred_energy_eV": 6.6447}],
}


def test_numbers_are_read_where_they_stand_and_missing_ones_stay_missing() -> None:
    rows = validation_rows(PUBLISHED, [campaign("vacancies", "a", VACANCY)])
    values = {row.published.quantity: row.values.get("a") for row in rows}
    assert values["E_f of Se, wurtzite sheet, mu of the atom"] == 4.5
    assert values["E_f of Se, wurtzite sheet, mu of the element"] is None
    assert values["one face's Se layer gone (14:12), E_f per Se"] == 4.5
    assert values["both faces' Se layers gone (14:10), E_f per Se"] is None
    assert values["thickness, wurtzite sheet (between nuclei)"] == 1.33
    assert values["d(220), bulk zinc blende"] is not None
    assert abs(values["d(220), bulk zinc blende"] - 0.6200 / 8**0.5) < 1e-12
    assert values["E_max of Se at 300 kV (kinematics)"] is None
    assert values["energy per atom, 1 Se lost, wurtzite"] == 90.0
    assert values["energy per atom, 2 Se lost, wurtzite"] == 190.0
    assert values["energy per atom, 1 Se lost, zinc blende"] is None
    assert round(values["formation energy per atom, 1 Se lost, wurtzite"], 9) == 40.0
    assert values["formation energy per atom, 1 Se lost, zinc blende"] is None
    assert values["zinc blende the more stable sheet below"] == 0.9
    # the mean of the two (220) spacings, 0.230 and 0.240 nm; (400) is another family
    assert abs(values["mean d(220), the same without its Se face"] - 0.235) < 1e-12
    assert values["mean d(220), zinc-blende sheet, in-plane lattice free"] is None


def test_every_quantity_stays_in_the_table_and_sources_stand_side_by_side() -> None:
    sizes = (("xtb", 9.6), ("chgnet", 1.0))
    found = [campaign("neck", name, {"nucleation_fit": {"critical_pairs": n}}, "Pb Se") for name, n in sizes]
    found.append(campaign("neck", "gpaw", {"nucleation_fit": None, "critical_pairs_raw": 3}, "Pb Se"))  # refused
    rows = validation_rows(PUBLISHED, found)
    assert len(rows) == sum(len(file.values) for file in PUBLISHED)
    neck = row_of(rows, "critical neck, fitted")
    assert neck.cells(("xtb", "chgnet", "gpaw")) == (
        "critical neck, fitted [pairs]",
        "9 (Wang 2020)",
        "yes",
        "9.6",
        "1.0",
        "-",
    )
    assert neck.to_dict()["agrees"] == {"xtb": True, "chgnet": False}
    assert not rows[0].deck_ready


def test_another_material_is_not_compared_with_a_paper_on_cdse() -> None:
    rows = validation_rows(PUBLISHED, [campaign("vacancies", "a", VACANCY, "Zn Se")])
    assert not any(row.values for row in rows)


def test_two_campaigns_of_one_source_are_refused() -> None:
    twice = [campaign("vacancies", "a", VACANCY)] * 2
    with pytest.raises(InputError, match="one campaign with a"):
        validation_rows(PUBLISHED, twice)


def test_published_values_of_ones_own_are_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "source: me\nelements: [Pb]\nvalues:\n"
        "  - {quantity: my gap, unit: nm, printed: '0.4', study: gap, path: [minimum_gap_A], factor: 0.1}\n"
    )
    assert main(["validate", "--published", str(file)]) == 0
    assert "my gap [nm]" in capsys.readouterr().out
    file.write_text(file.read_text().replace("factor", "factr"))
    with pytest.raises(FileError, match=r"mine.yaml:4: values.0.factr: .*did you mean 'factor'"):
        read_published(file)
