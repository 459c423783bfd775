"""Cations and anions: their order and their formal charges."""

from __future__ import annotations

from collections.abc import Iterable
from math import comb, prod

from ase.data import atomic_numbers
from ase.formula import Formula

#: of giving every atom an oxidation state; a formula with more is not guessed
MOST_WAYS = 10_000


def cations_first(elements: Iterable[str]) -> list[str]:
    """Elements by rising electronegativity: cations before anions."""
    from pymatgen.core import Element  # slow to import

    return sorted(set(elements), key=lambda element: (Element(element).X, atomic_numbers[element]))


def formal_charges(formula: str) -> dict[str, float]:
    """Formal charge of every element of a compound [e], from pymatgen's common oxidation states.

    A formula that balances gets its most frequent assignment. One that does not (a sheet with vacancies) gets the
    lowest common state of the most electronegative element and the lowest positive ones of the others; a single
    element is neutral.
    """
    from pymatgen.core import Composition, Element  # slow to import

    elements = list(Formula(formula).count())
    if len(elements) == 1:
        return {elements[0]: 0.0}
    reduced = Composition(Composition(formula).get_integer_formula_and_factor()[0])
    # how many ways pymatgen tries: for Cu63S32 more than it ends with
    states_of = {element: len(Element(element).icsd_oxidation_states) for element in elements}
    ways = prod(comb(int(reduced[element]) + n - 1, n - 1) for element, n in states_of.items() if n)
    guesses = reduced.oxi_state_guesses(all_oxi_states=False) if len(elements) <= 4 and ways < MOST_WAYS else ()
    if guesses and all(float(charge).is_integer() for charge in guesses[0].values()):
        return {element: float(guesses[0][element]) for element in elements}
    anion = max(elements, key=lambda element: Element(element).X)
    charges = {}
    for element in elements:
        states = Element(element).common_oxidation_states
        wanted = [state for state in states if (state < 0) == (element == anion)]
        charges[element] = float(min(wanted, default=0))
    return charges
