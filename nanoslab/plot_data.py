"""What a plot shows, free of any library that draws: made once, drawn by matplotlib and by the page alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from nanoslab.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One curve or cloud of points."""

    label: str  #: name in the legend
    #: coordinates, equally many; a gap in a line is a NaN
    x: tuple[float, ...]
    y: tuple[float, ...]
    drawn: Literal["line", "points", "linked"] = "linked"  #: ``line``, ``points``, or ``linked`` points
    style: int = 0  #: number of its colour, marker and dashes: series of different styles differ in black and white too
    is_thin: bool = False  #: drawn thin: a bound or variant of the series of the same style
    errors: tuple[float, ...] = ()  #: standard deviations of y, or none
    band: tuple[tuple[float, float], ...] = ()  #: interval of y, drawn as a band, or none
    names: tuple[str, ...] = ()  #: what each point is, shown when the cursor is on it, or none

    def __post_init__(self) -> None:
        for what, column in (("y", self.y), ("errors", self.errors), ("band", self.band), ("names", self.names)):
            if (column or what == "y") and len(column) != len(self.x):
                raise InputError(f"{self.label}: {what}", expected=f"{len(self.x)} values", got=len(column))


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """A straight line across the plot at one value of x or y, or a band from there to another value; its label."""

    axis: Literal["x", "y"]
    value: float
    label: str
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One pair of axes with everything on it."""

    name: str  #: stem of its file
    #: words; the labels of the axes carry the units
    title: str
    x_label: str
    y_label: str
    #: what is drawn
    series: tuple[Series, ...]
    reading: str  #: what a reader takes from it, in one sentence: the text for those who cannot see it
    level_of_theory: str  #: of the numbers
    guides: tuple[Guide, ...] = ()
    #: kind and direction of the axes
    x_log: bool = False
    y_log: bool = False
    x_reversed: bool = False
    x_whole: bool = False  #: x counts something: its ticks are whole numbers
    notes: tuple[str, ...] = ()  #: below the plot

    @property
    def is_empty(self) -> bool:
        """Whether there is no finite point to draw."""
        return not any(math.isfinite(value) for series in self.series for value in series.y)


def drawn(*plots: Plot | None) -> tuple[Plot, ...]:
    """Those of several plots that were made and hold a finite point."""
    return tuple(plot for plot in plots if plot is not None and not plot.is_empty)
