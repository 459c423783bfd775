"""What a plot shows, free of any library that draws: made once, drawn by matplotlib and by the page alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from nanoslab.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One curve or cloud of points.

    Attributes
    ----------
    label
        Name in the legend.
    x, y
        Coordinates, equally many; a gap in a line is a NaN.
    drawn
        ``line``, ``points``, or ``linked`` points.
    style
        Number of its colour, marker and dashes: series of different styles differ in black and white too.
    is_thin
        Drawn thin: a bound or variant of the series of the same style.
    errors
        Standard deviations of y, or none.
    names
        What each point is, shown when the cursor is on it, or none.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    drawn: Literal["line", "points", "linked"] = "linked"
    style: int = 0
    is_thin: bool = False
    errors: tuple[float, ...] = ()
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse columns of different lengths."""
        for what, column in (("y", self.y), ("errors", self.errors), ("names", self.names)):
            if (column or what == "y") and len(column) != len(self.x):
                raise InputError(f"{self.label}: {what}", expected=f"{len(self.x)} values", got=len(column))


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """A straight line across the plot at one value of x or y, with its label."""

    axis: Literal["x", "y"]
    value: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One pair of axes with everything on it.

    Attributes
    ----------
    name
        Stem of its file.
    title, x_label, y_label
        Words; the labels of the axes carry the units.
    series, guides
        What is drawn.
    reading
        What a reader takes from it, in one sentence: the text for those who cannot see it.
    level_of_theory
        Of the numbers.
    x_log, y_log, x_reversed
        Kind and direction of the axes.
    notes
        Below the plot.
    """

    name: str
    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    reading: str
    level_of_theory: str
    guides: tuple[Guide, ...] = ()
    x_log: bool = False
    y_log: bool = False
    x_reversed: bool = False
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is no finite point to draw."""
        return not any(math.isfinite(value) for series in self.series for value in series.y)


def drawn(*plots: Plot | None) -> tuple[Plot, ...]:
    """Those of several plots that were made and hold a finite point.

    Examples
    --------
    >>> drawn(None)
    ()
    """
    return tuple(plot for plot in plots if plot is not None and not plot.is_empty)
