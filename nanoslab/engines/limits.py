"""How long one calculation may go on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of the run loop.

    Attributes
    ----------
    deadline
        Clock time (`time.time`) [s] at which a relaxation stops between two steps, to be resumed later; None is never.
    max_steps
        Ionic steps; None takes those of the settings.

    Examples
    --------
    >>> Limits().deadline is None
    True
    """

    deadline: float | None = None
    max_steps: int | None = None
