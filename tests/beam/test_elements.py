"""The shipped table equals its sources, and formulas are read whole."""

import pytest
from ase.data import atomic_masses, atomic_numbers
from ase.data.cohesive_energies import cohesive_energy

from nanoslab.beam import element_data, elements_of_formula
from nanoslab.beam.elements import composition_of_formula, symbols
from nanoslab.beam.tables.elements_source import OTHER_SUBLIMATION
from nanoslab.errors import InputError


def test_masses_are_those_of_ase() -> None:
    assert len(symbols()) == 94
    for symbol in symbols():
        data = element_data(symbol)
        assert data.atomic_number == atomic_numbers[symbol]
        assert data.mass == atomic_masses[data.atomic_number]


def test_isotopes_are_those_of_periodictable() -> None:
    periodictable = pytest.importorskip("periodictable")
    for symbol in symbols():
        element = periodictable.elements.symbol(symbol)
        for isotope in element_data(symbol).isotopes:
            source = element[isotope.mass_number]
            assert isotope.mass == pytest.approx(source.mass, rel=1e-9)
            assert isotope.abundance == pytest.approx(source.abundance / 100, rel=1e-6, abs=1e-9)


def test_isotopes_add_up_to_the_element() -> None:
    for symbol in symbols():
        pairs = element_data(symbol).masses_and_abundances
        assert sum(fraction for _, fraction in pairs) == pytest.approx(1, abs=1e-9)
        # Li varies by 0.4 % in nature, and its standard mass is that of depleted Li
        mean = sum(mass * fraction for mass, fraction in pairs)
        assert mean == pytest.approx(element_data(symbol).mass, rel=5e-3 if symbol == "Li" else 4e-4)


def test_sublimation_energies_are_those_of_ase_but_for_two() -> None:
    for symbol in symbols():
        expected = OTHER_SUBLIMATION.get(symbol, cohesive_energy[atomic_numbers[symbol]])
        assert element_data(symbol).sublimation_energy == expected


@pytest.mark.parametrize(
    ("formula", "composition"),
    [
        ("Se", {"Se": 1}),
        ("CdSe", {"Cd": 1, "Se": 1}),
        ("Bi2Se3", {"Bi": 2, "Se": 3}),
        ("Cd(SeO3)2", {"Cd": 1, "Se": 2, "O": 6}),
        ("Cd0.5Zn.5SeCd", {"Cd": 1.5, "Zn": 0.5, "Se": 1}),
        ("CO", {"C": 1, "O": 1}),
        ("Co", {"Co": 1}),
    ],
)
def test_formulas(formula: str, composition: dict[str, float]) -> None:
    assert composition_of_formula(formula) == composition
    assert elements_of_formula(formula) == tuple(composition)


@pytest.mark.parametrize(
    "formula", ["", "se", "cdse", "Xx", "CDSE", "Cd(Se", "CdSe)", "Cd Se", "Cd0Se", "2", "()", "Am", "Cd-Se", "CdSe!"]
)
def test_what_is_no_formula_is_one_line(formula: str) -> None:
    with pytest.raises(InputError, match="element: expected") as caught:
        composition_of_formula(formula)
    assert len(str(caught.value)) < 140


def test_a_wrong_case_is_guessed() -> None:
    with pytest.raises(InputError, match=r"did you mean Se\?"):
        element_data("SE")
