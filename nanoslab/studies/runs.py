"""Which runs an analysis may use: those missing and those refused are remembered with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from ase import Atoms

from nanoslab.calculation import Calculation, CalculationResult, Role, Run
from nanoslab.energetics.consistency import Rule, require_comparable, require_energy
from nanoslab.errors import MismatchError

AnyRole = TypeVar("AnyRole", bound=Role)


class UsableRun(NamedTuple):
    """A run whose energy [eV] may be used, and what the user allows to differ from the run it is compared with."""

    calculation: Calculation
    result: CalculationResult
    energy: float
    differences: tuple[str, ...] = ()

    @property
    def final_atoms(self) -> Atoms:
        """Structure at the end; as built where the result has none."""
        return self.calculation.atoms if self.result.atoms is None else self.result.atoms

    @property
    def energy_per_atom(self) -> float:
        """Energy [eV] over the number of atoms."""
        return self.energy / len(self.calculation.atoms)


@dataclass(slots=True, kw_only=True)
class UsableRuns:
    """Runs of a study, judged as they are asked for.

    Attributes
    ----------
    allow_unconverged, allow_mismatch
        What the user allows that is refused otherwise.
    missing, refused, levels_of_theory
        Filled as runs are asked for: (name, reason), and the levels of the runs used.
    """

    runs: tuple[Run, ...]
    allow_unconverged: bool = False
    allow_mismatch: bool = False
    missing: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    levels_of_theory: dict[str, None] = field(default_factory=dict)

    def of(self, role: type[AnyRole]) -> list[tuple[AnyRole, Run]]:
        """Return every run of one role, with the role."""
        return [(run.calculation.role, run) for run in self.runs if isinstance(run.calculation.role, role)]

    def result_of(self, name: str | None) -> CalculationResult | None:
        """Return the result of a calculation by name, None where there is no such calculation."""
        return next((run.result for run in self.runs if run.calculation.name == name), None)

    def only(
        self, role: type[Role], against: UsableRun | None = None, rules: tuple[Rule, ...] = ()
    ) -> UsableRun | None:
        """Return the one run of a role, as `get` does; None where there is no such run."""
        found = self.of(role)
        return self.get(found[0][1], against, rules) if found else None

    def get(self, run: Run, against: UsableRun | None = None, rules: tuple[Rule, ...] = ()) -> UsableRun | None:
        """Return a run where it can be used; None after noting why not.

        Parameters
        ----------
        run
            Which run.
        against, rules
            The run its energy is subtracted from, and what must agree.
        """
        name, result = run.calculation.name, run.result
        if not result.found:
            self.missing.append((name, "; ".join(result.problems) or "not run yet"))
            return None
        try:
            energy = require_energy(result, allow_unconverged=self.allow_unconverged)
            differences = (
                require_comparable(result, against.result, rules, allow_mismatch=self.allow_mismatch) if against else ()
            )
        except MismatchError as error:
            self.refuse(name, str(error))
            return None
        self.levels_of_theory[result.level_of_theory] = None
        return UsableRun(run.calculation, result, energy, differences)

    def refuse(self, name: str, reason: str) -> None:
        """Note that a run exists and is not used."""
        self.refused.append((name, reason))
