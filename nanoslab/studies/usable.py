"""Which results an analysis may use: those missing and those refused are remembered with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nanoslab.calculation import Calculation, CalculationResult
from nanoslab.energetics.consistency import Rule, require_comparable, require_energy
from nanoslab.errors import MismatchError


@dataclass(slots=True, kw_only=True)
class UsableResults:
    """Results by name, judged as they are asked for.

    Attributes
    ----------
    results
        Calculation -> its result.
    allow_unconverged, allow_mismatch
        What the user allows that is refused otherwise.
    missing, refused
        Filled as results are asked for: (name, reason).

    Examples
    --------
    >>> UsableResults(results={}).missing
    []
    """

    results: Mapping[str, CalculationResult]
    allow_unconverged: bool = False
    allow_mismatch: bool = False
    missing: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def get(
        self, calculation: Calculation, against: CalculationResult | None = None, rules: tuple[Rule, ...] = ()
    ) -> tuple[CalculationResult, float, tuple[str, ...]] | None:
        """Return the result, its energy [eV] and the differences that were allowed; None after noting why not.

        Parameters
        ----------
        calculation
            Whose result.
        against, rules
            The result its energy is subtracted from, and what must agree.
        """
        result = self.results.get(calculation.name)
        if result is None or not result.found:
            self.missing.append((calculation.name, "; ".join(result.problems) if result else "not run yet"))
            return None
        try:
            energy = require_energy(result, allow_unconverged=self.allow_unconverged)
            notes = (
                ()
                if against is None
                else require_comparable(result, against, rules, allow_mismatch=self.allow_mismatch)
            )
        except MismatchError as error:
            self.refused.append((calculation.name, str(error)))
            return None
        return result, energy, notes
