"""What is hit under the conditions of the quick calculator."""

from __future__ import annotations

from collections.abc import Iterable

from nanoslab.beam.conditions import Conditions
from nanoslab.beam.knockon import velocity_variance
from nanoslab.beam.totals import Target


def targets_under(conditions: Conditions, elements: Iterable[str]) -> dict[str, Target]:
    """How each element scatters and moves.

    Examples
    --------
    >>> targets_under(Conditions(temperature=None), ["Se"])["Se"].masses
    'standard'
    """
    return {
        element: Target(
            element=element,
            model=conditions.model,
            masses="standard" if conditions.temperature is None else "isotopes",
            velocity_variance=velocity_variance(element, conditions),
        )
        for element in elements
    }
