"""One look for all plots: colours that the colour-blind tell apart, and markers and dashes for black and white."""

from __future__ import annotations

#: Okabe and Ito, without black and yellow, which vanish on one of a dark and a light ground
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
#: matplotlib's and plotly's names of the same markers
MARKERS = (
    ("o", "circle"),
    ("s", "square"),
    ("^", "triangle-up"),
    ("D", "diamond"),
    ("v", "triangle-down"),
    ("X", "x"),
    ("P", "cross"),
)
#: matplotlib's and plotly's names of the same dashes
DASHES = (
    ("-", "solid"),
    ((0, (6, 2)), "dash"),
    ((0, (5, 1.5, 1, 1.5)), "dashdot"),
    ((0, (1, 1.5)), "dot"),
    ((0, (10, 2)), "longdash"),
)


def colour(style: int) -> str:
    """Colour of a style."""
    return COLOURS[style % len(COLOURS)]
