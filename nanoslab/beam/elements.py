"""Masses, isotopes and sublimation energies of the elements, read from a small generated file.

See `nanoslab.beam.tables.elements_source` for where the numbers come from.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from nanoslab.errors import InputError, unknown_name

#: a plain string: pathlib alone takes a tenth of the time that `nanoslab knockon` may
ELEMENTS_FILE = __file__.removesuffix("elements.py") + "elements.tsv"
LAST_ATOMIC_NUMBER = 94


class Isotope(NamedTuple):
    """One stable or long-lived isotope.

    Attributes
    ----------
    mass_number
        Protons and neutrons.
    mass
        Mass of the neutral atom [u].
    abundance
        Natural fraction of atoms, 0 to 1.
    """

    mass_number: int
    mass: float
    abundance: float


class Element(NamedTuple):
    """One element; `isotopes` is empty where nature has none.

    Attributes
    ----------
    symbol, atomic_number
        Name and number of protons.
    mass
        Standard atomic mass [u].
    sublimation_energy
        Cohesive energy of the element at 0 K per atom [eV]; None where the source has none.
    isotopes
        Natural isotopes, lightest first.
    """

    symbol: str
    atomic_number: int
    mass: float
    sublimation_energy: float | None
    isotopes: tuple[Isotope, ...]

    @property
    def masses_and_abundances(self) -> tuple[tuple[float, float], ...]:
        """Pairs (mass [u], fraction) over the isotopes, or the one standard mass."""
        return tuple((i.mass, i.abundance) for i in self.isotopes) or ((self.mass, 1.0),)


def element_data(symbol: str) -> Element:
    """Masses and natural isotopes of one element, H to Pu.

    Examples
    --------
    >>> element_data("Se").mass
    78.971
    >>> [isotope.mass_number for isotope in element_data("Se").isotopes]
    [74, 76, 77, 78, 80, 82]
    """
    line = _lines().get(symbol)
    if line is None:
        raise _unknown_element(symbol)
    number, _, mass, sublimation, isotopes = line
    return Element(
        symbol,
        int(number),
        float(mass),
        float(sublimation) if sublimation else None,
        tuple(_isotope(text) for text in isotopes.split(",") if text),
    )


def elements_of_formula(formula: str) -> tuple[str, ...]:
    """Elements of a chemical formula, each once, in the order written.

    Examples
    --------
    >>> elements_of_formula("CdSe")
    ('Cd', 'Se')
    """
    return tuple(composition_of_formula(formula))


def composition_of_formula(formula: str) -> dict[str, float]:
    """Atoms of each element in a chemical formula, in the order written."""
    parts = re.findall(r"([A-Z][a-z]?|[()])(\d+\.?\d*|\.\d+)?", formula)
    if not parts or "".join(symbol + number for symbol, number in parts) != formula:
        raise _unknown_element(formula)
    levels: list[dict[str, float]] = [{}]
    for part, number in parts:
        if part == "(":
            levels.append({})
            continue
        if part == ")" and len(levels) == 1:
            raise _unknown_element(formula)
        if part != ")" and part not in _lines():
            raise _unknown_element(part, formula)
        inside = levels.pop() if part == ")" else {part: 1.0}
        for symbol, count in inside.items():
            levels[-1][symbol] = levels[-1].get(symbol, 0.0) + count * float(number or 1)
    if len(levels) != 1 or not all(levels[0].values()) or not levels[0]:
        raise _unknown_element(formula)
    return levels[0]


def symbols() -> tuple[str, ...]:
    """Chemical symbols, H to Pu."""
    return tuple(_lines())


@cache
def _lines() -> dict[str, list[str]]:
    with open(ELEMENTS_FILE, encoding="utf-8") as stream:  # noqa: PTH123 (see above)
        text = stream.read()
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return {row[1]: row for row in rows}


def _isotope(text: str) -> Isotope:
    number, mass, abundance = text.split(":")
    return Isotope(int(number), float(mass), float(abundance))


def _unknown_element(given: str, formula: str = "") -> InputError:
    text = str(given)
    close = text.strip().capitalize()
    if close in _lines() and close != text:
        advice = f"did you mean {close}?"
    else:
        advice = str(unknown_name("element", text, _lines())).partition("; ")[2]
        advice = advice if advice.startswith("did") else "write it as in Se or CdSe"
    got = f"{text!r} in {formula!r}" if formula not in ("", text) else repr(text)
    return InputError("element", expected="symbols from H to Pu, or a formula", got=got, advice=advice)
