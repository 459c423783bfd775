"""``report.html``: one file that opens anywhere, without a network, from a page's content."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from nanoslab import __version__
from nanoslab.files import write_atomically
from nanoslab.report.campaign_tables import STATES
from nanoslab.report.draw import figure_of, png_bytes, svg_text
from nanoslab.report.page_content import PageContent
from nanoslab.report.plotly_json import plotly_figure
from nanoslab.report.structure_data import Scene
from nanoslab.report.structure_views import views_figure
from nanoslab.studies.result import Table

#: largest page [bytes]: it is to be mailed and opened on a laptop
LARGEST = 5_000_000
#: share of it for the structures in 3D, packed
LARGEST_SCENES = 1_200_000
#: structures with still pictures
MOST_STILLS = 8


def write_page(path: Path, content: PageContent) -> Path:
    """Write the page and return its path."""
    write_atomically(path, render_page(content))
    return path


def render_page(content: PageContent) -> str:
    """HTML of the page; everything of the user's in it is escaped.

    Notes
    -----
    plotly.js lies packed in the file, as it comes with plotly's Python package, and the browser unpacks it; a
    content security policy forbids the page every connection.
    """
    packed, shown = pack_scenes(content.scenes, LARGEST_SCENES)
    stills = content.scenes[:MOST_STILLS]
    lead = content.headline.plot if content.headline is not None else None
    every = (lead, *(plot for plot in content.plots if plot.name != lead.name)) if lead else content.plots
    figures = [{"plot": plot, "still": data_url(svg_text(figure_of(plot)).encode(), "image/svg+xml")} for plot in every]
    text: str = _template().render(
        content=content,
        version=__version__,
        lead=figures[0] if lead else None,
        figures=figures[1:] if lead else figures,
        plots={plot.name: plotly_figure(plot) for plot in every},
        stills=[{"scene": scene, "still": data_url(png_bytes(views_figure(scene)), "image/png")} for scene in stills],
        scenes=packed,
        n_scenes_left_out=len(content.scenes) - shown,
        n_stills_left_out=len(content.scenes) - len(stills),
        numeric=numeric_columns,
        states=STATES,
        css=_asset("page.css"),
        script=_asset("page.js"),
        plotly=_packed_plotly(),
    )
    return text


def pack_scenes(scenes: Sequence[Scene], largest: int) -> tuple[str, int]:
    """As many structures as fit, packed, and how many those are."""
    n = len(scenes)
    while True:
        packed = pack(json.dumps({"elements": _elements(scenes[:n]), "scenes": [s.to_dict() for s in scenes[:n]]}))
        if len(packed) <= largest or n == 0:
            return packed, n
        n = min(n - 1, int(0.95 * n * largest / len(packed)))


def pack(text: str) -> str:
    """Text as base64 of gzip, the same for the same text."""
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def data_url(picture: bytes, kind: str) -> str:
    """Address that holds the picture itself, closed to scripts.

    Examples
    --------
    >>> data_url(b"a", "image/png")
    'data:image/png;base64,YQ=='
    """
    return f"data:{kind};base64,{base64.b64encode(picture).decode()}"


def numeric_columns(table: Table) -> list[bool]:
    """Whether each column holds numbers, to be set to the right.

    Examples
    --------
    >>> numeric_columns(Table(title="", columns=("a", "b"), rows=(("x", "1.2 < E_max"), ("y", "-"))))
    [False, True]
    """
    return [
        bool(table.rows) and all(row[i] in ("-", "") or _is_number(row[i]) for row in table.rows)
        for i in range(len(table.columns))
    ]


def _is_number(cell: str) -> bool:
    """Whether a cell is a number or a ratio to one, maybe with a remark such as ``< E_max`` or ``(!)``."""
    number, _, remark = cell.partition(" ")
    if remark and remark[0] not in "<(":
        return False
    try:
        float(number.removeprefix("1:"))
    except ValueError:
        return False
    return True


def _elements(scenes: Sequence[Scene]) -> Mapping[str, Any]:
    from ase.data import atomic_numbers, covalent_radii
    from ase.data.colors import jmol_colors
    from matplotlib.colors import to_hex

    symbols = {symbol for scene in scenes for symbol in (*scene.symbols, *scene.ghost_symbols)}
    return {
        symbol: {
            "colour": to_hex(jmol_colors[atomic_numbers[symbol]]),
            "radius": round(float(covalent_radii[atomic_numbers[symbol]]), 2),
        }
        for symbol in sorted(symbols)
    }


@cache
def _packed_plotly() -> str:
    from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]

    return pack(get_plotlyjs())


def _asset(name: str) -> str:
    return files("nanoslab.report").joinpath("assets", name).read_text(encoding="utf-8")


def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("nanoslab.report", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")
