"""Numbers with units as they stand on a microscope: 50pA, 0.2A, 10us, 1cm2."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping

CURRENTS = {"a": 1.0, "ma": 1e-3, "ua": 1e-6, "na": 1e-9, "pa": 1e-12}
LENGTHS = {"pm": 0.01, "a": 1.0, "nm": 10.0, "um": 1e4, "mm": 1e7, "cm": 1e8}
TIMES = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
AREAS = {f"{unit}2": factor**2 for unit, factor in LENGTHS.items()}


def quantity(units: Mapping[str, float], unit: str) -> Callable[[str], float]:
    """Parser of a number with one of the units; without one it is in `unit`.

    Examples
    --------
    >>> quantity(CURRENTS, "nA")("50pA")
    5e-11
    >>> quantity(LENGTHS, "A")("0.2 Å")
    0.2
    """

    def parse(text: str) -> float:
        plain = text.strip().lower().replace("å", "a").replace("µ", "u").replace("μ", "u").replace("²", "2")
        parts = re.fullmatch(r"([-+.\d]+(?:e[-+]?\d+)?)\s*([a-z]+2?)?", plain)
        factor = units.get((parts[2] or unit.lower()) if parts else "")
        try:
            number = float(parts[1]) if parts else None
        except ValueError:
            number = None
        if factor is None or number is None:
            raise ArgumentTypeError(f"expected a number with one of {', '.join(units)}, got {text!r}")
        return number * factor

    return parse


current = quantity(CURRENTS, "nA")
length = quantity(LENGTHS, "A")
area = quantity(AREAS, "nm2")
time = quantity(TIMES, "s")
