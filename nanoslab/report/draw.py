"""Plots for papers: matplotlib axes from plot data."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.errors import FileError
from nanoslab.plot_data import Plot, Series
from nanoslab.report.style import DASHES, MARKERS, colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".pdf", ".svg", ".png", ".eps")
#: width and height of a plot in one column of a journal [inch]
SIZE = (4.6, 3.3)
#: ids of SVG from its content, not from chance
REPRODUCIBLE = {"svg.hashsalt": "nanoslab"}


def draw(plot: Plot, ax: Axes | None = None) -> Axes:
    """Draw a plot, on the axes of a new figure when none are given, and return the axes."""
    axes = new_axes() if ax is None else ax
    for series in plot.series:
        _draw_series(axes, series)
    for guide in plot.guides:
        look: dict[str, Any] = {"fontsize": 7, "color": "0.35", "ha": "right"}
        if guide.until is not None:
            span = axes.axvspan if guide.axis == "x" else axes.axhspan
            span(guide.value, guide.until, color="0.9", zorder=0, linewidth=0)
        if guide.axis == "x":
            axes.axvline(guide.value, color="0.55", linewidth=0.8, zorder=0)
            look |= {"rotation": 90, "va": "top", "transform": axes.get_xaxis_transform()}
            axes.text(guide.value, 0.98, guide.label, **look)
        else:
            axes.axhline(guide.value, color="0.55", linewidth=0.8, zorder=0)
            axes.text(0.99, guide.value, guide.label, va="bottom", transform=axes.get_yaxis_transform(), **look)
    axes.set_xscale("log" if plot.x_log else "linear")
    axes.set_yscale("log" if plot.y_log else "linear")
    if plot.x_whole:
        from matplotlib.ticker import MaxNLocator

        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if plot.x_reversed:
        axes.invert_xaxis()
    axes.set(xlabel=plot.x_label, ylabel=plot.y_label)
    if any(series.label for series in plot.series):
        axes.legend(frameon=False, fontsize=8, handlelength=3.2)
    return axes


def new_axes(size: tuple[float, float] = SIZE) -> Axes:
    """Axes on a new figure that no window shows."""
    from matplotlib.figure import Figure

    axes: Axes = Figure(figsize=size, layout="constrained").subplots()
    return axes


def save_plot(plot: Plot, path: Path) -> None:
    """Write a plot; the ending of the file chooses the format, one that is not known is a `FileError`."""
    if path.suffix.lower() not in FORMATS:
        raise FileError(path, expected=f"a file ending in {', '.join(FORMATS)}", got=repr(path.suffix or path.name))
    save(figure_of(plot), path)


def save(figure: Figure, path: Path) -> None:
    """Write a figure without the date, so that the same numbers make the same file."""
    import matplotlib as mpl

    dated = {".pdf": "CreationDate", ".svg": "Date", ".eps": "CreationDate"}.get(path.suffix.lower())
    try:
        with mpl.rc_context(REPRODUCIBLE):
            figure.savefig(path, dpi=200, metadata={dated: None} if dated else {})
    except OSError as error:
        got = error.strerror or str(error)
        raise FileError(path, expected="a file that can be written", got=got, advice="check the folder") from error


def svg_text(figure: Figure) -> str:
    """Figure as SVG, the same for the same numbers."""
    import matplotlib as mpl

    stream = io.StringIO()
    with mpl.rc_context(REPRODUCIBLE):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def png_bytes(figure: Figure, *, n_colours: int = 64) -> bytes:
    """Figure as a small PNG of few colours: pictures of hundreds of atoms are many times larger as SVG."""
    from PIL import Image

    stream, packed = io.BytesIO(), io.BytesIO()
    figure.savefig(stream, format="png", dpi=140)
    Image.open(stream).convert("RGB").quantize(n_colours).save(packed, format="PNG", optimize=True)
    return packed.getvalue()


def figure_of(plot: Plot) -> Figure:
    """Figure of one plot."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, layout="constrained")
    draw(plot, figure.subplots())
    return figure


def _draw_series(axes: Axes, series: Series) -> None:
    style = series.style
    look: dict[str, Any] = {
        "color": colour(style),
        "linestyle": "none" if series.drawn == "points" else DASHES[style % len(DASHES)][0],
        "marker": "" if series.drawn == "line" else MARKERS[style % len(MARKERS)][0],
        "markersize": 5,
        "markerfacecolor": "white" if series.drawn == "points" else colour(style),
        "linewidth": 0.8 if series.is_thin else 1.6,
        "label": series.label or None,
    }
    if series.band:
        low, high = zip(*series.band, strict=True)
        axes.fill_between(series.x, low, high, color=colour(style), alpha=0.18, linewidth=0)
    if series.errors:
        axes.errorbar(series.x, series.y, yerr=series.errors, capsize=2.5, **look)
    else:
        axes.plot(series.x, series.y, **look)
