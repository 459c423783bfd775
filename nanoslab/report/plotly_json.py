"""Plots for the page: the same plot data as a plotly figure, in plain JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from nanoslab.plot_data import Guide, Plot, Series
from nanoslab.report.style import DASHES, MARKERS, colour


def plotly_figure(plot: Plot) -> dict[str, Any]:
    """Figure with the keys ``data`` and ``layout``; colours of the ground are left to the page.

    Labels come from files of the user, and plotly reads a few HTML tags in them: they are taken out of action.
    """
    return {
        "data": [
            *(_band(series) for series in plot.series if series.band),
            *(_trace(series, plot) for series in plot.series),
        ],
        "layout": {
            "xaxis": {
                "title": {"text": plain(plot.x_label)},
                "type": "log" if plot.x_log else "linear",
                "autorange": "reversed" if plot.x_reversed else True,
                **_whole_ticks(plot),
            },
            "yaxis": {"title": {"text": plain(plot.y_label)}, "type": "log" if plot.y_log else "linear"},
            "shapes": [_shape(guide, plot) for guide in plot.guides],
            "annotations": [_annotation(guide, plot) for guide in plot.guides],
        },
    }


def _whole_ticks(plot: Plot) -> dict[str, Any]:
    """Ticks at whole numbers, about six of them."""
    values = [x for series in plot.series for x in series.x if math.isfinite(x)]
    if not plot.x_whole or not values:
        return {}
    least = (max(values) - min(values)) / 6
    steps = (digit * 10**power for power in range(9) for digit in (1, 2, 5))
    return {"tickmode": "linear", "tick0": 0, "dtick": next(step for step in steps if step >= least)}


def plain(text: str) -> str:
    """Text in which plotly finds no tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _trace(series: Series, plot: Plot) -> dict[str, Any]:
    style = series.style
    names = [plain(name) + "<br>" for name in series.names] or [""] * len(series.x)
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": {"line": "lines", "points": "markers", "linked": "lines+markers"}[series.drawn],
        "name": plain(series.label),
        "showlegend": bool(series.label),
        "x": _numbers(series.x),
        "y": _numbers(series.y),
        "customdata": names,
        "hovertemplate": f"%{{customdata}}{plain(plot.x_label)}: %{{x:.4~g}}<br>{plain(plot.y_label)}: %{{y:.4~g}}"
        f"<extra>{plain(series.label)}</extra>",
        "line": {
            "color": colour(style),
            "dash": DASHES[style % len(DASHES)][1],
            "width": 1.1 if series.is_thin else 2.6,
        },
        "marker": {
            "color": colour(style),
            "size": 9,
            "symbol": MARKERS[style % len(MARKERS)][1] + ("-open" if series.drawn == "points" else ""),
        },
    }
    if series.errors:
        trace["error_y"] = {"type": "data", "array": _numbers(series.errors), "visible": True}
    return trace


def _band(series: Series) -> dict[str, Any]:
    """Interval of a curve as one filled outline, forth along its upper and back along its lower end."""
    rows = [(x, *ends) for x, ends in zip(series.x, series.band, strict=True) if all(map(math.isfinite, ends))]
    red, green, blue = bytes.fromhex(colour(series.style)[1:])
    return {
        "type": "scatter",
        "mode": "lines",
        "x": _numbers([x for x, _, _ in rows] + [x for x, _, _ in reversed(rows)]),
        "y": _numbers([high for _, _, high in rows] + [low for _, low, _ in reversed(rows)]),
        "fill": "toself",
        "fillcolor": f"rgba({red},{green},{blue},0.18)",
        "line": {"width": 0},
        "showlegend": False,
        "hoverinfo": "skip",
    }


def _shape(guide: Guide, plot: Plot) -> dict[str, Any]:
    other = "y" if guide.axis == "x" else "x"
    band = {"type": "rect", "fillcolor": "gray", "opacity": 0.18, "line": {"width": 0}}
    line = {"type": "line", "line": {"color": "gray", "width": 1, "dash": "dot"}}
    return {
        **(line if guide.until is None else band),
        "layer": "below",
        f"{guide.axis}0": guide.value,
        f"{guide.axis}1": guide.value if guide.until is None else guide.until,
        f"{other}0": 0,
        f"{other}1": 1,
        f"{other}ref": "paper",
        "name": plain(plot.name),
    }


def _annotation(guide: Guide, plot: Plot) -> dict[str, Any]:
    logarithmic = plot.x_log if guide.axis == "x" else plot.y_log
    value = math.log10(guide.value) if logarithmic else guide.value
    along_x = guide.axis == "x"
    return {
        "text": plain(guide.label),
        "showarrow": False,
        "x": value if along_x else 1,
        "y": 1 if along_x else value,
        "xref": "x" if along_x else "paper",
        "yref": "paper" if along_x else "y",
        "xanchor": "right",
        "yanchor": "top" if along_x else "bottom",
        "textangle": -90 if along_x else 0,
        "font": {"size": 11},
    }


def _numbers(values: Sequence[float]) -> list[float | None]:
    """Six significant figures are more than any eye sees, and JSON has no NaN."""
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in values]
