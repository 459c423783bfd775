"""POTCAR titles: which element a title such as ``PAW_PBE Cd_sv_GW 01Jan2008`` stands for."""

from __future__ import annotations

import re

from ase.data import atomic_numbers

_SYMBOL = re.compile(r"[A-Z][a-z]?(?![a-z])")


def element_of_title(element: str, title: str) -> str:
    """Element of a species; its title decides where VASP garbles the symbol (X for Xe, r for Zr)."""
    if element != "X" and element in atomic_numbers:
        return element
    for word in title.split()[:2][::-1]:
        found = _SYMBOL.match(word)
        if found and found[0] in atomic_numbers:
            return found[0]
    return element
