"""Runs of a study from results by name; what has no result was not run yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nanoslab.calculation import Calculation, CalculationResult, Run


def runs_of(calculations: Iterable[Calculation], results: Mapping[str, CalculationResult]) -> tuple[Run, ...]:
    """Every calculation with its result."""
    return tuple(
        Run(
            calculation=calculation,
            result=results.get(calculation.name)
            or CalculationResult(name=calculation.name, path="", level_of_theory="", found=False),
        )
        for calculation in calculations
    )
