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
#: widths of figures in one and two columns of a journal, and height of a panel [cm]
WIDTHS = {"single": 8.5, "double": 17.5}
PANEL = 6.2
_CM = 1 / 2.54
#: letters of 7 and 8 points at these widths, which journals ask for
JOURNAL = {
    **{"font.size": 8, "axes.labelsize": 8, "axes.titlesize": 8, "legend.fontsize": 7},
    **{"xtick.labelsize": 7, "ytick.labelsize": 7, "axes.linewidth": 0.6, "lines.linewidth": 1.2},
}
#: ids of SVG from its content, not from chance; letters of PDF that journals take
SAVED = {"svg.hashsalt": "nanoslab", "pdf.fonttype": 42, "ps.fonttype": 42}


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
        axes.legend(frameon=False, fontsize=7, handlelength=2.6)
    return axes


def new_axes() -> Axes:
    """Axes of one column on a new figure that no window shows."""
    return new_panels()[1][0]


def new_panels(
    n_panels: int = 1, *, width: str = "single", height: float = PANEL, beside: bool = False
) -> tuple[Figure, list[Axes]]:
    """Figure in a journal's width, its panels of so many cm below or beside one another."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    rows, columns = (1, n_panels) if beside else (n_panels, 1)
    with mpl.rc_context(JOURNAL):
        figure = Figure(figsize=(WIDTHS[width] * _CM, rows * height * _CM), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False, sharex=not beside)
        return figure, list(panels.ravel())


def save_plot(plot: Plot, path: Path, width: str = "single") -> None:
    """Write a plot in a width of `WIDTHS`; the ending of the file chooses the format, others are a `FileError`."""
    if path.suffix.lower() not in FORMATS:
        raise FileError(path, expected=f"a file ending in {', '.join(FORMATS)}", got=repr(path.suffix or path.name))
    save(figure_of(plot, width), path)


def save(figure: Figure, path: Path) -> None:
    """Write a figure without the date, so that the same numbers make the same file."""
    import matplotlib as mpl

    dated = {".pdf": "CreationDate", ".svg": "Date", ".eps": "CreationDate"}.get(path.suffix.lower())
    try:
        with mpl.rc_context(SAVED):
            figure.savefig(path, dpi=200, metadata={dated: None} if dated else {})
    except OSError as error:
        got = error.strerror or str(error)
        raise FileError(path, expected="a file that can be written", got=got, advice="check the folder") from error


def svg_text(figure: Figure) -> str:
    """Figure as SVG, the same for the same numbers."""
    import matplotlib as mpl

    stream = io.StringIO()
    with mpl.rc_context(SAVED):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def png_bytes(figure: Figure, *, n_colours: int = 64) -> bytes:
    """Figure as a small PNG of few colours: pictures of hundreds of atoms are many times larger as SVG."""
    from PIL import Image

    stream, packed = io.BytesIO(), io.BytesIO()
    figure.savefig(stream, format="png", dpi=140)
    Image.open(stream).convert("RGB").quantize(n_colours).save(packed, format="PNG", optimize=True)
    return packed.getvalue()


def figure_of(plot: Plot, width: str = "single") -> Figure:
    """Figure of one plot."""
    figure, (axes,) = new_panels(width=width, height=PANEL if width == "single" else 8.5)
    draw(plot, axes)
    return figure


def _draw_series(axes: Axes, series: Series) -> None:
    style = series.style
    look: dict[str, Any] = {
        "color": colour(style),
        "linestyle": "none" if series.drawn == "points" else DASHES[style % len(DASHES)][0],
        "marker": "" if series.drawn == "line" else MARKERS[style % len(MARKERS)][0],
        "markersize": 4,
        "markerfacecolor": "white" if series.drawn == "points" else colour(style),
        "linewidth": 0.7 if series.is_thin else 1.3,
        "label": series.label or None,
    }
    if series.band:
        low, high = zip(*series.band, strict=True)
        axes.fill_between(series.x, low, high, color=colour(style), alpha=0.18, linewidth=0)
    if series.errors:
        axes.errorbar(series.x, series.y, yerr=series.errors, capsize=2.5, **look)
    else:
        axes.plot(series.x, series.y, **look)
