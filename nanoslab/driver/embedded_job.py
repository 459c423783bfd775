"""An embedded engine on a node: the run loop of `nanoslab.engines`, its end in the words of a campaign."""

from __future__ import annotations

from pathlib import Path

from nanoslab.campaign.format import read_calculation
from nanoslab.driver.verdict import Outcome
from nanoslab.engines import Limits, engine, read_result, run_calculation
from nanoslab.engines.journal import WallTimeReachedError
from nanoslab.engines.run import start_from
from nanoslab.errors import FileError


def run_embedded(deck: Path, name_and_options: str, folder: Path, *, stop_at: float | None) -> Outcome:
    """Compute one calculation of a campaign with an embedded engine, from its relaxed parent where it has one.

    Parameters
    ----------
    deck
        Folder of the calculation.
    name_and_options
        The engine, as given to ``--engine``.
    folder
        Where its files go.
    stop_at
        When to stop between two steps [seconds since 1970], or None.
    """
    calculation = read_calculation(deck)
    start = None
    if calculation.starts_from is not None:
        parent = read_result(deck.parent / calculation.starts_from / folder.name)
        if parent.atoms is None:
            raise FileError(
                parent.path,
                expected="the relaxed structure to start from",
                got="none",
                advice=f"see what became of {calculation.starts_from}",
            )
        start = start_from(calculation, parent.atoms)
    try:
        limits = Limits(deadline=stop_at)
        result = run_calculation(calculation, engine(name_and_options), folder, start=start, limits=limits)
    except WallTimeReachedError:
        return Outcome(outcome="stopped", reason="stopped before its wall time ended", steps=1)
    if result.converged:
        return Outcome(outcome="done")
    return Outcome(outcome="failed", reason="; ".join(result.problems) or "not converged")
