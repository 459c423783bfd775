"""What the commands about the beam share: numbers by element, and targets under the conditions asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from nanoslab.beam.checks import require_positive
from nanoslab.errors import InputError, unknown_name

if TYPE_CHECKING:
    from nanoslab.beam.knockon import Conditions
    from nanoslab.beam.totals import Target


def per_element(option: str, values: Sequence[str], elements: Sequence[str], unit: str) -> dict[str, float]:
    """Numbers for all elements, or ELEMENT=NUMBER, the latter winning.

    Examples
    --------
    >>> per_element("--threshold", ["6", "Se=5.12"], ["Cd", "Se"], "eV")
    {'Cd': 6.0, 'Se': 5.12}
    """
    numbers: dict[str, float] = {}
    for value in sorted(values, key=lambda text: "=" in text):
        name, equals, text = value.rpartition("=")
        if equals and name not in elements:
            raise unknown_name(option, name, elements)
        if not equals and numbers:
            raise InputError(option, expected="one number for all elements", got=" ".join(values))
        try:
            number = float(text)
        except ValueError:
            raise InputError(option, expected=f"a number of {unit} or ELEMENT=NUMBER", got=repr(value)) from None
        require_positive(option, number, unit)
        numbers.update(dict.fromkeys([name] if equals else elements, number))
    return numbers


def targets_under(conditions: Conditions, elements: Iterable[str]) -> dict[str, Target]:
    """How each element scatters and moves."""
    from nanoslab.beam.knockon import velocity_variance
    from nanoslab.beam.totals import Target

    return {
        element: Target(
            element=element,
            model=conditions.model,
            masses="standard" if conditions.temperature is None else "isotopes",
            velocity_variance=velocity_variance(element, conditions),
        )
        for element in elements
    }
